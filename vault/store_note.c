/* Items of a share store that say what nothing else says any more: which object a name was before it was
 * removed, or moved away, and where the numbers of an object's versions leave some out. FORMAT 7.2. */
#include "base/codec.h"
#include "store.h"

enum { TAG_BYTES = 16, KEY_BYTES = 16 + 8, ITEM = 64, BATCH = 64 };
#define REMOVED "removed/" /* path tag, number of the tombstone */
#define SHIFTED "shifted/" /* object, sequence of the version behind the gap */
#define MOVED   "moved--/" /* path tag, number of the tombstone, or of the entry at the new path */
#define FRONT   (sizeof(REMOVED) - 1)
_Static_assert(sizeof(REMOVED) == sizeof(SHIFTED) && sizeof(REMOVED) == sizeof(MOVED) &&
                   FRONT + 2 * KEY_BYTES + 1 <= ITEM,
               "names of items");
enum { AWAY = 1, HERE = 2 };

static void item_of(char out[ITEM], const char *kind, const uint8_t key[16], uint64_t number)
{
    uint8_t all[KEY_BYTES];
    memcpy(all, key, 16);
    qc_put_be(all + 16, number, 8);
    memcpy(out, kind, FRONT);
    qc_hex(qc_span_of(all, sizeof(all)), out + FRONT);
}

static qc_rc put_removal(struct vault_store *s, const struct vault_store_removal *r, struct qc_err *err)
{
    char item[ITEM];
    uint8_t text[8 + VAULT_ID_BYTES + 8];
    item_of(item, REMOVED, r->path_tag, r->number);
    qc_put_be(text, (uint64_t)r->when_s, 8);
    memcpy(text + 8, r->object, VAULT_ID_BYTES);
    qc_put_be(text + 8 + VAULT_ID_BYTES, r->sequence, 8);
    return store_text_put(s, item, qc_span_of(text, sizeof(text)), err);
}

qc_rc vault_store_removal_put(struct vault_store *s, const struct vault_store_removal *r, struct qc_err *err)
{
    return store_said(s, put_removal(s, r, err), err);
}

static qc_rc removal_get(struct vault_store *s, const char *item, struct vault_store_removal *r,
                         struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_VAULT_ITEM_MAX };
    QC_TRY(store_text_get(s, item, &text, err));
    qc_rd rd = { .s = qc_buf_span(&text) };
    r->when_s = (int64_t)qc_rd_be(&rd, 8);
    qc_rd_copy(&rd, r->object, sizeof(r->object));
    r->sequence = qc_rd_be(&rd, 8);
    if (!qc_rd_end(&rd) || r->sequence == 0 || r->number < 2)
        return QC_FAIL(err, QC_INTEGRITY, "%s: malformed", item);
    return QC_OK;
}

qc_rc vault_store_removal_get(struct vault_store *s, const uint8_t path_tag[16], uint64_t number,
                              struct vault_store_removal *ret, struct qc_err *err)
{
    struct vault_store_removal r = { .number = number };
    char item[ITEM];
    memcpy(r.path_tag, path_tag, TAG_BYTES);
    item_of(item, REMOVED, path_tag, number);
    QC_TRY(store_said(s, removal_get(s, item, &r, err), err));
    *ret = r;
    return QC_OK;
}

qc_rc vault_store_shift_put(struct vault_store *s, const uint8_t object[VAULT_ID_BYTES], uint64_t sequence,
                            uint64_t before, struct qc_err *err)
{
    char item[ITEM];
    uint8_t text[8];
    item_of(item, SHIFTED, object, sequence);
    qc_put_be(text, before, 8);
    return store_said(s, store_text_put(s, item, qc_span_of(text, sizeof(text)), err), err);
}

static qc_rc shift_get(struct vault_store *s, const char *item, uint64_t *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_VAULT_ITEM_MAX };
    QC_TRY(store_text_get(s, item, &text, err));
    qc_rd rd = { .s = qc_buf_span(&text) };
    const uint64_t before = qc_rd_be(&rd, 8);
    if (!qc_rd_end(&rd))
        return QC_FAIL(err, QC_INTEGRITY, "%s: malformed", item);
    *ret = before;
    return QC_OK;
}

qc_rc vault_store_shift_get(struct vault_store *s, const uint8_t object[VAULT_ID_BYTES], uint64_t sequence,
                            uint64_t *ret, struct qc_err *err)
{
    char item[ITEM];
    item_of(item, SHIFTED, object, sequence);
    return store_said(s, shift_get(s, item, ret, err), err);
}

