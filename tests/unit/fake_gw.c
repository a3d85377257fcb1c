#include "fake_gw.h"

#include "base/alloc.h"
#include "base/thread.h"

struct handle {
    struct vault_gw gw;
    struct fake *f;
};

static struct fake *of(struct vault_gw *gw)
{
    return ((struct handle *)gw)->f;
}

static void grow(struct blob *b, size_t n)
{
    if (n <= b->cap)
        return;
    b->cap = n + 64;
    b->p = realloc(b->p, b->cap);
    CHECK(b->p != NULL);
}

static void put_blob(struct blob *b, qc_span s)
{
    grow(b, s.n + 1);
    if (s.n > 0)
        memcpy(b->p, s.p, s.n);
    b->n = s.n;
}

static void free_blob(struct blob *b)
{
    free(b->p);
    *b = (struct blob){ 0 };
}

/* Is this pass to fail (now, before its effect, or after it)? */
static bool fails(struct fake *f, enum fake_call call, bool effect)
{
    if (f->fail != call || f->fail_effect != effect || f->fail_nth == 0)
        return false;
    return --f->fail_nth == 0;
}

#define ENTER(call)                                                                                          \
    struct fake *f = of(gw);                                                                                 \
    (void)op;                                                                                                \
    QC_LOCK(&f->lock);                                                                                       \
    f->calls[call]++;                                                                                        \
    if (fails(f, call, false))                                                                               \
    return QC_FAIL(err, f->fail_rc, "fake: injected")
#define LEAVE(call)                                                                                          \
    return fails(f, call, true) ? QC_FAIL(err, f->fail_rc, "fake: injected, took effect") : QC_OK

struct fake_entry *fake_find(struct fake *f, qc_span path)
{
    for (size_t i = 0; i < f->entries; i++)
        if (qc_span_eq(blob_span(&f->entry[i].path), path))
            return &f->entry[i];
    return NULL;
}

struct fake_version *fake_version_of(struct fake *f, const uint8_t *object, const uint8_t *version)
{
    for (size_t i = 0; i < f->versions; i++)
        if (memcmp(f->version[i].object, object, 16) == 0 && memcmp(f->version[i].version, version, 16) == 0)
            return &f->version[i];
    return NULL;
}

static struct fake_upload *upload_of(struct fake *f, const uint8_t *key)
{
    for (size_t i = 0; i < f->uploads; i++)
        if (memcmp(f->upload[i].key, key, 16) == 0)
            return &f->upload[i];
    return NULL;
}

static struct fake_upload *upload_new(struct fake *f, const uint8_t *key)
{
    CHECK(f->uploads < FAKE_MAX);
    struct fake_upload *u = &f->upload[f->uploads++];
    memcpy(u->key, key, 16);
    return u;
}

static void head_of(struct fake *f, struct vault_head *ret)
{
    struct qc_err err = { 0 };
    CHECK_OK(vault_head_zero(ret, f->vault, &err));
    for (size_t i = 0; i < f->commits; i++)
        CHECK_OK(vault_head_step(ret, f->seal[i], &err));
}

static qc_rc give_entry(const struct fake *f, const struct fake_entry *from, struct vault_gw_entry *ret,
                        struct qc_err *err)
{
    QC_CLEANUP(vault_gw_entry_done) struct vault_gw_entry g = { .e = from->e };
    g.path.max = g.priv.max = QC_VAULT_PATH_MAX;
    QC_TRY(qc_buf_add(&g.path, blob_span(&from->path), err));
    QC_TRY(qc_buf_add(&g.priv, blob_span(&from->priv), err));
    g.e.path = qc_buf_span(&g.path);
    g.e.priv = qc_buf_span(&g.priv);
    g.has_margins = from->e.kind == VAULT_ENTRY_FILE;
    g.acked_margin = g.margin = f->acked_margin;
    g.margin_full = f->margin_full;
    *ret = QC_STEAL(g);
    return QC_OK;
}

