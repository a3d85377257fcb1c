#!/bin/bash
# cli/versions: docs/versions.md as it stands; then what it promises: each version with a share store and n-k clouds
# away, by number, id and time; restore; the trash; what does not exist is refused by name.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh" || exit 1
: "${QC_SOURCE:?the source tree}"
cd "$T" || exit 1
mk_vault 3 5
export PATH=$QC_BIN:$PATH

# The page: what stands between ```sh and ``` is run.
# shellcheck disable=SC2016
sed -n '/^```sh$/,/^```$/p' "$QC_SOURCE/docs/versions.md" | grep -v '^```' >page.sh
[ "$(grep -c '^qcloud ' page.sh)" -gt 10 ] || fail "docs/versions.md has no commands"
echo draft >draft.txt
echo final >final.txt
bash -eu page.sh >page.out 2>page.err || fail "docs/versions.md: $(cat page.err)"
same draft.txt old.txt
same final.txt now.txt
same final.txt back.txt
expect_exit 0 get report.txt again.txt
same draft.txt again.txt
expect_exit 0 versions report.txt
[ "$(sed 's/ .*//' out | tr '\n' ' ')" = 'v5 v3 ' ] || fail "versions: $(cat out)"
[ "$(grep -c 'removed$' out)" = 1 ] || fail "versions beneath the removal: $(cat out)"
grep -q '^v5 .*current$' out || fail "the current one: $(cat out)"

# Three versions: each by itself, whole, also with as much away as may be.
random_file 1 1500000
random_file 2 70000
random_file 3 900
for i in 1 2 3; do
    expect_exit 0 put "$i" dir/x
done
expect_exit 0 --json versions dir/x
json_ok
ids=$(json_get '" ".join(j["version"] for j in lines if j["type"] == "item")')
[ "$(json_get '[(j["number"], j["size"], j["current"]) for j in lines if j["type"] == "item"]')" = \
    '[(3, 900, True), (2, 70000, False), (1, 1500000, False)]' ] || fail "versions --json: $(cat out)"
sealed=$(json_get '[j["sealed"] for j in lines if j["type"] == "item"][0]')
expect_exit 0 get --at "$sealed" dir/x at
same 3 at
lose_share 1
lose_cloud 2
lose_cloud 4
n=3
for id in $ids; do
    expect_exit 0 get --version "$id" dir/x "by-id-$n"
    same "$n" "by-id-$n"
    expect_exit 0 get --version "v$n" dir/x -
    same "$n" out
    n=$((n - 1))
done
expect_exit 0 versions dir/x
[ "$(wc -l <out)" = 3 ] || fail "with a share and two clouds away: $(cat out)"
lose_cloud 5
expect_exit 6 versions dir/x
[ "$(wc -l <out)" = 3 ] || fail "what cannot be opened is not listed: $(cat out)"
err_three_parts E0601
bring_cloud 5
bring_cloud 4
bring_cloud 2
bring_share 1

# What does not exist, and what makes no sense.
expect_exit 3 get --version 4 dir/x none
err_three_parts E0308
err_has 'there are v3, v2, v1'
[ ! -e none ] || fail "a file came out of nothing"
expect_exit 3 stat --version 4 dir/x
expect_exit 3 versions nothing
expect_exit 3 get --at 2001-01-01T00:00:00Z dir/x none
err_has 'no version was stored by that time'
expect_exit 2 get --version 0 dir/x none
expect_exit 2 get --version 1 --at 2001-01-01T00:00:00Z dir/x none
expect_exit 2 get --at 2001-02-31T00:00:00Z dir/x none
expect_exit 2 get --version 1 dir/x report.txt into/
expect_exit 2 get -r --version 1 dir into
expect_exit 2 get --version 1 --profile xor23 dir/x none
expect_exit 0 stat --version 1 dir/x
out_has '(1500000 bytes)'
out_has 'by the clock of the machine that stored it'

