#!/bin/bash
# Sources of randomness, shown on a vault of its own: a device's stand-in, good and broken, and pre-loaded numbers.
set -eu
bin=${QC_BIN:+$QC_BIN/}
here=$(mktemp -d "${TMPDIR:-/tmp}/qcloud-qrng-XXXXXX")
export QCLOUD_HOME=$here/home
feeder=
end()
{
    [ -z "$feeder" ] || kill -- "-$feeder"
    sleep 2 # the gateway leaves by itself
    rm -rf "$here"
}
trap end EXIT
show()
{
    echo
    echo "\$ qcloud $*"
    "${bin}qcloud" "$@" || echo "(exit $?)"
}
source_is()
{
    printf '[policy]\ndefault = %s\n[source lab]\nkind = %s\npath = %s\nidentity = stand-in no. 1\n' "$1" "$2" "$3" >"$QCLOUD_HOME/random.conf"
}
feed()
{
    [ -z "$feeder" ] || kill -- "-$feeder"
    while :; do cat "$1" >"$here/device" || :; done >/dev/null 2>&1 &
    feeder=$!
}
set -m # the feeder is a process group, so that its cat ends with it

"${bin}qcloud" -q init --local --no-passphrase --cloud "a=file://$here/a" --cloud "b=file://$here/b" --cloud "c=file://$here/c" \
    --share1 "$here/share1" --share2 "$here/share2"
sed -i 's/^idle = .*/idle = 1/' "$QCLOUD_HOME/qcloud.conf"
echo hello >"$here/file"

echo "== a device (a FIFO that a generator feeds)"
mkfifo "$here/device"
feed /dev/urandom
source_is required device "$here/device"
show rng test lab
show put "$here/file" by-device
show explain by-device

echo "== the device is stuck, and it is required; then only preferred"
feed /dev/zero
show put "$here/file" never
source_is preferred device "$here/device"
show put "$here/file" second-best
show explain second-best

echo "== numbers that were loaded before, each used once"
mkdir "$here/numbers"
head -c 2M /dev/urandom >"$here/numbers/2026-01"
chmod 600 "$here/numbers/2026-01"
source_is required file "$here/numbers"
show put "$here/file" pre-loaded
show explain pre-loaded
echo
echo "the file's first 16 bytes now, and how far it is used:"
od -A d -t x1 -N 16 "$here/numbers/2026-01"
cat "$here/numbers/2026-01.qcloud-position"
