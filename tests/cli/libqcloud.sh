#!/bin/bash
# cli/libqcloud: the library's calls, its two examples beside the command, what it shows of itself, and that it is found and linked
# when it is installed.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh" || exit 1
: "${QC_BUILD:?}" "${CC:?}"
programs=$1
cd "$T" || exit 1
mkdir scratch
clouds=()
export PATH="$QC_BIN:$PATH" # where the library finds the gateway

mk_vault 3 5
"$programs/libqcloud_calls" "$QCLOUD_HOME" "$T/scratch" 2>err || fail "calls"
expect_exit 0 ls
[ "$(cat out)" = a/stream ] || fail "the command sees: $(cat out)"
expect_exit 0 verify

# Examples, with a loss: two clouds and a share store.
random_file one.bin 200000
printf 'first line\nsecond line\n' >two.txt
"$programs/example_store" new one.bin two.txt 2>err || fail "store"
err_has 'one.bin: stored as new/one.bin'
err_has '200000 of 200000 bytes are durable'
lose_cloud 1
lose_cloud 4
lose_share 2
"$programs/example_heads" new 10 >out 2>err || fail "heads"
printf '==> new/one.bin (200000 bytes) <==\n%s\n==> new/two.txt (23 bytes) <==\nfirst line\n' "$(head -c 10 one.bin | tr -d '\0')" >want
tr -d '\0' <out >seen
same want seen
"$programs/example_store" new two.txt 2>err && fail "stored with one share"
[ $? = 7 ] || fail "not exit 7"
# The vault that the environment means, as for the command.
QCLOUD_VAULT=none "$programs/example_heads" new 2>err >out && fail "another vault than the one that is meant"
[ $? = 10 ] || fail "not exit 10: $(cat err)"
QCLOUD_SHARE1=near "$programs/example_heads" new 2>err >out && fail "a share store nowhere"
err_has 'QCLOUD_SHARE1: an absolute path'
lose_cloud 2
"$programs/example_heads" new 2>err >out && fail "three clouds lost"
[ $? = 6 ] || fail "not exit 6: $(cat err)"

# A vault under a passphrase.
stop_gateway
export QCLOUD_HOME=$T/home2
export QCLOUD_PASSPHRASE_COMMAND="echo correct horse"
mkdir other
for i in 1 2; do
    clouds+=(--cloud "c$i=file://$T/other/c$i")
done
expect_exit 0 init --local --k 1 "${clouds[@]}" --share1 "$T/other/s1" --share2 "$T/other/s2" --memory 64
"$programs/libqcloud_calls" "$QCLOUD_HOME" "$T/scratch" lock 2>err || fail "calls with a passphrase"

# What it shows: what its map names, which is what its header declares.
sed -n 's/^    \(qcloud_[a-z_]*\);$/\1/p' "$QC_SOURCE/lib/libqcloud.map" | sort >map
nm -D --defined-only "$QC_BUILD/lib/libqcloud.so" | sed -n 's/.* T \([^@]*\).*/\1/p' | sort >shown
grep -o '\bqcloud_[a-z_]*(' "$QC_SOURCE/lib/include/qcloud.h" | tr -d '(' | sort -u >declared
if [ "$QC_SANITIZED" = 0 ]; then
    same map shown
fi
same map declared

# Installed, from another language's compiler, too.
if [ "$QC_SANITIZED" = 0 ]; then
    cmake --install "$QC_BUILD" --prefix "$T/usr" >log 2>&1 || fail "install: $(tail -3 log)"
    lib=$(dirname "$(find "$T/usr" -name libqcloud.so.0)")
    export PKG_CONFIG_PATH=$lib/pkgconfig LD_LIBRARY_PATH=$lib
    # shellcheck disable=SC2046 # words
    "$CC" -Wall -Wextra -Werror -pedantic -std=c99 -D_POSIX_C_SOURCE=200809L "$QC_SOURCE/examples/libqcloud/heads.c" -o heads \
        $(pkg-config --define-variable=prefix="$T/usr" --cflags --libs qcloud) || fail "the example does not build against what is installed"
    ./heads none 2>err && fail "a vault that is not there"
fi
echo "ok"
