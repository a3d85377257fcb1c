#!/bin/bash
# cli/environment: vaults of a name beside the one without; another configuration; what the environment says, and what wins
# over it: sizes, JSON, the log's file, colour, places; config show --origin says which. Nothing of it goes into a file.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh" || exit 1
cd "$T" || exit 1
random_file f 3000000
random_file g 1500
conf=$QCLOUD_HOME/vaults/lab/qcloud.conf

# Two vaults of one user: neither sees anything of the other.
mk_vault 1 1
mkdir -p lab
expect_exit 0 --vault lab init --local --cloud "file://$T/lab/c1" --share1 "$T/lab/s1" --share2 "$T/lab/s2"
for place in "$conf" "$QCLOUD_HOME/state/vaults/lab/gateway"; do
    [ -e "$place" ] || fail "the places of a vault: $(find "$QCLOUD_HOME")"
done
expect_exit 0 put g
expect_exit 0 --vault lab put f
expect_exit 0 ls
[ "$(cat out)" = g ] || fail "the vault without a name: $(cat out)"
QCLOUD_VAULT=lab expect_exit 0 ls
[ "$(cat out)" = f ] || fail "the vault of a name: $(cat out)"
QCLOUD_VAULT=none expect_exit 0 --vault lab ls
[ "$(cat out)" = f ] || fail "the option does not win: $(cat out)"
expect_exit 10 --vault labs ls
err_has "no vault 'labs' is set up"
err_has "did you mean 'lab'?"
expect_exit 0 completion names vaults l
[ "$(cat out)" = lab ] || fail "names of vaults: $(cat out)"
expect_exit 0 completion names -- objects '' get --force # of the vault that the line is about
[ "$(cat out)" = g ] || fail "names of a line without a vault: $(cat out)"
for words in '--vault lab' '--vault=lab' '--vault = lab' "--vault lab --config $conf"; do
    # shellcheck disable=SC2086 # several words
    expect_exit 0 completion names -- objects '' get $words --force
    [ "$(cat out)" = f ] || fail "names of a line with $words: $(cat out)"
done
# What is to be run next means the same vault, if the option said which: the environment is there then, too.
expect_exit 3 --vault lab get none
err_has 'next: qcloud --vault lab ls'
expect_exit 3 --json --vault lab get none
[ "$(json_get 'lines[-1]["next"][0]')" = "['qcloud', '--vault', 'lab', 'ls']" ] || fail "next: $(cat out)"
QCLOUD_VAULT=lab expect_exit 3 get none
err_has 'next: qcloud ls'
export QCLOUD_VAULT=lab

# A configuration elsewhere: the rest of the vault stays where it is.
sed 's/^idle = .*/idle = 7/' "$conf" >mine.conf
for words in '--config mine.conf' "--config $T/mine.conf"; do
    # shellcheck disable=SC2086 # two words
    expect_exit 0 $words config get gateway.idle
    [ "$(cat out)" = 7 ] || fail "$words: $(cat out)"
done
# That of another vault: its gateway has nothing of this one, and is not called green.
for command in ls status doctor 'put g'; do
    # shellcheck disable=SC2086 # two words
    expect_exit 10 --config "$QCLOUD_HOME/qcloud.conf" $command
    cat out >>err
    err_has 'has no such vault'
    out_lacks 'verdict: green'
done
expect_exit 2 --config "$(printf '%300d' 0)" ls
expect_exit 10 --config none.conf doctor
out_has 'next: qcloud --config none.conf init --help'
QCLOUD_CONFIG=mine.conf expect_exit 0 ls
[ "$(cat out)" = f ] || fail "a configuration of the environment: $(cat out)"
QCLOUD_CONFIG=mine.conf expect_exit 0 config set gateway.idle 8
grep -q '^idle = 8$' mine.conf || fail "config set wrote elsewhere"
grep -q '^idle = 30$' "$conf" || fail "config set wrote to both"

# Sizes, for people alone.
QCLOUD_UNITS=si expect_exit 0 ls -l
out_has ' 3.0 MB '
QCLOUD_UNITS=si expect_exit 0 ls -l --units raw
out_has ' 3000000 B '
QCLOUD_UNITS=si expect_exit 0 --json stat f
[ "$(json_get 'lines[1]["size"]')" = 3000000 ] || fail "JSON has other sizes: $(cat out)"
QCLOUD_JSON=1 QCLOUD_UNITS=raw expect_exit 0 stat f
json_ok
[ "$(json_get 'lines[1]["name"], lines[1]["size"]')" = "('f', 3000000)" ] || fail "QCLOUD_JSON=1: $(cat out)"
QCLOUD_JSON=no expect_exit 0 ls
[ "$(cat out)" = f ] || fail "QCLOUD_JSON=no: $(cat out)"
QCLOUD_JSON=yes expect_exit 2 put --nonsense
json_ok
# A text that helps comes whatever the environment says.
QCLOUD_JSON=perhaps QCLOUD_UNITS=x QCLOUD_LOG_FILE=/none/such expect_exit 0 put --help
out_has 'QCLOUD_UNITS'

