/* Verified bytes beside the files of a folder: verify --against DIR. Part of the program qcloud (layer 5);
 * uses base, vault. No link below the folder is gone through; memory is that of its largest folder's names.
 */
#pragma once
#include "client.h"

struct against;
/* QC_NOTFOUND, QC_USAGE: dir is no folder. */
QC_MUST qc_rc against_new(struct against **ret, const char *dir, struct qc_err *err);
void against_free(struct against **a);

/* A file that is there and belongs to no object; or what could not be looked into, and why: else NULL.
 * Borrowed for the call. */
typedef qc_rc (*against_extra_fn)(void *ctx, qc_span path, const char *why, struct qc_err *err);
/* Objects below this word come next, and lie in the folder as get -r of it would put them: what stands behind
 * the word; an object of that very name by its last component. extra: all of them come, in the order of their
 * names, and files of the folder that are none of them are told; NULL: files are not looked through. The word
 * is borrowed till the next one. */
QC_MUST qc_rc against_word(struct against *a, qc_span word, against_extra_fn extra, void *ctx,
                           struct qc_err *err);
/* An object of it. */
QC_MUST qc_rc against_object(struct against *a, const struct vault_stat *s, struct qc_err *err);
/* No more come. */
QC_MUST qc_rc against_last(struct against *a, struct qc_err *err);

enum against_is { AGAINST_SAME, AGAINST_DIFFERS, AGAINST_MISSING };
enum { AGAINST_WHY = 160 };
/* The last object's bytes, from the first on. Another thread may call it, one call at a time. */
void against_bytes(struct against *a, qc_span bytes);
/* All of them came: what the file is. why: of one that is not the same. */
enum against_is against_verdict(struct against *a, char why[AGAINST_WHY]);
