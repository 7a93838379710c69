#!/bin/sh
# Reads what a replay will read: in small pieces it would wait for a cold disk. Goes on during the replay.
# shellcheck source=lib/fetch-wal.sh
. "$JOB/lib/fetch-wal.sh"
while read -r segment; do
  from=$(mounted "$segment")
  [ -z "$from" ] || cat "$from" > /dev/null
done < "$JOB/segments"
