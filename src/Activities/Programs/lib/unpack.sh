# shellcheck shell=sh
# shellcheck source=lib/fetch-wal.sh
. "$JOB/lib/fetch-wal.sh"
# unpack DIR WHERE: puts the backups of $JOB/backups, each of which builds on the one before, together as one data directory with its WAL; WHERE as in fetch_wal.
# Meanwhile nothing of them is removed.
unpack() {
  directory=$1
  exec 9< "$SOURCE_REPOSITORY/backups"
  ! command -v flock > /dev/null || flock -s 9
  fetch_wal "$directory.wal" "$2" &
  wal=$!
  set --
  while read -r backup; do
    [ -d "$SOURCE_REPOSITORY/backups/$backup" ] || { echo "backup $backup was removed meanwhile; begin anew"; exit 4; }
    set -- "$@" "$SOURCE_REPOSITORY/backups/$backup/data"
  done < "$JOB/backups"
  if [ $# -gt 1 ]; then
    pg_combinebackup --no-sync -o "$directory" "$@"
  else
    cp -a "$1" "$directory"
  fi
  wait "$wal"
  exec 9<&-
  rm -rf "$directory/pg_wal" "$directory/backup_manifest"
  mv "$directory.wal" "$directory/pg_wal"
}
