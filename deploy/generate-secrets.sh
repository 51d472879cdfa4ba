#!/bin/sh
# Write deploy/.env for compose.yaml, with new secrets: generate-secrets.sh [FILE]
#
# A file that is there stays as it is: with other secrets, the database and every session would be lost to the server.
set -eu
umask 077
file=${1:-$(dirname "$0")/.env}
if [ -e "$file" ]; then
    echo "$file exists and is kept. Remove it yourself if nothing uses its secrets." >&2
    exit 1
fi

secret() { od -An -v -tx1 -N "$1" /dev/urandom | tr -d ' \n'; }

cat > "$file.new" <<END
SECRET_KEY=$(secret 32)
POSTGRES_PASSWORD=$(secret 24)
STORE_ACCESS_KEY=$(secret 10)
STORE_SECRET_KEY=$(secret 32)
METRICS_TOKEN=$(secret 32)
END
mv "$file.new" "$file"
echo "Wrote $file. Keep a copy in a safe place."
