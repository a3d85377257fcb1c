#!/bin/bash
# cli/sites: the profile xor23 from end to end. Three sites, each with a gateway and clouds of its own: put, the loss
# of each, a site that was set back, one that lies, a put that is broken off, a rebuilt site, removal.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh" || exit 1
cd "$T" || exit 1
x=(--profile xor23)
letters='A B C'

mk_site()
{
    expect_exit 0 --site "$1" init "${x[@]}" --local --cloud "file://$T/cloud-$1" --no-passphrase \
        --share1 "$T/share1-$1" --share2 "$T/share2-$1"
    err_has "site $1 is there"
}
site_gateway()
{
    echo "$QCLOUD_HOME/state/sites/$1/gateway"
}
stop_sites()
{
    local s
    for s in $letters; do
        stop_gateway "$(site_gateway "$s")"
    done
}
# One byte of a share, in its second chunk.
flip()
{
    /usr/bin/python3 - "$1" <<'END'
import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(40 + 112 + 2**20 + 112 + 7)
    byte = f.read(1)[0]
    f.seek(-1, 1)
    f.write(bytes([byte ^ 1]))
END
}
# A site whose share stores are not there cannot be opened: it is lost, as far as the user can tell.
lose_site()
{
    mv "share1-$1" "share1-$1.away"
    mv "share2-$1" "share2-$1.away"
}
bring_site()
{
    mv "share1-$1.away" "share1-$1"
    mv "share2-$1.away" "share2-$1"
}

# told COMMAND ARGS..: its lines of --json are kept; at the end all of them are as docs/schema says
told()
{
    local schema=$1
    shift
    expect_exit 0 --json "$@"
    json_ok
    sed "s/^/$schema\t/" out >>told
}

# What each profile is for, before there is anything: as if.
expect_exit 0 profiles
out_has 'vault: not set up; as if any 3 of 5 clouds'
out_has 'xor23: for what nobody may ever open'
out_has '1.67 bytes for each byte'
expect_exit 2 --site A profiles
expect_exit 2 profiles --size 0
expect_exit 2 put --profile raid tests
err_has 'ec, xor23, shamir or mirror'

# Nothing is set up; then one, two, three.
random_file one 3000001
expect_exit 10 put "${x[@]}" one
err_three_parts E1002
expect_exit 2 init "${x[@]}" --local --cloud "file://$T/cloud-A" --no-passphrase
err_three_parts E0202
err_has 'xor23 is kept at three sites'
mk_site A
expect_exit 6 put "${x[@]}" one
err_three_parts E0609
err_has 'site B: it is not set up'
expect_exit 7 ls "${x[@]}"
mk_site B
expect_exit 4 site list
out_has 'C  none'
expect_exit 6 put "${x[@]}" one
mk_site C
told site-list site list
expect_exit 0 profiles --size 1000001 --json
json_ok
[ "$(json_get '[(j["profile"], [(p["place"], p["known"], p["k"], p["n"]) for p in j["places"]][-1], j["random"]) for j in lines if j["type"] == "item"]')" = \
    "[('ec', ('vault', False, 3, 5), 0), ('xor23', ('C', True, 1, 1), 1000194), ('shamir', ('C', True, 1, 1), 1000194), ('mirror', ('C', True, 1, 1), 192)]" ] || fail "profiles"

# Any length, a tree, a pipe; the bytes, the time and the mode come back.
: >empty
printf x >tiny
head -c $((2 * 1024 * 1024)) one >two
chmod 640 one
touch -d '2001-02-03 04:05:06.789 UTC' one
expect_exit 0 put "${x[@]}" empty tiny two one tree/
err_has 'among three sites, shares from aes-256-ctr; loss budget 1'
for f in empty tiny two one; do
    expect_exit 0 get "${x[@]}" "tree/$f" "back-$f"
    same "$f" "back-$f"
done
[ "$(stat -c '%a %y' one)" = "$(stat -c '%a %y' back-one)" ] || fail "time or mode of back-one"
cp tiny attribute
if /usr/bin/python3 -c 'import os; os.setxattr("attribute", "user.a", b"1")' 2>/dev/null; then # where the file system has them
    expect_exit 4 put "${x[@]}" attribute tree/tiny
    err_has "stored 'tree/tiny' without its 1 extended attribute: sites keep none"
fi
"$QC_BIN/qcloud" put "${x[@]}" - pipe <one 2>err || fail "put from a pipe"
"$QC_BIN/qcloud" get "${x[@]}" pipe - >back-pipe 2>err || fail "get into a pipe"
same one back-pipe
expect_exit 0 get -r "${x[@]}" tree back-tree
same one back-tree/one
expect_exit 0 ls -l "${x[@]}"
out_has 'sites ABC  tree/one'
expect_exit 5 put --if-absent "${x[@]}" one pipe
expect_exit 3 get "${x[@]}" none
err_three_parts E0305
expect_exit 0 explain "${x[@]}" pipe
out_has 'shares   aes-256-ctr'
out_has 'os:getrandom policy=os health=kernel bulk=aes-256-ctr'
printf x >tiny
told put put "${x[@]}" tiny told
told get get "${x[@]}" told back-told
told ls ls "${x[@]}"
told stat stat "${x[@]}" told
told explain explain "${x[@]}" told
told verify verify "${x[@]}" told
told rm rm "${x[@]}" told
expect_exit 0 stat "${x[@]}" pipe
out_has 'budget   1 (3 of 3 sites agree'

