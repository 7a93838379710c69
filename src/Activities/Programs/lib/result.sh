# shellcheck shell=sh
# result NAME VALUE…: what the program has found, as one JSON object beside it, whole or not at all. A NAME with []
# behind it is a list: of the value's lines.
result() {
  separator='{'
  while [ $# -gt 0 ]; do
    case $1 in
      *'[]')
        printf '%s"%s":[%s]\n' "$separator" "${1%'[]'}" \
          "$(printf '%s\n' "$2" | result_text | sed -e '/^$/d' -e 's/.*/"&"/' | paste -s -d , -)"
        ;;
      *)
        printf '%s"%s":"%s"\n' "$separator" "$1" \
          "$(printf '%s\n' "$2" | result_text | awk '{ printf "%s%s", (NR > 1 ? "\\n" : ""), $0 }')"
        ;;
    esac
    separator=,
    shift 2
  done > "$JOB/result.new"
  echo '}' >> "$JOB/result.new"
  mv "$JOB/result.new" "$JOB/result.json"
}

# The lines of a text as they may stand in a JSON string.
result_text() { LC_ALL=C tr -d '\001-\010\013-\037\177' | sed -e 's/[\\"]/\\&/g' -e "s/$(printf '\t')/\\\\t/g"; }
