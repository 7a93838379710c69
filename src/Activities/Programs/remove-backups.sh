#!/bin/sh
# Removes the backups in $JOB/backups and the archived segments in $JOB/segments. First nobody can choose a backup any
# more, then its WAL goes; what an earlier run left goes too.
set -eu
mkdir -p "$REPOSITORY/backups"
cd "$REPOSITORY/backups"
exec 9< .
! command -v flock > /dev/null || flock -n 9 || {
  echo "a recovery, a clone or a verification is copying from the repository;" \
    "the next backup removes what is not needed"
  exit 3
}
while read -r backup; do
  [ ! -e "$backup" ] || mv "$backup" ".$backup.gone"
done < "$JOB/backups"
sync
while read -r segment; do
  rm -f "$REPOSITORY/wal/$segment" "$REPOSITORY/wal/$segment".tail.* "$REPOSITORY/index/$segment" \
    "$NODES"/*/archive/"$segment"
done < "$JOB/segments"
rm -rf .*.gone
