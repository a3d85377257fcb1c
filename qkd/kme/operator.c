#include "operator.h"

#include <math.h>
#include <string.h>

#include "answer.h"
#include "base/alloc.h"
#include "base/json.h"
#include "base/log.h"
#include "base/time.h"
#include "fault.h"
#include "supply_internal.h"

enum { REAP_MS = 1000 };
enum { WRITE_MS = 10000 }; /* a crash forgets what links yielded since; that is only less */

/* -- what is seen ---------------------------------------------------------------------------------------- */

static qc_rc link_json(const struct kme_network *net, const struct kme_link *l, struct json_t **ret,
                       struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_TRY(qc_json_new_obj(&j, err));
    QC_TRY(qc_json_set_str(j, "id", l->id, err));
    QC_TRY(qc_json_set_str(j, "a", net->node[l->a], err));
    QC_TRY(qc_json_set_str(j, "b", net->node[l->b], err));
    QC_TRY(qc_json_set_str(j, "state", kme_link_state(net, l), err));
    QC_TRY(qc_json_set_int(j, "rate_bps", (int64_t)kme_link_yield(net, l), err));
    QC_TRY(qc_json_set_int(j, "configured_bps", (int64_t)l->rate_conf, err));
    QC_TRY(qc_json_set_int(j, "bits", (int64_t)l->bits, err));
    QC_TRY(qc_json_set_int(j, "cap_bits", (int64_t)l->cap, err));
    QC_TRY(qc_json_set_int(j, "used_bits", (int64_t)l->used, err));
    QC_TRY(qc_json_set_int(j, "use_bps", (int64_t)qkd_use_bps(&l->use, net->clock_ms, false), err));
    QC_TRY(qc_json_set_int(j, "use_day_bps", (int64_t)qkd_use_bps(&l->use, net->clock_ms, true), err));
    if (isfinite(kme_link_dry_s(net, l)))
        QC_TRY(qc_json_set_real(j, "dry_s", kme_link_dry_s(net, l), err));
    else
        QC_TRY(qc_json_set_null(j, "dry_s", err));
    if (l->qber > 0)
        QC_TRY(qc_json_set_real(j, "qber", l->qber, err));
    if (l->km > 0)
        QC_TRY(qc_json_set_real(j, "km", l->km, err));
    *ret = QC_STEAL(j);
    return QC_OK;
}

static qc_rc node_json(const struct kme_network *net, unsigned node, struct json_t **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    const struct kme_door *door = kme_network_door(net, node);
    QC_TRY(qc_json_new_obj(&j, err));
    QC_TRY(qc_json_set_str(j, "id", net->node[node], err));
    QC_TRY(qc_json_set_str(j, "state", net->seized[node] ? "seized" : "up", err));
    if (door != NULL)
        QC_TRY(qc_json_set_str(j, "kme", door->id, err));
    *ret = QC_STEAL(j);
    return QC_OK;
}

static qc_rc lists_json(const struct kme_network *net, struct json_t *to, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *links = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *nodes = NULL;
    QC_TRY(qc_json_new_arr(&links, err));
    QC_TRY(qc_json_new_arr(&nodes, err));
    for (unsigned i = 0; i < net->links; i++) {
        struct json_t *j = NULL;
        QC_TRY(link_json(net, &net->link[i], &j, err));
        QC_TRY(qc_json_append(links, &j, err));
    }
    for (unsigned i = 0; i < net->nodes; i++) {
        struct json_t *j = NULL;
        QC_TRY(node_json(net, i, &j, err));
        QC_TRY(qc_json_append(nodes, &j, err));
    }
    QC_TRY(qc_json_set(to, "links", &links, err));
    return qc_json_set(to, "nodes", &nodes, err);
}

/* Under the lock. */
static qc_rc network_json(struct kme *k, struct json_t **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    uint64_t waiting = 0;
    QC_TRY(kme_store_waiting(k->store, &waiting, err));
    QC_TRY(qc_json_new_obj(&j, err));
    QC_TRY(qc_json_set_int(j, "since_s", k->since_s, err));
    QC_TRY(qc_json_set_int(j, "supplied_keys", (int64_t)k->supplied, err));
    QC_TRY(qc_json_set_int(j, "waiting_keys", (int64_t)waiting, err));
    QC_TRY(qc_json_set_real(j, "qber_alarm", k->net->qber_alarm, err));
    QC_TRY(lists_json(k->net, j, err));
    *ret = QC_STEAL(j);
    return QC_OK;
}