/* An entry, and one step of the chain. */
static void write_entry(struct fake *f, const struct vault_entry *e)
{
    struct fake_entry *now = fake_find(f, e->path);
    if (now == NULL) {
        CHECK(f->entries < FAKE_MAX);
        now = &f->entry[f->entries++];
        put_blob(&now->path, e->path);
    }
    now->e = *e;
    put_blob(&now->priv, e->priv);
    CHECK(f->commits < FAKE_MAX);
    memcpy(f->seal[f->commits++], e->seal, FAKE_SEAL);
}

/* Compare-and-set of an entry and one step of the chain. */
static qc_rc decide(struct fake *f, const struct vault_entry *e, struct vault_gw_entry *ret_current,
                    struct qc_err *err)
{
    struct fake_entry *now = fake_find(f, e->path);
    bool elsewhere = false; /* the object has another name */
    for (size_t i = 0; i < f->entries && e->kind == VAULT_ENTRY_FILE; i++)
        elsewhere |= f->entry[i].e.kind == VAULT_ENTRY_FILE && &f->entry[i] != now &&
                     memcmp(f->entry[i].e.object, e->object, 16) == 0;
    if (elsewhere || e->number != (now == NULL ? 0 : now->e.number) + 1) {
        if (now != NULL)
            QC_TRY(give_entry(f, now, ret_current, err));
        return QC_FAIL(err, QC_CONFLICT, "fake: another number");
    }
    write_entry(f, e);
    return QC_OK;
}

static void receipt_of(struct fake *f, uint64_t number, struct vault_gw_receipt *ret)
{
    *ret = (struct vault_gw_receipt){ .number = number,
                                      .chain = f->commits,
                                      .acked_margin = f->acked_margin,
                                      .margin_full = f->margin_full,
                                      .durable_min = 5,
                                      .n = 5,
                                      .record_copies = 5,
                                      .clouds = 5 };
    head_of(f, &ret->head);
    if (f->degraded != NULL) {
        snprintf(ret->degraded[0], sizeof(ret->degraded[0]), "%s", f->degraded);
        ret->degraded_count = 1;
    }
}

static void close_handle(struct vault_gw *gw)
{
    struct fake *f = of(gw);
    {
        QC_LOCK(&f->lock);
        f->handles--;
    }
    free(gw);
}

static qc_rc clone_handle(struct vault_gw *gw, struct vault_gw **ret, struct qc_err *err)
{
    (void)err;
    *ret = fake_connect(of(gw));
    return QC_OK;
}

static void set_request(struct vault_gw *gw, const char *id)
{
    (void)gw;
    CHECK(strlen(id) < VAULT_REQUEST_ID_BYTES);
}

static qc_rc fake_vault_put(struct vault_gw *gw, const uint8_t *vault, qc_span record, qc_span backup,
                            const struct vault_op *op, struct qc_err *err)
{
    ENTER(FAKE_VAULT_PUT);
    if (f->has_vault && !qc_span_eq(blob_span(&f->record), record))
        return QC_FAIL(err, QC_CONFLICT, "fake: another vault");
    f->has_vault = true;
    memcpy(f->vault, vault, 16);
    put_blob(&f->record, record);
    put_blob(&f->backup, backup);
    LEAVE(FAKE_VAULT_PUT);
}

static qc_rc fake_vault_get(struct vault_gw *gw, const uint8_t *vault, qc_buf *record, qc_buf *backup,
                            struct vault_head *head, const struct vault_op *op, struct qc_err *err)
{
    ENTER(FAKE_VAULT_GET);
    if (!f->has_vault || memcmp(f->vault, vault, 16) != 0)
        return QC_FAIL(err, QC_NOTFOUND, "fake: no such vault");
    QC_TRY(qc_buf_add(record, blob_span(&f->record), err));
    QC_TRY(qc_buf_add(backup, blob_span(&f->backup), err));
    head_of(f, head);
    LEAVE(FAKE_VAULT_GET);
}

