#include <inttypes.h>
#include <stdio.h>

#include "caller.h"
#include "calls.h"
#include "debt_report.h"
#include "drill_report.h"
#include "json.h"
#include "judge.h"
#include "keyed.h"
#include "log_level.h"
#include "scrub_report.h"

static qc_rc health_json(struct json_t *o, const struct gw_health *h, struct qc_err *err)
{
    QC_TRY(qc_json_set_hex(o, "catalogue", gw_id_span(&h->catalogue), err));
    QC_TRY(qc_json_set_int(o, "incarnation", h->incarnation, err));
    return qc_json_set_bool(o, "fenced", h->fenced, err);
}

qc_rc call_health(struct request *r, struct answer *ret, struct qc_err *err)
{
    struct gw_health h;
    gw_engine_health(request_engine(r), &h);
    QC_TRY(qc_json_new_obj(&ret->json, err));
    QC_TRY(qc_json_set_bool(ret->json, "ok", !h.fenced, err));
    QC_TRY(qc_json_set_str(ret->json, "version", QC_VERSION, err));
    return health_json(ret->json, &h, err);
}

/* Its link, as that says itself. */
static qc_rc link_json(struct json_t *o, const struct levels_view *v, struct qc_err *err)
{
    const struct net_link_state *s = &v->state;
    QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
    if (v->way.link[0] == '\0')
        return qc_json_set_null(o, "link", err);
    QC_TRY(qc_json_new_obj(&one, err));
    QC_TRY(qc_json_set_str(one, "name", s->link, err));
    QC_TRY(
        qc_json_set_str(one, "now", net_level_name(s->now), err)); /* unknown: down, for all that is known */
    QC_TRY(qc_json_set_bool(one, "ready", s->ready, err));
    QC_TRY(qc_json_set_str(one, "key_id", s->key_id, err));
    QC_TRY(qc_json_set_int(one, "key_s", (int64_t)s->key_s, err));
    QC_TRY(json_count(one, "key_bytes", s->key_bytes, err));
    QC_TRY(json_count(one, "pad_send", s->pad_send, err));
    QC_TRY(json_count(one, "pad_receive", s->pad_receive, err));
    QC_TRY(qc_json_set_str(one, "why", v->why.rc == QC_OK ? "" : v->why.msg, err));
    return qc_json_set(o, "link", &one, err);
}

qc_rc way_json(struct json_t *o, struct levels *l, const char *url, struct qc_err *err)
{
    struct levels_view v;
    levels_look(l, url, &v);
    QC_TRY(qc_json_set_str(o, "level", v.way.local ? "local" : net_level_name(v.way.want.least), err));
    return link_json(o, &v, err);
}

static qc_rc clouds_json(struct json_t *o, const struct gw_status *s, struct levels *l, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    QC_TRY(qc_json_new_arr(&list, err));
    for (unsigned i = 0; i < s->cloud_count; i++) {
        const struct gw_cloud_status *c = &s->clouds[i];
        QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
        QC_CLEANUP(qc_json_free) struct json_t *scrub = NULL;
        QC_TRY(qc_json_new_obj(&one, err));
        QC_TRY(qc_json_set_int(one, "id", c->view.id, err));
        QC_TRY(qc_json_set_str(one, "name", c->name, err));
        QC_TRY(qc_json_set_str(one, "url", c->url, err));
        QC_TRY(qc_json_set_str(one, "state", gw_cloud_state_name(c->view.state), err));
        char why[GW_WHY_MAX + 32] = "";
        if (c->view.why[0] != '\0')
            (void)snprintf(why, sizeof why, "%s", c->view.why);
        else if (c->view.trouble[0] != '\0')
            (void)snprintf(why, sizeof why, "the last write failed: %s", c->view.trouble);
        QC_TRY(qc_json_set_str(one, "why", why, err));
        QC_TRY(qc_json_set_int(one, "seen", c->view.seen_s, err));
        QC_TRY(qc_json_set_int(one, "free", c->free, err));
        QC_TRY(qc_json_set_str(one, "breaker", gw_breaker_state_name(c->view.breaker), err));
        QC_TRY(debts_json(one, c, err));
        QC_TRY(scrub_cloud_json(&scrub, &c->scrub, err));
        QC_TRY(qc_json_set(one, "scrub", &scrub, err));
        QC_TRY(way_json(one, l, c->url, err));
        QC_TRY(qc_json_append(list, &one, err));
    }
    return qc_json_set(o, "clouds", &list, err);
}