/* -- moves ----------------------------------------------------------------------------------------------- */

static qc_rc put_moved(struct vault_store *s, const struct vault_store_moved *m, struct qc_err *err)
{
    char item[ITEM];
    uint8_t text[8 + VAULT_ID_BYTES + 8 + 1];
    item_of(item, MOVED, m->path_tag, m->number);
    qc_put_be(text, (uint64_t)m->when_s, 8);
    memcpy(text + 8, m->object, VAULT_ID_BYTES);
    qc_put_be(text + 8 + VAULT_ID_BYTES, m->sequence, 8);
    text[sizeof(text) - 1] = m->away ? AWAY : HERE;
    return store_text_put(s, item, qc_span_of(text, sizeof(text)), err);
}

/* One that is there already stays, whatever it says; *ret_mine: there was none. */
static qc_rc put_moved_new(struct vault_store *s, const struct vault_store_moved *m, bool *ret_mine,
                           struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_VAULT_ITEM_MAX };
    struct qc_err why = { 0 };
    char item[ITEM];
    item_of(item, MOVED, m->path_tag, m->number);
    const qc_rc rc = store_text_get(s, item, &text, &why);
    *ret_mine = rc == QC_NOTFOUND;
    if (rc == QC_NOTFOUND || rc == QC_INTEGRITY)
        return put_moved(s, m, err);
    if (rc != QC_OK)
        *err = why;
    return rc;
}

static qc_rc moved_put(struct vault_store *s, const struct vault_store_moved *moved, bool *ret_mine,
                       size_t count, const struct vault_store_removal *covered, size_t covered_count,
                       struct qc_err *err)
{
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(store_want_write(s, err));
    QC_TRY(qc_tx_begin(&tx, s->db, err));
    for (size_t i = 0; i < count; i++)
        QC_TRY(put_moved_new(s, &moved[i], &ret_mine[i], err));
    for (size_t i = 0; i < covered_count; i++)
        QC_TRY(put_removal(s, &covered[i], err));
    return qc_tx_commit(&tx, err);
}

qc_rc vault_store_moved_put(struct vault_store *s, const struct vault_store_moved *moved, bool *ret_mine,
                            size_t count, const struct vault_store_removal *covered, size_t covered_count,
                            struct qc_err *err)
{
    const qc_rc rc = moved_put(s, moved, ret_mine, count, covered, covered_count, err);
    for (size_t i = 0; i < count && rc != QC_OK; i++)
        ret_mine[i] = false;
    return store_said(s, rc, err);
}

/* path_tag and number are the item's. */
static qc_rc moved_get(struct vault_store *s, const char *item, struct vault_store_moved *m,
                       struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_VAULT_ITEM_MAX };
    QC_TRY(store_text_get(s, item, &text, err));
    qc_rd rd = { .s = qc_buf_span(&text) };
    m->when_s = (int64_t)qc_rd_be(&rd, 8);
    qc_rd_copy(&rd, m->object, sizeof(m->object));
    m->sequence = qc_rd_be(&rd, 8);
    const uint64_t way = qc_rd_be(&rd, 1);
    m->away = way == AWAY;
    if (!qc_rd_end(&rd) || m->sequence == 0 || (way != AWAY && way != HERE) || m->number < (m->away ? 2 : 1))
        return QC_FAIL(err, QC_INTEGRITY, "%s: malformed", item);
    return QC_OK;
}

qc_rc vault_store_moved_get(struct vault_store *s, const uint8_t path_tag[16], uint64_t number,
                            struct vault_store_moved *ret, struct qc_err *err)
{
    struct vault_store_moved m = { .number = number };
    char item[ITEM];
    memcpy(m.path_tag, path_tag, TAG_BYTES);
    item_of(item, MOVED, path_tag, number);
    QC_TRY(store_said(s, moved_get(s, item, &m, err), err));
    *ret = m;
    return QC_OK;
}

/* The last note of a move before `at`, not before `first`, into at; *ret_row false: there is none. */
static qc_rc moved_before(struct vault_store *s, char at[ITEM], const char *first, bool *ret_row,
                          struct qc_err *err)
{
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *walk = NULL;
    QC_TRY(qc_db_prepare(s->db,
                         "SELECT name FROM item WHERE name < ?1 AND name >= ?2"
                         " AND length(CAST(name AS BLOB)) = ?3 ORDER BY name DESC LIMIT 1",
                         &walk, err));
    QC_TRY(
        QC_BIND(walk, err, QC_VT(qc_span_str(at)), QC_VT(qc_span_str(first)), QC_VI(FRONT + 2 * KEY_BYTES)));
    QC_TRY(qc_stmt_step(walk, ret_row, err));
    if (*ret_row)
        memcpy(at, qc_col_span(walk, 0).p, FRONT + 2 * KEY_BYTES); /* as long as the query says */
    return QC_OK;
}

