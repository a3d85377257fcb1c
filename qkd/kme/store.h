/* What qcloud-kme keeps across a restart: how much key the links' pools have, and copies that wait for their
 * slaves. Part of qcloud-kme; uses base. Keeps I4: a change is durable before its effect leaves the process,
 * so that whatever a crash leaves, nothing is supplied twice. FORMAT: docs/qkd.md. */
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

/* In a directory, made if missing; *net's pools get what was left in them. QC_LOCKED: another process has it.
 */
QC_MUST qc_rc kme_store_open(struct kme_store **ret, const char *state, struct kme_network *net,
                             struct qc_err *err);
void kme_store_close(struct kme_store **s);
int kme_store_dirfd(const struct kme_store *s);

/* One transaction: begin, calls, commit; without a commit nothing of it was. */
QC_MUST qc_rc kme_store_begin(struct kme_store *s, struct qc_tx *tx, struct qc_err *err);
QC_MUST qc_rc kme_store_pool(struct kme_store *s, const char *link, uint64_t bits, struct qc_err *err);
QC_MUST qc_rc kme_store_add(struct kme_store *s, const struct kme_copy *c, struct qc_err *err);
/* The copy of this name, written to room, which has n bytes, and erased. QC_NOTFOUND; QC_AUTH:
 * it is there for others only, or from another master; QC_LIMIT: it has more bytes. *ret_n: those that it
 * has. */
QC_MUST qc_rc kme_store_take(struct kme_store *s, const struct kme_name *w, uint8_t *room, size_t n,
                             size_t *ret_n, struct qc_err *err);
/* Erase what has expired. */
QC_MUST qc_rc kme_store_reap(struct kme_store *s, int64_t now_s, int64_t *ret_count, struct qc_err *err);
/* How many wait. */
QC_MUST qc_rc kme_store_waiting(struct kme_store *s, uint64_t *ret, struct qc_err *err);
