/* Repair, records: root and cut objects, and the log. All of them have one content for ever, so that a copy
 * which is damaged is replaced under its own name. */
#include "records.h"
#include "repair_internal.h"

/* -- roots and cuts -------------------------------------------------------------------------------------- */

enum { SMALL_MAX = GW_ROOT_OBJECT_BYTES > GW_CUT_OBJECT_BYTES ? GW_ROOT_OBJECT_BYTES : GW_CUT_OBJECT_BYTES };

/* A root or cut object of some incarnation. */
struct small {
    enum gw_name_kind kind;
    uint32_t incarnation;
    gw_clouds shown; /* clouds that list it */
};

struct smalls {
    struct gw_repairing *p;
    unsigned at; /* the cloud that is being listed */
    unsigned count;
    struct small v[2 * QC_GW_CUTS_MAX];
};

static struct small *small_of(struct smalls *s, enum gw_name_kind kind, uint64_t incarnation)
{
    for (unsigned i = 0; i < s->count; i++)
        if (s->v[i].kind == kind && s->v[i].incarnation == incarnation)
            return &s->v[i];
    if (s->count == sizeof s->v / sizeof *s->v)
        return NULL;
    s->v[s->count] = (struct small){ .kind = kind, .incarnation = (uint32_t)incarnation };
    return &s->v[s->count++];
}

static qc_rc see_small(void *ctx, const struct cloud_item *item, struct qc_err *err)
{
    struct smalls *s = ctx;
    struct gw_engine *e = s->p->e;
    struct gw_name name;
    struct small *row = NULL;

    QC_TRY(gw_name_parse(e->root, gw_fan_id(e->fan, s->at), item->key, &name, err));
    if ((name.kind == GW_NAME_ROOT || name.kind == GW_NAME_CUT) && name.id <= e->conf.incarnation)
        row = small_of(s, name.kind, name.id);
    if (row != NULL)
        row->shown |= (gw_clouds)1 << s->at;
    else
        s->p->r->clouds[s->at].foreign++;
    return QC_OK;
}

static qc_rc small_key(struct gw_engine *e, unsigned at, const struct small *row, char ret[GW_NAME_SIZE],
                       struct qc_err *err)
{
    const struct gw_name name = { .kind = row->kind, .id = row->incarnation };

    return gw_name_make(e->root, gw_fan_id(e->fan, at), &name, ret, err);
}

static bool small_holds(struct gw_engine *e, const struct small *row, qc_span bytes)
{
    struct gw_root_object root = { 0 };
    struct gw_cut_object cut = { 0 };
    struct qc_err why = { 0 };

    if (row->kind == GW_NAME_ROOT)
        return gw_root_object_parse(e->root, bytes, &root, &why) == QC_OK &&
               root.incarnation == row->incarnation;
    return gw_cut_object_parse(e->root, bytes, &cut, &why) == QC_OK && cut.by == row->incarnation;
}

/* The copies of one object. */
struct small_copies {
    gw_clouds right, wrong; /* holds; is there and does not */
    uint8_t bytes[SMALL_MAX];
    size_t n; /* of a right one; 0: none */
};

static qc_rc fetch_small(struct gw_engine *e, unsigned at, const struct small *row, struct small_copies *c,
                         struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf got = { 0 };
    char key[GW_NAME_SIZE];
    struct gw_outcome o;

    QC_TRY(small_key(e, at, row, key, err));
    const struct gw_get_one one = {
        .at = at, .key = key, .size_max = SMALL_MAX, .ms = QC_GW_RECORD_MS, .force = true
    };
    QC_TRY(gw_fan_get_one(e->fan, &one, &got, &o, err));
    if (o.fate == GW_DONE && small_holds(e, row, qc_buf_span(&got))) {
        c->right |= (gw_clouds)1 << at;
        c->n = got.n;
        memcpy(c->bytes, got.p, got.n);
    } else if (o.fate == GW_DONE || (o.fate == GW_FAILED && (o.rc == QC_LIMIT || o.rc == QC_IO))) {
        c->wrong |= (gw_clouds)1 << at;
    }
    return QC_OK;
}

