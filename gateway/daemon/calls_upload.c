#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "calls.h"
#include "carried.h"
#include "json.h"

qc_rc call_upload_begin(struct request *r, struct answer *ret, struct qc_err *err)
{
    static const char *const names[] = { "put_key", "object", "version", "base", "path_number", "size" };
    QC_CLEANUP(qc_json_free) struct json_t *in = NULL;
    struct gw_upload u = { .tenant = r->tenant, .vault = r->id[0] };
    uint64_t size = QC_GW_SEGMENT_MAX; /* not known: a segment's */
    bool made = false;
    QC_TRY(request_json(r, names, 6, &in, err));
    QC_TRY(json_id(in, "put_key", &u.put_key, err));
    QC_TRY(json_id(in, "object", &u.object, err));
    QC_TRY(json_id(in, "version", &u.version, err));
    QC_TRY(json_number(in, "base", &u.base, err));
    QC_TRY(json_number(in, "path_number", &u.path_number, err));
    if (qc_json_has(in, "size"))
        QC_TRY(json_number(in, "size", &size, err));
    QC_TRY(levels_begin(&r->server->levels, request_engine(r), r->wanted, &u.put_key, size, err));
    const qc_rc rc = gw_upload_begin(request_engine(r), &u, &made, err);
    if (rc != QC_OK)
        levels_over(&r->server->levels, &u.put_key);
    QC_TRY(rc);
    ret->status = made ? MHD_HTTP_CREATED : MHD_HTTP_OK;
    QC_TRY(qc_json_new_obj(&ret->json, err));
    return qc_json_set_hex(ret->json, "put_key", gw_id_span(&u.put_key), err);
}

qc_rc call_upload_resume(struct request *r, struct answer *ret, struct qc_err *err)
{
    static const char *const names[] = { "segments" };
    QC_CLEANUP(qc_json_free) struct json_t *in = NULL;
    const struct gw_ref put_key = request_ref(r);
    struct gw_resumed resumed = { 0 };
    int64_t most = 0;
    QC_TRY(request_json(r, names, 1, &in, err));
    QC_TRY(qc_json_int(in, "segments", 0, QC_GW_SEGMENTS_MAX, &most, err));
    QC_TRY(gw_upload_resume(request_engine(r), &put_key, (uint32_t)most, &resumed, err));
    QC_TRY(qc_json_new_obj(&ret->json, err));
    QC_TRY(qc_json_set_int(ret->json, "run", resumed.run, err));
    QC_TRY(qc_json_set_int(ret->json, "segments", resumed.segments, err));
    return qc_json_set_int(ret->json, "bytes", (int64_t)resumed.bytes, err);
}

static qc_rc cloud_names(struct request *r, struct json_t *o, const char *name, const uint32_t *ids,
                         unsigned count, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    QC_TRY(qc_json_new_arr(&list, err));
    for (unsigned i = 0; i < count; i++)
        QC_TRY(qc_json_append_str(list, gw_engine_cloud_name(request_engine(r), ids[i]), err));
    return qc_json_set(o, name, &list, err);
}

static qc_rc segment_json(struct request *r, const struct gw_segment_put *p, const struct carried *c,
                          const struct gw_segment_receipt *receipt, struct json_t **ret, struct qc_err *err)
{
    QC_TRY(qc_json_new_obj(ret, err));
    QC_TRY(qc_json_set_int(*ret, "seq", p->seq, err));
    QC_TRY(qc_json_set_int(*ret, "durable", receipt->durable, err));
    QC_TRY(qc_json_set_int(*ret, "n", receipt->n, err));
    QC_TRY(cloud_names(r, *ret, "owed", receipt->owed, receipt->owed_count, err));
    QC_TRY(cloud_names(r, *ret, "following", receipt->following, receipt->following_count, err));
    return carried_json(c, *ret, err);
}

