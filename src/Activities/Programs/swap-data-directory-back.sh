#!/bin/sh
# Puts what was set aside back in its place.
set -eu
cd "$VOLUME"
[ -d "data.old.$RUN" ] || exit 0
rm -rf data.copy
[ ! -d data ] || mv data data.copy
mv "data.old.$RUN" data
sync
