/* Copies of log objects: which are right, and how one that is owed or rotten is put. A log object has one
 * content for ever and the catalogue knows its hash, so a wrong copy is replaced under its own name (D2). */
#include "records.h"

static qc_rc log_name(struct gw_engine *e, unsigned at, const struct gw_log_row *row, char ret[GW_NAME_SIZE],
                      struct qc_err *err)
{
    const struct gw_name name = { .kind = GW_NAME_LOG,
                                  .id = row->sequence,
                                  .incarnation = (uint16_t)row->incarnation };

    return gw_name_make(e->root, gw_fan_id(e->fan, at), &name, ret, err);
}

/* -- looking --------------------------------------------------------------------------------------------- */

/* What stands under our name and is not what we wrote: did somebody who has the root key write it? */
static enum gw_copy judge_other(struct gw_engine *e, const struct gw_log_row *row, qc_span bytes)
{
    QC_CLEANUP(gw_log_done) struct gw_log l = { 0 };
    struct qc_err why = { 0 };
    const qc_rc rc = gw_log_open(e->root, row->sequence, row->incarnation, bytes, &l, &why);

    if (rc == QC_NOMEM)
        return GW_COPY_SILENT;
    /* A rebuild chose among the forms that an older incarnation left; of ours there is one. */
    return rc == QC_OK && row->incarnation == e->conf.incarnation ? GW_COPY_TWIN : GW_COPY_ROTTEN;
}

qc_rc gw_record_look(struct gw_engine *e, unsigned at, const struct gw_log_row *row, bool force,
                     enum gw_copy *ret, qc_buf *ret_bytes, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf got = { 0 };
    uint8_t hash[GW_DIGEST_BYTES];
    char key[GW_NAME_SIZE];
    struct gw_outcome o;

    QC_TRY(log_name(e, at, row, key, err));
    const struct gw_get_one one = {
        .at = at, .key = key, .size_max = QC_GW_LOG_MAX, .ms = QC_GW_RECORD_MS, .force = force
    };
    QC_TRY(gw_fan_get_one(e->fan, &one, &got, &o, err));
    if (o.fate != GW_DONE) {
        const bool answered = o.fate == GW_FAILED && !o.gone;
        *ret = answered && o.rc == QC_NOTFOUND                   ? GW_COPY_ABSENT
               : answered && (o.rc == QC_LIMIT || o.rc == QC_IO) ? GW_COPY_ROTTEN
                                                                 : GW_COPY_SILENT;
        return QC_OK;
    }
    const qc_span span = qc_buf_span(&got);
    QC_TRY(qc_sha256(&span, 1, hash, err));
    if (!qc_span_eq(qc_span_of(hash, sizeof hash), qc_span_of(row->hash, sizeof hash))) {
        *ret = judge_other(e, row, span);
        return QC_OK;
    }
    *ret = GW_COPY_RIGHT;
    if (ret_bytes != NULL)
        *ret_bytes = QC_STEAL(got);
    return QC_OK;
}

qc_rc gw_record_fetch(struct gw_engine *e, const struct gw_log_row *row, unsigned except, qc_buf *ret,
                      struct qc_err *err)
{
    for (unsigned at = 0; at < gw_fan_count(e->fan); at++) {
        enum gw_copy copy;
        if (at == except || (gw_fan_all(e->fan) >> at & 1) == 0)
            continue;
        QC_TRY(gw_record_look(e, at, row, false, &copy, ret, err));
        if (copy == GW_COPY_RIGHT)
            return QC_OK;
    }
    return QC_OK;
}

/* -- putting --------------------------------------------------------------------------------------------- */

static qc_rc put_copy(struct gw_engine *e, unsigned at, const struct gw_log_row *row, qc_span bytes,
                      enum cloud_put_mode mode, struct gw_outcome *ret, struct qc_err *err)
{
    const char *keys[QC_GW_CLOUDS_MAX] = { 0 };
    char key[GW_NAME_SIZE];
    struct gw_answer a;

