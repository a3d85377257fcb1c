/* The recovery kit: the seed of one share store, or both, or the recovery key of a vault, as words that a
 * person can keep on paper and type. Layer 3; uses base, ss. Format: FORMAT 15. Pure. Keeps I5: words and
 * seeds are in locked memory; which word of the list one is does not show in time (ct/vault_kit), only how
 * many letters it has, and what a kit with a mistake has wrong.
 *
 * Errors of reading name the word by its place. A word that is in no list is named as it was typed, with
 * those of the list that look like it: one typed word is no secret. */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "base/key.h"
#include "vault/ids.h"
#include "vault/record.h"

#define VAULT_KIT_WORD_MAX 8  /* letters */
#define VAULT_KIT_ONE      40 /* words of one share's kit */
#define VAULT_KIT_BOTH     64 /* of both */

enum { VAULT_KIT_RECOVERY = 4 };

struct vault_kit {
    unsigned shares; /* 1: share 1, 2: share 2, 3: both, that is the vault; VAULT_KIT_RECOVERY: neither */
    uint32_t generation;
    uint8_t vault[VAULT_ID_BYTES];
    qc_key *seed[2]; /* owned; NULL: not in it */
    qc_key *W;       /* the recovery key (FORMAT 4); NULL: not in it */
};
void vault_kit_done(struct vault_kit *kit);

/* Words as they are printed: one after the other, each VAULT_KIT_WORD_MAX bytes, filled up with zeros. */
struct vault_kit_words {
    qc_key *text; /* owned */
    size_t count;
};
void vault_kit_words_done(struct vault_kit_words *words);
/* generation: 1..65535 (asserted). */
QC_MUST qc_rc vault_kit_encode(struct vault_kit_words *ret, const struct vault_kit *kit, struct qc_err *err);

/*
 * The kit that was typed, or scanned: words of the list in any case, or their first four letters, with white
 * space between them; numbers, with or without a dot, are passed over.
 *
 *   text   borrowed; at most QC_VAULT_KIT_TEXT_MAX bytes
 *
 * QC_USAGE   an unknown word; another number of words than 40 or 64; or a checksum that does not hold
 * QC_NEWER   a kit of a later version
 */
QC_MUST qc_rc vault_kit_decode(struct vault_kit *ret, qc_span text, struct qc_err *err);

/* What a kit's file has besides words (remarks, #, and where the vault is, {) goes; in place. Returns the
 * bytes that are left. */
size_t vault_kit_strip(char *text, size_t n);

/* Why vault_kit_decode did not take it, more closely where a checksum does not hold: each pair of words is
 * exchanged for trial, and each word replaced by each. A tenth of a second. text: not longer than there. */
QC_MUST qc_rc vault_kit_explain(qc_span text, struct qc_err *err);

/* The share of the vault secret that seed i (1, 2; it is in the kit) gives. */
QC_MUST qc_rc vault_kit_secret(qc_key **ret, const struct vault_kit *kit, unsigned i, struct qc_err *err);
/* Does the kit open this vault, with its record and backup data? QC_USAGE: it is another vault's, or of
 * shares that were replaced. */
QC_MUST qc_rc vault_kit_check(const struct vault_kit *kit, const struct vault_record *record,
                              const struct vault_backup *B, struct qc_err *err);
