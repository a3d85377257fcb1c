#!/bin/bash
# cli/clouds: the clouds of one's own gateway come and go by qcloud alone: added, labelled, planned for, replaced,
# drained, retired; what cannot be is refused with what is missing; everything is read at the end.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh" || exit 1
cd "$T" || exit 1
mk_vault 3 5
random_file a 3000000
random_file small 700
expect_exit 0 put a
expect_exit 0 put small

roles()
{
    expect_exit 0 --json gateway cloud ls
    json_get '" ".join(c["name"] + "=" + c["role"] for l in lines if "gateway" in l for c in l["gateway"]["clouds"])'
}

# What is refused says why, and nothing has changed.
expect_exit 6 gateway cloud drain c1 --yes
err_has 'add 1 first'
err_has E0608
expect_exit 2 gateway cloud drain c1
err_has 'nobody can be asked'
err_has 'not possible now'
expect_exit 3 gateway cloud drain nobody --yes
err_has 'qcloud gateway cloud ls'
expect_exit 5 gateway cloud retire c1
err_has E0514
expect_exit 5 gateway cloud add "c6=file://$T/cloud1"
expect_exit 2 gateway cloud add "file://$T/six"
expect_exit 2 gateway cloud add "c6=$T/six"
[ "$(roles)" = 'c1=in use c2=in use c3=in use c4=in use c5=in use' ] || fail "roles: $(roles)"

# A sixth one, and the first goes.
expect_exit 0 gateway cloud add "c6=file://$T/six" --provider acme --weight 50
expect_exit 0 gateway cloud set c1 --provider acme --region north
for c in c2 c3; do
    expect_exit 0 gateway cloud set $c --provider acme
done
expect_exit 0 gateway status
out_has 'whole:  provider: 3, of at most 4 clouds each, 2 without a label; too little is left without one of these: acme'
out_has 'whole:  region: 6, of at most 1 cloud each, 5 without a label; all can be read without any one of them'
out_lacks jurisdiction
for c in c2 c3; do
    expect_exit 0 gateway cloud set $c --provider ''
done
expect_exit 0 --json gateway status
[ "$(json_get "[(w['kind'], w['borne'], w['not_borne']) for l in lines if 'gateway' in l for w in l['gateway']['whole_losses']]")" = \
    "[('provider', True, []), ('region', True, [])]" ] || fail "wholes: $(cat out)"
expect_exit 0 gateway cloud domain provider
expect_exit 6 gateway cloud set c2 --provider acme
expect_exit 0 gateway plan exit c1
out_has 'cost: unknown'
printf '[prices]\ncurrency = EUR\nread-gib = 0.09\nwrite-gib = 0\nread-requests-1000 = 0.4\nwrite-requests-1000 = 5\n%s\n' \
    'delete-requests-1000 = 0' >prices.conf
expect_exit 0 gateway plan exit c1 --prices prices.conf
out_has ' EUR, by the prices given'
expect_exit 0 plan exit c1 --prices prices.conf
out_has ' EUR, by the prices given'

# What another code would take: neither spelling begins it, and what there are too few clouds for is said.
expect_exit 0 plan reprotect 2,5 --prices prices.conf --max-rate 64k
out_has 'code 2,5 instead of 3,5: '
out_has 'margin: any 2 clouds may be lost now, when all is whole; any 3 then'
out_has 'records of the log: on 3 clouds each now, on 4 then'
out_has 'MiB/s that are allowed'
out_has ' EUR, by the prices given'
cp out planned
expect_exit 0 gateway plan reprotect 2,5 --prices prices.conf --max-rate 64k
cmp -s out planned || fail 'two spellings, two plans'
expect_exit 0 gateway repair --reprotect 2,5 --dry-run --max-rate 64k
out_has 'cost: unknown'
expect_exit 0 plan reprotect 4,7
out_has 'not possible now: there are '
expect_exit 0 plan reprotect 3,4
out_has 'any 2 clouds may be lost now, when all is whole; any 1 then'
expect_exit 0 plan reprotect 3,5
[ "$(cat out)" = 'code 3,5 is in use already, and all that is stored has it: nothing to do' ] || fail "a plan of nothing: $(cat out)"
expect_exit 2 plan reprotect 5
expect_exit 0 --json gateway status
[ "$(json_get "[(l['gateway']['k'], l['gateway']['other_code']) for l in lines if 'gateway' in l]")" = '[(3, 0)]' ] || fail 'a plan began something'
expect_exit 0 gateway cloud drain c1 --yes
out_has ' 0 left'
[ "$(roles)" = 'c1=draining c2=in use c3=in use c4=in use c5=in use c6=in use' ] || fail "roles: $(roles)"
expect_exit 0 gateway cloud drain c1 --cancel
expect_exit 0 gateway cloud drain c1 --yes --to c6
expect_exit 0 gateway cloud retire c1
left=$(find "$T/cloud1" -type f ! -path '*/.*' | wc -l)
[ "$left" = 0 ] || fail "$left files are left on a retired cloud"
expect_exit 0 gateway cloud domain cloud

