/* Whole objects on several clouds: a batch whose slots are the clouds' positions. */
#include "base/alloc.h"
#include "fan_internal.h"

/* One cloud's part. A worker owns it while its job runs, and for ever when the job was abandoned. */
struct item {
    char key[CLOUD_KEY_SIZE_MAX + 1];
    qc_span put; /* borrowed from the owner */
    enum cloud_put_mode mode;
    qc_buf got;      /* its max is the largest object */
    uint64_t number; /* a size, or free bytes */
};

/* Everything the jobs of one call touch: the batch's owner. */
struct call {
    unsigned count;
    qc_buf bytes; /* what is put */
    struct item items[QC_GW_CLOUDS_MAX];
};

static void call_release(void *owner)
{
    struct call *c = owner;

    for (unsigned i = 0; i < QC_GW_CLOUDS_MAX; i++)
        qc_buf_free(&c->items[i].got);
    qc_buf_free(&c->bytes);
    qc_free(c);
}

static void call_free(struct call **c)
{
    if (*c != NULL)
        call_release(*c);
    *c = NULL;
}

static qc_rc call_new(struct call **ret, const struct gw_fan *f, const struct gw_ask *ask, struct qc_err *err)
{
    struct call *c = qc_alloc(sizeof *c);

    if (c == NULL)
        return QC_FAIL(err, QC_NOMEM, "requests to %u clouds", gw_fan_count(f));
    c->count = gw_fan_count(f);
    for (unsigned i = 0; i < c->count; i++) {
        if ((ask->set >> i & 1) == 0 || ask->keys == NULL)
            continue;
        const size_t n = strlen(ask->keys[i]);
        QC_ASSERT(n <= CLOUD_KEY_SIZE_MAX);
        memcpy(c->items[i].key, ask->keys[i], n + 1);
    }
    *ret = c;
    return QC_OK;
}

/* -- jobs ------------------------------------------------------------------------------------------------ */

static qc_rc job_put(void *ctx, struct cloud *c, const struct cloud_op *op, struct qc_err *err)
{
    const struct item *it = ctx;

    return cloud_put(c, it->key, &it->put, 1, it->mode, op, err);
}

static qc_rc job_get(void *ctx, struct cloud *c, const struct cloud_op *op, struct qc_err *err)
{
    struct item *it = ctx;
    uint64_t size = 0;
    size_t got = 0;
    uint8_t *dst = NULL;

    QC_TRY(cloud_head(c, it->key, &size, op, err));
    if (size > it->got.max)
        return QC_FAIL(err, QC_LIMIT, "%s: %llu bytes, at most %zu", it->key, (unsigned long long)size,
                       it->got.max);
    if (size == 0)
        return QC_OK;
    QC_TRY(qc_buf_extend(&it->got, (size_t)size, &dst, err));
    QC_TRY(cloud_get(c, it->key, (struct cloud_range){ 0, (size_t)size }, dst, &got, op, err));
    if (got != size)
        return QC_FAIL(err, QC_IO, "%s: %zu bytes came of %llu", it->key, got, (unsigned long long)size);
    return QC_OK;
}

static qc_rc job_head(void *ctx, struct cloud *c, const struct cloud_op *op, struct qc_err *err)
{
    struct item *it = ctx;

    return cloud_head(c, it->key, &it->number, op, err);
}

static qc_rc job_delete(void *ctx, struct cloud *c, const struct cloud_op *op, struct qc_err *err)
{
    const struct item *it = ctx;

    return cloud_delete(c, it->key, op, err);
}

static qc_rc job_space(void *ctx, struct cloud *c, const struct cloud_op *op, struct qc_err *err)
{
    struct item *it = ctx;
    struct cloud_space space;

    QC_TRY(cloud_space(c, &space, op, err));
    it->number = space.avail;
    return QC_OK;
}

/* -- running --------------------------------------------------------------------------------------------- */

