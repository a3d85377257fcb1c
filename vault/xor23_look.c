/* What each site has under a name, and which two agree. */
#include <string.h>

#include "vault/xor23_sites.h"

struct look {
    uint8_t bytes[VAULT_XOR23_HEADER];
    size_t n;
};

/* The first bytes are enough. */
static qc_rc keep(void *ctx, qc_span bytes, struct qc_err *err)
{
    struct look *l = ctx;
    const size_t room = sizeof l->bytes - l->n, n = bytes.n < room ? bytes.n : room;
    memcpy(l->bytes + l->n, bytes.p, n);
    l->n += n;
    return l->n < sizeof l->bytes ? QC_OK : QC_FAIL(err, QC_CANCELLED, "seen");
}

/* What is no word about the object, but about us. */
static bool is_ours(qc_rc rc)
{
    return rc == QC_CANCELLED || rc == QC_TIMEOUT || rc == QC_NOMEM;
}

static qc_rc header(struct vault *site, enum ss_xor23 letter, qc_span name, const struct vault_call *call,
                    struct vault_xor23_held *h, struct qc_err *err)
{
    struct look l = { .n = 0 };
    const struct vault_sink sink = { .write = keep, .ctx = &l };
    const qc_rc rc = vault_get(site, name, &sink, call, NULL, &h->why);
    if (l.n == sizeof l.bytes) {
        qc_err_clear(&h->why);
        if (vault_xor23_header_parse(qc_span_of(l.bytes, l.n), &h->header, &h->why) == QC_OK &&
            h->header.letter != letter)
            qc_err_set(&h->why, QC_INTEGRITY, QC_HERE, "the file there is share %c", "ABC"[h->header.letter]);
        return QC_OK;
    }
    if (is_ours(rc)) {
        *err = h->why;
        return rc;
    }
    if (rc == QC_OK)
        qc_err_set(&h->why, QC_FORMAT, QC_HERE, "no share file");
    return QC_OK;
}

void vault_xor23_held_done(struct vault_xor23_held *h)
{
    vault_stat_done(&h->stat);
}

qc_rc vault_xor23_look(struct vault *site, enum ss_xor23 letter, qc_span name, const struct vault_call *call,
                       struct vault_xor23_held *ret, struct qc_err *err)
{
    struct qc_err why = { 0 };
    *ret = (struct vault_xor23_held){ .has = false };
    const qc_rc rc = vault_stat(site, name, call, &ret->stat, &why);
    if (rc == QC_NOTFOUND)
        return QC_OK;
    if (rc != QC_OK) {
        *err = why;
        return rc;
    }
    ret->has = true;
    return header(site, letter, name, call, ret, err);
}

static bool agree(const struct vault_xor23_held *a, const struct vault_xor23_held *b)
{
    return a->has && b->has && a->why.rc == QC_OK && b->why.rc == QC_OK &&
           a->header.scheme == b->header.scheme && a->header.maker == b->header.maker &&
           memcmp(&a->header.ids, &b->header.ids, sizeof a->header.ids) == 0;
}

bool vault_xor23_agree(const struct vault_xor23_held held[SS_XOR23_SHARES], unsigned *ret_odd, bool *ret_all)
{
    const bool ab = agree(&held[0], &held[1]), ac = agree(&held[0], &held[2]), bc = agree(&held[1], &held[2]);
    *ret_all = ab && ac;
    *ret_odd = ab ? SS_XOR23_C : ac ? SS_XOR23_B : SS_XOR23_A;
    return ab || ac || bc;
}