static qc_rc fake_chain(struct vault_gw *gw, const uint8_t *vault, uint64_t from, struct vault_head *head,
                        qc_buf *seals, const struct vault_op *op, struct qc_err *err)
{
    ENTER(FAKE_CHAIN);
    (void)vault;
    head_of(f, head);
    for (size_t i = (size_t)from; i < f->commits && i < from + 7; i++) /* small pages */
        QC_TRY(qc_buf_add(seals, qc_span_of(f->seal[i], FAKE_SEAL), err));
    LEAVE(FAKE_CHAIN);
}

static qc_rc entry_now(struct vault_gw *gw, qc_span path, struct vault_gw_entry *ret,
                       const struct vault_op *op, struct qc_err *err)
{
    ENTER(FAKE_ENTRY_GET);
    const struct fake_entry *e = fake_find(f, path);
    if (e == NULL)
        return QC_FAIL(err, QC_NOTFOUND, "fake: no such entry");
    QC_TRY(give_entry(f, e, ret, err));
    LEAVE(FAKE_ENTRY_GET);
}

static qc_rc fake_entry_get(struct vault_gw *gw, const uint8_t *vault, qc_span path,
                            struct vault_gw_entry *ret, const struct vault_op *op, struct qc_err *err)
{
    struct fake *all = of(gw);
    void (*then)(void *ctx) = all->after_entry;
    qc_rc rc = entry_now(gw, path, ret, op, err);
    (void)vault;
    if (then != NULL) {
        all->after_entry = NULL;
        then(all->before_ctx);
    }
    return rc;
}

static const struct fake_entry *next_entry(struct fake *f, const struct vault_gw_page *page, qc_span after)
{
    const struct fake_entry *least = NULL;
    for (size_t i = 0; i < f->entries; i++) {
        const struct fake_entry *e = &f->entry[i];
        qc_span path = blob_span(&e->path);
        if (path.n < page->prefix.n || !qc_span_eq(qc_span_sub(path, 0, page->prefix.n), page->prefix))
            continue;
        if (e->e.kind != VAULT_ENTRY_FILE && !page->tombstones)
            continue;
        if (f->hiding && i + 1 == f->entries)
            continue;
        if (after.n > 0 && qc_span_cmp(path, after) <= 0)
            continue;
        if (least == NULL || qc_span_cmp(path, blob_span(&least->path)) < 0)
            least = e;
    }
    return least;
}

#define FAKE_PAGE 3 /* small pages */

/* The entries of one page, owned by the caller. */
static qc_rc page_of(struct vault_gw *gw, const struct vault_gw_page *page, struct vault_gw_entry *ret,
                     size_t *ret_n, bool *ret_more, const struct vault_op *op, struct qc_err *err)
{
    ENTER(FAKE_ENTRY_LIST);
    if (page->after.n == 0) {
        f->lists++;
        f->hiding = f->hide_lists > 0;
        f->hide_lists -= f->hiding;
    }
    const struct fake_entry *e = next_entry(f, page, page->after);
    for (; e != NULL && *ret_n < page->limit && *ret_n < FAKE_PAGE; ++*ret_n) {
        QC_TRY(give_entry(f, e, &ret[*ret_n], err));
        e = next_entry(f, page, blob_span(&e->path));
    }
    *ret_more = e != NULL;
    LEAVE(FAKE_ENTRY_LIST);
}

/* The callback may ask the same gateway: it runs without the lock. */
static qc_rc fake_entry_list(struct vault_gw *gw, const uint8_t *vault, const struct vault_gw_page *page,
                             bool *ret_more, const struct vault_op *op, struct qc_err *err)
{
    struct fake *f = of(gw);
    struct vault_gw_page mine = *page;
    struct vault_gw_entry entry[FAKE_PAGE] = { 0 };
    size_t n = 0;
    (void)vault;
    if (f->lie_list)
        mine.prefix = (qc_span){ 0 };
    qc_rc rc = page_of(gw, &mine, entry, &n, ret_more, op, err);
    if (rc == QC_OK && f->before_list != NULL)
        f->before_list(f->before_ctx);
    for (size_t i = 0; i < n; i++) {
        if (rc == QC_OK)
            rc = page->fn(page->ctx, &entry[i], err);
        vault_gw_entry_done(&entry[i]);
    }
    return rc;
}