qc_rc kme_network_json(struct kme *k, struct kme_answer *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_LOCK(&k->lock);
    kme_catch_up(k);
    QC_TRY(network_json(k, &j, err));
    return kme_answer_json(ret, 200, j, err);
}

/* -- which keys a node has seen -------------------------------------------------------------------------- */

static qc_rc record_json(const struct kme_record *r, struct json_t *to, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_TRY(qc_json_new_obj(&j, err));
    QC_TRY(qc_json_set_str(j, "key_ID", r->key_id, err));
    QC_TRY(qc_json_set_str(j, "master_SAE_ID", r->master, err));
    QC_TRY(qc_json_set_str(j, "slave_SAE_ID", r->slave, err));
    QC_TRY(qc_json_set_str(j, "nodes", r->exposed, err));
    QC_TRY(qc_json_set_int(j, "at_s", r->at_s, err));
    return qc_json_append(to, &j, err);
}

/* *at: the sequence behind which it begins, then that of the last one that is listed. */
static qc_rc list_exposed(struct kme_store *s, const char *node, struct json_t *to, int64_t *at, bool *more,
                          struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct kme_record *r = qc_alloc(sizeof *r);
    if (r == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", sizeof *r);
    *more = false;
    for (unsigned i = 0;; i++) {
        const qc_rc rc = kme_store_exposed(s, node, *at, r, err);
        if (rc == QC_NOTFOUND)
            return QC_OK;
        QC_TRY(rc);
        *more = i == KME_EXPOSED_PAGE;
        if (*more)
            return QC_OK;
        QC_TRY(record_json(r, to, err));
        *at = r->sequence;
    }
}

qc_rc kme_exposed(struct kme *k, const char *node, const char *after, struct kme_answer *ret,
                  struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *keys = NULL;
    qc_span digits = qc_span_str(after == NULL ? "0" : after);
    uint64_t from = 0;
    int64_t at = 0;
    bool is = false, more = false;
    if (digits.n > 18 || !kme_digits(&digits, &from))
        return kme_error(ret, 400, "after is no number", err);
    at = (int64_t)from;
    QC_LOCK(&k->lock);
    for (unsigned i = 0; i < k->net->nodes; i++)
        is |= strcmp(k->net->node[i], node) == 0;
    if (!is)
        return kme_error(ret, 404, "there is no node of this name", err);
    QC_TRY(qc_json_new_obj(&j, err));
    QC_TRY(qc_json_new_arr(&keys, err));
    QC_TRY(list_exposed(k->store, node, keys, &at, &more, err));
    QC_TRY(qc_json_set(j, "keys", &keys, err));
    if (more)
        QC_TRY(qc_json_set_int(j, "next", at, err));
    return kme_answer_json(ret, 200, j, err);
}

/* -- what is done ---------------------------------------------------------------------------------------- */

static qc_rc write_links(struct kme_store *s, const struct kme_network *net, struct qc_err *err)
{
    for (unsigned i = 0; i < net->links; i++)
        QC_TRY(kme_store_link(s, &net->link[i], net->link[i].bits, err));
    return QC_OK;
}

/* What came of a fault. */
struct outcome {
    int64_t erased;   /* copies that waited */
    uint64_t exposed; /* keys of the record that the node has seen */
};

/* I4: durable, then so. after: the network with the fault in it. */
static qc_rc commit_fault(struct kme *k, const struct kme_fault *f, struct kme_network *after,
                          struct outcome *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(kme_store_begin(k->store, &tx, err));
    QC_TRY(write_links(k->store, after, err));
    QC_TRY(kme_store_nodes(k->store, after, err));
    if (f->kind == KME_NODE_SEIZE) {
        QC_TRY(kme_store_lose(k->store, k->net->node[f->at], &ret->erased, err));
        QC_TRY(kme_store_exposed_count(k->store, k->net->node[f->at], &ret->exposed, err));
    }
    QC_TRY(qc_tx_commit(&tx, err));
    *k->net = *after;
    return QC_OK;
}

static qc_rc outcome_json(struct kme *k, const struct kme_fault *f, const struct outcome *o,
                          struct kme_answer *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    struct json_t *what = NULL;
    QC_TRY(qc_json_new_obj(&j, err));
    if (kme_fault_of_node(f->kind))
        QC_TRY(node_json(k->net, f->at, &what, err));
    else
        QC_TRY(link_json(k->net, &k->net->link[f->at], &what, err));
    QC_TRY(qc_json_set(j, kme_fault_of_node(f->kind) ? "node" : "link", &what, err));
    if (f->kind == KME_NODE_SEIZE) {
        QC_TRY(qc_json_set_int(j, "erased_keys", o->erased, err));
        QC_TRY(qc_json_set_int(j, "exposed_keys", (int64_t)o->exposed, err));
    }
    return kme_answer_json(ret, 200, j, err);
}

qc_rc kme_fault(struct kme *k, qc_span body, struct kme_answer *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct kme_network *after = qc_alloc(sizeof *after);
    struct kme_fault f = { 0 };
    struct outcome o = { 0 };
    if (after == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", sizeof *after);
    QC_LOCK(&k->lock);
    const qc_rc rc = kme_fault_parse(&f, k->net, body, err);
    if (rc == QC_USAGE || rc == QC_NOTFOUND)
        return kme_error(ret, rc == QC_USAGE ? 400 : 404, err->msg, err);
    QC_TRY(rc);
    kme_catch_up(k);
    *after = *k->net;
    kme_fault_apply(after, &f);
    QC_TRY(commit_fault(k, &f, after, &o, err));
    QC_LOG(QC_LOG_WARN, "a fault on command", QC_S("fault", kme_fault_name(f.kind)),
           QC_S("where", kme_fault_of_node(f.kind) ? k->net->node[f.at] : k->net->link[f.at].id),
           QC_I("erased", o.erased));
    return outcome_json(k, &f, &o, ret, err);
}

/* -- by the clock ---------------------------------------------------------------------------------------- */

/* Under the lock: whose key runs out soon is told when it begins, and when it is over. */
static void tell_dry(struct kme_network *net)
{
    static const char *const says[] = { [QKD_DRY_NOT] = "the link's key lasts again",
                                        [QKD_DRY_WARN] =
                                            "the link's key is out within 4 hours at the present use",
                                        [QKD_DRY_ALARM] =
                                            "the link's key is out within the hour at the present use" };
    for (unsigned i = 0; i < net->links; i++) {
        struct kme_link *l = &net->link[i];
        const double dry = kme_link_dry_s(net, l);
        const enum qkd_dry now = qkd_use_dry(&l->use, net->clock_ms, dry, l->dry);
        if (now != l->dry)
            QC_LOG(now == QKD_DRY_NOT ? QC_LOG_INFO : QC_LOG_WARN, says[now], QC_S("link", l->id),
                   QC_U("bits", l->bits), QC_U("seconds", isfinite(dry) ? (uint64_t)dry : 0));
        l->dry = now;
    }
}

/* Under the lock. */
static qc_rc write_pools(struct kme *k, struct qc_err *err)
{
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(kme_store_begin(k->store, &tx, err));
    QC_TRY(write_links(k->store, k->net, err));
    QC_TRY(kme_store_forget(k->store, qc_wall_s() - (int64_t)k->net->record_s, err));
    k->written_ms = k->seen_ms;
    return qc_tx_commit(&tx, err);
}

qc_rc kme_settle(struct kme *k, struct qc_err *err)
{
    QC_LOCK(&k->lock);
    kme_catch_up(k);
    return write_pools(k, err);
}

qc_rc kme_tick(struct kme *k, struct qc_err *err)
{
    int64_t gone = 0;
    QC_LOCK(&k->lock);
    kme_catch_up(k);
    if (k->seen_ms - k->reaped_ms >= REAP_MS) {
        QC_TRY(kme_store_reap(k->store, qc_wall_s(), &gone, err));
        QC_TRY(kme_store_wash(k->store, err));
        k->reaped_ms = k->seen_ms;
        tell_dry(k->net);
    }
    if (gone > 0)
        QC_LOG(QC_LOG_INFO, "keys expired", QC_I("keys", gone));
    return k->seen_ms - k->written_ms < WRITE_MS ? QC_OK : write_pools(k, err);
}
