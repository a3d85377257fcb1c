/* Keys of a link from its KME: for TLS, and for blocks of pad. Any thread. Keeps I5.
 *
 * Two clients, each under its lock: strangers who name keys that do not exist hold up handshakes at most,
 * never the pad. What they cost the KME is bounded (LINK_ASKS); a good key that they name without having it
 * is kept for who has it, for LINK_KEY_MS. */
#pragma once
#include "base/key.h"
#include "base/secret.h"
#include "base/time.h"
#include "net/psk.h"
#include "qkd/client.h"

struct link_keys; /* opaque */

QC_MUST qc_rc link_keys_new(struct link_keys **ret, const struct qkd_conf *conf, struct qc_err *err);
void link_keys_free(struct link_keys **k);

/* Does the KME know us, and has it keys? The errors of qkd_client_status. */
QC_MUST qc_rc link_keys_look(struct link_keys *k, const struct qc_cancel *cancel, struct qkd_status *ret,
                             struct qc_err *err);

/* A new key for TLS, with its key_ID. */
QC_MUST qc_rc link_keys_new_one(struct link_keys *k, char ret_id[NET_PSK_KEY_ID_MAX + 1], qc_key **ret,
                                struct qc_err *err);
/* Who names a key: strangers are told apart by their addresses. */
struct link_asker {
    struct link_keys *keys;
    uint32_t source;
};
/* net_psk_find_fn; ctx is a link_asker. QC_TEMP: that address, or all together, named too many */
QC_MUST qc_rc link_keys_find(void *ctx, const struct net_psk_id *id, struct net_line *to, struct qc_err *err);
/* The handshake with that key is over, and good: it is not given again, nor counted as a stranger's. */
void link_keys_used(struct link_asker *who, const char *key_id);

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
