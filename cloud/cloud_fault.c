#include "cloud_fault.h"

#ifdef QC_FAULT_POINTS

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/thread.h"
#include "driver.h"

enum { OLD_MAX = 64, OLD_SIZE_MAX = 64 * 1024 * 1024, TEXT_MAX = 65536 };

/* An object as it was before the newest put. */
struct old {
    char key[CLOUD_KEY_SIZE_MAX + 1];
    bool existed;
    qc_buf bytes;
};

struct fault_cloud {
    struct cloud base;
    struct cloud *inner;
    _Atomic uint64_t calls[FAULT_OPS];
    pthread_mutex_t lock; /* guards old, old_count */
    struct old old[OLD_MAX];
    unsigned old_count;
};

/* One call on its way: which rules apply to it. */
struct call {
    struct fault_rules rules; /* those that apply, in order */
    uint64_t count;
};

static const struct cloud_vt fault_vt;

static struct fault_cloud *of(struct cloud *c)
{
    QC_ASSERT(c->vt == &fault_vt);
    return (struct fault_cloud *)c; /* base is the first member */
}

static _Noreturn void die(const struct qc_err *err)
{
    fprintf(stderr, "%s\n", err->msg);
    abort();
}

/* The text in a file; dies when it cannot be read. The result lives in ret. */
static const char *text_of_file(const char *path, qc_buf *ret)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    struct qc_err err = { 0 };
    uint8_t *p = NULL;
    size_t got = 0;
    const char *text = NULL;
    ret->max = TEXT_MAX + 1;
    if (qc_open_at(&fd, AT_FDCWD, path, O_RDONLY, 0, &err) != QC_OK ||
        qc_buf_extend(ret, TEXT_MAX, &p, &err) != QC_OK ||
        qc_read_full(qc_fd_get(&fd), p, TEXT_MAX, &got, &err) != QC_OK)
        die(&err);
    ret->n = got;
    if (qc_buf_cstr(ret, &text, &err) != QC_OK)
        die(&err);
    return text;
}

static void rules_now(struct fault_cloud *f, struct fault_rules *ret)
{
    struct qc_err err = { 0 };
    const char *text = getenv("QC_CLOUD_FAULTS");
    QC_CLEANUP(qc_buf_free) qc_buf file = { 0 };
    if (text == NULL)
        text = "";
    if (text[0] == '@')
        text = text_of_file(text + 1, &file);
    if (fault_rules_parse(text, f->base.name, ret, &err) != QC_OK)
        die(&err);
}

static const struct fault_rule *has(const struct call *call, enum fault_act act)
{
    for (unsigned i = 0; i < call->rules.count; i++)
        if (call->rules.rule[i].act == act)
            return &call->rules.rule[i];
    return NULL;
}

/* Wait ms, in one go or until op says stop. */
static qc_rc wait_ms(uint64_t ms, const struct cloud_op *op, struct qc_err *err)
{
    uint64_t end = qc_now_ms() + ms;
    for (uint64_t now = qc_now_ms(); now < end; now = qc_now_ms()) {
        if (op != NULL)
            QC_TRY(cloud_op_check(op, err));
        uint64_t left = end - now;
        poll(NULL, 0, left < 10 ? (int)left : 10);
    }
    return QC_OK;
}

/* What comes before the call: count it, find its rules, wait, fail. */
static qc_rc before(struct fault_cloud *f, enum fault_op op, struct call *call, const struct cloud_op *limits,
                    struct qc_err *err)
{
    struct fault_rules all;
    rules_now(f, &all);
    *call = (struct call){ .count = atomic_fetch_add(&f->calls[op], 1) + 1 };
    for (unsigned i = 0; i < all.count; i++) {
        const struct fault_rule *r = &all.rule[i];
        if (!fault_rule_applies(r, op, call->count))
            continue;
        call->rules.rule[call->rules.count++] = *r;
        if (r->act == FAULT_DELAY || r->act == FAULT_HANG || r->act == FAULT_LATE)
            QC_TRY(wait_ms(r->ms, r->act == FAULT_DELAY ? limits : NULL, err));
        if (r->act == FAULT_FAIL)
            return QC_FAIL(err, r->rc, "injected: %s", qc_rc_text(r->rc));
    }
    return QC_OK;
}

static qc_rc after(const struct call *call, struct qc_err *err)
{
    const struct fault_rule *r = has(call, FAULT_AFTER);
    if (r != NULL)
        return QC_FAIL(err, r->rc, "injected after the effect: %s", qc_rc_text(r->rc));
    return QC_OK;
}

/* The remembered object of a key; NULL: none. With the lock held. */
static struct old *old_find(struct fault_cloud *f, const char *key)
{
    for (unsigned i = 0; i < f->old_count; i++)
        if (strcmp(f->old[i].key, key) == 0)
            return &f->old[i];
    return NULL;
}

/* Remember what a key holds, if some rule may ask for it. A test that needs more than OLD_MAX keys is told.
 */
