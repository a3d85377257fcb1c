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
