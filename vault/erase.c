#include "vault/erase.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/codec.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/time.h"
#include "session.h"
#include "store.h"

enum { FILE_NAME = 2 * VAULT_ID_BYTES + 8 };
#define FOLDER "certificates"

struct vault_erasure {
    struct vault *v;
    char dir_path[QC_VAULT_PLACE_MAX];
    struct qc_fd dir, lock;
    qc_key *seed; /* of the vault's signatures */
    uint8_t key[QC_SIGN_PUBLIC];
};

struct vault_erasing {
    struct vault_erasure *e;
    qc_buf name;
    char draft[FILE_NAME]; /* path tag and ".draft" */
    struct vault_certificate c;
    bool confirmed; /* c.v has what is gone everywhere, and nothing else; it had so many before: */
    size_t noted;
};

void vault_erased_record_done(struct vault_erased_record *r)
{
    qc_buf_free(&r->bytes);
    *r = (struct vault_erased_record){ 0 };
}

void vault_erase_close(struct vault_erasure **e)
{
    if (*e == NULL)
        return;
    qc_key_free(&(*e)->seed);
    qc_fd_close(&(*e)->lock);
    qc_fd_close(&(*e)->dir);
    qc_free(*e);
    *e = NULL;
}

static qc_rc join(char ret[QC_VAULT_PLACE_MAX], const char *dir, const char *name, struct qc_err *err)
{
    const int n = snprintf(ret, QC_VAULT_PLACE_MAX, "%s/%s", dir, name);
    if (n < 0 || n >= QC_VAULT_PLACE_MAX)
        return QC_FAIL(err, QC_LIMIT, "%.200s..: a path of more than %d bytes", dir, QC_VAULT_PLACE_MAX);
    return QC_OK;
}

qc_rc vault_erase_dir(const struct vault *v, char ret[QC_VAULT_PLACE_MAX], struct qc_err *err)
{
    char path[QC_VAULT_PLACE_MAX];
    QC_TRY(join(path, v->state, FOLDER, err));
    QC_TRY_AS(qc_dir_make_path(path, 0700, err), err, "%s", path);
    memcpy(ret, path, sizeof(path));
    return QC_OK;
}

qc_rc vault_certificate_key(uint8_t ret[QC_SIGN_PUBLIC], const struct vault *v, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *seed = NULL;
    QC_TRY(vault_signing_key(&seed, v->ring, err));
    return qc_sign_public(ret, seed, err);
}

qc_rc vault_erase_open(struct vault_erasure **ret, struct vault *v, struct qc_err *err)
{
    QC_CLEANUP(vault_erase_close) struct vault_erasure *e = qc_alloc(sizeof(*e));
    if (e == NULL)
        return QC_FAIL(err, QC_NOMEM, "record of erasure");
    e->v = v;
    QC_TRY(vault_signing_key(&e->seed, v->ring, err));
    QC_TRY(qc_sign_public(e->key, e->seed, err));
    QC_TRY(vault_erase_dir(v, e->dir_path, err));
    QC_TRY_AS(qc_dir_open(&e->dir, e->dir_path, err), err, "%s", e->dir_path);
    QC_TRY_AS(qc_lock_file(&e->lock, qc_fd_get(&e->dir), "erase.lock", err), err, "%s", e->dir_path);
    QC_TRY_AS(qc_tmp_sweep(qc_fd_get(&e->dir), err), err, "%s", e->dir_path);
    *ret = QC_STEAL(e);
    return QC_OK;
}

/* A clock that is before 1970 says nothing, and a record that is none shall not be taken for a draft. */
static int64_t now_s(void)
{
    const int64_t now = qc_wall_s();
    return now > 0 ? now : 1;
}

/* -- the draft ------------------------------------------------------------------------------------------- */

static qc_rc draft_name(struct vault_erasing *x, struct qc_err *err)
{
    uint8_t path_tag[16];
    char hex[2 * sizeof(path_tag) + 1];
    QC_TRY(vault_name_tag(path_tag, x->e->v->ring, qc_buf_span(&x->name), err));
    qc_hex(qc_span_of(path_tag, sizeof(path_tag)), hex);
    snprintf(x->draft, sizeof(x->draft), "%s.draft", hex);
    return QC_OK;
}

