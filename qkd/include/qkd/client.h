/* A client of ETSI GS QKD 014 (v1.1.1): Get status, Get key, Get key with key IDs. Layer 2; uses base, net.
 * Keeps I4 (what is its part), I5, I6, I7. docs/qkd.md says what goes over the wire and why.
 *
 * One client is one link at one KME: its path names one peer. It belongs to one thread at a time. Every read
 * of a key destroys it at the KME, so an answer that is lost on the way is a key lost: Get key asks again,
 * for others; Get key with key IDs asks again only where the KME cannot have given them, or once more. No
 * request is ever repeated by the layers below. After something that no honest KME does (a key_ID comes
 * twice) the client is broken and stays so. */
#pragma once
#include <stdbool.h>

#include "base/time.h"
#include "qkd/keys.h"

struct qkd_client; /* opaque */

struct qkd_extension {
    const char *name; /* 1..QKD_NAME_MAX of A-Z a-z 0-9 . _ - */
    const char *value;
};

/* Strings are copied. */
struct qkd_conf {
    const char *url;                   /* https://HOST[:PORT] */
    const char *ca, *cert, *key;       /* PEM files: who vouches for the KME; our certificate and its key */
    const char *peer;                  /* SAE ID of the other end: the path names it */
    const char *const *more;           /* further slave SAEs of Get key; or NULL */
    size_t more_count;                 /* up to QKD_SAES_MAX */
    const struct qkd_extension *must;  /* extension_mandatory */
    const struct qkd_extension *might; /* extension_optional */
    size_t must_count, might_count;    /* up to QKD_EXTENSIONS_MAX each */
    enum qkd_id_syntax ids;
    bool plain; /* http:// on loopback, without certificates, for trials: says so wherever it is shown */
    uint32_t pause_ms; /* before the second try; 0: QKD_PAUSE_MS. Tests have less */
    uint32_t try_ms;   /* for one request; 0: QKD_TRY_MS */
};

/* One call of the client. */
struct qkd_op {
    qc_deadline deadline;
    const struct qc_cancel *cancel; /* or NULL */
    bool
        no_grace; /* Get key with key IDs: not found is not asked again; the caller may, and others between */
};

/* What the KME says of a link (table 9). Sizes in bits, counts in keys. */
struct qkd_status {
    char source_kme[QKD_NAME_MAX + 1], target_kme[QKD_NAME_MAX + 1];
    char master[QKD_NAME_MAX + 1], slave[QKD_NAME_MAX + 1]; /* master: whom the KME took us for */
    uint32_t key_bits, min_bits, max_bits;                  /* multiples of 8; min <= key <= max */
    uint64_t stored, capacity; /* stored may be above capacity: take the smaller */
    uint32_t per_request;      /* 1..QKD_BATCH_MAX: what the KME says, or our limit */
    uint32_t more_saes;        /* 0: one slave only */
};

/* What became of requests so far. */
struct qkd_counts {
    uint64_t requests, failures; /* failures: without an answer that is one */
    uint64_t keys, lost; /* lost: keys asked for in requests whose answer did not come or was refused */
    uint64_t nonsense;   /* answers that no KME of the standard gives */
    unsigned in_row;     /* failures since the last answer */
    bool open;           /* the circuit is open: asked again in open_ms */
    uint64_t open_ms;
    bool broken;
};

/*
 * Makes no connection. QC_USAGE: an address that is none, or http:// without plain, no ca, cert or key, an
 * SAE ID that is empty, "." or "..", too long or not printable, too many of something; QC_AUTH, QC_NOTFOUND:
 * the key's file; QC_NOMEM
 */
QC_MUST qc_rc qkd_client_new(struct qkd_client **ret, const struct qkd_conf *conf, struct qc_err *err);
void qkd_client_free(struct qkd_client **c);

/*
 * The calls. All may fail with
 *   QC_USAGE      400, and other 4xx: the KME refuses what was asked for, and would again; its text is cited
 *   QC_AUTH       401: we are not whom it serves; or a certificate, its own or ours, is refused
 *   QC_TEMP       503, other 5xx, no connection, after the tries that are safe; or the circuit is open
 *   QC_TIMEOUT    the deadline, or no answer in time
 *   QC_FORMAT     nonsense: not JSON, a wrong type, size, count, number or key_ID; a redirect; too large
 *   QC_INTEGRITY  the client is broken: a key_ID came twice
 *   QC_CANCELLED, QC_NOMEM
 */
QC_MUST qc_rc qkd_client_status(struct qkd_client *c, const struct qkd_op *op, struct qkd_status *ret,
                                struct qc_err *err);

/*
 * New keys, as the master: 1 to min(number, per_request) of them, of `bits` bits each (0: the KME's
 * key_size). ret must be empty. Asks for the status first where it does not know it. Tries up to QKD_TRIES
 * times: each try is for other keys.
 *
 * QC_LIMIT  the KME has other sizes, or fewer slaves at once
 */
QC_MUST qc_rc qkd_client_enc_keys(struct qkd_client *c, size_t number, uint32_t bits, const struct qkd_op *op,
                                  struct qkd_keys *ret, struct qc_err *err);

/*
 * The keys of these key_IDs, as the slave, of `bits` bits each, in the order asked for; all or none. ret must
 * be empty. Not found (400, 404) is asked again after a moment, twice: the other KME may have been faster
 * than ours. After a request without an answer there is one more, then QC_TIMEOUT or QC_TEMP: ask the peer
 * for other keys.
 *
 * QC_NOTFOUND  the KME has no such key, or not for us
 * QC_CONFLICT  this client has had one of these keys already: nothing was asked
 * QC_LIMIT     more than per_request
 * QC_USAGE     an ID of another form, or twice the same
 */
QC_MUST qc_rc qkd_client_dec_keys(struct qkd_client *c, const struct qkd_id *ids, size_t count, uint32_t bits,
                                  const struct qkd_op *op, struct qkd_keys *ret, struct qc_err *err);

struct qkd_counts qkd_client_counts(const struct qkd_client *c);
