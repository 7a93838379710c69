#!/bin/sh
# Its result is what a stopped node has of WAL, and what its pg_control says: the segments; the files that wait for the
# archive, and those that are in it; and of each history the timelines that it descends from, as lines
# "TIMELINE ANCESTOR".
set -eu
# shellcheck source=lib/result.sh
. "$JOB/lib/result.sh"
cd "$VOLUME"
data=data
[ -d data ] || data=data.rewind
if [ -d "$data/pg_wal/archive_status" ]; then
  pg_controldata "$data" > /tmp/control || : # what waits for the archive is there all the same
  cd "$data/pg_wal"
else
  : > /tmp/control
  cd /tmp
fi
names() { # SUFFIX: the names of the status files that have it
  for file in archive_status/*"$1"; do
    name=${file##*/}
    [ ! -f "$file" ] || echo "${name%"$1"}"
  done
}
ancestors() {
  for history in *.history; do
    [ ! -f "$history" ] || sed -n "s/^ *\([0-9][0-9]*\)[[:space:]].*/${history%.history} \1/p" "$history"
  done
}
result state "$(sed -n 's/^Database cluster state: *//p' /tmp/control)" \
  timeline "$(sed -n "s/^Latest checkpoint's TimeLineID: *//p" /tmp/control)" \
  'segments[]' "$(find . -maxdepth 1 -type f | sed -n 's|^\./\([0-9A-F]\{24\}\)$|\1|p' | sort)" \
  'ready[]' "$(names .ready)" 'archived[]' "$(names .done)" 'ancestors[]' "$(ancestors)"
