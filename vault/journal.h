/* The client's journal: one small durable file per running put, so that whatever is interrupted is settled by
 * the next writing command (durability.md 7.3). Layer 3. Nothing secret in it.
 *
 * File STATE/journal/<put key in hex>, mode 0600, held by flock while its put runs. Two slots of JOURNAL_SLOT
 * bytes, written in turn, so that one of them is always whole: "QCJ2" || u32 turn || vault 16 || put key 16
 * || object 16 || version 16 || path tag 16 || u64 sequence || u64 number || SHA-256 of the bytes before. A
 * file without a whole slot is of a put that had sent nothing. */
#pragma once
#include "base/file.h"
#include "session.h"

#define JOURNAL_CLEAR 104
#define JOURNAL_SLOT  (JOURNAL_CLEAR + 32)

struct journal_put {
    uint8_t vault[VAULT_ID_BYTES];
    uint8_t put_key[16];
    uint8_t object[VAULT_ID_BYTES], version[VAULT_ID_BYTES];
    uint8_t path_tag[16];
    uint64_t sequence;
    uint64_t number; /* that the entry has if it was committed: a gateway's word is measured by it */
};

/* What is put together: STATE/journal/<put key of the bundle>: "QCJB" || u32 count || vault 16 || put key 16
 * || count times (put key 16 || object 16 || version 16 || path tag 16 || u64 sequence || u64 number) ||
 * SHA-256 of the bytes before; written once, before anything is sent. One that is not whole is of a put that
 * had sent nothing. */
#define JOURNAL_BUNDLE_HEAD 40
#define JOURNAL_BUNDLE_ROW  80
#define JOURNAL_BUNDLE_MAX  (JOURNAL_BUNDLE_HEAD + QC_VAULT_BUNDLE_FILES * JOURNAL_BUNDLE_ROW + 32)

struct journal_bundle {
    uint8_t vault[VAULT_ID_BYTES];
    uint8_t put_key[16]; /* of the bundle */
    size_t count;
    struct journal_put v[QC_VAULT_BUNDLE_FILES]; /* each with the vault */
};

#define JOURNAL_RESUME  ".resume" /* beside the file: resume.h */
#define QC_JOURNAL_NAME 40        /* of either, with its NUL */

struct journal {
    struct qc_fd dir, file;
    char name[33];
    uint32_t turn;
};

/* Begin: the file is durable and locked on return. */
QC_MUST qc_rc journal_begin(struct journal *ret, const char *state, const struct journal_put *put,
                            struct qc_err *err);
/* The same of a bundle. */
QC_MUST qc_rc journal_begin_bundle(struct journal *ret, const char *state, const struct journal_bundle *b,
                                   struct qc_err *err);
/* Replace what it says, durably. */
QC_MUST qc_rc journal_update(struct journal *j, const struct journal_put *put, struct qc_err *err);
/* Remove the file, and what goes on with the put before it, durably: the put is settled. */
QC_MUST qc_rc journal_end(struct journal *j, struct qc_err *err);
/* Let go without removing: the next writing command settles it. */
void journal_close(struct journal *j);

/* Parse the file's bytes: the slot of the greater turn. QC_FORMAT  none is whole. */
QC_MUST qc_rc journal_parse(struct journal_put *ret, uint32_t *ret_turn, qc_span in, struct qc_err *err);

/* QC_FORMAT  it is not whole, or of a single put. */
QC_MUST qc_rc journal_parse_bundle(struct journal_bundle *ret, qc_span in, struct qc_err *err);

/*
 * Settle every put of v's vault that nobody holds: committed ones get their records committed, all others are
 * cancelled at the gateway (durably), then their pending records removed; but for those that can go on, while
 * they are younger than QC_VAULT_RESUME_DAYS, and not of `path_tag` (16 bytes; NULL: whatever their name).
 * What cannot be settled now stays, with a note.
 */
QC_MUST qc_rc journal_settle(struct vault *v, const uint8_t *path_tag, const struct vault_call *call,
                             struct qc_err *err);
/* The same for who puts that name now, and was told, or asked, that it is begun anew: that the put before was
 * cancelled is no news then. That it had been committed is. */
QC_MUST qc_rc journal_settle_anew(struct vault *v, const uint8_t path_tag[16], const struct vault_call *call,
                                  struct qc_err *err);
/* The put was committed, and the gateway says under which number: records and mark of the stores follow. */
QC_MUST qc_rc journal_finish(struct vault *v, const struct journal_put *put, uint64_t number,
                             struct qc_err *err);
/* One that nobody holds, of this vault and path tag, that can go on: locked, and to be closed. *ret_found
 * false: there is none. */
QC_MUST qc_rc journal_find(struct journal *ret, struct journal_put *ret_put, bool *ret_found,
                           const struct vault *v, const uint8_t path_tag[16], struct qc_err *err);
/* How many files nobody holds, and how many of them are of puts that can go on. A missing directory is 0. */
QC_MUST qc_rc journal_count(const char *state, uint64_t *ret, uint64_t *ret_waiting, struct qc_err *err);
