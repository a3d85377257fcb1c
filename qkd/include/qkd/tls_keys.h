/* Keys from a KME for connections of TLS keyed by QKD (net/psk.h), one for each: new ones for who dials,
 * those that a client names for who serves. Layer 2; uses base, net. Any thread. Keeps I5, I6.
 *
 * What strangers who name keys that do not exist cost the KME is bounded (LINK_ASKS, LINK_SOURCE_ASKS); a
 * good key that they name without having it is kept for who has it, for LINK_KEY_MS. No key is given to a
 * second handshake once one with it was good. The KME is asked by one at a time, and those who wait have
 * their turns by address: nobody waits for more than one of each other address's. */
#pragma once
#include "base/key.h"
#include "base/time.h"
#include "net/psk.h"
#include "qkd/client.h"

struct qkd_tls_keys; /* opaque */

/* qkd_client_new's errors. */
QC_MUST qc_rc qkd_tls_keys_new(struct qkd_tls_keys **ret, const struct qkd_conf *conf, struct qc_err *err);
void qkd_tls_keys_free(struct qkd_tls_keys **k);
/* qkd_client_status. */
QC_MUST qc_rc qkd_tls_keys_look(struct qkd_tls_keys *k, qc_deadline d, struct qkd_status *ret,
                                struct qc_err *err);

/* net_keyed_fn; ctx is a qkd_tls_keys. A new key, with its key_ID; LINK_KME_MS at most. */
QC_MUST qc_rc qkd_tls_keys_draw(void *ctx, qc_deadline d, const struct qc_cancel *cancel,
                                char ret_id[NET_PSK_KEY_ID_MAX + 1], qc_key **ret, struct qc_err *err);

/* Who names a key: strangers are told apart by their addresses. */
struct qkd_asker {
    struct qkd_tls_keys *keys;
    uint32_t source;
    qc_deadline deadline;           /* of the handshake */
    const struct qc_cancel *cancel; /* or NULL */
};
/* net_psk_find_fn; ctx is a qkd_asker. QC_TEMP: that address, or all together, named too many */
QC_MUST qc_rc qkd_tls_keys_find(void *ctx, const struct net_psk_id *id, struct net_line *to,
                                struct qc_err *err);
/* The handshake with that key is over, and good: it is not given again, nor counted as a stranger's. */
void qkd_tls_keys_used(struct qkd_asker *who, const char *key_id);
