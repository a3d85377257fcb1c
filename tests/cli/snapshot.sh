#!/bin/bash
# cli/snapshot: the catalogue is kept on the clouds when somebody asks: what was written where, how old the one before was, and
# the exit status that says whether every cloud has its piece; what there is, whether it holds, and a catalogue made of it, which never
# loses what came after; by the user's command, and by the operator's with and without a
# gateway that serves.
# shellcheck source=tests/cli/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh" || exit 1
cd "$T" || exit 1
mk_vault 3 5
random_file a 5000
expect_exit 0 put a
expect_exit 0 gateway snapshot
out_has 'snapshot of the catalogue, '
out_has 'packed now, '
out_has ' in 5 pieces: on c'
out_has 'there was none before'
out_lacks 'not seen on'
expect_exit 0 gateway snapshot # nothing new: the pack stays, the notes are new
out_has 'were packed before, '
out_has 'the one before was of '
out_has ', and 0 log objects behind it'
expect_exit 0 put a b
expect_exit 0 --json gateway snapshot
[ "$(json_get "[(s['previous']['behind'] > 0, s['pack']['written'], s['outcome']['id'], all(c['seen'] for c in s['pack']['clouds'])) for l in lines if l['type'] == 'item' for s in [l['snapshot']]]")" = \
    "[(True, True, 'ok', True)]" ] || fail "a snapshot: $(cat out)"
operator snapshot 0 'were packed before, ' # the gateway on demand serves still
expect_exit 0 status
out_has ', 0 log objects since'

# What there is, whether it holds, and whether a catalogue would come of it; nothing is changed by looking.
expect_exit 0 gateway snapshot ls
out_has 'snapshot 1.'
out_has ': on c'
out_has '0 log objects are in no pack yet'
expect_exit 0 gateway snapshot verify
out_has ': holds on c'
out_has '2 versions, 10'
out_has ': what the one in use has'
expect_exit 3 gateway snapshot verify 9.9
err_three_parts E0301
expect_exit 0 put a c
expect_exit 0 gateway snapshot
pieces=("$T"/cloud1/s/*/*)
rm "${pieces[0]}"
expect_exit 4 gateway snapshot verify
out_has '; missing on c1'
err_has 'snapshot create'
for i in 1 2 3 4 5; do # all that is packed rots: the log has it, and says so
    for piece in "$T/cloud$i"/s/*/*; do
        printf X | dd of="$piece" bs=1 seek=90 conv=notrunc status=none
    done
done
expect_exit 8 gateway snapshot verify
out_has ': damaged on c'
out_has '; it cannot be used: '
out_has '(0 from packs, '
out_lacks ': what the one in use has'
err_three_parts E0802
expect_exit 3 gateway snapshot restore --yes # nothing that could be taken
expect_exit 0 gateway rebuild --verify-only
err_has 'no snapshot: not known are'
rm -r "$T"/cloud?/s
expect_exit 0 gateway snapshot
expect_exit 0 put a d
expect_exit 0 gateway snapshot
expect_exit 0 put a e
old=$(q gateway snapshot ls && sed -n 's/^snapshot \([0-9.]*\) .*/\1/p' out | tail -n 1)
stop_gateway
for command in ls verify; do # nobody serves
    "$QC_BIN/qcloud-gateway" snapshot $command --state "$QCLOUD_HOME/state/gateway" >out 2>err || fail "snapshot $command: $(cat out err)"
    out_has 'all that was committed up to log object '
done
stop_gateway
before=$(find cloud? home/state -type f ! -name lock ! -name gateway.log -exec sha256sum {} + | sort)
expect_exit 0 gateway rebuild --from-clouds --verify-only
err_has 'nothing was changed; a catalogue made from the clouds now would be:'
err_has ' 5 versions, '
expect_exit 0 gateway snapshot restore -n
err_has ' 5 versions, '
expect_exit 2 gateway snapshot restore
err_has 'nobody can be asked'
expect_exit 5 gateway snapshot restore "$old" --yes
err_has 'would lose what was acknowledged since'
expect_exit 3 gateway snapshot restore 7.7 --yes
expect_exit 2 gateway snapshot restore seven --yes
[ "$before" = "$(find cloud? home/state -type f ! -name lock ! -name gateway.log -exec sha256sum {} + | sort)" ] || fail 'looking has changed something'
expect_exit 0 gateway snapshot restore --yes
err_has 'incarnation 2 of the gateway'
for name in a b c d e; do
    expect_exit 0 get --force "$name" mine
    same a mine
done
lost=$(find cloud4/f -type f | head -n 1)
mv "$lost" lost
expect_exit 4 gateway rebuild --verify-only
err_has '1 fragments are missing on the clouds, and 0 versions have too few'
mv lost "$lost"

# A cloud is away: taken with what there is, and said so; two: nothing is taken, and what was there stays.
lose_cloud 2
expect_exit 0 --degraded-ok put a c
expect_exit 4 gateway snapshot
out_has '; not seen on c2'
err_has 'not seen on c2'
err_three_parts E0405
stop_gateway
operator snapshot 4 '; not seen on c2'
err_has 'qcloud-gateway: E04120'
lose_cloud 4
operator snapshot 6
err_has 'qcloud-gateway: E06121'
expect_exit 6 gateway snapshot
err_three_parts E0604
bring_cloud 4
bring_cloud 2
expect_exit 0 get c back
same a back
for _ in $(seq 60); do # the cloud that was away is used again when it was seen
    q gateway snapshot && break
    sleep 1
done
expect_exit 0 gateway snapshot
out_lacks 'not seen on'
