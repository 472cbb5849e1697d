#!/bin/sh
# Starts the broker of docker-compose.yml. Before the first time it makes its data folder, with the users that
# `slmtrail setup secrets` has made passwords for.
set -eu
here=$(dirname "$0")
kafka=${KAFKA:-/opt/kafka}
data=$(sed -n 's/^log\.dirs=//p' "$here/server.properties")

if [ ! -e "$data/meta.properties" ]; then
  set --
  for file in /secrets/users/*; do
    set -- "$@" --add-scram "SCRAM-SHA-512=[name=$(basename "$file"),password=$(cat "$file")]"
  done
  "$kafka/bin/kafka-storage.sh" format --cluster-id "$("$kafka/bin/kafka-storage.sh" random-uuid)" \
    --config "$here/server.properties" "$@"
fi
exec "$kafka/bin/kafka-server-start.sh" "$here/server.properties"
