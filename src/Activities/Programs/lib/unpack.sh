# shellcheck shell=sh
# shellcheck source=lib/fetch-wal.sh
. "$JOB/lib/fetch-wal.sh"
# copied DIR CHAIN: says how much there is of what a copy has to make, in the form of PostgreSQL's own programs. Asks
# only what takes a while.
# A chain comes to about as much as its full backup.
copied() {
  sleep 2
  total=$(du -sk "$2" | cut -f 1)
  [ "$total" -gt 0 ] || return 0
  while now=$(du -sk "$1" 2> /dev/null | cut -f 1); do
    [ -z "$now" ] || [ "$now" -gt "$total" ] || echo "$now/$total kB ($((100 * now / total))%) restored"
    sleep 2
  done
}

# unpack DIR WHERE: puts the backups of $JOB/backups, each of which builds on the one before, together as one data
# directory with its WAL; WHERE as in fetch_wal.
# Meanwhile nothing of them is removed.
unpack() {
  directory=$1
  exec 9< "$SOURCE_REPOSITORY/backups"
  ! command -v flock > /dev/null || flock -s 9
  fetch_wal "$directory.wal" "$2" &
  wal=$!
  set --
  while read -r backup; do
    [ -d "$SOURCE_REPOSITORY/backups/$backup" ] || { echo "backup $backup was removed meanwhile; begin anew"; exit 3; }
    set -- "$@" "$SOURCE_REPOSITORY/backups/$backup/data"
  done < "$JOB/backups"
  copied "$directory" "$@" 2> /dev/null 9<&- &
  said=$!
  if [ $# -gt 1 ]; then
    pg_combinebackup --no-sync -o "$directory" "$@"
  else
    cp -a "$1" "$directory"
  fi
  kill "$said" 2> /dev/null || :
  wait "$wal"
  exec 9<&-
  rm -rf "$directory/pg_wal" "$directory/backup_manifest"
  mv "$directory.wal" "$directory/pg_wal"
}