static qc_rc margins_json(struct json_t *o, const struct gw_status *s, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    QC_TRY(qc_json_new_arr(&list, err));
    for (unsigned i = 0; i < s->margin_count; i++) {
        QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
        QC_TRY(qc_json_new_obj(&one, err));
        QC_TRY(qc_json_set_int(one, "margin", s->margins[i].margin, err));
        QC_TRY(json_count(one, "versions", s->margins[i].versions, err));
        QC_TRY(qc_json_append(list, &one, err));
    }
    return qc_json_set(o, "margins", &list, err);
}

static qc_rc whole_json(const struct gw_status *s, enum gw_domain kind, struct json_t **ret,
                        struct qc_err *err)
{
    const struct gw_whole *w = &s->wholes[kind - 1];
    QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *names = NULL;
    QC_TRY(qc_json_new_obj(&one, err));
    QC_TRY(qc_json_new_arr(&names, err));
    for (unsigned i = 0; i < s->cloud_count; i++)
        if (w->not_borne >> i & 1)
            QC_TRY(qc_json_append_str(names, gw_whole_name(s, kind, i), err));
    QC_TRY(qc_json_set_str(one, "kind", gw_domain_name(kind), err));
    QC_TRY(qc_json_set_int(one, "count", w->count, err));
    QC_TRY(qc_json_set_int(one, "most_clouds", w->most, err));
    QC_TRY(qc_json_set_int(one, "unlabelled", w->unlabelled, err));
    QC_TRY(qc_json_set_bool(one, "borne", w->not_borne == 0, err));
    QC_TRY(qc_json_set(one, "not_borne", &names, err));
    *ret = QC_STEAL(one);
    return QC_OK;
}

static qc_rc wholes_json(struct json_t *o, const struct gw_status *s, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    QC_TRY(qc_json_new_arr(&list, err));
    for (enum gw_domain kind = GW_DOMAIN_PROVIDER; kind <= GW_DOMAIN_JURISDICTION; kind++) {
        QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
        if (s->wholes[kind - 1].labelled == 0)
            continue;
        QC_TRY(whole_json(s, kind, &one, err));
        QC_TRY(qc_json_append(list, &one, err));
    }
    return qc_json_set(o, "whole_losses", &list, err);
}

static qc_rc faults_json(struct json_t *o, const struct gw_status *s, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    QC_TRY(qc_json_new_arr(&list, err));
    for (unsigned i = 0; i < s->cloud_count; i++)
        for (unsigned kind = 0; kind <= GW_FAULT_LOST; kind++) {
            QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
            if (s->read_faults[i][kind] == 0)
                continue;
            QC_TRY(qc_json_new_obj(&one, err));
            QC_TRY(qc_json_set_str(one, "cloud", s->clouds[i].name, err));
            QC_TRY(qc_json_set_str(one, "kind", gw_fault_kind_name((enum gw_fault_kind)kind), err));
            QC_TRY(json_count(one, "count", s->read_faults[i][kind], err));
            QC_TRY(qc_json_append(list, &one, err));
        }
    return qc_json_set(o, "read_faults", &list, err);
}

static qc_rc counts_json(struct json_t *o, const struct gw_status *s, struct qc_err *err)
{
    const struct json_row rows[] = { { "k", s->k },
                                     { "n", s->n },
                                     { "write_quorum", s->write_quorum },
                                     { "record_quorum", s->record_quorum },
                                     { "objects", s->objects },
                                     { "versions", s->versions },
                                     { "bytes", s->bytes },
                                     { "debts", s->debts },
                                     { "record_debts", s->record_debts },
                                     { "log_sequence", s->log_sequence },
                                     { "open_uploads", s->open_uploads },
                                     { "dead_segments", s->dead_segments },
                                     { "bundle_dead_bytes", s->repack.bytes },
                                     { "bundles_repacked", s->repack.repacked },
                                     { "other_code", s->other_code } };
    return json_counts(o, rows, sizeof rows / sizeof rows[0], err);
}

