#!/bin/sh
# Its result is what pg_control of the node says, and the histories of its timelines. A directory that a rewind has
# under its hands counts as one that crashed.
set -eu
# shellcheck source=lib/control.sh
. "$JOB/lib/control.sh"
# shellcheck source=lib/result.sh
. "$JOB/lib/result.sh"
cd "$VOLUME"
if [ -f data/global/pg_control ]; then data=data; else data=data.rewind; fi
control "$data" > /tmp/control # nothing: then it is of no cluster
field() { sed -n "s/^$1: *//p" /tmp/control; }
state=$(field 'Database cluster state') signal=no
[ $data = data ] || state='in production'
[ $data != data ] || [ ! -e data/standby.signal ] || signal=yes
timeline=$(field "Latest checkpoint's TimeLineID") replayed=$(field "Min recovery ending loc's timeline")
timeline=${timeline:-0} replayed=${replayed:-0}
history() { # TIMELINE: its history's lines
  history=$data/pg_wal/$(printf %08X.history "$1")
  [ ! -e "$history" ] || cat "$history"
}
result systemIdentifier "$(field 'Database system identifier')" state "$state" standbySignal "$signal" \
  minimumRecoveryEnd "$(field 'Minimum recovery ending location')" \
  minimumRecoveryTimeline "$replayed" minimumRecoveryHistory "$(history "$replayed")" \
  checkpoint "$(field 'Latest checkpoint location')" timeline "$timeline" history "$(history "$timeline")" \
  checksums "$(field 'Data page checksum version')" walLogHints "$(field 'wal_log_hints setting')"
