#!/bin/sh
# Ends the processes that hold connections to PostgreSQL which did not come over the internal network ($INTERNAL, as the
# kernel writes it): those that never logged in, which SQL does not know. Never the postmaster, which holds each for a
# moment before it forks.
set -eu
read -r postmaster < "$PGDATA/postmaster.pid"
inodes=' '
while read -r _ local _ state _ _ _ _ _ inode _; do
  case $local in
    "$INTERNAL:1538" | 0100007F:1538) ;;
    *:1538) [ "$state" != 01 ] || inodes="$inodes$inode " ;;
  esac
done < /proc/net/tcp

# shellcheck disable=SC2012 # one process for all links: find would need -printf, which busybox lacks; names are numbers
ls -l /proc/[0-9]*/fd 2>/dev/null | while read -r first rest; do
  case $first in
    /proc/*) process=${first#/proc/} process=${process%%/*} ;;
    *)
      case $rest in *' -> socket:['*) ;; *) continue ;; esac
      inode=${rest##*' -> socket:['}
      case $inodes in *" ${inode%]} "*)
        [ "$process" = "$postmaster" ] || kill -TERM "$process" 2>/dev/null || true
        ;;
      esac
      ;;
  esac
done
