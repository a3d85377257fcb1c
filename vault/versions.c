#include "versions.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* A record opens a share, a locked page each: few at a time. */
enum { RECORDS = 8, NAMED_MAX = 6 };

void vault_versions_done(struct vault_versions *versions)
{
    qc_free(versions->v);
    *versions = (struct vault_versions){ 0 };
}

/* -- the list: I2, kept by the share stores' seals ------------------------------------------------------- */

/* One that is purged, or about to be: all that it is here for is that its sequence is not missing. */
struct gone {
    uint64_t sequence;
    uint8_t version[VAULT_ID_BYTES];
};

/* Changes of the path between two versions of one object that are none of its own: of a put that was
 * overtaken by a removal, or by a removal and another object. */
struct gap {
    size_t at;               /* of all: the version behind it, if any is */
    uint64_t number, before; /* of the version in front of it, and of that behind it */
    bool removed;
    int64_t removed_s;
};

/* A name's versions, and what they are made out by. */
struct list {
    struct vault *v;
    const struct vault_call *call;
    struct vault_versions all;
    size_t cap;
    struct gone *gone; /* of the object that is looked at */
    size_t gone_n, gone_cap;
    struct gap *gap; /* that were not looked into yet */
    size_t gap_n, gap_cap;
    size_t at;            /* of all: where the next version comes to stand */
    size_t from;          /* of all: where those of the object begin that is looked at */
    uint8_t path_tag[16]; /* of the name */
    uint8_t object[VAULT_ID_BYTES];
    uint64_t number, sequence; /* of its newest version */
    bool came;                 /* it was moved to this name, by the change came_number, of that sequence: */
    uint64_t came_number, came_sequence; /* what is before has numbers of another name, and none here */
    bool removed;                        /* as of each of its versions */
    bool moved;                          /* away: they are another name's, and are passed over */
    uint64_t disputed;                   /* that, or removed, by this change: both are noted; 0: not so */
    int64_t removed_s;
};

static void list_done(struct list *l)
{
    vault_versions_done(&l->all);
    qc_free(l->gone);
    qc_free(l->gap);
}

static qc_rc add_gone(struct list *l, const uint8_t *version, uint64_t sequence, struct qc_err *err)
{
    if (l->gone_n == 2 * (size_t)QC_VAULT_GONE_MAX)
        return QC_FAIL(err, QC_LIMIT, "more than %d versions that were purged", QC_VAULT_GONE_MAX);
    if (l->gone_n == l->gone_cap) {
        const size_t cap = l->gone_cap == 0 ? 64 : 2 * l->gone_cap;
        struct gone *more = qc_realloc(l->gone, cap * sizeof(*more));
        if (more == NULL)
            return QC_FAIL(err, QC_NOMEM, "list of versions");
        l->gone = more;
        l->gone_cap = cap;
    }
    l->gone[l->gone_n].sequence = sequence;
    memcpy(l->gone[l->gone_n++].version, version, VAULT_ID_BYTES);
    return QC_OK;
}

static qc_rc add(struct list *l, const uint8_t *version, uint64_t sequence, struct qc_err *err)
{
    if (l->all.n == 2 * (size_t)QC_VAULT_VERSIONS_MAX) /* both stores have each of them */
        return QC_FAIL(err, QC_LIMIT, "more than %d versions", QC_VAULT_VERSIONS_MAX);
    if (l->all.n == l->cap) {
        const size_t cap = l->cap == 0 ? 64 : 2 * l->cap;
        struct vault_version *more = qc_realloc(l->all.v, cap * sizeof(*more));
        if (more == NULL)
            return QC_FAIL(err, QC_NOMEM, "list of versions");
        l->all.v = more;
        l->cap = cap;
    }
    struct vault_version *one = &l->all.v[l->all.n++];
    *one = (struct vault_version){ .sequence = sequence };
    memcpy(one->object, l->object, VAULT_ID_BYTES);
    memcpy(one->version, version, VAULT_ID_BYTES);
    return QC_OK;
}

/* A page of records of one store; *ret_end: the object has no more. A record whose seal fails says nothing:
 * the other store may. */
