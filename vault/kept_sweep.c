/* Backup data at the keeper that belongs to nothing: of a put that was killed on a machine that is lost, of a
 * version that was purged while another place was the keeper. Layer 3; FORMAT 10.11, 17.
 *
 * W1: the keeper is listed before anything else is asked. A put has its records in both stores, and its
 * upload open at the gateway, before its B is there: so what is listed, and is of no record and no upload
 * afterwards, is of no put that is under way. W2: what both stores call gone, under their seals, never comes
 * back. W3: of all else the gateway has the last word, first that no upload is open, then that it has no such
 * version and has decided for none; and it must have been so in an earlier run, `age_s` ago. What was noted
 * while an upload was open could be of that one, which may go on for longer than that: a run that finds one
 * open notes nothing, and forgets what others noted. A wrong answer costs no version: kit refresh makes all B
 * anew from both stores. */
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "session.h"
#include "store.h"

#define FILE_NAME "keeper.strays"
enum { HEAD = 12, EACH = 2 * VAULT_ID_BYTES + 8 };

struct stray {
    struct vault_gw_version version;
    int64_t since; /* by this machine's clock */
};

struct sweep {
    struct vault *v;
    struct vault_keeper *k;
    const struct vault_call *call;
    int64_t now, age_s;
    bool asked;                            /* for uploads, after the page was listed */
    bool idle;                             /* none was open, then and in this run before */
    struct stray was[QC_VAULT_STRAYS_MAX]; /* by an earlier run */
    size_t was_n;
    struct stray is[QC_VAULT_STRAYS_MAX];
    size_t is_n;
    struct vault_keeper_page page;
    struct vault_gw_version dead[QC_VAULT_PURGE_BATCH];
    size_t dead_n;
    struct vault_swept result;
};

/* -- what an earlier run has seen ------------------------------------------------------------------------ */

/* One that cannot be read says nothing: what it noted is noted again. */
static void read_noted(struct sweep *s, int dir)
{
    QC_CLEANUP(qc_buf_free) qc_buf bytes = { 0 };
    struct qc_err unused = { 0 };
    if (qc_file_read(dir, FILE_NAME, HEAD + (size_t)QC_VAULT_STRAYS_MAX * EACH, &bytes, &unused) != QC_OK)
        return;
    qc_rd r = { .s = qc_buf_span(&bytes) };
    const bool ours = qc_span_eq(qc_rd_bytes(&r, 4), QC_LIT("QCKS")) && qc_rd_be(&r, 1) == 1;
    qc_rd_zero(&r, 3);
    const uint64_t count = qc_rd_be(&r, 4);
    if (!ours || !qc_rd_ok(&r) || count > QC_VAULT_STRAYS_MAX || qc_rd_left(&r) != count * EACH)
        return;
    for (; s->was_n < count; s->was_n++) {
        struct stray *one = &s->was[s->was_n];
        qc_rd_copy(&r, one->version.object, VAULT_ID_BYTES);
        qc_rd_copy(&r, one->version.version, VAULT_ID_BYTES);
        one->since = (int64_t)qc_rd_be(&r, 8);
        if (one->since < 0 || one->since > s->now) /* by a clock that was wrong */
            one->since = s->now;
    }
}

static qc_rc write_noted(const struct sweep *s, int dir, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf out = { .max = HEAD + (size_t)QC_VAULT_STRAYS_MAX * EACH };
    if (s->is_n == 0)
        return qc_file_remove(dir, FILE_NAME, err);
    QC_TRY(qc_buf_add(&out, QC_LIT("QCKS"), err));
    QC_TRY(qc_buf_add_be(&out, 1, 1, err));
    QC_TRY(qc_buf_add_be(&out, 0, 3, err));
    QC_TRY(qc_buf_add_be(&out, s->is_n, 4, err));
    for (size_t i = 0; i < s->is_n; i++) {
        QC_TRY(qc_buf_add(&out, qc_span_of(s->is[i].version.object, VAULT_ID_BYTES), err));
        QC_TRY(qc_buf_add(&out, qc_span_of(s->is[i].version.version, VAULT_ID_BYTES), err));
        QC_TRY(qc_buf_add_be(&out, (uint64_t)s->is[i].since, 8, err));
    }
    const qc_span bytes = qc_buf_span(&out);
    return qc_file_write_atomic(dir, FILE_NAME, &bytes, 1, 0600, err);
}

