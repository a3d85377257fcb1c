#!/bin/bash
# cli/foreign_clouds: the places of a vault's clouds hold another vault's clouds, or each other's. Nothing of the other
# vault is touched by it, least of all is its gateway shut out.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh" || exit 1
cd "$T" || exit 1
random_file a 3000000

# Another vault, with its own clouds: other1 to other4.
export QCLOUD_HOME=$T/home_other
clouds=()
for i in 1 2 3 4; do
    clouds+=(--cloud "c$i=file://$T/other$i")
done
expect_exit 0 init --local "${clouds[@]}" --k 2 --share1 "$T/other_share1" --share2 "$T/other_share2"
expect_exit 0 put a
stop_gateway
export QCLOUD_HOME=$T/home
mk_vault 2 4
expect_exit 0 put a
stop_gateway

# All places hold the other's clouds: not taken over, not changed, whoever asks.
for i in 1 2 3 4; do
    mv "cloud$i" "own$i"
    cp -a "other$i" "cloud$i"
done
export QCLOUD_HOME=$T/home2
expect_exit 2 init --join "$T/share2" --take-over
err_has 'these clouds belong to another gateway'
[ ! -e "$QCLOUD_HOME/qcloud.conf" ] || fail "a configuration without a vault"
export QCLOUD_HOME=$T/home
expect_exit 5 gateway rebuild
err_has 'these clouds belong to another gateway'
stop_gateway
for i in 1 2 3 4; do
    diff -r "other$i" "cloud$i" || fail "cloud $i of another vault was changed"
    rm -r "cloud$i"
    mv "own$i" "cloud$i"
done

# Two of four: the vault joins from its own two, and leaves the others alone.
for i in 1 2; do
    mv "cloud$i" "own$i"
    cp -a "other$i" "cloud$i"
done
export QCLOUD_HOME=$T/home3
q init --join "$T/share2" --take-over
code=$?
stop_gateway
for i in 1 2; do
    diff -r "other$i" "cloud$i" || fail "cloud $i of another vault was changed (join: $code)"
    rm -r "cloud$i"
    mv "own$i" "cloud$i"
done

# Two clouds in each other's places: joining finds out which is which.
mv cloud1 x
mv cloud2 cloud1
mv x cloud2
export QCLOUD_HOME=$T/home4
expect_exit 0 init --join "$T/share1" "$T/share2" --take-over
expect_exit 0 get a back
same a back
expect_exit 0 put a again
stop_gateway

# The other vault works as ever.
export QCLOUD_HOME=$T/home_other
expect_exit 0 get a back2
same a back2
expect_exit 0 put a b
echo "foreign_clouds: nobody is shut out by mistake"
