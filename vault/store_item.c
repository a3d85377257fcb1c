/* Items, marks and health of a share store. */
#include "store.h"

qc_rc store_item_get(struct vault_store *s, const char *item, qc_buf *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *find = NULL;
    bool row = false;
    QC_TRY(qc_db_prepare(s->db, "SELECT value FROM item WHERE name = ?1", &find, err));
    QC_TRY(QC_BIND(find, err, QC_VT(qc_span_str(item))));
    QC_TRY(qc_stmt_step(find, &row, err));
    if (!row)
        return QC_FAIL(err, QC_NOTFOUND, "holds no %s", item);
    return qc_buf_add(ret, qc_col_span(find, 0), err);
}

qc_rc store_item_put(struct vault_store *s, const char *item, qc_span value, struct qc_err *err)
{
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *put = NULL;
    QC_TRY(store_want_write(s, err));
    QC_TRY(qc_db_prepare(s->db, "INSERT OR REPLACE INTO item (name, value) VALUES (?1, ?2)", &put, err));
    return QC_RUN(put, err, QC_VT(qc_span_str(item)), QC_VB(value));
}

qc_rc store_item_drop(struct vault_store *s, const char *item, struct qc_err *err)
{
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *drop = NULL;
    QC_TRY(store_want_write(s, err));
    QC_TRY(qc_db_prepare(s->db, "DELETE FROM item WHERE name = ?1", &drop, err));
    return QC_RUN(drop, err, QC_VT(qc_span_str(item)));
}

qc_rc vault_store_descriptor_get(struct vault_store *s, qc_buf *ret, struct qc_err *err)
{
    return store_said(s, store_text_get(s, "descriptor", ret, err), err);
}

qc_rc vault_store_descriptor_put(struct vault_store *s, qc_span text, struct qc_err *err)
{
    return store_said(s, store_text_put(s, "descriptor", text, err), err);
}

qc_rc vault_store_head_get(struct vault_store *s, struct vault_head *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_VAULT_ITEM_MAX };
    QC_TRY(store_said(s, store_text_get(s, "vault_head", &text, err), err));
    return store_said(s, vault_head_parse(ret, qc_buf_span(&text), err), err);
}

qc_rc vault_store_head_put(struct vault_store *s, const struct vault_head *head, struct qc_err *err)
{
    uint8_t encoded[VAULT_HEAD_BYTES];
    vault_head_encode(encoded, head);
    return store_said(s, store_text_put(s, "vault_head", qc_span_of(encoded, sizeof(encoded)), err), err);
}

qc_rc store_filling_get(struct vault_store *s, bool *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf value = { .max = QC_VAULT_ITEM_MAX };
    struct qc_err why = { 0 };
    const qc_rc rc = store_item_get(s, STORE_FILLING, &value, &why);
    *ret = rc == QC_OK; /* whatever it says: nobody else has put it there */
    if (rc != QC_OK && rc != QC_NOTFOUND)
        *err = why;
    return rc == QC_NOTFOUND ? QC_OK : rc;
}

bool vault_store_is_filling(const struct vault_store *s)
{
    return s->filling;
}

qc_rc vault_store_filling_put(struct vault_store *s, bool filling, struct qc_err *err)
{
    const qc_rc rc =
        filling ? store_text_put(s, STORE_FILLING, QC_LIT("1"), err) : store_item_drop(s, STORE_FILLING, err);
    QC_TRY(store_said(s, rc, err));
    s->filling = filling;
    return QC_OK;
}

/* The mark that the row stands on (columns path_tag, number, tag). QC_INTEGRITY. */
static qc_rc mark_read(struct vault_store_mark *ret, const struct vault_store *s, struct qc_stmt *row,
                       struct qc_err *err)
{
    struct vault_store_mark m = { 0 };
    uint8_t tag[16], want[16];
    QC_TRY(qc_col_fixed(row, 0, m.path_tag, sizeof(m.path_tag), err));
    QC_TRY(qc_col_u64(row, 1, &m.number, err));
    QC_TRY(qc_col_fixed(row, 2, tag, sizeof(tag), err));
    QC_TRY(store_mark_tag(want, s, m.path_tag, m.number, err));
    if (!qc_ct_eq(tag, want, sizeof(tag)))
        return QC_FAIL(err, QC_INTEGRITY, "mark: authenticator");
    *ret = m;
    return QC_OK;
}

