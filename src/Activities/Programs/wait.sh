#!/bin/sh
# Waits for programs that are run beside it.
exec sleep 86400
