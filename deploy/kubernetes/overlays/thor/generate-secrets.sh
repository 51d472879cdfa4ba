#!/bin/sh
# Write secrets.env for this overlay, with new secrets. A file that is there stays as it is.
set -eu
umask 077
file=$(dirname "$0")/secrets.env
if [ -e "$file" ]; then
    echo "$file exists and is kept. Remove it yourself if nothing uses its secrets." >&2
    exit 1
fi

secret() { od -An -v -tx1 -N "$1" /dev/urandom | tr -d ' \n'; }

password=$(secret 24)
cat > "$file.new" <<END
POSTGRES_PASSWORD=$password
DATABASE_URL=postgresql://lockleaf:$password@lockleaf-postgres:5432/lockleaf
SECRET_KEY=$(secret 32)
LOCKLEAF_METRICS__TOKEN=$(secret 32)
END
mv "$file.new" "$file"
echo "Wrote $file. Keep a copy in a safe place."
