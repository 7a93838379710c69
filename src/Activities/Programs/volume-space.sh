#!/bin/sh
# Its result is how much room the volumes have that it sees.
# shellcheck source=lib/result.sh
. "$JOB/lib/result.sh"
# shellcheck source=lib/space.sh
. "$JOB/lib/space.sh"
result 'spaces[]' "$(space "$NODES"/*)"
