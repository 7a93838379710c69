# shellcheck shell=sh
# carry_settings FROM TO: what is no data goes along: the settings, and whatever they refer to within the directory. A
# backup may be older than its TLS files and includes.
carry_settings() {
  logs=$(postgres -D "$1" -C log_directory 2> /dev/null) || logs=log
  (
    cd "$1" || exit
    find . \( -path ./base -o -path ./global -o -path './pg_*' -type d -o -path "./$logs" \) -prune \
      -o \( -type f -o -type l \) -size -2048 \
      ! -name PG_VERSION ! -name 'postmaster.*' ! -name '*.signal' ! -name 'backup_*' ! -name 'tablespace_map*' \
      ! -name current_logfiles ! -name '.copied-*' ! -name '.rewound-*' -print
  ) | while read -r file; do
    mkdir -p "$2/${file%/*}"
    cp -pP "$1/$file" "$2/$file"
  done
}
