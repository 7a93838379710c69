#!/bin/sh
# archive PATH NAME: puts a WAL file into the archive. Never overwrites: the same content again is fine, another is
# refused.
# Published by link(2) from a temporary name of this node, so that a file is there whole or not at all.
set -eu
# shellcheck source=/dev/null # the node's own paths, written beside this program when the node was created
. "${0%/*}/node.env"
case $2 in
  *.history) to=$REPOSITORY/timelines ;;
  *) to=$ARCHIVE ;;
esac
name=$2
case $name in *.partial) name=$name.$NODE ;; esac # two nodes may leave a segment in its middle, one of them by mistake
# The segment in which this server's own line left a timeline: what a standby has of it ends there, and what follows in
# the file is whatever was in it before. PostgreSQL hands it over at a later checkpoint as a primary, since nobody has
# marked it as done (XLogArchiveCheckDone). Where the line leads now: ThisTimeLineID of the last checkpoint
# (pg_control.h, since 11).
case $name in *.*) ;; *)
  wal=$(dirname "$1")
  now=$(od -An -tu4 -j48 -N4 "$wal/../global/pg_control" 2> /dev/null) || now=0 # a rewind may have set it aside
  history=$(printf %08X "$((now))").history
  end=$(sed -n "s|^ *$((0x${name%????????????????}))[[:space:]]*\([0-9A-F]*/[0-9A-F]*\).*|\1|p" \
    "$wal/$history" 2> /dev/null | head -n 1)
  if [ -n "$end" ]; then
    size=$(wc -c < "$1") at=$((0x${end#*/}))
    if [ $((at % size)) -ne 0 ] && [ "${name#????????}" = "$(printf %08X%08X "0x${end%/*}" $((at / size)))" ]; then
      name=$name.partial.$NODE
    fi
  fi
  ;;
esac
mkdir -p "$to"
parts=$to/.$2.$NODE. # one of this process, and those of others; they are of no use when the file is there
if [ -e "$to/$name" ]; then
  if cmp -s "$1" "$to/$name"; then
    rm -f "$parts"*
    exit 0
  fi
  case $name in *.partial.*) exit 0 ;; esac # the new timeline's first segment has it too, and nothing reads it
  echo "archive: $2 is in the archive already with another content: refused" >&2
  exit 1
fi
part=$parts$$
trap 'rm -f "$part"' EXIT
fail() { echo "archive: $said" >&2; exit 1; }
said=$(dd if="$1" of="$part" bs=1048576 conv=fsync 2>&1) || fail
said=$(ln "$part" "$to/$name" 2>&1) || cmp -s "$1" "$to/$name" || fail
rm -f "$parts"* # of those that were killed; one that still copies finds the file
sync "$to" 2>/dev/null || sync
