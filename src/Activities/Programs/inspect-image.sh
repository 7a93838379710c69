#!/bin/sh
# Its result is where the image has PostgreSQL, and who its user postgres is.
# shellcheck source=lib/result.sh
. "$JOB/lib/result.sh"
for postgres in /usr/lib/postgresql/*/bin/postgres /usr/local/bin/postgres /usr/bin/postgres \
  "$(command -v postgres)"; do
  [ -x "$postgres" ] || continue
  version=$("$postgres" --version)
  version=${version##*PostgreSQL) }
  minor=${version#"${version%%[!0-9]*}".}
  [ "$minor" != "$version" ] || minor=
  result bin "${postgres%/postgres}" major "${version%%[!0-9]*}" minor "${minor%%[!0-9]*}" \
    uid "$(id -u postgres)" gid "$(id -g postgres)"
  exit
done
result bin '' major '' minor '' uid '' gid ''
