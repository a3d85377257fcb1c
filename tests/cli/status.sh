#!/bin/bash
# cli/status: green is what was observed, and not too long ago. An old scrub, a drill that failed or is old, a debt, a
# share and a cloud that are not there: each keeps the status from green, by name, with the command that helps, exit 4;
# and each is green again after it.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh" || exit 1
cd "$T" || exit 1
state=$QCLOUD_HOME/state/gateway
days_ago()
{
    date -u -d "-$1 days" +%Y-%m-%d
}

# A gateway that scrubs nothing by itself: what was planted stays until it is asked to look.
cat >gateway.conf <<END
[gateway]
state = $state
log-file = $T/log
[listen]
socket = $T/door
[scrub]
presence-hours = 0
content-days = 0
END
serve()
{
    mkfifo "$T/ready.$1" || fail fifo
    "$QC_BIN/qcloud-gateway" serve --config "$T/gateway.conf" --ready-fd 3 3>"$T/ready.$1" </dev/null >/dev/null 2>&1 &
    gateway=$!
    [ "$(timeout 60 cat "$T/ready.$1")" = ready ] || fail "the gateway is not ready: $(tail -3 "$T/log")"
}
end_gateway()
{
    kill "$gateway" && wait "$gateway"
}
trap 'code=$?; kill "$gateway" 2>/dev/null; (exit "$code"); finish' EXIT
gateway=

# catalogue STATEMENT..: with no gateway serving
catalogue()
{
    /usr/bin/python3 - "$state/catalogue.db" "$@" <<'END' || fail "catalogue: $*"
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
for statement in sys.argv[2:]:
    assert db.execute(statement).rowcount > 0, statement
db.commit()
END
}
green()
{
    expect_exit 0 --json status
    [ "$(json_get "[(s['status']['green'], s['status']['reasons']) for s in lines if 'status' in s]")" = '[(True, [])]' ] || fail "not green: $(cat out)"
    expect_exit 0 status
    out_has 'verdict: green'
}
# not_green LEVEL WHAT ADVICE: exit 4, and one reason says so
not_green()
{
    expect_exit 4 status
    out_has 'verdict: not green:'
    grep -F -- "  $1  " "$T/out" | grep -F -- "$2" | grep -qF -- "$3" || fail "no reason '$1 .. $2 .. $3' in: $(cat "$T/out")"
    err_three_parts E0406
}

mk_vault 3 5
expect_exit 0 status
out_has 'drill:  none yet (qcloud drill'
random_file a 300000
expect_exit 0 put a a
stop_gateway
serve 1
green
out_has "drill:  none yet; due by $(date -u -d '+35 days' +%Y-%m-%d)"
out_has 'c1           presence never, content never'
out_has 'margin: 1 version bears the loss of 2 more clouds'
out_has 'budget: 0 over devices'

# seen NAME: what stat says is behind its margins
seen()
{
    expect_exit 0 --json stat "$1"
    json_get "[[k, v[:10]] for l in lines if l['type'] == 'item' for k, v in sorted(l['seen'].items())]"
}
today=$(days_ago 0)
[ "$(seen a)" = "[['keys', '$today'], ['written', '$today']]" ] || fail "never looked at: $(cat out)"
expect_exit 0 stat a
out_has 'budget   1 (data 2 of 2, keys 1)'
out_has 'seen     data as written at '
out_has '; not looked at since'
out_has 'seen     keys at '

# The operator's looks, one after the other, of the gateway that serves; that it leaves is seen, and no end of them.
looks() # FILE PATTERN: until a line says so
{
    for _ in $(seq 1 600); do
        grep -q "$2" "$1" && return
        sleep 0.05
    done
    fail "no look says '$2': $(cat "$1")"
}
"$QC_BIN/qcloud-gateway" status --watch --interval 1 --state "$state" >looks 2>looks.err &
watching=$!
"$QC_BIN/qcloud-gateway" status --watch --interval 1 --state "$state" --json >looks.json 2>/dev/null &
watching_json=$!
looks looks '^[0-9TZ:-]*  ok        clouds 5/5  owed 0$'
looks looks.json '"exit":0,'

# Nothing was ever looked at, of what is there for 100 days; one cloud was, 61 days ago: a pass counts since it began.
end_gateway
looks looks '  not ok    no gateway answers: '
looks looks.json '"exit":[^0].*no gateway answers'
kill -INT $watching $watching_json
for pid in $watching $watching_json; do
    wait "$pid"
    [ $? = 130 ] || fail "looks end otherwise than with 130: $(cat looks.err)"
done
grep -q 'stopped after [1-9][0-9]* looks' looks.err || fail "how looks end: $(cat looks.err)"
/usr/bin/python3 - looks.json <<'P' || fail "looks.json: $(cat looks.json)"
import json, sys
looks = [json.loads(line) for line in open(sys.argv[1])]
assert looks[0]["status"]["k"] == 3 and looks[0]["exit"] == 0 and looks[-1]["exit"] != 0 and "status" not in looks[-1]
P
operator status 0 'verdict: green: all of this was looked at' "clouds were asked $(date -u +%Y-%m-)"
now=$(date +%s)
catalogue "UPDATE version SET created=$((now - 100 * 86400))" "UPDATE scrub SET began=$((now - 100 * 86400))" \
    "UPDATE scrub SET last_began=$((now - 61 * 86400)), last_ended=$now WHERE cloud_id=(SELECT cloud_id FROM cloud WHERE name='c3')"
