/* What went wrong beneath requests: remembered in memory for the client, counted for the operator, and kept
 * as suspects for another look. */
#include <stdio.h>

#include "engine_internal.h"

/* How many rows a tenant has. */
static unsigned rows_of(const struct gw_engine *e, uint32_t tenant)
{
    unsigned n = 0;

    for (unsigned i = 0; i < QC_GW_REQUESTS_MAX; i++)
        n += e->remembered[i].stamp != 0 && e->remembered[i].tenant == tenant;
    return n;
}

/* The row to be given up: a free one, else the oldest of the tenant that has the most. */
static struct gw_remembered *row_to_give(struct gw_engine *e)
{
    struct gw_remembered *best = &e->remembered[0];
    unsigned most = rows_of(e, best->tenant);

    for (unsigned i = 0; i < QC_GW_REQUESTS_MAX; i++) {
        struct gw_remembered *m = &e->remembered[i];
        if (m->stamp == 0)
            return m;
        const unsigned n = best->tenant == m->tenant ? most : rows_of(e, m->tenant);
        if (n > most || (n == most && m->stamp < best->stamp)) {
            best = m;
            most = n;
        }
    }
    return best;
}

/* Under the lock: the row of an id, or an empty one for it. */
static struct gw_remembered *row_of(struct gw_engine *e, uint32_t tenant, const char *id, bool make)
{
    for (unsigned i = 0; i < QC_GW_REQUESTS_MAX; i++) {
        struct gw_remembered *m = &e->remembered[i];
        if (m->stamp != 0 && m->tenant == tenant && strcmp(m->id, id) == 0) {
            m->stamp = ++e->stamp;
            return m;
        }
    }
    if (!make)
        return NULL;
    struct gw_remembered *row = row_to_give(e);
    *row = (struct gw_remembered){ .tenant = tenant, .stamp = ++e->stamp };
    snprintf(row->id, sizeof row->id, "%s", id);
    return row;
}

static void add_fault(struct gw_request *r, const struct gw_fault *f)
{
    struct gw_request_fault *row = NULL;

    for (unsigned i = 0; i < r->count; i++)
        if (r->faults[i].cloud_id == f->cloud_id && r->faults[i].kind == f->kind)
            row = &r->faults[i];
    if (row == NULL) {
        if (r->count == GW_REQUEST_FAULTS)
            return; /* the counters of the engine have it all the same */
        row = &r->faults[r->count++];
        *row = (struct gw_request_fault){ .cloud_id = f->cloud_id, .kind = f->kind };
    }
    row->count++;
    memcpy(row->key, f->key, sizeof row->key);
}

/* true: it is known from now on. */
static bool add_suspect(struct gw_engine *e, uint64_t segment_id, const struct gw_fault *f)
{
    if (f->kind != GW_FAULT_MISSING && f->kind != GW_FAULT_DAMAGED)
        return false;
    for (unsigned i = 0; i < e->suspect_count; i++)
        if (e->suspects[i].segment_id == segment_id && e->suspects[i].index == f->index)
            return false;
    if (e->suspect_count == QC_GW_SUSPECTS_MAX)
        return false; /* another read will find it again */
    struct gw_suspect *s = &e->suspects[e->suspect_count++];
    *s = (struct gw_suspect){
        .segment_id = segment_id, .index = f->index, .cloud_id = f->cloud_id, .kind = f->kind
    };
    memcpy(s->key, f->key, sizeof s->key);
    return true;
}

/* Counts and remembers; *ret_new: bits of the faults that nobody had found before. */
static void take_faults(struct gw_engine *e, const char *request, const struct gw_segment *seg,
                        const struct gw_faults *f, uint32_t *ret_new)
{
    QC_LOCK(&e->lock);
    struct gw_remembered *m = request[0] == 0 ? NULL : row_of(e, seg->tenant, request, true);

    *ret_new = 0;
    for (unsigned i = 0; i < f->count; i++) {
        const int at = gw_fan_at(e->fan, f->v[i].cloud_id);
        if (at >= 0)
            e->read_faults[at][f->v[i].kind]++;
        if (m != NULL)
            add_fault(&m->request, &f->v[i]);
        *ret_new |= (uint32_t)add_suspect(e, seg->id, &f->v[i]) << i;
    }
}

/* The cloud is blamed. */
static void audit_fault(struct gw_engine *e, const struct gw_segment *seg, const struct gw_fault *f)
{
    GW_AUDIT(e->audit, "blame", QC_S("cloud", gw_engine_cloud_name(e, f->cloud_id)),
             QC_S("kind", gw_fault_kind_name(f->kind)), QC_U("segment", seg->id), QC_U("index", f->index),
             QC_S("key", f->key), QC_S("why", f->why));
}

void gw_faults_note(struct gw_engine *e, const char *request, const struct gw_segment *seg,
                    const struct gw_faults *f)
{
    uint32_t fresh;

    if (f->count == 0)
        return;
    take_faults(e, request, seg, f, &fresh);
    for (unsigned i = 0; i < f->count; i++)
        if (fresh >> i & 1)
            audit_fault(e, seg, &f->v[i]);
}

void gw_faults_recall(struct gw_engine *e, uint32_t tenant, const char *request, const struct gw_faults *f)
{
    if (f->count == 0 || request[0] == 0)
        return;
    QC_LOCK(&e->lock);
    struct gw_remembered *m = row_of(e, tenant, request, true);
    for (unsigned i = 0; i < f->count; i++)
        add_fault(&m->request, &f->v[i]);
}

void gw_request_begin(struct gw_engine *e, uint32_t tenant, const char *id)
{
    if (id[0] == 0)
        return;
    QC_LOCK(&e->lock);
    (void)row_of(e, tenant, id, true);
}

void gw_request_error(struct gw_engine *e, uint32_t tenant, const char *id, const struct qc_err *why)
{
    if (id[0] == 0 || strlen(id) > QC_GW_REQUEST_ID_MAX)
        return;
    QC_LOCK(&e->lock);
    struct gw_remembered *m = row_of(e, tenant, id, true);
    m->request.rc = why->rc;
    memcpy(m->request.message, why->msg, sizeof m->request.message);
}

qc_rc gw_request_get(struct gw_engine *e, uint32_t tenant, const char *id, struct gw_request *ret,
                     struct qc_err *err)
{
    QC_LOCK(&e->lock);
    const struct gw_remembered *m = row_of(e, tenant, id, false);

    if (m == NULL)
        return QC_FAIL(err, QC_NOTFOUND, "no request of that id, or it was long ago");
    *ret = m->request;
    return QC_OK;
}
