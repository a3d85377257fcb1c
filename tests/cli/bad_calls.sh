#!/bin/bash
# cli/bad_calls: command lines, environments and configurations that make no sense: exit 2 or 10, a message in three
# parts, and nothing done.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh" || exit 1
cd "$T" || exit 1
echo x >f

# Before there is a vault.
for words in 'put f' 'get f' 'ls' 'stat f' 'rm f' 'verify' 'recover --share 1' 'status' 'gateway status'; do
    # shellcheck disable=SC2086  # words are words
    expect_exit 10 $words
    err_three_parts E1001
done
[ ! -e "$QCLOUD_HOME" ] || fail "something was written without a vault"

# bad EXIT WORDS CODE: the words are split at blanks.
bad()
{
    local words
    read -r -a words <<<"$2"
    expect_exit "$1" "${words[@]}"
    err_three_parts "$3"
    [ ! -s out ] || fail "stdout: $(cat out)"
    expect_exit "$1" --json "${words[@]}"
    json_ok
    [ "$(json_get "lines[-1]['exit']")" = "$1" ] || fail "exit in JSON"
}
bad 2 'pu f' E0201
expect_exit 2 pu f
err_has "put"
bad 2 'put' E0201
bad 2 'put --nonsense f' E0201
bad 2 'ls a b' E0201
bad 2 '--progress=sometimes ls' E0201
bad 2 'init' E0202
bad 2 'init --local' E0202
bad 2 'init --local --join' E0202
bad 2 'init --local --cloud /plain/dir' E0202
bad 2 'init --local --cloud file:///a --k 2' E0202
bad 2 'init --local --cloud file:///a --k 0' E0202
bad 2 'init --local --cloud file:///a --n 2' E0202
bad 2 'init --local --cloud ftp://a' E0202
bad 2 'init --local --cloud file://user:pass@host/a' E0202
bad 2 "init --local --cloud file://$T/c1 --share1 $T/s --share2 $T/s/below" E0202
bad 2 "init --local --cloud file://$T/c1 stray" E0202
bad 7 "init --join $T/none" E0704
[ ! -e "$QCLOUD_HOME/qcloud.conf" ] || fail "a configuration without a vault"

# Secrets in the environment are refused by every command that could use them.
for name in QCLOUD_PASSPHRASE QCLOUD_TOKEN; do
    env "$name=secret-canary" "$QC_BIN/qcloud" ls >out 2>err
    [ $? = 2 ] || fail "$name was taken"
    err_has "$name is set"
    err_lacks secret-canary
done

# Configurations that are broken.
mkdir -p "$QCLOUD_HOME"
bad_conf()
{
    printf '%b' "$2" >"$QCLOUD_HOME/qcloud.conf"
    expect_exit "$1" ls
    err_has "$3"
    err_has 'next: '
}
bad_conf 2 '[vault]\nshere1 = /x\n' "unknown key 'shere1'; the nearest is 'share1'"
bad_conf 2 '[volt]\n' "the nearest is 'vault'"
bad_conf 2 'id = 1\n' 'line 1'
bad_conf 10 '' 'has no [vault]'
bad_conf 10 '[vault]\nid = 000102030405060708090a0b0c0d0e0f\n' "'share1' is missing"
bad_conf 2 '[vault]\nid = 000102030405060708090a0b0c0d0e0f\nshare1 = relative\n' 'absolute'
bad_conf 10 '[vault]\nid = 000102030405060708090a0b0c0d0e0f\nshare1=/a\nshare2=/b\ngateway=local\n' 'gateway'
head -c 100000 /dev/zero >"$QCLOUD_HOME/qcloud.conf"
expect_exit 14 ls
rm -r "$QCLOUD_HOME"

# Share stores and clouds in places that are taken.
mkdir -p taken
echo mine >taken/file
expect_exit 2 init --local --cloud "file://$T/c1" --share1 "$T/taken" --share2 "$T/s2"
err_three_parts E0202
err_has 'not empty'
[ ! -e "$QCLOUD_HOME/qcloud.conf" ] || fail "a configuration was written"
mk_vault 2 3
expect_exit 2 init --local --cloud "file://$T/c9"
err_has 'already set up'
export QCLOUD_HOME=$T/home2
expect_exit 2 init --local --cloud "file://$T/cloud1" --cloud "file://$T/new2" --share1 "$T/n1" --share2 "$T/n2"
expect_exit 2 init --local --cloud "file://$T/new3" --share1 "$T/share1" --share2 "$T/n2"
err_has 'already a share store'
expect_exit 2 init --join "$T/share1"
err_has '--take-over'
[ ! -e "$QCLOUD_HOME/qcloud.conf" ] || fail "a configuration was written"
export QCLOUD_HOME=$T/home

# Arguments of commands in a vault that works.
expect_exit 2 put f g h
err_has 'PREFIX/'
expect_exit 2 put - dir/
expect_exit 2 put "$T"
err_has 'put -r'
expect_exit 2 put -r f
expect_exit 2 put -r a b c
expect_exit 3 put none
expect_exit 2 get a b c
expect_exit 2 get -r a
expect_exit 2 recover
expect_exit 2 recover --share 3
expect_exit 2 recover --share 1 --to "$T/share2"
expect_exit 2 help nonsense
expect_exit 2 --timeout never ls

expect_exit 2
err_has 'no command'

# Help: on stdout, exit 0, for each command with examples and exit codes.
expect_exit 0 --help
out_has 'init'
out_has 'Exit codes'
for c in init put get ls stat rm verify recover status 'gateway status' 'gateway rebuild' 'gateway kit'; do
    # shellcheck disable=SC2086  # a command of two words is two words
    expect_exit 0 $c --help
    out_has 'Examples:'
    out_has 'Exit codes:'
    [ ! -s err ] || fail "help of $c talks on stderr"
    # shellcheck disable=SC2086  # words again
    expect_exit 0 help $c
done
expect_exit 0 limits
out_has QC_JSON_MAX
echo "bad_calls: all refused"
