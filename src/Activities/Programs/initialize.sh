#!/bin/sh
# Makes the database cluster beside its place and moves it there when it is whole. Single-user mode: no network, no
# start, no password in SQL.
set -eu
cd "$VOLUME"
[ ! -d data ] || exit 0
rm -rf data.new
initdb -D data.new -U postgres --data-checksums --encoding=UTF8 --locale=C.UTF-8 \
  --auth-local=peer --auth-host=scram-sha-256
echo "include '$VOLUME/pgflow.conf'" >> data.new/postgresql.conf
postgres --single -D data.new postgres < "$JOB/roles.sql" > /tmp/roles.log 2>&1
if grep -E 'ERROR|FATAL' /tmp/roles.log; then exit 1; fi
sync
mv data.new data
