/* Scrub, presence: what a cloud shows, and what it does not. A listing decides nothing: what it does not show
 * is asked for by name. */
#include "cloud/validate.h"
#include "ec/geometry.h"
#include "records.h"
#include "scrub_internal.h"

/* -- what was shown -------------------------------------------------------------------------------------- */

enum { CHUNK_IDS = 8 * GW_SEEN_CHUNK };
static const uint64_t log_chunks = UINT64_C(1) << 32; /* their numbers follow those of fragments */

void gw_seen_free(struct gw_seen **sp)
{
    struct gw_seen *s = *sp;

    *sp = NULL;
    if (s == NULL)
        return;
    gw_bits_done(&s->frags);
    gw_bits_done(&s->log);
    gw_bits_done(&s->dirty);
    gw_bits_done(&s->dirty_log);
    qc_free(s);
}

static qc_rc seen_new(struct gw_seen **ret, const struct gw_scrub_row *row, struct qc_err *err)
{
    QC_CLEANUP(gw_seen_free) struct gw_seen *s = qc_alloc(sizeof *s);

    if (s == NULL)
        return QC_FAIL(err, QC_NOMEM, "what a listing shows");
    s->cloud_id = row->cloud_id;
    s->pass = row->pass;
    QC_TRY(gw_bits_new(&s->frags, row->upto, err));
    QC_TRY(gw_bits_new(&s->log, row->upto_log, err));
    QC_TRY(gw_bits_new(&s->dirty, row->upto / CHUNK_IDS + 1, err));
    QC_TRY(gw_bits_new(&s->dirty_log, row->upto_log / CHUNK_IDS + 1, err));
    *ret = QC_STEAL(s);
    return QC_OK;
}

static qc_span chunk_of(const struct gw_bits *b, uint64_t chunk)
{
    const size_t size = (size_t)(b->end / 8 + 1), from = (size_t)chunk * GW_SEEN_CHUNK;

    return qc_span_of(b->p + from, size - from < GW_SEEN_CHUNK ? size - from : GW_SEEN_CHUNK);
}

static qc_rc place_chunk(struct gw_seen *s, uint64_t chunk, const uint8_t *bits, struct qc_err *err)
{
    struct gw_bits *b = chunk >= log_chunks ? &s->log : &s->frags;
    const uint64_t at = chunk >= log_chunks ? chunk - log_chunks : chunk;

    if (at > b->end / CHUNK_IDS)
        return QC_FAIL(err, QC_INTEGRITY, "catalogue: more was seen than there is");
    memcpy(b->p + at * GW_SEEN_CHUNK, bits, chunk_of(b, at).n);
    return QC_OK;
}

qc_rc gw_seen_load(struct gw_engine *e, const struct gw_scrub_row *row, struct gw_seen **ret,
                   struct qc_err *err)
{
    QC_CLEANUP(gw_seen_free) struct gw_seen *s = NULL;
    int64_t chunk = -1;

    QC_TRY(seen_new(&s, row, err));
    for (;;) { /* ends: the number grows */
        uint8_t bits[GW_SEEN_CHUNK] = { 0 };
        {
            QC_LOCK(gw_cat_lock(e->cat));
            QC_TRY(gw_cat_seen_get(e->cat, row->cloud_id, chunk, &chunk, bits, sizeof bits, err));
        }
        if (chunk < 0)
            break;
        QC_TRY(place_chunk(s, (uint64_t)chunk, bits, err));
    }
    *ret = QC_STEAL(s);
    return QC_OK;
}

static qc_rc save_bits(struct gw_cat *c, uint32_t cloud_id, const struct gw_bits *bits, struct gw_bits *dirty,
                       uint64_t first, struct qc_err *err)
{
    for (uint64_t chunk = 0; chunk < dirty->end; chunk++)
        if (gw_bits_has(dirty, chunk))
            QC_TRY(gw_cat_seen_put(c, cloud_id, first + chunk, chunk_of(bits, chunk), err));
    memset(dirty->p, 0, (size_t)(dirty->end / 8 + 1));
    return QC_OK;
}

qc_rc gw_seen_save(struct gw_cat *c, struct gw_seen *s, struct qc_err *err)
{
    QC_TRY(save_bits(c, s->cloud_id, &s->frags, &s->dirty, 0, err));
    return save_bits(c, s->cloud_id, &s->log, &s->dirty_log, log_chunks, err);
}

/* -- LIST ------------------------------------------------------------------------------------------------ */

struct page {
    struct gw_scrubbing *s;
    struct gw_listing l;
    bool full; /* of what is odd: too much for one page */
};

static void see_odd(void *ctx, enum gw_finding_kind kind, const char *key)
{
    struct page *p = ctx;
    const uint8_t k = (uint8_t)kind;
    const qc_span parts[] = { { &k, 1 }, qc_span_of((const uint8_t *)key, strlen(key) + 1) };
    struct qc_err why = { 0 };

    for (unsigned i = 0; i < 2; i++)
        p->full |= qc_buf_add(&p->s->odd, parts[i], &why) != QC_OK;
}