# A site is a vault like any other; its gateway has nothing in clear, neither the data nor its own share of it.
expect_exit 0 --site B ls
out_has 'tree/one'
expect_exit 0 --site B get pipe share-B
cmp -s one share-B && fail "site B has the data"
[ "$(stat -c %s share-B)" = $((40 + 3 * 112 + 3000002)) ] || fail "the size of a share file"
expect_exit 0 --site C verify
expect_exit 2 --site D ls
expect_exit 2 --site A ls "${x[@]}"

# Each site goes: everything is there, with a warning; nothing new is taken. Two go: one share says nothing.
random_file new 100000
for s in $letters; do
    lose_site "$s"
    expect_exit 0 get -f "${x[@]}" tree/one back
    same one back
    err_has W0419
    err_has "site $s"
    expect_exit 4 --strict get -f "${x[@]}" tree/one back
    expect_exit 4 verify "${x[@]}" tree/
    err_three_parts E0412
    expect_exit 6 put "${x[@]}" new tree/one
    err_three_parts E0609
    bring_site "$s"
done
lose_site B
lose_site C
expect_exit 7 get "${x[@]}" tree/one none
err_three_parts E0706
[ ! -e none ] || fail "a file was made"
expect_exit 7 ls "${x[@]}"
bring_site B
bring_site C
expect_exit 0 --strict get -f "${x[@]}" tree/one back
expect_exit 0 verify "${x[@]}"

# A site lies: it has another file, or another object's share, under the name. It is found, named, and not believed.
expect_exit 0 --site C put new pipe
expect_exit 0 get -f "${x[@]}" pipe back
same one back
err_has 'site C'
err_has W0420
expect_exit 4 --strict get -f "${x[@]}" pipe back
expect_exit 4 verify "${x[@]}" pipe
out_has 'degraded  pipe: site C'
expect_exit 0 --site A get -f tree/two share-A
expect_exit 0 --site A put share-A pipe
expect_exit 8 get -f "${x[@]}" pipe back
err_three_parts E0809
same one back
expect_exit 0 put "${x[@]}" one pipe # a new sharing: all is well again
expect_exit 0 --strict get -f "${x[@]}" pipe back

# One byte of a share, changed by whoever has the site's keys: the tags tell which chunk and whose.
expect_exit 0 --site B get -f tree/one share-B
flip share-B
expect_exit 0 --site B put share-B tree/one
expect_exit 0 get -f "${x[@]}" tree/one back
same one back
err_has 'site B, from chunk 1 on'
expect_exit 4 verify "${x[@]}" tree/
out_has 'degraded  tree/one: site B'
expect_exit 0 site rebuild tree/one
expect_exit 0 --strict verify "${x[@]}"

# Set back: site A has the sharing before, whole and valid. The two others agree.
expect_exit 0 --site A get -f tree/two share-A
expect_exit 0 put "${x[@]}" new tree/two
expect_exit 0 --site A put share-A tree/two
expect_exit 0 get -f "${x[@]}" tree/two back
same new back
err_has 'site A: another object or version than the two others'
expect_exit 0 stat "${x[@]}" tree/two
out_has 'site A   v3'
out_has 'another version than the two others'
told site-rebuild site rebuild tree/two
expect_exit 0 --strict get -f "${x[@]}" tree/two back

# The same by the site's gateway, behind the back of everybody: the vault there has seen more.
stop_sites
cp -a "$(site_gateway B)" gateway-B
cp -a cloud-B cloud-B.old
printf '[three]\nprofile = xor23\n' >"$QCLOUD_HOME/policies.conf"
expect_exit 0 put --policy three one late
stop_sites
rm -rf "$(site_gateway B)" cloud-B
cp -a gateway-B "$(site_gateway B)"
cp -a cloud-B.old cloud-B
expect_exit 0 get -f "${x[@]}" late back
same one back
err_has 'site B'
err_has rollback

# It is lost for good: another takes its place, and gets new shares; the old ones fit nothing any more.
expect_exit 0 --site A get -f late share-A
told site-remove site remove B
[ -f "$QCLOUD_HOME/sites/B.removed-1/qcloud.conf" ] || fail "what was removed is not kept"
expect_exit 4 site list
stop_sites
mv cloud-B cloud-B.lost
rm -rf share1-B share2-B
mk_site B
expect_exit 0 ls -l "${x[@]}"
out_has 'sites A-C  late'
expect_exit 0 site rebuild
err_has 'shared anew: 6 objects; 0 whole'
expect_exit 0 site rebuild
err_has 'shared anew: 0 objects; 6 whole'
expect_exit 0 --strict verify "${x[@]}"
expect_exit 0 --site A get -f late new-A
cmp -s share-A new-A && fail "site A kept its old share"
lose_site C
expect_exit 0 get -f "${x[@]}" late back
same one back
bring_site C

