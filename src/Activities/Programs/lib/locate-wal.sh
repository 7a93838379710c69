# shellcheck shell=sh
# locate SEGMENT: prints which file holds it. The archive comes first; what never got there is taken from wherever its
# valid records reach furthest.
# Decided here and not by PgFlow: while a backup is verified or cloned its cluster goes on archiving, and removes from
# pg_wal what a decision made before would name.
# reach FILE: how far that is, as a text that sorts. pg_waldump is quiet and says where it stops by itself; of what it
# prints of records, a user may have written any line.
reach() {
  if problem=$(pg_waldump -q "$1" 2>&1); then echo z; return; fi
  at=$(echo "$problem" | sed -n 's/.*error in WAL record at \([0-9A-F]*\)\/\([0-9A-F]*\): .*/\1 \2/p')
  if [ -n "$at" ]; then printf '%8s%8s' "${at% *}" "${at#* }" | tr ' ' 0; return; fi
  # No record begins in it: one may go through all of it. A file made in advance has the address of what it was before.
  size=$(($(od -An -tu4 -j32 -N4 "$1")))
  log=$(echo "${1##*/}" | cut -c9-16) segment=$(echo "${1##*/}" | cut -c17-24)
  [ "$size" -eq 0 ] || [ "$(($(od -An -tu8 -j8 -N8 "$1")))" -ne $(((0x$log << 32) + 0x$segment * size)) ] || echo 0
}

furthest() {
  best='' most=''
  mkdir -p /tmp/reach
  for candidate in "$SOURCE_REPOSITORY/wal/$1".tail.* "$NODES"/*/archive/"$1" "$NODES"/*/data/pg_wal/"$1" \
    "$NODES"/*/data.rewind/pg_wal/"$1" "$NODES"/*/data.old.*/pg_wal/"$1"; do
    [ -f "$candidate" ] || continue
    ln -sf "$candidate" "/tmp/reach/$1" # pg_waldump reads timeline and position from the name
    end=$(reach "/tmp/reach/$1")
    # shellcheck disable=SC3012 # dash, bash and busybox have \> for texts, and POSIX.1-2024 too
    if [ -n "$end" ] && { [ -z "$most" ] || [ "$end" \> "$most" ]; }; then best=$candidate most=$end; fi
  done
  echo "$best"
}

# whole FILE: a standby archives on its own (archive_mode always) the segment in which its primary's timeline ended, and
# what it has of it may be less than others have.
whole() {
  [ -f "$1" ] && [ "$(reach "$1")" = z ]
}

archived() {
  if [ -f "$SOURCE_REPOSITORY/wal/$1" ]; then echo "$SOURCE_REPOSITORY/wal/$1"; return; fi
  for copy in "$NODES"/*/archive/"$1"; do
    if whole "$copy"; then echo "$copy"; return; fi
  done
}

locate() {
  found=$(archived "$1")
  echo "${found:-$(furthest "$1")}"
}
