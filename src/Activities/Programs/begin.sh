#!/bin/sh
# Writes the programs in $PROGRAMS, each below a line with its name, and becomes the one it is called by. They come with
# the container, since to put files into it takes a fifth of what it takes to run.
mkdir -p "$JOB/lib"
printf '%s' "$PROGRAMS" | while IFS= read -r line; do
  case $line in
    '#= '*) exec > "$JOB/${line#'#= '}" ;;
    *) printf '%s\n' "$line" ;;
  esac
done
unset PROGRAMS
exec /bin/sh "$JOB/$0.sh"