static qc_rc root_json(struct json_t *o, const struct gw_status *s, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *root = NULL;
    QC_TRY(qc_json_new_obj(&root, err));
    QC_TRY(qc_json_set_str(root, "where", s->root_count > 0 ? "clouds" : "kit", err));
    QC_TRY(qc_json_set_int(root, "threshold", s->root_threshold, err));
    QC_TRY(qc_json_set_int(root, "count", s->root_count, err));
    return qc_json_set(o, "root_key", &root, err);
}

static qc_rc snapshot_json(struct json_t *o, const struct gw_snapshot_view *v, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
    QC_TRY(qc_json_new_obj(&one, err));
    QC_TRY(qc_json_set_int(one, "taken", v->taken_s, err));
    QC_TRY(json_count(one, "log_sequence", v->log_sequence, err));
    QC_TRY(json_count(one, "behind", v->behind, err));
    QC_TRY(json_count(one, "packs", v->packs, err));
    QC_TRY(json_count(one, "bytes", v->bytes, err));
    QC_TRY(qc_json_set_int(one, "tried", v->tried_s, err));
    QC_TRY(qc_json_set_str(one, "why", v->why, err));
    return qc_json_set(o, "snapshot", &one, err);
}

/* -- the verdict ----------------------------------------------------------------------------------------- */

struct reasons {
    struct json_t *list;
    qc_rc rc;
    struct qc_err *err;
};

static qc_rc add_reason(struct json_t *list, const struct judge_reason *r, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
    QC_TRY(qc_json_new_obj(&one, err));
    QC_TRY(qc_json_set_str(one, "level", judge_level_name(r->level), err));
    QC_TRY(qc_json_set_str(one, "what", r->what, err));
    QC_TRY(qc_json_set_str(one, "advice", r->advice, err));
    QC_TRY(qc_json_set_bool(one, "drill", r->drill, err));
    return qc_json_append(list, &one, err);
}

static void take_reason(void *ctx, const struct judge_reason *r)
{
    struct reasons *all = ctx;
    if (all->rc == QC_OK)
        all->rc = add_reason(all->list, r, all->err);
}

static qc_rc verdict_json(struct json_t *o, struct gw_engine *e, const struct gw_status *s,
                          struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *verdict = NULL;
    struct gw_audit_view audit = { 0 };
    struct reasons all = { .err = err };
    if (gw_engine_audit(e) != NULL)
        gw_audit_look(gw_engine_audit(e), &audit);
    const struct judge_source src = { .status = s, .audit_failing = audit.failing, .now_s = qc_wall_s() };
    QC_TRY(qc_json_new_obj(&verdict, err));
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    QC_TRY(qc_json_new_arr(&list, err));
    all.list = list;
    const enum judge_level worst = judge(&src, take_reason, &all);
    QC_TRY(all.rc);
    QC_TRY(qc_json_set_str(verdict, "level", judge_level_name(worst), err));
    QC_TRY(qc_json_set(verdict, "reasons", &list, err));
    return qc_json_set(o, "verdict", &verdict, err);
}

qc_rc status_json(struct json_t **ret, struct gw_engine *e, struct levels *l, struct qc_err *err)
{
    struct gw_status s;
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    QC_TRY(gw_engine_status(e, &s, err));
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(health_json(o, &s.health, err));
    QC_TRY(counts_json(o, &s, err));
    QC_TRY(clouds_json(o, &s, l, err));
    QC_TRY(margins_json(o, &s, err));
    QC_TRY(wholes_json(o, &s, err));
    QC_TRY(root_json(o, &s, err));
    QC_TRY(faults_json(o, &s, err));
    QC_TRY(snapshot_json(o, &s.snapshot, err));
    QC_TRY(qc_json_set_str(o, "repack_why", s.repack.why, err));
    QC_TRY(qc_json_set_str(o, "fenced_why", s.fenced_why, err));
    QC_TRY(qc_json_set_bool(o, "paying", s.paying, err));
    QC_TRY(qc_json_set_int(o, "observed", s.observed_s, err));
    QC_TRY(qc_json_set_int(o, "counted", s.counted_s, err));
    QC_TRY(qc_json_set_int(o, "oldest", s.oldest_s, err));
    QC_TRY(drills_json(o, e, &s.drills, err));
    QC_TRY(verdict_json(o, e, &s, err));
    *ret = QC_STEAL(o);
    return QC_OK;
}

