#!/bin/bash
# cli/places_matrix: a share store, a cloud, and the gateway's state, each on a full disk, read-only, and unmounted, for put,
# get, rm and recover: the exit code, the place in the message, and afterwards all that was acknowledged. QC_FULL=1: all of
# these; else every other one, by QC_SEED.
# Needs mount(8), so root; says so and passes otherwise.
# shellcheck source=tests/cli/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"
cd "$T" || exit 1
mkdir probe
if ! mount -t tmpfs -o size=64k tmpfs probe 2>/dev/null; then
    echo "places_matrix: SKIPPED, mounting needs root"
    exit 0
fi
umount probe

mk_vault 3 5
random_file a 300000
expect_exit 0 put a base
state=home/state/gateway

# spoil PLACE full|ro|gone: its contents move to a small disk of their own, and that goes wrong.
spoil()
{
    stop_gateway
    mv "$1" "$1.kept"
    mkdir -m 700 "$1"
    mount -t tmpfs -o size=8m,mode=700 tmpfs "$1"
    cp -a "$1.kept/." "$1/"
    case $2 in
        full) head -c 16m /dev/zero >"$1/fill" 2>/dev/null ;;
        ro) mount -o remount,ro "$1" ;;
        gone) umount "$1" ;;
    esac
}

# mend PLACE full|ro|gone: as it was, with what was written meanwhile.
mend()
{
    stop_gateway
    if [ "$2" = gone ]; then
        [ -z "$(ls -A "$1")" ] || fail "$1: written below its mount point: $(ls -A "$1")"
    else
        mount -o remount,rw "$1"
        rm -f "$1/fill"
        rm -rf "$1.kept"
        cp -a "$1" "$1.kept"
        umount "$1"
    fi
    rmdir "$1"
    mv "$1.kept" "$1"
}

# after CODE NAME CONTENT_BEFORE CONTENT_AFTER: what the operation that ended so has left; "-" is nothing.
after()
{
    local want=$3
    case $1 in 0 | 4) want=$4 ;; esac
    if [ "$want" = - ]; then
        expect_exit 3 stat "$2"
    else
        expect_exit 0 get -f "$2" back
        same "$want" back
    fi
    expect_exit 0 get -f base back
    same a back
}

# row PLACE HOW TEXT PUT GET RM RECOVER: the exit codes; TEXT stands in the message wherever the code is not 0.
n=0 turn=0 seed=${QC_SEED:-$RANDOM}
echo "places_matrix: QC_SEED=$seed"
row()
{
    local place=$1 how=$2 text=$3 op code
    shift 3
    for op in put get rm recover; do
        code=$1
        shift
        [ "$code" = x ] && continue
        turn=$((turn + 1))
        [ -n "${QC_FULL-}" ] || [ $(((turn + seed) % 2)) = 0 ] || continue
        n=$((n + 1))
        expect_exit 0 put a "old$n"
        if [ $op = recover ]; then
            stop_gateway
            mv share1 share1.kept
        fi
        spoil "$place" "$how"
        case $op in
            put) expect_exit "$code" put a "new$n" ;;
            get) expect_exit "$code" get -f "old$n" back ;;
            rm) expect_exit "$code" rm "old$n" ;;
            recover) expect_exit "$code" recover --share 1 --to "$T/share1" ;;
        esac
        if [ "$code" != 0 ]; then
            [ "$op$code" = rm4 ] || err_has "$text"
            err_has 'data: '
            [ $op = put ] && [ "$code" != 4 ] && err_has 'next: '
        fi
        mend "$place" "$how"
        if [ $op = recover ]; then
            if [ "$code" = 0 ]; then
                rm -rf share1.kept
            else
                [ ! -e share1 ] || rm -r share1
                mv share1.kept share1
            fi
        fi
        case $op in
            put) after "$code" "new$n" - a ;;
            rm) after "$code" "old$n" a - ;;
            *) after "$code" "old$n" a a ;;
        esac
    done
    expect_exit 0 verify
}

row share2 full "share2" 14 0 0 14
row share2 ro "share2" 12 0 0 x
row share2 gone "share2" 7 0 0 x
row cloud1 full "c1" 4 0 4 0
row cloud1 ro "c1" 4 0 4 0
row cloud1 gone "c1" 4 0 4 0
row $state full "state/gateway" 14 14 14 14
row $state ro "state/gateway" 12 12 12 12
row $state gone "state/gateway" 10 10 10 10

# The place that recover writes to.
for how in full ro; do
    stop_gateway
    mv share1 share1.kept
    mkdir stick
    mount -t tmpfs -o size=64k,mode=700 tmpfs stick
    case $how in
        full) head -c 1m /dev/zero >stick/fill 2>/dev/null ;;
        ro) mount -o remount,ro stick ;;
    esac
    case $how in full) code=14 ;; ro) code=12 ;; esac
    expect_exit "$code" recover --share 1 --to "$T/stick/one"
    err_has stick
    umount stick
    rm -rf stick
    mv share1.kept share1
    after 0 base a a
done
echo "places_matrix: $n operations on places that failed, nothing was lost"