# Restore, and the trash.
expect_exit 0 versions --restore 1 dir/x
err_has "stored 'dir/x' v4"
err_has 'sealed anew'
expect_exit 0 get -f dir/x at
same 1 at
expect_exit 0 versions --restore 4 dir/x
err_has 'the newest version already'
expect_exit 3 versions --restore 9 dir/x
err_three_parts E0308
expect_exit 0 rm dir/x report.txt
expect_exit 0 trash ls dir
out_has 'v4'
[ "$(wc -l <out)" = 1 ] || fail "trash ls: $(cat out)"
expect_exit 3 get dir/x none
expect_exit 0 get --version 2 dir/x beneath
same 2 beneath
expect_exit 3 get --at "$(date -u +%Y-%m-%dT%H:%M:%SZ)" dir/x none
err_has 'it was removed by that time'
lose_share 2 # the other store knows it, too
expect_exit 0 trash ls
out_has 'v4'
expect_exit 7 trash restore dir/x
bring_share 2
expect_exit 0 trash restore dir/x report.txt
expect_exit 0 get -f dir/x at
same 1 at
expect_exit 0 trash ls
is_empty out
expect_exit 3 trash restore dir/x
err_has 'it is not in the trash'
expect_exit 0 ls --versions
[ "$(grep -c 'dir/x$' out)" = 5 ] || fail "ls --versions: $(cat out)"
expect_exit 0 verify

# Purging. What no rule keeps goes: a look first, then for good, and everything else is as before.
fragments()
{
    find "$T"/cloud?/f -type f | wc -l
}
swept() # NUMBER: so many fragments are left, once housekeeping has been there
{
    local i
    for ((i = 0; i < 300; i++)); do
        [ "$(fragments)" = "$1" ] && return
        sleep 0.1
    done
    fail "$(fragments) fragments, not $1"
}
for i in 1 2 3; do
    random_file "p$i" $((i * 1000))
    expect_exit 0 put "p$i" old/x
done
expect_exit 0 put p1 old/y
for ((i = 0; i < 300; i++)); do # what the page has purged is on its way out
    expect_exit 0 gateway status --json
    grep -q '"dead_segments": *0[,}]' out && break
    sleep 0.1