/* The door keyed by QKD. */
static qc_rc door_json(struct json_t *o, struct keyed *k, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    struct keyed_counts c;
    keyed_look(k, &c);
    QC_TRY(qc_json_new_obj(&j, err));
    QC_TRY(qc_json_set_str(j, "level", net_level_name(NET_QKD_TLS), err));
    QC_TRY(qc_json_set_str(j, "link", c.link, err));
    QC_TRY(json_count(j, "connections", c.connections, err));
    QC_TRY(json_count(j, "keys", c.keys, err));
    QC_TRY(json_count(j, "refused", c.refused, err));
    QC_TRY(qc_json_set_str(j, "peer", c.peer, err));
    QC_TRY(qc_json_set_str(j, "key_id", c.key_id, err));
    return qc_json_set(o, "door", &j, err);
}

qc_rc call_status(struct request *r, struct answer *ret, struct qc_err *err)
{
    struct keyed *keyed = atomic_load(&r->server->keyed);
    if (!r->door->owner)
        return tenant_status_json(&ret->json, request_engine(r), r->tenant, err);
    QC_TRY(status_json(&ret->json, request_engine(r), &r->server->levels, err));
    QC_TRY(log_level_json(ret->json, err));
    return keyed == NULL ? QC_OK : door_json(ret->json, keyed, err);
}

/* keys: of objects on clouds, which are the operator's to know. */
static qc_rc request_faults(struct json_t *o, struct gw_engine *e, const struct gw_request *q, bool keys,
                            struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    QC_TRY(qc_json_new_arr(&list, err));
    for (unsigned i = 0; i < q->count; i++) {
        QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
        QC_TRY(qc_json_new_obj(&one, err));
        QC_TRY(qc_json_set_str(one, "cloud", gw_engine_cloud_name(e, q->faults[i].cloud_id), err));
        QC_TRY(qc_json_set_str(one, "kind", gw_fault_kind_name(q->faults[i].kind), err));
        QC_TRY(json_count(one, "count", q->faults[i].count, err));
        QC_TRY(qc_json_set_str(one, "key", keys ? q->faults[i].key : "", err));
        QC_TRY(qc_json_append(list, &one, err));
    }
    return qc_json_set(o, "faults", &list, err);
}

qc_rc call_request(struct request *r, struct answer *ret, struct qc_err *err)
{
    struct gw_request q = { 0 };
    QC_CLEANUP(qc_json_free) struct json_t *error = NULL;
    QC_TRY(gw_request_get(request_engine(r), r->tenant, r->name, &q, err));
    QC_TRY(qc_json_new_obj(&ret->json, err));
    QC_TRY(request_faults(ret->json, request_engine(r), &q, r->door->owner, err));
    if (q.rc == QC_OK)
        return qc_json_set_null(ret->json, "error", err);
    QC_TRY(qc_json_new_obj(&error, err));
    QC_TRY(qc_json_set_str(error, "id", qc_rc_name(q.rc), err));
    const struct qc_err why = { .rc = q.rc };
    QC_TRY(qc_json_set_str(error, "message", r->door->owner ? q.message : caller_told(r, &why), err));
    return qc_json_set(ret->json, "error", &error, err);
}

static void version_ids(const struct request *r, struct gw_version_ids *ret)
{
    *ret = (struct gw_version_ids){
        .tenant = r->tenant, .vault = r->id[0], .object = r->id[1], .version = r->id[2]
    };
}

qc_rc call_backup(struct request *r, struct answer *ret, struct qc_err *err)
{
    struct gw_version_ids ids;
    version_ids(r, &ids);
    ret->raw.max = QC_GW_BACKUP_MAX;
    return gw_version_backup(request_engine(r), &ids, &ret->raw, err);
}