static const struct stray *noted(const struct stray *all, size_t n, const struct vault_gw_version *version)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(&all[i].version, version, sizeof(*version)) == 0)
            return &all[i];
    return NULL;
}

static void note(struct sweep *s, const struct vault_gw_version *version, int64_t since)
{
    if (s->idle && s->is_n < QC_VAULT_STRAYS_MAX)
        s->is[s->is_n++] = (struct stray){ *version, since };
}

/* -- one of them ----------------------------------------------------------------------------------------- */

enum fate { NEEDED, GONE, STRAY };

static qc_rc fate_in(struct vault_store *store, const struct vault_gw_version *version, enum fate *ret,
                     struct qc_err *err)
{
    QC_CLEANUP(vault_store_record_done) struct vault_store_record r = { 0 };
    struct qc_err why = { 0 };
    const qc_rc rc = store_row_get(store, version->object, version->version, 0, &r, &why);
    *ret = session_is_damage(rc)                            ? NEEDED
           : rc == QC_NOTFOUND                              ? STRAY
           : r.gone                                         ? GONE
           : rc == QC_OK && r.state == VAULT_RECORD_PENDING ? STRAY
                                                            : NEEDED;
    if (rc == QC_OK || rc == QC_NOTFOUND || session_is_damage(rc))
        return QC_OK;
    *err = why;
    return rc;
}

/* Is no upload open? One that is open is anybody's: of all that was noted, nothing is known any more. */
static qc_rc is_idle(struct sweep *s, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_JSON_MAX };
    QC_CLEANUP(qc_json_free) struct json_t *said = NULL;
    int64_t open = 0;
    if (s->asked || !s->idle)
        return QC_OK;
    QC_TRY(s->v->gw->ops->status(s->v->gw, &text, &s->call->op, err));
    QC_TRY_AS(qc_json_parse(&said, qc_buf_span(&text), err), err, "status");
    QC_TRY_AS(qc_json_int(said, "open_uploads", 0, INT64_MAX, &open, err), err, "status");
    s->asked = true;
    s->idle = open == 0;
    if (!s->idle)
        s->was_n = s->is_n = 0;
    return QC_OK;
}