static qc_rc mark_get(struct vault_store *s, const uint8_t *path_tag, uint64_t *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *own = NULL;
    struct qc_stmt **at = s->look.held != NULL ? &s->look.mark : &own;
    struct vault_store_mark m = { 0 };
    bool row = false;
    if (*at == NULL)
        QC_TRY(qc_db_prepare(s->db, "SELECT path_tag, number, tag FROM mark WHERE path_tag = ?1", at, err));
    struct qc_stmt *find = *at;
    QC_TRY(QC_BIND(find, err, QC_VB(qc_span_of(path_tag, 16))));
    QC_TRY(qc_stmt_step(find, &row, err));
    if (row)
        QC_TRY(mark_read(&m, s, find, err));
    *ret = m.number;
    return QC_OK;
}

qc_rc vault_store_mark(struct vault_store *s, const uint8_t path_tag[16], uint64_t *ret, struct qc_err *err)
{
    return store_said(s, mark_get(s, path_tag, ret, err), err);
}

/* A read that has begun and is not over holds SQLite's shared lock: what is read meanwhile takes none of its
 * own. */
static qc_rc look(struct vault_store *s, struct qc_err *err)
{
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *held = NULL;
    bool row = false;
    QC_ASSERT(s->look.held == NULL);
    QC_TRY(qc_db_prepare(s->db, "SELECT 1 FROM item", &held, err));
    QC_TRY(qc_stmt_bind(held, NULL, 0, err));
    QC_TRY(qc_stmt_step(held, &row, err));
    if (!row)
        return QC_FAIL(err, QC_INTEGRITY, "holds nothing at all");
    s->look.held = QC_STEAL(held);
    return QC_OK;
}

qc_rc vault_store_look(struct vault_store *s, struct qc_err *err)
{
    return store_said(s, look(s, err), err);
}

void store_forget_last(struct vault_store *s)
{
    s->look.last = (struct vault_store_record){ 0 };
    s->look.sealed_n = 0;
}

void vault_store_look_end(struct vault_store *s)
{
    vault_store_record_done(&s->look.last);
    store_forget_last(s);
    qc_stmt_free(&s->look.mark);
    qc_stmt_free(&s->look.sequence);
    qc_stmt_free(&s->look.record);
    qc_stmt_free(&s->look.held);
}

static qc_rc marks_page(struct vault_store *s, struct vault_store_marks_cursor *cursor,
                        struct vault_store_mark *ret, size_t max, size_t *ret_got, struct qc_err *err)
{
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *walk = NULL;
    struct vault_store_marks_cursor c = *cursor;
    size_t got = 0;
    bool row = false;
    QC_TRY(qc_db_prepare(s->db,
                         "SELECT path_tag, number, tag FROM mark WHERE ?2 = 0 OR path_tag > ?1"
                         " ORDER BY path_tag LIMIT ?3",
                         &walk, err));
    QC_TRY(QC_BIND(walk, err, QC_VB(qc_span_of(c.after, 16)), QC_VI(c.started ? 1 : 0), QC_VI(max)));
    c.end = true;
    for (;;) {
        struct qc_err damaged = { 0 };
        QC_TRY(qc_stmt_step(walk, &row, err));
        if (!row)
            break;
        QC_TRY(qc_col_fixed(walk, 0, c.after, sizeof(c.after), err));
        c.started = true;
        c.end = false;
        qc_rc rc = mark_read(&ret[got], s, walk, &damaged);
        if (rc == QC_OK)
            got++;
        else if (rc == QC_INTEGRITY)
            c.damaged++;
        else {
            *err = damaged;
            return rc;
        }
    }
    *cursor = c;
    *ret_got = got;
    return QC_OK;
}

