#!/bin/sh
# Says of each segment that it is given: whether it is complete, by its being archived; the file that holds it; what the
# index has of it.
# The repository's archive has thousands: no process is started for one.
# shellcheck source=lib/locate-wal.sh
. "$JOB/lib/locate-wal.sh"
tab=$(printf '\t')
for segment; do
  file=$SOURCE_REPOSITORY/wal/$segment kind=complete digest=''
  [ -f "$file" ] || file=$(archived "$segment")
  if [ -z "$file" ]; then file=$(furthest "$segment") kind=open; fi
  if [ -f "$REPOSITORY/index/$segment" ]; then read -r digest < "$REPOSITORY/index/$segment"; fi
  echo "$segment$tab$kind$tab$file$tab$digest"
done
