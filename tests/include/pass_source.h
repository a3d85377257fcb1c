/* Passphrases for tests: from text, and a source that gives a list of answers and remembers what it was
 * asked. */
#pragma once
#include "qc_check.h"
#include "vault/pass.h"

static inline qc_key *pass_bytes(const char *text)
{
    struct qc_err err = { 0 };
    qc_key *bytes = NULL;
    size_t n = strlen(text);
    CHECK_OK(qc_key_blank(&bytes, (n / QC_KEY_STEP + 1) * QC_KEY_STEP, &err));
    memcpy(qc_key_write(bytes), text, n);
    qc_key_seal(bytes);
    return bytes;
}

static inline struct vault_pass *pass_of(const char *text)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *bytes = pass_bytes(text);
    struct vault_pass *p = NULL;
    CHECK_OK(vault_pass_new(&p, bytes, strlen(text), &err));
    return p;
}

/* Answers in order; NULL: "leave it locked"; after the last one: "there is no other". */
struct pass_answers {
    const char *text[8];
    size_t count, asked;
    struct vault_pass_ask last; /* dir: not kept */
    char dir[400];
};

static inline qc_rc pass_answer(void *ctx, const struct vault_pass_ask *ask, struct vault_pass **ret,
                                struct qc_err *err)
{
    struct pass_answers *a = ctx;
    a->last = *ask;
    a->last.dir = NULL;
    snprintf(a->dir, sizeof a->dir, "%s", ask->dir);
    size_t i = a->asked++;
    if (i >= a->count)
        return QC_FAIL(err, QC_PASSPHRASE, "no other passphrase");
    if (a->text[i] == NULL)
        return QC_FAIL(err, QC_NOPASS, "left locked");
    *ret = pass_of(a->text[i]);
    return QC_OK;
}
