#!/bin/sh
# Writes down when a recovery of the backup $ID was proven.
set -eu
cd "$REPOSITORY/backups/$ID"
cp "$JOB/verified.json" .verified.json.new
sync
mv .verified.json.new verified.json
