# shellcheck shell=sh
# space PLACE…: a line a volume with its place, and the kilobytes that are free there and that it has.
space() {
  df -Pk "$@" 2> /dev/null | awk 'NR > 1 { print $NF, $(NF - 2), $(NF - 4) }'
}
