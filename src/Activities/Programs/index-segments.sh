#!/bin/sh
# Keeps what complete segments hold in short: each argument has a segment and its digest.
# Where there is no room for it, those are read again the next time.
mkdir -p "$REPOSITORY/index"
host=$(cat /etc/hostname)
for entry; do
  segment=${entry%% *} digest=${entry#* }
  new=$REPOSITORY/index/.$segment.$host
  if ! { echo "$digest" > "$new" && mv "$new" "$REPOSITORY/index/$segment"; }; then rm -f "$new"; break; fi
done
exit 0
