#include "request.h"

#include <stdio.h>

#include "base/json.h"
#include "container.h"

void qkd_answer_done(struct qkd_answer *a)
{
    qc_secret_free(&a->body);
    *a = (struct qkd_answer){ 0 };
}

/* -- what is said ---------------------------------------------------------------------------------------- */

/* One segment of a path (RFC 3986): all but the unreserved characters are encoded. */
static qc_rc segment(const char *name, char *ret, size_t room, struct qc_err *err)
{
    const size_t n = strlen(name);
    size_t at = 0;
    if (n == 0 || n > QKD_NAME_MAX || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return QC_FAIL(err, QC_USAGE, "an SAE ID has 1 to %d bytes, and is not \".\" or \"..\"",
                       QKD_NAME_MAX);
    QC_ASSERT(room > 3 * n);
    for (size_t i = 0; i < n; i++) {
        const uint8_t c = (uint8_t)name[i];
        const bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (c < 0x20 || c == 0x7f)
            return QC_FAIL(err, QC_USAGE, "an SAE ID has a control character");
        if (alnum || c == '-' || c == '.' || c == '_' || c == '~')
            ret[at++] = (char)c;
        else
            at += (size_t)snprintf(ret + at, 4, "%%%02X", (unsigned)c);
    }
    ret[at] = '\0';
    return QC_OK;
}

qc_rc qkd_paths(struct qkd_client *c, struct qc_err *err)
{
    static const char *const last[QKD_CALLS] = { "status", "enc_keys", "dec_keys" };
    char peer[3 * QKD_NAME_MAX + 1];
    QC_TRY(segment(c->conf.peer, peer, sizeof peer, err));
    for (size_t i = 0; i < QKD_CALLS; i++) {
        const int n = snprintf(c->path[i], sizeof c->path[i], "/api/v1/keys/%s/%s", peer, last[i]);
        QC_ASSERT(n > 0 && (size_t)n < sizeof c->path[i]);
    }
    return QC_OK;
}

bool qkd_may_get(const struct qkd_client *c, const struct qkd_ask *ask)
{
    if (ask->call == QKD_DEC)
        return ask->number == 1;
    return c->conf.more_count + c->conf.must_count + c->conf.might_count == 0;
}

/* [ { "name": "value" }, .. ] */
static qc_rc add_extensions(struct json_t *body, const char *member, const struct qkd_extension *v,
                            size_t count, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *all = NULL;
    if (count == 0)
        return QC_OK;
    QC_TRY(qc_json_new_arr(&all, err));
    for (size_t i = 0; i < count; i++) {
        QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
        QC_TRY(qc_json_new_obj(&one, err));
        QC_TRY(qc_json_set_str(one, v[i].name, v[i].value, err));
        QC_TRY(qc_json_append(all, &one, err));
    }
    return qc_json_set(body, member, &all, err);
}

/* A key request (table 10). */
static qc_rc say_enc(const struct qkd_client *c, const struct qkd_ask *ask, struct json_t *body,
                     struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *more = NULL;
    QC_TRY(qc_json_set_int(body, "number", (int64_t)ask->number, err));
    QC_TRY(qc_json_set_int(body, "size", ask->bits, err));
    QC_TRY(add_extensions(body, "extension_mandatory", c->conf.must, c->conf.must_count, err));
    QC_TRY(add_extensions(body, "extension_optional", c->conf.might, c->conf.might_count, err));
    if (c->conf.more_count == 0)
        return QC_OK;
    QC_TRY(qc_json_new_arr(&more, err));
    for (size_t i = 0; i < c->conf.more_count; i++)
        QC_TRY(qc_json_append_str(more, c->conf.more[i], err));
    return qc_json_set(body, "additional_slave_SAE_IDs", &more, err);
}

/* Key IDs (table 12): objects, not strings. */
static qc_rc say_dec(const struct qkd_ask *ask, struct json_t *body, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *all = NULL;
    QC_TRY(qc_json_new_arr(&all, err));
    for (size_t i = 0; i < ask->number; i++) {
        QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
        QC_TRY(qc_json_new_obj(&one, err));
        QC_TRY(qc_json_set_str(one, "key_ID", ask->ids[i].text, err));
        QC_TRY(qc_json_append(all, &one, err));
    }
    return qc_json_set(body, "key_IDs", &all, err);
}

static qc_rc say(const struct qkd_client *c, const struct qkd_ask *ask, qc_buf *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *body = NULL;
    QC_TRY(qc_json_new_obj(&body, err));
    if (ask->call == QKD_ENC)
        QC_TRY(say_enc(c, ask, body, err));
    else
        QC_TRY(say_dec(ask, body, err));
    return qc_json_dump(body, ret, err);
}

/* -- and what comes -------------------------------------------------------------------------------------- */

struct taking {
    struct qkd_answer *answer;
    size_t max;
};

static qc_rc on_body(void *ctx, qc_span bytes, struct qc_err *err)
{
    struct taking *t = ctx;
    if (bytes.n > t->max - t->answer->n)
        return QC_FAIL(err, QC_FORMAT, "its answer has more than %zu bytes", t->max);
    memcpy((uint8_t *)t->answer->body.p + t->answer->n, bytes.p, bytes.n); /* I5: into locked memory */
    t->answer->n += bytes.n;
    return QC_OK;
}

/* The path, with a query where GET says all. */
static void path_of(const struct qkd_client *c, const struct qkd_ask *ask, char *ret, size_t room)
{
    const char *path = c->path[ask->call];
    int n = 0;
    if (!ask->get || ask->call == QKD_STATUS)
        n = snprintf(ret, room, "%s", path);
    else if (ask->call == QKD_DEC)
        n = snprintf(ret, room, "%s?key_ID=%s", path, ask->ids[0].text);
    else
        n = snprintf(ret, room, "%s?number=%zu&size=%u", path, ask->number, (unsigned)ask->bits);
    QC_ASSERT(n > 0 && (size_t)n < room);
}

qc_rc qkd_send(struct qkd_client *c, const struct qkd_ask *ask, const struct qkd_op *op,
               struct qkd_answer *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf body = { .max = 4096 + (size_t)QKD_BATCH_MAX * (QKD_ID_MAX + 32) +
                                                   (size_t)(QKD_SAES_MAX + 4 * QKD_EXTENSIONS_MAX) * 1024 };
    QC_CLEANUP(qc_buf_free) qc_buf other = { .max = QKD_TEXT_MAX };
    char path[QKD_PATH_ROOM + QKD_ID_MAX + 64];
    static const struct net_header type = { .name = "Content-Type", .value = "application/json" };
    const bool status = ask->call == QKD_STATUS, posts = !status && !ask->get;
    struct taking t = { .answer = ret,
                        .max = status ? QKD_TEXT_MAX : qkd_container_max(ask->number, ask->bits) };

    *ret = (struct qkd_answer){ 0 };
    path_of(c, ask, path, sizeof path);
    if (posts)
        QC_TRY(say(c, ask, &body, err));
    QC_TRY(qc_secret_new(&ret->body, t.max, err));
    struct net_response r = { .body = other };
    const struct net_request rq = { .method = posts ? "POST" : "GET",
                                    .path = path,
                                    .headers = &type,
                                    .header_count = posts,
                                    .body = qc_buf_span(&body),
                                    .once = !status,
                                    .write = on_body,
                                    .write_ctx = &t,
                                    .deadline = qc_deadline_min(op->deadline, qc_deadline_in(c->conf.try_ms)),
                                    .cancel = op->cancel };
    const qc_rc rc = net_request(c->net, &rq, &r, err);
    other = r.body; /* what an answer of another status says: no secret */
    ret->reach = net_client_reach(c->net);
    if (rc == QC_LIMIT)
        return QC_FAIL(err, QC_FORMAT, "its answer has more than %d bytes", QKD_TEXT_MAX);
    QC_TRY(rc);
    ret->status = r.status;
    if (r.status < 200 || r.status > 299) {
        QC_ASSERT(ret->n == 0);
        ret->n = other.n < ret->body.n ? other.n : ret->body.n;
        if (ret->n > 0)
            memcpy(ret->body.p, other.p, ret->n);
    }
    return QC_OK;
}
