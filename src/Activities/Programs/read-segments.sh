#!/bin/sh
# Prints the files that it is given, one after the other.
for path; do cat "$path" || exit 1; done
