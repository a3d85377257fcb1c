/* How a put fares on each cloud, as its gateway says: for people. Whatever fails here is no matter of the
 * put's: what was known stays. The caller's own connection asks; segments have theirs. */
#include "put.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/codec.h"
#include "base/json.h"

enum { ASK_MS = 2000, PATH_MAX_BYTES = 64 };

static const char *const states[] = { [VAULT_CLOUD_OK] = "ok",
                                      [VAULT_CLOUD_WRITING] = "writing",
                                      [VAULT_CLOUD_RETRYING] = "retrying",
                                      [VAULT_CLOUD_FAILED] = "failed" };
enum { STATES = sizeof states / sizeof states[0] };

const char *vault_cloud_state(const struct vault_cloud_fares *c)
{
    return states[c->state];
}

static qc_rc parse_one(const struct json_t *o, struct vault_cloud_fares *ret, struct qc_err *err)
{
    const char *name = NULL, *state = NULL, *why = NULL;
    int64_t durable = 0, failed = 0, tries = 0;
    QC_TRY(qc_json_str(o, "name", &name, err));
    QC_TRY(qc_json_str(o, "state", &state, err));
    QC_TRY(qc_json_str(o, "why", &why, err));
    QC_TRY(qc_json_int(o, "durable", 0, INT64_MAX, &durable, err));
    QC_TRY(qc_json_int(o, "failed", 0, INT64_MAX, &failed, err));
    QC_TRY(qc_json_int(o, "tries", 0, INT64_MAX, &tries, err));
    unsigned at = 0;
    while (at < STATES && strcmp(states[at], state) != 0)
        at++;
    if (at == STATES)
        return QC_FAIL(err, QC_FORMAT, "a cloud's state is '%.40s'", state);
    (void)snprintf(ret->name, sizeof ret->name, "%s", name);
    (void)snprintf(ret->why, sizeof ret->why, "%s", why);
    ret->state = at;
    ret->durable = (uint64_t)durable;
    ret->failed = (uint64_t)failed;
    ret->tries = (uint64_t)tries;
    return QC_OK;
}

static qc_rc parse(qc_span text, struct vault_clouds *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    struct json_t *list = NULL;
    QC_TRY(qc_json_parse(&j, text, err));
    QC_TRY(qc_json_arr(j, "clouds", &list, err));
    if (qc_json_len(list) > VAULT_CLOUDS_MAX)
        return QC_FAIL(err, QC_FORMAT, "%zu clouds", qc_json_len(list));
    ret->count = qc_json_len(list);
    for (size_t i = 0; i < ret->count; i++)
        QC_TRY(parse_one(qc_json_at(list, i), &ret->v[i], err));
    return QC_OK;
}

static qc_rc ask_text(struct vault *v, const uint8_t put_key[16], const struct vault_call *call, qc_buf *ret,
                      struct qc_err *err)
{
    char path[PATH_MAX_BYTES], key[33];
    struct vault_op op = call->op;
    op.deadline = qc_deadline_min(op.deadline, qc_deadline_in(ASK_MS));
    qc_hex(qc_span_of(put_key, 16), key);
    (void)snprintf(path, sizeof path, "/v1/uploads/%s/clouds", key);
    return v->gw->ops->operate(v->gw, &(struct vault_gw_operation){ "GET", path, { 0 } }, ret, &op, err);
}

static qc_rc ask(struct vault *v, const uint8_t put_key[16], const struct vault_call *call,
                 struct vault_clouds *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_JSON_MAX };
    QC_TRY(ask_text(v, put_key, call, &text, err));
    return parse(qc_buf_span(&text), ret, err);
}

static qc_rc sum_bytes(qc_span text, uint64_t *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    struct json_t *list = NULL;
    uint64_t sum = 0;
    QC_TRY(qc_json_parse(&j, text, err));
    QC_TRY(qc_json_arr(j, "clouds", &list, err));
    for (size_t i = 0; i < qc_json_len(list); i++) {
        int64_t bytes = 0;
        QC_TRY(qc_json_int(qc_json_at(list, i), "bytes", 0, INT64_MAX, &bytes, err));
        if (!qc_add_u64(sum, (uint64_t)bytes, &sum))
            return QC_FAIL(err, QC_FORMAT, "bytes beyond 2^64");
    }
    *ret = sum;
    return QC_OK;
}

uint64_t put_clouds_written(struct vault *v, const uint8_t put_key[16], const struct vault_call *call)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_JSON_MAX };
    struct qc_err none = { 0 };
    uint64_t bytes = 0;
    if (!call->metered || ask_text(v, put_key, call, &text, &none) != QC_OK ||
        sum_bytes(qc_buf_span(&text), &bytes, &none) != QC_OK)
        return 0;
    return bytes;
}

void put_clouds_look_at(struct vault *v, const uint8_t put_key[16], const struct vault_call *call,
                        struct vault_clouds **clouds, uint64_t *ms)
{
    const uint64_t now = qc_now_ms();
    struct qc_err none = { 0 };
    if (*ms != 0 && now - *ms < QC_CLIENT_CLOUDS_MS)
        return;
    *ms = now;
    QC_CLEANUP(qc_free_ptr) struct vault_clouds *fresh = qc_alloc(sizeof *fresh);
    if (fresh == NULL || ask(v, put_key, call, fresh, &none) != QC_OK)
        return; /* one that knows no such call, or is busy */
    qc_free(*clouds);
    *clouds = QC_STEAL(fresh);
}

const struct vault_clouds *put_clouds_look(struct put *p, uint64_t done)
{
    const uint64_t now = qc_now_ms();
    if (p->moved_ms == 0 || done != p->moved) {
        p->moved = done;
        p->moved_ms = now;
    }
    const bool stands = p->call->progress != NULL && now - p->moved_ms >= QC_CLIENT_STALL_MS;
    if (!p->begun || (!p->call->clouds && !stands))
        return NULL;
    put_clouds_look_at(p->v, p->ids.put_key, p->call, &p->clouds, &p->clouds_ms);
    return p->clouds;
}