/* Wait as the rule says, then abandon the rest. */
static gw_clouds settle(struct gw_batch *b, const struct gw_rule *rule)
{
    qc_deadline d = rule->deadline;
    gw_clouds done = 0;
    unsigned count = 0;

    for (int slot = gw_batch_next(b, d); slot >= 0; slot = gw_batch_next(b, d)) {
        struct gw_outcome o;
        gw_batch_outcome(b, (unsigned)slot, &o);
        if (o.fate != GW_DONE)
            continue;
        done |= (gw_clouds)1 << slot;
        if (++count == rule->enough)
            d = qc_deadline_min(d, qc_deadline_in(rule->grace_ms));
    }
    gw_batch_abandon(b, qc_deadline_over(rule->deadline));
    return done;
}

/* Run the call. *cp is stolen by the batch, which the caller frees: until then the items of done clouds may
 * be read. */
static qc_rc run(struct gw_fan *f, const struct gw_ask *ask, gw_job_fn job_fn, struct call **cp,
                 struct gw_batch **ret_batch, struct gw_answer *ret, struct qc_err *err)
{
    struct gw_batch *b = NULL;
    struct call *c = *cp;

    QC_TRY(gw_batch_new(&b, f, c->count, c, call_release, err));
    *cp = NULL;
    *ret_batch = b;
    *ret = (struct gw_answer){ 0 };
    for (unsigned i = 0; i < c->count; i++) {
        const struct gw_job job = {
            .at = i, .lane = GW_LANE_CONTROL, .force = ask->force, .run = job_fn, .ctx = &c->items[i]
        };
        if ((ask->set >> i & 1) != 0)
            (void)gw_batch_start(b, i, &job, ask->rule.deadline);
    }
    ret->done = settle(b, &ask->rule);
    for (unsigned i = 0; i < c->count; i++) {
        if ((ask->set >> i & 1) != 0)
            gw_batch_outcome(b, i, &ret->outcome[i]);
    }
    return QC_OK;
}

/* A call that writes. */
static qc_rc run_put(struct gw_fan *f, const struct gw_ask *ask, struct call **cp,
                     struct gw_batch **ret_batch, struct gw_answer *ret, struct qc_err *err)
{
    QC_TRY(run(f, ask, job_put, cp, ret_batch, ret, err));
    for (unsigned i = 0; i < gw_fan_count(f); i++)
        if ((ask->set >> i & 1) != 0)
            gw_fan_note_write(f, i, &ret->outcome[i]);
    return QC_OK;
}

qc_rc gw_fan_put_each(struct gw_fan *f, const struct gw_ask *ask, const qc_span *bytes,
                      enum cloud_put_mode mode, struct gw_answer *ret, struct qc_err *err)
{
    QC_CLEANUP(call_free) struct call *c = NULL;
    QC_CLEANUP(gw_batch_free) struct gw_batch *b = NULL;
    size_t total = 0;

    QC_TRY(call_new(&c, f, ask, err));
    for (unsigned i = 0; i < c->count; i++)
        total += (ask->set >> i & 1) != 0 ? bytes[i].n : 0;
    qc_buf_init(&c->bytes, total);
    QC_TRY(qc_buf_reserve(&c->bytes, total, err)); /* so that the spans below stay */
    for (unsigned i = 0; i < c->count; i++) {
        if ((ask->set >> i & 1) == 0)
            continue;
        c->items[i].mode = mode;
        c->items[i].put = qc_span_of(c->bytes.p + c->bytes.n, bytes[i].n);
        QC_TRY(qc_buf_add(&c->bytes, bytes[i], err));
    }
    return run_put(f, ask, &c, &b, ret, err);
}

qc_rc gw_fan_put(struct gw_fan *f, const struct gw_ask *ask, qc_span bytes, enum cloud_put_mode mode,
                 struct gw_answer *ret, struct qc_err *err)
{
    QC_CLEANUP(call_free) struct call *c = NULL;
    QC_CLEANUP(gw_batch_free) struct gw_batch *b = NULL;

    QC_TRY(call_new(&c, f, ask, err));
    qc_buf_init(&c->bytes, bytes.n);
    QC_TRY(qc_buf_add(&c->bytes, bytes, err));
    for (unsigned i = 0; i < c->count; i++) {
        c->items[i].mode = mode;
        c->items[i].put = qc_buf_span(&c->bytes);
    }
    return run_put(f, ask, &c, &b, ret, err);
}

