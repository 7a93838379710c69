#!/bin/sh
# Writes entries into the ledger, each whole or not at all, once: $JOB/1.json under the first name of $JOB/names, and so
# on.
set -eu
mkdir -p "$REPOSITORY/ledger"
cd "$REPOSITORY/ledger"
fail() { echo "ledger: $said"; rm -f ".$file.$$"; exit 1; }
entry=0
while read -r file; do
  entry=$((entry + 1))
  if [ ! -e "$file" ]; then
    said=$(dd if="$JOB/$entry.json" of=".$file.$$" conv=fsync 2>&1) || fail
    said=$(ln ".$file.$$" "$file" 2>&1) || [ -e "$file" ] || fail
  fi
  rm -f ".$file".* # also of those that were killed; one that still writes finds the file
done < "$JOB/names"
sync . 2>/dev/null || sync
