#!/bin/bash
# cli/resume: a get that was killed, interrupted, or lost its clouds goes on where it was, by the same command: what is there is verified
# and not fetched again. What was changed meanwhile, in NAME.part or in the vault, is not mixed in, and a file of the user's stays.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh" || exit 1
mkdir "$T/w" && cd "$T/w" || exit 1
if [ "${QC_FAULTS:-0}" != 1 ]; then
    echo "resume: no fault points in this build, nothing was tried"
    exit 0
fi
mk_vault 2 3
MIB=1048576
size=$((40 * MIB + 5))
random_file a $size
random_file b $size
expect_exit 0 put a
expect_exit 0 put b

# killed N [POINT]: a get of a to out is killed at its n-th write, N-1 MiB are in the part; or at a point
killed()
{
    rm -f out
    QC_FAULT=${2:-client_wrote}:kill:$1 "$QC_BIN/qcloud" get a out >/dev/null 2>"$T/err"
    [ $? = 137 ] || fail "a get was not killed at $*"
}

# again KEPT LEAST MOST [NAME]: the same command, of which so much was there; fetched is between these two, in MiB
again()
{
    local name=${4:-a}
    q get --json "$name" out || fail "get: exit $?: $(cat "$T/out")"
    same "$name" out
    [ ! -e out.part ] || fail "a part is left"
    local kept fetched
    kept=$(json_get '[x.get("kept") for x in lines if x["type"] == "item"][0]')
    fetched=$(json_get '[x["fetched"] for x in lines if x["type"] == "item"][0]')
    [ "$kept" = "$1" ] || fail "$kept bytes were kept, not $1"
    [ "$fetched" -ge $(($2 * MIB)) ] || fail "$fetched bytes were fetched, expected $2 MiB or more"
    [ "$fetched" -le $(($3 * MIB)) ] || fail "$fetched bytes were fetched, expected $3 MiB or less"
}

# At the first write, in the middle, at the last one; when all is written; when all is renamed.
killed 1
again None 40 43
killed 2
again $MIB 39 42
killed 31
again $((30 * MIB)) 10 13
killed 41
again $((40 * MIB)) 0 3
killed 1 client_part
again $size 0 2
killed 1 client_renamed
same a out
expect_exit 0 get --force a out
# Killed, gone on, killed, gone on; and said.
killed 11
QC_FAULT=client_wrote:kill:11 "$QC_BIN/qcloud" get a out >/dev/null 2>"$T/err"
[ $? = 137 ] || fail "no second kill"
err_has "going on with 'out.part': 10.0 MiB of it are verified"
again $((20 * MIB)) 20 23

# What is in the part now is not what was written: a bit, a hole, an end that is cut or has more, another's bytes.
killed 31
printf X | dd of=out.part bs=1 seek=$((7 * MIB + 99)) conv=notrunc 2>/dev/null
again $((7 * MIB)) 33 36
killed 31
fallocate -p -o $((12 * MIB)) -l 4096 out.part 2>/dev/null || dd if=/dev/zero of=out.part bs=4096 seek=$((12 * 256)) count=1 conv=notrunc 2>/dev/null
again $((12 * MIB)) 28 31
killed 31
truncate -s $((9 * MIB + 1000)) out.part
again $((9 * MIB)) 31 34
killed 31
head -c $((30 * MIB)) /dev/urandom >>out.part
again $((30 * MIB)) 10 13
killed 31
cat b >out.part
again 0 40 43
# Another name's, and another version of this one: never mixed, and said.
killed 31
again 0 40 43 b
killed 31
expect_exit 0 put b a
cp b a.new
expect_exit 0 get a out
err_has "'out.part', which an interrupted get left, is of no use for this version: begun anew"
same a.new out
[ ! -e out.part ] || fail "a part is left"
expect_exit 0 put a
# A get of a part goes on nowhere, leaves nothing that one could go on with, and what was left as it was.
killed 31
rm -f out
cp out.part part.was
expect_exit 0 get --range 0-99 a out
[ "$(stat -c %s out)" = 100 ] || fail "a part of 100 bytes has $(stat -c %s out)"
cmp -s part.was out.part || fail "a get of a part changed what one of the whole had left"
[ ! -e out.range.part ] || fail "a part is left"
rm -f out out.part part.was

# A file that is no part of ours stays as it is, whatever its name.
for make in 'cp a out.part' 'ln a out.part' 'ln -s a out.part' 'mkfifo out.part' 'mkdir out.part'; do
    rm -f out
    chmod 0644 a
    $make
    chmod 0644 out.part
    cksum a >"$T/before"
    got=0
    q get a out || got=$?
    [ $got != 0 ] || fail "$make: taken for a part"
    [ ! -e out ] || fail "$make: an output"
    cksum a | cmp - "$T/before" || fail "$make: changed"
    rm -rf out.part
done

# stopped N: a get of a large object to out stands still at its n-th write; 32 MiB may be verified by then that are not written
random_file c $((64 * MIB))
expect_exit 0 put c
stopped()
{
    rm -f out
    QC_FAULT=client_wrote:stop:"$1" "$QC_BIN/qcloud" get c out >/dev/null 2>"$T/err" &
    pid=$!
    await_stop $pid
}

# Ctrl-C: exit 130; the part stays, and is said. Two at once: the second one keeps its hands off.
stopped 18
expect_exit 11 get c out
kill -INT $pid
kill -CONT $pid
wait $pid
got=$?
[ $got = 130 ] || fail "interrupted: exit $got"
err_three_parts E13003
err_has "'out.part' stays, with "
[ "$(stat -c %s out.part)" -ge $((17 * MIB)) ] || fail "the part has $(stat -c %s out.part) bytes"
got=$(($(stat -c %s out.part) / MIB * MIB))
again "$got" 0 50 c
# Early: so little is not worth a file.
stopped 3
kill -INT $pid
kill -CONT $pid
wait $pid
[ ! -e out.part ] || [ "$(stat -c %s out.part)" -ge $((16 * MIB)) ] || fail "a small part stays"
rm -f out.part

if [ "${QC_FULL:-0}" = 1 ]; then
    # 2 GiB: what a resume saves.
    vcf=$((2048 * MIB))
    random_file big $vcf
    expect_exit 0 put big
    start=$(date +%s%N)
    expect_exit 0 get big out2
    whole=$((($(date +%s%N) - start) / 1000000))
    rm out2
    QC_FAULT=client_wrote:kill:1801 "$QC_BIN/qcloud" get big out2 >/dev/null 2>&1
    start=$(date +%s%N)
    expect_exit 0 get --json big out2
    rest=$((($(date +%s%N) - start) / 1000000))
    same big out2
    echo "resume: 2 GiB in $whole ms; killed at 1800 MiB, the rest in $rest ms, $(json_get '[x["fetched"] for x in lines if x["type"] == "item"][0]') bytes fetched"
fi
echo "resume: goes on where it was, with nothing that was not verified"
