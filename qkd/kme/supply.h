/* Keys for applications: what ETSI GS QKD 014 asks of a KME, over the network's links. Part of qcloud-kme;
 * uses base. Any thread: a lock inside. Keeps I4 (each copy leaves once), I5 (keys in secret memory, wiped),
 * I7.
 *
 *   enc: way, its price in each pool -> keys -> [copies for the slaves, pools less] durable -> the master's
 * copy dec: all copies there? -> [all erased] durable -> the slave's copies */
#pragma once
#include "base/secret.h"
#include "base/rng.h"
#include "store.h"

struct kme; /* opaque */

/* An answer: a text, or keys in secret memory. */
struct kme_answer {
    unsigned status;
    const char *type; /* of text; NULL: JSON */
    qc_buf text;
    struct qc_secret secret;
    size_t n; /* of secret */
};
void kme_answer_done(struct kme_answer *a);

struct kme_request {
    const struct kme_sae *caller;
    const char *peer;                   /* of the path */
    qc_span body;                       /* JSON; empty: */
    const char *number, *size, *key_id; /* of a query; each or NULL */
};

/* net is taken over as it is, and its pools go on from what the state says; it outlives *ret. */
QC_MUST qc_rc kme_open(struct kme **ret, const char *state, struct kme_network *net, const qc_rng *rng,
                       struct qc_err *err);
void kme_close(struct kme **k);
int kme_dirfd(const struct kme *k);

/* The calls. QC_OK: *ret is an answer, of whatever status. Anything else is a failure of this program. */
QC_MUST qc_rc kme_status(struct kme *k, const struct kme_request *r, struct kme_answer *ret,
                         struct qc_err *err);
QC_MUST qc_rc kme_enc_keys(struct kme *k, const struct kme_request *r, struct kme_answer *ret,
                           struct qc_err *err);
QC_MUST qc_rc kme_dec_keys(struct kme *k, const struct kme_request *r, struct kme_answer *ret,
                           struct qc_err *err);
/* An error of table 13. */
QC_MUST qc_rc kme_error(struct kme_answer *ret, unsigned status, const char *message, struct qc_err *err);