static qc_rc take_page(struct list *l, struct vault_store *s, struct vault_store_cursor *cursor,
                       bool *ret_end, struct qc_err *err)
{
    struct vault_store_record page[RECORDS];
    size_t got = 0;
    qc_rc rc = QC_OK;
    QC_TRY(vault_store_next(s, cursor, page, RECORDS, &got, err));
    *ret_end = got == 0;
    for (size_t i = 0; i < got; i++) {
        *ret_end = *ret_end || memcmp(page[i].object, l->object, VAULT_ID_BYTES) != 0;
        if (rc == QC_OK && !*ret_end && (page[i].share != NULL || page[i].gone) &&
            page[i].state != VAULT_RECORD_PENDING)
            rc = page[i].state >= VAULT_RECORD_RETIRED ? add_gone(l, page[i].version, page[i].sequence, err)
                                                       : add(l, page[i].version, page[i].sequence, err);
        vault_store_record_done(&page[i]);
    }
    return rc;
}

static qc_rc take_store(struct list *l, struct vault_store *s, struct qc_err *err)
{
    struct vault_store_cursor cursor = { .started = true }; /* from before the object's first record */
    bool end = false;
    memcpy(cursor.object, l->object, VAULT_ID_BYTES);
    while (!end) {
        QC_TRY(qc_go_on(l->call->op.deadline, l->call->op.cancel, "list", err));
        QC_TRY(take_page(l, s, &cursor, &end, err));
    }
    return QC_OK;
}

static qc_rc take_stores(struct list *l, struct qc_err *err)
{
    for (unsigned i = 0; i < 2; i++) {
        struct qc_err why = { 0 };
        if (l->v->store[i] == NULL)
            continue;
        const qc_rc rc = take_store(l, l->v->store[i], &why);
        if (rc == QC_LIMIT) { /* too many versions, and no damage */
            *err = why;
            return rc;
        }
        QC_TRY(session_noted_damage(rc, i, &why, l->call->notes, err));
    }
    return QC_OK;
}

/* The newest first. */
static int by_sequence(const void *a, const void *b)
{
    const struct vault_version *x = a, *y = b;
    if (x->sequence != y->sequence)
        return x->sequence < y->sequence ? 1 : -1;
    return memcmp(x->version, y->version, VAULT_ID_BYTES);
}

/* Was the object that is looked at moved to this name? A store whose note is damaged says nothing. */
static qc_rc find_came(struct list *l, struct qc_err *err)
{
    l->came = false;
    for (unsigned i = 0; i < 2; i++) {
        struct vault_store_moved m = { .number = l->number, .sequence = l->sequence };
        struct qc_err why = { 0 };
        if (l->v->store[i] == NULL)
            continue;
        memcpy(m.path_tag, l->path_tag, sizeof(m.path_tag));
        memcpy(m.object, l->object, VAULT_ID_BYTES);
        const qc_rc rc = vault_store_moved_here(l->v->store[i], &m, &why);
        if (rc == QC_OK) {
            l->came = true;
            l->came_number = m.number;
            l->came_sequence = m.sequence;
            return QC_OK;
        }
        if (rc != QC_NOTFOUND)
            QC_TRY(session_noted_damage(rc, i, &why, l->call->notes, err));
    }
    return QC_OK;
}

/* Does a store's note of the number before fit this version? Not one that is no less, nor, of an object that
 * came here, one that is less than the number it came by: that is of a put at its earlier name, which it had
 * left by then. */
static bool fits(const struct list *l, uint64_t number, uint64_t before)
{
    return before < number && (!l->came || before >= l->came_number);
}

/* The number of the version before the one of this sequence and number. They follow each other, but where a
 * store has noted that they do not. */
