#!/bin/sh
# Archives the complete segments of earlier timelines that a promoted standby has and the archive lacks: as a standby it
# archived none. Prints how many.
set -eu
cd "$VOLUME/data/pg_wal"
count=0
for status in archive_status/*.done; do
  name=${status#archive_status/}
  name=${name%.done}
  case $name in *[!0-9A-F]*) continue ;; esac
  if [ "${#name}" -ne 24 ] || [ ! -e "$name" ] || [ -e "$ARCHIVE/$name" ]; then continue; fi
  # shellcheck disable=SC3012 # dash, bash and busybox have \< for texts, and POSIX.1-2024 too
  [ "$(printf '%.8s' "$name")" \< "$TIMELINE" ] || continue
  "$VOLUME/bin/archive" "$name" "$name"
  count=$((count + 1))
done
echo "$count"
