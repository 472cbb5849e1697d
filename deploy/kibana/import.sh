#!/bin/sh
# Puts all of this into a Kibana: its space, the saved objects, the alerting rules (disabled until you enable them).
#
#   KIBANA_API_KEY=… deploy/kibana/import.sh https://kibana.example:5601
#
# Or as a user: KIBANA_USER=… KIBANA_PASSWORD=…. Running it again brings everything back to what stands here. Without
# either it asks as nobody, for clusters without security.
set -eu
kibana=${1:?give the address of Kibana, such as http://127.0.0.1:5601}
here=$(dirname "$0")

ask() { # what is shown comes from standard input, so that it is in no list of processes
  if [ -n "${KIBANA_API_KEY:-}" ]; then
    printf 'header = "Authorization: ApiKey %s"\n' "$KIBANA_API_KEY" | curl --config - "$@"
  elif [ -n "${KIBANA_USER:-}" ]; then
    printf 'user = "%s:%s"\n' "$KIBANA_USER" "$KIBANA_PASSWORD" | curl --config - "$@"
  else
    curl "$@"
  fi
}
send() { ask -sS --fail-with-body -o /dev/null -H 'kbn-xsrf: slmtrail' "$@"; }

send -X PUT "$kibana/api/spaces/space/slmtrail" -H 'content-type: application/json' -d "@$here/space.json" ||
  send -X POST "$kibana/api/spaces/space" -H 'content-type: application/json' -d "@$here/space.json"
send -X POST "$kibana/s/slmtrail/api/saved_objects/_import?overwrite=true" -F "file=@$here/slmtrail.ndjson"
for rule in "$here"/rules/*.json; do
  name=$(basename "$rule" .json)
  send -X DELETE "$kibana/s/slmtrail/api/alerting/rule/slmtrail-$name" || true
  send -X POST "$kibana/s/slmtrail/api/alerting/rule/slmtrail-$name" -H 'content-type: application/json' -d "@$rule"
done
echo "open $kibana/s/slmtrail/app/dashboards"
