#!/bin/sh
# What of a restore can be done while the node still runs.
set -eu
# shellcheck source=lib/begin-restore.sh
. "$JOB/lib/begin-restore.sh"
cd "$VOLUME"
begin_restore
