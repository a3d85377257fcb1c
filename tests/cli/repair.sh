#!/bin/bash
# cli/repair: a cloud is away during puts, a file rots, a fragment is lost, a cloud is wiped: what repair finds, does,
# leaves and says; afterwards everything is as if nothing had been.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh" || exit 1
cd "$T" || exit 1
GATEWAY=$QCLOUD_HOME/state/gateway
mk_vault 3 5
random_file a 21000000
expect_exit 0 put a
random_file small 700

fragments()
{
    find "$T/cloud$1/f" -type f ! -name '.*' | wc -l
}

# N bytes of a fragment are another's.
rot()
{
    find "$T/cloud$1/f" -type f -size +100k | sort | head -n 1 >"$T/rotten"
    printf 'rotten bytes' | dd of="$(cat "$T/rotten")" bs=1 seek="$2" conv=notrunc status=none
}

# Nothing is wrong any more: exit 0 everywhere, no warning of clouds, the full margin.
all_whole()
{
    local name
    expect_exit 0 gateway repair --deep
    out_has 'everything is whole'
    expect_exit 0 status
    out_has 'budget: 1 (data 2, keys 1)'
    for name in a small; do
        expect_exit 0 --json stat "$name"
        [ "$(json_get '[l["margin"] for l in lines if "margin" in l]')" = "[2]" ] || fail "margin of $name: $(cat out)"
        expect_exit 0 get -f "$name" back
        same "$name" back
        # A cloud that is slow for a moment is told of as late, whatever it has.
        ! grep -F W0401 "$T/err" | sed 's/c[0-9]* (late)//g' | grep -q 'c[0-9]* (' || fail "a cloud does not serve $name: $(cat "$T/err")"
    done
}

expect_exit 0 gateway repair
out_has 'everything is whole'

# Owed: a cloud is away during a put, and nothing is left once it is back, whoever pays first, the gateway by itself or the repair.
lose_cloud 4
expect_exit 4 put small
expect_exit 4 gateway repair
out_has 'cloud c4 is lost'
out_has '--adopt c4'
err_three_parts E0408
bring_cloud 4
expect_exit 0 gateway repair
out_has 'everything is whole'
all_whole

# Lost and cut: a listing shows both. Rotten: only reading does; a dry run changes nothing, and then --deep mends it.
find "$T/cloud1/f" -type f ! -name '.*' | sort | head -n 1 | xargs rm
find "$T/cloud2/f" -type f -size +100k | sort | head -n 1 | xargs truncate -s 1000
expect_exit 0 gateway repair
out_has 'cloud c1: 1 fragments missing, 1 rebuilt'
out_has 'cloud c2: 1 damaged, 1 rebuilt'
names() { (cd "$T" && find cloud?/f -type f ! -name '.*' | sort); }
rot 3 5000
names >before
expect_exit 4 gateway repair --deep --dry-run
out_has 'dry run: 1 fragments would be rebuilt'
out_has 'wrote 0 bytes'
err_has 'next: qcloud gateway repair'
# What the dry run has seen, the gateway knows, and mends by itself: it or the command was first.
expect_exit 0 --json gateway repair --deep
json_ok
case "$(json_get '[c["rebuilt"] for l in lines if "job" in l for c in l["job"]["report"]["clouds"]]')" in
'[0, 0, 1, 0, 0]' | '[0, 0, 0, 0, 0]') ;;
*) fail "not the one fragment: $(cat out)" ;;
esac
for _ in $(seq 1 1200); do
    [ -e "$(cat rotten)" ] || break
    sleep 0.1
done
[ ! -e "$(cat rotten)" ] || fail "what was replaced is still there"
names | comm -3 before - >moved
[ "$(wc -l <moved) $(grep -c cloud3 moved)" = '2 2' ] || fail "not the one fragment took the place of the rotten one: $(cat moved)"
all_whole
for i in 1 2 3 4 5; do
    [ "$(fragments "$i")" = "$(fragments 1)" ] || fail "cloud $i has $(fragments "$i") fragments, cloud 1 $(fragments 1)"
done

# Wiped: lost until somebody says that it may be filled again; then any two others may go.
rm -rf "$T/cloud5"
mkdir "$T/cloud5"
expect_exit 4 gateway repair
out_has 'cloud c5 is lost'
expect_exit 2 gateway repair --adopt c9
expect_exit 2 gateway repair --adopt c5 --dry-run
expect_exit 0 gateway repair --adopt c5
out_has 'cloud c5:'
all_whole
lose_cloud 1
lose_cloud 2
expect_exit 0 get -f a back
same a back
bring_cloud 1
bring_cloud 2

# Beyond the margin: what is left can be read, what is not is named, and bringing a cloud back helps.
lose_cloud 1
lose_cloud 2
lose_cloud 3
expect_exit 6 gateway repair
bring_cloud 1
bring_cloud 2
bring_cloud 3
all_whole

# The operator's command: not beside a gateway that serves; the same report.
expect_exit 0 status
"$QC_BIN/qcloud-gateway" repair --state "$GATEWAY" >out 2>err && fail "two on one directory"
grep -q 'E1184' err || fail "not locked: $(cat err)"
stop_gateway
find "$T/cloud2/f" -type f ! -name '.*' | sort | tail -n 1 | xargs rm
"$QC_BIN/qcloud-gateway" repair --state "$GATEWAY" --max-rate 1G >out 2>err || fail "repair: $(cat out err)"
out_has 'cloud c2: 1 fragments missing, 1 rebuilt'
"$QC_BIN/qcloud-gateway" repair --state "$GATEWAY" --json >out || fail "repair --json"
/usr/bin/python3 -c 'import json, sys; assert json.load(open(sys.argv[1]))["phase"] == "done"' out || fail "no JSON: $(cat out)"
all_whole

# Ctrl-C stops it; what was done stays.
"$QC_BIN/qcloud" --json gateway repair --deep --max-rate 100k >slow 2>&1 &
pid=$!
for _ in $(seq 1 1200); do
    grep -q '"progress"' slow && break
    sleep 0.1
done
expect_exit 5 gateway repair
err_three_parts E0513
kill -INT "$pid"
code=0
wait "$pid" || code=$?
[ "$code" = 130 ] || fail "interrupted: exit $code"
all_whole
echo "repair: ok"
