#!/bin/sh
# What a container is: "node broker-1" waits for the configuration that the director writes, "director" is the director.
set -eu
case "$1 ${2-}" in
  "node broker-"* | "node controller-"*)
    tries=0
    until [ -e "/run/faultline/$2.json" ]; do
      sleep 0.05
      tries=$((tries + 1))
      [ "$tries" -ne 300 ] || echo "still waiting for the director: see what keeps it with docker compose logs director"
    done
    exec node --max-semi-space-size=1 --min-semi-space-size=1 /app/dist/node.cjs "/run/faultline/$2.json"
    ;;
  "director ") exec node /app/dist/director.cjs ;;
  *) exec "$@" ;;
esac
