#!/bin/sh
# Removes what procedures left beside a node's data.
cd "$VOLUME" || exit
[ ! -d data ] || rm -rf data.old.* data.rewind data.partial* data.new data.copy pg_control.saved
