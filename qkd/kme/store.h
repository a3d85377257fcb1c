/* What qcloud-kme keeps across a restart: how much key the links' pools have, what was done to links and
 * nodes, copies that wait for their slaves, and who got which key_ID over which nodes. Part of qcloud-kme;
 * uses base. Keeps I4: a change is durable before its effect leaves the process, so that whatever a crash
 * leaves, nothing is supplied twice. FORMAT: docs/qkd.md. */
#pragma once
#include "base/db.h"
#include "network.h"

struct kme_store; /* opaque */

/* Which copy: of this key, from this master, for this slave. */
struct kme_name {
    const char *key_id, *master, *slave;
};

struct kme_copy {
    const char *key_id, *master, *slave, *exposed; /* exposed: names of nodes that have seen it, by blanks */
    int64_t expires_s;                             /* by the wall clock */
    qc_span key;
};

/* In a directory, made if missing; *net's links and nodes are as they were left. QC_LOCKED: another process
 * has it. */
QC_MUST qc_rc kme_store_open(struct kme_store **ret, const char *state, struct kme_network *net,
                             struct qc_err *err);
void kme_store_close(struct kme_store **s);
int kme_store_dirfd(const struct kme_store *s);

/* One transaction: begin, calls, commit; without a commit nothing of it was. */
QC_MUST qc_rc kme_store_begin(struct kme_store *s, struct qc_tx *tx, struct qc_err *err);
/* A link, with so many bits in its pool; nodes that are seized. */
QC_MUST qc_rc kme_store_link(struct kme_store *s, const struct kme_link *l, uint64_t bits,
                             struct qc_err *err);
QC_MUST qc_rc kme_store_nodes(struct kme_store *s, const struct kme_network *net, struct qc_err *err);
/* A copy that waits, and the record of it. now_s: by the wall clock */
QC_MUST qc_rc kme_store_add(struct kme_store *s, const struct kme_copy *c, int64_t now_s, struct qc_err *err);
/* The copy of this name, written to room, which has n bytes, and erased. QC_NOTFOUND; QC_AUTH:
 * it is there for others only, or from another master; QC_LIMIT: it has more bytes. *ret_n: those that it
 * has. */
QC_MUST qc_rc kme_store_take(struct kme_store *s, const struct kme_name *w, uint8_t *room, size_t n,
                             size_t *ret_n, struct qc_err *err);
/* Erase copies that have expired. */
QC_MUST qc_rc kme_store_reap(struct kme_store *s, int64_t now_s, int64_t *ret_count, struct qc_err *err);
/* Forget records from before, and those beyond KME_RECORDS_MAX. */
QC_MUST qc_rc kme_store_forget(struct kme_store *s, int64_t before_s, struct qc_err *err);
/* Outside a transaction. I5: where no copy waits any more, SQLite's memory is given back, and overwritten
 * (qc_db_wipes): it keeps a page for its own use, in which copies stay that were erased. */
QC_MUST qc_rc kme_store_wash(struct kme_store *s, struct qc_err *err);
/* Erase copies that a node has seen. */
QC_MUST qc_rc kme_store_lose(struct kme_store *s, const char *node, int64_t *ret_count, struct qc_err *err);

enum { KME_TEXT_MAX = KME_NODES_MAX * (KME_NAME_MAX + 1) };
/* A key that a node has seen. */
struct kme_record {
    int64_t sequence, at_s;
    char key_id[KME_TEXT_MAX], master[KME_TEXT_MAX], slave[KME_TEXT_MAX], exposed[KME_TEXT_MAX];
};
/* How many records say that the node has seen the key. */
QC_MUST qc_rc kme_store_exposed_count(struct kme_store *s, const char *node, uint64_t *ret,
                                      struct qc_err *err);
/* The first of them after a sequence (0: of all). QC_NOTFOUND: none */
QC_MUST qc_rc kme_store_exposed(struct kme_store *s, const char *node, int64_t after, struct kme_record *ret,
                                struct qc_err *err);
/* How many wait. */
QC_MUST qc_rc kme_store_waiting(struct kme_store *s, uint64_t *ret, struct qc_err *err);