static qc_rc fate_of(struct sweep *s, const struct vault_gw_version *version, enum fate *ret,
                     struct qc_err *err)
{
    struct vault *v = s->v;
    QC_CLEANUP(qc_free_ptr) struct vault_gw_info *info = NULL;
    enum fate in[2] = { NEEDED, NEEDED };
    struct qc_err why = { 0 };
    *ret = NEEDED;
    if (memcmp(version->object, v->id, VAULT_ID_BYTES) == 0) /* the vault's own */
        return QC_OK;
    for (unsigned i = 0; i < 2; i++)
        QC_TRY(fate_in(v->store[i], version, &in[i], err));
    if (in[0] == NEEDED || in[1] == NEEDED)
        return QC_OK;
    *ret = in[0] == GONE && in[1] == GONE ? GONE : STRAY;
    if (*ret == GONE)
        return QC_OK;
    QC_TRY(is_idle(s, err)); /* before: what was published since then, info knows */
    info = qc_alloc(sizeof(*info));
    if (info == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory");
    const qc_rc rc =
        v->gw->ops->info(v->gw, v->id, version->object, version->version, info, &s->call->op, &why);
    if (rc == QC_OK || rc == QC_CONFLICT) /* of another copy of the stores, committed just now, or decided */
        *ret = NEEDED;
    if (rc == QC_OK || rc == QC_CONFLICT || rc == QC_NOTFOUND)
        return QC_OK;
    *err = why;
    return rc;
}

static qc_rc flush(struct sweep *s, struct qc_err *err)
{
    QC_TRY(kept_drop(s->v, s->dead, s->dead_n, &s->call->op, err));
    s->result.removed += s->dead_n;
    s->dead_n = 0;
    return QC_OK;
}

static qc_rc one(struct sweep *s, const struct vault_gw_version *version, struct qc_err *err)
{
    enum fate fate = NEEDED;
    QC_TRY(fate_of(s, version, &fate, err));
    if (fate == NEEDED)
        return QC_OK;
    const struct stray *was = noted(s->was, s->was_n, version);
    const bool old = was != NULL && s->now - was->since >= s->age_s;
    if (fate == STRAY && !old) {
        note(s, version, was != NULL ? was->since : s->now);
        s->result.left++;
        return QC_OK;
    }
    s->dead[s->dead_n++] = *version;
    return s->dead_n == QC_VAULT_PURGE_BATCH ? flush(s, err) : QC_OK;
}

/* -- all of them ----------------------------------------------------------------------------------------- */

/* From *at on, which becomes the last one; those whose first byte is `end` or more are none of it. W1. */
static qc_rc page_of(struct sweep *s, struct vault_gw_version *at, unsigned end, size_t *ret_got,
                     struct qc_err *err)
{
    *ret_got = 0;
    QC_TRY(qc_go_on(s->call->op.deadline, s->call->op.cancel, "keeper", err));
    QC_TRY(s->k->ops->list(s->k, s->v->id, at, &s->page, &s->call->op, err));
    size_t got = s->page.n;
    while (got > 0 && s->page.v[got - 1].object[0] >= end)
        got--;
    if (got == 0)
        return QC_OK;
    s->asked = false;
    for (size_t i = 0; i < got; i++)
        QC_TRY(one(s, &s->page.v[i], err));
    *at = s->page.v[got - 1];
    *ret_got = got;
    return flush(s, err);
}

/* So many as one run looks at, from a place that is another each time, to the end and round to it; what was
 * not looked at stays noted. */
static qc_rc all_of(struct sweep *s, struct qc_err *err)
{
    uint8_t from = 0;
    size_t looked = 0;
    QC_TRY(qc_rng_fill(&s->v->ids, &from, 1, err));
    for (unsigned round = 0; round < 2; round++) {
        struct vault_gw_version at = { .object = { round == 0 ? from : 0 } };
        size_t got = 1;
        while (got > 0 && looked < QC_VAULT_SWEEP_MAX) {
            QC_TRY(page_of(s, &at, round == 0 ? 256 : from, &got, err));
            looked += got;
        }
    }
    for (size_t i = 0; i < s->was_n && looked >= QC_VAULT_SWEEP_MAX; i++)
        if (noted(s->is, s->is_n, &s->was[i].version) == NULL)
            note(s, &s->was[i].version, s->was[i].since);
    return QC_OK;
}

qc_rc vault_keeper_sweep(struct vault *v, int64_t age_s, const struct vault_call *call,
                         struct vault_swept *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct sweep *s = NULL;
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    *ret = (struct vault_swept){ 0 };
    if (!v->kept || v->keeper == NULL || v->state == NULL)
        return QC_OK;
    QC_TRY(session_need_both(v, err));
    QC_TRY(kept_begin(v, &call->op, err));
    s = qc_alloc(sizeof(*s));
    if (s == NULL)
        return QC_FAIL(err, QC_NOMEM, "keeper");
    s->v = v;
    s->k = v->keeper;
    s->call = call;
    s->now = qc_wall_s();
    s->idle = true;
    s->age_s = age_s;
    QC_TRY(qc_dir_make_path(v->state, 0700, err));
    QC_TRY_AS(qc_dir_open(&dir, v->state, err), err, "%s", v->state);
    read_noted(s, qc_fd_get(&dir));
    QC_TRY(all_of(s, err));
    QC_TRY_AS(write_noted(s, qc_fd_get(&dir), err), err, "%s/" FILE_NAME, v->state);
    *ret = s->result;
    return QC_OK;
}
