#!/bin/bash
# cli/together: several commands at once share one gateway; interrupted ones leave nothing behind.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh" || exit 1
cd "$T" || exit 1
mk_vault 2 4
random_file big 40000000
random_file small 100000

# No gateway runs: eight commands start at the same time, one of them starts it, all succeed.
stop_gateway
pids=()
for i in 1 2 3 4 5 6 7 8; do
    "$QC_BIN/qcloud" put small "many/$i" 2>"$T/err.$i" &
    pids+=($!)
done
for i in 1 2 3 4 5 6 7 8; do
    wait "${pids[$((i - 1))]}" || { cp "$T/err.$i" "$T/err"; fail "put $i of eight at once"; }
done
running=$(gateway_pids "$QCLOUD_HOME/state/gateway" | wc -l)
[ "$running" = 1 ] || fail "$running gateways run"
expect_exit 0 ls many
[ "$(wc -l <out)" = 8 ] || fail "not all eight are there"

# Two write the same name: both succeed, one after the other; the last number is 2.
"$QC_BIN/qcloud" put small same 2>"$T/err.a" &
a=$!
"$QC_BIN/qcloud" put big same 2>"$T/err.b" &
b=$!
wait $a || { cp "$T/err.a" "$T/err"; fail "first of two"; }
wait $b || { cp "$T/err.b" "$T/err"; fail "second of two"; }
expect_exit 0 --json stat same
json_ok
[ "$(json_get 'lines[1]["number"]')" = 2 ] || fail "two puts made $(json_get 'lines[1]["number"]') versions"

# A put and a get at once.
expect_exit 0 put big
"$QC_BIN/qcloud" get big big.back 2>"$T/err.a" &
a=$!
expect_exit 0 put big other
wait $a || { cp "$T/err.a" "$T/err"; fail "get during a put"; }
same big big.back

# The same file by two gets: one of them, or both after each other, never a mixture.
"$QC_BIN/qcloud" get big twice 2>"$T/err.a" &
a=$!
"$QC_BIN/qcloud" get big twice 2>"$T/err.b"
code=$?
case $code in 0 | 5 | 11) ;; *) fail "second get: $code" ;; esac
wait $a
case $? in 0 | 5 | 11) ;; *) fail "first get: $?" ;; esac
same big twice

# Interrupted: exit 130, said safely, nothing visible; the next command cleans up and works.
# A pipe that never ends holds the put open for as long as the signal takes.
mkfifo endless
(trap - EXIT; head -c 20000000 big; exec sleep 60) >endless &
feeder=$!
"$QC_BIN/qcloud" put - stopped <endless 2>"$T/err" &
a=$!
for _ in $(seq 1 3000); do # until its journal is there and segments are under way
    [ -n "$(find "$QCLOUD_HOME/state" -path '*gateway*' -prune -o -type f -size +0 -print)" ] && break
    sleep 0.02
done
sleep 0.5
kill -TERM $a
wait $a
code=$?
kill $feeder 2>/dev/null
wait $feeder 2>/dev/null
[ $code = 130 ] || fail "interrupted put: exit $code"
err_three_parts E13002
expect_exit 3 stat stopped
expect_exit 0 put small stopped
expect_exit 0 get stopped stopped.back
same small stopped.back

# A get that is interrupted leaves no file; killed hard, its leftover does not stop the next one.
"$QC_BIN/qcloud" get big cut 2>"$T/err" &
a=$!
kill -INT $a 2>/dev/null
wait $a
code=$?
case $code in
130) [ ! -e cut ] || fail "an interrupted get left a file" ;;
0) same big cut ;;
*) fail "interrupted get: exit $code" ;;
esac
expect_exit 0 get -f big cut
same big cut
(umask 077 && : >left.part) # as a get makes it
expect_exit 0 get big left
same big left
[ ! -e left.part ] || fail "the stale partial file is still there"

# The file grows while it is stored: refused, nothing visible.
(trap - EXIT; while :; do echo more >>growing || exit; sleep 0.01; done) &
writer=$!
cp big growing
expect_exit 5 put growing
err_three_parts E0504
kill $writer
wait $writer 2>/dev/null
expect_exit 3 stat growing

# A bundle is committed by one request; a gateway from before takes 256 files of it, which is found by asking, and asked once.
mkdir few
for i in $(seq 1 300); do echo "$i" >"few/$i"; done
logged()
{
    find cloud1/l -type f | wc -l
}
if [ "${QC_FAULTS:-0}" = 1 ]; then
    stop_gateway
    QC_FAULT=members_few:error+:1 expect_exit 0 gateway status
    n=$(logged)
    expect_exit 0 put -r few few/old
    [ $(($(logged) - n)) = 2 ] || fail "$(($(logged) - n)) commits of 300 files, expected 2"
    expect_exit 0 get -r few/old few.back
    diff -r few few.back || fail "files of a gateway from before"
    stop_gateway
fi
expect_exit 0 ls
n=$(logged)
expect_exit 0 put -r few few/new
[ $(($(logged) - n)) = 1 ] || fail "$(($(logged) - n)) commits of 300 files, expected one"

# Idle: the gateway leaves by itself, and the next command starts another one.
stop_gateway
sed -i 's/^idle = .*/idle = 1/' "$QCLOUD_HOME/qcloud.conf"
expect_exit 0 ls
for _ in $(seq 1 1200); do
    [ -S "$QCLOUD_HOME/state/gateway/gateway.sock" ] || break
    sleep 0.1
done
[ ! -S "$QCLOUD_HOME/state/gateway/gateway.sock" ] || fail "the idle gateway does not leave"
expect_exit 0 get -f stopped stopped.back
expect_exit 0 verify
echo "together: nobody stepped on anybody"