qc_rc gw_fan_get(struct gw_fan *f, const struct gw_ask *ask, size_t size_max, qc_buf *ret_bytes,
                 struct gw_answer *ret, struct qc_err *err)
{
    QC_CLEANUP(call_free) struct call *c = NULL;
    QC_CLEANUP(gw_batch_free) struct gw_batch *b = NULL;

    QC_TRY(call_new(&c, f, ask, err));
    for (unsigned i = 0; i < c->count; i++)
        qc_buf_init(&c->items[i].got, size_max);
    struct call *owned = c;
    QC_TRY(run(f, ask, job_get, &c, &b, ret, err));
    for (unsigned i = 0; i < owned->count; i++) {
        if ((ret->done >> i & 1) != 0)
            ret_bytes[i] = QC_STEAL(owned->items[i].got);
    }
    return QC_OK;
}

qc_rc gw_fan_get_one(struct gw_fan *f, const struct gw_get_one *one, qc_buf *ret,
                     struct gw_outcome *ret_outcome, struct qc_err *err)
{
    qc_buf bytes[QC_GW_CLOUDS_MAX] = { 0 };
    const char *keys[QC_GW_CLOUDS_MAX] = { 0 };
    struct gw_answer a;

    keys[one->at] = one->key;
    const struct gw_ask ask = { .set = (gw_clouds)1 << one->at,
                                .keys = keys,
                                .rule = { .deadline = qc_deadline_in(one->ms) },
                                .force = one->force };
    QC_TRY(gw_fan_get(f, &ask, one->size_max, bytes, &a, err));
    *ret = bytes[one->at];
    *ret_outcome = a.outcome[one->at];
    return QC_OK;
}

/* A call whose answers are numbers. */
static qc_rc ask_numbers(struct gw_fan *f, const struct gw_ask *ask, gw_job_fn job_fn, uint64_t *numbers,
                         struct gw_answer *ret, struct qc_err *err)
{
    QC_CLEANUP(call_free) struct call *c = NULL;
    QC_CLEANUP(gw_batch_free) struct gw_batch *b = NULL;

    QC_TRY(call_new(&c, f, ask, err));
    const struct call *owned = c;
    QC_TRY(run(f, ask, job_fn, &c, &b, ret, err));
    for (unsigned i = 0; numbers != NULL && i < owned->count; i++) {
        if ((ret->done >> i & 1) != 0)
            numbers[i] = owned->items[i].number;
    }
    return QC_OK;
}

qc_rc gw_fan_head(struct gw_fan *f, const struct gw_ask *ask, uint64_t *ret_sizes, struct gw_answer *ret,
                  struct qc_err *err)
{
    return ask_numbers(f, ask, job_head, ret_sizes, ret, err);
}

qc_rc gw_fan_delete(struct gw_fan *f, const struct gw_ask *ask, struct gw_answer *ret, struct qc_err *err)
{
    return ask_numbers(f, ask, job_delete, NULL, ret, err);
}

qc_rc gw_fan_space(struct gw_fan *f, const struct gw_ask *ask, uint64_t *ret_free, struct gw_answer *ret,
                   struct qc_err *err)
{
    const struct gw_ask plain = { .set = ask->set, .rule = ask->rule, .force = ask->force };

    return ask_numbers(f, &plain, job_space, ret_free, ret, err);
}

/* -- listing --------------------------------------------------------------------------------------------- */

enum { PAGE_KEYS = 2000, PAGE_BYTES = PAGE_KEYS * (CLOUD_KEY_SIZE_MAX + 9) };

/* A page, filled by a worker, told by the caller's thread: for each key its size (8 bytes), the key, a NUL.
 */
struct page {
    char prefix[CLOUD_KEY_SIZE_MAX + 1], after[CLOUD_KEY_SIZE_MAX + 1];
    qc_buf keys;
    struct cloud_page end;
};