static qc_rc fake_entry_remove(struct vault_gw *gw, const uint8_t *vault, const struct vault_gw_commit *what,
                               struct vault_gw_receipt *ret, struct vault_gw_entry *ret_current,
                               const struct vault_op *op, struct qc_err *err)
{
    ENTER(FAKE_ENTRY_REMOVE);
    (void)vault;
    QC_TRY(decide(f, what->entry, ret_current, err));
    receipt_of(f, what->entry->number, ret);
    LEAVE(FAKE_ENTRY_REMOVE);
}

#include "fake_gw_moves.h"

static bool points_at(const struct fake *f, const uint8_t *version)
{
    for (size_t i = 0; i < f->entries; i++)
        if (f->entry[i].e.kind == VAULT_ENTRY_FILE && memcmp(f->entry[i].e.version, version, 16) == 0)
            return true;
    return false;
}

static qc_rc fake_purge(struct vault_gw *gw, const uint8_t *vault, struct vault_gw_purge *versions,
                        size_t count, const struct vault_op *op, struct qc_err *err)
{
    ENTER(FAKE_PURGE);
    (void)vault;
    for (size_t i = 0; i < count; i++) {
        struct vault_gw_purge *p = &versions[i];
        struct fake_version *v = fake_version_of(f, p->object, p->version);
        p->rc = QC_OK;
        if (v == NULL)
            p->rc = QC_FAIL(&p->err, QC_NOTFOUND, "fake: no such version");
        else if (points_at(f, p->version))
            p->rc = QC_FAIL(&p->err, QC_CONFLICT, "fake: a name points at it");
        else
            v->purged = true;
    }
    LEAVE(FAKE_PURGE);
}

static qc_rc fake_retain(struct vault_gw *gw, const uint8_t *vault, struct vault_gw_purge *versions,
                         size_t count, int64_t until, const struct vault_op *op, struct qc_err *err)
{
    ENTER(FAKE_PURGE);
    (void)vault;
    for (size_t i = 0; i < count; i++)
        versions[i].until = until;
    LEAVE(FAKE_PURGE);
}

static qc_rc fake_begin(struct vault_gw *gw, const uint8_t *vault, const struct vault_gw_begin *begin,
                        const struct vault_op *op, struct qc_err *err)
{
    ENTER(FAKE_BEGIN);
    (void)vault;
    struct fake_upload *u = upload_of(f, begin->put_key);
    if (u != NULL && (u->state != VAULT_UPLOAD_OPEN || memcmp(u->version, begin->version, 16) != 0))
        return QC_FAIL(err, QC_CONFLICT, "fake: put key is spent");
    if (u == NULL)
        u = upload_new(f, begin->put_key);
    memcpy(u->object, begin->object, 16);
    memcpy(u->version, begin->version, 16);
    u->state = VAULT_UPLOAD_OPEN;
    u->size = begin->size;
    LEAVE(FAKE_BEGIN);
}

#include "fake_gw_segments.h"

static qc_rc fake_segment(struct vault_gw *gw, const struct vault_gw_part *part, struct vault_gw_segment *ret,
                          const struct vault_op *op, struct qc_err *err)
{
    if (of(gw)->watches)
        go_out(of(gw), part);
    ENTER(FAKE_SEGMENT);
    struct fake_upload *u = upload_of(f, part->put_key);
    uint32_t seq = part->seq;
    if (u == NULL || u->state != VAULT_UPLOAD_OPEN || u->run != part->run || seq >= 64 ||
        part->bytes.n == 0 || part->bytes.n > QC_VAULT_SEGMENT_MAX)
        return QC_FAIL(err, QC_CONFLICT, "fake: no such upload");
    if (f->refuse != 0 && f->refuse == seq) {
        await_all_before(f, u, seq, op);
        f->refuse = 0;
        return QC_FAIL(err, f->fail_rc, "fake: refused");
    }
    put_blob(&u->seg[seq], part->bytes);
    qc_cond_wake_all(&f->came);
    if (part->last)
        u->last = seq + 1;
    *ret = (struct vault_gw_segment){ 5, 5 };
    LEAVE(FAKE_SEGMENT);
}

