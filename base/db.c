/* Databases of any kind: what all have in common, and the way to the one that it is. */
#include "base/db_ops.h"

#include "base/fault.h"

/* -- the database ---------------------------------------------------------------------------------------- */

void qc_db_close(struct qc_db **db)
{
    if (*db == NULL)
        return;
    QC_ASSERT((*db)->statements == 0);
    (*db)->ops->close(*db);
    *db = NULL;
}

qc_rc qc_db_exec(struct qc_db *db, const char *sql, struct qc_err *err)
{
    return db->ops->exec(db, sql, err);
}

qc_rc qc_db_user_version(struct qc_db *db, uint32_t *ret, struct qc_err *err)
{
    return db->ops->version(db, ret, err);
}

qc_rc qc_db_set_user_version(struct qc_db *db, uint32_t v, struct qc_err *err)
{
    return db->ops->set_version(db, v, err);
}

qc_rc qc_db_check(struct qc_db *db, struct qc_err *err)
{
    return db->ops->check(db, err);
}

qc_rc qc_db_settle(struct qc_db *db, struct qc_err *err)
{
    return db->ops->settle(db, err);
}

bool qc_db_typed(const struct qc_db *db)
{
    return db->ops->typed;
}

int64_t qc_db_changes(struct qc_db *db)
{
    return db->ops->changes(db);
}

void qc_db_interrupt(struct qc_db *db)
{
    db->ops->interrupt(db);
}

/* -- sessions -------------------------------------------------------------------------------------------- */

uint64_t qc_db_session(const struct qc_db *db)
{
    return db->ops->session == NULL ? 0 : db->ops->session(db);
}

qc_rc qc_db_attend(struct qc_db *db, bool *ret_first, struct qc_err *err)
{
    *ret_first = true;
    return db->ops->attend == NULL ? QC_OK : db->ops->attend(db, ret_first, err);
}

qc_rc qc_db_session_open(struct qc_db *db, uint64_t session, bool *ret, struct qc_err *err)
{
    *ret = false;
    return db->ops->session_open == NULL ? QC_OK : db->ops->session_open(db, session, ret, err);
}

qc_rc qc_db_end_others(struct qc_db *db, struct qc_err *err)
{
    return db->ops->end_others == NULL ? QC_OK : db->ops->end_others(db, err);
}

/* -- transactions ---------------------------------------------------------------------------------------- */

qc_rc qc_tx_begin(struct qc_tx *tx, struct qc_db *db, struct qc_err *err)
{
    QC_ASSERT(tx->db == NULL);
    QC_TRY(db->ops->begin(db, err));
    tx->db = db;
    return QC_OK;
}

static qc_rc commit(struct qc_db *db, struct qc_err *err)
{
    QC_TRY(qc_fault(db_commit, err));
    return db->ops->commit(db, err);
}

qc_rc qc_tx_commit(struct qc_tx *tx, struct qc_err *err)
{
    QC_ASSERT(tx->db != NULL);
    qc_rc rc = commit(tx->db, err);
    if (rc != QC_OK) {
        qc_tx_end(tx);
        return rc;
    }
    tx->db = NULL;
    return qc_fault(db_committed, err);
}

void qc_tx_end(struct qc_tx *tx)
{
    if (tx->db != NULL)
        tx->db->ops->rollback(tx->db);
    tx->db = NULL;
}

/* -- statements ------------------------------------------------------------------------------------------ */

qc_rc qc_db_prepare(struct qc_db *db, const char *sql, struct qc_stmt **ret, struct qc_err *err)
{
    QC_TRY(db->ops->prepare(db, sql, ret, err));
    (*ret)->db = db;
    db->statements++;
    return QC_OK;
}

void qc_stmt_free(struct qc_stmt **s)
{
    if (*s == NULL)
        return;
    (*s)->db->statements--;
    (*s)->db->ops->free(*s);
    *s = NULL;
}

void qc_stmt_reset(struct qc_stmt *s)
{
    s->db->ops->reset(s);
}

qc_rc qc_stmt_bind(struct qc_stmt *s, const struct qc_val *vals, size_t count, struct qc_err *err)
{
    return s->db->ops->bind(s, vals, count, false, err);
}

qc_rc qc_stmt_step(struct qc_stmt *s, bool *ret_row, struct qc_err *err)
{
    return s->db->ops->step(s, ret_row, err);
}

qc_rc qc_stmt_run(struct qc_stmt *s, struct qc_err *err)
{
    bool row = false;

    QC_TRY(qc_stmt_step(s, &row, err));
    if (row) {
        qc_stmt_reset(s);
        return QC_FAIL(err, QC_GENERAL, "database: a row where none was expected");
    }
    return QC_OK;
}

qc_rc qc_stmt_bind_run(struct qc_stmt *s, const struct qc_val *vals, size_t count, struct qc_err *err)
{
    QC_TRY(s->db->ops->bind(s, vals, count, true, err)); /* run and reset before they can go */
    return qc_stmt_run(s, err);
}

/* -- columns --------------------------------------------------------------------------------------------- */

int64_t qc_col_int(struct qc_stmt *s, int i)
{
    return s->db->ops->col_int(s, i);
}

qc_span qc_col_span(struct qc_stmt *s, int i)
{
    return s->db->ops->col_span(s, i);
}

bool qc_col_null(struct qc_stmt *s, int i)
{
    return s->db->ops->col_kind(s, i) == QC_VAL_NULL;
}

qc_rc qc_col_u64(struct qc_stmt *s, int i, uint64_t *ret, struct qc_err *err)
{
    int64_t v = qc_col_int(s, i);

    if (s->db->ops->col_kind(s, i) != QC_VAL_INT || v < 0)
        return QC_FAIL(err, QC_INTEGRITY, "database: %s is not a count", s->db->ops->col_name(s, i));
    *ret = (uint64_t)v;
    return QC_OK;
}

qc_rc qc_col_fixed(struct qc_stmt *s, int i, uint8_t *dst, size_t n, struct qc_err *err)
{
    bool blob = s->db->ops->col_kind(s, i) == QC_VAL_BLOB;
    qc_span v = qc_col_span(s, i);

    if (!blob || v.n != n)
        return QC_FAIL(err, QC_INTEGRITY, "database: %s has %zu bytes, expected %zu",
                       s->db->ops->col_name(s, i), v.n, n);
    if (n > 0)
        memcpy(dst, v.p, n);
    return QC_OK;
}
