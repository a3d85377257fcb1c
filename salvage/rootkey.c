/* The gateway's root key G, from the operator's kit or from the shares that the clouds' identity objects
 * hold; and which clouds are here. */
#include <fcntl.h>

#include "report.h"
#include "salvage.h"

enum { KIT_BYTES = 512 };

/* Identity objects, each content once. */
struct identities {
    struct salvage *s;
    qc_buf bytes[QC_GW_CLOUDS_MAX];
    int64_t from[QC_GW_CLOUDS_MAX]; /* files */
    unsigned count;
};

static void identities_done(struct identities *i)
{
    for (unsigned k = 0; k < i->count; k++)
        gw_log_wipe(&i->bytes[k]); /* shares of the root key */
}

static qc_rc read_small(const struct salvage *s, const struct found *f, size_t max, qc_buf *ret,
                        struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    uint8_t *to = NULL;
    size_t got = 0;

    if (f->size == 0 || f->size > max)
        return QC_FAIL(err, QC_FORMAT, "%llu bytes, at most %zu", (unsigned long long)f->size, max);
    ret->max = max;
    QC_TRY(salvage_open(s, f, &fd, err));
    QC_TRY(qc_buf_extend(ret, (size_t)f->size, &to, err));
    QC_TRY(qc_pread_full(qc_fd_get(&fd), to, (size_t)f->size, 0, &got, err));
    return got == f->size ? QC_OK : QC_FAIL(err, QC_FORMAT, "it became shorter");
}

static qc_rc take_identity(void *ctx, const struct found *f, struct qc_err *err)
{
    struct identities *i = ctx;
    QC_CLEANUP(gw_log_wipe) qc_buf b = { 0 };
    QC_CLEANUP(gw_identity_done) struct gw_identity id = { 0 };
    struct qc_err why = { 0 };

    qc_rc rc = read_small(i->s, f, GW_IDENTITY_MAX, &b, &why);
    if (rc == QC_OK)
        rc = gw_identity_parse(qc_buf_span(&b), &id, &why);
    if (rc != QC_OK)
        return report_failed(i->s, f, &why, "identity object: damaged", err);
    for (unsigned k = 0; k < i->count; k++)
        if (qc_span_eq(qc_buf_span(&i->bytes[k]), qc_buf_span(&b)))
            return QC_OK;
    if (i->count == QC_GW_CLOUDS_MAX)
        return report_wrong(i->s, f->source, f->path, err,
                            "identity object: more than %d different ones: not used", QC_GW_CLOUDS_MAX);
    i->from[i->count] = f->no;
    i->bytes[i->count++] = QC_STEAL(b);
    return QC_OK;
}

static void add_cloud_id(struct salvage *s, uint32_t id)
{
    for (unsigned i = 0; i < s->cloud_count; i++)
        if (s->cloud_id[i] == id)
            return;
    if (s->cloud_count < CLOUD_IDS_MAX)
        s->cloud_id[s->cloud_count++] = id;
}

static void see_cloud(struct salvage *s, struct gw_member m)
{
    for (unsigned i = 0; i < s->seen_count; i++)
        if (s->seen[i].cloud_id == m.cloud_id) {
            if (m.generation > s->seen[i].generation)
                s->seen[i].generation = m.generation;
            return;
        }
    if (s->seen_count < QC_GW_CLOUDS_MAX)
        s->seen[s->seen_count++] = m;
}

static qc_rc from_kit(struct salvage *s, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *kit = NULL;
    size_t n = 0;

    QC_TRY_AS(qc_open_at(&fd, AT_FDCWD, s->o.kit, O_RDONLY, 0, err), err, "%s", s->o.kit);
    QC_TRY(qc_key_blank(&kit, KIT_BYTES, err));
    QC_TRY_AS(qc_read_full(qc_fd_get(&fd), qc_key_write(kit), KIT_BYTES, &n, err), err, "%s", s->o.kit);
    qc_key_seal(kit);
    if (n == KIT_BYTES)
        return QC_FAIL(err, QC_FORMAT, "%s: longer than an operator's kit", s->o.kit);
    QC_TRY_AS(gw_kit_parse(qc_span_of(qc_key_open(kit).p, n), &s->root, err), err, "%s", s->o.kit);
    return QC_OK;
}

static qc_rc from_identities(struct salvage *s, const struct identities *i, struct qc_err *err)
{
    qc_span objects[QC_GW_CLOUDS_MAX] = { 0 };
    bool good[QC_GW_CLOUDS_MAX] = { false };

    if (i->count == 0)
        return QC_FAIL(err, QC_QUORUM,
                       "root key: no identity object (i/cloud) is in the %u directories given",
                       s->source_count);
    for (unsigned k = 0; k < i->count; k++)
        objects[k] = qc_buf_span(&i->bytes[k]);
    return gw_identity_combine(objects, i->count, &s->root, good, err);
}

struct refused {
    struct salvage *s;
    const struct qc_err *why;
};

static qc_rc refuse(void *ctx, const struct found *f, struct qc_err *err)
{
    const struct refused *r = ctx;

    return report_failed(r->s, f, r->why, "not used", err);
}

/* Which of them are ours, and what they say. */
static qc_rc learn(struct salvage *s, const struct identities *i, struct qc_err *err)
{
    for (unsigned k = 0; k < i->count; k++) {
        QC_CLEANUP(gw_identity_done) struct gw_identity id = { 0 };
        struct qc_err why = { 0 };
        QC_TRY(gw_identity_parse(qc_buf_span(&i->bytes[k]), &id, err));
        const struct gw_member m = { id.cloud_id, id.generation };
        const qc_rc rc = gw_identity_check(s->root, &m, qc_buf_span(&i->bytes[k]), &why);
        if (rc != QC_OK) {
            QC_TRY(index_file(s->ix, i->from[k], refuse, &(struct refused){ s, &why }, err));
            continue;
        }
        see_cloud(s, m);
        add_cloud_id(s, m.cloud_id);
        if (id.slot_count > 0 && id.slots[0].count > s->clouds_in_use)
            s->clouds_in_use = id.slots[0].count;
    }
    return QC_OK;
}

qc_rc rootkey_find(struct salvage *s, struct qc_err *err)
{
    QC_CLEANUP(identities_done) struct identities i = { .s = s };
    uint32_t ids[CLOUD_IDS_MAX];
    unsigned count = 0;

    QC_TRY(index_each(s->ix, FOUND_IDENTITY, take_identity, &i, err));
    if (s->o.kit != NULL)
        QC_TRY(from_kit(s, err));
    else
        QC_TRY(from_identities(s, &i, err));
    QC_TRY(learn(s, &i, err));
    QC_TRY(index_clouds(s->ix, ids, CLOUD_IDS_MAX, &count, err));
    for (unsigned k = 0; k < count; k++) {
        see_cloud(s, (struct gw_member){ .cloud_id = ids[k] });
        add_cloud_id(s, ids[k]);
    }
    /* A cloud of which nothing but log objects was copied. */
    for (uint32_t id = 1; id <= QC_GW_CLOUDS_MAX; id++)
        add_cloud_id(s, id);
    return QC_OK;
}
