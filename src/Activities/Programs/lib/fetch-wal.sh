# shellcheck shell=sh
# shellcheck source=lib/locate-wal.sh
. "$JOB/lib/locate-wal.sh"
# fetch_wal DIR WHERE: puts the segments named in $JOB/segments, and the histories of all timelines, into DIR, as
# already archived.
# WHERE finds one: "locate", or "archived" for those that can't change any more, without complaint about others.
# What the node itself will see in an archive, at the same path as this job, is not copied but linked: PostgreSQL only
# reads it there, and recycles no link (RemoveXlogFile in xlog.c).
fetch_wal() {
  mkdir -p "$1/archive_status"
  for history in "$SOURCE_REPOSITORY"/timelines/*.history; do
    [ ! -f "$history" ] || cp "$history" "$1/"
  done
  while read -r segment; do
    [ ! -e "$1/archive_status/$segment.done" ] || continue
    rm -f "$1/$segment" # of an attempt that was cut off; cp would follow a link into the archive
    link=$(mounted "$segment")
    from=${link:-$("$2" "$segment")}
    if [ -n "$link" ]; then
      ln -s "$link" "$1/$segment"
    elif [ -n "$from" ]; then
      cp "$from" "$1/$segment"
    elif [ "$2" = locate ]; then
      echo "WAL segment $segment is nowhere"
      return 4
    else
      continue
    fi
    : > "$1/archive_status/$segment.done"
  done < "$JOB/segments"
}

mounted() {
  if [ -f "$REPOSITORY/wal/$1" ]; then echo "$REPOSITORY/wal/$1"; return; fi
  if whole "$VOLUME/archive/$1"; then echo "$VOLUME/archive/$1"; fi
}