/* A draft is signed as a record is: nothing that others wrote there is taken over. */
static qc_rc check_draft(const struct vault_erasing *x, struct qc_err *err)
{
    const struct vault_certificate *c = &x->c;
    if (!c->draft || memcmp(c->vault, x->e->v->id, VAULT_ID_BYTES) != 0 ||
        !qc_ct_eq(c->key, x->e->key, sizeof(x->e->key)) ||
        !qc_span_eq(qc_buf_span(&c->name), qc_buf_span(&x->name)))
        return QC_FAIL(err, QC_INTEGRITY, "it is no draft of this vault's for this name");
    return QC_OK;
}

static qc_rc read_draft(struct vault_erasing *x, bool *ret_found, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf bytes = { 0 };
    struct qc_err why = { 0 };
    qc_rc rc = qc_file_read(qc_fd_get(&x->e->dir), x->draft, QC_VAULT_CERTIFICATE_MAX, &bytes, &why);
    *ret_found = rc == QC_OK;
    if (rc == QC_NOTFOUND)
        return QC_OK;
    if (rc == QC_OK)
        rc = vault_certificate_parse(&x->c, qc_buf_span(&bytes), &why);
    if (rc == QC_OK)
        rc = check_draft(x, &why);
    if (rc == QC_FORMAT || rc == QC_INTEGRITY)
        return QC_FAIL(err, QC_INTEGRITY,
                       "%s/%s: %.200s. It was of an erasure that was cut off; without the file that is "
                       "finished, and no record made of what it had begun",
                       x->e->dir_path, x->draft, why.msg);
    if (rc != QC_OK)
        *err = why;
    return rc;
}

void vault_erasing_free(struct vault_erasing **x)
{
    if (*x == NULL)
        return;
    vault_certificate_done(&(*x)->c);
    qc_buf_free(&(*x)->name);
    qc_free(*x);
    *x = NULL;
}

qc_rc vault_erase_begin(struct vault_erasing **ret, struct vault_erasure *e, qc_span name, bool *ret_found,
                        struct qc_err *err)
{
    QC_CLEANUP(vault_erasing_free) struct vault_erasing *x = qc_alloc(sizeof(*x));
    if (x == NULL)
        return QC_FAIL(err, QC_NOMEM, "record of erasure");
    x->e = e;
    x->name.max = QC_VAULT_NAME_MAX;
    QC_TRY(qc_buf_add(&x->name, name, err));
    QC_TRY(draft_name(x, err));
    QC_TRY(read_draft(x, ret_found, err));
    *ret = QC_STEAL(x);
    return QC_OK;
}

const uint8_t *vault_erase_id(const struct vault_erasing *x)
{
    return x->c.n > 0 ? x->c.id : NULL;
}

static qc_rc gateway_of(const struct vault_erasure *e, uint8_t ret[VAULT_ID_BYTES], struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = VAULT_DESCRIPTOR_MAX };
    QC_CLEANUP(vault_descriptor_done) struct vault_descriptor d = { 0 };
    QC_TRY(vault_where(e->v, &text, err));
    QC_TRY(vault_descriptor_parse(&d, qc_buf_span(&text), err));
    memcpy(ret, d.catalogue, VAULT_ID_BYTES);
    return QC_OK;
}

static qc_rc draft_new(struct vault_erasing *x, struct qc_err *err)
{
    struct vault_certificate *c = &x->c;
    const struct vault *v = x->e->v;
    c->draft = true;
    c->begun_s = now_s();
    c->unseen = VAULT_UNSEEN_ALL;
    c->name = (qc_buf){ .max = QC_VAULT_NAME_MAX };
    QC_TRY(qc_buf_add(&c->name, qc_buf_span(&x->name), err));
    QC_TRY(qc_rng_fill(&v->ids, c->id, VAULT_ID_BYTES, err));
    memcpy(c->vault, v->id, VAULT_ID_BYTES);
    for (unsigned i = 0; i < 2; i++) {
        memcpy(c->store[i].id, vault_store_id(v->store[i]), VAULT_ID_BYTES);
        c->store[i].derived = vault_store_derives(v->store[i]);
    }
    return gateway_of(x->e, c->catalogue, err);
}

