#!/bin/bash
# Sources of randomness, shown on a vault of its own: a device's stand-in, good and broken, and pre-loaded numbers.
set -eu
# shellcheck source=examples/look.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../look.sh"
bin=${QC_BIN:+$QC_BIN/}
here=$(mktemp -d "${TMPDIR:-/tmp}/qcloud-qrng-XXXXXX")
export QCLOUD_HOME=$here/home
feeder=
unfeed()
{
    [ -n "$feeder" ] || return 0
    kill -- "-$feeder"
    wait "$feeder" 2>/dev/null || :
    feeder=
}
# The on-demand gateway leaves by itself after half a minute, but its folder is about to go.
stop_gateway()
{
    local dir pid
    for dir in /proc/[0-9]*; do
        pid=${dir#/proc/}
        { tr '\0' '\n' <"$dir/cmdline"; } 2>/dev/null | grep -qxF -- "$QCLOUD_HOME/state/gateway" || continue
        kill "$pid" 2>/dev/null || continue
        while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
    done
}
end()
{
    unfeed
    stop_gateway
    rm -rf "$here"
}
trap end EXIT
show()
{
    printf '\n$ qcloud %s\n' "$*"
    "${bin}qcloud" "$@" 2>&1 || echo "(exit $?)"
}
source_is() # POLICY NAME KIND PATH
{
    printf '[policy]\ndefault = %s\n[source %s]\nkind = %s\npath = %s\nidentity = stand-in no. 1\n' "$@" >"$QCLOUD_HOME/random.conf"
}
feed()
{
    unfeed
    # <> holds both ends: the generator goes on when qcloud has enough, and waits while nobody reads.
    cat "$1" 1<>"$here/device" &
    feeder=$!
}
set -m # the feeder is a process group: a shell that is ended ends it

"${bin}qcloud" -q init --local --no-passphrase --cloud "a=file://$here/a" --cloud "b=file://$here/b" --cloud "c=file://$here/c" \
    --share1 "$here/share1" --share2 "$here/share2"
echo hello >"$here/file"

step "a device (a FIFO that a generator feeds)"
mkfifo -m 600 "$here/device"
feed /dev/urandom
source_is required lab device "$here/device"
show rng test lab
show put "$here/file" by-device
show explain by-device

step "the device is stuck, and it is required; then only preferred"
unfeed
rm "$here/device" # with what the good generator had ready in it
mkfifo -m 600 "$here/device"
feed /dev/zero
show put "$here/file" never
source_is preferred lab device "$here/device"
show put "$here/file" second-best
show explain second-best

step "numbers that were loaded before, each used once"
mkdir "$here/numbers"
head -c 2M /dev/urandom >"$here/numbers/2026-01"
chmod 600 "$here/numbers/2026-01"
source_is required loaded file "$here/numbers"
show put "$here/file" pre-loaded
show explain pre-loaded
printf '\nthe first 16 bytes of the file now, and how far it is used:\n'
od -A d -t x1 -N 16 "$here/numbers/2026-01"
cat "$here/numbers/2026-01.qcloud-position"
