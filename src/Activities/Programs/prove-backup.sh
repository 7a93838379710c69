#!/bin/sh
# Proves that the staged backup is as its manifest says, and that every segment of $JOB/segments is in an archive: the
# repository's, or a node's own.
set -eu
while read -r segment; do
  found=no
  for archive in "$REPOSITORY/wal" "$NODES"/*/archive; do [ ! -f "$archive/$segment" ] || found=yes; done
  [ $found = yes ] || { echo "$segment, which the backup needs, is not in the archive"; exit 1; }
done < "$JOB/segments"
cd "$REPOSITORY/backups"
[ -e "$ID" ] || ID=.$ID.new
pg_verifybackup -n "$ID/data" 2>&1
