#include "vault/pass.h"

#include "pass_internal.h"

#include <string.h>

#include "base/alloc.h"
#include "base/crypto.h"
#include "vault/kdf.h"

struct vault_pass {
    qc_key *bytes;
    size_t n;
    struct made {
        struct qc_pwhash how;
        qc_key *A; /* FORMAT 7.1 */
    } made[QC_VAULT_PASS_MADE_MAX];
    size_t made_n; /* ever; beyond the table the oldest is replaced */
};

void vault_pass_free(struct vault_pass **p)
{
    if (*p == NULL)
        return;
    qc_key_free(&(*p)->bytes);
    for (size_t i = 0; i < QC_VAULT_PASS_MADE_MAX; i++)
        qc_key_free(&(*p)->made[i].A);
    qc_free(*p);
    *p = NULL;
}

/* No branch on a single byte: the whole is looked through whatever is found. */
static bool has_forbidden(qc_span s)
{
    unsigned found = 0;
    for (size_t i = 0; i < s.n; i++)
        found |= (unsigned)(s.p[i] == 0) | (unsigned)(s.p[i] == '\n');
    return found != 0;
}

qc_rc vault_pass_new(struct vault_pass **ret, const qc_key *bytes, size_t n, struct qc_err *err)
{
    QC_CLEANUP(vault_pass_free) struct vault_pass *p = NULL;
    QC_ASSERT(n <= qc_key_len(bytes));
    if (n == 0)
        return QC_FAIL(err, QC_USAGE, "the passphrase is empty");
    if (n > QC_PASSPHRASE_MAX)
        return QC_FAIL(err, QC_USAGE, "the passphrase is longer than %d bytes", QC_PASSPHRASE_MAX);
    if (has_forbidden(qc_span_sub(qc_key_open(bytes), 0, n)))
        return QC_FAIL(err, QC_USAGE, "the passphrase has a NUL or a newline in it");
    p = qc_alloc(sizeof(*p));
    if (p == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a passphrase");
    p->n = n;
    QC_TRY(qc_key_dup(&p->bytes, bytes, err));
    *ret = QC_STEAL(p);
    return QC_OK;
}

bool vault_pass_same(const struct vault_pass *a, const struct vault_pass *b)
{
    return a->n == b->n && qc_ct_eq(qc_key_open(a->bytes).p, qc_key_open(b->bytes).p, a->n);
}

/* A of a passphrase; borrowed until the next call for this passphrase. */
static qc_rc stretch(struct vault_pass *p, const struct qc_pwhash *how, const struct qc_cancel *cancel,
                     const qc_key **ret, struct qc_err *err)
{
    for (size_t i = 0; i < QC_VAULT_PASS_MADE_MAX; i++) {
        const struct made *m = &p->made[i];
        if (m->A != NULL && m->how.passes == how->passes && m->how.kib == how->kib &&
            memcmp(m->how.salt, how->salt, sizeof(how->salt)) == 0) {
            *ret = m->A;
            return QC_OK;
        }
    }
    qc_key *A = NULL;
    QC_TRY(qc_pwhash(&A, qc_span_sub(qc_key_open(p->bytes), 0, p->n), how, cancel, err));
    struct made *m = &p->made[p->made_n++ % QC_VAULT_PASS_MADE_MAX];
    qc_key_free(&m->A);
    *m = (struct made){ *how, A };
    *ret = A;
    return QC_OK;
}

qc_rc vault_lock_make(struct vault_lock *ret, struct vault_pass *pass, uint32_t kib, const qc_rng *rng,
                      const struct qc_cancel *cancel, struct qc_err *err)
{
    struct vault_lock lock = { .pass = pass, .how = { .passes = VAULT_PASS_PASSES, .kib = kib } };
    const qc_key *A = NULL;
    QC_ASSERT(kib >= QC_VAULT_PASS_KIB_MIN && kib <= QC_VAULT_PASS_KIB_MAX);
    QC_TRY(qc_rng_fill(rng, lock.how.salt, sizeof(lock.how.salt), err));
    QC_TRY(stretch(pass, &lock.how, cancel, &A, err));
    *ret = lock;
    return QC_OK;
}

qc_rc pass_wrap_key(qc_key **ret, struct vault_pass *p, const struct qc_pwhash *how, const uint8_t *store,
                    const struct qc_cancel *cancel, struct qc_err *err)
{
    const qc_span parts[] = { qc_span_of(store, VAULT_ID_BYTES) };
    QC_CLEANUP(qc_prk_free) struct qc_prk *prk = NULL;
    const qc_key *A = NULL;
    QC_TRY(stretch(p, how, cancel, &A, err));
    QC_TRY(vault_prk_new(&prk, A, err));
    return vault_kdf(ret, prk, "wrap", parts, 1, VAULT_KDF_BYTES, err);
}

void vault_passes_done(struct vault_passes *ps)
{
    for (size_t i = 0; i < ps->n; i++)
        vault_pass_free(&ps->known[i]);
    ps->n = 0;
}

/* Answers until one opens. */
static qc_rc ask_for(struct vault_passes *ps, struct vault_pass_ask *ask, pass_opens_fn opens, void *ctx,
                     struct vault_pass **ret_by, struct qc_err *err)
{
    for (;; ask->tries++) {
        QC_CLEANUP(vault_pass_free) struct vault_pass *fresh = NULL;
        struct qc_err why = { 0 };
        if (ps->n == QC_VAULT_PASS_KNOWN_MAX)
            return QC_FAIL(err, QC_PASSPHRASE, "none of %zu passphrases opens it", ps->n);
        ask->known = (unsigned)ps->n;
        QC_TRY(ps->ask(ps->ctx, ask, &fresh, err));
        struct vault_pass *pass = ps->known[ps->n++] = QC_STEAL(fresh);
        qc_rc rc = opens(ctx, pass, ps->cancel, &why);
        if (rc == QC_OK) {
            *ret_by = pass;
            return QC_OK;
        }
        if (rc != QC_PASSPHRASE) {
            *err = why;
            return rc;
        }
    }
}

qc_rc passes_open(struct vault_passes *ps, struct vault_pass_ask *ask, bool silent, pass_opens_fn opens,
                  void *ctx, struct vault_pass **ret_by, struct qc_err *err)
{
    for (size_t i = 0; ps != NULL && i < ps->n; i++) {
        struct qc_err why = { 0 };
        qc_rc rc = opens(ctx, ps->known[i], ps->cancel, &why);
        if (rc == QC_OK) {
            *ret_by = ps->known[i];
            return QC_OK;
        }
        if (rc != QC_PASSPHRASE) {
            *err = why;
            return rc;
        }
    }
    if (ps == NULL || ps->ask == NULL || silent)
        return QC_FAIL(err, QC_NOPASS, "locked by a passphrase, and none was given");
    return ask_for(ps, ask, opens, ctx, ret_by, err);
}
