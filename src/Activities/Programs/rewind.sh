#!/bin/sh
# Rewinds under another name: whatever happens, nobody can start what is half done.
# shellcheck source=lib/conninfo.sh
. "$JOB/lib/conninfo.sh"
# shellcheck source=lib/prepare-standby.sh
. "$JOB/lib/prepare-standby.sh"
cd "$VOLUME" || exit
[ ! -e "data/.rewound-$RUN" ] || exit 0
if [ -d data ]; then
  rm -rf data.rewind # left by an earlier one that could not be used
  cp data/global/pg_control pg_control.saved
  rm -f data/standby.signal # pg_rewind ends a crashed target's recovery in single-user mode, which refuses it
  mv data data.rewind
fi
pg_controldata data.rewind > /dev/null || { echo "pg_control is damaged by an interrupted rewind"; exit 3; }
rm -f data.rewind/postmaster.pid
for link in data.rewind/pg_wal/*; do # made by fetch_wal; pg_rewind takes none for a file of the source's
  [ -L "$link" ] || continue
  if ! { cp "$link" data.rewind/segment && mv data.rewind/segment "$link"; }; then rm -f "$link"; fi
done
pg_rewind -D data.rewind --progress --restore-target-wal \
  --source-server="$(server "$PRIMARY" pgflow dbname postgres connect_timeout 5)" 2>&1
code=$?
[ $code -le 125 ] || exit $code
[ $code -eq 0 ] || exit 3
prepare_standby data.rewind
rm -f data.rewind/.rewound-*
: > "data.rewind/.rewound-$RUN"
sync
mv data.rewind data