done
before=$(fragments)
expect_exit 2 prune
err_has 'no rule says'
expect_exit 2 prune --keep-last 2x old
expect_exit 2 prune --keep-within 3 old
expect_exit 2 prune --keep-last 1 old
err_has 'nobody can be asked'
expect_exit 2 trash empty
err_three_parts E0201
expect_exit 0 prune --keep-last 1 --dry-run old
[ "$(grep -c '^would go' out)" = 2 ] || fail "prune --dry-run: $(cat out)"
expect_exit 0 versions old/x
[ "$(wc -l <out)" = 3 ] || fail "a look purges: $(cat out)"
id=$(sed -n 's/^v1 .*budget [0-9]* *\([0-9a-f]*\).*/\1/p' out)
[ ${#id} = 32 ] || fail "no id of v1 in $(cat out)"
lose_share 2
expect_exit 7 prune --keep-last 2 --yes old
err_three_parts E0707
bring_share 2
expect_exit 0 --json prune --keep-last 2 --yes old
json_ok
[ "$(json_get '[(j["name"], j["number"], j["size"], j["purged"]) for j in lines if j["type"] == "item"]')" = \
    "[('old/x', 1, 1000, True)]" ] || fail "prune --json: $(cat out)"
expect_exit 0 versions old/x
[ "$(sed 's/ .*//' out | tr '\n' ' ')" = 'v3 v2 ' ] || fail "after prune: $(cat out)"
err_lacks W0423
expect_exit 3 get --version "$id" old/x none
expect_exit 3 get --version 1 old/x none
expect_exit 0 get -f --version 2 old/x beneath
same p2 beneath
swept $((before - 5))
expect_exit 0 prune --keep-last 2 --yes old
is_empty out

# Killed at any step: the next one goes on where it was.
if [ "${QC_FAULTS:-0}" = 1 ]; then
    for point in client_retired client_purged client_destroyed1; do
        expect_exit 0 put p1 old/x
        got=0
        QC_FAULT=$point:kill:1 "$QC_BIN/qcloud" prune --keep-last 2 --yes old >out 2>err || got=$?
        [ "$got" = 137 ] || fail "$point: exit $got: $(cat err)"
        expect_exit 0 versions old/x
        [ "$(wc -l <out)" = 2 ] || fail "$point: $(cat out)"
        expect_exit 0 prune --keep-last 2 --yes old
        err_has 'an earlier run was cut off'
        expect_exit 0 versions old/x
        [ "$(wc -l <out)" = 2 ] || fail "$point, then prune: $(cat out)"
        swept $((before - 5))
    done
fi

# The trash: by age, then all of it; a rebuild from the clouds brings nothing of it back; the name can be had again.
expect_exit 0 rm old/x
expect_exit 0 trash empty --older-than 1h --yes old
is_empty out
expect_exit 0 trash empty --dry-run old
[ "$(grep -c '^would go' out)" = 2 ] || fail "trash empty --dry-run: $(cat out)"
expect_exit 0 trash empty --yes old
[ "$(grep -c '^purged' out)" = 2 ] || fail "trash empty: $(cat out)"
expect_exit 0 trash ls old
is_empty out
expect_exit 0 versions old/x
is_empty out
expect_exit 3 trash restore old/x
swept $((before - 15))
stop_gateway
rm -r "$QCLOUD_HOME/state/gateway" || fail "the gateway is elsewhere"
expect_exit 0 gateway rebuild
expect_exit 0 versions old/x
is_empty out
expect_exit 0 get -f old/y again.txt
same p1 again.txt
expect_exit 0 put p2 old/x
expect_exit 0 versions old/x
[ "$(wc -l <out)" = 1 ] || fail "the name anew: $(cat out)"
expect_exit 0 get -f old/x again.txt
same p2 again.txt
swept $((before - 10))
expect_exit 0 verify

# Kept until a date: no purge before it, whatever the clock of whoever asks says; other versions go.
expect_exit 2 lock old/x
expect_exit 2 lock --until 2001-01-01 old/x
err_has 'has passed'
expect_exit 2 lock --until soon old/x
expect_exit 2 put --retain-until 2099-02-30 p1 old/x
expect_exit 0 put --retain-until 2099-12-31 p1 old/x
err_has "kept 'old/x' until 2099-12-31"
expect_exit 0 --json stat old/x
kept=$(json_get '[j["number"] for j in lines if j["type"] == "item"][0]')
expect_exit 0 put p2 old/x
expect_exit 0 lock --until 2098-01-01T00:00:00Z --version "$kept" old/x
err_has "kept 'old/x' until 2099-12-31"
expect_exit 0 stat --version "$kept" old/x
out_has 'kept     until 2099-12-31'
expect_exit 3 lock --until 2099-12-31 nothing
expect_exit 12 prune --keep-last 1 --yes old/x
err_has 'it is kept until 2099-12-3'
err_three_parts E1206
grep -q "^purged  v$((kept - 1)) " out || fail "a version that nothing keeps: $(cat out)"
expect_exit 0 get -f --version "$kept" old/x again.txt
same p1 again.txt
expect_exit 0 rm old/x
expect_exit 12 trash empty --yes old
expect_exit 0 get -f --version "$kept" old/x again.txt
same p1 again.txt
expect_exit 0 verify

# Another name: no fragment moves; versions go along; killed at any step there are both names' changes or neither.
expect_exit 0 put p1 m/a
expect_exit 0 put p2 m/a
expect_exit 0 put p3 m/b
expect_exit 5 mv m/a m/b
err_three_parts E0525
err_has "the new name 'm/b' is taken"
expect_exit 0 --json mv m/a n/
json_ok
[ "$(json_get '[(j["name"], j["to"], j["number"], j["exit"]) for j in lines if j["type"] == "item"]')" = "[('m/a', 'n/a', 1, 0)]" ] || fail "mv --json: $(cat out)"
expect_exit 3 get m/a none
expect_exit 3 versions m/a
err_has 'it was moved to another name'
expect_exit 0 get -f n/a again.txt
same p2 again.txt
expect_exit 0 versions n/a
[ "$(sed 's/ .*//' out | tr '\n' ' ')" = 'v1 - ' ] || fail "versions of a moved name: $(cat out)"
id=$(sed -n 's/^- .*budget [0-9]* *\([0-9a-f]*\).*/\1/p' out)
expect_exit 0 get -f --version "$id" n/a again.txt
same p1 again.txt
expect_exit 0 stat --version "$id" n/a
out_has 'version  -  '
expect_exit 0 mv --force n/a m/b
expect_exit 0 versions m/b
[ "$(sed 's/ .*//' out | tr '\n' ' ')" = 'v2 - v1 ' ] || fail "versions of a name that was taken: $(cat out)"
expect_exit 0 get -f --version 1 m/b again.txt
same p3 again.txt
expect_exit 0 put p3 m/c
expect_exit 2 mv -r m/ m/d/
expect_exit 2 mv m/b m/c o
expect_exit 3 mv -r nothing/ o/
expect_exit 0 mv -r m/ o/
err_has '2 names moved'
expect_exit 0 ls o/
[ "$(tr '\n' ' ' <out)" = 'o/b o/c ' ] || fail "mv -r: $(cat out)"
mkdir -p m.tree/m/empty # the folder that the prefix names goes along
expect_exit 0 put -r m.tree up
expect_exit 0 mv -r up/m/ up/o/
err_has '2 names moved'
expect_exit 0 ls --folders up
grep -q '^up/o/*$' out || fail "mv -r, its folder: $(cat out)"
! grep -q '^up/m' out || fail "mv -r left its folder: $(cat out)"
expect_exit 0 trash ls m # what the move has covered is m/b's own
[ "$(wc -l <out)" = 1 ] || fail "trash ls: $(cat out)"
out_has 'm/b'
expect_exit 0 trash empty --yes m
[ "$(grep -c '^purged' out)" = 1 ] || fail "trash empty beneath a move: $(cat out)"
expect_exit 0 prune --keep-last 1 --yes o/b
[ "$(grep -c '^purged' out)" = 1 ] || fail "prune of a moved name: $(cat out)"
expect_exit 0 get -f o/b again.txt
same p2 again.txt
if [ "${QC_FAULTS:-0}" = 1 ]; then
    from=o/b
    for point in client_noted client_moved; do
        got=0
        QC_FAULT=$point:kill:1 "$QC_BIN/qcloud" mv "$from" "$point" >out 2>err || got=$?
        [ "$got" = 137 ] || fail "$point: exit $got: $(cat err)"
        [ "$point" = client_moved ] || expect_exit 0 mv "$from" "$point"
        expect_exit 3 get "$from" none
        expect_exit 0 get -f "$point" again.txt
        same p2 again.txt
        from=$point
    done
fi
expect_exit 0 verify

# at_terminal CODE ANSWER BETWEEN ARGS..: qcloud at a terminal; at the question BETWEEN is run, then comes the answer. What
# it said is $T/out; ANSWER '' is for what shall not ask.
at_terminal()
{
    local code=$1 got=0
    shift
    /usr/bin/python3 -c '
import os, pty, subprocess, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp("qcloud", ["qcloud", *sys.argv[3:]])
said, asked = b"", False
while True:
    try:
        part = os.read(fd, 65536)
    except OSError:
        break
    if not part:
        break
    said += part
    if b"[y/N]" in said and not asked:
        asked = True
        subprocess.run(sys.argv[2], shell=True, check=True, stdin=subprocess.DEVNULL, capture_output=True)
        os.write(fd, (sys.argv[1] or "n").encode() + b"\n")
open("out", "wb").write(said.replace(b"\r", b""))
got = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.exit(99 if asked != (sys.argv[1] != "") else got)' "$@" || got=$?
    [ "$got" = "$code" ] || fail "at a terminal: $*: exit $got, not $code (99: asked, or not): $(cat out)"
}

# Erased: a name and all its versions, earlier names' too; what is kept until a date stays, and its name with it.
expect_exit 0 put p1 e/x
expect_exit 0 put p2 e/x
expect_exit 0 mv e/x e/y
expect_exit 0 put p3 e/y
expect_exit 0 put --retain-until 2099-12-31 p1 e/kept
expect_exit 2 rm --erase e/y
err_has 'nobody can be asked'
expect_exit 2 rm --erase --yes --profile xor23 e/y
expect_exit 3 rm --erase --yes e/nothing
lose_share 2
expect_exit 7 rm --erase --yes e/y
bring_share 2
expect_exit 0 get -f e/y again.txt
same p3 again.txt
expect_exit 12 rm --erase --yes e/kept
err_three_parts E1206
err_has 'is kept until'
# At a terminal: no question about what was not looked at whole, and nothing goes that was not shown.
expect_exit 0 put p1 e/a
expect_exit 0 put p2 e/a
at_terminal 12 '' : rm --erase e/kept
[ "$(grep -c 'is kept until' out)" = 1 ] || fail "a look that failed, and then another one: $(cat out)"
at_terminal 12 '' : rm --erase e/a e/kept
at_terminal 130 n : rm --erase e/a
out_has 'nothing was purged'
out_lacks 'overwritten'
at_terminal 5 y 'qcloud put p2 e/a' rm --erase e/a
out_has 'stored after the question'
at_terminal 0 y 'qcloud put p3 e/a' prune --keep-last 2 e/a
[ "$(grep -c '^purged' out)" = 1 ] || fail "prune of what was not shown: $(cat out)"
expect_exit 0 versions e/a
[ "$(wc -l <out)" = 3 ] || fail "after prune: $(cat out)"
expect_exit 0 get -f e/a again.txt
same p3 again.txt
at_terminal 0 y : prune --keep-last 2 e/a
expect_exit 0 --json rm --erase --yes e/y
json_ok
[ "$(json_get '[(j["name"], j["number"], j["purged"]) for j in lines if j["type"] == "item" and "purged" in j]')" = \
    "[('e/y', 2, True), ('e/y', 1, True), ('e/y', 0, True)]" ] || fail "rm --erase --json: $(cat out)"
[ "$(json_get '[(j["name"], j["unknown"], j["missing"], j["derived"]) for j in lines if "derived" in j]')" = "[('e/y', 0, 0, 0)]" ] || fail "rm --erase --json: $(cat out)"
expect_exit 0 put p1 e/m # a version that no store has a record of: the others go, and that is not all
expect_exit 0 put p2 e/m
expect_exit 0 --json versions e/m
id=$(json_get '[j["version"] for j in lines if j["type"] == "item"][1]')
/usr/bin/python3 -c 'import sqlite3, sys
for store in sys.argv[2:]:
    with sqlite3.connect(store) as db:
        assert db.execute("DELETE FROM record WHERE version_id = ?", (bytes.fromhex(sys.argv[1]),)).rowcount == 1' \
    "$id" share1/store.db share2/store.db || fail "no record of $id"
expect_exit 4 --quiet rm --erase --yes e/m
err_has 'no share store here has a whole record of'
# A removal that was decided, and told of by nobody, is the one that was wanted: the same command goes on from it.
expect_exit 0 put p1 e/late
for i in 1 2 3; do lose_cloud $i; done
expect_exit 6 rm --erase --yes e/late
err_three_parts E0610
for i in 1 2 3; do bring_cloud $i; done
expect_exit 0 rm --erase --yes e/late
[ "$(grep -c '^purged \|^certificate ' out)" = 2 ] || fail "an erasure whose removal was decided late: $(cat out)"
expect_exit 0 put p1 e/z
expect_exit 0 rm --erase --yes e/z
err_has 'not confirmed: '
expect_exit 0 get -f e/kept again.txt
same p1 again.txt
expect_exit 3 get e/y none
expect_exit 0 versions e/y
is_empty out
err_has '3 versions were purged'
expect_exit 0 trash ls e
is_empty out
expect_exit 0 rm --erase --yes e/y # again: nothing is left of it
is_empty out
if [ "${QC_FAULTS:-0}" = 1 ]; then # an interrupted put of the name, too, be it removed or never there
    random_file big 17000000
    for name in e/y e/never e/kept; do
        QC_FAULT=client_sent:kill:1 "$QC_BIN/qcloud" put big "$name" >out 2>err && fail "not killed"
        find "$QCLOUD_HOME" -name '*.resume' | grep -q . || fail "nothing to go on with: $(cat err)"
        code=0
        [ "$name" = e/y ] || code=3
        [ "$name" != e/kept ] || code=12
        expect_exit "$code" rm --erase --yes "$name"
        [ "$name" = e/kept ] || ! find "$QCLOUD_HOME" -path '*/journal/*' | grep . || fail "$name: the put can go on"
    done
    expect_exit 0 put big e/kept # what is refused is refused first: the put goes on where it was
    err_has 'going on with'
fi
[ "$(find "$QCLOUD_HOME/state/certificates" -name '*.draft')" = "" ] || fail "a draft is left: $(ls "$QCLOUD_HOME/state/certificates")"

# The record: one for each name, by the vault's key; another key, another byte, another vault: refused.
expect_exit 0 put p1 e/c
expect_exit 0 put p2 e/c
expect_exit 0 put p3 e/c
expect_exit 2 rm --version 1 e/c
expect_exit 2 rm --erase --yes --certificate cert e/c e/y
expect_exit 2 rm -r --erase --yes ''
expect_exit 3 rm --erase --yes --version 9 e/c
expect_exit 5 rm --erase --yes --version 3 e/c
err_has 'that is the version that the name has'
expect_exit 0 rm --erase --yes --version 1 e/c
expect_exit 3 rm --erase --yes --version 1 e/c
expect_exit 0 versions e/c
[ "$(sed 's/ .*//' out | tr '\n' ' ')" = 'v3 v2 ' ] || fail "one version erased: $(cat out)"
expect_exit 0 get -f e/c again.txt
same p3 again.txt
echo mine >taken
expect_exit 2 rm --erase --yes --certificate taken e/c
same p3 again.txt
expect_exit 0 --json rm --erase --yes --certificate cert e/c
json_ok
file=$(json_get '[j["file"] for j in lines if "certificate" in j][0]')
cmp cert "$file" || fail "$file is another"
expect_exit 0 certificate verify cert
grep -q "^name .*'e/c': removed" out || fail "certificate verify: $(cat out)"
[ "$(grep -c '^version .* share, share$' out)" = 2 ] || fail "certificate verify: $(cat out)"
[ "$(grep -c '^not confirmed ' out)" = 6 ] || fail "certificate verify: $(cat out)"
expect_exit 0 certificate key
key=$(cat out)
QCLOUD_HOME=$T/nobody expect_exit 0 certificate verify --key "$key" cert
QCLOUD_HOME=$T/nobody expect_exit 2 certificate verify cert
expect_exit 2 certificate verify --key "${key}0" cert
expect_exit 8 certificate verify --key "$(printf '%s' "$key" | tr 0-9a-f 1-9a-f0)" cert
err_has 'signed by another key'
err_three_parts E0811
expect_exit 3 certificate verify none
/usr/bin/python3 -c 'import sys
b = bytearray(open("cert", "rb").read()); b[130] ^= 1; open("bad", "wb").write(b)'
expect_exit 8 certificate verify bad
cp taken bad
expect_exit 8 certificate verify bad
err_three_parts E0812
# Another program says the same of the signature: FORMAT 16.
/usr/bin/python3 -c 'import sys
b = open("cert", "rb").read()
assert b[-102:-98] == b"\1\1\0\40" and b[-98:-66].hex() == sys.argv[1] and b[-66:-64] == b"\0\100", b[-110:]
open("key.der", "wb").write(bytes.fromhex("302a300506032b6570032100") + bytes.fromhex(sys.argv[1]))
open("signed", "wb").write(b"qcloud record of erasure\0" + b[:-66])
open("signature", "wb").write(b[-64:])' "$key" || fail "cert is not as FORMAT 16 says"
openssl pkeyutl -verify -pubin -keyform DER -inkey key.der -rawin -in signed -sigfile signature >out 2>&1 || fail "openssl: $(cat out)"
expect_exit 0 certificate ls
[ "$(grep -c ' e/c$' out)" = 2 ] || fail "certificate ls: $(cat out)"
expect_exit 0 put p1 r/a
expect_exit 0 put p2 r/b/c
expect_exit 0 put p3 r/gone
expect_exit 0 rm r/gone
expect_exit 0 put --retain-until 2099-12-31 p1 r/kept
log_at() {
    "$QC_BIN/qcloud" --json status >said 2>/dev/null || true
    /usr/bin/python3 -c 'import json
print([j["status"]["gateway"]["log_sequence"] for j in map(json.loads, open("said")) if "shares" in j.get("status", {})][0])'
}
expect_exit 12 rm -r --erase -n r/gone r/b r/ r/b/ 'r/b*' # each once
[ "$(sed 's/.* //' out | sort | tr '\n' ' ')" = 'r/a r/b/c r/gone ' ] || fail "prefixes that overlap: $(cat out)"
before=$(log_at)
expect_exit 12 rm -r --erase --yes r/
[ "$(grep -c '^certificate ' out)" = 3 ] || fail "rm -r --erase: $(cat out)"
# Two of them were removed, one after the other; what all three had went by one request.
[ "$(log_at)" = $((before + 3)) ] || fail "rm -r --erase of three names: $(log_at) log objects, $before before"
expect_exit 0 ls r
[ "$(cat out)" = r/kept ] || fail "rm -r --erase: $(cat out)"
expect_exit 3 rm -r --erase --yes nothing/
if [ "${QC_FAULTS:-0}" = 1 ]; then # killed anywhere: the same command ends with one record, at the copy's place, too
    for point in client_drafted client_removed client_retired client_purged client_destroyed1 client_confirmed client_certified; do
        expect_exit 0 put p1 e/y
        before=$(find "$QCLOUD_HOME/state/certificates" -name '*.cert' | wc -l)
        got=0
        QC_FAULT=$point:kill:1 "$QC_BIN/qcloud" rm --erase --yes --certificate "$point.cert" e/y >out 2>err || got=$?
        [ "$got" = 137 ] || fail "$point: exit $got: $(cat err)"
        [ ! -e "$point.cert" ] || fail "$point: certified before it was over"
        expect_exit 0 certificate ls
        grep -q 'cut off: ' out || fail "$point: no draft: $(cat out)"
        expect_exit 8 certificate verify "$QCLOUD_HOME"/state/certificates/*.draft
        [ "$point" != client_retired ] || expect_exit 0 prune --keep-last 9 --yes # another command finishes the purge
        expect_exit 0 rm --erase --yes --certificate "$point.cert" e/y
        expect_exit 0 versions e/y
        is_empty out
        expect_exit 0 certificate verify "$point.cert"
        grep -q '^version .* share, share$' out || fail "$point: $(cat out)"
        [ "$(find "$QCLOUD_HOME/state/certificates" -name '*.cert' | wc -l)" = $((before + 1)) ] || fail "$point: not one record more"
        [ "$(find "$QCLOUD_HOME/state/certificates" -name '*.draft')" = "" ] || fail "$point: a draft is left"
    done
    # Many names at once: the same of each, wherever between them it was killed.
    mkdir many
    for i in 1 2 3; do random_file many/$i 100; done
    for point in client_drafted:2 client_removed:2 client_retired:1 client_purged:1 client_destroyed1:1 client_confirmed:1 client_certified:2; do
        expect_exit 0 put -r many many
        before=$(find "$QCLOUD_HOME/state/certificates" -name '*.cert' | wc -l)
        got=0
        QC_FAULT=${point%:*}:kill:${point#*:} "$QC_BIN/qcloud" rm -r --erase --yes many/ >out 2>err || got=$?
        [ "$got" = 137 ] || fail "$point of many: exit $got: $(cat err)"
        find "$QCLOUD_HOME/state/certificates" -name '*.draft' | grep -q . || fail "$point of many: no draft"
        expect_exit 0 rm -r --erase --yes many/
        expect_exit 0 ls many
        is_empty out
        [ "$(find "$QCLOUD_HOME/state/certificates" -name '*.cert' | wc -l)" = $((before + 3)) ] || fail "$point of many: not one record for each"
        [ "$(find "$QCLOUD_HOME/state/certificates" -name '*.draft')" = "" ] || fail "$point of many: a draft is left"
    done
    find "$QCLOUD_HOME/state/certificates" -name '*.cert' -newer many/3 >records
    [ "$(wc -l <records)" = 21 ] || fail "many: $(wc -l <records) records"
    for file in $(tail -n 3 records); do
        expect_exit 0 certificate verify "$file"
        grep -q "^name .*'many/[123]': removed, and all versions" out || fail "many: $(cat out)"
    done
    # What a run says that it did not purge it does not purge a moment later; and one that is ended says what it has removed.
    expect_exit 0 put -r many many
    before=$(find "$QCLOUD_HOME/state/certificates" -name '*.cert' | wc -l)
    QC_FAULT=client_retired:error:1 expect_exit 1 rm -r --erase --yes many/
    [ "$(grep -c "E0108 cannot purge 'many/" err)" = 3 ] || fail "a purge of many that failed: $(cat err)"
    is_empty out
    expect_exit 0 put -r many many
    QC_FAULT=client_drafted:stop:3 "$QC_BIN/qcloud" rm -r --erase --yes many/ >out 2>err &
    pid=$!
    await_stop "$pid"
    kill -INT "$pid"
    kill -CONT "$pid"
    got=0
    wait "$pid" || got=$?
    [ "$got" = 130 ] || fail "an interrupted erasure: exit $got: $(cat err)"
    [ "$(grep -c "E13008 cannot purge 'many/[12]': its name is removed" err)" = 2 ] || fail "an interrupted erasure: $(cat err)"
    expect_exit 0 ls many
    [ "$(cat out)" = many/3 ] || fail "an interrupted erasure: $(cat out)"
    expect_exit 0 rm -r --erase --yes many/
    [ "$(find "$QCLOUD_HOME/state/certificates" -name '*.cert' | wc -l)" = $((before + 3)) ] || fail "an interrupted erasure: not one record for each"
    # Cut off, the name put anew, and one version meant: that is a record of it, and none of the name. A file that is there stays.
    expect_exit 0 put p1 e/y
    got=0
    QC_FAULT=client_confirmed:kill:1 "$QC_BIN/qcloud" rm --erase --yes e/y >out 2>err || got=$?
    [ "$got" = 137 ] || fail "client_confirmed: exit $got: $(cat err)"
    expect_exit 2 rm --erase --yes --certificate taken e/y
    err_has 'something is there, and stays'
    [ "$(cat taken)" = mine ] || fail "a copy of a record over another file"
    expect_exit 0 put p2 e/y
    expect_exit 0 rm --erase --yes --version 1 --certificate anew.cert e/y
    expect_exit 0 certificate verify anew.cert
    ! grep -q "^name .*'e/y': removed" out || fail "a record of a name that is there: $(cat out)"
    expect_exit 0 get -f e/y again.txt
    same p2 again.txt
fi
expect_exit 0 verify

echo "versions: every one of them, by the page and without what may be lost; what is purged is gone, and stays so; what is kept is not purged; a name moves with them"
