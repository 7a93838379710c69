#!/bin/sh
# Raises the settings of a node whose recovery stopped for want of them.
set -eu
# shellcheck source=lib/raise-settings.sh
. "$JOB/lib/raise-settings.sh"
# shellcheck source=lib/result.sh
. "$JOB/lib/result.sh"
raised=$(raise_settings "$VOLUME/data")
result 'raised[]' "$raised"