static qc_rc number_before(const struct list *l, uint64_t sequence, uint64_t number, uint64_t *ret,
                           struct qc_err *err)
{
    *ret = number > 0 ? number - 1 : 0;
    for (unsigned i = 0; i < 2 && number > 0; i++) {
        struct qc_err why = { 0 };
        uint64_t before = 0;
        if (l->v->store[i] == NULL)
            continue;
        const qc_rc rc = vault_store_shift_get(l->v->store[i], l->object, sequence, &before, &why);
        if (rc == QC_OK && fits(l, number, before)) {
            *ret = before;
            break;
        }
        if (rc == QC_OK && !l->came)
            vault_note(l->call->notes, VAULT_NOTE_SHARE_DAMAGED, i + 1, QC_INTEGRITY,
                       "it says that a version of number %" PRIu64 " followed one of %" PRIu64
                       ": not believed",
                       number, before);
        if (rc != QC_OK && rc != QC_NOTFOUND)
            QC_TRY(session_noted_damage(rc, i, &why, l->call->notes, err));
    }
    return QC_OK;
}

static qc_rc add_gap(struct list *l, uint64_t number, uint64_t before, struct qc_err *err)
{
    if (l->gap_n == QC_VAULT_VERSIONS_MAX)
        return QC_FAIL(err, QC_LIMIT, "more than %d gaps between versions", QC_VAULT_VERSIONS_MAX);
    if (l->gap_n == l->gap_cap) {
        const size_t cap = l->gap_cap == 0 ? 16 : 2 * l->gap_cap;
        struct gap *more = qc_realloc(l->gap, cap * sizeof(*more));
        if (more == NULL)
            return QC_FAIL(err, QC_NOMEM, "list of versions");
        l->gap = more;
        l->gap_cap = cap;
    }
    l->gap[l->gap_n++] = (struct gap){ l->at, number, before, l->removed, l->removed_s };
    return QC_OK;
}

/* l->sequence and l->number go down to this sequence. */
static qc_rc go_down(struct list *l, uint64_t sequence, struct qc_err *err)
{
    for (; l->sequence > sequence; l->sequence--) {
        QC_TRY(qc_go_on(l->call->op.deadline, l->call->op.cancel, "list", err));
        if (l->came && l->sequence <= l->came_sequence)
            l->number = l->came_number - 1; /* of the name's change before the object came */
        else {
            const uint64_t number = l->number;
            QC_TRY(number_before(l, l->sequence, number, &l->number, err));
            if (number > l->number + 1)
                QC_TRY(add_gap(l, number, l->number, err));
        }
    }
    return QC_OK;
}

static int by_gone_sequence(const void *a, const void *b)
{
    const struct gone *x = a, *y = b;
    if (x->sequence != y->sequence)
        return x->sequence < y->sequence ? 1 : -1;
    return memcmp(x->version, y->version, VAULT_ID_BYTES);
}

/* Is it a sequence that the object can have, and another one than that of the version before? *ret_again: it
 * is that version once more, which both stores have. */
static qc_rc check_next(const struct list *l, uint64_t top, const struct gone *now, const struct gone *before,
                        bool *ret_again, struct qc_err *err)
{
    if (now->sequence == 0 || now->sequence > l->sequence)
        return QC_FAIL(err, QC_INTEGRITY,
                       "share stores: a version of sequence %" PRIu64 ", the newest has %" PRIu64,
                       now->sequence, top);
    *ret_again = now->sequence == before->sequence;
    if (*ret_again && memcmp(now->version, before->version, VAULT_ID_BYTES) != 0)
        return QC_FAIL(err, QC_INTEGRITY, "share stores: two versions have the sequence %" PRIu64,
                       now->sequence);
    return QC_OK;
}

/* The newest first, each once. */
static qc_rc sort_gone(struct list *l, struct qc_err *err)
{
    struct gone before = { 0 };
    size_t n = 0;
    if (l->gone_n > 0)
        qsort(l->gone, l->gone_n, sizeof(*l->gone), by_gone_sequence);
    for (size_t i = 0; i < l->gone_n; i++) {
        bool again = false;
        QC_TRY(check_next(l, l->sequence, &l->gone[i], &before, &again, err));
        before = l->gone[i];
        if (!again)
            l->gone[n++] = before;
    }
    l->gone_n = n;
    return QC_OK;
}

