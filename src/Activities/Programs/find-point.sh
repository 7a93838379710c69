#!/bin/sh
# Its result is what the ledger has of the restore point $NAME.
set -eu
# shellcheck source=lib/result.sh
. "$JOB/lib/result.sh"
for entry in "$REPOSITORY"/ledger/????????T??????.???Z-restore-point-"$NAME".json; do
  [ ! -f "$entry" ] || { result point "$(cat "$entry")"; exit; }
done
result point ''