/* A name beyond the end of the log is a commit on its way; one of another incarnation was cut off: void. */
static qc_rc see_log(struct page *p, const struct gw_name *name, struct qc_err *err)
{
    struct gw_engine *e = p->s->e;
    struct gw_log_row row;
    struct qc_err miss = { 0 };
    QC_LOCK(gw_cat_lock(e->cat));
    const qc_rc rc = gw_cat_log_get(e->cat, name->id, &row, &miss);

    if (rc == QC_OK && (uint16_t)row.incarnation == name->incarnation) {
        gw_bits_add(&p->s->seen->log, name->id);
        if (name->id < p->s->seen->log.end)
            gw_bits_add(&p->s->seen->dirty_log, name->id / CHUNK_IDS);
    }
    if (rc != QC_OK && rc != QC_NOTFOUND)
        *err = miss;
    return rc == QC_NOTFOUND ? QC_OK : rc;
}

static qc_rc see(void *ctx, const struct cloud_item *item, struct qc_err *err)
{
    struct page *p = ctx;
    struct gw_engine *e = p->s->e;
    struct gw_name name;

    p->s->objects++;
    QC_TRY(gw_name_parse(e->root, p->s->cloud_id, item->key, &name, err));
    switch (name.kind) {
    case GW_NAME_IDENTITY:
        return QC_OK;
    case GW_NAME_LOG:
        return see_log(p, &name, err);
    case GW_NAME_ROOT:
    case GW_NAME_CUT:
        if (name.id > e->conf.incarnation)
            see_odd(p, GW_FINDING_UNKNOWN, item->key);
        return QC_OK;
    case GW_NAME_PACK:
    case GW_NAME_NOTES: /* snapshot.c looks after them */
        if (name.incarnation > e->conf.incarnation)
            see_odd(p, GW_FINDING_UNKNOWN, item->key);
        return QC_OK;
    case GW_NAME_FRAGMENT:
        if (name.id < p->s->seen->frags.end)
            gw_bits_add(&p->s->seen->dirty, name.id / CHUNK_IDS);
        break;
    case GW_NAME_FOREIGN:
        if (cloud_is_test_key(
                item->key)) /* a test that is under way; what a killed one left, a validation removes */
            return QC_OK;
        break;
    }
    return gw_list_see(&p->l, item, err);
}

qc_rc gw_scrub_list(struct gw_scrubbing *s, struct qc_err *err)
{
    struct page p = { .s = s,
                      .l = { .p = &s->p, .at = s->at, .cloud_id = s->cloud_id, .seen = s->seen->frags } };
    struct qc_err why = { 0 };
    struct gw_list_at list = { .prefix = "" };

    memcpy(list.after, s->row.at, sizeof list.after);
    p.l.odd = see_odd;
    p.l.ctx = &p;
    s->p.end = s->row.upto;
    s->requests++;
    const qc_rc rc = gw_fan_list_page(s->e->fan, s->at, &list, QC_GW_LIST_PAGE_MS, see, &p, &why);
    if (rc != QC_OK && gw_repair_fatal(&s->p, rc)) {
        *err = why;
        return rc;
    }
    if (rc != QC_OK) {
        gw_scrub_ill(s, why.msg);
        return QC_OK;
    }
    if (p.full)
        return QC_FAIL(err, QC_NOMEM, "a page of objects that nobody can explain");
    memcpy(s->row.at, list.after, sizeof s->row.at);
    if (!list.more) {
        s->row.next = 0;
        s->row.stage = GW_SCRUB_ASK;
    }
    return QC_OK;
}

/* -- ASK ------------------------------------------------------------------------------------------------- */

static qc_rc fragment_size(const struct gw_segment *seg, uint64_t *ret, struct qc_err *err)
{
    struct ec_geometry g;

    QC_TRY(ec_geometry(seg->k, seg->size, &g, err));
    *ret = GW_FRAG_HEAD_BYTES + g.payload_size + gw_frag_end_size(g.stripe_count, seg->n);
    return QC_OK;
}