/* What store i has of a version now. */
static qc_rc look_at_share(const struct vault *v, unsigned i, struct vault_erased *one, struct qc_err *err)
{
    QC_CLEANUP(vault_store_record_done) struct vault_store_record r = { 0 };
    struct qc_err why = { 0 };
    const qc_rc rc = store_row_get(v->store[i], one->object, one->version, 0, &r, &why);
    one->had[i] = VAULT_ERASED_NONE;
    if (rc == QC_NOTFOUND || rc == QC_INTEGRITY)
        return QC_OK;
    if (rc != QC_OK) {
        *err = why;
        return rc;
    }
    if (r.gone)
        one->had[i] = VAULT_ERASED_BEFORE;
    else if (r.given)
        one->had[i] = VAULT_ERASED_DERIVED;
    else {
        one->had[i] = VAULT_ERASED_SHARE;
        return vault_erased_digest(one->digest[i], v->id, one->object, one->version, i + 1, r.share, err);
    }
    return QC_OK;
}

static bool is_noted(const struct vault_erased *noted, size_t n, const struct vault_version *v)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(noted[i].version, v->version, VAULT_ID_BYTES) == 0 &&
            memcmp(noted[i].object, v->object, VAULT_ID_BYTES) == 0)
            return true;
    return false;
}

static qc_rc add_version(struct vault_erasing *x, const struct vault_version *v, struct qc_err *err)
{
    struct vault_erased one = { .number = v->number, .sequence = v->sequence };
    memcpy(one.object, v->object, VAULT_ID_BYTES);
    memcpy(one.version, v->version, VAULT_ID_BYTES);
    for (unsigned i = 0; i < 2; i++)
        QC_TRY(look_at_share(x->e->v, i, &one, err));
    x->c.v[x->c.n++] = one;
    return QC_OK;
}

static qc_rc add_versions(struct vault_erasing *x, const struct vault_version *v, size_t n,
                          struct qc_err *err)
{
    const size_t had = x->c.n; /* 0, but after a crash: of v itself no version is there twice */
    QC_TRY(vault_certificate_extend(&x->c, n, err));
    for (size_t i = 0; i < n; i++)
        if (!is_noted(x->c.v, had, &v[i]))
            QC_TRY(add_version(x, &v[i], err));
    return QC_OK;
}

static qc_rc write_file(const struct vault_erasure *e, const char *name, qc_span bytes, struct qc_err *err)
{
    QC_TRY_AS(qc_file_write_atomic(qc_fd_get(&e->dir), name, &bytes, 1, 0600, err), err, "%s/%s", e->dir_path,
              name);
    return QC_OK;
}

qc_rc vault_erase_note(struct vault_erasing *x, const struct vault_versions *all,
                       const struct vault_version *v, size_t n, bool whole, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf bytes = { .max = QC_VAULT_CERTIFICATE_MAX };
    QC_TRY(session_need_both(x->e->v, err));
    if (x->c.n == 0)
        QC_TRY(draft_new(x, err));
    x->c.whole = whole;
    x->c.unknown = all->unknown;
    x->c.missing = all->missing;
    QC_TRY(add_versions(x, v, n, err));
    QC_TRY(vault_certificate_encode(&bytes, &x->c, x->e->seed, err));
    QC_TRY(write_file(x->e, x->draft, qc_buf_span(&bytes), err));
    return qc_fault(client_drafted, err);
}

/* -- the record ------------------------------------------------------------------------------------------ */

