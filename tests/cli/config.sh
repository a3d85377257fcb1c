#!/bin/bash
# cli/config: qcloud.conf, key by key: shown, asked, changed with its comments kept, refused where it would not be read again.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh" || exit 1
cd "$T" || exit 1
expect_exit 10 config show
mk_vault 2 3
conf=$QCLOUD_HOME/qcloud.conf
id=$(sed -n 's/^id = //p' "$conf")

expect_exit 0 config show
printf '%s\n' "vault.id = $id" "vault.share1 = $T/share1" "vault.share2 = $T/share2" "vault.gateway = local" "gateway.idle = 30" >want
same want out
expect_exit 0 config show --json
json_ok
expect_exit 0 config get vault.share2
[ "$(cat out)" = "$T/share2" ] || fail "get: $(cat out)"
expect_exit 2 config get vault.share3
err_has "did you mean 'vault.share"
expect_exit 3 config get gateway.ca
err_three_parts E0309

# A store on another stick: the vault opens with it, and what somebody wrote into the file is still there.
printf '# mine\n[gateway]\n; also mine\nidle = 30\n' | cat - <(grep -v -e '^\[gateway' -e '^idle' "$conf") >edited
cp edited "$conf"
mv share2 stick
expect_exit 0 config set vault.share2 "$T/stick"
[ "$(cat out)" = "vault.share2 = $T/stick" ] || fail "set: $(cat out)"
sed "s|^share2 = .*|share2 = $T/stick|" edited >want
same want "$conf"
[ "$(stat -c %a "$conf")" = 600 ] || fail "mode"
echo text >text
expect_exit 0 put text
expect_exit 0 config set gateway.idle 60
sed -i 's/^idle = .*/idle = 60/' want
same want "$conf"

# Padding: of one put, or of all that are stored, whatever the command; what comes back has none.
padding_of() # SIZE
{
    /usr/bin/python3 -c '
import math, sys
L = int(sys.argv[1])                # as the paper computes it
E = math.floor(math.log2(L))
mask = 2 ** (E - math.floor(math.log2(E)) - 1) - 1
print(((L + mask) & ~mask) - L)' "$1"
}
is_padded() # NAME BYTES
{
    expect_exit 0 --json explain "$1"
    json_ok
    [ "$(json_get 'lines[1]["padding"]')" = "$2" ] || fail "$1 has other padding than $2: $(cat out)"
}
random_file secret 70001
random_file other 69700
want=$(padding_of 70001)
[ "$want" = 1679 ] || fail "the computation: $want"
expect_exit 0 --json put --pad secret once
json_ok
[ "$(json_get 'lines[1]["padding"]')" = "$want" ] || fail "put --pad: $(cat out)"
stored=$(json_get 'lines[1]["stored"]')
expect_exit 0 --json put --pad other
[ "$(json_get 'lines[1]["stored"]')" = "$stored" ] || fail "two of one padded size: $stored, $(cat out)"
expect_exit 0 put --pad secret again
err_has "and 1.6 KiB of padding"
expect_exit 0 put secret again
is_padded again 0
expect_exit 2 config set vault.pad perhaps
err_has "neither 'yes' nor 'no'"
expect_exit 0 config set vault.pad yes
expect_exit 0 --json reseal again
json_ok
is_padded again "$want"
mkdir tree
for i in 1 2 3 4 5; do cp secret "tree/$i"; done
expect_exit 0 sync tree t/
is_padded t/3 "$want"
cp other tree/3
expect_exit 0 put -r tree u
is_padded u/3 "$(padding_of 69700)"
is_padded u/5 "$want"
expect_exit 0 get u/5 back
same secret back
expect_exit 0 get -r u all
diff -r tree all || fail "a padded tree"
expect_exit 0 cat --range 69998- u/5
same <(tail -c 3 secret) out
expect_exit 2 cat --range 70000-70001 u/5
expect_exit 0 --json stat --version 3 again
json_ok
[ "$(json_get 'lines[1]["padding"], lines[1]["size"]')" = "($want, 70001)" ] || fail "stat: $(cat out)"
expect_exit 0 verify
expect_exit 0 config set vault.pad no
grep -v '^pad = ' "$conf" >without
cp without "$conf"