static qc_rc old_keep(struct fault_cloud *f, const char *key, const struct cloud_op *op, struct qc_err *err)
{
    struct fault_rules all;
    rules_now(f, &all);
    bool asked = false;
    for (unsigned i = 0; i < all.count; i++)
        asked = asked || all.rule[i].act == FAULT_STALE;
    if (!asked)
        return QC_OK;
    QC_CLEANUP(qc_buf_free) qc_buf bytes = { .max = OLD_SIZE_MAX };
    uint64_t size = 0;
    qc_rc rc = f->inner->vt->head(f->inner, key, &size, op, err);
    if (rc != QC_OK && rc != QC_NOTFOUND)
        return rc;
    if (rc == QC_OK && size > 0) {
        uint8_t *p = NULL;
        size_t got = 0;
        QC_TRY(qc_buf_extend(&bytes, size, &p, err));
        struct cloud_get_job job = { .key = key, .range = { .off = 0, .n = size }, .dst = p };
        QC_TRY(f->inner->vt->get(f->inner, &job, &got, op, err));
    }
    QC_LOCK(&f->lock);
    struct old *o = old_find(f, key);
    if (o == NULL) {
        QC_ASSERT(f->old_count < OLD_MAX);
        o = &f->old[f->old_count++];
        memcpy(o->key, key, strlen(key) + 1);
    }
    qc_buf_free(&o->bytes);
    o->existed = rc == QC_OK;
    o->bytes = QC_STEAL(bytes);
    return QC_OK;
}

/* The parts in one buffer, with what the rules do to them. */
static qc_rc garble(const struct cloud_put_job *job, const struct call *call, qc_buf *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = job->size };
    for (size_t i = 0; i < job->count; i++)
        QC_TRY(qc_buf_add(&b, job->parts[i], err));
    if (has(call, FAULT_TRUNCATE) != NULL)
        b.n /= 2;
    if (has(call, FAULT_FLIP) != NULL && b.n > 0)
        b.p[call->count * 7919 % b.n] ^= 0x10;
    *ret = QC_STEAL(b);
    return QC_OK;
}

static qc_rc fault_put(struct cloud *c, const struct cloud_put_job *job, const struct cloud_op *op,
                       struct qc_err *err)
{
    const struct cloud_op forever = { .deadline = QC_NO_DEADLINE };
    struct fault_cloud *f = of(c);
    struct call call;
    QC_TRY(before(f, FAULT_PUT, &call, op, err));
    if (has(&call, FAULT_LATE) != NULL)
        op = &forever;
    QC_TRY(old_keep(f, job->key, op, err));
    if (has(&call, FAULT_DROP) != NULL)
        return after(&call, err);
    if (has(&call, FAULT_FLIP) != NULL || has(&call, FAULT_TRUNCATE) != NULL) {
        QC_CLEANUP(qc_buf_free) qc_buf b = { 0 };
        QC_TRY(garble(job, &call, &b, err));
        qc_span part = qc_buf_span(&b);
        struct cloud_put_job other = {
            .key = job->key, .parts = &part, .count = 1, .size = b.n, .mode = job->mode
        };
        QC_TRY(f->inner->vt->put(f->inner, &other, op, err));
        return after(&call, err);
    }
    QC_TRY(f->inner->vt->put(f->inner, job, op, err));
    return after(&call, err);
}

/* Answer a get from memory, where the key has an older object. *ret_done: it was answered. */
static qc_rc stale_get(struct fault_cloud *f, const struct cloud_get_job *job, size_t *ret_got,
                       bool *ret_done, struct qc_err *err)
{
    QC_LOCK(&f->lock);
    const struct old *o = old_find(f, job->key);
    *ret_done = o != NULL;
    if (o == NULL)
        return QC_OK;
    if (!o->existed)
        return QC_FAIL(err, QC_NOTFOUND, "injected: not there yet");
    size_t left = job->range.off < o->bytes.n ? o->bytes.n - (size_t)job->range.off : 0;
    size_t n = left < job->range.n ? left : job->range.n;
    if (n > 0)
        memcpy(job->dst, o->bytes.p + job->range.off, n);
    *ret_got = n;
    return QC_OK;
}

enum { STALL_AFTER = 4096 };

static qc_rc fault_get(struct cloud *c, const struct cloud_get_job *job, size_t *ret_got,
                       const struct cloud_op *op, struct qc_err *err)
{
    struct fault_cloud *f = of(c);
    struct call call;
    QC_TRY(before(f, FAULT_GET, &call, op, err));
    if (has(&call, FAULT_MISSING) != NULL)
        return QC_FAIL(err, QC_NOTFOUND, "injected: no such object");
    const struct fault_rule *stall = has(&call, FAULT_STALL);
    if (stall != NULL && job->range.off + job->range.n > STALL_AFTER)
        QC_TRY(wait_ms(stall->ms, op, err));
    struct cloud_get_job cut = *job;
    if (has(&call, FAULT_TRUNCATE) != NULL) { /* the object ends at half its size */
        uint64_t size = 0;
        QC_TRY(f->inner->vt->head(f->inner, job->key, &size, op, err));
        uint64_t left = job->range.off < size / 2 ? size / 2 - job->range.off : 0;
        if (left < cut.range.n)
            cut.range.n = (size_t)left;
    }
    size_t got = 0;
    bool done = false;
    if (has(&call, FAULT_STALE) != NULL)
        QC_TRY(stale_get(f, &cut, &got, &done, err));
    if (!done)
        QC_TRY(f->inner->vt->get(f->inner, &cut, &got, op, err));
    if (has(&call, FAULT_FLIP) != NULL && got > 0)
        job->dst[call.count * 7919 % got] ^= 0x10;
    *ret_got = got;
    return after(&call, err);
}

