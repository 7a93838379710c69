#!/bin/sh
# Keeps what complete segments hold in short: $JOB/digests has a segment and its digest on each line.
# Where there is no room for it, those are read again the next time.
mkdir -p "$REPOSITORY/index"
host=$(cat /etc/hostname)
while read -r segment digest; do
  new=$REPOSITORY/index/.$segment.$host
  if ! { echo "$digest" > "$new" && mv "$new" "$REPOSITORY/index/$segment"; }; then rm -f "$new"; break; fi
done < "$JOB/digests"
exit 0
