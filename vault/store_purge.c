/* Records of versions that are deleted: first they say that they are to go and keep their share, then that
 * they are gone, and have none. The row stays: it says that nothing is missing. FORMAT 7.2. */
#include <string.h>

#include "store.h"

static qc_rc delete_rows(struct vault_store *s, const struct vault_store_doomed *d, struct qc_err *err)
{
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *drop = NULL;
    QC_TRY(qc_db_prepare(s->db, "DELETE FROM record WHERE object_id = ?1 AND version_id = ?2", &drop, err));
    return QC_RUN(drop, err, QC_VB(qc_span_of(d->object, VAULT_ID_BYTES)),
                  QC_VB(qc_span_of(d->version, VAULT_ID_BYTES)));
}

/* In place of all that there is of the version: rows of earlier generations, too, have a share. */
static qc_rc put_gone(struct vault_store *s, const struct store_record_id *id, const qc_rng *rng,
                      struct qc_err *err)
{
    struct vault_store_doomed d = { .sequence = id->sequence };
    uint8_t sealed[STORE_SEALED];
    size_t n = 0;
    memcpy(d.object, id->object, VAULT_ID_BYTES);
    memcpy(d.version, id->version, VAULT_ID_BYTES);
    QC_TRY(store_record_seal(sealed, &n, s, id, NULL, rng, err));
    QC_TRY(delete_rows(s, &d, err));
    return store_row_put(s, id, qc_span_of(sealed, n), err);
}

/* From one state to another, as far as there are whole records in the first. */
struct turn {
    enum vault_record_state from, to;
};

/* The next row of a version, of a higher generation than *at, which it becomes; a damaged one is passed over.
 */
static qc_rc next_row(struct vault_store *s, struct qc_stmt *find, const struct vault_store_doomed *d,
                      uint32_t *at, struct vault_store_record *ret, bool *ret_row, struct qc_err *err)
{
    qc_rc rc = QC_INTEGRITY;
    while (rc == QC_INTEGRITY) { /* ends: *at rises */
        struct qc_err why = { 0 };
        QC_TRY(QC_BIND(find, err, QC_VB(qc_span_of(d->object, VAULT_ID_BYTES)),
                       QC_VB(qc_span_of(d->version, VAULT_ID_BYTES)), QC_VI(*at)));
        QC_TRY(qc_stmt_step(find, ret_row, err));
        if (!*ret_row)
            return QC_OK;
        rc = store_row_open(ret, s, find, &why);
        *at = ret->generation;
        qc_stmt_reset(find);
        if (rc != QC_OK && rc != QC_INTEGRITY)
            *err = why;
    }
    return rc;
}

/* Every generation of the version: while its shares are refreshed there are two, and it may stay. One store
 * without any is enough: the other may have them. */
static qc_rc turn_one(struct vault_store *s, const struct vault_store_doomed *d, const struct turn *t,
                      const qc_rng *rng, struct qc_err *err)
{
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *find = NULL;
    uint32_t at = 0;
    bool row = true;
    QC_TRY(qc_db_prepare(s->db,
                         "SELECT " STORE_RECORD_COLUMNS
                         " FROM record WHERE object_id = ?1 AND version_id = ?2"
                         " AND generation > ?3 AND generation <= 4294967295 ORDER BY generation LIMIT 1",
                         &find, err));
    for (;;) {
        QC_CLEANUP(vault_store_record_done) struct vault_store_record r = { 0 };
        uint8_t sealed[STORE_SEALED];
        size_t n = 0;
        QC_TRY(next_row(s, find, d, &at, &r, &row, err));
        if (!row)
            return QC_OK;
        if (r.gone || r.state == t->to || (t->from != 0 && r.state != t->from))
            continue;
        const struct store_record_id id = { d->object, d->version, r.generation, t->to, d->sequence };
        QC_TRY(store_record_seal(sealed, &n, s, &id, r.share, rng, err));
        QC_TRY(store_row_put(s, &id, qc_span_of(sealed, n), err));
    }
}

static qc_rc turn_all(struct vault_store *s, const struct vault_store_doomed *d, size_t count,
                      const struct turn *t, const qc_rng *rng, struct qc_err *err)
{
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(store_want_write(s, err));
    QC_TRY(qc_tx_begin(&tx, s->db, err));
    QC_TRY(store_reload(s, &(bool){ false }, err));
    for (size_t i = 0; i < count; i++)
        QC_TRY(turn_one(s, &d[i], t, rng, err));
    return qc_tx_commit(&tx, err);
}

qc_rc vault_store_retire(struct vault_store *s, const struct vault_store_doomed *d, size_t count,
                         const qc_rng *rng, struct qc_err *err)
{
    const struct turn t = { .to = VAULT_RECORD_RETIRED };
    return store_said(s, turn_all(s, d, count, &t, rng, err), err);
}

qc_rc vault_store_unretire(struct vault_store *s, const struct vault_store_doomed *d, size_t count,
                           const qc_rng *rng, struct qc_err *err)
{
    const struct turn t = { .from = VAULT_RECORD_RETIRED, .to = VAULT_RECORD_COMMITTED };
    return store_said(s, turn_all(s, d, count, &t, rng, err), err);
}

