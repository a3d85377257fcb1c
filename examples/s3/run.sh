#!/bin/bash
# qcloud on five real S3 endpoints: store, then one server killed, one bucket wiped and one object corrupted behind its
# server's back, all at once. Everything is read back, repaired, and verified. One command, nothing simulated.
#
#   examples/s3/run.sh [--keep]        --keep: the folder stays, with everything that was stored
#
# The endpoints are gateways of Ceph, with TLS, on 127.0.0.1 (tests/clouds); they end with this script, however it ends.
set -euo pipefail
cd "$(dirname "$0")/../.."
keep=no
case ${1-} in
--keep) keep=yes ;;
'') ;;
*)
    echo "usage: examples/s3/run.sh [--keep]" >&2
    exit 2
    ;;
esac
cities=(paris osaka quito perth accra)

# ---- how it looks ----------------------------------------------------------------------------------------
. examples/look.sh
die() {
    echo "examples/s3: $*" >&2
    exit 1
}
show() { # STATUS LINES COMMAND..: the command and its last lines, paths shortened; it must end with this status
    local want=$1 lines=$2 got=0
    shift 2
    printf '%s$ %s%s\n' "$dim" "${*//$work\//}" "$plain"
    "$@" 2>&1 | sed "s|$work/||g" | tail -n "$lines" || got=$?
    [ "$got" = "$want" ] || die "exit $got, expected $want: $*"
    [ "$want" = 0 ] || printf '%s(exit %s, as it should be)%s\n' "$dim" "$want" "$plain"
}
status() { # STATUS: what qcloud status says of the clouds
    local got=0
    printf '%s$ qcloud status%s\n' "$dim" "$plain"
    qcloud status 2>/dev/null | sed -n "s|$work/||g; /^clouds:/p; /^  /p; /^debts/p; /^budget/p" || got=$?
    [ "$got" = "$1" ] || die "status: exit $got, expected $1"
}

# ---- what is needed --------------------------------------------------------------------------------------
step "packages"
tools/setup --clouds
step "build"
mkdir -p build
if ! { cmake --preset release && cmake --build --preset release --target qc_client qc_gateway_daemon vcfgen -- \
    -j "$(nproc)"; } >build/quickstart.log 2>&1; then
    cat build/quickstart.log
    die "the build failed"
fi
PATH=$PWD/build/release/bin:$PATH
clouds=$PWD/tests/clouds/clouds
work=$(mktemp -d "${TMPDIR:-/tmp}/qcloud-s3-XXXXXX")
export QCLOUD_HOME=$work/home
began=$SECONDS

stop_gateway() { # the on-demand gateway leaves by itself after half a minute, but its folder is about to go
    local dir
    for dir in /proc/[0-9]*; do
        if { tr '\0' '\n' <"$dir/cmdline"; } 2>/dev/null | grep -qxF -- "$QCLOUD_HOME/state/gateway"; then
            kill "${dir#/proc/}" 2>/dev/null || true
        fi
    done
}
finish() {
    local code=$?
    stop_gateway
    [ ! -f "$work/s3/conf" ] || "$clouds" destroy "$work/s3"
    if [ $keep = yes ]; then echo "kept: $work"; else rm -rf "$work"; fi
    exit $code
}
trap finish EXIT

step "five S3 servers, each with its own port, region, bucket, keys and certificate"
# Their watcher reads the other end of this pipe: when this script is gone, they go.
mkfifo "$work/owner"
exec 8<>"$work/owner"
"$clouds" start "$work/s3" --count 5 --tls --owner-fd 9 9<"$work/owner" 8>&- 2>/dev/null
"$clouds" status "$work/s3"

where=()
for i in 1 2 3 4 5; do
    eval "$("$clouds" env "$work/s3" $i)"
    where+=(--cloud "${cities[i - 1]}=s3+https://localhost:$S3_TLS_PORT/$S3_BUCKET?region=$S3_REGION&ca=$S3_CA"
        --cloud-credentials "${cities[i - 1]}=$S3_CREDENTIALS")
done

# ---- store -----------------------------------------------------------------------------------------------
step "a vault: any two of the five are enough, and one of the two share stores"
printf '%s$ qcloud init --local --k 2 --share1 disk/share1 --share2 usb-stick/share2 \\%s\n' "$dim" "$plain"
for ((i = 0; i < ${#where[@]}; i += 4)); do
    printf '%s    %s %s %s %s%s\n' "$dim" "${where[@]:i:4}" "$plain" | sed "s|$work/||g"
done
qcloud init --local "${where[@]}" --k 2 --share1 "$work/disk/share1" --share2 "$work/usb-stick/share2" --no-passphrase 2>&1 |
    sed "s|$work/||g" | head -2

step "store: a variant file of half a million records, and many small ones"
mkdir -p "$work/data/notes"
vcfgen 500000 >"$work/data/variants.vcf"
for i in $(seq 1 20); do
    printf 'note %d: nobody on the clouds can read this\n' "$i" >"$work/data/notes/$i.txt"
done
show 0 2 qcloud put -r "$work/data" genomes

step "what a cloud holds now: pieces under names that say nothing"
for i in 1 2 3 4 5; do
    "$clouds" list "$work/s3" $i >"$work/list.$i"
    awk -v city="${cities[i - 1]}" '{ n++; size += $1 } END { printf "%-6s %4d objects %12d bytes\n", city, n, size }' "$work/list.$i"
done
head -3 "$work/list.1"

# ---- break -----------------------------------------------------------------------------------------------
step "three at once: a server killed, a bucket wiped, an object corrupted behind its server's back"
"$clouds" kill "$work/s3" 2
echo "osaka: the server is dead (kill -9)"
"$clouds" wipe "$work/s3" 5
echo "accra: the bucket is empty, as if the provider had lost everything"
victim=$(sort -rn "$work/list.1" | awk '$2 ~ /^f\// { print $2; exit }')
"$clouds" corrupt "$work/s3" 1 "$victim"
echo "paris: one bit of ${victim:0:20}... is flipped; size and ETag are as before"

step "everything is still there"
show 0 4 qcloud get -r genomes "$work/back"
diff -r "$work/data" "$work/back" || die "something differs"
good "all $(find "$work/data" -type f | wc -l) files are back, byte for byte"
status 4

# ---- mend ------------------------------------------------------------------------------------------------
step "osaka is back; accra may be filled again; a repair rebuilds what is missing or wrong, and reads back what it wrote"
"$clouds" restart "$work/s3" 2
show 0 9 qcloud gateway repair --deep --adopt accra
status 0

step "osaka, quito and perth die: what was rebuilt is all there is, and it is enough"
for i in 2 3 4; do "$clouds" kill "$work/s3" $i; done
rm -rf "$work/back"
show 0 4 qcloud get -r genomes "$work/back"
diff -r "$work/data" "$work/back" || die "something differs"
good "all files are back, byte for byte, from paris and accra alone"

step "one cloud more than the code bears: refused, and nothing is written"
"$clouds" kill "$work/s3" 1
show 6 9 qcloud get genomes/notes/1.txt "$work/none"
[ ! -e "$work/none" ] || die "something was written"
for i in 1 2 3 4; do "$clouds" restart "$work/s3" $i; done
show 0 1 qcloud verify
good "all five are back, and everything is verified: each of the three ways to open it was tried"

step "all of it in $((SECONDS - began)) s"