static void publish(struct fake *f, struct fake_upload *u, uint32_t segments, qc_span backup)
{
    CHECK(f->versions < FAKE_MAX);
    struct fake_version *v = &f->version[f->versions++];
    memcpy(v->object, u->object, 16);
    memcpy(v->version, u->version, 16);
    v->live = true;
    put_blob(&v->backup, backup);
    size_t all = 0;
    for (uint32_t i = 0; i < segments; i++)
        all += u->seg[i].n;
    grow(&v->n, all + 1);
    for (uint32_t i = 0; i < segments; i++) {
        memcpy(v->n.p + v->n.n, u->seg[i].p, u->seg[i].n);
        v->n.n += u->seg[i].n;
        free_blob(&u->seg[i]);
    }
    u->state = VAULT_UPLOAD_LIVE;
}

static qc_rc fake_commit(struct vault_gw *gw, const struct vault_gw_commit *what,
                         struct vault_gw_receipt *ret, struct vault_gw_entry *ret_current,
                         const struct vault_op *op, struct qc_err *err)
{
    const struct vault_entry *e = what->entry;
    const uint32_t segments = what->segments;
    struct fake *all = of(gw);
    if (all->before_commit != NULL)
        all->before_commit(all->before_ctx);
    ENTER(FAKE_COMMIT);
    struct fake_upload *u = upload_of(f, what->put_key);
    if (u == NULL || u->state == VAULT_UPLOAD_CANCELLED)
        return QC_FAIL(err, QC_CONFLICT, "fake: cancelled");
    if (u->state == VAULT_UPLOAD_OPEN) {
        uint64_t size = 0;
        for (uint32_t i = 0; i < segments; i++)
            size += u->seg[i].n;
        if (u->last != segments || u->run != what->run || size != e->size ||
            memcmp(e->version, u->version, 16) != 0)
            return QC_FAIL(err, QC_GENERAL, "fake: segments do not make up the entry");
        QC_TRY(decide(f, e, ret_current, err));
        publish(f, u, segments, what->backup);
        receipt_of(f, e->number, &u->receipt);
    }
    *ret = u->receipt;
    LEAVE(FAKE_COMMIT);
}

static qc_rc fake_state(struct vault_gw *gw, const uint8_t put_key[16], enum vault_upload_state *ret,
                        struct vault_gw_receipt *receipt, const struct vault_op *op, struct qc_err *err)
{
    ENTER(FAKE_STATE);
    const struct fake_upload *u = upload_of(f, put_key);
    *ret = u == NULL ? VAULT_UPLOAD_UNKNOWN : u->state;
    if (u != NULL)
        *receipt = u->receipt;
    if (f->early_states > 0 && *ret == VAULT_UPLOAD_LIVE) {
        f->early_states--;
        *ret = VAULT_UPLOAD_OPEN;
    }
    LEAVE(FAKE_STATE);
}

static qc_rc fake_resume(struct vault_gw *gw, const uint8_t put_key[16], uint32_t most,
                         struct vault_gw_resumed *ret, const struct vault_op *op, struct qc_err *err)
{
    ENTER(FAKE_RESUME);
    struct fake_upload *u = upload_of(f, put_key);
    uint32_t n = 0;
    if (u == NULL || u->state != VAULT_UPLOAD_OPEN)
        return QC_FAIL(err, QC_CONFLICT, "fake: no open upload");
    while (n < most && n < 64 && u->seg[n].n > 0 && n + 1 != u->last)
        n++;
    for (uint32_t i = n; i < 64; i++)
        free_blob(&u->seg[i]);
    u->last = 0;
    u->asked = most;
    *ret = (struct vault_gw_resumed){ .run = ++u->run, .segments = n };
    LEAVE(FAKE_RESUME);
}

