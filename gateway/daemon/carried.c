#include "carried.h"

#include <string.h>

#include "base/alloc.h"
#include "base/codec.h"
#include "json.h"

struct one {
    uint32_t id;
    const char *name, *url; /* until the engine is closed */
    struct levels_view before;
    bool took;
    struct net_way way;
};
struct carried {
    unsigned count;
    struct one v[QC_GW_CLOUDS_MAX];
};

void carried_free(struct carried **c)
{
    qc_free(*c);
    *c = NULL;
}

/* Those that get new fragments, and are reached by a network. */
static void look_before(struct carried *c, struct levels *l, const struct gw_status *s)
{
    for (unsigned i = 0; i < s->cloud_count; i++) {
        const struct gw_cloud_status *cloud = &s->clouds[i];
        struct one *o = &c->v[c->count];
        if (cloud->view.role != GW_ROLE_IN_USE)
            continue;
        levels_look(l, cloud->url, &o->before);
        if (o->before.way.local)
            continue;
        o->id = cloud->view.id;
        o->name = cloud->name;
        o->url = cloud->url;
        c->count++;
    }
}

qc_rc carried_begin(struct carried **ret, struct levels *l, struct gw_engine *e, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_status *s = qc_alloc(sizeof *s);
    QC_CLEANUP(carried_free) struct carried *c = qc_alloc(sizeof *c);
    if (s == NULL || c == NULL)
        return QC_FAIL(err, QC_NOMEM, "what carries a segment");
    gw_engine_look(e, s);
    look_before(c, l, s);
    *ret = c->count == 0 ? NULL : QC_STEAL(c);
    return QC_OK;
}

static bool has(const struct gw_segment_receipt *r, uint32_t id)
{
    for (unsigned i = 0; i < r->took_count; i++)
        if (r->took[i] == id)
            return true;
    return false;
}

void carried_end(struct carried *c, struct levels *l, const struct gw_segment_receipt *r)
{
    for (unsigned i = 0; c != NULL && i < c->count; i++) {
        struct one *o = &c->v[i];
        struct levels_view after;
        o->took = has(r, o->id);
        if (!o->took)
            continue;
        levels_look(l, o->url, &after);
        net_way_between(&o->way, after.way.want.least, o->before.known ? &o->before.state : NULL,
                        after.known ? &after.state : NULL);
    }
}

static qc_rc one_json(const struct one *o, struct json_t **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_TRY(qc_json_new_obj(&j, err));
    QC_TRY(qc_json_set_str(j, "cloud", o->name, err));
    QC_TRY(qc_json_set_str(j, "level", net_level_name(o->way.level), err));
    QC_TRY(json_count(j, "keys", o->way.keys, err));
    QC_TRY(qc_json_set_str(j, "first", o->way.first, err));
    QC_TRY(qc_json_set_str(j, "last", o->way.last, err));
    QC_TRY(json_count(j, "pad_first", o->way.pad_first, err));
    QC_TRY(json_count(j, "pad_last", o->way.pad_last, err));
    *ret = QC_STEAL(j);
    return QC_OK;
}

qc_rc carried_json(const struct carried *c, struct json_t *o, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    QC_TRY(qc_json_new_arr(&list, err));
    for (unsigned i = 0; c != NULL && i < c->count; i++) {
        QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
        if (!c->v[i].took)
            continue;
        QC_TRY(one_json(&c->v[i], &one, err));
        QC_TRY(qc_json_append(list, &one, err));
    }
    return qc_json_set(o, "ways", &list, err);
}

/* `CLOUD=WAY`, a blank between. */
static qc_rc text_of(const struct carried *c, qc_buf *ret, struct qc_err *err)
{
    for (unsigned i = 0; i < c->count; i++) {
        if (!c->v[i].took)
            continue;
        QC_TRY(qc_buf_addf(ret, err, "%s%s=", ret->n == 0 ? "" : " ", c->v[i].name));
        QC_TRY(net_way_print(&c->v[i].way, ret, err));
    }
    return qc_buf_add(ret, qc_span_of("", 1), err);
}

void carried_note(const struct carried *c, struct gw_audit *log, const struct gw_segment_put *p)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_GW_AUDIT_WAYS_MAX };
    char key[2 * GW_ID_BYTES + 1];
    struct qc_err err = { 0 };
    if (c == NULL || log == NULL)
        return;
    const qc_rc rc = text_of(c, &text, &err);
    if (rc != QC_OK)
        qc_log_err(QC_LOG_WARN, "what carried a segment is not in the audit log", &err);
    qc_hex(gw_id_span(&p->put_key), key);
    GW_AUDIT(log, "carried", QC_U("tenant", p->tenant), QC_S("put_key", key), QC_U("segment", p->seq),
             QC_U("bytes", p->size), QC_S("ways", rc == QC_OK ? (const char *)text.p : ""));
}
