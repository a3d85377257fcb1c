#!/bin/bash
# cli/special_files: put of what is no file, may not be read, or changes while it is read: the exit code, the message, and
# nothing half stored; the rest of a tree is stored.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh" || exit 1
cd "$T" || exit 1

mkdir odd
mkfifo odd/pipe
/usr/bin/python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("odd/socket")'
echo text >odd/file
mkdir odd/dir
ln -s file odd/link
ln -s pipe odd/to-pipe
ln -s nowhere odd/dangling
devices='/dev/null /dev/zero'

# Each of these is refused as what it is, at once, and nothing is sent.
mk_vault 2 3
refused()
{
    expect_exit "$1" put "$2" bad
    err_three_parts "$3"
    err_has "$4"
    [ $# = 4 ] || err_has "$5"
    expect_exit 3 stat bad
}
pipe_hint='qcloud put - NAME < FILE'
refused 2 odd/pipe E0201 'is a pipe, not a regular file' "$pipe_hint"
refused 2 odd/to-pipe E0201 'is a pipe'
refused 2 odd/socket E0201 'is a socket'
for d in $devices; do
    refused 2 "$d" E0201 'is a device'
done
refused 2 odd/dir E0201 'put -r'
refused 3 odd/dangling E0302 'dangling'
refused 3 odd/none E0302 'none'
refused 5 /proc/version E0504 'a file that was empty gives bytes' "$pipe_hint"
expect_exit 0 put odd/link linked
expect_exit 0 get linked back
same odd/file back
"$QC_BIN/qcloud" put - kernel </proc/version 2>err || fail "put - of a file of the kernel"
expect_exit 0 get kernel kernel
same /proc/version kernel
(cat odd/file >odd/pipe & "$QC_BIN/qcloud" put - piped <odd/pipe 2>err) || fail "put - of a pipe"
expect_exit 0 get piped piped
same odd/file piped

# A tree: what is no file is left out, each with a warning; all files are stored. Exit 0: nothing that was asked is missing.
expect_exit 0 put -r odd tree
[ "$(grep -c W0409 "$T/err")" = 5 ] || fail "not a warning for each of pipe, socket and three links"
expect_exit 0 ls tree
[ "$(cat out)" = tree/file ] || fail "the tree holds $(cat out)"

# What may not be read. Root reads everything, unless it gives the right to do so away.
mkdir shut shut/dir
echo a >shut/a
echo secret >shut/b
echo c >shut/c
echo d >shut/dir/d
chmod 0 shut/b shut/dir
closed=("$QC_BIN/qcloud")
rights='-dac_override,-dac_read_search'
[ "$(id -u)" = 0 ] && closed=(setpriv --inh-caps=-all --bounding-set="$rights" "$QC_BIN/qcloud")
if "${closed[@]}" version >/dev/null 2>&1; then
    "${closed[@]}" put shut/b b >out 2>err
    [ $? = 12 ] || fail "put of a file that may not be read"
    err_three_parts E1202
    err_has 'shut/b'
    "${closed[@]}" put -r shut shut >out 2>err
    [ $? = 12 ] || fail "put -r of a tree with parts that may not be read"
    err_has 'shut/b'
    err_has 'shut/dir'
    expect_exit 0 ls shut
    printf '%s\n' shut/a shut/c >want
    same want out
else
    echo "special_files: rights could not be given up here, unreadable files left out"
fi
chmod 700 shut/dir

# Holes come back as zeros, at both ends and in between.
truncate -s 5000000 sparse
printf 'middle' | dd of=sparse bs=1 seek=2500000 conv=notrunc status=none
truncate -s 9000000 sparse
expect_exit 0 put sparse
expect_exit 0 get sparse sparse.back
same sparse sparse.back
truncate -s 3000000 hole
expect_exit 0 put hole
expect_exit 0 get hole hole.back
same hole hole.back

if [ "${QC_FAULTS:-0}" != 1 ]; then
    echo "special_files: no fault points in this build, files that change left out"
    exit 0
fi

# Files that change under the put, all at once: each put waits where it has opened its file and read nothing of it.
grow()
{
    head -c 100000 /dev/urandom >>"$1"
}
shrink()
{
    truncate -s 1000000 "$1"
}
rewrite()
{
    printf x | dd of="$1" bs=1 seek=100 conv=notrunc status=none
}
touch_only()
{
    touch -d '2001-01-01' "$1"
}
vanish()
{
    rm "$1"
}
replace() # another file takes its name
{
    mv "$1.new" "$1"
}
changes='grow shrink rewrite touch_only vanish replace'
for change in $changes; do
    random_file "moving.$change" 3000000
    random_file "moving.$change.new" 10
    QC_FAULT=client_shared:stop:1 "$QC_BIN/qcloud" put "moving.$change" "bad.$change" \
        >"out.$change" 2>"err.$change" &
    echo $! >"pid.$change"
done
for change in $changes; do
    await_stop "$(cat "pid.$change")"
    $change "moving.$change"
    kill -CONT "$(cat "pid.$change")"
done
for change in $changes; do
    wait "$(cat "pid.$change")"
    got=$?
    cp "err.$change" err
    [ $got = 5 ] || fail "$change: exit $got"
    err_three_parts E0504
    expect_exit 3 stat "bad.$change"
done
# One that is written to for as long as somebody likes ends the put at once, not when the writer ends.
random_file log.txt 1000000
QC_FAULT=client_shared:stop:1 "$QC_BIN/qcloud" put log.txt bad >out 2>err &
pid=$!
await_stop $pid
for _ in $(seq 1 1200); do # not for ever, should the test be killed
    head -c 1000000 /dev/zero
    sleep 0.05
done >>log.txt &
writer=$!
for _ in $(seq 1 6000); do # until it is longer than it was when it was opened
    [ "$(stat -c %s log.txt)" -gt 1000000 ] && break
    sleep 0.02
done
kill -CONT $pid
got=0
wait $pid || got=$?
kill $writer
wait $writer 2>/dev/null
[ $got = 5 ] || fail "a file without an end: exit $got"
err_three_parts E0504
err_has 'grew while it was read'
expect_exit 3 stat bad

# A file that goes away between the listing of a tree and its turn: that one is told, the others are stored.
mkdir tree2
for f in 1 2 3; do
    random_file tree2/$f 1000
done
QC_FAULT=client_shared:stop:1 "$QC_BIN/qcloud" put -r tree2 >out 2>err &
pid=$!
await_stop $pid
rm tree2/2
kill -CONT $pid
wait $pid
[ $? = 3 ] || fail "put -r of a tree that loses a file"
err_has 'tree2/2'
expect_exit 0 ls tree2
printf '%s\n' tree2/1 tree2/3 >want
same want out

# Nothing of all that is left in journals or share stores.
expect_exit 0 put odd/file last
expect_exit 0 status
grep -q unfinished out && fail "something is unfinished"
expect_exit 0 verify
echo "special_files: refused, told, or stored whole"
