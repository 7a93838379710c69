#!/bin/sh
# Publishes the staged backup, whole or not at all, once.
set -eu
cd "$REPOSITORY/backups"
[ ! -e "$ID" ] || { [ "$(cat "$ID/by")" = "$BY" ]; exit; }
cp "$JOB/backup.json" ".$ID.new/backup.json"
sync
mv ".$ID.new" "$ID"
sync . 2>/dev/null || sync