static qc_rc fault_head(struct cloud *c, const char *key, uint64_t *ret_size, const struct cloud_op *op,
                        struct qc_err *err)
{
    struct fault_cloud *f = of(c);
    struct call call;
    QC_TRY(before(f, FAULT_HEAD, &call, op, err));
    if (has(&call, FAULT_MISSING) != NULL)
        return QC_FAIL(err, QC_NOTFOUND, "injected: no such object");
    uint64_t size = 0;
    QC_TRY(f->inner->vt->head(f->inner, key, &size, op, err));
    if (has(&call, FAULT_STALE) != NULL) {
        QC_LOCK(&f->lock);
        const struct old *o = old_find(f, key);
        if (o != NULL && !o->existed)
            return QC_FAIL(err, QC_NOTFOUND, "injected: not there yet");
        size = o != NULL ? o->bytes.n : size;
    }
    if (has(&call, FAULT_TRUNCATE) != NULL)
        size /= 2;
    QC_TRY(after(&call, err));
    *ret_size = size;
    return QC_OK;
}

static qc_rc fault_delete(struct cloud *c, const char *key, const struct cloud_op *op, struct qc_err *err)
{
    struct fault_cloud *f = of(c);
    struct call call;
    QC_TRY(before(f, FAULT_DELETE, &call, op, err));
    if (has(&call, FAULT_DROP) == NULL)
        QC_TRY(f->inner->vt->delete (f->inner, key, op, err));
    return after(&call, err);
}

static qc_rc fault_list(struct cloud *c, const struct cloud_list_job *job, struct cloud_page *ret,
                        const struct cloud_op *op, struct qc_err *err)
{
    struct fault_cloud *f = of(c);
    struct call call;
    QC_TRY(before(f, FAULT_LIST, &call, op, err));
    struct cloud_page page = { .count = 0 };
    if (has(&call, FAULT_EMPTY) == NULL)
        QC_TRY(f->inner->vt->list(f->inner, job, &page, op, err));
    else
        memcpy(page.last, job->q->after, strlen(job->q->after) + 1);
    QC_TRY(after(&call, err));
    *ret = page;
    return QC_OK;
}

static qc_rc fault_space(struct cloud *c, struct cloud_space *ret, const struct cloud_op *op,
                         struct qc_err *err)
{
    struct fault_cloud *f = of(c);
    struct call call;
    QC_TRY(before(f, FAULT_SPACE, &call, op, err));
    struct cloud_space space = { 0 };
    QC_TRY(f->inner->vt->space(f->inner, &space, op, err));
    QC_TRY(after(&call, err));
    *ret = space;
    return QC_OK;
}

static qc_rc fault_alive(struct cloud *c, const struct cloud_op *op, struct qc_err *err)
{
    struct fault_cloud *f = of(c);
    struct call call;
    QC_TRY(before(f, FAULT_ALIVE, &call, op, err));
    QC_TRY(f->inner->vt->alive(f->inner, op, err));
    return after(&call, err);
}

/* No rule is for it: it makes no call of cloud.h. */
static qc_rc fault_examine(struct cloud *c, struct cloud_exam *x, const struct cloud_op *op,
                           struct qc_err *err)
{
    struct cloud *inner = of(c)->inner;
    return inner->vt->examine(inner, x, op, err);
}

static void fault_close(struct cloud *c)
{
    struct fault_cloud *f = of(c);
    f->inner->name = NULL; /* the wrapper's now, and freed by the dispatcher */
    f->inner->vt->close(f->inner);
    for (unsigned i = 0; i < f->old_count; i++)
        qc_buf_free(&f->old[i].bytes);
    qc_mutex_done(&f->lock);
    qc_free(f);
}

static const struct cloud_vt fault_vt = {
    .put = fault_put,
    .get = fault_get,
    .head = fault_head,
    .delete = fault_delete,
    .list = fault_list,
    .space = fault_space,
    .alive = fault_alive,
    .examine = fault_examine,
    .close = fault_close,
};

qc_rc cloud_fault_wrap(struct cloud **c, struct qc_err *err)
{
    if (getenv("QC_CLOUD_FAULTS") == NULL)
        return QC_OK;
    struct fault_cloud *f = qc_alloc(sizeof *f);
    if (f == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", sizeof *f);
    f->base = (struct cloud){ .vt = &fault_vt, .caps = (*c)->caps, .name = (*c)->name };
    f->inner = *c;
    qc_mutex_init(&f->lock);
    struct fault_rules rules;
    rules_now(f, &rules); /* a typing error dies here, not in the middle */
    *c = &f->base;
    return QC_OK;
}

#endif
