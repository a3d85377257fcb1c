/* Which key_IDs came already: at least the last QKD_SEEN of them, at most twice as many. Internal to qkd/.
 * {0} is empty. Keeps hashes, keyed by nothing: a key_ID is no secret. */
#pragma once
#include <stdbool.h>

#include "qkd/keys.h"

struct qkd_seen {
    uint64_t *young, *old; /* tables of hashes; 0: a free place */
    size_t count;          /* in young */
};

void qkd_seen_done(struct qkd_seen *s);
bool qkd_seen_has(const struct qkd_seen *s, const struct qkd_id *id);
/* QC_NOMEM: nothing was added. */
QC_MUST qc_rc qkd_seen_add(struct qkd_seen *s, const struct qkd_id *id, struct qc_err *err);