static qc_rc fake_cancel(struct vault_gw *gw, const uint8_t put_key[16], const struct vault_op *op,
                         struct qc_err *err)
{
    ENTER(FAKE_CANCEL);
    struct fake_upload *u = upload_of(f, put_key);
    if (u == NULL)
        u = upload_new(f, put_key);
    if (u->state == VAULT_UPLOAD_LIVE || u->state == VAULT_UPLOAD_DECIDED)
        return QC_FAIL(err, QC_CONFLICT, "fake: it is live");
    u->state = VAULT_UPLOAD_CANCELLED;
    for (size_t i = 0; i < 64; i++)
        free_blob(&u->seg[i]);
    LEAVE(FAKE_CANCEL);
}

static qc_rc fake_read(struct vault_gw *gw, const uint8_t *vault, const struct vault_gw_read *what,
                       const struct vault_op *op, struct qc_err *err)
{
    ENTER(FAKE_READ);
    (void)vault;
    const struct fake_version *v = fake_version_of(f, what->object, what->version);
    if (v == NULL || v->purged)
        return QC_FAIL(err, QC_NOTFOUND, "fake: no such version");
    if (what->offset > v->n.n || what->size > v->n.n - what->offset)
        return QC_FAIL(err, QC_TEMP, "fake: the answer ends early");
    f->read_bytes += what->size;
    for (uint64_t at = 0; at < what->size;) {
        uint64_t n = what->size - at < 100000 ? what->size - at : 100000;
        QC_TRY(what->write(what->ctx, qc_span_of(v->n.p + what->offset + at, (size_t)n), err));
        at += n;
    }
    LEAVE(FAKE_READ);
}

static qc_rc fake_backup(struct vault_gw *gw, const uint8_t *vault, const uint8_t *object,
                         const uint8_t *version, qc_buf *ret, const struct vault_op *op, struct qc_err *err)
{
    ENTER(FAKE_BACKUP);
    (void)vault;
    const struct fake_version *v = fake_version_of(f, object, version);
    if (v == NULL || v->purged || v->backup.n == 0)
        return QC_FAIL(err, QC_NOTFOUND, "fake: no backup data");
    QC_TRY(qc_buf_add(ret, blob_span(&v->backup), err));
    LEAVE(FAKE_BACKUP);
}

static qc_rc fake_backups(struct vault_gw *gw, const uint8_t *vault, const struct vault_gw_backup *b,
                          size_t count, const struct vault_op *op, struct qc_err *err)
{
    static const uint8_t none[16] = { 0 };
    ENTER(FAKE_BACKUPS);
    (void)vault;
    for (size_t i = 0; i < count; i++) {
        struct fake_version *v = fake_version_of(f, b[i].object, b[i].version);
        if (memcmp(b[i].version, none, 16) == 0)
            put_blob(&f->backup, b[i].backup);
        else if (v == NULL || v->purged)
            return QC_FAIL(err, QC_NOTFOUND, "fake: no such version");
        else
            put_blob(&v->backup, b[i].backup);
    }
    LEAVE(FAKE_BACKUPS);
}

static qc_rc fake_info(struct vault_gw *gw, const uint8_t *vault, const uint8_t *object,
                       const uint8_t *version, struct vault_gw_info *ret, const struct vault_op *op,
                       struct qc_err *err)
{
    ENTER(FAKE_NONE);
    (void)vault;
    const struct fake_version *v = fake_version_of(f, object, version);
    for (size_t i = 0; i < f->uploads; i++)
        if (f->upload[i].state == VAULT_UPLOAD_DECIDED && memcmp(f->upload[i].version, version, 16) == 0)
            return QC_FAIL(err, QC_CONFLICT, "fake: decided");
    if (v == NULL || v->purged)
        return QC_FAIL(err, QC_NOTFOUND, "fake: no such version");
    *ret = (struct vault_gw_info){
        .size = v->n.n + f->info_more, .k = 3, .n = 5, .margin = 2, .acked_margin = 2, .segments = 1
    };
    return QC_OK;
}

static qc_rc fake_faults(struct vault_gw *gw, const char *request_id, struct vault_gw_faults *ret,
                         const struct vault_op *op, struct qc_err *err)
{
    ENTER(FAKE_NONE);
    (void)request_id;
    *ret = f->faults;
    return QC_OK;
}

