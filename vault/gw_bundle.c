/* The commit of a bundle. Its members go as bytes (FORMAT 5.3), of which JSON makes a third more, and each of
 * those costs a hundred instructions at the other end; as JSON to a gateway that does not know that call. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "gw_http.h"
#include "gw_json.h"

/* -- as bytes -------------------------------------------------------------------------------------------- */

static qc_rc add_part(qc_buf *b, qc_span part, struct qc_err *err)
{
    QC_TRY(qc_buf_add_be(b, part.n, 4, err));
    return qc_buf_add(b, part, err);
}

static qc_rc member_write(qc_buf *b, const struct vault_gw_member *m, struct qc_err *err)
{
    const struct vault_entry *e = m->entry;
    QC_TRY(qc_buf_add(b, qc_span_of(m->put_key, 16), err));
    QC_TRY(qc_buf_add_be(b, m->start, 8, err));
    QC_TRY(qc_buf_add_be(b, e->number, 8, err));
    QC_TRY(qc_buf_add_be(b, e->sequence, 8, err));
    QC_TRY(qc_buf_add_be(b, e->size, 8, err));
    QC_TRY(qc_buf_add(b, qc_span_of(e->object, sizeof(e->object)), err));
    QC_TRY(qc_buf_add(b, qc_span_of(e->version, sizeof(e->version)), err));
    QC_TRY(qc_buf_add(b, qc_span_of(e->M, sizeof(e->M)), err));
    QC_TRY(qc_buf_add(b, qc_span_of(e->seal, sizeof(e->seal)), err));
    QC_TRY(add_part(b, e->path, err));
    QC_TRY(add_part(b, e->priv, err));
    return add_part(b, m->backup, err);
}

static qc_rc place_parse(struct vault_gw_member *m, const struct json_t *o, struct qc_err *err)
{
    int64_t number = 0, chain = 0;
    if (!qc_json_is_object(o))
        return QC_FAIL(err, QC_FORMAT, "no object");
    if (!qc_json_has(o, "chain"))
        return gw_json_refusal(o, &m->rc, &m->err, err);
    QC_TRY(qc_json_int(o, "number", 0, GW_INT_MAX, &number, err));
    QC_TRY(qc_json_int(o, "chain", 0, GW_INT_MAX, &chain, err));
    m->rc = QC_OK;
    m->number = (uint64_t)number;
    m->chain = (uint64_t)chain;
    return QC_OK;
}

static qc_rc outcomes_of(const struct json_t *answer, const struct vault_gw_bundle *b, struct json_t **ret,
                         struct qc_err *err)
{
    QC_TRY(qc_json_arr(answer, "outcomes", ret, err));
    if (qc_json_len(*ret) != b->count)
        return QC_FAIL(err, QC_FORMAT, "outcomes: %zu of %zu members", qc_json_len(*ret), b->count);
    return QC_OK;
}

static qc_rc as_bytes(struct vault_gw *gw, const struct vault_gw_bundle *b, const struct vault_op *op,
                      struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf body = { .max = QC_JSON_MAX };
    QC_CLEANUP(qc_json_free) struct json_t *answer = NULL;
    struct json_t *outcomes = NULL, *receipt = NULL;
    char path[GW_HTTP_PATH];
    gw_http_upload_path(path, b->put_key,
                        b->hasty ? "/members?segments=1&wait=quorum" : "/members?segments=1");
    for (size_t i = 0; i < b->count; i++)
        QC_TRY(member_write(&body, &b->members[i], err));
    QC_TRY(gw_http_ask(
        gw,
        (struct gw_http_call){
            .method = "PUT", .path = path, .body = qc_buf_span(&body), .type = "application/octet-stream" },
        NULL, &answer, op, err));
    QC_TRY(outcomes_of(answer, b, &outcomes, err));
    for (size_t i = 0; i < b->count; i++)
        QC_TRY_AS(place_parse(&b->members[i], qc_json_at(outcomes, i), err), err, "outcome %zu", i);
    if (!qc_json_has(answer, "receipt"))
        return QC_OK;
    QC_TRY(qc_json_obj(answer, "receipt", &receipt, err));
    return gw_json_receipt(b->receipt, receipt, err);
}

/* -- as JSON --------------------------------------------------------------------------------------------- */

static qc_rc member_build(struct json_t *list, const struct vault_gw_member *m, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *entry = NULL;
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(qc_json_set_hex(o, "put_key", qc_span_of(m->put_key, 16), err));
    QC_TRY(qc_json_set_int(o, "start", (int64_t)m->start, err));
    QC_TRY(gw_json_entry_build(&entry, m->entry, err));
    QC_TRY(qc_json_set(o, "entry", &entry, err));
    QC_TRY(qc_json_set_b64(o, "backup", m->backup, err));
    return qc_json_append(list, &o, err);
}

static qc_rc member_outcome(struct vault_gw_member *m, struct vault_gw_receipt *receipt,
                            const struct json_t *o, struct qc_err *err)
{
    QC_TRY(gw_json_outcome(receipt, o, &m->rc, &m->err, err));
    if (m->rc != QC_OK)
        return QC_OK;
    m->number = receipt->number;
    m->chain = receipt->chain;
    return QC_OK;
}

static qc_rc as_json(struct vault_gw *gw, const struct vault_gw_bundle *b, const struct vault_op *op,
                     struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *body = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *answer = NULL;
    struct json_t *outcomes = NULL;
    char path[GW_HTTP_PATH];
    gw_http_upload_path(path, b->put_key, "/members");
    QC_TRY(qc_json_new_arr(&list, err));
    for (size_t i = 0; i < b->count; i++)
        QC_TRY(member_build(list, &b->members[i], err));
    QC_TRY(qc_json_new_obj(&body, err));
    QC_TRY(qc_json_set(body, "members", &list, err));
    QC_TRY(qc_json_set_int(body, "segments", 1, err));
    if (b->hasty)
        QC_TRY(qc_json_set_str(body, "wait", "quorum", err));
    QC_TRY(gw_http_ask(gw, (struct gw_http_call){ .method = "POST", .path = path }, body, &answer, op, err));
    QC_TRY(outcomes_of(answer, b, &outcomes, err));
    for (size_t i = 0; i < b->count; i++)
        QC_TRY_AS(member_outcome(&b->members[i], b->receipt, qc_json_at(outcomes, i), err), err,
                  "outcome %zu", i);
    return QC_OK;
}

qc_rc gw_http_bundle_commit(struct vault_gw *gw, const struct vault_gw_bundle *b, const struct vault_op *op,
                            struct qc_err *err)
{
    struct gw_http *h = (struct gw_http *)gw;
    struct qc_err why = { 0 };
    if (!h->json_only) {
        const qc_rc rc = as_bytes(gw, b, op, &why);
        if (rc != QC_USAGE) {
            if (rc != QC_OK)
                *err = why;
            return rc;
        }
    }
    QC_TRY(as_json(gw, b, op, err));
    h->json_only = true; /* nothing else was wrong with it */
    return QC_OK;
}
