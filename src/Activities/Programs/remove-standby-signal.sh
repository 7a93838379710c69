#!/bin/sh
# Takes the mark from a node's data with which it would start as a standby.
rm -f "$VOLUME/data/standby.signal"