# Colour and levels.
TERM=xterm NO_COLOR=1 expect_exit 3 --color always get none
err_has $'\033[1;31mqcloud: E0301\033[0m'
expect_exit 3 get none
err_lacks $'\033'
QCLOUD_LOG=quiet expect_exit 0 put g
[ ! -s err ] || fail "quiet: $(cat err)"
QCLOUD_LOG=quiet expect_exit 3 -v get none
err_has 'not-found at '

# The log: what was said, with the time, for its owner alone; never a passphrase or a token.
umask 022
QCLOUD_LOG_FILE=log expect_exit 3 get none
QCLOUD_LOG_FILE=/none/such expect_exit 3 --json --log-file log get none
QCLOUD_LOG_FILE=log expect_exit 2 put --nonsense
expect_exit 0 --log-file log put g
QCLOUD_LOG_FILE=log QCLOUD_TOKEN=hush expect_exit 2 ls
[ "$(stat -c %a log)" = 600 ] || fail "mode of the log: $(stat -c %a log)"
[ "$(grep -vcE '^20[0-9-]{8}T[0-9:]{8}Z \[[0-9]+\] (qcloud: |  )' log)" = 0 ] || fail "a line of the log: $(cat log)"
[ "$(grep -c 'E0301 cannot read .none.' log)" = 2 ] || fail "the log: $(cat log)"
for said in 'E0201 unknown option --nonsense' "stored 'g'" 'QCLOUD_TOKEN is set'; do
    grep -qF "$said" log || fail "the log lacks $said: $(cat log)"
done
grep -q hush log && fail "a secret in the log"

# Places of the environment hold, and are not written anywhere.
cp "$conf" before
mv lab/s2 lab/s2.moved
QCLOUD_SHARE2=$T/lab/s2.moved expect_exit 0 --strict verify
QCLOUD_SHARE2=$T/lab/s2.moved expect_exit 0 config show
out_has "vault.share2 = $T/lab/s2.moved"
QCLOUD_SHARE1=$T/lab/new QCLOUD_SHARE2=$T/lab/s2.moved expect_exit 0 recover --share 1
[ -d lab/new ] || fail "recover went elsewhere"
same before "$conf"
QCLOUD_SHARE2=$T/lab/s2.moved expect_exit 0 recover --share 1 --to "$T/lab/third"
sed "s|^share1 = .*|share1 = $T/lab/third|" before >want
same want "$conf"
QCLOUD_GATEWAY=unix:$T/none expect_exit 12 ls
err_has 'no token'
QCLOUD_GATEWAY=unix:$T/none expect_exit 0 config get vault.gateway
[ "$(cat out)" = "unix:$T/none" ] || fail "the gateway: $(cat out)"
QCLOUD_SHARE2=/elsewhere expect_exit 0 config set vault.share2 "$T/lab/s2.moved"
err_has 'QCLOUD_SHARE2 is set, and wins over the file'

# Which of them won.
QCLOUD_SHARE2=$T/lab/s2.moved QCLOUD_UNITS=si QCLOUD_PROGRESS=plain expect_exit 0 config show --origin --units raw --limit-rate 2M
id=$(sed -n 's/^id = //p' "$conf")
line() { grep -n "^$1 = " "$conf" | cut -d: -f1; }
printf '%s\n' "line $(line id): vault.id = $id" "line $(line share1): vault.share1 = $T/lab/third" \
    "environment QCLOUD_SHARE2: vault.share2 = $T/lab/s2.moved" "line $(line gateway): vault.gateway = local" 'default: vault.pad = no' \
    "line $(line idle): gateway.idle = 30" 'option --limit-rate: gateway.limit-rate = 2M' 'environment QCLOUD_VAULT: vault = lab' 'default: json = no' \
    'environment QCLOUD_PROGRESS: progress = plain' 'default: log = normal' 'option --units: units = raw' 'default: color = auto' >want
same want out
QCLOUD_SHARE2=$T/lab/s2.moved expect_exit 0 --json config show --origin
json_ok
[ "$(json_get '[(l["origin"], l.get("by"), l.get("line", 0) > 0) for l in lines[1:4]]')" = \
    "[('file', None, True), ('file', None, True), ('environment', 'QCLOUD_SHARE2', False)]" ] || fail "origin: $(cat out)"

# A vault may be made by what the environment says.
unset QCLOUD_VAULT
export QCLOUD_HOME=$T/home2
QCLOUD_SHARE1=$T/n1 QCLOUD_SHARE2=$T/n2 QCLOUD_GATEWAY=local expect_exit 0 init --cloud "file://$T/c9"
grep -q "^share1 = $T/n1\$" "$QCLOUD_HOME/qcloud.conf" || fail "init: $(cat "$QCLOUD_HOME/qcloud.conf")"
stop_gateway
export QCLOUD_HOME=$T/home
stop_gateway "$QCLOUD_HOME/state/vaults/lab/gateway"
echo "environment: ok"
