#!/bin/bash
# cli/losses: clouds and share stores go; what still works, what is refused, and how it is said.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh" || exit 1
cd "$T" || exit 1
mk_vault 3 5
random_file a 2500000
expect_exit 0 put a

# A cloud is missing: put is degraded and says so, get warns, status and --strict count it.
lose_cloud 2
expect_exit 4 put a b
err_three_parts E0401
err_has 'c2'
err_has 'missing: c2: '
err_has 'data 1 of 2'
expect_exit 0 --degraded-ok put a b2
for _ in 1 2 3; do # told each time, also when nobody asks that cloud any more
    expect_exit 0 get -f a back
    same a back
    err_has 'some clouds did not serve: c2 ('
    expect_exit 4 --strict get -f b back
done
expect_exit 4 status
out_has 'c2           lost'
expect_exit 0 stat b
out_has 'data 1 of 2'

# A share store alone is missing: a warning, which --strict counts, also where no object is named.
lose_share 2
expect_exit 0 ls
err_has W0402
err_has 'losing share 1 too loses all that it knows: 3 objects, with folders and the trash'
expect_exit 4 --strict ls
expect_exit 4 --strict stat a
bring_share 2
expect_exit 0 --strict stat a

# Two clouds and a share store: everything comes back, with warnings; put is refused and sends nothing.
lose_cloud 4
lose_share 1
expect_exit 4 status # now it is known; a read alone may happen not to need cloud 4
expect_exit 0 get -f a back
same a back
err_has W0402
err_has 'share store 1 ('
grep -q '): is missing' "$T/err" && fail "a stray colon"
[ "$(grep -c W0401 "$T/err")" = 1 ] || fail "not one warning for all clouds"
grep W0401 "$T/err" | grep -q 'c2 (.*c4 (\|c4 (.*c2 (' || fail "the warning names not both clouds"
grep -q '[^0-9]1 fragments' "$T/err" && fail "1 fragments"
expect_exit 4 --strict get -f a back
expect_exit 0 get a b many/
[ "$(grep -c W0401 "$T/err")" = 1 ] || fail "clouds are told of again for each object: $(cat "$T/err")"
expect_exit 0 --json get -f a b many/
[ "$(grep -c W0401 out)" = 2 ] || fail "JSON does not say of each object what did not serve it: $(cat out)"
expect_exit 7 put a c
err_three_parts E0702
expect_exit 4 rm b2
err_three_parts E0402
expect_exit 3 stat c
expect_exit 4 status
out_has 'share 1: missing'
out_has 'budget: 0 (data 0, keys 0)'

# Both share stores: refused without pretence, and nothing is written.
lose_share 2
expect_exit 7 get a none
err_three_parts E0701
expect_exit 7 ls
expect_exit 7 status
[ ! -e none ] || fail "a file was made"
bring_share 2

# Three clouds: refused.
lose_cloud 1
expect_exit 6 get a none
err_three_parts E0601
err_has "cannot read 'a': 2 of 5 clouds gave their fragment, 3 are needed: c1 lost since 20"
expect_exit 6 get a -
[ ! -s out ] || fail "bytes came out"
expect_exit 6 status
[ ! -e none ] || fail "a file was left"
[ -z "$(find . -name '*.part')" ] || fail "a partial file was left"
bring_share 1
expect_exit 6 put a c
bring_cloud 1
bring_cloud 2
bring_cloud 4
expect_exit 3 stat c
rm -r share1
mkdir share1
expect_exit 0 get -f a back
err_has W0402

# recover: an empty directory is a lost share; then all is as before, also with the other share gone.
expect_exit 4 verify a
err_three_parts E0403
expect_exit 0 recover --share 1
err_has 'share 1 is whole again'
expect_exit 0 verify a
lose_share 2
expect_exit 0 get -f a back
same a back

# Some names first, or alone: a store that has not all says so, to whoever looks, until the rest has come; a recovery that was
# killed leaves such a store, too. What it has opens with it.
partial() # RECORDS
{
    expect_exit 4 status
    out_has 'share 2: partial'
    out_has "  $1 of $(find_records) records"
    out_has 'share store 2 is rebuilt in part'
    out_has 'budget: 0 '
    expect_exit 0 get -f a back
    err_has W0402
    same a back
}
find_records()
{
    sed -n 's/^share 1: ok .* \([0-9]*\) records.*/\1/p' out
}
expect_exit 3 recover --share 2 --only nothing
[ ! -e share2 ] || fail "a store was made for a name that is not there"
expect_exit 2 recover --share 2 --only
expect_exit 4 recover --share 2 --only a
err_three_parts E0404
partial 1
expect_exit 4 verify
out_has 'ok        a'
out_has 'degraded  b: '
mv share1 share1.away # what it has, it has
expect_exit 0 get -f a back
same a back
mv share1.away share1
if [ "$QC_FAULTS" = 1 ]; then
    rm -r share2
    QC_FAULT=client_recovered:kill:1 q recover --share 2 a # a record of it is there, and no other
    partial 1
fi
expect_exit 0 put a share # goes on with both, whatever is missing in one
expect_exit 0 --json recover --share 2 a
[ "$(json_get "[(s['whole'], s['left'], s['failed'], s['records'] - s['written'] - s['present']) for s in [lines[-1]['summary']]]")" = \
    '[(True, 0, 0, 0)]' ] || fail "the rest: $(cat out)"
expect_exit 0 recover --share 2 --only a # nothing is left: that is all of it
for _ in $(seq 1 100); do # what the clouds lacked that were away comes by itself
    q status >/dev/null 2>&1 && break
    sleep 0.1
done
expect_exit 0 status
out_has 'share 2: ok '
rm -r share2
expect_exit 4 recover --share 2 --only a
lose_share 1 # from one that has not all: what comes of it has not, either
expect_exit 4 recover --share 1
err_has 'rebuilt in part'
expect_exit 7 kit refresh # store 1, which is away and whole, would open nothing afterwards
err_three_parts E0701
err_has 'both share stores are rebuilt in part'
expect_exit 0 put a later # its shares are in these two
rm -r share1
bring_share 1
rm -r share2
expect_exit 4 recover --share 2 # from one that was away meanwhile: whole it is not
err_has "'later' version 1: neither share store has a share of it"
err_three_parts E0404
expect_exit 4 status
out_has 'share 2: partial'
expect_exit 0 put a later # anew
expect_exit 0 recover --share 2
rm -r share2
expect_exit 0 get -f b back
expect_exit 0 recover --share 2 --to "$T/elsewhere/share2"
grep -q "share2 = $T/elsewhere/share2" "$QCLOUD_HOME/qcloud.conf" || fail "the new place is not in the configuration"
expect_exit 0 put a d
expect_exit 0 recover --share 1 # it is there: checked, and nothing written
err_has '(0 written'
expect_exit 5 recover --share 2 --to "$T/third"
err_three_parts E0512
echo "losses: all as they should be"
