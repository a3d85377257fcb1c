#include "list.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "found.h"
#include "sorter.h"

/* What a prefix means: the directory that is read at the gateway, and which of its names count. */
struct filter {
    qc_span dir;    /* name of the directory; empty: the root */
    qc_span begins; /* names begin with this; empty: all */
    bool below;     /* the directory's own name does not count */
};

static struct filter filter_of(qc_span prefix)
{
    struct filter f = { .dir = prefix };
    if (prefix.n > 0 && prefix.p[prefix.n - 1] == '*') {
        f.begins = qc_span_sub(prefix, 0, prefix.n - 1);
        f.dir = f.begins;
        while (f.dir.n > 0 && f.dir.p[f.dir.n - 1] != '/')
            f.dir.n--;
        f.below = true;
    }
    if (f.dir.n > 0 && f.dir.p[f.dir.n - 1] == '/') {
        f.dir.n--;
        f.below = true;
    }
    return f;
}

static bool counts(const struct filter *f, qc_span name)
{
    if (f->below && f->dir.n > 0 && qc_span_eq(name, f->dir))
        return false;
    return name.n >= f->begins.n && qc_span_eq(qc_span_sub(name, 0, f->begins.n), f->begins);
}

struct listing {
    struct vault *v;
    const struct vault_call *call;
    struct filter filter;
    bool removed; /* those whose last change is a removal, instead of those that are there */
    enum vault_order order;
    bool finds; /* their entries are kept, and the gets of them look at the marks */
    struct vault_name_cache cache;
    struct sorter *sorter;
    qc_buf name, key, after, value;
    qc_buf prefix; /* path of the directory */
    struct list_totals totals;
};

static void listing_done(struct listing *l)
{
    vault_name_cache_done(&l->cache);
    sorter_free(&l->sorter);
    qc_buf_free(&l->name);
    qc_buf_free(&l->key);
    qc_buf_free(&l->after);
    qc_buf_free(&l->value);
    qc_buf_free(&l->prefix);
}

enum { ORDER_BYTES = 8 }; /* before the name, in the key of an order that is not the names' */

/* The name, behind what it is sorted by. */
static qc_rc make_key(struct listing *l, const struct vault_stat *s, struct qc_err *err)
{
    const int64_t time = s->has_mtime ? s->mtime_s : s->created_s;
    const uint64_t by = l->order == VAULT_BY_SIZE ? s->size : (uint64_t)time ^ UINT64_C(1) << 63;
    qc_buf_clear(&l->key);
    if (l->order != VAULT_BY_NAME)
        QC_TRY(qc_buf_add_be(&l->key, ~by, ORDER_BYTES, err));
    return qc_buf_add(&l->key, qc_buf_span(&l->name), err);
}

/* A vault_stat without its name, and the entry where it was found for a get, for the sorter and back: it
 * never leaves the process's own unlinked files. */
static qc_rc add(struct listing *l, const struct vault_stat *s, const struct vault_gw_entry *found,
                 struct qc_err *err)
{
    struct vault_stat bare = *s;
    bare.name = (qc_buf){ 0 };
    qc_buf_clear(&l->value);
    QC_TRY(found != NULL ? found_add(&l->value, s, found, err)
                         : qc_buf_add(&l->value, qc_span_of(&bare, sizeof(bare)), err));
    QC_TRY(make_key(l, s, err));
    return sorter_add(l->sorter, qc_buf_span(&l->key), qc_buf_span(&l->value), err);
}

static qc_rc keep(struct listing *l, const struct vault_gw_entry *e, struct qc_err *err)
{
    QC_CLEANUP(vault_stat_done) struct vault_stat s = { .number = e->e.number, .created_s = e->created };
    if (!l->removed)
        QC_TRY(session_stat(l->v, qc_buf_span(&l->name), e, &s, err));
    return add(l, &s, NULL, err);
}

/* A folder is made by its entry alone, and what is large is asked for again. */
static qc_rc keep_found(struct listing *l, const struct vault_gw_entry *e, struct qc_err *err)
{
    QC_CLEANUP(vault_stat_done) struct vault_stat s = { 0 };
    QC_CLEANUP(vault_gw_entry_done) struct vault_gw_entry newer = { 0 };
    QC_TRY(session_stat(l->v, qc_buf_span(&l->name), e, &s, err));
    if (found_fits(e) && !(s.has_mode && S_ISDIR(s.mode)))
        return add(l, &s, e, err);
    QC_TRY(session_entry_check(l->v, (qc_span){ 0 }, &e, &newer, l->call, err));
    return e->e.kind == VAULT_ENTRY_FILE ? keep(l, e, err) : QC_OK;
}

static qc_rc one_entry(void *ctx, const struct vault_gw_entry *e, struct qc_err *err)
{
    struct listing *l = ctx;
    QC_CLEANUP(vault_gw_entry_done) struct vault_gw_entry newer = { 0 };
    if (!l->v->looking) /* after the gateway's answer: no mark that is read is older than that */
        session_look(l->v);
    if (l->finds)
        QC_TRY(vault_entry_check(&e->e, l->v->ring, (qc_span){ 0 }, err));
    else
        QC_TRY(session_entry_check(l->v, (qc_span){ 0 }, &e, &newer, l->call, err));
    /* A path begins with its directory's: whatever the gateway lists, nothing from elsewhere gets in. */
    if (e->e.path.n < l->prefix.n ||
        !qc_span_eq(qc_span_sub(e->e.path, 0, l->prefix.n), qc_buf_span(&l->prefix)))
        return QC_FAIL(err, QC_INTEGRITY, "listing: the gateway gives an entry of another directory");
    if (l->after.n > 0 && qc_span_cmp(e->e.path, qc_buf_span(&l->after)) <= 0)
        return QC_FAIL(err, QC_INTEGRITY, "listing: the gateway does not go on in order");
    qc_buf_clear(&l->after);
    QC_TRY(qc_buf_add(&l->after, e->e.path, err));
    l->totals.entries++;
    l->totals.numbers += e->e.number;
    if ((e->e.kind == VAULT_ENTRY_FILE) == l->removed)
        return QC_OK;
    qc_buf_clear(&l->name);
    QC_TRY(vault_name_open(&l->name, l->v->ring, e->e.path, &l->cache, err));
    if (!counts(&l->filter, qc_buf_span(&l->name)))
        return QC_OK;
    return l->finds ? keep_found(l, e, err) : keep(l, e, err);
}