qc_rc vault_store_marks_next(struct vault_store *s, struct vault_store_marks_cursor *cursor,
                             struct vault_store_mark *ret, size_t max, size_t *ret_got, struct qc_err *err)
{
    return store_said(s, marks_page(s, cursor, ret, max, ret_got, err), err);
}

static qc_rc count(struct vault_store *s, const char *sql, uint64_t *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *q = NULL;
    bool row = false;
    QC_TRY(qc_db_prepare(s->db, sql, &q, err));
    QC_TRY(qc_stmt_bind(q, NULL, 0, err));
    QC_TRY(qc_stmt_step(q, &row, err));
    return row ? qc_col_u64(q, 0, ret, err) : QC_OK;
}

static qc_rc count_all(struct vault_store *s, struct vault_store_health *ret, struct qc_err *err)
{
    QC_TRY(count(s, "SELECT count(*) FROM record", &ret->records, err));
    QC_TRY(count(s, "SELECT count(*) FROM record WHERE state = 1", &ret->pending, err));
    QC_TRY(count(s, "SELECT count(*) FROM record WHERE state = 2", &ret->committed, err));
    QC_TRY(count(s, "SELECT count(*) FROM record WHERE state = 3", &ret->retired, err));
    return count(s, "SELECT count(*) FROM mark", &ret->marks, err);
}

qc_rc vault_store_count(struct vault_store *s, struct vault_store_health *ret, struct qc_err *err)
{
    struct vault_store_health h = { 0 };
    QC_TRY(store_said(s, count_all(s, &h, err), err));
    *ret = h;
    return QC_OK;
}

qc_rc vault_store_objects(struct vault_store *s, uint64_t *ret, struct qc_err *err)
{
    uint64_t n = 0;
    QC_TRY(store_said(s, count(s, "SELECT count(DISTINCT object_id) FROM record WHERE state = 2", &n, err),
                      err));
    *ret = n;
    return QC_OK;
}

/* Of `all` rows; those that the walk does not show are damaged as well. */
static qc_rc check_records(struct vault_store *s, uint64_t all, uint64_t *ret_damaged, struct qc_err *err)
{
    struct vault_store_record page[16];
    struct vault_store_cursor cursor = { 0 };
    uint64_t whole = 0;
    size_t got = 0;
    do {
        QC_TRY(vault_store_next(s, &cursor, page, 16, &got, err));
        for (size_t i = 0; i < got; i++) {
            whole += page[i].share != NULL || page[i].gone;
            vault_store_record_done(&page[i]);
        }
    } while (got > 0);
    *ret_damaged = all > whole ? all - whole : 0; /* others may add rows meanwhile */
    return QC_OK;
}

static qc_rc check_marks(struct vault_store *s, uint64_t *ret_damaged, struct qc_err *err)
{
    struct vault_store_mark page[64];
    struct vault_store_marks_cursor cursor = { 0 };
    size_t got = 0;
    while (!cursor.end)
        QC_TRY(vault_store_marks_next(s, &cursor, page, 64, &got, err));
    *ret_damaged = cursor.damaged;
    return QC_OK;
}

qc_rc vault_store_check(struct vault_store *s, struct vault_store_health *ret, struct qc_err *err)
{
    struct vault_store_health h = { 0 };
    struct qc_err why = { 0 };
    struct vault_head head;
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_VAULT_ITEM_MAX };
    QC_TRY(store_said(s, qc_db_check(s->db, err), err));
    QC_TRY(store_said(s, count_all(s, &h, err), err));
    QC_TRY(check_records(s, h.records, &h.damaged_records, err));
    QC_TRY(check_marks(s, &h.damaged_marks, err));
    h.descriptor_ok = store_text_get(s, "descriptor", &text, &why) == QC_OK;
    h.head_ok = vault_store_head_get(s, &head, &why) == QC_OK;
    *ret = h;
    return QC_OK;
}