/* The number in an item's name. */
static qc_rc number_of(const char *item, uint64_t *ret, struct qc_err *err)
{
    uint8_t all[KEY_BYTES];
    QC_TRY(qc_hex_dec(qc_span_str(item + FRONT), all, sizeof(all), err));
    *ret = qc_get_be(all + TAG_BYTES, 8);
    return QC_OK;
}

static qc_rc moved_here(struct vault_store *s, struct vault_store_moved *what, struct qc_err *err)
{
    char at[ITEM], first[ITEM];
    bool row = true;
    item_of(at, MOVED, what->path_tag, what->number + 1);
    item_of(first, MOVED, what->path_tag, 1);
    for (;;) {
        struct vault_store_moved m = { 0 };
        QC_TRY(moved_before(s, at, first, &row, err));
        if (!row)
            return QC_FAIL(err, QC_NOTFOUND, "the object was not moved to this path");
        QC_TRY(number_of(at, &m.number, err));
        QC_TRY(moved_get(s, at, &m, err));
        if (m.away || m.sequence > what->sequence || memcmp(m.object, what->object, VAULT_ID_BYTES) != 0)
            continue;
        memcpy(m.path_tag, what->path_tag, TAG_BYTES);
        *what = m;
        return QC_OK;
    }
}

qc_rc vault_store_moved_here(struct vault_store *s, struct vault_store_moved *what, struct qc_err *err)
{
    return store_said(s, moved_here(s, what, err), err);
}

/* The path tag in an item's name. */
static qc_rc tag_of(const char *item, uint8_t ret[TAG_BYTES], struct qc_err *err)
{
    uint8_t all[KEY_BYTES];
    QC_TRY(qc_hex_dec(qc_span_str(item + FRONT), all, sizeof(all), err));
    memcpy(ret, all, TAG_BYTES);
    return QC_OK;
}

static qc_rc moved_tags(struct vault_store *s, const uint8_t *object, uint8_t (*ret)[TAG_BYTES], size_t max,
                        size_t *ret_n, struct qc_err *err)
{
    char at[ITEM] = "moved--0"; /* what follows all names of this kind */
    bool row = true;
    size_t n = 0;
    for (;;) { /* ends: the names go down */
        struct vault_store_moved m = { 0 };
        struct qc_err why = { 0 };
        QC_TRY(moved_before(s, at, MOVED, &row, err));
        if (!row)
            break;
        QC_TRY(number_of(at, &m.number, err));
        const qc_rc rc = moved_get(s, at, &m, &why);
        if (rc == QC_INTEGRITY || (rc == QC_OK && (m.away || memcmp(m.object, object, VAULT_ID_BYTES) != 0)))
            continue;
        if (rc != QC_OK) {
            *err = why;
            return rc;
        }
        if (n == max)
            return QC_FAIL(err, QC_LIMIT, "an object was moved more than %zu times", max);
        QC_TRY(tag_of(at, ret[n++], err));
    }
    *ret_n = n;
    return QC_OK;
}

qc_rc vault_store_moved_tags(struct vault_store *s, const uint8_t object[VAULT_ID_BYTES],
                             uint8_t (*ret)[TAG_BYTES], size_t max, size_t *ret_n, struct qc_err *err)
{
    return store_said(s, moved_tags(s, object, ret, max, ret_n, err), err);
}

static bool same_note(const struct vault_store_moved *a, const struct vault_store_moved *b)
{
    return a->when_s == b->when_s && a->sequence == b->sequence && a->away == b->away &&
           memcmp(a->object, b->object, VAULT_ID_BYTES) == 0;
}

/* It is there, and says this and nothing else: it goes. */
static qc_rc drop_same(struct vault_store *s, const struct vault_store_moved *m, struct qc_err *err)
{
    struct vault_store_moved now = { .number = m->number };
    struct qc_err why = { 0 };
    char item[ITEM];
    item_of(item, MOVED, m->path_tag, m->number);
    const qc_rc rc = moved_get(s, item, &now, &why);
    if (rc == QC_NOTFOUND || (rc == QC_OK && !same_note(&now, m)))
        return QC_OK;
    if (rc != QC_OK) {
        *err = why;
        return rc;
    }
    return store_item_drop(s, item, err);
}