/* One fragment, by name. */
static qc_rc ask(struct gw_scrubbing *s, const struct gw_segment *seg, unsigned frag, struct qc_err *err)
{
    const char *keys[QC_GW_CLOUDS_MAX] = { 0 };
    uint64_t sizes[QC_GW_CLOUDS_MAX] = { 0 }, size;
    char key[GW_NAME_SIZE];
    struct gw_answer a;
    enum gw_finding_kind kind = GW_FINDING_MISSING;
    int at;

    QC_TRY(fragment_size(seg, &size, err));
    QC_TRY(gw_segment_key(s->e->store, seg, frag, &at, key, err));
    keys[s->at] = key;
    const struct gw_ask what = { .set = (gw_clouds)1 << s->at,
                                 .keys = keys,
                                 .rule = { .deadline = qc_deadline_in(QC_GW_STATUS_MS) } };
    QC_TRY(gw_fan_head(s->e->fan, &what, sizes, &a, err));
    const struct gw_outcome *o = &a.outcome[s->at];
    const bool there = a.done != 0, gone = !there && o->fate == GW_FAILED && !o->gone && o->rc == QC_NOTFOUND;
    s->requests += !gone; /* S5 */
    if (there && sizes[s->at] == size)
        return QC_OK; /* it came while the listing went on, or a listing is no matter of course here */
    if (!there && !gone) {
        gw_scrub_ill(s, o->why);
        return QC_OK;
    }
    if (there)
        QC_TRY(gw_scrub_judge(s, seg, frag, &kind, err));
    return s->ill ? QC_OK : gw_scrub_bad(s, seg, frag, kind, key, err);
}

static qc_rc ask_segment(struct gw_scrubbing *s, uint64_t id, struct qc_err *err)
{
    struct gw_segment seg;
    uint32_t here;

    QC_TRY(gw_scrub_segment(s, id, &seg, &here, err));
    if (here == 0)
        return QC_OK;
    for (unsigned i = 0; i < seg.n && !s->ill; i++)
        if ((here >> i & 1) != 0)
            QC_TRY(ask(s, &seg, i, err));
    return gw_repair_go_on(&s->p, err);
}

qc_rc gw_scrub_ask(struct gw_scrubbing *s, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_window_row *rows = qc_alloc(GW_WINDOW * sizeof *rows);
    unsigned count;

    if (rows == NULL)
        return QC_FAIL(err, QC_NOMEM, "a window of segments");
    {
        QC_LOCK(gw_cat_lock(s->e->cat));
        QC_TRY(gw_cat_window(s->e->cat, s->row.next, rows, &count, err));
    }
    for (unsigned x = 0; x < count && !s->ill; x++)
        if (rows[x].id < s->row.upto && !gw_bits_has(&s->seen->frags, rows[x].id))
            QC_TRY(ask_segment(s, rows[x].id, err));
    s->row.next += GW_WINDOW;
    if (s->row.next >= s->row.upto) {
        s->row.next = 0;
        s->row.stage = GW_SCRUB_LOG;
    }
    return QC_OK;
}

/* -- LOG ------------------------------------------------------------------------------------------------- */

/* A log object: is the cloud's copy right? Not looked at: one that is owed, and, where presence will do, one
 * that was shown. */
static qc_rc look_log(struct gw_scrubbing *s, uint64_t sequence, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf bytes = { 0 };
    struct gw_log_row row;
    struct qc_err miss = { 0 };
    enum gw_copy copy;
    uint64_t owed = 0;
    qc_rc rc;

    if (s->seen != NULL && gw_bits_has(&s->seen->log, sequence))
        return QC_OK;
    {
        QC_LOCK(gw_cat_lock(s->e->cat));
        rc = gw_cat_log_get(s->e->cat, sequence, &row, &miss);
        if (rc == QC_OK)
            rc = gw_cat_debt_next(s->e->cat, s->cloud_id, sequence - 1, &owed, &miss);
    }
    if (rc != QC_OK && rc != QC_NOTFOUND)
        *err = miss;
    if (rc != QC_OK || owed == sequence)
        return rc == QC_NOTFOUND ? QC_OK : rc;
    QC_TRY(gw_record_look(s->e, s->at, &row, false, &copy, &bytes, err));
    s->requests += copy != GW_COPY_ABSENT; /* S5 */
    s->objects += s->row.depth == GW_CONTENT;
    s->bytes += bytes.n;
    if (copy == GW_COPY_TWIN)
        gw_engine_fence(s->e, "a copy of this gateway has written a later log");
    if (copy == GW_COPY_SILENT)
        gw_scrub_ill(s, "does not give a log object");
    QC_TRY(gw_engine_may(s->e, err));
    return copy == GW_COPY_ABSENT || copy == GW_COPY_ROTTEN ? gw_scrub_bad_log(s, sequence, err) : QC_OK;
}

qc_rc gw_scrub_log(struct gw_scrubbing *s, struct qc_err *err)
{
    const uint64_t to = s->row.upto_log - s->row.next > GW_WINDOW ? s->row.next + GW_WINDOW : s->row.upto_log;

    for (uint64_t sequence = s->row.next + 1; sequence < to && !s->ill; sequence++) {
        QC_TRY(gw_repair_go_on(&s->p, err));
        QC_TRY(look_log(s, sequence, err));
    }
    if (s->ill)
        return QC_OK;
    s->row.next = to - 1;
    if (to >= s->row.upto_log)
        s->row.stage = GW_SCRUB_END;
    return QC_OK;
}
