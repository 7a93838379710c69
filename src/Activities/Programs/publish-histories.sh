#!/bin/sh
# Archives all timeline histories that the node has.
set -eu
for file in "$VOLUME"/data/pg_wal/*.history; do
  [ ! -e "$file" ] || "$VOLUME/bin/archive" "$file" "${file##*/}"
done