enum settled { UNDONE, DONE, REMOVAL };

static qc_rc settle_one(struct vault_store *s, const struct vault_store_moved *m, enum settled what,
                        struct qc_err *err)
{
    char item[ITEM];
    if (what == UNDONE)
        return drop_same(s, m, err);
    if (what == DONE)
        QC_TRY(put_moved(s, m, err));
    if (what == DONE && !m->away) /* what it covers is noted as a removal under its number */
        return QC_OK;
    item_of(item, what == DONE ? REMOVED : MOVED, m->path_tag, m->number);
    return store_item_drop(s, item, err);
}

static qc_rc settle(struct vault_store *s, const struct vault_store_moved *v, size_t count, enum settled what,
                    struct qc_err *err)
{
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(store_want_write(s, err));
    QC_TRY(qc_tx_begin(&tx, s->db, err));
    for (size_t i = 0; i < count; i++)
        QC_TRY(settle_one(s, &v[i], what, err));
    return qc_tx_commit(&tx, err);
}

qc_rc vault_store_moved_undone(struct vault_store *s, const struct vault_store_moved *v, size_t count,
                               struct qc_err *err)
{
    return store_said(s, settle(s, v, count, UNDONE, err), err);
}

qc_rc vault_store_moved_done(struct vault_store *s, const struct vault_store_moved *v, size_t count,
                             struct qc_err *err)
{
    return store_said(s, settle(s, v, count, DONE, err), err);
}

qc_rc vault_store_moved_removal(struct vault_store *s, const uint8_t path_tag[16], uint64_t number,
                                struct qc_err *err)
{
    struct vault_store_moved m = { .number = number };
    memcpy(m.path_tag, path_tag, TAG_BYTES);
    return store_said(s, settle(s, &m, 1, REMOVAL, err), err);
}

/* The name of the next note after `at`, into it. */
static qc_rc next_name(struct vault_store *s, char at[ITEM], bool *ret_row, struct qc_err *err)
{
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *walk = NULL;
    bool row = false;
    QC_TRY(qc_db_prepare(s->db,
                         "SELECT name FROM item WHERE name > ?1 AND ((name >= '" REMOVED
                         "' AND name < 'removed0') OR (name >= '" SHIFTED "' AND name < 'shifted0')"
                         " OR (name >= '" MOVED "' AND name < 'moved--0'))"
                         " AND length(CAST(name AS BLOB)) = ?2 ORDER BY name LIMIT 1",
                         &walk, err));
    QC_TRY(QC_BIND(walk, err, QC_VT(qc_span_str(at)), QC_VI(FRONT + 2 * KEY_BYTES)));
    QC_TRY(qc_stmt_step(walk, &row, err));
    if (row) {
        const qc_span name = qc_col_span(walk, 0);
        QC_ASSERT(name.n < ITEM); /* the query says so */
        memcpy(at, name.p, name.n);
        at[name.n] = '\0';
    }
    *ret_row = row;
    return QC_OK;
}

/* A batch, in one transaction; *ret_more: the batch was full. */
static qc_rc copy_some(struct vault_store *to, struct vault_store *from, char at[ITEM], uint64_t *damaged,
                       bool *ret_more, struct qc_err *err)
{
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    bool row = true;
    QC_TRY(store_want_write(to, err));
    QC_TRY(qc_tx_begin(&tx, to->db, err));
    for (unsigned i = 0; i < BATCH && row; i++) {
        QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_VAULT_ITEM_MAX };
        struct qc_err why = { 0 };
        QC_TRY(next_name(from, at, &row, err));
        const qc_rc rc = row ? store_text_get(from, at, &text, &why) : QC_OK;
        if (rc == QC_INTEGRITY)
            (*damaged)++;
        else if (rc != QC_OK) {
            *err = why;
            return rc;
        } else if (row)
            QC_TRY(store_text_put(to, at, qc_buf_span(&text), err));
    }
    *ret_more = row;
    return qc_tx_commit(&tx, err);
}

qc_rc vault_store_notes_copy(struct vault_store *to, struct vault_store *from, uint64_t *ret_damaged,
                             struct qc_err *err)
{
    char at[ITEM] = "";
    uint64_t damaged = 0;
    bool more = true;
    while (more)
        QC_TRY(store_said(to, copy_some(to, from, at, &damaged, &more, err), err));
    *ret_damaged = damaged;
    return QC_OK;
}