# One takes another's place, while a share store is away: it learns of that when status finds it again.
lose_share 2
expect_exit 0 gateway cloud replace c2 "c7=file://$T/seven" --yes
err_has 'share store 2 does not name the clouds as they are now'
expect_exit 0 gateway cloud retire c2
bring_share 2
expect_exit 0 status
[ "$(roles)" = 'c3=in use c4=in use c5=in use c6=in use c7=in use' ] || fail "roles: $(roles)"
rm -r "$T/cloud1" "$T/cloud2"
expect_exit 0 gateway repair --deep
out_has 'everything is whole'
for name in a small; do
    expect_exit 0 get -f "$name" back
    same "$name" back
done

# One that will never answer again: what it had is made anew elsewhere, and it is given up.
expect_exit 0 gateway cloud add "c8=file://$T/eight"
mv "$T/cloud3" "$T/cloud3.gone"
expect_exit 0 gateway cloud drain c3 --yes
expect_exit 5 gateway cloud retire c3
err_has 'dead objects could not be removed yet'
expect_exit 0 gateway cloud retire c3 --gone
expect_exit 0 status
expect_exit 0 gateway repair --deep
out_has 'everything is whole'

# A provider that is gone for good, where there are no more clouds than a code needs: its name gets another place, which is filled.
rm -r "$T/cloud4"
mkdir "$T/nine"
expect_exit 5 gateway cloud set c4 --url "file://$T/cloud5"
err_has "that is the place of cloud 'c5'"
expect_exit 3 gateway cloud set c44 --url "file://$T/nine"
expect_exit 2 gateway cloud set c4 --url "file://$T/nine" --untried
expect_exit 2 gateway cloud set c4 --url "nine"
expect_exit 0 gateway cloud set c4 --url "file://$T/nine"
expect_exit 4 status
out_has "c4           lost         file://$T/nine"
expect_exit 0 gateway repair --adopt c4
out_has 'everything is whole'
expect_exit 0 status
mv "$T/cloud5" "$T/cloud5.away"
mv "$T/eight" "$T/eight.away"
expect_exit 0 get -f a back
same a back
mv "$T/cloud5.away" "$T/cloud5"
mv "$T/eight.away" "$T/eight"

# One whose bytes were moved: nothing is to be rebuilt.
stop_gateway
mv "$T/six" "$T/six.moved"
expect_exit 0 gateway cloud set c6 --url "file://$T/six.moved"
expect_exit 0 status
expect_exit 0 gateway repair --deep
out_has ', wrote 0 bytes'
mv "$T/six.moved" "$T/six"
expect_exit 0 gateway cloud set c6 --url "file://$T/six"

# A new machine finds the clouds as they are now by either share store.
stop_gateway
for share in 1 2; do
    mv "$QCLOUD_HOME" "$T/old$share"
    expect_exit 0 init --join "$T/share$share" --take-over
    err_has 'any 3 of 5 clouds are enough'
    [ "$(roles)" = 'c4=in use c5=in use c6=in use c7=in use c8=in use' ] || fail "roles after a join: $(roles)"
    expect_exit 0 get -f a back
    same a back
    stop_gateway
done
echo "clouds: added, labelled, drained, replaced, retired"
