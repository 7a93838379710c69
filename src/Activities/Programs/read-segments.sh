#!/bin/sh
# Prints the files in $JOB/paths, one after the other.
while read -r path; do cat "$path" || exit 1; done < "$JOB/paths"
