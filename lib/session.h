/* What a session of libqcloud holds. Layer 5, within lib/ alone. */
#pragma once
#include "home/conf.h"
#include "home/places.h"
#include "home/revival.h"
#include "net/rate.h"
#include "qcloud.h"
#include "qrng/conf.h"
#include "qrng/qrng.h"
#include "vault/vault.h"

struct qcloud {
    struct places places;
    struct conf conf;
    struct qrng_conf random;
    struct qrng *rng, *ids;            /* as qcloud.h's caller wants keys; of the system */
    struct qrng_provenance provenance; /* of the last object's */
    struct revival revival;
    struct vault_passes passes;
    qc_key *token;
    struct net_rate *rate;       /* NULL: no limit yet */
    bool rate_given;             /* by the caller: what the configuration says does not count */
    struct vault *vault;         /* NULL: not open */
    struct vault_keeper *keeper; /* which it borrows; NULL: none */

    struct qc_cancel cancel;
    uint32_t timeout_s;
    struct vault_notes notes;
    struct qc_err err;

    qcloud_passphrase_fn pass;
    void *pass_ctx;
    qcloud_progress_fn progress;
    void *progress_ctx;
    qcloud_note_fn note;
    void *note_ctx;
};

/* The beginning of each call: err is cleared. vault/'s parameters of it. QC_NOTCONF: q is not open. */
QC_MUST qc_rc session_begin(struct qcloud *q, struct vault_call *ret);
/* Its end: remarks are told, rc becomes the code. */
int session_end(struct qcloud *q, qc_rc rc);
