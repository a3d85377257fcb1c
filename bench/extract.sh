#!/bin/bash
# extract.sh BENCH_EXTRACT QCLOUD: a thousand blocks of FIPS 140-2 from each conditioner, and from the source that they had.
set -u
home=$(mktemp -d "${TMPDIR:-/tmp}/qc-extract-XXXXXX")
export QCLOUD_HOME=$home
trap 'rm -rf "$home"' EXIT
for kind in raw hmac toeplitz; do
    "$1" "$kind" 2600000 >"$home/$kind" || exit 1
    "$2" rng test --sample "$home/$kind" --battery rngtest >"$home/out"
    code=$?
    grep -E 'successes|failures' "$home/out"
    want=$([ "$kind" = raw ] && echo 13 || echo 0)
    [ "$code" = "$want" ] || { echo "$kind: exit $code, expected $want"; exit 1; }
done
