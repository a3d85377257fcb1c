/* What it takes to go on with an interrupted put: STATE/journal/KEY.resume, beside the journal's file, whose
 * lock guards it. Layer 3. Format and keys: FORMAT 10.9. Source: seal.md 3.6. Keeps I3, I4, I5: it opens with
 * both local shares alone, which open the object anyway.
 *
 * One thread at a time, one process at a time (the journal's lock). */
#pragma once
#include "base/rng.h"
#include "chunk.h"
#include "journal.h"
#include "vault/vault.h"

#define RESUME_SALT 16
#define RESUME_TAGS (QC_VAULT_SEGMENT_CHUNKS * VAULT_TAG_PAIR)

struct resume; /* opaque */

/* What belongs to the put and not to one of its segments. */
struct resume_head {
    uint8_t salt[RESUME_SALT]; /* of the header of N */
    struct vault_source_id file;
    uint64_t before;          /* number of the version before; 0: none */
    qc_span name, provenance; /* opened: borrowed from the struct resume */
};

/*
 * Make it, for the put of the journal. ids, keys: of the put; borrowed during the call. Nothing is durable
 * before the first resume_segment. QC_LIMIT  name and provenance are too long
 */
QC_MUST qc_rc resume_begin(struct resume **ret, const struct journal *j, const struct journal_put *put,
                           const struct vault_keys *keys, const struct resume_head *head, struct qc_err *err);
/*
 * Open it with the put's local shares R1, R2, for reading or to go on. *ret_keys: K, R and all that follows
 * from them and the shares. QC_NOTFOUND  there is none;  QC_FORMAT, QC_INTEGRITY  it is damaged or another's
 */
QC_MUST qc_rc resume_open(struct resume **ret, const struct journal *j, const struct journal_put *put,
                          qc_key *const shares[2], struct vault_keys *ret_keys, struct resume_head *ret_head,
                          struct qc_err *err);
void resume_close(struct resume **r);

/* Segments that count, and the last one's run; 0, where there is none. */
uint32_t resume_count(const struct resume *r);
uint32_t resume_run(const struct resume *r);
/* The first `count` of them, in order. */
typedef qc_rc (*resume_fn)(void *ctx, uint32_t seq, const uint8_t salt[RESUME_SALT], const uint8_t *tags,
                           struct qc_err *err);
QC_MUST qc_rc resume_each(struct resume *r, uint32_t count, resume_fn fn, void *ctx, struct qc_err *err);

/* The first `count` stay; what follows is of this run, sealed under this salt, which was never used before.
 */
QC_MUST qc_rc resume_go_on(struct resume *r, uint32_t count, uint32_t run, const uint8_t salt[RESUME_SALT],
                           struct qc_err *err);
/* The next segment, before it is sent. The first one of a run is durable on return. tags: RESUME_TAGS bytes.
 */
QC_MUST qc_rc resume_segment(struct resume *r, qc_span tags, struct qc_err *err);

/* Is there one beside the journal, and since when was nothing added to it? Seconds since 1970. */
QC_MUST qc_rc resume_there(const struct journal *j, bool *ret, int64_t *ret_s, struct qc_err *err);
/* It goes, if there is one; durable on return. */
QC_MUST qc_rc resume_remove(const struct journal *j, struct qc_err *err);
