/* The vault's descriptor, in each share store: how to reach the vault from a new machine. Nothing secret.
 * Layer 3; uses base. Format: FORMAT 7.3. Threads: none. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "vault/ids.h"

#define VAULT_DESCRIPTOR_MAX 65536
#define VAULT_CLOUDS_MAX     32
#define VAULT_KEEPERS_MAX    4 /* keepers of before: changes that came to no end */

struct vault_cloud {
    uint32_t id;
    char *name, *url; /* owned */
};

struct vault_descriptor {
    uint8_t vault[VAULT_ID_BYTES];
    uint8_t stores[2][VAULT_ID_BYTES];
    uint8_t catalogue[VAULT_ID_BYTES];
    bool derived; /* the vault was made with shares from seeds */
    unsigned k, n;
    char *url;    /* owned; of a gateway for many users, which has no clouds here; NULL: the user's own */
    char *keeper; /* owned; where backup data is, if not with the gateway; NULL */
    char *before[VAULT_KEEPERS_MAX]; /* owned; where some of it may be still: a change is not at its end */
    size_t before_count;
    struct vault_cloud clouds[VAULT_CLOUDS_MAX];
    size_t cloud_count;
};
void vault_descriptor_done(struct vault_descriptor *d);

/* Append a cloud; copies. QC_LIMIT, QC_NOMEM. */
QC_MUST qc_rc vault_descriptor_add_cloud(struct vault_descriptor *d, uint32_t id, const char *name,
                                         const char *url, struct qc_err *err);
/* The gateway is one for many users; copies. url: as vault_gw_url_check has it (asserted). QC_NOMEM. */
QC_MUST qc_rc vault_descriptor_set_url(struct vault_descriptor *d, const char *url, struct qc_err *err);
/* Where the keeper is; copies. QC_NOMEM. */
QC_MUST qc_rc vault_descriptor_set_keeper(struct vault_descriptor *d, const char *url, struct qc_err *err);
/* One more that was the keeper; copies. One that is named already changes nothing. QC_LIMIT, QC_NOMEM. */
QC_MUST qc_rc vault_descriptor_add_before(struct vault_descriptor *d, const char *url, struct qc_err *err);
/* None, or not this one, has anything any more. url: NULL: all. */
void vault_descriptor_drop_before(struct vault_descriptor *d, const char *url);
/* Append the JSON text to ret. QC_LIMIT  over VAULT_DESCRIPTOR_MAX. */
QC_MUST qc_rc vault_descriptor_write(qc_buf *ret, const struct vault_descriptor *d, struct qc_err *err);
/* QC_FORMAT; QC_NEWER  another format number, mode or kind of gateway. ret is overwritten. */
QC_MUST qc_rc vault_descriptor_parse(struct vault_descriptor *ret, qc_span text, struct qc_err *err);