# Broken off at any moment between the commits: what two sites agree on is there, old or new, never nothing.
if [ "${QC_FAULTS:-0}" = 1 ]; then
    before=one
    for hits in 1 2 3; do
        random_file "new$hits" 70000
        QC_FAULT="client_receipt:kill:$hits" "$QC_BIN/qcloud" put "${x[@]}" "new$hits" late >out 2>err && fail "not killed"
        expect_exit 0 get -f "${x[@]}" late back
        if [ "$hits" -ge 2 ]; then
            before=new$hits
        fi
        same "$before" back
    done
    # the odd one goes first: after it alone nothing has changed
    expect_exit 0 --site B put tiny late
    QC_FAULT=client_receipt:kill:1 "$QC_BIN/qcloud" put "${x[@]}" one late >out 2>err && fail "not killed"
    expect_exit 0 get -f "${x[@]}" late back
    same "$before" back
    expect_exit 0 put "${x[@]}" one late
    expect_exit 0 --strict get -f "${x[@]}" late back
    same one back
fi

# For comparison, at the same sites: any two of three of Shamir's, any one of the copies. Damage is found and named.
for p in shamir mirror; do
    expect_exit 0 put --profile "$p" empty tiny one "$p/"
    expect_exit 0 stat --profile "$p" "$p/one"
    out_has "profile  $p"
    expect_exit 0 get "${x[@]}" "$p/tiny" - # how it is kept is what the sites say
    cmp -s tiny out || fail "tiny of $p"
    expect_exit 0 --site B get -f "$p/one" share-B
    [ "$(stat -c %s share-B)" = $((40 + 3 * 112 + 3000002)) ] || fail "the size of a file of $p"
    for s in $letters; do
        lose_site "$s"
        expect_exit 0 get -f --profile "$p" "$p/one" back
        same one back
        err_has "site $s"
        err_has 'confirmed by two sites'
        bring_site "$s"
    done
    flip share-B
    expect_exit 0 --site B put share-B "$p/one"
    expect_exit 0 get -f --profile "$p" "$p/one" back
    same one back
    err_has 'site B, from chunk 1 on'
    expect_exit 4 verify --profile "$p" "$p/one"
    expect_exit 0 site rebuild "$p/one"
    expect_exit 0 stat --profile "$p" "$p/one"
    out_has "profile  $p"
    expect_exit 0 --strict verify --profile "$p" "$p/"
done
lose_site A
lose_site C
expect_exit 7 get --profile shamir shamir/one none
expect_exit 7 get "${x[@]}" mirror/one none # nobody has said that one site alone is to be believed
expect_exit 7 get --profile mirror shamir/one none
[ ! -e none ] || fail "a file was made"
expect_exit 0 get -f --profile mirror mirror/one back
same one back
err_has 'from one site alone, which no other confirms'
expect_exit 0 stat --profile mirror mirror/one
out_has 'budget   0 (1 of 3 sites agree, any one is enough)'
expect_exit 0 ls --profile mirror mirror/
bring_site A
bring_site C
expect_exit 0 rm --profile mirror mirror/one mirror/empty mirror/tiny
expect_exit 3 get --profile mirror mirror/one none
expect_exit 0 rm "${x[@]}" shamir/one shamir/empty shamir/tiny

# Removed; with a site away, the others know; what it has left says nothing.
expect_exit 0 rm "${x[@]}" pipe
expect_exit 3 get "${x[@]}" pipe none
lose_site B
expect_exit 4 rm "${x[@]}" late
err_three_parts E0402
bring_site B
expect_exit 3 get "${x[@]}" late none
expect_exit 0 rm "${x[@]}" late
expect_exit 3 rm "${x[@]}" late
expect_exit 0 put "${x[@]}" one late
expect_exit 0 --strict get -f "${x[@]}" late back

# Policy required and no source in health: refused, nothing sent.
mkdir -p "$QCLOUD_HOME"
cat >"$QCLOUD_HOME/random.conf" <<END
[policy]
xor23 = required
[source away]
kind = device
path = $T/no-such-device
END
expect_exit 13 put "${x[@]}" one never
sed -i 's/^xor23 = /ec = /' "$QCLOUD_HOME/random.conf" # another profile's policy
expect_exit 0 put "${x[@]}" one by-profile
rm "$QCLOUD_HOME/random.conf"
expect_exit 3 get "${x[@]}" never none
/usr/bin/python3 -B "$QC_SOURCE/tests/cli/schemas.py" --lines told >kinds || fail "lines of --json"
for kind in stored got listed told explained removed verified item; do
    grep -qw "$kind" kinds || fail "no line was of the kind $kind: $(cat kinds)"
done
echo "sites: put, three losses, lies, a set back site, a rebuilt one, shamir and mirror, removal"
