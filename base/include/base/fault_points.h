/* Every fault point: name, where it stands. Modules append rows to their own block; a point that is not here
 * does not compile. Tests name points by these names (base/fault.h). */
#pragma once

#define QC_FAULT_POINT_TABLE(X)                                                                              \
    /* base */                                                                                               \
    X(file_tmp_written, "the temporary file has its bytes, before fsync")                                    \
    X(file_tmp_synced, "after fsync of the temporary file, before the rename")                               \
    X(file_renamed, "after the rename, before fsync of the directory")                                       \
    X(db_commit, "before COMMIT")                                                                            \
    X(db_committed, "after COMMIT")                                                                          \
    /* cloud */                                                                                              \
    X(cloud_tmp_made, "directory cloud: the temporary file exists, empty")                                   \
    X(cloud_tmp_written, "directory cloud: all bytes written, before fdatasync")                             \
    X(cloud_tmp_synced, "directory cloud: after fdatasync, before the final name")                           \
    X(cloud_tmp_linked, "directory cloud: the temporary name exists, before the rename over an object")      \
    X(cloud_published, "directory cloud: the final name exists, before fsync of its directory")              \
    X(cloud_unlinked, "directory cloud: the name is gone, before fsync of its directory")                    \
    /* qrng */                                                                                               \
    X(qrng_fill, "before a source of randomness is asked for bytes")                                         \
    X(qrng_file_reserved, "pre-loaded file: the new position is durable, the block was not read")            \
    X(qrng_file_erased, "pre-loaded file: the block is erased, its bytes were not used")                     \
    /* qkd */                                                                                                \
    X(pads_k1, "pads: K1 is durable, K2 is in the table, the state does not know the block")                 \
    X(pads_ready, "pads: READY is durable, K0 is not wiped")                                                 \
    X(pads_opening, "pads: K1 verified, before OPEN is durable")                                             \
    X(pads_opened, "pads: OPEN is durable, no byte was used")                                                \
    X(pads_taken, "pads: bytes are in the caller's room, and wiped here")                                    \
    X(pads_k2, "pads: K2 is wiped, the state does not know that the block is spent")                         \
    X(pads_spent, "pads: SPENT is durable, K1 is there")                                                     \
    X(pads_over, "pads: K1 is overwritten, its file is there")                                               \
    X(pads_gone, "pads: K1 is gone, the state still names the block")                                        \
    /* selftest */                                                                                           \
    X(selftest_answer, "self-test: an answer was computed, not judged; failing, one bit of it is wrong")     \
    /* daemon */                                                                                             \
    X(members_few, "members as bytes: failing, more of them are refused than gateways before this one take") \
    /* vault */                                                                                              \
    X(client_journal, "client put: the journal is durable, nothing was sent")                                \
    X(client_begun, "client put: the gateway has the intent, no share is recorded")                          \
    X(client_share1, "client put: record 1 is pending, record 2 is not there")                               \
    X(client_shared, "client put: both records are pending, no byte of N was sent")                          \
    X(client_segment, "put: a segment that is not the last is sealed, and in the record; it is not sent")    \
    X(client_resumed, "put: it goes on; the gateway has begun the new run, nothing was sent")                \
    X(client_sent, "client put: all of N is durable, the commit was not sent")                               \
    X(client_kept, "client put: the keeper, where there is one, has B; the commit was not sent")             \
    X(client_some, "client put of many: some are committed, the others were not asked for")                  \
    X(client_receipt, "client put: the receipt is here, the stores do not know")                             \
    X(client_stored1, "client put: store 1 knows of the commit, store 2 does not")                           \
    X(client_stored, "client put: both stores know, the journal is still there")                             \
    X(client_done, "client put: the journal is gone")                                                        \
    X(client_cancelled, "client put: cancelled at the gateway, records are pending")                         \
    X(client_removed, "client rm: removed at the gateway, the stores do not know")                           \
    X(client_noted, "client mv: both stores say where names shall be moved, the gateway was not asked")      \
    X(client_moved, "client mv: moved at the gateway, the stores do not know")                               \
    X(client_retired, "client purge: both stores say that versions are to go, the gateway was not asked")    \
    X(client_purged, "client purge: purged at the gateway, the shares are there")                            \
    X(client_destroyed1, "client purge: the shares in store 1 are destroyed, those in store 2 are not")      \
    X(client_drafted, "client rm --erase: the draft of the record is durable, nothing was asked")            \
    X(client_confirmed, "client rm --erase: all is seen to be gone, the record is a draft")                  \
    X(client_certified, "client rm --erase: the record is durable, and so is its draft")                     \
    X(refresh_first, "kit refresh: the new generation is in share store 2")                                  \
    X(refresh_begun, "kit refresh: the new generation is in both stores")                                    \
    X(refresh_vault, "kit refresh: the vault's backup data is of the new generation")                        \
    X(refresh_used1, "kit refresh: store 1 uses the new generation")                                         \
    X(refresh_used, "kit refresh: both stores use the new generation")                                       \
    X(refresh_share1, "kit refresh: a batch of new shares is in store 1")                                    \
    X(refresh_share2, "kit refresh: a batch of new shares is in both stores")                                \
    X(refresh_backups, "kit refresh: the gateway has the batch's new backup data")                           \
    X(refresh_dropped1, "kit refresh: store 1 has no old shares of the batch")                               \
    X(refresh_dropped, "kit refresh: no store has old shares of the batch")                                  \
    X(refresh_ended1, "kit refresh: store 1 has forgotten the old generation")                               \
    X(refresh_ended, "kit refresh: both stores have forgotten the old generation")                           \
    X(client_recovered, "client recover: a batch of records is durable")                                     \
    X(client_relocked, "client passphrase: one store has the new one, the other the old")                    \
    X(client_wrote, "client get: some verified bytes are in NAME.part")                                      \
    X(watch_overflow, "watch: events came; failing, some of them are lost")                                  \
    X(watch_limit, "watch: before a folder is watched; failing, the system's limit is reached")              \
    X(client_part, "client get: all bytes are in NAME.part, before fsync")                                   \
    X(client_linked, "client get: a link is beside NAME, whose place it is about to take")                   \
    X(client_renamed, "client get: renamed, before fsync of the directory")                                  \
    X(sync_renamed, "client sync: names of one turn are moved, the state does not know")                     \
    /* gateway */                                                                                            \
    X(gw_init_rows, "init: before the root key and the catalogue are written")                               \
    X(gw_init_key, "init: the root key is durable, the catalogue is not")                                    \
    X(gw_init_catalogue, "init: the catalogue is durable, nothing is on the clouds")                         \
    X(gw_init_identity, "init: identities are on the clouds, no root object")                                \
    X(gw_init_root, "init: the root object is there, no log object")                                         \
    X(put_intent, "put 3: before the intent is durable")                                                     \
    X(put_intent_done, "put 3: after it")                                                                    \
    X(resume_row, "a put goes on: in the transaction, before it commits")                                    \
    X(resume_done, "a put goes on: the new run is durable, not answered")                                    \
    X(put_frag, "put 4: before the fragments are put")                                                       \
    X(put_frag_done, "put 4: after them, before the segment row")                                            \
    X(put_segment_row, "put 5: after the segment row")                                                       \
    X(put_decide, "put 8: in the transaction, before it commits")                                            \
    X(put_decided, "put 8: decided, no log object anywhere")                                                 \
    X(put_log, "put 9: the log object is on the record quorum, not read back")                               \
    X(put_witness, "put 9: read back, not published")                                                        \
    X(put_publish, "put 10: in the transaction, before it commits")                                          \
    X(put_published, "put 10: live, not answered")                                                           \
    X(put_ack, "put 11: just before the answer")                                                             \
    X(cancel_row, "cancel: in the transaction, before it commits")                                           \
    X(cancel_done, "cancel: durable, not answered")                                                          \
    X(cat_kept, "catalogue: its copy is durable, no step to a newer schema was taken")                       \
    X(snap_row, "snapshot: the row of a pack or notes is durable, no piece was sent")                        \
    X(snap_put, "snapshot: its pieces are on clouds, not read back")                                         \
    X(snap_good, "snapshot: it was read back and is good, what it covers is dead")                           \
    X(snap_swept, "snapshot: a dead one was deleted, its row does not know")                                 \
    X(scrub_begin, "scrub: in the transaction that begins a pass, before it commits")                        \
    X(scrub_page, "scrub: in the transaction of a page's findings and its cursor, before it commits")        \
    X(scrub_paged, "scrub: after it")                                                                        \
    X(scrub_end, "scrub: in the transaction that ends a pass, before it commits")                            \
    X(sweep_mark, "sweep: before a segment becomes dead")                                                    \
    X(sweep_marked, "sweep: after it")                                                                       \
    X(sweep_delete, "sweep: before DELETE is sent")                                                          \
    X(sweep_deleted, "sweep: after DELETE, before HEAD")                                                     \
    X(sweep_round, "sweep: absent seen, before the row says so")                                             \
    X(debt_put, "record copies: before a missing copy is put")                                               \
    X(debt_paid, "record copies: after it, before the row goes")                                             \
    X(repair_seen, "repair: in the transaction that says what was seen, before it commits")                  \
    X(repair_trial, "repair: in the transaction of the new keys, before it commits")                         \
    X(repair_trial_done, "repair: the new keys are rows, nothing lies under them")                           \
    X(repair_put, "repair: before fragments are put")                                                        \
    X(repair_put_done, "repair: after it, before they are read back")                                        \
    X(repair_read_back, "repair: read back, before they count")                                              \
    X(repair_settle, "repair: in the transaction that makes them count, before it commits")                  \
    X(repair_settled, "repair: after it; what they replace is still there")                                  \
    X(repair_bury, "repair: in the transaction for a dead key that came back, before it commits")            \
    X(repair_root, "repair: before a root or cut object is put")                                             \
    X(adopt_begun, "adopt: the new generation is a row, nothing is on the cloud")                            \
    X(adopt_uncounted, "adopt: no fragment on the cloud counts any more")                                    \
    X(adopt_filled, "adopt: roots, cuts and the log are on the cloud")                                       \
    X(adopt_named, "adopt: the identity is there and was read back, the catalogue does not know")            \
    X(adopt_done, "adopt: in the transaction that makes the cloud count, before it commits")                 \
    X(adopt_logged, "adopt: the log has the new generation")                                                 \
    X(move_row, "cloud add: it is a row, nothing is on the cloud")                                           \
    X(move_filled, "cloud add: roots, cuts and the log are on the cloud")                                    \
    X(shares_drawn, "shares: a new polynomial is drawn, no cloud has a share of it")                         \
    X(shares_put, "shares: after one more cloud has its new share")                                          \
    X(shares_spread, "shares: all have the new share, the log does not say so")                              \
    X(member_logged, "clouds: the log says what a cloud is now")                                             \
    X(shares_settle, "shares: before one cloud's old share goes")                                            \
    X(shares_settled, "shares: no old share is left, the catalogue does not know")                           \
    X(drain_begun, "cloud drain: it gets nothing new any more")                                              \
    X(retire_counted, "cloud retire: it counts no more, its share is as it was")                             \
    X(retire_identity, "cloud retire: before its identity is removed")                                       \
    X(recode_quorum, "reprotect: records are on more clouds from now on, the log does not say so")           \
    X(recode_code, "reprotect: the log says what new segments are coded as, old shares are there")           \
    X(recode_reserved, "reprotect: a new id is reserved for a segment")                                      \
    X(recode_put, "reprotect: a segment was read, nothing of the new one is put")                            \
    X(recode_put_done, "reprotect: the new fragments are put, not read back")                                \
    X(recode_read_back, "reprotect: the new segment was read back, no record names it")                      \
    X(recode_record, "reprotect: before the record of a batch")                                              \
    X(recode_recorded, "reprotect: a batch counts, nothing old was removed")                                 \
    X(repack_reserved, "repack: a new bundle has a row and a reserved segment")                              \
    X(repack_read, "repack: what is moved was read, nothing of the new bundle is put")                       \
    X(repack_put, "repack: the new fragments are put, not read back")                                        \
    X(repack_read_back, "repack: the new bundle was read back, no record names it")                          \
    X(repack_recorded, "repack: the new bundle counts, nothing old was removed")                             \
    X(retire_cleaned, "cloud retire: nothing of ours is left there, its row is")                             \
    X(rebuild_key, "rebuild: the new root key file is written")                                              \
    X(rebuild_fence, "rebuild: before the new root object is put")                                           \
    X(rebuild_fenced, "rebuild: the new root object is on enough clouds")                                    \
    X(rebuild_listed, "rebuild: the log was read, the cut is not written")                                   \
    X(rebuild_cut, "rebuild: the cut is on enough clouds")                                                   \
    X(rebuild_rows, "rebuild: rows are written, presence is not known")                                      \
    X(rebuild_presence, "rebuild: presence is known, the catalogue has no final name")                       \
    X(rebuild_done, "rebuild: the catalogue has its final name")
