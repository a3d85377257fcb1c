#!/bin/bash
# What the scenarios of tests/cli share. Sourced by bash scripts; QC_BIN is the folder of the programs.
#
#   mk_vault K N [init options]   a vault of N directory clouds in $T, EC(K,N); ends the scenario when it fails
#   q ARGS..                      qcloud in this vault; stdout and stderr also in $T/out, $T/err
#   expect_exit CODE ARGS..       q, and its exit status must be CODE
#   out_has TEXT, err_has TEXT    the last q said it (fixed string); out_lacks, err_lacks: it did not
#   err_three_parts CODE          the last q ended with a message of three parts and this code (E0601)
#   json_ok                       every line of the last stdout is JSON of our form, the last one a result or error
#   lose_cloud I, bring_cloud I, lose_share I, bring_share I
#   stop_gateway                  end the on-demand gateway of this vault, if it runs
#   fail TEXT
#
# Each scenario works in its own folder $T, which is removed at the end with the gateway that it started.
set -u
: "${QC_BIN:?the folder of qcloud and qcloud-gateway}"
T=$(mktemp -d "${TMPDIR:-/tmp}/qc-cli-XXXXXX")
for v in "${!QCLOUD_@}"; do
    unset "$v"
done
export QCLOUD_HOME=$T/home
export LC_ALL=C.UTF-8

fail()
{
    echo "FAILED: $*" >&2
    if [ -s "$T/err" ]; then
        sed 's/^/  | /' "$T/err" >&2
    fi
    exit 1
}

# Gateways that serve a state directory: those that name it, whole, as a word of their command line. Read by the shell
# itself: programs started for each process of the machine took most of the time of a scenario.
gateway_pids()
{
    local dir word words
    for dir in /proc/[0-9]*; do
        mapfile -d '' -t words 2>/dev/null <"$dir/cmdline" || continue
        for word in ${words[@]+"${words[@]}"}; do
            if [ "$word" = "$1" ]; then
                echo "${dir#/proc/}"
            fi
        done
    done 2>/dev/null
}

# await_stop PID: until a program stands still at the fault point that stops it
await_stop()
{
    local stat
    for _ in $(seq 1 6000); do
        stat=$(cat "/proc/$1/stat" 2>/dev/null)
        case ${stat##*) } in
        'T '*) return 0 ;;
        '' | 'Z '*) break ;;
        esac
        sleep 0.02
    done
    fail "a program never came to the point where it stops"
}

stop_gateway()
{
    local pid
    gateway_pids "${1:-$QCLOUD_HOME/state/gateway}" >"$T/pids"
    while read -r pid; do
        kill "$pid" 2>/dev/null
        for _ in $(seq 1 3000); do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.02
        done
        kill -9 "$pid" 2>/dev/null
    done <"$T/pids"
    return 0
}

finish()
{
    local code=$?
    local state
    [ "$BASHPID" = $$ ] || exit "$code" # a subshell of the scenario that was ended is not its end
    for state in "$T"/home*/state/gateway "$T"/home*/state/sites/*/gateway; do
        stop_gateway "$state"
    done
    awk -v t="$T/" 'index($2, t) == 1 { print $2 }' /proc/mounts | while read -r mounted; do
        umount "$mounted"
    done
    chmod -R u+rwX "$T" 2>/dev/null
    rm -rf "$T"
    exit "$code"
}
trap finish EXIT

q()
{
    "$QC_BIN/qcloud" "$@" >"$T/out" 2>"$T/err"
}

expect_exit()
{
    local want=$1 got=0
    shift
    q "$@" || got=$?
    [ "$got" = "$want" ] || fail "qcloud $*: exit $got, expected $want"
}

# operator COMMAND CODE TEXT..: the gateway's own program, on the state of one's own gateway
operator()
{
    local command=$1 want=$2 got=0 text
    shift 2
    "$QC_BIN/qcloud-gateway" "$command" --state "$QCLOUD_HOME/state/gateway" >"$T/out" 2>"$T/err" || got=$?
    [ "$got" = "$want" ] || fail "qcloud-gateway $command: exit $got, not $want: $(cat "$T/out" "$T/err")"
    for text in "$@"; do
        out_has "$text"
    done
}

out_has()
{
    grep -qF -- "$1" "$T/out" || fail "stdout lacks '$1': $(cat "$T/out")"
}

out_lacks()
{
    ! grep -qF -- "$1" "$T/out" || fail "stdout has '$1'"
}

err_has()
{
    grep -qF -- "$1" "$T/err" || fail "stderr lacks '$1'"
}

err_lacks()
{
    ! grep -qF -- "$1" "$T/err" || fail "stderr has '$1'"
}

err_three_parts()
{
    grep -A2 -F "qcloud: $1 " "$T/err" >"$T/parts" || fail "no message $1"
    sed -n 2p "$T/parts" | grep -q '^  data: .' || fail "message $1 has no second part"
    sed -n 3p "$T/parts" | grep -q '^  next: .' || fail "message $1 has no third part"
}

json_ok()
{
    /usr/bin/python3 - "$T/out" <<'END' || fail "not our JSON lines"
import json, sys
lines = open(sys.argv[1], encoding="utf-8").read().split("\n")
assert lines[-1] == "" and len(lines) > 1, lines
kinds = {"start", "item", "progress", "warning", "result", "error"}
for i, text in enumerate(lines[:-1]):
    j = json.loads(text)
    assert j["v"] == 1 and j["type"] in kinds, text
    last = i == len(lines) - 2
    assert (j["type"] in ("result", "error")) == last, text
    if j["type"] == "error":
        assert j["id"].startswith("E") and j["what"] and j["data"] and isinstance(j["next"], list), text
    if last:
        assert isinstance(j["exit"], int), text
END
}

# json_get EXPRESSION: a Python expression over `lines`, the last stdout's objects, is printed.
json_get()
{
    /usr/bin/python3 -c '
import json, sys
lines = [json.loads(t) for t in open(sys.argv[1], encoding="utf-8")]
print(eval(sys.argv[2]))' "$T/out" "$1"
}

mk_vault()
{
    local k=$1 n=$2 i args=()
    shift 2
    for i in $(seq 1 "$n"); do
        args+=(--cloud "c$i=file://$T/cloud$i")
    done
    expect_exit 0 init --local --k "$k" "${args[@]}" --share1 "$T/share1" --share2 "$T/share2" "$@"
}

lose_cloud()
{
    mv "$T/cloud$1" "$T/cloud$1.away"
}

bring_cloud()
{
    mv "$T/cloud$1.away" "$T/cloud$1"
}

lose_share()
{
    mv "$T/share$1" "$T/share$1.away"
}

bring_share()
{
    mv "$T/share$1.away" "$T/share$1"
}

# N bytes that do not compress and differ from call to call.
random_file()
{
    head -c "$2" /dev/urandom >"$1"
}

is_empty()
{
    [ -f "$1" ] || fail "$1 is no file"
    [ ! -s "$1" ] || fail "$1 is not empty"
}

same()
{
    cmp "$1" "$2" || fail "$1 and $2 differ"
}
