#!/bin/bash
# cli/places: full disks, read-only and unmounted directories, for clouds, stores, outputs and the gateway's own state.
# Needs mount(8), so root; says so and passes otherwise.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh" || exit 1
cd "$T" || exit 1
mkdir probe
if ! mount -t tmpfs -o size=64k tmpfs probe 2>/dev/null; then
    echo "places: SKIPPED, mounting needs root"
    exit 0
fi
umount probe

# A share store on a stick that is unplugged and one that is read-only; a cloud whose disk is full.
mkdir stick
mount -t tmpfs -o size=4m tmpfs stick
mk_vault 3 5
random_file a 3000000
expect_exit 0 put a
rm -rf share2
expect_exit 0 recover --share 2 --to "$T/stick/share2"
expect_exit 0 put a b
mount -o remount,ro stick
expect_exit 12 put a c
err_three_parts E1202
expect_exit 3 stat c
expect_exit 0 get -f b back
same a back
expect_exit 0 ls
mount -o remount,rw stick
cp -a stick/share2 saved
umount stick
expect_exit 7 put a c
err_three_parts E0702
err_has 'share 2'
expect_exit 0 get -f b back
err_has W0402
same a back
mount -t tmpfs -o size=4m tmpfs stick
cp -a saved stick/share2
expect_exit 0 put a c

# The share store's disk is full: nothing is sent, nothing is lost.
head -c 8m /dev/zero >stick/fill 2>/dev/null
expect_exit 14 put a d
err_three_parts E1401
rm stick/fill
expect_exit 3 stat d
expect_exit 0 put a d

# The output's disk is full, or may not be written: no file under the final name.
mkdir small
mount -t tmpfs -o size=1m tmpfs small
expect_exit 14 get a small/out
err_three_parts E1403
[ -z "$(ls -A small)" ] || fail "something was left on the full disk"
mount -o remount,ro small
expect_exit 12 get a small/out
umount small
expect_exit 3 get a none/out

# A cloud's disk is full, or read-only, or unmounted: degraded, with the cloud named; never written below its mount
# point.
stop_gateway
mv cloud1 cloud1.kept
mkdir cloud1
mount -t tmpfs -o size=16m tmpfs cloud1
cp -a cloud1.kept/. cloud1/
head -c 16m /dev/zero >cloud1/fill 2>/dev/null
expect_exit 4 put a e
err_three_parts E0401
err_has c1
rm cloud1/fill
mount -o remount,ro cloud1
expect_exit 4 put a f
err_has c1
expect_exit 0 get -f f back
same a back
umount -l cloud1 # as a network mount that goes away while it is in use
expect_exit 4 put a g
[ -z "$(ls -A cloud1)" ] || fail "something was written below the mount point"
expect_exit 4 status
out_has 'c1'
rmdir cloud1
mv cloud1.kept cloud1

# The gateway's own disk is full.
stop_gateway
mv "$QCLOUD_HOME/state" state.kept
mkdir "$QCLOUD_HOME/state"
mount -t tmpfs -o size=8m tmpfs "$QCLOUD_HOME/state"
cp -a state.kept/. "$QCLOUD_HOME/state/"
head -c 16m /dev/zero >"$QCLOUD_HOME/state/fill" 2>/dev/null
expect_exit 14 put a h
err_has 'next: '
rm "$QCLOUD_HOME/state/fill"
expect_exit 0 get -f g back
same a back
expect_exit 3 stat h
echo "places: every message names the place, nothing was lost"
