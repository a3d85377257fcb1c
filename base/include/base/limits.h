/* Every limit, in one place (I6). Layer 0; uses nothing.
 *
 * A row: name, value, unit, reason. Each becomes an enum constant (or, beyond int, a uint64_t constant).
 * Modules append their rows to their own block. qc_limits_print (base/opt.h) lists the rows for the user. */
#pragma once
#include <stdint.h>

#define QC_LIMITS(X)                                                                                         \
    /* base */                                                                                               \
    X(QC_ERR_MSG_MAX, 512, "bytes", "three contexts and a cause fit; lives on stacks")                       \
    X(QC_KEY_MIN, 16, "bytes", "the smallest secret in use: an n1 or n2 derivation")                         \
    X(QC_KEY_MAX, 4096, "bytes", "a passphrase or a slot of pad; one guarded page")                          \
    X(QC_KEY_STEP, 16, "bytes", "guarded blocks end at a page's end; other sizes come out unaligned")        \
    X(QC_KEY_SPARE_MAX, 16, "blocks",                                                                        \
      "per length; locked pages that are kept: 128 of 2,048 by the usual limit")                             \
    X(QC_KEY_LOOSE_MAX, 32, "keys", "of one thread, in open pages: an object that is sealed has a dozen")    \
    X(QC_PASSPHRASE_MAX, 1024, "bytes", "longer than any sentence; a terminal's line has 4,095")             \
    X(QC_HKDF_MAX, 255 * 32, "bytes", "RFC 5869: 255 blocks of the hash")                                    \
    X(QC_LOG_LINE_MAX, 4096, "bytes", "one write is one line up to PIPE_BUF")                                \
    X(QC_LOG_PAIRS_MAX, 16, "pairs", "a line stays readable")                                                \
    X(QC_JSON_MAX, 16 * 1024 * 1024, "bytes", "a page of a listing, with entries")                           \
    X(QC_JSON_DEPTH_MAX, 16, "levels", "our documents have five; bounds the parser's recursion")             \
    X(QC_FILE_NAME_MAX, 255, "bytes", "NAME_MAX of the file systems in use")                                 \
    X(QC_FILE_PARTS_MAX, 64, "spans", "one writev below IOV_MAX")                                            \
    X(QC_DB_BUSY_MS, 10000, "ms", "a writer waits for another process's transaction no longer")              \
    X(QC_DB_CACHE_KIB, 16 * 1024, "KiB", "of pages of a catalogue, in memory")                               \
    X(QC_DB_WAL_PAGES, 4096, "pages", "in a catalogue's log, then it goes to its file: 16 MiB")              \
    X(QC_DB_SQL_MAX, 65536, "bytes", "our longest statement is a schema")                                    \
    X(QC_DB_VALUE_MAX, 64 * 1024 * 1024, "bytes", "SQLITE_LIMIT_LENGTH of every connection of ours")         \
    X(QC_PG_SERVER_MIN, 13, "version", "of PostgreSQL: the oldest that is tended still; tests have 15")      \
    X(QC_PG_PARAMS_MAX, 32, "parameters", "of one statement; ours have 17 at most")                          \
    X(QC_PG_CONNECT_S, 5, "s", "to connect to a PostgreSQL server: somebody waits")                          \
    X(QC_PG_RETRY_MS, 1000, "ms", "between two attempts to reach a PostgreSQL server that is away")          \
    X(QC_PG_SILENCE_S, 10, "s", "of a link to PostgreSQL before it is probed, three times in 15 s more")     \
    X(QC_PG_IDLE_TX_MS, 5000, "ms",                                                                          \
      "that the server lets a transaction stand still: who sleeps there keeps all others from writing")      \
    X(QC_PG_OUTCOME_MS, 40000, "ms",                                                                         \
      "to learn what became of a COMMIT without answer: twice the above, and a server's restart")            \
    X(QC_PG_GONE_MS, 1000, "ms", "without a connection, until another gateway's session is over")            \
    X(QC_PG_LEASE_MS, 15000, "ms",                                                                           \
      "without a transaction, though connected: seven of its beats (QC_GW_ATTEND_MS) were missed")           \
    X(QC_PG_SESSIONS_MAX, 16, "sessions", "open at once that are watched; two are usual")                    \
    X(QC_PG_SUCCESSION_MS, 4000, "ms", "that an opening waits for the session of one that has died")         \
    X(QC_OPT_ARGS_MAX, 4096, "arguments", "a shell's expansion of a directory")                              \
    X(QC_OPT_GIVEN_MAX, 96, "options", "32 clouds, each with the name of its keys, and others")              \
    X(QC_OPT_NAME_MAX, 64, "bytes", "the words of a command")                                                \
    X(QC_OPT_COMPLETE_MAX, 512, "words",                                                                     \
      "of a line that a shell completes; of a longer one nothing is told")                                   \
    X(QC_INI_KEYS_MAX, 64, "keys", "of one kind of configuration file; ours have a dozen or two")            \
    X(QC_POOL_COUNT_MAX, 4096, "buffers", "bounds the pool's table")                                         \
    X(QC_POOL_SIZE_MAX, 64 * 1024 * 1024, "bytes", "a segment with room to spare")                           \
    X(QC_WORKQ_THREADS_MAX, 256, "threads", "32 clouds, eight transfers")                                    \
    X(QC_WORKQ_DEPTH_MAX, 65536, "jobs", "bounds the queue's table")                                         \
    X(QC_DRILL_OLD_S, 3024000, "s",                                                                          \
      "35 days: one drill a month, and some days in which the machine was off")                              \
    X(QC_RETRY_MAX, 5, "attempts", "then the caller hears of it")                                            \
    X(QC_WRITE_RETRY_MAX, 1000, "short writes", "a device that takes a byte at a time is broken")            \
    /* vault: FORMAT 12 */                                                                                   \
    X(QC_VAULT_PARTS_MAX, 12, "items", "the longest enc(..) of FORMAT, an entry's seal, has ten")            \
    X(QC_VAULT_CHUNKS_LOG2_MAX, 30, "log2", "1 PiB at 1 MiB chunks; group digests are then 8 MiB")           \
    X(QC_VAULT_EPOCHS_MAX, 4096, "epochs", "24 bytes each in the trailer; more: start the put anew")         \
    X(QC_VAULT_EXT_MAX, 65536, "bytes", "extension fields in one place")                                     \
    X(QC_VAULT_META_MAX, 1048576, "bytes", "private metadata, tag included")                                 \
    X(QC_VAULT_TRAILER_MAX, 16 * 1024 * 1024, "bytes", "a reader holds one; 1 PiB needs 8 MiB")              \
    X(QC_VAULT_BACKUP_MAX, 65536 + 300, "bytes", "B with corrections and extensions")                        \
    X(QC_VAULT_NAME_MAX, 4096, "bytes", "PATH_MAX of the systems that files come from")                      \
    X(QC_VAULT_PATH_MAX, 81920, "bytes", "2,048 components of one byte become 34 bytes each, with room")     \
    X(QC_VAULT_HOLE, 65536, "bytes",                                                                         \
      "of zeros that become a hole: a block of most file systems, or several")                               \
    X(QC_VAULT_LINK_MAX, 4095, "bytes", "a symbolic link's target: PATH_MAX without the NUL")                \
    X(QC_VAULT_XATTRS_MAX, 65536, "bytes", "extended attributes of a file: what Linux takes of one value")   \
    X(QC_VAULT_XATTR_NAMES_MAX, 65536, "bytes", "a list of their names: what Linux gives at most")           \
    X(QC_VAULT_PRIVATE_MAX, 65536, "bytes", "an entry's private part: true length, mtime, mode, and room")   \
    X(QC_VAULT_WAYS_MAX, 32, "clouds", "of what a gateway says of the ways to them; as QC_EC_N_MAX")         \
    X(QC_VAULT_WAYS_TEXT_MAX, 8192, "bytes", "of that as a text: 32 clouds of 250")                          \
    X(QC_VAULT_SEGMENT_CHUNKS, 16, "chunks", "the least that is sent again after a break: 16 MiB")           \
    X(QC_VAULT_SEGMENT_MAX, 18 * 1024 * 1024, "bytes", "16 chunks, a tag block, a header, a usual trailer")  \
    /* vault: stores, gateway client, pipelines */                                                           \
    X(QC_VAULT_NOTES_MAX, 256, "remarks", "an operation over many objects; the rest is counted")             \
    X(QC_VAULT_ITEM_MAX, 65536 + 64, "bytes", "a descriptor and its authenticator")                          \
    X(QC_VAULT_CONFLICTS_MAX, 16, "tries", "others write the same name at the same time")                    \
    X(QC_VAULT_RANGE, 8 * 1024 * 1024, "bytes", "one fetch of a get; two are in memory")                     \
    X(QC_VAULT_LEFT_MIN, 16 * 1024 * 1024, "bytes", "of a get that ends early: less is fetched again soon")  \
    X(QC_VAULT_RESUME_TEXT_MAX, 16384, "bytes", "FORMAT 10.9: a name, a provenance, and numbers")            \
    X(QC_VAULT_RESUME_SYNC, 16, "segments", "that a power cut may cost a put that goes on: 256 MiB")         \
    X(QC_VAULT_RESUME_DAYS, 14, "days", "a put can go on; gateways wait longer: QC_GW_UPLOAD_DAYS")          \
    X(QC_VAULT_DIRECT_MIN, 256 * 1024, "bytes", "of a file, from which on they pass the page cache by")      \
    X(QC_VAULT_WHOLE_MAX, 4 * 1024 * 1024, "bytes", "a smaller object is fetched by one request")            \
    X(QC_VAULT_VERSIONS_MAX, 100000, "versions", "of one object: 12 MiB of list, and its records are read")  \
    X(QC_VAULT_GONE_MAX, 1000000, "versions", "purged, of one object: 24 bytes each in both stores' lists")  \
    X(QC_VAULT_PURGE_BATCH, 256, "versions", "purged by one request: as QC_GW_BATCH_CHANGES_MAX")            \
    X(QC_VAULT_CERTIFICATE_VERSIONS, 100000, "versions", "in a record of erasure: QC_VAULT_VERSIONS_MAX")    \
    X(QC_VAULT_CERTIFICATE_MAX, 12 * 1024 * 1024, "bytes", "that record: 114 for each version, and a name")  \
    X(QC_VAULT_PLACE_MAX, 4096, "bytes", "of a path: PATH_MAX")                                              \
    X(QC_VAULT_LIST_MEMORY, 16 * 1024 * 1024, "bytes", "names sorted in memory; more: temporary files")      \
    X(QC_VAULT_LIST_RUNS_MAX, 512, "runs", "of one sorted listing: 8 GiB of names")                          \
    X(QC_VAULT_CALL_FILES, 256, "files", "of one request: as QC_GW_BATCH_CHANGES_MAX")                       \
    X(QC_VAULT_BUNDLE_FILES, 512, "files", "sealed, stored and committed together: as QC_GW_MEMBERS_MAX")    \
    X(QC_VAULT_BUNDLES_AHEAD, 2, "bundles", "on their way while another one is sealed")                      \
    X(QC_VAULT_BUNDLE_LEAST, 8, "files", "fewer are put one by one: a read fetches the bundle of a file")    \
    X(QC_VAULT_BUNDLE_MAX, 3 * 1024 * 1024, "bytes", "a bundle: as QC_GW_BUNDLE_MAX")                        \
    X(QC_VAULT_LOT_MAX, 1024 * 1024, "bytes", "of small files, fetched by one request: QC_GW_READ_SOME")     \
    X(QC_VAULT_BUNDLED_MAX, 128 * 1024, "bytes", "of a file in one; N is then below QC_GW_BUNDLED_MAX")      \
    X(QC_VAULT_N_ABOUT, 1024, "bytes", "of an N besides its file's, where it is guessed")                    \
    X(QC_VAULT_BUNDLE_BODY, 600 * 1024, "bytes", "of entries in one request: the gateway takes 1 MiB")       \
    X(QC_VAULT_MEMBERS_BODY, 960 * 1024, "bytes", "of members, as bytes, in one: the gateway takes 1 MiB")   \
    X(QC_VAULT_PAGE, 1000, "entries", "one page of a listing")                                               \
    X(QC_VAULT_CHAIN_PAGE, 10000, "seals", "one page of the chain of commits")                               \
    X(QC_VAULT_PAUSE_MS, 100, "ms", "first pause before a request is repeated; doubles")                     \
    X(QC_VAULT_PAUSE_MAX_MS, 3000, "ms", "longest pause, whatever Retry-After says")                         \
    X(QC_VAULT_PATIENCE_MS, 30000, "ms", "a request without deadline is repeated for so long")               \
    X(QC_VAULT_STALL_MS, 300000, "ms", "no byte from the gateway for so long: it is gone")                   \
    X(QC_VAULT_SETTLE_MS, 20000, "ms", "to cancel or ask about an upload after a failure")                   \
    X(QC_VAULT_LATE_MS, 1000, "ms", "the same, after the user's time ran out")                               \
    X(QC_VAULT_PASS_KNOWN_MAX, 8, "passphrases", "of one run: two stores, and wrong ones that were typed")   \
    X(QC_VAULT_PASS_MADE_MAX, 4, "hashes", "kept per passphrase: two stores before a change and after it")   \
    X(QC_VAULT_PASS_KIB_MIN, 65536, "KiB", "FORMAT 7.1: less makes guessing cheap")                          \
    X(QC_VAULT_PASS_KIB_MAX, 4194304, "KiB", "FORMAT 7.1: more is a file that exhausts memory")              \
    X(QC_VAULT_PASS_PASSES_MIN, 2, "passes", "FORMAT 7.1: of Argon2id")                                      \
    X(QC_VAULT_PASS_PASSES_MAX, 64, "passes", "FORMAT 7.1: more is a file that takes hours")                 \
    X(QC_VAULT_REFRESH_BATCH, 32, "versions", "refreshed together: two keys in memory for each")             \
    X(QC_VAULT_SWEEP_PAGE, 1000, "objects", "of a keeper, listed by one request: what S3 gives")             \
    X(QC_VAULT_SWEEP_MAX, 100000, "objects", "of a keeper that one run looks at: 100 requests")              \
    X(QC_VAULT_STRAYS_MAX, 1024, "objects", "of a keeper, noted as of nothing: 40 bytes each")               \
    X(QC_VAULT_STRAY_S, 7 * 86400, "s", "noted for so long before it goes: puts come to their end by then")  \
    X(QC_VAULT_RECOVER_BATCH, 64, "records", "one durable transaction of recover")                           \
    X(QC_VAULT_TICKETS_MAX, 10000, "tickets", "each is a share that a thief of the machine has")             \
    X(QC_VAULT_KIT_TEXT_MAX, 4096, "bytes", "64 words of 8 letters, their numbers, and room")                \
    /* cloud */                                                                                              \
    X(CLOUD_KEY_SIZE_MAX, 200, "bytes", "every provider and file system takes so much (s3.md 2.2)")          \
    X(CLOUD_KEY_DEPTH_MAX, 8, "components", "bounds the walk of a directory cloud; our keys have three")     \
    X(CLOUD_URL_SIZE_MAX, 4080, "bytes", "below PATH_MAX with room for what is appended")                    \
    X(CLOUD_SCHEME_SIZE_MAX, 15, "bytes", "\"file\", \"s3v2+https\"")                                        \
    X(CLOUD_HOST_SIZE_MAX, 253, "bytes", "a name of DNS (RFC 1035)")                                         \
    X(CLOUD_BUCKET_SIZE_MAX, 63, "bytes", "all makers agree (s3.md 2.2)")                                    \
    X(CLOUD_REGION_SIZE_MAX, 63, "bytes", "of a region's name; AWS's have less than 20")                     \
    X(CLOUD_NAME_SIZE_MAX, 64, "bytes", "a cloud's name in messages and in QC_CLOUD_FAULTS")                 \
    X(CLOUD_ACCESS_SIZE_MAX, 256, "bytes", "id of a key: AWS gives 128 at most, Swift account:user")         \
    X(CLOUD_SECRET_SIZE_MAX, 512, "bytes", "40 at AWS and Ceph; others let the operator choose")             \
    X(CLOUD_SPEC_SIZE_MAX, 4095, "bytes", "a path, or aws:PROFILE")                                          \
    X(CLOUD_PROFILE_SIZE_MAX, 128, "bytes", "a word between brackets, and in messages")                      \
    X(CLOUD_CREDENTIALS_FILE_MAX, 64 * 1024, "bytes", "a team's ~/.aws/credentials: 400 profiles")           \
    X(CLOUD_PASSWD_SIZE_MAX, 4096, "bytes", "a line of the user database; 1,024 are usual")                  \
    X(CLOUD_PARTS_MAX, 65536, "spans", "a fragment of a large segment, stripe piece by piece")               \
    X(CLOUD_SLICE, 1024 * 1024, "bytes", "between two looks at deadline and cancel flag")                    \
    X(CLOUD_DIRECT_MIN, 256 * 1024, "bytes", "less is not worth a way of its own past the page cache")       \
    X(CLOUD_LIST_MAX, 10000, "keys", "one page of a listing")                                                \
    X(CLOUD_LIST_BATCH, 1024, "names", "held at once for each directory of a listing")                       \
    X(CLOUD_DIRS_KNOWN, 4096, "directories",                                                                 \
      "hash slots for those known to be durable; 16 times our shards")                                       \
    X(CLOUD_FILE_PARALLEL, 8, "requests", "fsync of several files overlaps on one disk")                     \
    X(CLOUD_TMP_TRIES, 8, "names", "a random name is taken twice only by an attack")                         \
    X(CLOUD_SWEEP_MAX, 65536, "files", "left over by dead writers; more are swept at the next opening")      \
    X(CLOUD_S3_CONNECT_MS, 5000, "ms", "a dead host; the other side of the earth needs 300")                 \
    X(CLOUD_S3_STALL_S, 20, "s", "slower than CLOUD_S3_STALL_RATE for so long: it hangs")                    \
    X(CLOUD_S3_STALL_RATE, 1000, "bytes/s", "slower is no use to anybody")                                   \
    X(CLOUD_S3_TOTAL_MS, 30000, "ms", "a request, and more by its size: a cloud that drips")                 \
    X(CLOUD_S3_LEAST_RATE, 100, "bytes/ms", "100 kB/s is granted to a body")                                 \
    X(CLOUD_S3_POLL_MS, 100, "ms", "between two looks at the cancel flag while the socket is quiet")         \
    X(CLOUD_S3_BUFFER_SIZE, 256 * 1024, "bytes",                                                             \
      "libcurl's two buffers of a connection; 512 KiB gain nothing")                                         \
    X(CLOUD_S3_HEAD_SIZE_MAX, 65536, "bytes", "all headers of an answer; S3 sends 1 KiB")                    \
    X(CLOUD_S3_ERROR_SIZE_MAX, 65536, "bytes", "the text of an error")                                       \
    X(CLOUD_S3_LIST_SIZE_MAX, 4 * 1024 * 1024, "bytes", "a page of a listing: 1,000 keys of 4 KiB")          \
    X(CLOUD_S3_TEXT_MAX, 4096, "bytes", "a text in XML: a key of 1,024 bytes, encoded, or a token")          \
    X(CLOUD_S3_PAGE_KEYS, 1000, "keys", "asked for at once: S3 gives no more")                               \
    X(CLOUD_S3_PAGES_MAX, 10000, "pages", "of one call of cloud_list: 10 million foreign names")             \
    X(CLOUD_S3_PARALLEL, 16, "requests", "at once to one cloud, to begin with")                              \
    X(CLOUD_S3_PARALLEL_MAX, 64, "requests", "at once to one cloud; each has a connection")                  \
    X(CLOUD_S3_CALM, 64, "requests", "that succeed in a row let one more go at once")                        \
    X(CLOUD_S3_IDLE_S, 60, "s", "a connection that is older is not used again: servers close them")          \
    X(CLOUD_S3_BACKOFF_MS, 200, "ms", "before the second try at most; doubles")                              \
    X(CLOUD_S3_BACKOFF_MAX_MS, 20000, "ms", "the longest pause, whatever Retry-After says")                  \
    X(CLOUD_S3_TOKENS, 500, "tokens", "of a cloud: against storms of repeated requests")                     \
    X(CLOUD_S3_RETRY_TOKENS, 5, "tokens", "a repeated request costs, a success gives one")                   \
    X(CLOUD_S3_SKEW_MAX_S, 86400, "s", "a clock that is further off is not corrected but complained of")     \
    X(CLOUD_S3_CLOCK_WARN_S, 60, "s", "a clock that is further off is worth a word; 15 minutes are refused") \
    X(CLOUD_S3_PROVED_MS, 2000, "ms", "a cloud that just answered is opened again without asking")           \
    X(CLOUD_S3_SUM_SIZE_MAX, 1024 * 1024, "bytes", "smaller objects are summed when read: MD5 is slow")      \
    X(CLOUD_S3_TRIAL_SIZE_MAX, 65536, "bytes", "an object that is sent twice to learn of If-None-Match")     \
    X(CLOUD_FAULT_RULES_MAX, 16, "rules", "of one cloud in QC_CLOUD_FAULTS")                                 \
    X(CLOUD_S3V2_PARALLEL, 8, "requests",                                                                    \
      "at once: more do not make libs3 faster, which runs one at a time")                                    \
    X(CLOUD_S3V2_IDLE_MAX, 16, "connections", "kept for the next request to one cloud")                      \
    X(CLOUD_S3V2_SOCKETS, 8, "descriptors", "of one request; libcurl tries two addresses at once")           \
    X(CLOUD_S3V2_TICK_MS, 5, "ms", "between two looks where libs3 tells no socket")                          \
    X(CLOUD_S3V2_POLL_MS, 100, "ms", "between two looks at the cancel flag while the socket is quiet")       \
    X(CLOUD_S3V2_QUIET_MS, 20000, "ms", "nothing moves for so long: the cloud hangs")                        \
    X(CLOUD_S3V2_BACKOFF_MS, 200, "ms", "before the second try at most; doubles")                            \
    X(CLOUD_S3V2_PAGE_KEYS, 1000, "keys", "asked for at once: S3 gives no more")                             \
    X(CLOUD_S3V2_PAGES_MAX, 10000, "pages", "of one call of cloud_list: 10 million foreign names")           \
    X(CLOUD_S3V2_PAGE_SIZE_MAX, 2 * 1024 * 1024, "bytes", "1,000 keys of 1,024 bytes, with their sizes")     \
    X(CLOUD_S3V2_PUT_TRIES, 3, "requests",                                                                   \
      "whose object is not there afterwards; then the caller hears of it")                                   \
    X(CLOUD_S3V2_STACK, 64 * 1024, "bytes", "that libs3 uses to sign a request, wiped after it")             \
    X(CLOUD_TEST_SMALL, 300, "bytes", "an object of a validation; small ones are the slow ones")             \
    X(CLOUD_TEST_LARGE, 1024 * 1024 + 13, "bytes", "and a large one: several slices, no round number")       \
    X(CLOUD_TEST_LARGE_DEEP, 24 * 1024 * 1024 + 13, "bytes", "as the largest fragment, with room")           \
    X(CLOUD_TEST_WRITERS, 8, "requests", "at once in a validation (s3.md 4)")                                \
    X(CLOUD_TEST_DEEPER, 25, "times", "the objects of a deep validation: a page of 1,000 is crossed")        \
    X(CLOUD_TEST_RACES_DEEP, 20, "races", "for a new key in a deep validation")                              \
    X(CLOUD_TEST_KEYS_MAX, 10000, "keys", "of one validation: four digits")                                  \
    X(CLOUD_TEST_PAGE, 7, "keys", "in a page of the listing's test: several pages")                          \
    X(CLOUD_TEST_SWEEP, 2000, "keys", "left by validations that were killed, removed at a time")             \
    X(CLOUD_TEST_TIMES, 16, "requests", "whose median is the latency")                                       \
    X(CLOUD_TEST_SYNCS_DEEP, 9, "syncs", "of a directory's disk; the fastest counts")                        \
    X(CLOUD_TEST_GATE_MS, 2000, "ms", "the writers of a race wait so long for the last of them")             \
    X(CLOUD_TEST_CLEAN_MS, 30000, "ms", "to remove test objects, also after the time ran out")               \
    X(CLOUD_TEST_ROOM, 1024 * 1024 * 1024, "bytes", "less room than this is warned of")                      \
    /* net */                                                                                                \
    X(NET_KEEP_MAX, 16, "headers", "of an answer, kept by name")                                             \
    X(NET_HEADERS_MAX, 32, "headers", "of a request")                                                        \
    X(NET_PATH_SIZE_MAX, 16384, "bytes", "path and query; longer ones belong in a body")                     \
    X(NET_HEADER_LINE_MAX, 8192, "bytes", "one header of a request, name and value")                         \
    X(NET_SOCKET_PATH_MAX, 107, "bytes", "sun_path less its NUL, for /proc/self/fd/N/NAME")                  \
    X(NET_HEAD_SIZE_MAX, 65536, "bytes", "all headers of an answer")                                         \
    X(NET_BUFFER_SIZE, 512 * 1024, "bytes", "libcurl's buffers; larger ones gained nothing")                 \
    X(NET_BEARER_MAX, 256, "bytes", "a token in a header; ours have 80")                                     \
    X(NET_CONNECT_MS, 10000, "ms", "to connect, TLS included; a server far away takes one")                  \
    X(NET_SEND_BUFFER, 1024 * 1024, "bytes", "of a UNIX socket, as the system allows")                       \
    X(NET_POLL_MS, 100, "ms", "between two looks at the cancel flag while the socket is quiet")              \
    X(NET_RATE_MIN, 16 * 1024, "bytes/s", "less is no use: a segment of 16 MiB would take a quarter hour")   \
    X(NET_RATE_MAX, 1 << 30, "bytes/s", "1 GiB: more needs no limit")                                        \
    X(NET_RATE_TIMES_MAX, 168, "times", "in a week's timetable: one each hour")                              \
    X(NET_RATE_TEXT_MAX, 2048, "bytes", "of a timetable: 168 times of 12 bytes")                             \
    X(NET_RATE_BURST_MS, 100, "ms", "what a pause has saved up: 1 % of 10 s")                                \
    X(NET_RATE_LOOK_MS, 2000, "ms", "between two looks at the file that says the limit")                     \
    /* gateway */                                                                                            \
    X(QC_GW_CLOUDS_MAX, 32, "clouds", "a set of clouds is a 32-bit word; as many as QC_EC_N_MAX")            \
    X(QC_GW_CLOUDS_EVER, 1024, "clouds", "that a gateway has had, for a rebuild: 1 KiB each")                \
    X(QC_GW_SEGMENT_MAX, 18 * 1024 * 1024, "bytes", "FORMAT 12")                                             \
    X(QC_GW_STRIPES_MAX, 19, "stripes", "18 MiB in stripes of at least 1 MiB - 2 KiB (k <= 32)")             \
    X(QC_GW_UNITS, 6, "units", "segments in work at once: EC(3,5) has 180 MiB in them")                      \
    X(QC_GW_UNITS_BYTES, 240 * 1024 * 1024, "bytes", "all units; fewer of them where n / k is large")        \
    X(QC_GW_CLOUD_WORKERS, 2, "threads", "per cloud; each can hold one unit for ever when its cloud hangs")  \
    X(QC_GW_CLOUD_QUEUE, 64, "jobs", "waiting per cloud; eight transfers and a batch of records")            \
    X(QC_GW_BATCH_MAX, 256, "jobs", "of one batch: a request or two per cloud, with room")                   \
    X(QC_GW_BREAKER_MOST_MS, 60000, "ms",                                                                    \
      "a cloud that goes on missing deadlines is left alone for so long")                                    \
    X(QC_GW_SLOW_MS, 5000, "ms", "a cloud that was too slow for a read is asked last for so long")           \
    X(QC_GW_LINGER_MS, 1000, "ms", "a job that is not needed any more sees its cancel flag by then")         \
    X(QC_GW_HEDGE_PERCENT, 10, "per cent", "of what reads need may be asked for twice; it costs money")      \
    X(QC_GW_HEDGE_MIN_MS, 50, "ms", "sooner nobody is raced: a busy machine is as slow by itself")           \
    X(QC_GW_PACE_MEMORY_MS, 30000, "ms", "a cloud that was slower than others is asked again after so long") \
    X(QC_GW_HEDGE_MS, 500, "ms", "a slow fragment is raced by another after so long, whatever that costs")   \
    X(QC_GW_PROBE_AGAIN_MS, 1000, "ms", "a cloud that missed a deadline is left alone for so long at first") \
    X(QC_GW_PROBE_MS, 1000, "ms", "a cloud that was away has so long to show that it is back")               \
    X(QC_GW_TRIAL_MS, 1000, "ms", "and its first fragment so long after those of the others")                \
    X(QC_GW_SUBSETS_MAX, 50, "tries", "k-subsets, when one piece lies behind a good tag")                    \
    X(QC_GW_PATH_MAX, 81920, "bytes", "path ciphertext, FORMAT 12")                                          \
    X(QC_GW_PRIVATE_MAX, 65536, "bytes", "an entry's private part")                                          \
    X(QC_GW_RECORD_SIZE, 124, "bytes", "a vault record: it has one size")                                    \
    X(QC_GW_BACKUP_MAX, 65536 + 300, "bytes", "B, FORMAT 12")                                                \
    X(QC_GW_LOG_MAX, 64 * 1024 * 1024, "bytes", "a log object, FORMAT 9.3")                                  \
    X(QC_GW_DECIDE_TRIES, 20, "tries", "to decide a batch between those of other gateways")                  \
    X(QC_GW_ATTEND_MS, 2000, "ms", "between two looks at other gateways of the same catalogue")              \
    X(QC_GW_SEGMENTS_MAX, 1000000, "segments", "of a version: 66 bytes each fit a log object")               \
    X(QC_GW_BATCH_CHANGES_MAX, 256, "changes", "of one call, of which each is a member of a JSON array")     \
    X(QC_GW_MEMBERS_MAX, 512, "changes", "of a bundle in one call; decided in one transaction, log object")  \
    X(QC_GW_BUNDLED_MAX, 256 * 1024, "bytes", "FORMAT 12: an N in a bundle; a larger one is worth its own")  \
    X(QC_GW_BUNDLE_MAX, 3 * 1024 * 1024, "bytes", "a bundle's segment: some stripes, of 1 MiB each")         \
    X(QC_GW_READ_SOME, 1024 * 1024, "bytes", "of several small N in one answer")                             \
    X(QC_GW_BUNDLES_READ, 8, "bundles", "kept in memory after a read: neighbours are read next")             \
    X(QC_GW_BUNDLE_FRESH_MS, 2000, "ms", "so long: then the clouds are asked again")                         \
    X(QC_GW_REPACK_DEAD, 50, "%", "of a bundle's bytes: from there on what lives goes to another one")       \
    X(QC_GW_REPACK_WORTH, 4, "times", "what its record takes on all clouds must a repack give back")         \
    X(QC_GW_REPACK_GROUPS, 16, "vaults", "looked at per call for bundles to repack")                         \
    X(QC_GW_REPACK_REST_MS, 60000, "ms", "after a repack that came to nothing; doubled with each that does") \
    X(QC_GW_REPACK_REST_MAX_MS, 3600000, "ms", "of that: what was in the way may be gone by then")           \
    X(QC_GW_UPLOAD_DAYS, 30, "days", "an unfinished upload waits for its client; then it is given up")       \
    X(QC_GW_UPLOADS_MAX, 4096, "uploads", "open at once; each holds rows and maybe fragments")               \
    X(QC_GW_LIST_MAX, 1000, "entries", "one page of a listing (API)")                                        \
    X(QC_GW_LIST_BYTES, 4 * 1024 * 1024, "bytes", "of paths and private parts in one page")                  \
    X(QC_GW_LAYOUTS_MAX, 64, "layouts", "of one version; segments of a put share one")                       \
    X(QC_GW_LABEL_MAX, 64, "bytes", "a label of a cloud: as long as its name")                               \
    X(QC_GW_WEIGHT_MAX, 1000, "", "a cloud's weight; 100 where nobody said otherwise")                       \
    X(QC_GW_RECODE_BATCH, 16, "segments", "of another code that one log object changes; in memory is one")   \
    X(QC_GW_RECODE_REFUSED, 4, "segments", "in a row of which a cloud took no part: the rest waits")         \
    X(QC_GW_GOING_MAX, 64, "uploads", "whose clouds can be asked for while they go on; the oldest goes")     \
    X(QC_GW_ARRIVAL_MS, 75000, "ms", "a put that goes on waits so long for what it sent: a unit, two tries") \
    X(QC_GW_ARRIVAL_STILL_MS, 3000, "ms", "a segment of which so long nothing came does not come")           \
    X(QC_GW_BUSY_MAX, 64, "segments", "in work at once, waiting ones included")                              \
    X(QC_GW_CHAIN_MAX, 10000, "seals", "one page of a chain (API)")                                          \
    X(QC_GW_VAULTS_MAX, 10000, "vaults", "of one gateway; listed in one answer")                             \
    X(QC_GW_TENANTS_MAX, 1000, "tenants", "all verifiers are compared for each token: 32 KiB, 20 us")        \
    X(QC_GW_TENANT_NAME_MAX, 64, "bytes", "as long as a cloud's name")                                       \
    X(QC_GW_TENANT_VAULTS_MAX, 64, "vaults", "of one tenant; each is a log object on every cloud")           \
    X(QC_GW_TENANT_UPLOADS, 64, "uploads", "of one tenant, open at once, unless the operator says more")     \
    X(QC_GW_TENANT_REQUESTS, 16, "requests", "of one tenant at once: eight transfers, two segments each")    \
    X(QC_GW_TENANT_REQUESTS_MAX, 1024, "requests", "of one tenant: a door has no more connections")          \
    X(QC_GW_TENANT_OBJECTS, 1000000, "versions", "of one tenant, unless the operator says more")             \
    X(QC_GW_TENANT_GIVEN_UP, 10000, "put keys", "cancelled and remembered; the oldest is forgotten")         \
    X(QC_GW_REQUESTS_MAX, 256, "requests", "whose faults are remembered (API)")                              \
    X(QC_GW_REQUEST_ID_MAX, 64, "bytes", "X-Qcloud-Request (API)")                                           \
    X(QC_GW_SUSPECTS_MAX, 256, "fragments", "bad in a read, to be looked at again")                          \
    X(QC_GW_OPEN_MS, 3000, "ms", "clouds have so long to answer while the gateway starts")                   \
    X(QC_GW_STATUS_MS, 2000, "ms", "clouds have so long to answer a status")                                 \
    X(QC_GW_SEGMENT_MS, 30000, "ms", "then a cloud without its fragment is late")                            \
    X(QC_GW_LOOK_MS, 15000, "ms", "for an object's first and last bytes, after the whole did not come")      \
    X(QC_GW_READ_MS, 30000, "ms", "k fragments must have come by then")                                      \
    X(QC_GW_RECORD_MS, 15000, "ms", "then a cloud without the log object is late")                           \
    X(QC_GW_RECORD_GRACE_MS, 5000, "ms", "more, once the record quorum has it")                              \
    X(QC_GW_UNIT_MS, 10000, "ms", "a request waits so long for a unit, then 503")                            \
    X(QC_GW_ROLL_MS, 2000, "ms", "between two tries to roll a batch forward unasked")                        \
    X(QC_GW_TIDY_KEYS, 64, "keys", "swept or re-put per call: housekeeping yields to requests")              \
    X(QC_GW_PAYERS, 2, "threads", "that pay debts: a cloud that hangs holds one")                            \
    X(QC_GW_DEBT_LOOK_MS, 2000, "ms", "between two looks at what a cloud is owed, while it is nothing")      \
    X(QC_GW_DEBT_NEWS_MS, 1000, "ms",                                                                        \
      "and at which clouds are well: one that is back need not wait its rest out")                           \
    X(QC_GW_DEBT_LEFT_MS, 5000, "ms", "what nobody waited for has so long to land before it is put again")   \
    X(QC_GW_HASTE_MS, 50, "ms", "a put that does not wait for all gives the others so much more")            \
    X(QC_GW_SHARES_AGAIN_MS, 30000, "ms", "until shares of the root key are offered to a cloud again")       \
    X(QC_GW_DEBT_REST_MS, 1000, "ms", "a cloud that did not take its due rests so long at first")            \
    X(QC_GW_DEBT_REST_MOST_MS, 60000, "ms", "and so long at most: one that is back gets its due by then")    \
    X(QC_GW_MEND_REST_MOST_MS, 3600000, "ms",                                                                \
      "between two tries of what cannot be rebuilt from what is there")                                      \
    X(QC_GW_SWEEP_ROUNDS, 2, "rounds", "of DELETE and HEAD until a dead key rests; its row stays")           \
    X(QC_GW_CUTS_MAX, 1024, "rebuilds", "of one gateway; each leaves a root and a cut")                      \
    X(QC_GW_BKEYS_MAX, 64, "epochs", "of backup keys; there is one until a kit is refreshed")                \
    X(QC_GW_LOG_OBJECTS_MAX, 32000000, "objects", "listed in a rebuild, over all clouds: 16 bytes each")     \
    X(QC_GW_PACK_MAX, 8 * 1024 * 1024, "bytes", "of a pack's clear text: 8,000 puts; six of it in memory")   \
    X(QC_GW_NOTES_MAX, 100000, "notes", "beside the log: dead keys and doubtful fragments; 50 bytes each")   \
    X(QC_GW_SNAPSHOT_S, 21600, "s", "after a snapshot, if something was committed: it costs 20 requests")    \
    X(QC_GW_SNAPSHOT_MOST_S, 86400, "s", "after a snapshot in any case: what was found out changes, too")    \
    X(QC_GW_SNAPSHOT_OLD_S, 259200, "s", "without a snapshot that comes to an end: then it is told")         \
    X(QC_GW_SNAPSHOT_LOG, 1000, "log objects", "to be read one by one in a rebuild, at most, as a rule")     \
    X(QC_GW_SNAPSHOT_READS, 64, "log objects", "read for a pack in one stretch: housekeeping yields")        \
    X(QC_GW_SNAPSHOT_LOOK_MS, 60000, "ms", "between two looks whether one is due")                           \
    X(QC_GW_SNAPSHOT_REST_MS, 60000, "ms",                                                                   \
      "after one that came to nothing; twice as long each time, to an hour")                                 \
    X(QC_GW_SNAPSHOT_TRIES, 5, "tries", "then a log object that nobody can read is left out of its pack")    \
    X(QC_GW_SCHEMAS_KEPT, 2, "copies", "of a catalogue, from before it was brought up to date")              \
    X(QC_GW_PACKS_MAX, 1000000, "objects", "packs and notes listed in a rebuild; 30 bytes each")             \
    X(QC_GW_REBUILD_SEGMENTS_MAX, 64000000, "segments", "of a rebuild: 16 bytes each")                       \
    X(QC_GW_LIST_PAGE_MS, 60000, "ms", "one page of a listing during a rebuild or a repair")                 \
    X(QC_GW_REPAIR_TRIES, 3, "tries", "to place a fragment in one pass; then it is left for the next")       \
    X(QC_GW_REPAIR_PAUSE_MS, 200, "ms", "while requests have all segment buffers")                           \
    X(QC_GW_REPAIR_PAUSES, 50, "pauses", "then the segment is left for the next pass")                       \
    X(QC_GW_REPAIR_LOSSES_MAX, 64, "segments", "named in a report of a repair; all are counted")             \
    X(QC_GW_REPAIR_RATE_MIN, 1024, "bytes/s", "of --max-rate: slower is no pass but a mistake")              \
    X(QC_GW_FINDINGS_MAX, 10000, "findings",                                                                 \
      "remembered for people, 200 bytes each; rows of fragments say the rest")                               \
    X(QC_GW_FORECAST_MS, 5000, "ms", "of work before a speed is told")                                       \
    X(QC_GW_SCRUB_LOOK_MS, 2000, "ms", "between two looks whether a pass is due")                            \
    X(QC_GW_SCRUB_SEGMENTS, 64, "segments", "read by one page of a content pass, at most")                   \
    X(QC_GW_SCRUB_BYTES, 8 * 1024 * 1024, "bytes", "the same; then others have their turn")                  \
    X(QC_GW_SCRUB_REST_MS, 5000, "ms", "a pass whose cloud is away rests so long at first")                  \
    X(QC_GW_SCRUB_REST_MOST_MS, 600000, "ms", "and so long at most")                                         \
    X(QC_GW_SCRUB_PRESENCE_S, 86400, "s", "presence once a day: a request for each 1,000 objects")           \
    X(QC_GW_SCRUB_CONTENT_S, 2592000, "s", "all bytes once in 30 days: where reading is paid for, it costs") \
    X(QC_GW_SCRUB_RATE, 8 * 1024 * 1024, "bytes/s",                                                          \
      "21 TB in 30 days, and no burden for a line of 1 Gbit/s")                                              \
    X(QC_GW_SCRUB_REQUESTS, 20, "requests/s", "to all clouds together")                                      \
    X(QC_GW_SCRUB_OLD, 2, "periods",                                                                         \
      "a pass may begin one after the last, and take one: what was seen before that is too old")             \
    X(QC_GW_OBSERVED_OLD_S, 300, "s", "that clouds were asked is no news any more")                          \
    X(QC_GW_OWED_OLD_S, 86400, "s", "a debt that is older should have been paid")                            \
    X(QC_GW_SCRUB_PAUSE_S, 86400, "s", "a scrub is paused by hand for so long, unless it is paused again")   \
    X(QC_GW_CLOUD_TEST_MS, 10000, "ms", "each step of a cloud's test: one small request")                    \
    X(QC_GW_CLOUD_TEST_SIZE, 4096, "bytes", "of a cloud's test: as small as what is stored often is")        \
    X(QC_GW_TRUST_MS, 120000, "ms", "to validate a cloud before it is trusted; all of them at once")         \
    X(QC_GW_TRUST_AGAIN_MS, 20000, "ms", "the same in a rebuild, which goes on without")                     \
    X(QC_GW_TRUST_DEEP_MS, 1800000, "ms", "a deep validation of a far cloud: 10,000 requests")               \
    X(QC_GW_AUDIT_LINE_MAX, 4096, "bytes", "of a line of the audit log: a page, one write")                  \
    X(QC_GW_AUDIT_WAYS_MAX, 3500, "bytes", "in such a line, of what carried a segment: 16 clouds and more")  \
    X(QC_GW_AUDIT_ROTATE, 16 * 1024 * 1024, "bytes", "of a file of the audit log, as it comes: 50,000 puts") \
    X(QC_GW_AUDIT_KEEP, 64, "files", "of the audit log that are full, as it comes: 1 GiB")                   \
    X(QC_GW_AUDIT_FILES_MAX, 100000, "files", "of an audit log that is looked at as a whole")                \
    X(QC_GW_DASHBOARD_MAX, 256 * 1024, "bytes", "/dashboard: 32 clouds and all there is to say of each")     \
    X(QC_GW_METRIC_ROUTES, 71, "routes", "of the API that are counted apart; there are 64")                  \
    X(QC_GW_METRICS_MAX, 2 * 1024 * 1024, "bytes", "/metrics with 32 clouds and 1,000 tenants: 1 MB")        \
    X(QC_GW_WAYS_MAX, 512 * 1024, "bytes", "clouds.conf: 32 clouds with the longest paths and URLs")         \
    /* client */                                                                                             \
    X(QC_CLIENT_VAULT_MAX, 64, "bytes", "the name of a vault of a user, who types it")                       \
    X(QC_CLIENT_PATH_MAX, 4096, "bytes", "PATH_MAX")                                                         \
    X(QC_HOME_MOUNTS_MAX, 4 * 1024 * 1024, "bytes", "of /proc/self/mountinfo: 20,000 mounts")                \
    X(QC_CLIENT_DISK_TRIES, 10, "times", "that a disk is asked for by its name, before it is done without")  \
    X(QC_CLIENT_AGAIN_MAX, 64, "words", "of a command that JSON says whole, to be run again; of more: not")  \
    X(QC_CLIENT_CONF_MAX, 65536, "bytes", "a configuration; ours has a dozen lines")                         \
    X(QC_CLIENT_TEXT_MAX, 65536, "bytes", "a name of 4,096 bytes, each escaped, and words around it")        \
    X(QC_CLIENT_DRILL_MAX, 16384, "bytes", "what is kept of drills: twice names of 32 clouds, and figures")  \
    X(QC_CLIENT_DRILL_LOST, 1000, "objects", "that a drill's report names; it says so if there are more")    \
    X(QC_CLIENT_NAMES_MAX, 32 * 1024 * 1024, "bytes",                                                        \
      "names of one get -r: within the 64 MiB of the command")                                               \
    X(QC_CLIENT_CERTIFICATES_MAX, 100000, "files", "of erasures, listed: 1 KiB each")                        \
    X(QC_CLIENT_TOGETHER, 200, "files", "got together: two descriptors each, of 1,024")                      \
    X(QC_CLIENT_CONTACT_MS, 10000, "ms", "a gateway for many users answers by then, or is away")             \
    X(QC_CLIENT_START_MS, 30000, "ms", "a gateway that is not ready by then has a log to read")              \
    X(QC_CLIENT_START_TRIES, 5, "tries", "one, and four for a gateway that is starting or leaving")          \
    X(QC_CLIENT_START_PAUSE_MS, 100, "ms", "before the second; twice as long before each next: 1.5 s")       \
    X(QC_CLIENT_REVIVE_MAX, 3, "starts", "of a gateway that ends under a command; more: it is broken")       \
    X(QC_CLIENT_WAIT_MAX_S, 604800, "s", "a week of waiting for a lock is a mistake")                        \
    X(QC_CLIENT_NICE, 10, "steps", "of the processor's priority, as nice(1) counts")                         \
    X(QC_CLIENT_LOTS, 2, "lots",                                                                             \
      "of small files that a get -r without --jobs fetches, and writes, at a time")                          \
    X(QC_CLIENT_LOTS_OPEN, 606, "files and folders",                                                         \
      "of all lots of a get -r together, be there two or eight: of 1,024 descriptors")                       \
    X(QC_CLIENT_JOBS_MAX, 8, "transfers", "side by side; each has a segment of 16 MiB in memory")            \
    X(QC_CLIENT_STALL_MS, 5000, "ms", "without a byte more: progress says what is waited for")               \
    X(QC_CLIENT_CLOUDS_MS, 1000, "ms", "between two questions how far an upload is on each cloud")           \
    X(QC_CLIENT_LEFT_NAMED, 8, "files", "that doctor names of what was left over; it counts all")            \
    X(QC_CLIENT_LEFT_SEEN, 100000, "files", "that doctor looks at for what was left over")                   \
    X(QC_BENCH_SIZES_MAX, 8, "sizes", "that a bench measures: minutes, on a slow line")                      \
    X(QC_BENCH_SIZE_MAX, 1 << 30, "bytes", "of one of them: it lies on the clouds meanwhile")                \
    X(QC_BENCH_LEFT_MAX, 64, "names", "that benches gave and could not purge: locked by somebody")           \
    X(QC_BENCH_MS, 500, "ms", "that each small measure of a bench takes")                                    \
    X(QC_BENCH_CHILD_MS, 900000, "ms", "that a program beside which a bench measures has: it hangs")         \
    X(QC_BENCH_RUNS_MAX, 15, "runs", "of which a bench gives the median")                                    \
    X(QC_BENCH_TREE, 200, "files", "of 4 KiB in a bench's tree")                                             \
    X(QC_CLIENT_LEAVE_MS, 2000, "ms", "a second Ctrl-C within this leaves at once")                          \
    /* sync */                                                                                               \
    X(QC_SYNC_FILES_MAX, 4000000, "files", "of one sync, on each side: some 600 MB of memory")               \
    X(QC_SYNC_NAMES_MAX, 512 * 1024 * 1024, "bytes", "of their paths: 128 bytes each")                       \
    X(QC_SYNC_PATTERN_MAX, 1024, "bytes", "a line of .qcloudignore; bounds the time of a match")             \
    X(QC_SYNC_PATTERNS_MAX, 100000, "patterns", "of one sync, in all its files")                             \
    X(QC_SYNC_IGNORE_FILE_MAX, 1024 * 1024, "bytes", "one .qcloudignore")                                    \
    X(QC_SYNC_TICK_MS, 20, "ms", "the clock of a file system's times: 10 at most with a kernel's 100 Hz")    \
    X(QC_SYNC_COARSE_MS, 2000, "ms", "the same where times are whole seconds: vfat counts every other one")  \
    X(QC_SYNC_COMMIT_MS, 1000, "ms", "what a killed sync may have to look at again")                         \
    X(QC_WATCH_SETTLE_MS, 500, "ms", "an editor writes, renames and removes: what belongs together is over") \
    X(QC_WATCH_PATIENCE_MS, 5000, "ms", "what is written all the time is stored now and then all the same")  \
    X(QC_WATCH_QUIET_MS, 2000, "ms", "nothing is deleted while somebody may be removing the folder itself")  \
    X(QC_WATCH_RETRY_MS, 1000, "ms", "the other side is away: doubled each time")                            \
    X(QC_WATCH_RETRY_MAX_MS, 60000, "ms", "until this; it is back within a minute of being back")            \
    X(QC_WATCH_EVERY_S, 3600, "s", "all is looked through: what inotify does not see, on a network's disk")  \
    X(QC_WATCH_OFTEN_S, 60, "s", "the same where changes are in the vault, or not all folders are watched")  \
    X(QC_WATCH_TOLD_MAX, 10000, "failures", "that are not told again in the next pass")                      \
    X(QC_SYNC_DELETE_PCT, 50, "per cent", "of what is there: more deletions are taken for a mistake")        \
    /* salvage */                                                                                            \
    X(QC_SALVAGE_SOURCES_MAX, 256, "directories", "32 clouds, some of them copied more than once")           \
    X(QC_SALVAGE_PATH_MAX, 4096, "bytes", "PATH_MAX")                                                        \
    X(QC_SALVAGE_DEPTH_MAX, 32, "directories", "a copy of a cloud has three, below where it was put")        \
    X(QC_SALVAGE_COPIES_MAX, 64, "files", "of one segment: 32 fragments, each twice")                        \
    X(QC_SALVAGE_GUESSES_MAX, 1000000, "tries", "to name log objects whose names are lost: some seconds")    \
    X(QC_SALVAGE_NAMELESS_MAX, 65536, "files", "log objects whose names are lost")                           \
    X(QC_SALVAGE_ROWS_MAX, 1000, "lines", "of the table for people; --json has all")                         \
    X(QC_SALVAGE_HOLES_MAX, 256, "ranges", "of one file, named in the table; all are counted")               \
    /* ss, ec, qrng */                                                                                       \
    X(QC_SS_N_MAX, 255, "shares", "non-zero points of GF(2^8)")                                              \
    X(QC_SS_SECRET_MAX, 1024 * 1024, "bytes", "larger things are encrypted, and the key is shared")          \
    X(QC_EC_N_MAX, 32, "pieces", "EC_MAX_FRAGMENTS of liberasurecode")                                       \
    X(QC_EC_STRIPE_SIZE, 1024 * 1024, "bytes", "data of a stripe at most: stays in the cache (FORMAT 8.1)")  \
    X(QC_EC_ALIGN, 64, "bytes", "pieces are multiples: one vector register or cache line (FORMAT 8.1)")      \
    X(QC_QRNG_SPEC_MAX, 512, "bytes", "the name of a source, with a path")                                   \
    X(QC_QRNG_PROVENANCE_MAX, 512, "bytes", "kept with every object's key")                                  \
    X(QC_QRNG_NAME_MAX, 32, "bytes", "of a source, in messages and in provenance")                           \
    X(QC_QRNG_IDENTITY_MAX, 64, "bytes", "a serial number and words around it")                              \
    X(QC_QRNG_PATH_MAX, 1024, "bytes", "of a device or file, or a command with its arguments")               \
    X(QC_QRNG_PEER_MAX, 128, "bytes", "SAE ID of the other end, for a source of kind kme")                   \
    X(QC_QRNG_WORDS_MAX, 16, "words", "of a command")                                                        \
    X(QC_QRNG_SOURCES_MAX, 8, "sources", "one machine has one or two generators, and a service")             \
    X(QC_QRNG_CONF_MAX, 65536, "bytes", "random.conf; ours has a dozen lines for each source")               \
    X(QC_QRNG_POOL_MAX, 65536, "bytes", "ready for the next draw; a put wants 500")                          \
    X(QC_QRNG_POOL_FIRST, 448, "bytes",                                                                      \
      "of it that are made ready before a draw wants more: the half is what a put draws, 7 times 32")        \
    X(QC_QRNG_STALL_MS, 2000, "ms", "a device or command that says nothing for so long is gone")             \
    X(QC_QRNG_STALL_MAX_MS, 60000, "ms", "what a configuration may say instead")                             \
    X(QC_QRNG_DRAW_MS, 5000, "ms", "a draw waits for its source no longer")                                  \
    X(QC_QRNG_RATE_MAX, 1000000000, "bytes/s", "what a configuration may limit a source to")                 \
    X(QC_QRNG_FILE_BLOCK, 4096, "bytes", "of a pre-loaded file that are reserved and erased at once")        \
    X(QC_QRNG_FILES_MAX, 1024, "files", "in a directory of pre-loaded files")                                \
    X(QC_QRNG_FILE_PROBES, 16, "blocks", "of the used range that must read as zeros at each opening")        \
    X(QC_QRNG_FILE_LOOK, 67108864, "bytes", "of a new pre-loaded file that are tested before its first use") \
    X(QC_QRNG_BODY_MAX, 65536, "bytes", "of a service's answer; the largest we ask for has 8 KiB")           \
    X(QC_QRNG_API_KEY_MAX, 256, "bytes", "of a service's key for us; those in use have 40")                  \
    X(QC_QRNG_SAMPLE_MIN, 4096, "bytes", "of a sample: the estimators need some")                            \
    X(QC_QRNG_SAMPLE_MAX, 4194304, "bytes", "of a sample that is looked at: four times what 90B asks for")   \
    X(QC_QRNG_SAMPLE_BITS, 2097152, "bits", "of it for the estimators by bits: twice what 90B asks for")     \
    X(QC_QRNG_FILE_LOW, 1048576, "bytes", "less is left in pre-loaded files: a warning; 250 commands")       \
    X(QRNG_ENTROPY_MIN, 500, "mbit/byte", "declared; less, and what must come again does not fit")           \
    X(QC_QRNG_PAUSE_MS, 1000, "ms", "before a source that failed is tried again; doubles")                   \
    X(QC_QRNG_PAUSE_MAX_MS, 60000, "ms", "the longest such pause: it may have been plugged in again")        \
    X(QC_QRNG_ALARMS_MS, 3600000, "ms", "three health alarms within this need a person")                     \
    X(QC_QRNG_STREAM_PIECE, 4096, "bytes", "of one draw of bulk randomness: a source of 1 kB/s is in time")  \
    X(QC_QRNG_CTR_PIECE, 65536, "bytes", "of one key of the bulk generator: 2^19 bits, SP 800-90A 10.2.1")   \
    X(QC_QRNG_CTR_SEED, 1073741824, "bytes",                                                                 \
      "of one seed of it: 2^14 keys, where SP 800-90A allows 2^48; 32 fresh bytes per GiB cost nothing")     \
    X(NET_PSK_NAME_MAX, 63, "bytes", "of a link or SAE in a PSK identity, which has 255 at most")            \
    X(NET_PSK_KEY_ID_MAX, 64, "bytes", "of the key_ID in it; a UUID has 36")                                 \
    X(NET_PSK_KEY_MIN, 32, "bytes", "of a key from QKD for TLS: 256 bits")                                   \
    X(NET_OTP_BODY_MAX, 65536, "bytes", "of a frame under one-time pad: a forgery passes with 2^-91")        \
    X(NET_OTP_PAD_MIN, 64, "bytes", "of a frame that hides its length; less is mostly header")               \
    X(NET_OTP_BAD_MAX, 1048576, "frames", "with wrong tags end a pool: 2^20 tries of 2^-91 are 2^-71")       \
    X(NET_LINK_STATE_MAX, 4096, "bytes", "of what a link says of itself: 700 and a reason")                  \
    X(NET_LINK_WHY_MAX, 255, "bytes", "of its reason: a line of a message")                                  \
    X(NET_WATCH_FRESH_MS, 500, "ms", "that what a link said of itself is believed")                          \
    X(NET_WATCH_ASK_MS, 2000, "ms", "for it to say so: it stands on this machine")                           \
    X(LEVELS_HOLDS, 512, "uploads",                                                                          \
      "for which pad is kept; more begin where there is pad, and none is kept")                              \
    X(LEVELS_HOLD_MS, 120000, "ms", "that pad is kept for an upload of which nothing comes")                 \
    /* qkd */                                                                                                \
    X(QKD_ID_MAX, 128, "bytes", "of a key_ID; a UUID has 36")                                                \
    X(QKD_UUID_TEXT, 36, "bytes", "RFC 4122")                                                                \
    X(QKD_NAME_MAX, 255, "bytes", "of an SAE or KME; names of certificates are shorter")                     \
    X(QKD_SAES_MAX, 16, "SAEs", "further ones of a Get key: a key for more is no secret of a link")          \
    X(QKD_EXTENSIONS_MAX, 16, "extensions", "of each kind in a request")                                     \
    X(QKD_BATCH_MAX, 1024, "keys", "of a request, whatever the KME allows")                                  \
    X(QKD_BITS_MAX, 65536, "bits", "of a key: the largest that KMEs in use offer")                           \
    X(QKD_BODY_MAX, 8 * 1024 * 1024, "bytes", "of an answer with keys, in locked memory")                    \
    X(QKD_TEXT_MAX, 65536, "bytes", "of any other answer: a status has 500")                                 \
    X(QKD_CITE_MAX, 200, "bytes", "of a KME's own text in a message of ours")                                \
    X(QKD_TRY_MS, 5000, "ms", "for one request: a KME stands in the next room")                              \
    X(QKD_TRIES, 4, "tries", "of a request that may be repeated")                                            \
    X(QKD_PAUSE_MS, 200, "ms", "before the second try; then 2.5 and 5 times as long")                        \
    X(QKD_SEEN, 65536, "key_IDs", "remembered of a link: one that comes back means a broken KME")            \
    X(QKD_BREAK_AFTER, 5, "failures", "in a row open the circuit")                                           \
    X(QKD_BREAK_MS, 10000, "ms", "that an open circuit rests at first; doubles")                             \
    X(QKD_BREAK_MOST_MS, 300000, "ms", "and at most")                                                        \
    X(QKD_PADS_MAX, 1024, "pad blocks", "of a pool: a GiB; their K2 take 40 KiB of locked memory")           \
    X(QKD_PAD_WINDOW, 65536, "bytes", "of a pad block that are made at a time, and a taking has at most")    \
    X(QKD_PAD_BLOCK_MIN, 65536, "bytes", "of a pad block: a window")                                         \
    X(QKD_PAD_BLOCK_MAX, 16777216, "bytes", "of a pad block: a crash loses one")                             \
    X(QKD_PLAN_DIGITS, 20, "digits", "of a number in a plan: what a double holds, and zeros")                \
    X(QKD_PLAN_LEAST_NS, 1000, "ns", "between two keys in a plan")                                           \
    X(QKD_PLAN_REKEY_BYTES, 1073741824, "bytes", "under a key in a plan that says nothing: a GiB")           \
    X(QKD_PLAN_FRAME, 65536, "bytes", "of data in a frame under one-time pad; as NET_OTP_BODY_MAX")          \
    X(QKD_PLAN_FRAME_KEY, 44, "bytes", "of pad for such a frame beside its data: tag 32, message 12")        \
    X(QKD_USE_SHORT_S, 600, "s", "over which the present use of key is averaged")                            \
    X(QKD_USE_LONG_S, 86400, "s", "over which it is, too: the night does not hide the day")                  \
    X(QKD_DRY_ALARM_S, 3600, "s", "before a link's key is out at the present use: somebody is told loudly")  \
    X(QKD_DRY_WARN_S, 14400, "s", "before it is: somebody is told")                                          \
    /* qcloud-link */                                                                                        \
    X(LINK_STREAMS, 256, "connections", "that a link carries at once; each has a window in memory")          \
    X(LINK_WINDOW, 65536, "bytes", "of a connection under way; 5 ms at 100 Mbit/s")                          \
    X(LINK_DATA_MAX, 16384, "bytes", "of a connection in one message: others get their turn")                \
    X(LINK_QUEUE, 262144, "bytes", "of messages that wait, in and out")                                      \
    X(LINK_RECORD_MAX, 163840, "bytes", "of a record: the names of LINK_FILL_KEYS keys")                     \
    X(LINK_FILL_KEYS, 4096, "keys", "of a pad block: 128 KiB of 256-bit keys")                               \
    X(LINK_KEY_BITS, 256, "bits", "of a key for TLS")                                                        \
    X(LINK_KEYS_HELD, 64, "keys", "fetched for handshakes that are not over; the oldest goes")               \
    X(LINK_KEY_MS, 30000, "ms", "such a key is kept, and one that is not there remembered")                  \
    X(QC_MANAGER_FDS, 16, "descriptors", "of the service manager's that are looked at; a link has two")      \
    X(LINK_PAD_MAX_S, 31536000, "s", "that pad may be kept where its age has a limit: a year")               \
    X(LINK_AGE_MS, 1000, "ms", "between two looks at the age of pad")                                        \
    X(LINK_AHEAD_MAX, 64, "keys",                                                                            \
      "for TLS drawn at once, where a link takes many: one that breaks loses them")                          \
    X(LINK_AHEAD_MS, 1000, "ms", "of use at the present pace: so many are drawn at once")                    \
    X(LINK_NEXT_MAX, 16, "handshakes", "done ahead, one after the other: each costs half then")              \
    X(LINK_SHAKE_MAX, 8192, "bytes",                                                                         \
      "of a handshake inside a link; one has 600, with ML-KEM 2,000 each way")                               \
    X(LINK_ASKS, 32, "keys", "that strangers may name at once, all together")                                \
    X(LINK_ASK_MS, 250, "ms", "for each more: the KME is asked for four in a second")                        \
    X(LINK_SOURCES, 64, "addresses", "that are told apart; the one of longest ago goes")                     \
    X(LINK_SOURCE_ASKS, 8, "keys", "that one address may name at once: a link that begins anew takes one")   \
    X(LINK_SOURCE_MS, 2000, "ms", "for each more")                                                           \
    X(LINK_KME_MS, 15000, "ms", "for the KME, all tries of one call")                                        \
    X(LINK_HANDSHAKES, 8, "handshakes", "at once, each with a thread")                                       \
    X(LINK_HANDSHAKE_MS, 15000, "ms", "for one, with the KME asked in it")                                   \
    X(LINK_MOVE_MS, 60000, "ms", "for the other end to go over to the new key: what waits goes first")       \
    X(LINK_LOOK_MS, 10000, "ms", "between two questions to the KME about its stock")                         \
    X(LINK_LOOKS_SOON, 10, "looks", "the first are a second apart: the pace of use is soon known")           \
    X(LINK_STATE_MS, 5000, "ms", "for a link to say how it is: it stands on this machine")                   \
    X(LINK_BACKLOG, 128, "connections", "that the kernel keeps until they are taken")                        \
    X(LINK_DEAD_S, 30, "s", "without a sign of the other end: the link is down")                             \
    X(LINK_POLL_MS, 200, "ms", "between two looks at what makes no event")                                   \
    X(LINK_PAUSE_MS, 1000, "ms", "before the link, or key for pad, is tried again; doubles for the link")    \
    X(LINK_PAUSE_MOST_MS, 10000, "ms", "and at most")                                                        \
    X(LINK_PAD_BLOCK, 262144, "bytes", "of a pad block unless the configuration says so: a crash loses one") \
    X(LINK_PAD_BLOCKS, 4, "pad blocks", "kept ready, unless the configuration says so")                      \
    X(LINK_PAD_LEAST, 4096, "bytes", "of pad there must be for a connection to begin")                       \
    X(LINK_WAIT_S, 30, "s", "for pad, then connections are closed; as a request to S3 waits")                \
    X(LINK_WAIT_MAX_S, 3600, "s", "longer nobody waits")                                                     \
    X(LINK_REKEY_S, 60, "s", "then a link takes a new key")                                                  \
    X(LINK_REKEY_MAX_S, 86400, "s", "a day")                                                                 \
    X(LINK_REKEY_BYTES, 1073741824, "bytes", "and after so many under one key")                              \
    X(LINK_REKEY_BYTES_MIN, 65536, "bytes", "a key for less is a key for each record")                       \
    X(LINK_KEY_MAX_TIMES, 5, "times", "rekey_s and rekey_bytes: then a key is not used any more")            \
    X(QKD_KEYED_BYTES_MIN, 33554432, "bytes",                                                                \
      "of key-max-bytes: a request of 17 MiB goes whole under one key")                                      \
    X(KEYED_PUMP, 65536, "bytes", "of a connection keyed by QKD under way, each way: some records of TLS")   \
    X(KEYED_STRANGERS, 64, "connections", "at a door keyed by QKD that have shown no key yet")               \
    X(KEYED_HELLO_MS, 3000, "ms", "for such a one to say which key it has")                                  \
    X(QKD_KEYED_PEERS, 64, "SAEs", "that may come to a gateway's door; each has a way at its KME")           \
    X(LINK_PATH_MAX, 1024, "bytes", "of a path or an address in the configuration")                          \
    X(LINK_CONF_MAX, 65536, "bytes", "of the configuration")                                                 \
    /* qcloud-kme */                                                                                         \
    X(KME_NODES_MAX, 64, "nodes", "of a network in one process; Tokyo's has six")                            \
    X(KME_LINKS_MAX, 256, "links", "four for each node")                                                     \
    X(KME_DOORS_MAX, 16, "KMEs", "each listens at a port, with a thread")                                    \
    X(KME_SAES_MAX, 256, "SAEs", "of a network; compared one by one")                                        \
    X(KME_NAME_MAX, 63, "bytes", "of a node, link, KME or SAE")                                              \
    X(KME_PATH_MAX, 1024, "bytes", "of a file's path in the configuration")                                  \
    X(KME_RATE_MAX, 1000000000, "bits/s", "of a link; the best in laboratories have 10 Mbit/s")              \
    X(KME_BITS_MAX, 65536, "bits", "of a key; as QKD_BITS_MAX")                                              \
    X(KME_BATCH_MAX, 1024, "keys", "of a request; as QKD_BATCH_MAX")                                         \
    X(KME_MORE_MAX, 8, "SAEs", "that get the same key beside the first slave")                               \
    X(KME_TTL_MAX_S, 604800, "s", "that a key waits for its slave: a week")                                  \
    X(KME_KM_MAX, 1000, "km", "of a link's fibre; more needs relays, or satellites")                         \
    X(KME_RECENT, 8, "slots", "of the window before an alarm: destroyed a seventh too much at most")         \
    X(KME_WINDOW_MAX_S, 86400, "s", "of that window: a day")                                                 \
    X(KME_RECORD_MAX_S, 31536000, "s", "that a supplied key_ID is remembered: a year")                       \
    X(KME_RECORDS_MAX, 1000000, "key_IDs", "remembered: 200 MB of the state directory")                      \
    X(KME_EXPOSED_PAGE, 1000, "key_IDs", "of an answer that lists exposed ones")                             \
    X(KME_BODY_MAX, 262144, "bytes", "of a request: 1,024 key_IDs have 60 KiB")                              \
    X(KME_ANSWER_MAX, 8388608, "bytes", "to the operator: a page of exposed keys over 64 nodes has 4.4 MB")  \
    X(KME_CONF_MAX, 1048576, "bytes", "of the configuration: 256 links and SAEs have 64 KiB")                \
    X(KME_CLIENTS_MAX, 256, "connections", "at a KME's port at once")                                        \
    X(KME_IDLE_S, 30, "s", "then a connection that says nothing is closed")

/* Values beyond int, as uint64_t constants. */
#define QC_LIMITS_WIDE(X)                                                                                    \
    X(QC_FILE_READ_MAX, UINT64_C(1) << 30, "bytes", "a whole file in memory; larger ones are streamed")      \
    X(LINK_REKEY_BYTES_MAX, UINT64_C(1) << 38, "bytes", "of a key; AES-GCM bears 2^24.5 full records")       \
    X(CLOUD_OBJECT_SIZE_MAX, UINT64_C(5) << 30, "bytes", "one PUT of S3; fragments are far smaller")         \
    X(QKD_PLAN_MAX, UINT64_C(1000000000000000000), "",                                                       \
      "of any number in a plan: an exabyte, 30 billion years")

enum {
#define X(name, value, unit, reason) name = (value),
    QC_LIMITS(X)
#undef X
};

#define X(name, value, unit, reason) static const uint64_t name __attribute__((unused)) = (value);
QC_LIMITS_WIDE(X)
#undef X