    QC_TRY(log_name(e, at, row, key, err));
    keys[at] = key;
    const struct gw_ask ask = { .set = (gw_clouds)1 << at,
                                .keys = keys,
                                .rule = { .deadline = qc_deadline_in(QC_GW_RECORD_MS) },
                                .force = true };
    QC_TRY(gw_fan_put(e->fan, &ask, bytes, mode, &a, err));
    *ret = a.outcome[at];
    return QC_OK;
}

static qc_rc twin_found(struct gw_engine *e, unsigned at, const struct gw_log_row *row, struct qc_err *err)
{
    gw_engine_fence(e, "a copy of this gateway has written a later log");
    return QC_FAIL(err, QC_FENCED,
                   "cloud %s holds another log object %" PRIu64 ": a copy of this gateway wrote it",
                   gw_fan_name(e->fan, at), row->sequence);
}

qc_rc gw_record_put(struct gw_engine *e, unsigned at, const struct gw_log_row *row, qc_span bytes,
                    bool *ret_right, struct qc_err *err)
{
    enum gw_copy copy;
    struct gw_outcome o;

    *ret_right = false;
    QC_TRY(put_copy(e, at, row, bytes, CLOUD_NEW, &o, err));
    if (o.fate == GW_FAILED && o.rc == QC_CONFLICT) {
        QC_TRY(gw_record_look(e, at, row, true, &copy, NULL, err));
        if (copy == GW_COPY_TWIN)
            return twin_found(e, at, row, err);
        *ret_right = copy == GW_COPY_RIGHT; /* somebody else of us has replaced it meanwhile */
        if (copy == GW_COPY_ROTTEN || copy == GW_COPY_ABSENT)
            QC_TRY(put_copy(e, at, row, bytes, CLOUD_REPLACE, &o, err));
    }
    if (o.fate != GW_DONE)
        return QC_OK;
    QC_TRY(gw_record_look(e, at, row, true, &copy, NULL, err));
    *ret_right = copy == GW_COPY_RIGHT;
    return QC_OK;
}

/* -- debts ----------------------------------------------------------------------------------------------- */

qc_rc gw_record_pay(struct gw_engine *e, unsigned at, uint64_t sequence, enum gw_paid *ret,
                    struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf bytes = { 0 };
    struct gw_log_row row;
    char key[GW_NAME_SIZE];
    bool right;

    {
        QC_LOCK(gw_cat_lock(e->cat));
        QC_TRY(gw_cat_log_get(e->cat, sequence, &row, err));
    }
    *ret = GW_PAID_NO_SOURCE;
    QC_TRY(gw_record_fetch(e, &row, at, &bytes, err));
    if (bytes.n == 0)
        return QC_OK;
    QC_TRY(qc_fault(debt_put, err));
    *ret = GW_PAID_NOT;
    QC_TRY(gw_record_put(e, at, &row, qc_buf_span(&bytes), &right, err));
    if (!right)
        return QC_OK;
    QC_TRY(qc_fault(debt_paid, err));
    QC_LOCK(gw_cat_lock(e->cat));
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(gw_cat_begin(e->cat, &tx, err));
    QC_TRY(gw_cat_debt_paid(e->cat, gw_fan_id(e->fan, at), sequence, err));
    QC_TRY(log_name(e, at, &row, key, err));
    QC_TRY(gw_cat_finding_end(e->cat, gw_fan_id(e->fan, at), key, err));
    QC_TRY(gw_cat_commit(e->cat, &tx, err));
    *ret = GW_PAID;
    return QC_OK;
}

qc_rc gw_record_debt(struct gw_engine *e, unsigned at, uint64_t after, uint64_t *ret, struct qc_err *err)
{
    QC_LOCK(gw_cat_lock(e->cat));
    return gw_cat_debt_next(e->cat, gw_fan_id(e->fan, at), after, ret, err);
}
