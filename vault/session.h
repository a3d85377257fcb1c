/* An open vault, and what put, get, list and the others share. Layer 3. */
#pragma once
#include "vault/backup.h"
#include "vault/name.h"
#include "vault/record.h"
#include "vault/ring.h"
#include "vault/share_store.h"
#include "vault/vault.h"

struct vault {
    uint8_t id[VAULT_ID_BYTES];
    struct vault_store *store[2]; /* NULL: not there, why[] says why */
    struct qc_err why[2];
    char *dir[2]; /* NULL: not configured */
    char *state;
    char *provenance;
    qc_rng rng;
    struct vault_gw *gw;
    struct vault_record record; /* of the vault, verified */
    qc_buf backup;              /* the vault's B, as it came */
    struct vault_ring *ring;
    struct vault_head head; /* replayed */
};

/* "'name'" with what is not printable ASCII escaped as \xNN, cut with "..": for messages. */
#define NAME_TEXT 160
void session_name_text(char out[NAME_TEXT], qc_span name);

/* Store `index` (1, 2), or the reason why there is none. QC_SHARES or what its opening said. */
QC_MUST qc_rc session_need_store(struct vault *v, unsigned index, struct qc_err *err);
/* Both stores, writable. QC_SHARES, QC_AUTH. */
QC_MUST qc_rc session_need_both(struct vault *v, struct qc_err *err);

/*
 * Replay the chain from the known head to the gateway's. watch_seal (or NULL) must be the seal of commit
 * watch_index (QC_INTEGRITY "vault head: .."). The head in v moves on; stores are not touched.
 */
QC_MUST qc_rc session_catch_up(struct vault *v, uint64_t watch_index, const uint8_t *watch_seal,
                               const struct vault_op *op, struct qc_err *err);
/* Write v's head to the stores that can be written; what fails is a note. */
void session_save_head(struct vault *v, struct vault_notes *notes);

/*
 * Check an entry from the gateway: seal, path (path.n = 0: any), and the high-water marks of the stores.
 * QC_INTEGRITY  "..older than this client has seen (rollback)".
 */
QC_MUST qc_rc session_entry_check(struct vault *v, qc_span path, const struct vault_gw_entry *e,
                                  struct vault_notes *notes, struct qc_err *err);

/*
 * The checked entry of a path. Tombstones are found. *ret_found false: the path never existed (and no mark
 * says that it did); ret is empty then.
 */
QC_MUST qc_rc session_entry(struct vault *v, qc_span path, struct vault_gw_entry *ret, bool *ret_found,
                            const struct vault_call *call, struct qc_err *err);

/* The entry of a name that is there: QC_NOTFOUND also for tombstones. path is appended to. */
QC_MUST qc_rc session_entry_of_name(struct vault *v, qc_span name, qc_buf *path, struct vault_gw_entry *ret,
                                    const struct vault_call *call, struct qc_err *err);

/* What an entry says, for the user. name is copied. The private part is opened: QC_INTEGRITY. */
QC_MUST qc_rc session_stat(struct vault *v, qc_span name, const struct vault_gw_entry *e,
                           struct vault_stat *ret, struct qc_err *err);

/* A fresh request id for the following calls, on v's connection; its text to out. */
QC_MUST qc_rc session_request(struct vault *v, char out[VAULT_REQUEST_ID_BYTES], struct qc_err *err);
/* Ask for the faults beneath a request id and turn them into notes. Failures are not told: notes are a
 * courtesy. */
void session_note_faults(struct vault *v, const char *request, const struct vault_call *call);
/* After a failed read: the gateway's own reason instead of a broken connection, where it remembers one. */
QC_MUST qc_rc session_read_reason(struct vault_gw *gw, const char *request, qc_rc rc, struct qc_err *err);

/* In every store that is there and can be written: the mark of a path and v's head. What fails is a note. */
void session_mark(struct vault *v, qc_span path, uint64_t number, struct vault_notes *notes);

void session_progress(const struct vault_call *call, const struct vault_progress *p);