/* Our own root can be made again; those of earlier gateways are somewhere, or nowhere. */
static qc_rc own_root(struct gw_engine *e, struct small_copies *c, struct qc_err *err)
{
    struct gw_root_object o = { .incarnation = e->conf.incarnation };

    memcpy(o.instance, e->conf.instance.b, sizeof o.instance);
    QC_TRY(gw_root_object_make(e->root, &o, c->bytes, err));
    c->n = GW_ROOT_OBJECT_BYTES;
    return QC_OK;
}

static qc_rc gather_small(struct gw_repairing *p, const struct small *row, gw_clouds set,
                          struct small_copies *ret, struct qc_err *err)
{
    struct gw_engine *e = p->e;

    for (unsigned at = 0; at < gw_fan_count(e->fan); at++)
        if ((set & row->shown) >> at & 1)
            QC_TRY(fetch_small(e, at, row, ret, err));
    if (ret->n == 0 && row->kind == GW_NAME_ROOT && row->incarnation == e->conf.incarnation)
        QC_TRY(own_root(e, ret, err));
    return QC_OK;
}

/* One copy to one cloud, read back. */
static qc_rc put_small(struct gw_repairing *p, unsigned at, const struct small *row, struct small_copies *c,
                       bool *ret_right, struct qc_err *err)
{
    const enum cloud_put_mode mode = (c->wrong >> at & 1) != 0 ? CLOUD_REPLACE : CLOUD_NEW;
    const char *keys[QC_GW_CLOUDS_MAX] = { 0 };
    struct small_copies back = { 0 };
    char key[GW_NAME_SIZE];
    struct gw_answer a;

    QC_TRY(small_key(p->e, at, row, key, err));
    keys[at] = key;
    const struct gw_ask ask = { .set = (gw_clouds)1 << at,
                                .keys = keys,
                                .rule = { .deadline = qc_deadline_in(QC_GW_RECORD_MS) },
                                .force = true };
    QC_TRY(qc_fault(repair_root, err));
    QC_TRY(gw_fan_put(p->e->fan, &ask, qc_span_of(c->bytes, c->n), mode, &a, err));
    QC_TRY(fetch_small(p->e, at, row, &back, err));
    *ret_right = (back.right >> at & 1) != 0;
    return QC_OK;
}

static void count_record(struct gw_repairing *p, unsigned at, bool right)
{
    p->r->clouds[at].records += right;
    p->r->clouds[at].records_left += !right;
}

/* Where one is missing or damaged, on the clouds of `to`. from: clouds that may have it. *ret_all is cleared
 * where one could not be put. */
static qc_rc spread_small(struct gw_repairing *p, const struct small *row, gw_clouds from, gw_clouds to,
                          bool *ret_all, struct qc_err *err)
{
    struct small_copies c = { 0 };

    QC_TRY(gather_small(p, row, from | to, &c, err));
    for (unsigned at = 0; at < gw_fan_count(p->e->fan); at++) {
        bool right = false;
        if ((to & ~c.right) >> at & 1) {
            if (c.n > 0 && !p->ask->dry_run)
                QC_TRY(put_small(p, at, row, &c, &right, err));
            count_record(p, at, right);
            *ret_all = *ret_all && right;
        }
    }
    return QC_OK;
}

static qc_rc list_smalls(struct gw_repairing *p, gw_clouds set, struct smalls *s, gw_clouds *ret_listed,
                         struct qc_err *err)
{
    *ret_listed = 0;
    for (unsigned at = 0; at < gw_fan_count(p->e->fan); at++) {
        struct qc_err why = { 0 };
        if ((set >> at & 1) == 0)
            continue;
        s->at = at;
        const qc_rc rc = gw_fan_list(p->e->fan, at, "r/", QC_GW_LIST_PAGE_MS, see_small, s, &why);
        if (rc == QC_OK) {
            *ret_listed |= (gw_clouds)1 << at;
            continue;
        }
        if (gw_repair_fatal(p, rc)) {
            *err = why;
            return rc;
        }
    }
    return QC_OK;
}