static void page_release(void *owner)
{
    struct page *p = owner;

    qc_buf_free(&p->keys);
    qc_free(p);
}

static qc_rc add_key(void *ctx, const struct cloud_item *item, struct qc_err *err)
{
    struct page *p = ctx;

    QC_TRY(qc_buf_add_be(&p->keys, item->size, 8, err));
    return qc_buf_add(&p->keys, qc_span_of(item->key, strlen(item->key) + 1), err);
}

static qc_rc job_list(void *ctx, struct cloud *c, const struct cloud_op *op, struct qc_err *err)
{
    struct page *p = ctx;
    const struct cloud_list_query q = { .prefix = p->prefix, .after = p->after, .limit = PAGE_KEYS };

    return cloud_list(c, &q, add_key, p, &p->end, op, err);
}

static qc_rc tell_page(const struct page *p, cloud_list_fn fn, void *ctx, struct qc_err *err)
{
    for (size_t at = 0; at < p->keys.n;) {
        const struct cloud_item item = { .size = qc_get_be(p->keys.p + at, 8),
                                         .key = (const char *)p->keys.p + at + 8 };
        QC_TRY(fn(ctx, &item, err));
        at += 8 + strlen(item.key) + 1;
    }
    return QC_OK;
}

/* One page of f's cloud `at`, filled; *ret is the batch's, which the caller frees. p->after is where to
 * begin. */
static qc_rc fetch_page(struct gw_fan *f, unsigned at, bool force, struct page *own, qc_deadline d,
                        struct gw_batch **ret, struct qc_err *err)
{
    const struct gw_job job = {
        .at = at, .lane = GW_LANE_CONTROL, .force = force, .run = job_list, .ctx = own
    };
    QC_CLEANUP(gw_batch_free) struct gw_batch *b = NULL;
    struct gw_outcome o;
    qc_rc rc = gw_batch_new(&b, f, 1, own, page_release, err);

    if (rc != QC_OK) {
        page_release(own);
        return rc;
    }
    if (gw_batch_start(b, 0, &job, d) && gw_batch_next(b, d) < 0)
        gw_batch_abandon(b, true);
    gw_batch_outcome(b, 0, &o);
    if (o.fate != GW_DONE)
        return QC_FAIL(err, o.rc, "cloud %s: %s", gw_fan_name(f, at), o.why);
    *ret = QC_STEAL(b);
    return QC_OK;
}

static qc_rc page_new(struct page **ret, const char *prefix, const char *after, struct qc_err *err)
{
    struct page *p = qc_alloc(sizeof *p);

    if (p == NULL)
        return QC_FAIL(err, QC_NOMEM, "listing");
    qc_buf_init(&p->keys, PAGE_BYTES);
    memcpy(p->prefix, prefix, strlen(prefix) + 1);
    memcpy(p->after, after, strlen(after) + 1);
    *ret = p;
    return QC_OK;
}

qc_rc gw_fan_list_page(struct gw_fan *f, unsigned at, struct gw_list_at *list, uint64_t page_ms,
                       cloud_list_fn fn, void *ctx, struct qc_err *err)
{
    QC_CLEANUP(gw_batch_free) struct gw_batch *b = NULL;
    struct page *p = NULL; /* the batch's */

    QC_ASSERT(strlen(list->prefix) <= CLOUD_KEY_SIZE_MAX);
    QC_TRY(page_new(&p, list->prefix, list->after, err));
    QC_TRY(fetch_page(f, at, list->force, p, qc_deadline_in(page_ms), &b, err));
    QC_TRY(tell_page(p, fn, ctx, err));
    memcpy(list->after, p->end.last, sizeof list->after);
    list->more = p->end.more;
    return QC_OK;
}

qc_rc gw_fan_list(struct gw_fan *f, unsigned at, const char *prefix, uint64_t page_ms, cloud_list_fn fn,
                  void *ctx, struct qc_err *err)
{
    struct gw_list_at list = { .prefix = prefix, .more = true };

    while (list.more)
        QC_TRY(gw_fan_list_page(f, at, &list, page_ms, fn, ctx, err));
    return QC_OK;
}
