#!/bin/sh
# Throws away what this procedure staged.
cd "$REPOSITORY/backups" 2>/dev/null || exit 0
for staged in .*.new; do
  [ ! -e "$staged/by" ] || [ "$(cat "$staged/by")" != "$BY" ] || rm -rf "$staged" || exit 1
done
