#!/bin/sh
# Writes entries into the ledger, each whole or not at all, once: $JOB/1.json under the first name of $JOB/names, and so on.
set -eu
mkdir -p "$REPOSITORY/ledger"
cd "$REPOSITORY/ledger"
fail() { echo "ledger: $said"; rm -f ".$file.$$"; exit 1; }
entry=0
while read -r file; do
  entry=$((entry + 1))
  rm -f ".$file".* # of one that was killed
  [ ! -e "$file" ] || continue
  said=$(dd if="$JOB/$entry.json" of=".$file.$$" conv=fsync 2>&1) || fail
  said=$(ln ".$file.$$" "$file" 2>&1) || [ -e "$file" ] || fail
  rm -f ".$file.$$"
done < "$JOB/names"
sync . 2>/dev/null || sync
