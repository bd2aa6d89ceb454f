#!/bin/sh
# Make the secrets of docker-compose.yml, each a file in secrets/. Those that exist stay as they are.
set -eu
cd "$(dirname "$0")/.."
mkdir -p secrets
chmod 700 secrets
for name in redis-password influxdb-password influxdb-token grafana-password; do
  if [ ! -s "secrets/$name" ]; then
    head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' > "secrets/$name"
    # Read in the containers by users of their own; on this machine the folder keeps others out.
    chmod 644 "secrets/$name"
    echo "made secrets/$name"
  fi
done