/* Those that both stores call gone stay. */
static qc_rc keep_gone(struct vault_erasing *x, const struct vault_call *call, struct qc_err *err)
{
    size_t n = 0;
    for (size_t i = 0; i < x->c.n; i++) {
        const struct vault_erased one = x->c.v[i];
        bool gone = true;
        QC_TRY(qc_go_on(call->op.deadline, call->op.cancel, "record of erasure", err));
        for (unsigned s = 0; s < 2 && gone; s++)
            QC_TRY(vault_store_is_gone(x->e->v->store[s], one.object, one.version, &gone, err));
        if (gone)
            x->c.v[n++] = one;
    }
    x->c.n = n;
    return QC_OK;
}

/* One request: versions of names, in the order in which these have them. */
struct asking {
    struct vault_gw_purge asked[QC_VAULT_PURGE_BATCH];
    struct vault_gw_version gone[QC_VAULT_PURGE_BATCH];
    struct {
        struct vault_erasing *x;
        size_t at, *to; /* to: how many of its versions are confirmed; they stand in front */
    } of[QC_VAULT_PURGE_BATCH];
    size_t count;
};

/* Those that the gateway calls gone stay; of them a keeper has no backup data. It is asked for nothing that
 * is not gone here (U1 of purge.c), and its answer is the same however often it is asked. */
static qc_rc ask(const struct vault *v, struct asking *a, const struct vault_call *call, struct qc_err *err)
{
    size_t purged = 0;
    if (a->count == 0)
        return QC_OK;
    QC_TRY(v->gw->ops->purge(v->gw, v->id, a->asked, a->count, &call->op, err));
    for (size_t i = 0; i < a->count; i++) {
        struct vault_erased *all = a->of[i].x->c.v;
        if (a->asked[i].rc != QC_OK)
            continue;
        a->gone[purged++] = session_version(a->asked[i].object, a->asked[i].version);
        all[(*a->of[i].to)++] = all[a->of[i].at];
    }
    a->count = 0;
    return kept_drop(v, a->gone, purged, &call->op, err); /* whose answer is the same, too */
}

static void ask_of(struct asking *a, struct vault_erasing *x, size_t at, size_t *to)
{
    struct vault_gw_purge *asked = &a->asked[a->count];
    a->of[a->count].x = x;
    a->of[a->count].at = at;
    a->of[a->count++].to = to;
    *asked = (struct vault_gw_purge){ .rc = QC_OK };
    memcpy(asked->object, x->c.v[at].object, VAULT_ID_BYTES);
    memcpy(asked->version, x->c.v[at].version, VAULT_ID_BYTES);
}

/* to: for each name how many are confirmed. */
static qc_rc keep_purged(struct vault_erasing *const *x, size_t count, size_t *to,
                         const struct vault_call *call, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct asking *a = qc_alloc(sizeof(*a));
    const struct vault *v = x[0]->e->v;
    if (a == NULL)
        return QC_FAIL(err, QC_NOMEM, "record of erasure");
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < x[i]->c.n; k++) {
            ask_of(a, x[i], k, &to[i]);
            if (a->count == QC_VAULT_PURGE_BATCH)
                QC_TRY(ask(v, a, call, err));
        }
    return ask(v, a, call, err);
}

/* No refresh is unfinished: else backup data of before it may be with the keeper that there was then. */
static qc_rc is_settled(const struct vault *v, bool *ret, struct qc_err *err)
{
    *ret = true;
    for (unsigned i = 0; i < 2; i++) {
        QC_TRY(vault_store_renew(v->store[i], err));
        *ret = *ret && vault_store_other(v->store[i]) == 0;
    }
    return QC_OK;
}

static void confirmed(struct vault_erasing *x, size_t n, bool settled)
{
    const struct vault *v = x->e->v;
    x->c.n = n;
    x->c.kept = v->kept && settled;
    for (unsigned i = 0; i < 2; i++)
        x->c.store[i].replaced = memcmp(x->c.store[i].id, vault_store_id(v->store[i]), VAULT_ID_BYTES) != 0;
    x->confirmed = true;
}

