#!/bin/sh
# Puts the segments into a node's own WAL.
set -eu
# shellcheck source=lib/fetch-wal.sh
. "$JOB/lib/fetch-wal.sh"
fetch_wal "$VOLUME/data/pg_wal" locate