static qc_rc all_pages(struct listing *l, bool tombstones, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf after = { .max = QC_VAULT_PATH_MAX };
    uint32_t limit = QC_VAULT_PAGE;
    bool more = true;
    if (l->filter.dir.n > 0)
        QC_TRY(vault_name_seal(&l->prefix, l->v->ring, l->filter.dir, err));
    while (more) {
        uint64_t before = l->totals.entries;
        QC_TRY(qc_go_on(l->call->op.deadline, l->call->op.cancel, "list", err));
        qc_buf_clear(&after);
        QC_TRY(qc_buf_add(&after, qc_buf_span(&l->after), err));
        struct vault_gw_page page = { .prefix = qc_buf_span(&l->prefix),
                                      .after = qc_buf_span(&after),
                                      .limit = limit,
                                      .tombstones = tombstones,
                                      .fn = one_entry,
                                      .ctx = l };
        session_look_end(l->v); /* of what was fetched ahead */
        qc_rc rc = l->v->gw->ops->entry_list(l->v->gw, l->v->id, &page, &more, &l->call->op, err);
        session_look_end(l->v);
        if (rc == QC_LIMIT && limit > 1 && l->totals.entries == before) {
            limit /= 2; /* very long names: a page is bounded in bytes as well */
            continue;
        }
        QC_TRY(rc);
        if (more && l->totals.entries == before)
            return QC_FAIL(err, QC_INTEGRITY, "listing: the gateway says that there is more, and gives none");
    }
    return QC_OK;
}

static qc_rc give(void *ctx, qc_span key, qc_span value, struct qc_err *err)
{
    const struct list_to *to = ctx;
    QC_CLEANUP(vault_stat_done) struct vault_stat s = { 0 };
    QC_ASSERT(value.n >= sizeof(s));
    memcpy(&s, value.p, sizeof(s));
    s.name.max = QC_VAULT_NAME_MAX;
    QC_TRY(qc_buf_add(&s.name, to->order == VAULT_BY_NAME ? key : qc_span_from(key, ORDER_BYTES), err));
    const qc_span found = value.n > sizeof(s) ? value : (qc_span){ 0 };
    return to->find != NULL ? to->find(to->ctx, &s, found, err) : to->fn(to->ctx, &s, err);
}

qc_rc list_objects(struct vault *v, qc_span prefix, const struct list_to *to, const struct vault_call *call,
                   struct list_totals *ret, struct qc_err *err)
{
    QC_CLEANUP(listing_done) struct listing l = {
        .v = v, .call = call, .filter = filter_of(prefix), .removed = to->removed
    };
    struct list_to out = *to;
    l.finds = to->find != NULL;
    l.order = to->order;
    l.key.max = QC_VAULT_NAME_MAX + ORDER_BYTES;
    l.value.max = SORTER_RECORD_MAX;
    l.name.max = QC_VAULT_NAME_MAX;
    l.after.max = l.prefix.max = QC_VAULT_PATH_MAX;
    QC_TRY(sorter_new(&l.sorter, v->state, err));
    QC_TRY(all_pages(&l, to->tombstones || to->removed, err));
    *ret = l.totals;
    return sorter_walk(l.sorter, give, &out, err);
}

static qc_rc list(struct vault *v, qc_span prefix, const struct list_to *to, const struct vault_call *call,
                  struct qc_err *err)
{
    struct list_totals totals = { 0 };
    char text[NAME_TEXT];
    session_name_text(text, prefix);
    QC_TRY_AS(list_objects(v, prefix, to, call, &totals, err), err, "%s", text);
    return QC_OK;
}

qc_rc vault_list(struct vault *v, qc_span prefix, vault_list_fn fn, void *ctx, const struct vault_call *call,
                 struct qc_err *err)
{
    return list(v, prefix, &(struct list_to){ .fn = fn, .ctx = ctx }, call, err);
}

qc_rc vault_list_by(struct vault *v, qc_span prefix, enum vault_order order, vault_list_fn fn, void *ctx,
                    const struct vault_call *call, struct qc_err *err)
{
    return list(v, prefix, &(struct list_to){ .fn = fn, .ctx = ctx, .order = order }, call, err);
}

qc_rc vault_find(struct vault *v, qc_span prefix, vault_find_fn fn, void *ctx, const struct vault_call *call,
                 struct qc_err *err)
{
    return list(v, prefix, &(struct list_to){ .find = fn, .ctx = ctx }, call, err);
}

bool list_ends(qc_rc rc)
{
    return rc == QC_CANCELLED || rc == QC_TIMEOUT || rc == QC_NOMEM || rc == QC_TEMP;
}

bool list_removed_since(struct vault *v, qc_span path, uint64_t number, const struct vault_call *call)
{
    QC_CLEANUP(vault_gw_entry_done) struct vault_gw_entry now = { 0 };
    struct qc_err why = { 0 };
    bool found = false;
    return session_entry(v, path, &now, &found, call, &why) == QC_OK && found &&
           now.e.kind == VAULT_ENTRY_TOMBSTONE && now.e.number > number;
}