/* to: clouds that get what they lack; more: such a cloud that may be lost, so that it is not listed. */
static qc_rc spread_smalls(struct gw_repairing *p, gw_clouds more, bool *ret_all, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct smalls *s = qc_alloc(sizeof *s);
    gw_clouds listed;

    if (s == NULL)
        return QC_FAIL(err, QC_NOMEM, "a list of root objects");
    s->p = p;
    QC_TRY(list_smalls(p, gw_repair_clouds(p), s, &listed, err));
    (void)small_of(s, GW_NAME_ROOT, p->e->conf.incarnation);
    for (unsigned i = 0; i < s->count; i++) {
        s->v[i].shown |= more; /* look before it is put: an interrupted fill goes on */
        QC_TRY(gw_repair_go_on(p, err));
        QC_TRY(spread_small(p, &s->v[i], listed, more != 0 ? more : listed, ret_all, err));
    }
    return QC_OK;
}

qc_rc gw_repair_roots(struct gw_repairing *p, struct qc_err *err)
{
    bool all = true;

    return spread_smalls(p, 0, &all, err);
}

/* -- the log --------------------------------------------------------------------------------------------- */

struct log_listing {
    struct gw_repairing *p;
    unsigned at;
    struct gw_bits seen;
};

static void log_listing_done(struct log_listing *l)
{
    gw_bits_done(&l->seen);
}

static qc_rc get_row(struct gw_engine *e, uint64_t sequence, struct gw_log_row *ret, bool *ret_found,
                     struct qc_err *err)
{
    struct qc_err miss = { 0 };
    QC_LOCK(gw_cat_lock(e->cat));
    const qc_rc rc = gw_cat_log_get(e->cat, sequence, ret, &miss);

    *ret_found = rc == QC_OK;
    if (rc == QC_OK || rc == QC_NOTFOUND)
        return QC_OK;
    *err = miss;
    return rc;
}

/* A name beyond the end of the log is a commit on its way; one of another incarnation was cut off: void. */
static qc_rc see_log(void *ctx, const struct cloud_item *item, struct qc_err *err)
{
    struct log_listing *l = ctx;
    struct gw_engine *e = l->p->e;
    struct gw_log_row row;
    struct gw_name name;
    bool found = false;

    QC_TRY(gw_repair_go_on(l->p, err));
    QC_TRY(gw_name_parse(e->root, gw_fan_id(e->fan, l->at), item->key, &name, err));
    if (name.kind != GW_NAME_LOG) {
        l->p->r->clouds[l->at].foreign++;
        return QC_OK;
    }
    QC_TRY(get_row(e, name.id, &row, &found, err));
    if (found && (uint16_t)row.incarnation == name.incarnation)
        gw_bits_add(&l->seen, name.id);
    return QC_OK;
}

/* Is the copy right? Without --deep, what is listed is taken to be. */
static qc_rc is_right(struct log_listing *l, const struct gw_log_row *row, bool *ret, struct qc_err *err)
{
    enum gw_copy copy;

    *ret = gw_bits_has(&l->seen, row->sequence);
    if (!*ret || !l->p->ask->deep)
        return QC_OK;
    QC_TRY(gw_record_look(l->p->e, l->at, row, false, &copy, NULL, err));
    if (copy == GW_COPY_TWIN)
        gw_engine_fence(l->p->e, "a copy of this gateway has written a later log");
    QC_TRY(gw_engine_may(l->p->e, err));
    *ret = copy == GW_COPY_RIGHT;
    return QC_OK;
}

static qc_rc owe(struct gw_engine *e, unsigned at, uint64_t sequence, struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };

    QC_TRY(gw_cat_begin(e->cat, &tx, err));
    QC_TRY(gw_cat_debt_add(e->cat, gw_fan_id(e->fan, at), sequence, err));
    return gw_cat_commit(e->cat, &tx, err);
}

