/* From a purge to its record: a draft before anything goes, a look at everything after it went, then the
 * signed record. Layer 3. Format: FORMAT 16, 10.10; docs/adr/0064.
 *
 *   draft, durable             what is to go, and digests of the shares that are there still
 *   removal, purge             vault_remove_version, vault_purge: as without a record
 *   both stores are read       a version that not both say is gone, under their seals, is not certified
 *   the gateway is asked again the same of one that it does not call gone
 *   so is a keeper            it has backup data of none of these (ADR 66)
 *   record, durable            then the draft goes
 *
 * Killed anywhere the draft is there, or the record, or both: the same steps again end with one record. No
 * record says more than what both stores and the gateway said when it was signed. */
#pragma once
#include "vault/certificate.h"
#include "vault/vault.h"

struct vault_erasure; /* a command's */
struct vault_erasing; /* a name of it: any number at once, of which no two are the same */

/* <state>/certificates, made where it is not there. QC_LIMIT: the path is too long. */
QC_MUST qc_rc vault_erase_dir(const struct vault *v, char ret[QC_VAULT_PLACE_MAX], struct qc_err *err);

/* To erase names of v, which outlives it as it outlives each vault_erasing of it: one command at a time.
 * QC_LOCKED: another is at it; and what files say. */
QC_MUST qc_rc vault_erase_open(struct vault_erasure **ret, struct vault *v, struct qc_err *err);
void vault_erase_close(struct vault_erasure **e);

/* Begin with a name, or go on: *ret_found says that a draft of an earlier command was there. QC_INTEGRITY: it
 * is damaged; the message names its file. */
QC_MUST qc_rc vault_erase_begin(struct vault_erasing **ret, struct vault_erasure *e, qc_span name,
                                bool *ret_found, struct qc_err *err);
void vault_erasing_free(struct vault_erasing **x);
/* The id that its record will have, where there is a draft; else NULL. Borrowed. */
const uint8_t *vault_erase_id(const struct vault_erasing *x);
/* These versions of it are to go: noted in the draft, durably. all: of the name, as vault_versions gave it;
 * whole: v is all that it has, and the name goes, too. The stores have to be there. QC_SHARES, QC_AUTH: they
 * are not, and nothing was written. */
QC_MUST qc_rc vault_erase_note(struct vault_erasing *x, const struct vault_versions *all,
                               const struct vault_version *v, size_t n, bool whole, struct qc_err *err);
/* What of these names is gone, by both stores and, asked once more, the gateway: for all of them together, as
 * many versions to a request as it takes. */
QC_MUST qc_rc vault_erase_confirm(struct vault_erasing *const *x, size_t count, const struct vault_call *call,
                                  struct qc_err *err);

struct vault_erased_record {
    bool made; /* else nothing of what the draft names is gone, or there is no draft: there is no record */
    uint8_t id[VAULT_ID_BYTES];
    char path[QC_VAULT_PLACE_MAX];
    size_t versions, left; /* in it; noted, and not gone */
    bool anew;             /* something was stored under the name meanwhile: the record is not of all of it */
    qc_buf bytes;          /* of the record; owned */
};
void vault_erased_record_done(struct vault_erased_record *r);
/* What was confirmed is recorded, durably. whole: the name was not there; that is asked again, and where it
 * is by now, or this is false, the record is not of all of it, whatever an earlier draft meant to erase. The
 * draft stays until vault_erase_end: a copy of the record may be made first. */
QC_MUST qc_rc vault_erase_record(struct vault_erasing *x, bool whole, const struct vault_call *call,
                                 struct vault_erased_record *ret, struct qc_err *err);
/* It is over, durably. */
QC_MUST qc_rc vault_erase_end(struct vault_erasing *x, struct qc_err *err);

/* The public key by which the vault's records are checked. QC_NOMEM */
QC_MUST qc_rc vault_certificate_key(uint8_t ret[QC_SIGN_PUBLIC], const struct vault *v, struct qc_err *err);