qc_rc call_segment(struct request *r, struct answer *ret, struct qc_err *err)
{
    QC_CLEANUP(carried_free) struct carried *carried = NULL;
    struct gw_segment_put p = {
        .tenant = r->tenant, .put_key = r->id[0], .seq = (uint32_t)r->number, .size = r->unit_size
    };
    struct gw_segment_receipt receipt = { 0 };
    const char *last = request_argument(r, "last");
    const char *wait = request_argument(r, "wait");
    uint64_t run = 0;
    if (r->number >= QC_GW_SEGMENTS_MAX)
        return QC_FAIL(err, QC_LIMIT, "more than %d segments", QC_GW_SEGMENTS_MAX);
    if (last != NULL && strcmp(last, "0") != 0 && strcmp(last, "1") != 0)
        return QC_FAIL(err, QC_USAGE, "last: 0 or 1");
    QC_TRY(json_wait(wait, &p.hasty, err));
    QC_TRY(request_argument_u64(r, "run", 0, &run, err));
    if (run > UINT32_MAX)
        return QC_FAIL(err, QC_USAGE, "run: over 2^32");
    p.run = (uint32_t)run;
    const uint32_t missing = gw_unit_missing(r->unit);
    if (missing != 0)
        return QC_FAIL(err, QC_USAGE, "the segment ends after %" PRIu32 " of %" PRIu32 " bytes",
                       r->unit_size - missing, r->unit_size);
    p.last = last != NULL && last[0] == '1';
    QC_TRY(levels_check(&r->server->levels, request_engine(r), r->wanted, err));
    QC_TRY(carried_begin(&carried, &r->server->levels, request_engine(r), err));
    const qc_rc rc = gw_upload_segment(request_engine(r), &p, r->unit, &receipt, err);
    QC_TRY(levels_reason(&r->server->levels, request_engine(r), r->wanted, rc, err));
    levels_gone(&r->server->levels, request_engine(r), &p.put_key, p.size);
    carried_end(carried, &r->server->levels, &receipt);
    carried_note(carried, gw_engine_audit(request_engine(r)), &p);
    return segment_json(r, &p, carried, &receipt, &ret->json, err);
}

static qc_rc upload_json(struct json_t **ret, const struct request *r, enum gw_upload_state state,
                         const struct gw_receipt *receipt, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *child = NULL;
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(qc_json_set_str(o, "state", gw_upload_state_name(state), err));
    if (state == GW_UPLOAD_LIVE) {
        QC_TRY(json_receipt(&child, r, receipt, err));
        QC_TRY(qc_json_set(o, "receipt", &child, err));
    } else
        QC_TRY(qc_json_set_null(o, "receipt", err));
    *ret = QC_STEAL(o);
    return QC_OK;
}

qc_rc call_upload_get(struct request *r, struct answer *ret, struct qc_err *err)
{
    enum gw_upload_state state = GW_UPLOAD_UNKNOWN;
    struct gw_receipt receipt = { 0 };
    const struct gw_ref put_key = request_ref(r);
    QC_TRY(gw_upload_get(request_engine(r), &put_key, &state, &receipt, err));
    return upload_json(&ret->json, r, state, &receipt, err);
}

static qc_rc cloud_json(struct json_t *list, const char *name, const struct gw_progress_cloud *c,
                        struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(qc_json_set_str(o, "name", name, err));
    QC_TRY(qc_json_set_str(o, "state", gw_progress_state(c), err));
    QC_TRY(qc_json_set_int(o, "durable", c->durable, err));
    QC_TRY(qc_json_set_int(o, "failed", c->failed, err));
    QC_TRY(qc_json_set_int(o, "tries", c->tries, err));
    QC_TRY(qc_json_set_int(o, "bytes", (int64_t)c->bytes, err));
    QC_TRY(qc_json_set_str(o, "why", c->tries > 0 ? c->why : "", err));
    return qc_json_append(list, &o, err);
}

qc_rc call_upload_clouds(struct request *r, struct answer *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_progress *p = qc_alloc(sizeof *p);
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    const struct gw_ref put_key = request_ref(r);
    if (p == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", sizeof *p);
    QC_TRY(gw_upload_progress(request_engine(r), &put_key, p, err));
    QC_TRY(qc_json_new_arr(&list, err));
    for (unsigned i = 0; i < p->count; i++)
        QC_TRY(cloud_json(list, gw_engine_cloud_name(request_engine(r), p->v[i].cloud_id), &p->v[i], err));
    QC_TRY(qc_json_new_obj(&ret->json, err));
    QC_TRY(qc_json_set_int(ret->json, "segments", p->segments, err));
    return qc_json_set(ret->json, "clouds", &list, err);
}

qc_rc call_upload_cancel(struct request *r, struct answer *ret, struct qc_err *err)
{
    enum gw_upload_state state = GW_UPLOAD_UNKNOWN;
    struct gw_receipt receipt = { 0 };
    struct qc_err other = { 0 };
    const struct gw_ref put_key = request_ref(r);
    qc_rc rc = gw_upload_cancel(request_engine(r), &put_key, &state, &receipt, err);
    if (rc == QC_CONFLICT && upload_json(&ret->with_error, r, state, &receipt, &other) != QC_OK)
        qc_json_free(&ret->with_error);
    QC_TRY(rc);
    levels_over(&r->server->levels, &put_key.id);
    return upload_json(&ret->json, r, GW_UPLOAD_CANCELLED, &receipt, err);
}