# Policies: what a name asks for, and nothing sent where it cannot be had.
expect_exit 10 put --policy lab secret
err_has "no policy 'lab'; there is none"
printf '%s\n' '[lab]' 'pad = yes' 'level = otp' 'random = os' '[q]' 'random = required' '[three]' 'profile = xor23' '[all]' 'wait = full' \
    >"$QCLOUD_HOME/policies.conf"
expect_exit 0 config check
expect_exit 0 --json put --policy lab secret by-policy
json_ok
[ "$(json_get 'lines[1]["padding"]')" = "$want" ] || fail "put --policy lab: $(cat out)"
expect_exit 10 put --policy lib secret
err_three_parts E1001
err_has "no policy 'lib'; there are: lab q three all"
expect_exit 13 put --policy q secret no
err_three_parts E1301
err_has "policy 'q': a source of random numbers is required, and random.conf has none"
expect_exit 3 stat no
expect_exit 10 put --policy three secret
err_has 'the sites A, B and C of this profile are not set up'
expect_exit 2 put --policy lab --profile xor23 secret
err_has "policy 'lab' has the profile ec"
expect_exit 2 put --policy all --wait quorum secret
expect_exit 0 put --policy all --profile ec secret by-policy
mkdir folder
cp secret folder/secret
for words in 'three folder by/' 'lab by/ folder'; do
    # shellcheck disable=SC2086 # several words
    expect_exit 2 sync --policy $words
done
err_has 'is of what is stored, and nothing is'
expect_exit 2 watch --policy three folder by/
err_has "policy 'three' has the profile xor23, and watch is for the profile ec"
expect_exit 13 sync --policy q folder by/
expect_exit 3 stat by/secret
expect_exit 0 --json sync --policy lab folder by/
[ "$(json_get '[l["padding"] for l in lines if "padding" in l]')" = "[$want]" ] || fail "sync --policy lab: $(cat out)"
echo 'levl = otp' >>"$QCLOUD_HOME/policies.conf"
expect_exit 2 put --policy lab secret
err_has "policies.conf: line 11: unknown key 'levl'; the nearest is 'level'"
expect_exit 2 config check
rm "$QCLOUD_HOME/policies.conf"

# A section, or a key, that was not there yet.
printf '[vault]\nid = %s\nshare1 = %s\nshare2 = %s\ngateway = local' "$id" "$T/share1" "$T/stick" >"$conf"
expect_exit 0 config set gateway.idle 90
expect_exit 0 config get gateway.idle
[ "$(cat out)" = 90 ] || fail "a new section: $(cat "$conf")"
printf '[gateway]\n\n[vault]\nid = %s\nshare1 = %s\nshare2 = %s\ngateway = local\n' "$id" "$T/share1" "$T/stick" >"$conf"
expect_exit 0 config set gateway.idle 91
[ "$(sed -n 3p "$conf")" = 'idle = 91' ] || fail "a new key: $(cat "$conf")"
expect_exit 0 config check

# Refused, and nothing changes.
cp "$conf" want
for bad in "vault.id $id" 'gateway.idle never' 'gateway.idle 0' 'vault.share1 relative' 'vault.gateway ftp://x' "gateway.ca $T/ca" 'vaults.id 1' 'idle 3'; do
    # shellcheck disable=SC2086 # two words
    expect_exit 2 config set $bad
    same want "$conf"
done
expect_exit 2 config set vault.share1 $'/a\n[gateway]'
same want "$conf"
echo 'idle = 5' >>"$conf"
expect_exit 2 config check
err_has 'line 9'
echo "ok"
