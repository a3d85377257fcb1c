#!/bin/bash
# cli/json: every command's lines are JSON of one form and end with a result or an error that has the exit status;
# stdout is data only, and object bytes are never mixed with it.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh" || exit 1
cd "$T" || exit 1
random_file a 3000000

ok()
{
    local want=$1
    shift
    expect_exit "$want" --json "$@"
    [ ! -s err ] || fail "--json $*: stderr is not empty"
    json_ok
    [ "$1" = nonsense ] || [ "$(json_get "lines[0]['type']")" = start ] || fail "--json $*: no start"
    [ "$(json_get "lines[-1]['exit']")" = "$want" ] || fail "--json $*: the last line has another exit"
}
ok 10 ls
ok 0 init --local --cloud "c1=file://$T/cloud1" --cloud "c2=file://$T/cloud2" --cloud "c3=file://$T/cloud3" \
    --cloud "c4=file://$T/cloud4" --share1 "$T/share1" --share2 "$T/share2"
[ "$(json_get "lines[-1]['summary']['k']")" = 2 ] || fail "k"
ok 0 put a
[ "$(json_get "[l['loss_budget'] for l in lines if l['type'] == 'item']")" = '[1]' ] || fail "put"
cp a b
ok 0 put a b x/
[ "$(json_get "sum(l['type'] == 'item' for l in lines)")" = 2 ] || fail "two items"
ok 3 put none
ok 3 put a none y/
[ "$(json_get "lines[-1]['counts']")" = "{'0': 1, '3': 1}" ] || fail "counts"
ok 0 ls
ok 0 ls x
ok 0 stat a x/a
[ "$(json_get "[len(l['clouds']) for l in lines if l['type'] == 'item']")" = '[4, 4]' ] || fail "stat"
ok 0 get a out.a
ok 3 get none out.none
ok 0 verify
ok 0 status
[ "$(json_get "[l['status']['loss_budget'] for l in lines if 'status' in l]")" = '[1]' ] || fail "status"
[ "$(json_get "[l['status']['failure_domains'] for l in lines if 'status' in l]")" = '[1]' ] || fail "devices"
[ "$(json_get "[l['what'] for l in lines if l.get('id') == 'W0414']")" = "['all 4 clouds lie on one device: a failed disk loses them all']" ] ||
    fail "clouds on one device"
ok 0 rm x/a
ok 2 nonsense
ok 2 put a b c
ok 0 version
lose_share 1
ok 7 put a z
ok 0 get a out.b
[ "$(json_get "[l['id'] for l in lines if l['type'] == 'warning'][0]")" = W0402 ] || fail "warning"
ok 0 recover --share 1
lose_cloud 1
ok 4 put a w
ok 4 status
lose_cloud 2
lose_cloud 3
ok 6 get a out.c
[ "$(json_get "lines[-1]['id']")" = E0601 ] || fail "id"
[ "$(json_get "lines[-1]['next'][0]")" = "['qcloud', 'status']" ] || fail "next"
bring_cloud 1
bring_cloud 2
bring_cloud 3

# Object bytes on stdout: the lines are on stderr, the bytes alone on stdout.
expect_exit 0 --json get a -
same a out
cp err out
json_ok
expect_exit 0 get a -
same a out
expect_exit 3 --json get none -
[ ! -s out ] || fail "bytes of nothing"

# A reader that goes away: no crash by a signal, no endless loop.
"$QC_BIN/qcloud" get a - 2>/dev/null | head -c 10 >/dev/null
case ${PIPESTATUS[0]} in 0 | 1) ;; *) fail "get into a closed pipe: ${PIPESTATUS[0]}" ;; esac
"$QC_BIN/qcloud" ls >/dev/full 2>"$T/err"
[ $? = 1 ] || fail "ls into a full device succeeds"
expect_exit 0 -q put a quiet
[ ! -s err ] || fail "-q talks"
expect_exit 0 --progress plain put a plain
! grep -q $'\r' err || fail "a carriage return without a terminal"
echo "json: every line parses"
