#!/bin/sh
# restore NAME PATH: gets a WAL file from the archive. 1: it is not there. Above 125: trouble, which must not be taken
# for the end of the WAL.
[ -r "${0%/*}/node.env" ] || exit 255
# shellcheck source=/dev/null # the node's own paths, written beside this program when the node was created
. "${0%/*}/node.env"
case $1 in
  *.history) from=$REPOSITORY/timelines ;;
  *) from=$ARCHIVE ;;
esac
[ -d "$REPOSITORY/timelines" ] || exit 255
[ -f "$from/$1" ] || exit 1
# An ancestor's file of the segment in which the branch left it may hold what was written there past the fork, and
# recovery would replay that.
if [ "${#1}" -eq 24 ]; then
  branch=$(sed -n "s/^recovery_target_timeline = '\([0-9]*\)'.*/\1/p" "$VOLUME/pgflow.conf" 2>/dev/null)
  history=$(printf %08X "${branch:-0}").history
  fork=$(cat "pg_wal/$history" "$REPOSITORY/timelines/$history" 2>/dev/null \
    | sed -n "s|^ *$((0x${1%????????????????}))[[:space:]]*\([0-9A-F]*/[0-9A-F]*\).*|\1|p" | head -n 1)
  if [ -n "$fork" ]; then
    size=$(wc -c < "$from/$1")
    first=$(printf %08X%08X "0x${fork%/*}" $((0x${fork#*/} / size)))
    # shellcheck disable=SC3012 # dash, bash and busybox have \< for texts, and POSIX.1-2024 too
    [ "${1#????????}" \< "$first" ] || exit 1
  fi
fi
cp "$from/$1" "$2" || exit 255
