#include "ahead.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "found.h"
#include "gw_json.h"

struct ahead_one {
    struct vault_gw_entry e;
    bool taken;
    struct vault_gw_version version;
    size_t start, size; /* of N in bytes; 0: not fetched */
};

struct ahead {
    struct ahead_one v[QC_VAULT_CALL_FILES];
    size_t n;
    qc_buf bytes;
};

void ahead_free(struct ahead **ap)
{
    struct ahead *a = *ap;
    *ap = NULL;
    if (a == NULL)
        return;
    for (size_t i = 0; i < a->n; i++)
        vault_gw_entry_done(&a->v[i].e);
    qc_buf_free(&a->bytes);
    qc_free(a);
}

bool ahead_take(struct ahead *a, qc_span path, struct vault_gw_entry *ret)
{
    for (size_t i = 0; a != NULL && i < a->n; i++) {
        struct ahead_one *one = &a->v[i];
        if (one->taken || !qc_span_eq(qc_buf_span(&one->e.path), path))
            continue;
        one->taken = true;
        *ret = QC_STEAL(one->e);
        return true;
    }
    return false;
}

qc_span ahead_bytes(const struct ahead *a, const struct vault_ids *ids)
{
    for (size_t i = 0; a != NULL && i < a->n; i++) {
        const struct ahead_one *one = &a->v[i];
        if (one->size > 0 && memcmp(one->version.object, ids->object, VAULT_ID_BYTES) == 0 &&
            memcmp(one->version.version, ids->version, VAULT_ID_BYTES) == 0)
            return qc_span_sub(qc_buf_span(&a->bytes), one->start, one->size);
    }
    return (qc_span){ 0 };
}

static struct ahead_one *next_one(struct ahead *a, const struct vault_gw_entry *e)
{
    struct ahead_one *one = &a->v[a->n++];
    memcpy(one->version.object, e->e.object, VAULT_ID_BYTES);
    memcpy(one->version.version, e->e.version, VAULT_ID_BYTES);
    return one;
}

static qc_rc keep(void *ctx, const struct vault_gw_entry *e, struct qc_err *err)
{
    return gw_entry_copy(&next_one(ctx, e)->e, e, err);
}

static qc_rc fetch_entries(struct vault *v, struct ahead *a, const qc_span *names, size_t count,
                           const struct vault_call *call, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf all = { .max = (size_t)QC_VAULT_CALL_FILES * QC_VAULT_PATH_MAX };
    const struct vault_gw_some take = { keep, a };
    qc_span paths[QC_VAULT_CALL_FILES];
    size_t ends[QC_VAULT_CALL_FILES];
    for (size_t i = 0; i < count; i++) {
        QC_TRY(vault_name_seal(&all, v->ring, names[i], err));
        ends[i] = all.n;
    }
    for (size_t i = 0, from = 0; i < count; from = ends[i++])
        paths[i] = qc_span_sub(qc_buf_span(&all), from, ends[i] - from);
    return v->gw->ops->entry_some(v->gw, v->id, paths, count, &take, &call->op, err);
}

/* N after N, of those whose entries say that they are small; what was given is as long as they say, or none
 * of it counts. */
static qc_rc fetch_bytes(struct vault *v, struct ahead *a, const struct vault_call *call, struct qc_err *err)
{
    struct vault_gw_version versions[QC_VAULT_CALL_FILES];
    size_t of[QC_VAULT_CALL_FILES] = { 0 }, n = 0;
    uint64_t sum = 0;
    a->bytes.max = QC_VAULT_LOT_MAX;
    for (size_t i = 0; i < a->n; i++) {
        const struct vault_entry *e = &a->v[i].e.e;
        if (e->kind != VAULT_ENTRY_FILE || e->size == 0 || e->size > QC_VAULT_LOT_MAX - sum)
            continue;
        sum += e->size;
        versions[n] = a->v[i].version;
        of[n++] = i;
    }
    if (n == 0)
        return QC_OK;
    QC_TRY(v->gw->ops->read_some(v->gw, v->id, versions, n, &a->bytes, &call->op, err));
    if (a->bytes.n != sum)
        return QC_FAIL(err, QC_FORMAT, "the gateway sent %zu bytes of %" PRIu64, a->bytes.n, sum);
    for (size_t i = 0, at = 0; i < n; i++) {
        struct ahead_one *one = &a->v[of[i]];
        one->start = at;
        one->size = (size_t)one->e.e.size;
        at += one->size;
    }
    return QC_OK;
}

/* names, or found: */
static qc_rc fetch(struct vault *v, struct ahead *a, const qc_span *names, const qc_span *found, size_t count,
                   const struct vault_call *call, struct qc_err *err)
{
    char request[VAULT_REQUEST_ID_BYTES];
    QC_TRY(session_request(v, request, err));
    if (names != NULL)
        QC_TRY(fetch_entries(v, a, names, count, call, err));
    for (size_t i = 0; names == NULL && i < count; i++) {
        struct vault_gw_entry e;
        if (found[i].n == 0)
            continue;
        found_bare(&e, found[i]);
        struct ahead_one *one = next_one(a, &e);
        one->e.e.kind = e.e.kind;
        one->e.e.size = e.e.size;
        one->taken = true; /* who asks for its bytes has its entry */
    }
    QC_TRY(fetch_bytes(v, a, call, err));
    session_note_faults(v, request, call);
    return QC_OK;
}

static void begin(struct vault *v, const qc_span *names, const qc_span *found, size_t count,
                  const struct vault_call *call)
{
    struct qc_err why = { 0 };
    session_look_end(v);
    ahead_free(&v->ahead);
    QC_ASSERT(count <= QC_VAULT_CALL_FILES);
    struct ahead *a = count == 0 ? NULL : qc_alloc(sizeof(*a));
    if (a == NULL)
        return;
    qc_ignore(fetch(v, a, names, found, count, call, &why),
              "whatever is missing, each get asks for itself, and tells what is wrong");
    session_look(v); /* until the next vault_ahead, or a call to the gateway */
    v->ahead = a;
}

void vault_ahead(struct vault *v, const qc_span *names, size_t count, const struct vault_call *call)
{
    begin(v, names, NULL, count, call);
}

void vault_ahead_found(struct vault *v, const qc_span *found, size_t count, const struct vault_call *call)
{
    begin(v, NULL, found, count, call);
}
