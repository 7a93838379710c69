# shellcheck shell=sh
# conninfo KEYWORD VALUE…: a connection string for libpq, whatever the values hold.
conninfo() {
  while [ $# -gt 0 ]; do
    printf "%s='%s' " "$1" "$(printf '%s' "$2" | sed "s/[\\\\']/\\\\&/g")"
    shift 2
  done
}

# server ADDRESS ROLE [KEYWORD VALUE]…: the conninfo of a node's server, with the password that the job was given.
server() {
  host=$1 user=$2
  shift 2
  conninfo hostaddr "$host" port 5432 user "$user" passfile "$JOB/pgpass" "$@"
}
