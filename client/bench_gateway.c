/* bench: the way to the gateway, and what a put and a get take. What is put has random names, which are noted
 * before; it is removed and purged at the end, also after a Ctrl-C, and what a bench that was killed left is
 * purged by the next one. Nothing else is: below the same prefix may lie what is somebody's. */
#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/file.h"
#include "bench.h"
#include "progress.h"
#include "signals.h"
#include "text.h"

enum { CLEAN_MS = 60000, RATIO_LEAST = 1024 * 1024 };

/* What this one puts, and where that is noted. */
struct given {
    struct qc_fd dir, lock;
    struct bench_names names;
};

static void given_done(struct given *g)
{
    qc_fd_close(&g->lock);
    qc_fd_close(&g->dir);
}

/* -- the way --------------------------------------------------------------------------------------------- */

static qc_rc measure_way(struct bench *b, struct bench_times *t, struct qc_err *err)
{
    struct vault_gw *gw = vault_gateway(b->c->vault);
    struct vault_call call = client_call(b->c);
    const uint64_t began = qc_now_ns();
    t->count = 0;
    for (bool more = true; more;) {
        QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_JSON_MAX };
        const uint64_t since = qc_now_ns();
        QC_TRY(gw->ops->health(gw, &text, &call.op, err));
        more = bench_add(t, began, since);
    }
    return bench_time(b, "a request to the gateway and back", t, err);
}

/* -- put and get ----------------------------------------------------------------------------------------- */

qc_rc bench_make(void *ctx, uint8_t *dst, size_t max, size_t *ret_got, struct qc_err *err)
{
    struct bench_made *m = ctx;
    const size_t n = m->left < max ? (size_t)m->left : max;
    (void)err;
    for (size_t i = 0; i < n; i++) {
        if (i % 8 == 0)
            m->next = m->next * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        dst[i] = (uint8_t)(m->next >> (8 * (i % 8)));
    }
    m->left -= n;
    *ret_got = n;
    return QC_OK;
}

static qc_rc drop(void *ctx, qc_span bytes, struct qc_err *err)
{
    uint64_t *got = ctx;
    (void)err;
    *got += bytes.n;
    return QC_OK;
}

/* The limit that is known: sealing, where it was measured. What is small waits for disks and clouds, and for
 * no processor. */
static qc_rc tell(struct bench *b, const char *verb, uint64_t size, uint64_t ns, struct qc_err *err)
{
    char what[64], text[TEXT_SIZE];
    text_size(size, text);
    (void)snprintf(what, sizeof what, "%s of %s", verb, text);
    return bench_rate(b, what, size, ns, "sealing", size >= RATIO_LEAST ? b->sealing : 0, err);
}

static qc_rc measure_size(struct bench *b, struct given *g, uint64_t size, struct qc_err *err)
{
    struct client *c = b->c;
    struct bench_made made = { .left = size, .next = qc_now_ns() };
    const struct vault_source source = { .read = bench_make, .ctx = &made, .size = size };
    const struct vault_put_opts opts = { 0 };
    struct vault_put_result r = { 0 };
    struct progress p;
    uint64_t got = 0;
    const struct vault_sink sink = { .write = drop, .ctx = &got };
    const qc_rng rng = qrng_rng(c->ids);
    char name[BENCH_NAME_MAX];
    QC_TRY(bench_names_new(&g->names, qc_fd_get(&g->dir), &rng, name, err));
    const qc_span called = qc_span_str(name);
    struct vault_call call = client_call_shown(c, &p, called, "durable", true);
    uint64_t since = qc_now_ns();
    qc_rc rc = vault_put(c->vault, called, &source, &opts, &call, &r, err);
    progress_end(&p);
    QC_TRY(rc);
    QC_TRY(tell(b, "put", size, qc_now_ns() - since, err));
    if (r.degraded)
        out_warn(&c->out, MSG_W_OTHER, NULL, "that put did not reach all clouds: its figure is of fewer");
    call = client_call_shown(c, &p, called, "verified", true);
    since = qc_now_ns();
    rc = vault_get(c->vault, called, &sink, &call, NULL, err);
    progress_end(&p);
    QC_TRY(rc);
    if (got != size) /* by another machine of this vault's */
        return QC_FAIL(err, QC_CHANGED, "%s was put with %" PRIu64 " bytes, and %" PRIu64 " came back", name,
                       size, got);
    return tell(b, "get", size, qc_now_ns() - since, err);
}

/* -- nothing stays --------------------------------------------------------------------------------------- */

/* After a Ctrl-C, too: what was begun is taken away before it ends. */
static struct vault_call last_call(struct client *c)
{
    struct vault_call call = client_call(c);
    call.op = (struct vault_op){ .deadline = qc_deadline_in(CLEAN_MS) };
    return call;
}

