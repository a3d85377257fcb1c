#!/bin/bash
# cli/snapshot: the catalogue is kept on the clouds when somebody asks: what was written where, how old the one before was, and
# the exit status that says whether every cloud has its piece; by the user's command, and by the operator's with and without a
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
