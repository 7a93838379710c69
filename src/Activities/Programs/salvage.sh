#!/bin/sh
# Puts the files in $JOB/ready, which a stopped node has not archived, into the archive, and beside it, under the name
# of the node $OWNER, the segment $TAIL, which was being written: it is not complete.
set -eu
cd "$VOLUME"
data=data
[ -d data ] || data=data.rewind
[ -d "$data/pg_wal/archive_status" ] || exit 0 # it has none
cd "$data/pg_wal"
count=0 total=$(wc -l < "$JOB/ready")
while read -r name; do
  [ ! -e "$name" ] || "$VOLUME/bin/archive" "$name" "$name"
  [ ! -e "archive_status/$name.ready" ] || mv "archive_status/$name.ready" "archive_status/$name.done"
  count=$((count + 1))
  echo "$count/$total segments ($((100 * count / total))%) archived"
done < "$JOB/ready"
if [ -n "$TAIL" ] && [ ! -e "$REPOSITORY/wal/$TAIL" ]; then
  new=$REPOSITORY/wal/.$TAIL.tail.$OWNER
  said=$(dd if="$TAIL" of="$new" bs=1048576 conv=fsync 2>&1) || { echo "salvage: $said"; exit 1; }
  mv "$new" "$REPOSITORY/wal/$TAIL.tail.$OWNER"
fi
sync archive_status "$REPOSITORY/wal" 2>/dev/null || sync
