#!/bin/sh
# Puts into the repository what the archive in this node's own volume has and no other archive of the cluster: whole
# segments as such; those that are not, or of which another archive has a whole one with another content, under the
# name of the node $OWNER, so that they take nobody's place.
set -eu
[ -d "$VOLUME/archive" ] || exit 0
# shellcheck source=lib/locate-wal.sh
. "$JOB/lib/locate-wal.sh"
SOURCE_REPOSITORY=$REPOSITORY
mkdir -p "$REPOSITORY/wal" /tmp/reach
elsewhere() { # SEGMENT
  for copy in "$REPOSITORY/wal/$1" "$REPOSITORY/wal/$1.tail.$OWNER-archive" "$NODES"/*/archive/"$1"; do
    if [ -f "$copy" ] && cmp -s "$VOLUME/archive/$1" "$copy"; then return; fi
  done
  return 1
}
find "$VOLUME/archive" -maxdepth 1 -type f | sed -n 's|^.*/\([0-9A-F]\{24\}\)$|\1|p' | sort > /tmp/own
count=0 total=$(wc -l < /tmp/own)
while read -r name; do
  count=$((count + 1))
  if ! elsewhere "$name"; then
    to=$name
    if [ -n "$(archived "$name")" ] || ! whole "$VOLUME/archive/$name"; then to=$name.tail.$OWNER-archive; fi
    new=$REPOSITORY/wal/.$name.keep.$OWNER
    said=$(dd if="$VOLUME/archive/$name" of="$new" bs=1048576 conv=fsync 2>&1) || { echo "keep: $said"; exit 1; }
    mv "$new" "$REPOSITORY/wal/$to"
  fi
  echo "$count/$total segments ($((100 * count / total))%) kept"
done < /tmp/own
sync "$REPOSITORY/wal" 2>/dev/null || sync
