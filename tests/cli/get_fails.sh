#!/bin/bash
# cli/get_fails: a get whose output cannot be written, at each of its writes and at the end: exit code, message, nothing half
# written under the final name, nothing left behind, and what was there before is as it was.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh" || exit 1
cd "$T" || exit 1
mk_vault 2 3
size=2600000
random_file a $size
expect_exit 0 put a
expect_exit 0 put a dir/a
mkdir small

# nothing_left DIR NAME: neither the file nor its part.
nothing_left()
{
    [ -z "$(ls -A "$1")" ] || fail "$2: left $(ls -A "$1")"
}

# A limit of sizes instead of a disk: every user can have one, and it stops a write in its middle. At each place once.
fits=0
for limit in 0 1 4096 65536 1048575 1048576 1048577 2097152 2500000 $((size - 1)) $size; do
    prlimit --fsize="$limit" "$QC_BIN/qcloud" get a small/out 2>&1 | cat >err # not limited itself
    got=${PIPESTATUS[0]}
    if [ "$limit" -ge $size ]; then
        [ "$got" = 0 ] || fail "limit $limit: exit $got"
        same a small/out
        rm small/out
        fits=$((fits + 1))
    else
        [ "$got" = 14 ] || fail "limit $limit: exit $got, expected 14"
        err_has out.part
        grep -q '^  data: Nothing' "$T/err" || fail "limit $limit: the message says nothing of the data"
        nothing_left small "limit $limit"
    fi
done
[ $fits = 1 ] || fail "no limit was large enough"

# Standard output that is full: object bytes and listings.
"$QC_BIN/qcloud" get a - >/dev/full 2>err
[ $? = 14 ] || fail "get - to a full device"
err_three_parts E1403
"$QC_BIN/qcloud" ls >/dev/full 2>err
[ $? = 1 ] || fail "ls to a full device"
err_has 'could not be written'
# A reader that leaves early ends it without a word of signals.
"$QC_BIN/qcloud" get a - 2>err | head -c 10 >/dev/null
[ "${PIPESTATUS[0]}" = 1 ] || fail "get - into a pipe that closes: ${PIPESTATUS[0]}"

# Small disks: each size from nothing to enough, in steps below a write's.
if mount -t tmpfs -o size=64k tmpfs small 2>/dev/null; then
    umount small
    fails=0
    for pages in 1 2 40 128 200 256 257 300 400 500 512 513 600 700 900; do
        mount -t tmpfs -o size=$((pages * 4096)) tmpfs small
        got=0
        q get a small/out || got=$?
        if [ $got = 0 ]; then
            same a small/out
        else
            [ $got = 14 ] || fail "disk of $pages pages: exit $got"
            err_three_parts E1403
            nothing_left small "disk of $pages pages"
            fails=$((fails + 1))
        fi
        umount small
    done
    [ $fails -ge 12 ] || fail "only $fails disks were too small"
    # No room for one more name.
    mount -t tmpfs -o size=8m,nr_inodes=1 tmpfs small
    expect_exit 14 get a small/out
    err_three_parts E1403
    umount small
    # A file that is there stays as it is when its replacement does not fit; several files: the others come.
    mount -t tmpfs -o size=1m tmpfs small
    echo mine >small/a
    expect_exit 14 get --force a small/a
    [ "$(cat small/a)" = mine ] || fail "the old file is gone"
    expect_exit 0 put small/a tiny
    expect_exit 14 get --force a tiny small/
    [ "$(cat small/a)" = mine ] || fail "the old file is gone"
    same small/a small/tiny
    [ "$(find small -mindepth 1 -printf x | wc -c)" = 2 ] || fail "left: $(ls -A small)"
    umount small
else
    echo "get_fails: mounting needs root, small disks left out"
fi

# Targets that are no files are not replaced, by force either.
mkfifo fifo
expect_exit 2 get --force a fifo
err_three_parts E0201
[ -p fifo ] || fail "the pipe was replaced"
expect_exit 2 get --force a /dev/null
[ -c /dev/null ] || fail "/dev/null was replaced"
expect_exit 5 get a /dev/null
mkdir -p d/a
expect_exit 2 get --force a d
err_has 'is a directory'

if [ "${QC_FAULTS:-0}" != 1 ]; then
    echo "get_fails: no fault points in this build, failing ends left out"
    exit 0
fi

# The end of a get: the sync fails; the rename fails, in each way that a directory allows.
got=0
QC_FAULT=client_part:error:1 "$QC_BIN/qcloud" get a small/out >out 2>err || got=$?
[ $got = 1 ] || fail "client_part: exit $got"
err_three_parts E0103
nothing_left small client_part
# After the rename: the file is there, and whole, and the message does not deny it.
got=0
QC_FAULT=client_renamed:error:1 "$QC_BIN/qcloud" get a small/out >out 2>err || got=$?
[ $got = 1 ] || fail "client_renamed: exit $got"
err_has 'Nothing stands under the final name but a whole, verified file, if that'
same a small/out
rm small/out

# Gets that wait before their rename, all at once, each in a directory of its own; then this happens there. Exit code, and
# what is under the final name: ours, theirs, nothing, a directory.
somebody()
{
    echo theirs >"$1/out"
}
make_directory()
{
    mkdir "$1/out"
}
take_part()
{
    rm "$1/out.part"
}
move_away()
{
    mv "$1" "$1.moved"
}
cases='somebody:: somebody:--force: make_directory:--force: take_part:: move_away::'
n=0
for c in $cases; do
    n=$((n + 1))
    mkdir end$n
    IFS=: read -r what force _ <<<"$c"
    # shellcheck disable=SC2086  # no word, or one
    QC_FAULT=client_part:stop:1 "$QC_BIN/qcloud" get $force a end$n/out >out.$n 2>err.$n &
    echo $! >pid.$n
done
n=0
for c in $cases; do
    n=$((n + 1))
    await_stop "$(cat pid.$n)"
    IFS=: read -r what force _ <<<"$c"
    $what end$n
    kill -CONT "$(cat pid.$n)"
done
# ended N EXIT CODE WHAT
ended()
{
    local got=0
    wait "$(cat "pid.$1")" || got=$?
    cp "err.$1" err
    [ $got = "$2" ] || fail "$4: exit $got, expected $2"
    [ -z "$3" ] || err_three_parts "$3"
    [ ! -e "end$1/out.part" ] || fail "$4: the part is left"
}
ended 1 5 E0511 'a file that came meanwhile'
[ "$(cat end1/out)" = theirs ] || fail "their file was overwritten"
ended 2 0 '' 'the same with --force'
same a end2/out
ended 3 1 E0103 'a directory that came meanwhile'
[ -d end3/out ] || fail "the directory is gone"
ended 4 1 E0103 'a part that was taken away'
nothing_left end4 'a part that was taken away'
ended 5 0 '' 'a directory that was renamed meanwhile'
same a end5.moved/out
# Killed before the rename: nothing under the name; the next get takes the part away.
QC_FAULT=client_part:kill:1 "$QC_BIN/qcloud" get a small/out >out 2>err
[ ! -e small/out ] || fail "a killed get left a file"
[ -e small/out.part ] || fail "no part: nothing was tried"
expect_exit 0 get a small/out
same a small/out
[ ! -e small/out.part ] || fail "the part is left"
echo "get_fails: no half of anything"