/* *ret: one store says that it is gone; the other may be behind. *at goes on along those that are. */
static qc_rc is_gone(const struct list *l, const struct vault_version *v, size_t *at, bool *ret,
                     struct qc_err *err)
{
    while (*at < l->gone_n && l->gone[*at].sequence > v->sequence)
        ++*at;
    *ret = *at < l->gone_n && l->gone[*at].sequence == v->sequence;
    if (*ret && memcmp(l->gone[*at].version, v->version, VAULT_ID_BYTES) != 0)
        return QC_FAIL(err, QC_INTEGRITY, "share stores: two versions have the sequence %" PRIu64,
                       v->sequence);
    return QC_OK;
}

/* Each version of the object once, with its number. Those that are deleted, or are to be, are no versions any
 * more; none of them is missing. The current one is there, whatever a record says. Leaves l at what was
 * before the object's first one. */
static qc_rc number_them(struct list *l, struct qc_err *err)
{
    struct vault_version *v = l->all.v;
    const uint64_t top = l->sequence;
    size_t n = l->from, at = 0, kept = 0;
    struct gone before = { 0 };
    if (l->all.n > n)
        qsort(v + n, l->all.n - n, sizeof(*v), by_sequence);
    QC_TRY(sort_gone(l, err));
    for (size_t i = n; i < l->all.n; i++) {
        struct gone now = { .sequence = v[i].sequence };
        bool again = false, gone = false;
        memcpy(now.version, v[i].version, VAULT_ID_BYTES);
        QC_TRY(check_next(l, top, &now, &before, &again, err));
        before = now;
        if (again)
            continue;
        QC_TRY(is_gone(l, &v[i], &at, &gone, err));
        const bool current = n == 0 && !l->all.removed;
        if (gone && !current)
            continue;
        kept += gone;
        l->at = n;
        QC_TRY(go_down(l, v[i].sequence, err));
        v[n] = v[i];
        v[n].number = l->came && l->sequence < l->came_sequence ? 0 : l->number;
        v[n].removed = l->removed;
        v[n].disputed = l->disputed;
        v[n].removed_s = l->removed_s;
        n++;
    }
    l->all.gone += l->gone_n - kept;
    l->all.missing += top - (n - l->from) - (l->gone_n - kept);
    l->all.n = l->at = n;
    l->gone_n = 0;
    return go_down(l, 0, err);
}

static void go_to(struct list *l, const struct vault_store_removal *r)
{
    memcpy(l->object, r->object, VAULT_ID_BYTES);
    l->number = r->number - 1;
    l->sequence = r->sequence;
    l->from = l->all.n;
}

/* What the name was before its change l->number, which is a removal, or has moved it away. Where both are
 * noted, of a request that came to nothing and one that was cut off, its versions are listed: whoever looks
 * for them finds them. But they may be another name's, and are not to be purged. */
static qc_rc go_beneath(struct list *l, struct qc_err *err)
{
    struct vault_store_removal r = { 0 };
    struct vault_store_moved m = { 0 };
    struct qc_err why = { 0 };
    qc_rc rc = versions_moved(l->v, l->path_tag, l->number, l->call, &m, &why);
    const bool moved = rc == QC_OK;
    if (moved || rc == QC_NOTFOUND)
        rc = versions_removal(l->v, l->path_tag, l->number, l->call, &r, &why);
    const bool removed = rc == QC_OK;
    if (rc != QC_OK && !(moved && rc == QC_NOTFOUND)) {
        *err = why;
        return rc;
    }
    if (!removed) {
        r = (struct vault_store_removal){ .number = l->number, .when_s = m.when_s, .sequence = m.sequence };
        memcpy(r.object, m.object, VAULT_ID_BYTES);
    }
    l->moved = moved && !removed;
    l->disputed = moved && removed ? l->number : 0;
    go_to(l, &r);
    l->removed = true;
    l->removed_s = r.when_s;
    return QC_OK;
}

/* What the name was in its change l->number: another object, which a put has covered at once; or a removal.
 * QC_NOTFOUND: nobody has noted it. */
static qc_rc go_on(struct list *l, struct qc_err *err)
{
    struct vault_store_removal r = { 0 };
    struct qc_err why = { 0 };
    const qc_rc rc = versions_removal(l->v, l->path_tag, l->number + 1, l->call, &r, &why);
    if (rc == QC_OK) {
        go_to(l, &r);
        l->moved = false;
        l->disputed = 0;
    }
    if (rc == QC_NOTFOUND)
        return go_beneath(l, err);
    if (rc != QC_OK)
        *err = why;
    return rc;
}