/* What a cloud lacks of the log is owed to it. */
static qc_rc find_debts(struct log_listing *l, uint64_t last, struct qc_err *err)
{
    for (uint64_t sequence = 1; sequence <= last; sequence++) {
        struct gw_log_row row;
        bool found, right;
        QC_TRY(gw_repair_go_on(l->p, err));
        QC_TRY(get_row(l->p->e, sequence, &row, &found, err));
        if (!found)
            continue;
        QC_TRY(is_right(l, &row, &right, err));
        if (!right && l->p->ask->dry_run)
            l->p->r->clouds[l->at].records_left++;
        else if (!right)
            QC_TRY(owe(l->p->e, l->at, sequence, err));
    }
    return QC_OK;
}

static qc_rc list_log(struct gw_repairing *p, unsigned at, uint64_t last, struct qc_err *err)
{
    QC_CLEANUP(log_listing_done) struct log_listing l = { .p = p, .at = at };
    struct qc_err why = { 0 };

    QC_TRY(gw_bits_new(&l.seen, last + 1, err));
    const qc_rc rc = gw_fan_list(p->e->fan, at, "l/", QC_GW_LIST_PAGE_MS, see_log, &l, &why);
    if (rc == QC_OK)
        return find_debts(&l, last, err);
    if (gw_repair_fatal(p, rc)) {
        *err = why;
        return rc;
    }
    return QC_OK; /* the cloud is away: what is owed to it stays owed */
}

qc_rc gw_repair_pay(struct gw_repairing *p, unsigned at, bool *ret_all, struct qc_err *err)
{
    uint64_t sequence = 0;

    *ret_all = true;
    for (;;) { /* ends: the sequence grows */
        enum gw_paid paid;
        QC_TRY(gw_repair_go_on(p, err));
        QC_TRY(gw_record_debt(p->e, at, sequence, &sequence, err));
        if (sequence == 0)
            return QC_OK;
        QC_TRY(gw_record_pay(p->e, at, sequence, &paid, err));
        p->r->records_lost +=
            paid == GW_PAID_NO_SOURCE && (gw_fan_witnesses(p->e->fan) & ~gw_repair_clouds(p)) == 0;
        count_record(p, at, paid == GW_PAID);
        *ret_all = *ret_all && paid == GW_PAID;
    }
}

static qc_rc last_record(struct gw_engine *e, uint64_t *ret, struct qc_err *err)
{
    struct gw_log_tip tip;
    QC_LOCK(gw_cat_lock(e->cat));

    QC_TRY(gw_tip_get(e->cat, &tip, err));
    *ret = tip.sequence;
    return QC_OK;
}

qc_rc gw_repair_log(struct gw_repairing *p, struct qc_err *err)
{
    uint64_t last;

    QC_TRY(last_record(p->e, &last, err));
    for (unsigned at = 0; at < gw_fan_count(p->e->fan); at++)
        if (gw_repair_usable(p, at))
            QC_TRY(list_log(p, at, last, err));
    for (unsigned at = 0; at < gw_fan_count(p->e->fan); at++) {
        bool all;
        if (gw_repair_usable(p, at) && !p->ask->dry_run)
            QC_TRY(gw_repair_pay(p, at, &all, err));
    }
    return QC_OK;
}

/* -- filling a cloud that lost it ------------------------------------------------------------------------ */

qc_rc gw_repair_fill(struct gw_repairing *p, unsigned at, bool *ret_all, struct qc_err *err)
{
    bool smalls = true;
    uint64_t last;

    QC_TRY(spread_smalls(p, (gw_clouds)1 << at, &smalls, err));
    QC_TRY(last_record(p->e, &last, err));
    for (uint64_t sequence = 1; sequence <= last; sequence++) {
        struct gw_log_row row;
        bool found;
        QC_TRY(gw_repair_go_on(p, err));
        QC_TRY(get_row(p->e, sequence, &row, &found, err));
        if (found)
            QC_TRY(owe(p->e, at, sequence, err));
    }
    QC_TRY(gw_repair_pay(p, at, ret_all, err));
    *ret_all = *ret_all && smalls;
    return QC_OK;
}
