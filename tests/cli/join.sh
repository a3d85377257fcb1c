#!/bin/bash
# cli/join: the machine is gone; another one takes the vault over from a share store and what clouds are left. The old
# one, should it come back, is shut out and says so.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh" || exit 1
cd "$T" || exit 1
mk_vault 3 5
random_file a 5000000
random_file b 1000
expect_exit 0 put a
expect_exit 0 put b dir/b
expect_exit 0 rm a
expect_exit 0 put a
expect_exit 0 gateway kit
cp out kit.txt

# Lost: share store 1, two clouds. A third cloud has moved. The old machine's home is kept aside.
stop_gateway
mv share1 share1.away
rm -rf cloud2
lose_cloud 4
mv cloud5 moved5
export QCLOUD_HOME=$T/home2
expect_exit 2 init --join "$T/share2"
err_has 'shuts the old one out of the clouds for good'
expect_exit 2 init --join "$T/share2" --take-over --cloud "nine=file://$T/moved5"
expect_exit 7 init --join "$T/cloud1" --take-over
expect_exit 6 init --join "$T/share2" --take-over
err_three_parts E0604
[ ! -e "$QCLOUD_HOME/qcloud.conf" ] || fail "a configuration without a vault"
expect_exit 0 init --join "$T/share2" --take-over --cloud "c5=file://$T/moved5" --share1 "$T/new1"
err_has 'joined: any 3 of 5 clouds are enough'
expect_exit 0 ls
printf '%s\n' a dir/b >want
same want out
expect_exit 0 get a back
same a back
expect_exit 0 get dir/b back2
same b back2
expect_exit 7 put a c
expect_exit 0 recover --share 1
[ -f new1/store.key ] || fail "share 1 was not written to its place"
bring_cloud 4
expect_exit 4 put a c
expect_exit 4 status
out_has 'incarnation 2'

# The old machine comes back with its catalogue: shut out, exit 11, and nothing of its own gets in.
stop_gateway
mv share1.away share1
mv moved5 cloud5
export QCLOUD_HOME=$T/home
expect_exit 11 put a zombie
err_three_parts E1102
expect_exit 11 get a none
[ ! -e none ] || fail "a fenced gateway serves"
stop_gateway

# It may take over again, knowingly: everything that was acknowledged meanwhile is there.
expect_exit 0 gateway rebuild
expect_exit 0 get c back3
same a back3
expect_exit 3 stat zombie
stop_gateway

# A third machine, from both stores, with the operator's kit in place of the root key on the clouds.
export QCLOUD_HOME=$T/home3
expect_exit 0 init --join "$T/share1" "$T/share2" --take-over --kit "$T/kit.txt"
expect_exit 0 get -f a back
same a back
echo "join: the vault outlives its machine"
