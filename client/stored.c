/* What is told of an object that was stored. */
#include <inttypes.h>

#include "client.h"
#include "prune.h"
#include "text.h"

static qc_rc item_json(struct client *c, qc_span name, const struct vault_put_result *r, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *missing = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *whys = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *following = NULL;
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(out_json_name(j, name, err));
    QC_TRY(qc_json_set_int(j, "exit", r->degraded ? 4 : 0, err));
    QC_TRY(qc_json_set_hex(j, "object", qc_span_of(r->object, VAULT_ID_BYTES), err));
    QC_TRY(qc_json_set_hex(j, "version", qc_span_of(r->version, VAULT_ID_BYTES), err));
    QC_TRY(qc_json_set_int(j, "number", (int64_t)r->number, err));
    QC_TRY(qc_json_set_int(j, "size", (int64_t)r->size, err));
    QC_TRY(qc_json_set_int(j, "stored", (int64_t)r->stored, err));
    QC_TRY(qc_json_set_int(j, "padding", (int64_t)r->padding, err));
    QC_TRY(qc_json_set_int(j, "kept", (int64_t)r->kept, err));
    QC_TRY(qc_json_set_int(j, "sent", (int64_t)r->sent, err));
    if (r->anew[0] != '\0')
        QC_TRY(qc_json_set_str(j, "anew", r->anew, err));
    QC_TRY(qc_json_set_int(j, "margin", r->margin, err));
    QC_TRY(qc_json_set_int(j, "margin_full", r->margin_full, err));
    QC_TRY(qc_json_set_int(j, "key_margin", 1, err));
    QC_TRY(qc_json_set_int(j, "loss_budget", r->margin < 1 ? r->margin : 1, err));
    QC_TRY(qc_json_set_int(j, "clouds", r->clouds, err));
    QC_TRY(qc_json_set_int(j, "record_copies", r->record_copies, err));
    QC_TRY(qc_json_new_arr(&missing, err));
    QC_TRY(qc_json_new_arr(&whys, err));
    for (size_t i = 0; i < r->degraded_count; i++) {
        QC_TRY(qc_json_append_str(missing, r->degraded_clouds[i], err));
        QC_TRY(qc_json_append_str(whys, r->degraded_why[i], err));
    }
    QC_TRY(qc_json_set(j, "degraded", &missing, err));
    QC_TRY(qc_json_set(j, "degraded_why", &whys, err));
    QC_TRY(qc_json_new_arr(&following, err));
    for (size_t i = 0; i < r->following_count; i++)
        QC_TRY(qc_json_append_str(following, r->following[i], err));
    QC_TRY(qc_json_set(j, "following", &following, err));
    return out_json(&c->out, &j, err);
}

/* "stored 'x' v2: 1.5 GiB, on its way to c5; loss budget 1 (data 1 of 2, keys 1)"; or "1.5 GiB, not on all
 * clouds (missing: c2: cannot be reached); budget 1 (data 1 of 2, keys 1)". */
static qc_rc stored_line(qc_span name, const struct vault_put_result *r, qc_buf *ret, struct qc_err *err)
{
    char size[TEXT_SIZE];
    text_size(r->size, size);
    QC_TRY(qc_buf_add_str(ret, "stored ", err));
    QC_TRY(text_quote(name, ret, err));
    QC_TRY(qc_buf_addf(ret, err, " v%" PRIu64 ": %s", r->number, size));
    if (r->padding > 0) {
        text_size(r->padding, size);
        QC_TRY(qc_buf_addf(ret, err, " and %s of padding", size));
    }
    if (r->degraded_count > 0)
        QC_TRY(qc_buf_add_str(ret, ", not on all clouds (missing: ", err));
    for (size_t i = 0; i < r->degraded_count; i++) {
        const char *why = r->degraded_why[i];
        QC_TRY(qc_buf_addf(ret, err, "%s%s", i > 0 ? "; " : "", r->degraded_clouds[i]));
        if (why[0] != '\0')
            QC_TRY(qc_buf_addf(ret, err, ": %s", why));
    }
    QC_TRY(qc_buf_add_str(ret, r->degraded_count > 0 ? ")" : "", err));
    for (size_t i = 0; i < r->following_count; i++)
        QC_TRY(qc_buf_addf(ret, err, "%s%s", i > 0 ? ", " : ", on its way to ", r->following[i]));
    return qc_buf_addf(ret, err, "; loss budget %" PRId64 " (data %" PRId64 " of %" PRId64 ", keys 1)",
                       r->margin < 1 ? r->margin : 1, r->margin, r->margin_full);
}

qc_rc client_stored(struct client *c, qc_span name, bool folder, struct vault_put_result *r,
                    struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf line = { .max = QC_CLIENT_TEXT_MAX };
    r->degraded = client_random_warn(c) || r->degraded;
    if (r->degraded || (!c->out.quiet && !c->out.json)) /* of thousands of files what nobody reads is dear */
        QC_TRY(stored_line(name, r, &line, err));
    if (c->out.json)
        QC_TRY(item_json(c, name, r, err));
    c->written += r->written;
    QC_TRY(keeping_add(c, name, r->object, r->version, &c->kept_worst, err));
    if (r->degraded)
        return QC_FAIL(err, QC_DEGRADED, "%.*s", (int)line.n, (const char *)line.p);
    (folder ? out_reason : out_note)(&c->out, "%.*s", (int)line.n, (const char *)line.p);
    return QC_OK;
}