static qc_rc fake_text(struct vault_gw *gw, qc_buf *ret, const struct vault_op *op, struct qc_err *err)
{
    size_t open = 0;
    ENTER(FAKE_NONE);
    for (size_t i = 0; i < f->uploads; i++)
        open += f->upload[i].state == VAULT_UPLOAD_OPEN;
    return qc_buf_addf(ret, err, "{\"open_uploads\":%zu}", open);
}

static const struct vault_gw_ops ops = {
    .close = close_handle,
    .clone = clone_handle,
    .set_request = set_request,
    .vault_put = fake_vault_put,
    .vault_get = fake_vault_get,
    .chain = fake_chain,
    .entry_get = fake_entry_get,
    .entry_some = fake_entry_some,
    .entries_move = fake_entries_move,
    .entry_list = fake_entry_list,
    .entry_remove = fake_entry_remove,
    .purge = fake_purge,
    .retain = fake_retain,
    .upload_begin = fake_begin,
    .segment_put = fake_segment,
    .upload_commit = fake_commit,
    .upload_state = fake_state,
    .upload_resume = fake_resume,
    .upload_cancel = fake_cancel,
    .read = fake_read,
    .backup_get = fake_backup,
    .backups_put = fake_backups,
    .info = fake_info,
    .faults = fake_faults,
    .status = fake_text,
    .health = fake_text,
};

struct vault_gw *fake_connect(struct fake *f)
{
    struct handle *h = calloc(1, sizeof(*h));
    CHECK(h != NULL);
    h->gw.ops = &ops;
    h->f = f;
    QC_LOCK(&f->lock);
    f->handles++;
    return &h->gw;
}

void fake_init(struct fake *f)
{
    *f = (struct fake){ .acked_margin = 2, .margin_full = 2 };
    qc_mutex_init(&f->lock);
    qc_cond_init(&f->came);
    qc_cond_init(&f->went);
}

void fake_forget(struct fake *f)
{
    for (size_t i = 0; i < f->versions; i++)
        free_blob(&f->version[i].n);
}

void fake_done(struct fake *f)
{
    CHECK(f->handles == 0);
    qc_cond_done(&f->went);
    for (size_t i = 0; i < FAKE_MAX; i++) {
        free_blob(&f->entry[i].path);
        free_blob(&f->entry[i].priv);
        free_blob(&f->version[i].n);
        free_blob(&f->version[i].backup);
        for (size_t s = 0; s < 64; s++)
            free_blob(&f->upload[i].seg[s]);
    }
    free_blob(&f->record);
    free_blob(&f->backup);
    qc_cond_done(&f->came);
    qc_mutex_done(&f->lock);
}

struct fake_image {
    struct fake_entry entry[FAKE_MAX];
    size_t entries;
    uint8_t seal[FAKE_MAX][FAKE_SEAL];
    size_t commits;
};

static void copy_entries(struct fake_entry *to, const struct fake_entry *from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        put_blob(&to[i].path, blob_span(&from[i].path));
        put_blob(&to[i].priv, blob_span(&from[i].priv));
        to[i].e = from[i].e;
    }
}

struct fake_image *fake_save(struct fake *f)
{
    struct fake_image *image = calloc(1, sizeof(*image));
    CHECK(image != NULL);
    copy_entries(image->entry, f->entry, f->entries);
    image->entries = f->entries;
    memcpy(image->seal, f->seal, sizeof(f->seal));
    image->commits = f->commits;
    return image;
}

void fake_restore(struct fake *f, const struct fake_image *image)
{
    copy_entries(f->entry, image->entry, image->entries);
    f->entries = image->entries;
    memcpy(f->seal, image->seal, sizeof(f->seal));
    f->commits = image->commits;
}

void fake_image_free(struct fake_image **image)
{
    for (size_t i = 0; *image != NULL && i < FAKE_MAX; i++) {
        free_blob(&(*image)->entry[i].path);
        free_blob(&(*image)->entry[i].priv);
    }
    free(*image);
    *image = NULL;
}