/* The newest object that the name points at, or did before it was removed. */
static qc_rc begin(struct list *l, qc_span name, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf path = { .max = QC_VAULT_PATH_MAX };
    QC_CLEANUP(vault_gw_entry_done) struct vault_gw_entry e = { 0 };
    bool found = false;
    QC_TRY(vault_name_check(name, err));
    QC_TRY(vault_name_seal(&path, l->v->ring, name, err));
    QC_TRY(vault_ring_path_tag(l->path_tag, l->v->ring, qc_buf_span(&path), err));
    QC_TRY(session_entry(l->v, qc_buf_span(&path), &e, &found, l->call, err));
    if (!found)
        return QC_FAIL(err, QC_NOTFOUND, "no object has this name");
    l->all.number = e.e.number;
    l->all.removed = e.e.kind != VAULT_ENTRY_FILE;
    l->number = e.e.number;
    if (l->all.removed)
        return go_beneath(l, err);
    l->sequence = e.e.sequence;
    memcpy(l->object, e.e.object, VAULT_ID_BYTES);
    memcpy(l->all.M, e.e.M, sizeof(l->all.M));
    return add(l, e.e.version, e.e.sequence, err); /* it is there, though its record may be pending */
}

/* Has a store versions of the object from after the one that is its newest here? */
static bool goes_on(const struct list *l)
{
    bool is = false;
    for (size_t i = l->from; i < l->all.n; i++)
        is = is || l->all.v[i].sequence > l->sequence;
    for (size_t i = 0; i < l->gone_n; i++)
        is = is || l->gone[i].sequence > l->sequence;
    return is;
}

/* The versions of l->object, and what is beneath it; one that was moved away is passed over. */
static qc_rc list_object(struct list *l, struct qc_err *err)
{
    QC_TRY(find_came(l, err));
    l->at = l->all.n;
    if (l->moved)
        return go_down(l, 0, err);
    QC_TRY(take_stores(l, err));
    if (l->disputed != 0 && goes_on(l)) { /* it was moved: put again since, under another name */
        l->all.n = l->from;
        l->gone_n = 0;
        l->disputed = 0;
        l->moved = true;
        return go_down(l, 0, err);
    }
    return number_them(l, err);
}

/* Object by object, from l->object down, to those of this number and below, or as far as is noted. */
static qc_rc list_down(struct list *l, uint64_t number, struct qc_err *err)
{
    for (;;) {
        struct qc_err why = { 0 };
        QC_TRY(list_object(l, err));
        const qc_rc rc = l->number <= number ? QC_NOTFOUND : go_on(l, &why);
        if (rc == QC_NOTFOUND)
            return QC_OK;
        if (rc != QC_OK)
            *err = why;
        QC_TRY(rc);
        if (number > 0 && l->number <= number) /* the object on both sides of the gap, or one beneath it */
            return QC_OK;
    }
}

/* The last n of all come to stand at this place. */
static qc_rc put_in(struct list *l, size_t at, size_t n, struct qc_err *err)
{
    struct vault_version *v = l->all.v;
    const size_t rest = l->all.n - n - at;
    if (n == 0 || rest == 0)
        return QC_OK;
    QC_CLEANUP(qc_free_ptr) struct vault_version *some = qc_alloc(n * sizeof(*some));
    if (some == NULL)
        return QC_FAIL(err, QC_NOMEM, "list of versions");
    memcpy(some, v + l->all.n - n, n * sizeof(*some));
    memmove(v + at + n, v + at, rest * sizeof(*v));
    memcpy(v + at, some, n * sizeof(*some));
    return QC_OK;
}

/* What the name was in between: objects that a put has covered which had begun before they came. */
static qc_rc look_into(struct list *l, const struct gap *g, struct qc_err *err)
{
    struct qc_err why = { 0 };
    const size_t had = l->all.n, gaps = l->gap_n;
    l->number = g->number - 1;
    l->removed = g->removed;
    l->removed_s = g->removed_s;
    const qc_rc rc = go_on(l, &why);
    if (rc == QC_NOTFOUND)
        return QC_OK;
    if (rc != QC_OK)
        *err = why;
    QC_TRY(rc);
    if (l->number > g->before)
        QC_TRY(list_down(l, g->before, err));
    for (size_t i = gaps; i < l->gap_n; i++)
        l->gap[i].at -= had - g->at;
    return put_in(l, g->at, l->all.n - had, err);
}