qc_rc vault_erase_confirm(struct vault_erasing *const *x, size_t count, const struct vault_call *call,
                          struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) size_t *to = NULL;
    bool before = false, after = false;
    if (count == 0)
        return QC_OK;
    struct vault *v = x[0]->e->v;
    to = qc_alloc(count * sizeof(*to));
    if (to == NULL)
        return QC_FAIL(err, QC_NOMEM, "record of erasure");
    QC_TRY(session_need_both(v, err));
    QC_TRY(is_settled(v, &before, err));
    for (size_t i = 0; i < count; i++) {
        QC_ASSERT(!x[i]->confirmed);
        x[i]->noted = x[i]->c.n;
        to[i] = 0;
        QC_TRY(keep_gone(x[i], call, err));
    }
    QC_TRY(keep_purged(x, count, to, call, err));
    QC_TRY(is_settled(v, &after, err)); /* nor has one begun meanwhile */
    for (size_t i = 0; i < count; i++)
        confirmed(x[i], to[i], before && after);
    return qc_fault(client_confirmed, err);
}

static qc_rc sign(struct vault_erasing *x, struct vault_erased_record *r, struct qc_err *err)
{
    char hex[2 * VAULT_ID_BYTES + 1], name[FILE_NAME];
    struct vault_certificate c = x->c; /* its parts are x's */
    c.draft = false;
    qc_hex(qc_span_of(c.id, VAULT_ID_BYTES), hex);
    snprintf(name, sizeof(name), "%s.cert", hex);
    memcpy(r->id, c.id, VAULT_ID_BYTES);
    r->versions = c.n;
    r->bytes = (qc_buf){ .max = QC_VAULT_CERTIFICATE_MAX };
    QC_TRY(join(r->path, x->e->dir_path, name, err));
    QC_TRY(vault_certificate_encode(&r->bytes, &c, x->e->seed, err));
    QC_TRY(write_file(x->e, name, qc_buf_span(&r->bytes), err));
    r->made = true;
    return qc_fault(client_certified, err);
}

/* Is it removed, with nothing of it but what the record names? Another process may have stored it anew. */
static qc_rc is_removed(const struct vault_erasing *x, const struct vault_call *call, bool *ret,
                        struct qc_err *err)
{
    QC_CLEANUP(vault_versions_done) struct vault_versions all = { 0 };
    QC_CLEANUP(vault_notes_done) struct vault_notes notes = { 0 }; /* told when it was looked at before */
    struct vault_call quiet = *call;
    struct qc_err why = { 0 };
    quiet.notes = &notes;
    const qc_rc rc = vault_versions(x->e->v, qc_buf_span(&x->name), &quiet, &all, &why);
    *ret = rc == QC_NOTFOUND || all.removed;
    if (rc != QC_OK && rc != QC_NOTFOUND) {
        *err = why;
        return rc;
    }
    for (size_t i = 0; i < all.n; i++)
        *ret = *ret && is_noted(x->c.v, x->c.n, &all.v[i]);
    return QC_OK;
}

qc_rc vault_erase_record(struct vault_erasing *x, bool whole, const struct vault_call *call,
                         struct vault_erased_record *ret, struct qc_err *err)
{
    QC_CLEANUP(vault_erased_record_done) struct vault_erased_record r = { 0 };
    bool removed = false;
    QC_ASSERT(x->confirmed);
    r.left = x->noted - x->c.n;
    x->c.whole = x->c.whole && whole && r.left == 0; /* what is left is of the name, too */
    x->c.ended_s = now_s();                          /* what is stored from here on came after it */
    if (x->c.n > 0 && x->c.whole) {
        QC_TRY(is_removed(x, call, &removed, err));
        r.anew = !removed;
        x->c.whole = removed;
    }
    if (x->c.n > 0)
        QC_TRY(sign(x, &r, err));
    *ret = QC_STEAL(r);
    return QC_OK;
}

qc_rc vault_erase_end(struct vault_erasing *x, struct qc_err *err)
{
    QC_TRY_AS(qc_file_remove(qc_fd_get(&x->e->dir), x->draft, err), err, "%s/%s", x->e->dir_path, x->draft);
    return QC_OK;
}
