/* Keys of a link from its KME: for TLS, and for blocks of pad. Any thread. Keeps I5.
 *
 * Two clients, each under its lock: strangers who name keys that do not exist (qkd/tls_keys.h) hold up
 * handshakes at most, never the pad. */
#pragma once
#include "base/key.h"
#include "base/secret.h"
#include "base/time.h"
#include "qkd/tls_keys.h"

struct link_keys; /* opaque */

QC_MUST qc_rc link_keys_new(struct link_keys **ret, const struct qkd_conf *conf, struct qc_err *err);
void link_keys_free(struct link_keys **k);

/* Does the KME know us, and has it keys? The errors of qkd_client_status. */
QC_MUST qc_rc link_keys_look(struct link_keys *k, const struct qc_cancel *cancel, struct qkd_status *ret,
                             struct qc_err *err);

/* Keys for TLS, one by one. */
struct qkd_tls_keys *link_keys_tls(struct link_keys *k);

/* Key for a pad block, or keys for TLS: in secret memory, one after the other, and their names. */
struct link_block {
    struct qc_secret k;
    uint32_t each, count; /* bytes of a key; keys */
    struct qkd_id *ids;
};
void link_block_done(struct link_block *b);
/* New ones. QC_LIMIT: the KME's keys are too small: LINK_FILL_KEYS make less */
QC_MUST qc_rc link_keys_make(struct link_keys *k, uint32_t bytes, const struct qc_cancel *cancel,
                             struct link_block *ret, struct qc_err *err);
/* n keys for TLS, of LINK_KEY_BITS each. */
QC_MUST qc_rc link_keys_draw(struct link_keys *k, uint32_t n, const struct qc_cancel *cancel,
                             struct link_block *ret, struct qc_err *err);
/* Those of b->ids, into b->k. QC_FORMAT: they are not what makes so many bytes */
QC_MUST qc_rc link_keys_fetch(struct link_keys *k, uint32_t bytes, const struct qc_cancel *cancel,
                              struct link_block *b, struct qc_err *err);