/* All objects of the name, from the newest down. */
static qc_rc list_all(struct list *l, qc_span name, struct qc_err *err)
{
    QC_TRY(begin(l, name, err));
    const bool moved = l->moved;
    QC_TRY(list_down(l, 0, err));
    l->all.unknown = l->number;
    while (l->gap_n >
           0) { /* from the last on: the places of the others stay; ends: each lies in one before */
        const struct gap g = l->gap[--l->gap_n];
        QC_TRY(look_into(l, &g, err));
    }
    l->all.moved = moved;
    if (l->all.n == 0 && l->all.gone == 0 && l->all.missing == 0 && l->all.unknown == 0)
        return QC_FAIL(err, QC_NOTFOUND, "it was moved to another name, and its versions with it");
    if (!l->all.removed)
        l->all.v[0].current = true;
    if (l->all.missing > 0)
        vault_note(l->call->notes, VAULT_NOTE_VERSIONS, 0, QC_INTEGRITY,
                   "no share store that is here has a whole record of %" PRIu64 " of its versions",
                   l->all.missing);
    return QC_OK;
}

qc_rc vault_versions(struct vault *v, qc_span name, const struct vault_call *call, struct vault_versions *ret,
                     struct qc_err *err)
{
    QC_CLEANUP(list_done) struct list l = { .v = v, .call = call };
    char text[NAME_TEXT];
    session_name_text(text, name);
    QC_TRY_AS(list_all(&l, name, err), err, "%s", text);
    *ret = QC_STEAL(l.all);
    return QC_OK;
}

/* -- one of them ------------------------------------------------------------------------------------------
 */

/* "v7", or "a version that had another name then". */
static const char *called(uint64_t number, char room[32])
{
    snprintf(room, 32, "v%" PRIu64, number);
    return number != 0 ? room : "an earlier version";
}

/* "v7, v6, v5 and 4 more": for whoever asked for another one. */
static qc_rc none_such(const struct vault_versions *all, const char *what, struct qc_err *err)
{
    char text[256] = "none";
    size_t n = 0, named = 0;
    for (size_t i = 0; i < all->n && named < NAMED_MAX; i++)
        if (all->v[i].number != 0)
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%sv%" PRIu64, named++ > 0 ? ", " : "",
                                  all->v[i].number);
    if (all->n > named)
        snprintf(text + n, sizeof(text) - n, " and %zu more", all->n - named);
    return QC_FAIL(err, QC_NOTFOUND, "%s; there are %s", what, text);
}

static void fill(struct vault_stat *s, const struct versions_found *f, const struct vault_gw_info *info,
                 const struct vault_meta *meta)
{
    memcpy(s->object, f->object, VAULT_ID_BYTES);
    memcpy(s->version, f->version, VAULT_ID_BYTES);
    s->number = f->number;
    s->sequence = f->sequence;
    s->size = meta->true_size;
    s->stored = info->size;
    s->created_s = info->written;
    s->has_stored = meta->has_stored;
    s->stored_s = meta->stored_s;
    s->has_mtime = meta->has_mtime;
    s->has_mode = meta->has_mode;
    s->mtime_s = meta->mtime_s;
    s->mtime_ns = meta->mtime_ns;
    s->mode = meta->mode;
    s->margin = info->margin;
    s->acked_margin = info->acked_margin;
    s->margin_full = (int64_t)info->n - info->k;
}

