#!/bin/sh
# Says what the repository and the nodes' volumes have of the past: a word a line, and what belongs to it.
set -u
# shellcheck source=lib/space.sh
. "$JOB/lib/space.sh"
named() { # WORD: the files named on the input, each as one line behind the word
  # shellcheck disable=SC2016 # the $0 is awk's
  tr '\n' '\0' | xargs -0 -r awk -v word="$1" '
    FNR == 1 { if (NR > 1) print ""; printf "%s ", word }
    { printf "%s", $0 }
    END { if (NR) print "" }'
}
names() { # DIRECTORY: also tens of thousands, which no command line holds
  find "$1" -mindepth 1 -maxdepth 1 2> /dev/null | sort
}
entries() { # KIND: the ledger's, in one pass
  names "$REPOSITORY/ledger" | grep -E "/[0-9]{8}T[0-9]{6}\.[0-9]{3}Z-$1-.*\.json\$"
}
present() { # FILE…: those that are there
  for file in "$@"; do [ ! -f "$file" ] || echo "$file"; done
}
echo "now $(date -u +%s.%N)"
for control in "$NODES"/*/data/global/pg_control "$NODES"/*/data.rewind/global/pg_control; do
  [ ! -f "$control" ] || echo "control $(od -An -v -tx1 -N512 "$control" | tr -d ' \n')"
done
for history in "$REPOSITORY"/timelines/*.history; do
  [ -f "$history" ] || continue
  name=${history##*/}
  echo "timeline ${name%.history}"
  grep -v -e '^#' -e '^[[:space:]]*$' "$history" | sed "s/^/history ${name%.history} /"
done
space "$REPOSITORY" "$NODES"/* | sed 's/^/space /'
entries timeline | named opened
entries restore-point | named point
present "$REPOSITORY"/backups/*/backup.json | named backup
present "$REPOSITORY"/backups/*/verified.json | named verified
for archive in "$REPOSITORY/wal" "$NODES"/*/archive; do names "$archive"; done \
  | sed -n 's|^.*/\([0-9A-F]\{24\}\)$|\1|p; s|^.*/\([0-9A-F]\{24\}\)\.tail\..*|\1|p' | sort -u > /tmp/segments
sed 's/^/segment /' /tmp/segments
# What is in no archive, with the address in its first page's header: files made in advance carry that of what they were
# before.
for wal in "$NODES"/*/data/pg_wal "$NODES"/*/data.rewind/pg_wal; do
  [ -d "$wal" ] || continue
  names "$wal" | sed -n 's|^.*/\([0-9A-F]\{24\}\)$|\1|p' | comm -23 - /tmp/segments | while read -r segment; do
    echo "unarchived $segment $(od -An -tx8 -j8 -N8 "$wal/$segment" | tr -d ' ')"
  done
done
