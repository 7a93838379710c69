#!/bin/sh
# Completes what was begun; the last rename says that all is there. The file .copied-$RUN has which settings were
# raised.
set -eu
# shellcheck source=lib/begin-restore.sh
. "$JOB/lib/begin-restore.sh"
# shellcheck source=lib/prepare-standby.sh
. "$JOB/lib/prepare-standby.sh"
# shellcheck source=lib/carry-settings.sh
. "$JOB/lib/carry-settings.sh"
# shellcheck source=lib/raise-settings.sh
. "$JOB/lib/raise-settings.sh"
cd "$VOLUME"
for restored in data.copy data; do
  [ ! -e "$restored/.copied-$RUN" ] || exit 0
done
# A replay would write into the very directories that today's data still needs.
[ -z "$(ls -A data/pg_tblspc 2>/dev/null)" ] || {
  echo "the node's data has tablespaces outside of it, which a recovery could overwrite"
  exit 3
}
rm -rf data.copy
begin_restore
# Until the sync below a power cut could keep the marks of WAL and lose the WAL: then all begins anew.
rm data.partial/.begun
fetch_wal data.partial/pg_wal locate
prepare_standby data.partial
chmod 0700 data.partial
if [ -d data ]; then
  carry_settings data data.partial
  prepare_standby data.partial
  postgres -D data.partial -C max_connections > /dev/null 2> /tmp/problem || {
    echo "the node could not start with its settings of today: $(cat /tmp/problem)"
    exit 3
  }
fi
raise_settings data.partial "$NODES"/*/data > /tmp/raised
cp /tmp/raised "data.partial/.copied-$RUN"
sync
mv data.partial data.copy
sync . 2>/dev/null || sync
cat /tmp/raised