qc_rc versions_open(struct object *o, struct vault *v, qc_span name, const struct versions_found *f,
                    const struct vault_call *call, struct vault_stat *ret, struct qc_err *err)
{
    QC_CLEANUP(vault_stat_done) struct vault_stat s = { .name = { .max = QC_VAULT_NAME_MAX } };
    QC_CLEANUP(qc_free_ptr) struct vault_gw_info *info = qc_alloc(sizeof(*info));
    char room[32];
    if (info == NULL)
        return QC_FAIL(err, QC_NOMEM, "opening a version");
    QC_TRY(qc_buf_add(&s.name, name, err));
    QC_TRY(object_begin(o, v, f->object, f->version, call, err));
    qc_rc rc = v->gw->ops->info(v->gw, v->id, f->object, f->version, info, &call->op, err);
    if (rc == QC_NOTFOUND) /* a share of it is here: it was stored, and who denies it withholds it */
        return QC_FAIL(err, QC_QUORUM, "%s: the gateway says that it has no such version",
                       called(f->number, room));
    QC_TRY(rc);
    o->size = info->size;
    o->M = f->current ? f->M : NULL;
    rc = object_frame(o, err);
    if (rc == QC_OK)
        rc = object_unlock(o, err);
    if (rc != QC_OK)
        session_note_faults(v, o->request, call);
    QC_TRY_AS(rc, err, "%s", called(f->number, room));
    fill(&s, f, info, vault_opened_meta(o->opened));
    s.padding = o->frame->g.L - s.size;
    s.key_margin = v->store[0] != NULL && v->store[1] != NULL ? 1 : 0;
    *ret = QC_STEAL(s);
    return QC_OK;
}

static void found_of(const struct vault_versions *all, size_t i, struct versions_found *ret)
{
    const struct vault_version *one = &all->v[i];
    *ret =
        (struct versions_found){ .number = one->number, .sequence = one->sequence, .current = one->current };
    memcpy(ret->object, one->object, VAULT_ID_BYTES);
    memcpy(ret->version, one->version, VAULT_ID_BYTES);
    memcpy(ret->M, all->M, sizeof(ret->M));
}

/* The newest that was stored by then. Clocks of several machines need not agree: the order is that of the
 * numbers, and the first from the newest down that says so is taken. */
static qc_rc find_at(struct list *l, qc_span name, int64_t at_s, struct versions_found *ret,
                     struct qc_err *err)
{
    const struct vault_versions *all = &l->all;
    for (size_t i = 0; i < all->n; i++) {
        if (all->v[i].removed && all->v[i].removed_s <= at_s)
            return none_such(all, "it was removed by that time", err);
        QC_CLEANUP(object_done) struct object o = { 0 };
        QC_CLEANUP(vault_stat_done) struct vault_stat s = { 0 };
        struct versions_found f;
        found_of(all, i, &f);
        QC_TRY(versions_open(&o, l->v, name, &f, l->call, &s, err));
        if (vault_stat_stored(&s) > at_s)
            continue;
        *ret = f;
        return QC_OK;
    }
    return none_such(all, "no version was stored by that time", err);
}

static bool is_meant(const struct vault_version *one, const struct vault_which *which)
{
    if (which->version != NULL)
        return memcmp(one->version, which->version, VAULT_ID_BYTES) == 0;
    return one->number != 0 && one->number == which->number;
}

qc_rc versions_find(struct vault *v, qc_span name, const struct vault_which *which,
                    const struct vault_call *call, struct versions_found *ret, struct qc_err *err)
{
    QC_CLEANUP(list_done) struct list l = { .v = v, .call = call };
    char what[64] = "it has no version of that id";
    QC_TRY(list_all(&l, name, err));
    if (which->by_time)
        return find_at(&l, name, which->at_s, ret, err);
    for (size_t i = 0; i < l.all.n; i++)
        if (is_meant(&l.all.v[i], which)) {
            found_of(&l.all, i, ret);
            return QC_OK;
        }
    if (which->version == NULL)
        snprintf(what, sizeof(what), "it has no version v%" PRIu64, which->number);
    return none_such(&l.all, what, err);
}

qc_rc vault_versions_stat(struct vault *v, qc_span name, const struct vault_versions *versions, size_t i,
                          const struct vault_call *call, struct vault_stat *ret, struct qc_err *err)
{
    QC_CLEANUP(object_done) struct object o = { 0 };
    struct versions_found f;
    QC_ASSERT(i < versions->n);
    found_of(versions, i, &f);
    return versions_open(&o, v, name, &f, call, ret, err);
}