static qc_rc info_clouds(struct json_t *o, struct gw_engine *e, const struct gw_version_info *info,
                         struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *list = NULL;
    QC_TRY(qc_json_new_arr(&list, err));
    for (unsigned i = 0; i < info->cloud_count; i++) {
        QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
        QC_TRY(qc_json_new_obj(&one, err));
        QC_TRY(qc_json_set_str(one, "name", gw_engine_cloud_name(e, info->clouds[i].cloud_id), err));
        QC_TRY(json_count(one, "fragments", info->clouds[i].fragments, err));
        QC_TRY(json_count(one, "missing", info->clouds[i].missing, err));
        QC_TRY(json_count(one, "bytes", info->clouds[i].bytes, err));
        QC_TRY(qc_json_append(list, &one, err));
    }
    return qc_json_set(o, "clouds", &list, err);
}

/* Over all its clouds: when each was looked at is the operator's business. */
static qc_rc info_ages(struct json_t *o, const struct gw_version_info *info, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *seen = NULL;
    QC_TRY(qc_json_new_obj(&seen, err));
    for (enum gw_depth depth = GW_PRESENCE; depth <= GW_CONTENT; depth++)
        QC_TRY(qc_json_set_int(seen, gw_depth_name(depth), info->seen_s[depth - 1], err));
    QC_TRY(qc_json_set_int(o, "written", info->written_s, err));
    return qc_json_set(o, "seen", &seen, err);
}

qc_rc call_info(struct request *r, struct answer *ret, struct qc_err *err)
{
    struct gw_version_ids ids;
    struct gw_version_info info = { 0 };
    version_ids(r, &ids);
    QC_TRY(gw_version_info(request_engine(r), &ids, &info, err));
    QC_TRY(qc_json_new_obj(&ret->json, err));
    QC_TRY(json_count(ret->json, "size", info.size, err));
    QC_TRY(qc_json_set_int(ret->json, "k", info.k, err));
    QC_TRY(qc_json_set_int(ret->json, "n", info.n, err));
    QC_TRY(qc_json_set_str(ret->json, "state", info.old ? "old" : "live", err));
    QC_TRY(qc_json_set_int(ret->json, "acked_margin", info.acked_margin, err));
    QC_TRY(qc_json_set_int(ret->json, "margin", info.margin, err));
    QC_TRY(json_count(ret->json, "kept", (uint64_t)info.kept_s, err));
    QC_TRY(info_ages(ret->json, &info, err));
    QC_TRY(json_count(ret->json, "segments", info.segments, err));
    return info_clouds(ret->json, request_engine(r), &info, err);
}

/* What a drill does without; the operator and tenants may: a read, and one that fails sooner. */
static qc_rc withhold(struct request *r, struct answer *ret, struct qc_err *err)
{
    const char *names = request_argument(r, "without");
    if (names == NULL)
        return QC_OK;
    if (gw_engine_clouds_named(request_engine(r), names, &ret->withheld, err) != QC_OK) {
        err->rc = QC_USAGE; /* of the call; what it is about is there */
        return QC_USAGE;
    }
    gw_reader_withhold(ret->reader, ret->withheld);
    return QC_OK;
}

qc_rc call_content(struct request *r, struct answer *ret, struct qc_err *err)
{
    struct gw_version_ids ids;
    bool partial = false;
    const char *range = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_RANGE);
    version_ids(r, &ids);
    QC_TRY(gw_reader_open(request_engine(r), &ids, r->name, &ret->reader, &ret->size, err));
    qc_rc rc = withhold(r, ret, err);
    if (rc != QC_OK) {
        gw_reader_close(&ret->reader);
        return rc;
    }
    rc = range_parse(range, ret->size, &ret->from, &ret->to, &partial, err);
    if (rc != QC_OK) {
        gw_reader_close(&ret->reader);
        r->refused = MHD_HTTP_RANGE_NOT_SATISFIABLE;
        r->header = MHD_HTTP_HEADER_CONTENT_RANGE;
        (void)snprintf(r->header_text, sizeof r->header_text, "bytes */%" PRIu64, ret->size);
        return rc;
    }
    ret->status = partial ? MHD_HTTP_PARTIAL_CONTENT : MHD_HTTP_OK;
    return QC_OK;
}