static qc_rc destroy(struct vault_store *s, const struct vault_store_doomed *d, size_t count,
                     const qc_rng *rng, struct qc_err *err)
{
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(store_want_write(s, err));
    QC_TRY(qc_tx_begin(&tx, s->db, err));
    QC_TRY(store_reload(s, &(bool){ false }, err));
    for (size_t i = 0; i < count; i++) {
        const struct store_record_id id = { d[i].object, d[i].version, s->in_use.generation,
                                            VAULT_RECORD_GONE, d[i].sequence };
        QC_TRY(put_gone(s, &id, rng, err));
    }
    return qc_tx_commit(&tx, err);
}

qc_rc vault_store_destroy(struct vault_store *s, const struct vault_store_doomed *d, size_t count,
                          const qc_rng *rng, struct qc_err *err)
{
    return store_said(s, destroy(s, d, count, rng, err), err);
}

/* Another generation of the version before? */
static bool is_last(const struct vault_store_doomed *v, size_t n, const struct vault_store_record *r)
{
    return n > 0 && memcmp(v[n - 1].object, r->object, VAULT_ID_BYTES) == 0 &&
           memcmp(v[n - 1].version, r->version, VAULT_ID_BYTES) == 0;
}

static qc_rc retired(struct vault_store *s, struct vault_store_cursor *cursor, struct vault_store_doomed *ret,
                     size_t max, size_t *ret_got, struct qc_err *err)
{
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *walk = NULL;
    size_t got = 0;
    bool row = false;
    QC_TRY(store_walk(s, STORE_WALK("state = 3 AND "), cursor, &walk, err));
    QC_TRY(qc_stmt_step(walk, &row, err));
    while (row && got < max) {
        QC_CLEANUP(vault_store_record_done) struct vault_store_record r = { 0 };
        struct qc_err damaged = { 0 };
        const qc_rc rc = store_row_open(&r, s, walk, &damaged);
        if (rc != QC_OK && rc != QC_INTEGRITY) {
            *err = damaged;
            return rc;
        }
        store_walked(cursor, &r);
        if (rc == QC_OK && !is_last(ret, got, &r)) { /* under its seal: nobody else said that it is to go */
            ret[got] = (struct vault_store_doomed){ .sequence = r.sequence };
            memcpy(ret[got].object, r.object, VAULT_ID_BYTES);
            memcpy(ret[got++].version, r.version, VAULT_ID_BYTES);
        }
        QC_TRY(qc_stmt_step(walk, &row, err));
    }
    *ret_got = got;
    return QC_OK;
}

qc_rc vault_store_retired(struct vault_store *s, struct vault_store_cursor *cursor,
                          struct vault_store_doomed *ret, size_t max, size_t *ret_got, struct qc_err *err)
{
    return store_said(s, retired(s, cursor, ret, max, ret_got, err), err);
}

static qc_rc is_gone(struct vault_store *s, const uint8_t *object, const uint8_t *version, bool *ret,
                     struct qc_err *err)
{
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *find = NULL;
    QC_CLEANUP(vault_store_record_done) struct vault_store_record r = { 0 };
    struct qc_err why = { 0 };
    uint64_t rows = 0;
    bool row = false;
    QC_TRY(qc_db_prepare(s->db, "SELECT count(*) FROM record WHERE object_id = ?1 AND version_id = ?2", &find,
                         err));
    QC_TRY(QC_BIND(find, err, QC_VB(qc_span_of(object, VAULT_ID_BYTES)),
                   QC_VB(qc_span_of(version, VAULT_ID_BYTES))));
    QC_TRY(qc_stmt_step(find, &row, err));
    if (row)
        QC_TRY(qc_col_u64(find, 0, &rows, err));
    qc_stmt_reset(find);
    const qc_rc rc = store_row_get(s, object, version, 0, &r, &why);
    if (rc != QC_OK && rc != QC_NOTFOUND && rc != QC_INTEGRITY) {
        *err = why;
        return rc;
    }
    *ret = rc == QC_OK && rows == 1 && r.gone;
    return QC_OK;
}

qc_rc vault_store_is_gone(struct vault_store *s, const uint8_t object[VAULT_ID_BYTES],
                          const uint8_t version[VAULT_ID_BYTES], bool *ret, struct qc_err *err)
{
    return store_said(s, is_gone(s, object, version, ret, err), err);
}

static qc_rc all_gone(struct vault_store *s, const uint8_t *object, bool *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *find = NULL;
    bool row = false;
    QC_TRY(qc_db_prepare(s->db, "SELECT MIN(state) FROM record WHERE object_id = ?1", &find, err));
    QC_TRY(QC_BIND(find, err, QC_VB(qc_span_of(object, VAULT_ID_BYTES))));
    QC_TRY(qc_stmt_step(find, &row, err));
    *ret = row && !qc_col_null(find, 0) && qc_col_int(find, 0) == VAULT_RECORD_GONE;
    return QC_OK;
}

qc_rc vault_store_all_gone(struct vault_store *s, const uint8_t object[VAULT_ID_BYTES], bool *ret,
                           struct qc_err *err)
{
    return store_said(s, all_gone(s, object, ret, err), err);
}