/* All versions of it. QC_OK: they are gone. */
static qc_rc purge_versions(struct client *c, const struct vault_versions *all, const struct vault_call *call,
                            struct qc_err *err)
{
    struct vault_doomed doomed[QC_BENCH_SIZES_MAX];
    for (size_t i = 0; i < all->n;) {
        size_t n = 0;
        for (; n < QC_BENCH_SIZES_MAX && i < all->n; i++, n++) {
            doomed[n] = (struct vault_doomed){ .sequence = all->v[i].sequence };
            memcpy(doomed[n].object, all->v[i].object, VAULT_ID_BYTES);
            memcpy(doomed[n].version, all->v[i].version, VAULT_ID_BYTES);
        }
        QC_TRY(vault_purge(c->vault, doomed, n, call, err));
        for (size_t j = 0; j < n; j++)
            if (doomed[j].rc != QC_OK) {
                *err = doomed[j].err;
                return doomed[j].rc;
            }
    }
    return QC_OK;
}

static qc_rc purge_name(struct client *c, qc_span name, struct qc_err *err)
{
    QC_CLEANUP(vault_versions_done) struct vault_versions all = { 0 };
    struct vault_remove_result removed;
    struct vault_call call = last_call(c);
    qc_rc rc = vault_remove(c->vault, name, &call, &removed, err);
    if (rc == QC_OK || rc == QC_NOTFOUND) {
        qc_err_clear(err);
        rc = vault_versions(c->vault, name, &call, &all, err);
    }
    if (rc == QC_OK)
        rc = purge_versions(c, &all, &call, err);
    if (rc == QC_NOTFOUND) { /* it was never put, or a bench that was killed had come so far */
        qc_err_clear(err);
        rc = QC_OK;
    }
    return rc;
}

/* All names that stand in the file. A put that a Ctrl-C broke off is settled before. What cannot be purged,
 * as somebody locked it, is told of, and tried by the next bench again. */
static qc_rc clean(struct client *c, struct given *g, struct qc_err *err)
{
    struct vault_call call = last_call(c);
    uint64_t finished = 0;
    if (g->names.count == 0)
        return QC_OK;
    QC_TRY(vault_settle(c->vault, &call, err));
    QC_TRY(vault_purge_settle(c->vault, &call, &finished, err));
    for (size_t i = 0; i < g->names.count;) {
        struct qc_err why = { 0 };
        if (purge_name(c, qc_span_str(g->names.v[i]), &why) == QC_OK)
            bench_names_drop(&g->names, i);
        else
            out_warn(&c->out, MSG_W_OTHER, NULL,
                     "%s, which a bench put, stays: %s; the next qcloud bench tries again", g->names.v[i++],
                     why.msg);
    }
    return bench_names_write(&g->names, qc_fd_get(&g->dir), err);
}

static qc_rc measure(struct bench *b, struct given *g, const struct bench_sizes *sizes, struct qc_err *err)
{
    for (size_t i = 0; i < sizes->count; i++)
        QC_TRY(measure_size(b, g, sizes->v[i], err));
    return QC_OK;
}

static qc_rc given_open(struct client *c, struct given *ret, struct qc_err *err)
{
    QC_TRY(qc_dir_make_path(c->places.state, 0700, err));
    QC_TRY(qc_dir_open(&ret->dir, c->places.state, err));
    QC_TRY_AS(qc_lock_file(&ret->lock, qc_fd_get(&ret->dir), "bench.lock", err), err,
              "another bench of this vault");
    QC_TRY_AS(bench_names_read(&ret->names, qc_fd_get(&ret->dir), err), err, "%s", c->places.state);
    return QC_OK;
}

qc_rc bench_gateway(struct bench *b, const struct bench_sizes *sizes, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct bench_times *t = qc_alloc(sizeof *t);
    QC_CLEANUP(given_done) struct given g = { 0 };
    struct client *c = b->c;
    struct qc_err later = { 0 };
    if (t == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", sizeof *t);
    if (!c->conf.has_vault)
        return QC_FAIL(err, QC_NOTCONF, "%s has no [vault]", c->places.conf_file);
    QC_TRY(client_open(c, err));
    QC_TRY(given_open(c, &g, err));
    QC_TRY(clean(c, &g, err)); /* of one that was killed */
    QC_TRY(measure_way(b, t, err));
    const qc_rc rc = measure(b, &g, sizes, err);
    const qc_rc cleaned = clean(c, &g, rc == QC_OK ? err : &later);
    client_tell_notes(c, rc, (qc_span){ 0 });
    if (rc != QC_OK && cleaned != QC_OK)
        out_warn(&c->out, MSG_W_OTHER, NULL, "%s; the next qcloud bench does it", later.msg);
    return rc != QC_OK ? rc : cleaned;
}