operator status 4 'verdict: not green:' \
    "  look  what clouds list was not compared lately: of 5 of 5 clouds, c1 never, since $(days_ago 100)" ' qcloud-gateway scrub --wait looks now.'
err_has 'E04114 not green: what clouds list'
serve 2
not_green look "what clouds list was not compared lately: of 5 of 5 clouds, c1 never, since $(days_ago 100)" 'qcloud gateway scrub --wait'
not_green look "was not read and verified lately: of 5 of 5 clouds, c1 never, since $(days_ago 100)" 'qcloud gateway scrub --content --wait'
not_green look "there was no drill, and something is stored since $(days_ago 100)" 'qcloud drill'
grep -q "  c3           presence $(days_ago 61)T.* (too long ago), content $(days_ago 61)T.* (too long ago)" out || fail "c3: $(cat out)"
expect_exit 4 --json status
[ "$(json_get "[[r['level'], r['advice'].split('\`')[1]] for s in lines if 'status' in s for r in s['status']['reasons']]")" = \
    "[['look', 'qcloud gateway scrub --wait'], ['look', 'qcloud gateway scrub --content --wait'], ['look', 'qcloud drill']]" ] || fail "reasons: $(cat out)"
[ "$(seen a)" = "[['keys', '$today'], ['written', '$(days_ago 100)']]" ] || fail "one cloud of five was looked at: $(cat out)"
expect_exit 0 gateway scrub --wait
[ "$(seen a)" = "[['keys', '$today'], ['presence', '$today'], ['written', '$(days_ago 100)']]" ] || fail "listed: $(cat out)"
expect_exit 0 stat a
out_has '; its bytes as written at '
expect_exit 4 status
out_lacks 'what clouds list'
out_has 'was not read and verified lately'
expect_exit 0 gateway scrub --content --wait
[ "$(seen a)" = "[['content', '$today'], ['keys', '$today'], ['presence', '$today'], ['written', '$(days_ago 100)']]" ] || fail "read: $(cat out)"
expect_exit 0 stat a
out_has 'all bytes read and verified at '
expect_exit 4 status
out_lacks 'read and verified lately'
out_has 'there was no drill'
expect_exit 0 drill
green

# A drill of 36 days ago is none any more; one that failed is not outlived by one that tries less.
sed -i "s/\"when\":\"[^\"]*\"/\"when\":\"$(days_ago 36)T00:00:00Z\"/" "$QCLOUD_HOME/state/drill.json" || fail drill.json
not_green look "the last drill was $(days_ago 36)T00:00:00Z" 'qcloud drill'
expect_exit 0 drill --without-share none
green
find cloud1/f -type f | sort >there
random_file b 200
expect_exit 0 put b b
[ "$(seen b)" = "[['keys', '$today'], ['written', '$today']]" ] || fail "written after the passes began: $(cat out)"
expect_exit 6 drill --without-cloud c1 --without-cloud c2 --without-cloud c3 --without-share none # more than is promised
green
find cloud1/f -type f | sort | comm -13 there - | xargs rm
expect_exit 6 drill --without-cloud c2 --without-cloud c3 --without-share none
not_green act 'a drill failed: ' 'qcloud verify'
out_has '1 of 2 objects came back without c2 and c3'
expect_exit 0 drill --without-cloud c1 --sample 1
not_green act 'came back without c2 and c3' 'a drill of everything'
expect_exit 0 gateway repair --deep
expect_exit 0 drill --without-cloud c2 --without-cloud c3 b
not_green act 'came back without c2 and c3' 'a drill of everything'
expect_exit 0 drill --without-cloud c3 --without-cloud c2 --without-share 1
green
echo '{"v":1}' >"$QCLOUD_HOME/state/drill.json"
not_green look 'what the last drill left cannot be read' 'qcloud drill'
expect_exit 0 drill
green

# A debt, a cloud and a share that are away.
end_gateway # a running one keeps a directory that is only renamed
lose_cloud 2
serve 3
random_file c 1000
expect_exit 4 put c c
not_green act 'cloud c2 is gone, or is not ours any more' 'qcloud gateway repair --adopt'
out_has 'margin: 3 versions bear the loss of 1 more cloud, and should bear that of more'
out_has 'debts:  1 fragment is owed'
grep -q '^  c2           1 fragment, 1 record' out || fail "debts: $(cat out)"
bring_cloud 2
end_gateway
serve 4
for _ in $(seq 300); do # it is paid by itself
    q status && break
    sleep 0.2
done
green
out_has 'debts:  none'
lose_share 2
not_green look 'share store 2 cannot be opened' 'qcloud recover --share 2'
bring_share 2
green
end_gateway
gateway=

# What the user's timers run is what this program takes, and keeps the status green.
for unit in qcloud-scrub qcloud-scrub-content qcloud-drill; do
    read -ra words < <(sed -n 's|^ExecStart=/usr/bin/qcloud ||p' "$QC_SOURCE/dist/$unit.service")
    [ ${#words[@]} -gt 1 ] || fail "$unit runs nothing"
    expect_exit 0 "${words[@]}"
done
green
