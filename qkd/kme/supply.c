#include "supply_internal.h"

#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "base/alloc.h"
#include "base/json.h"
#include "base/log.h"
#include "base/time.h"

enum { KEY_ID = 36, EXPOSED = KME_NODES_MAX * (KME_NAME_MAX + 1) };

void kme_close(struct kme **k)
{
    if (*k == NULL)
        return;
    kme_streams_done(&(*k)->streams);
    kme_store_close(&(*k)->store);
    qc_mutex_done(&(*k)->lock);
    qc_free(*k);
    *k = NULL;
}

qc_rc kme_open(struct kme **ret, const char *state, struct kme_network *net, const qc_rng *rng,
               struct qc_err *err)
{
    struct kme *k = qc_alloc(sizeof *k);
    if (k == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", sizeof *k);
    qc_mutex_init(&k->lock);
    k->net = net;
    k->rng = *rng;
    qc_rc rc = kme_store_open(&k->store, state, net, err);
    if (rc == QC_OK)
        rc = kme_streams_new(&k->streams, net->links, rng, err);
    k->seen_ms = k->written_ms = qc_now_ms();
    k->since_s = qc_wall_s();
    if (rc != QC_OK)
        kme_close(&k);
    else
        *ret = k;
    return rc;
}

int kme_dirfd(const struct kme *k)
{
    return kme_store_dirfd(k->store);
}

void kme_catch_up(struct kme *k)
{
    const uint64_t now = qc_now_ms();
    kme_network_pass(k->net, now - k->seen_ms);
    k->seen_ms = now;
}

qc_rc kme_answer_print(struct kme *k, const char *type, kme_printer *print, struct kme_answer *ret,
                       struct qc_err *err)
{
    struct kme_answer a = { .status = 200, .type = type, .text = { .max = KME_ANSWER_MAX } };
    QC_LOCK(&k->lock);
    kme_catch_up(k);
    const qc_rc rc = print(k, &a.text, err);
    if (rc != QC_OK)
        kme_answer_done(&a);
    else
        *ret = a;
    return rc;
}

/* -- status ---------------------------------------------------------------------------------------------- */

/* Keys of the default size that the way has. */
static uint64_t stored(const struct kme_network *net, const struct kme_route *way)
{
    const uint64_t keys = way->hops == 0 ? UINT64_MAX : way->bits / kme_route_cost(way, net->limits.key_size);
    return keys < net->limits.max_key_count ? keys : net->limits.max_key_count;
}

static qc_rc status_json(const struct kme_network *net, const struct kme_sae *master,
                         const struct kme_sae *slave, uint64_t count, struct kme_answer *ret,
                         struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    const struct kme_limits *l = &net->limits;
    QC_TRY(qc_json_new_obj(&j, err));
    QC_TRY(qc_json_set_str(j, "source_KME_ID", kme_network_door(net, master->node)->id, err));
    QC_TRY(qc_json_set_str(j, "target_KME_ID", kme_network_door(net, slave->node)->id, err));
    QC_TRY(qc_json_set_str(j, "master_SAE_ID", master->id, err));
    QC_TRY(qc_json_set_str(j, "slave_SAE_ID", slave->id, err));
    QC_TRY(qc_json_set_int(j, "key_size", l->key_size, err));
    QC_TRY(qc_json_set_int(j, "stored_key_count", (int64_t)count, err));
    QC_TRY(qc_json_set_int(j, "max_key_count", (int64_t)l->max_key_count, err));
    QC_TRY(qc_json_set_int(j, "max_key_per_request", l->max_key_per_request, err));
    QC_TRY(qc_json_set_int(j, "max_key_size", l->max_key_size, err));
    QC_TRY(qc_json_set_int(j, "min_key_size", l->min_key_size, err));
    QC_TRY(qc_json_set_int(j, "max_SAE_ID_count", l->max_saes, err));
    return kme_answer_json(ret, 200, j, err);
}

qc_rc kme_status(struct kme *k, const struct kme_request *r, struct kme_answer *ret, struct qc_err *err)
{
    const struct kme_sae *slave = kme_network_sae(k->net, r->peer);
    struct kme_route way;
    QC_LOCK(&k->lock);
    kme_catch_up(k);
    if (slave == NULL)
        return kme_error(ret, 400, "slave_SAE_ID is not known here", err);
    const bool is = kme_network_route(k->net, r->caller->node, slave->node, &way);
    return status_json(k->net, r->caller, slave, is ? stored(k->net, &way) : 0, ret, err);
}

/* -- Get key --------------------------------------------------------------------------------------------- */

/* What is asked for, checked. */
struct order {
    uint32_t number, bits;
    const struct kme_sae *slave[1 + KME_MORE_MAX];
    struct kme_route way[1 + KME_MORE_MAX];
    unsigned slaves;
    const char *bad; /* why not, for a 400 */
};

static void refuse(struct order *o, const char *why)
{
    if (o->bad == NULL)
        o->bad = why;
}

/* A number of the body, or of the query; otherwise if neither says it. */
static uint32_t number_of(struct order *o, const struct json_t *body, const char *member, const char *query,
                          uint32_t otherwise)
{
    struct qc_err why = { 0 };
    int64_t v = otherwise;
    qc_span digits = qc_span_str(query == NULL ? "" : query);
    uint64_t u = 0;
    if (query != NULL && (digits.n > 9 || !kme_digits(&digits, &u)))
        refuse(o, "a number of the query is none");
    else if (query != NULL)
        v = (int64_t)u;
    else if (qc_json_given(body, member) && qc_json_int(body, member, 0, INT32_MAX, &v, &why) != QC_OK)
        refuse(o, "number and size shall be integers");
    return (uint32_t)v;
}

static void take_slaves(struct order *o, const struct kme_network *net, const struct json_t *body)
{
    struct qc_err why = { 0 };
    struct json_t *more = NULL;
    if (!qc_json_given(body, "additional_slave_SAE_IDs"))
        return;
    if (qc_json_arr(body, "additional_slave_SAE_IDs", &more, &why) != QC_OK ||
        qc_json_len(more) > net->limits.max_saes) {
        refuse(o, "additional_slave_SAE_IDs is no list of at most max_SAE_ID_count");
        return;
    }
    for (size_t i = 0; i < qc_json_len(more); i++) {
        const char *id = qc_json_str_value(qc_json_at(more, i));
        const struct kme_sae *s = id == NULL ? NULL : kme_network_sae(net, id);
        bool twice = false;
        for (unsigned k = 0; k < o->slaves; k++)
            twice |= o->slave[k] == s;
        if (s == NULL || twice)
            refuse(o, "an additional slave SAE is not known here, or is there twice");
        else
            o->slave[o->slaves++] = s;
    }
}

static void take_order(struct order *o, const struct kme_network *net, const struct kme_request *r,
                       const struct json_t *body)
{
    const struct kme_limits *l = &net->limits;
    o->slave[0] = kme_network_sae(net, r->peer);
    o->slaves = 1;
    if (o->slave[0] == NULL)
        refuse(o, "slave_SAE_ID is not known here");
    o->number = number_of(o, body, "number", r->number, 1);
    o->bits = number_of(o, body, "size", r->size, l->key_size);
    take_slaves(o, net, body);
    if (o->number < 1 || o->number > l->max_key_per_request)
        refuse(o, "number shall be from 1 to max_key_per_request");
    if (o->bits % 8 != 0)
        refuse(o, "size shall be a multiple of 8");
    if (o->bits < l->min_key_size || o->bits > l->max_key_size)
        refuse(o, "size shall be from min_key_size to max_key_size");
    if (qc_json_has(body, "extension_mandatory"))
        refuse(o, "not all extension_mandatory parameters are supported");
}

/* One slave next door gets the link's own key; others get a key that is relayed. */
static bool direct(const struct order *o)
{
    return o->slaves == 1 && o->way[0].hops == 1;
}

/* The ways, and what they cost on each link. false: too little key, or no way. */
static bool price(const struct kme *k, const struct kme_sae *master, struct order *o,
                  uint64_t need[KME_LINKS_MAX])
{
    bool enough = true;
    for (unsigned i = 0; i < o->slaves; i++)
        enough = kme_network_route(k->net, master->node, o->slave[i]->node, &o->way[i]) && enough;
    const uint64_t each = direct(o) ? o->bits : (uint64_t)o->bits + 256;
    for (unsigned i = 0; i < o->slaves && enough; i++)
        for (unsigned h = 0; h < o->way[i].hops; h++)
            need[o->way[i].link[h]] += each * o->number;
    for (unsigned i = 0; i < k->net->links; i++)
        enough = enough && need[i] <= k->net->link[i].bits;
    return enough;
}

/* RFC 4122, version 4. */
static qc_rc make_id(struct kme *k, char ret[KEY_ID + 1], struct qc_err *err)
{
    uint8_t b[16];
    QC_TRY(qc_rng_fill(&k->rng, b, sizeof b, err));
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    snprintf(ret, KEY_ID + 1, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
             b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
    return QC_OK;
}

/* All nodes of a way see its key; both ends are of them. */
static void exposed(const struct kme_network *net, const struct kme_route *way, char ret[EXPOSED])
{
    size_t at = 0;
    for (unsigned i = 0; i <= way->hops; i++)
        at += (size_t)snprintf(ret + at, EXPOSED - at, "%s%s", i == 0 ? "" : " ", net->node[way->node[i]]);
}

/* One key into room, and its slaves' copies into the transaction. */
static qc_rc make_one(struct kme *k, const struct kme_request *r, const struct order *o, const char *id,
                      uint8_t *room, struct qc_err *err)
{
    const size_t n = o->bits / 8;
    char nodes[EXPOSED];
    if (direct(o))
        QC_TRY(kme_stream_take(&k->streams, k->net, o->way[0].link[0], room, n, err));
    else
        QC_TRY(qc_rng_fill(&k->rng, room, n, err));
    for (unsigned i = 0; i < o->slaves; i++) {
        if (!direct(o))
            QC_TRY(kme_relay(&k->streams, k->net, &o->way[i], room, n, err));
        exposed(k->net, &o->way[i], nodes);
        const struct kme_copy copy = { .key_id = id,
                                       .master = r->caller->id,
                                       .slave = o->slave[i]->id,
                                       .exposed = nodes,
                                       .expires_s = qc_wall_s() + (int64_t)k->net->ttl_s,
                                       .key = qc_span_of(room, n) };
        QC_TRY(kme_store_add(k->store, &copy, qc_wall_s(), err));
    }
    return QC_OK;
}

/* I4: copies and pools are durable before the master's keys leave. */
static qc_rc make_all(struct kme *k, const struct kme_request *r, const struct order *o,
                      const uint64_t need[KME_LINKS_MAX], struct kme_keys *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(kme_store_begin(k->store, &tx, err));
    for (uint32_t i = 0; i < o->number; i++) {
        QC_TRY(make_id(k, ret->id[i], err));
        QC_TRY(make_one(k, r, o, ret->id[i], kme_keys_room(ret, i), err));
    }
    for (unsigned i = 0; i < k->net->links; i++)
        if (need[i] > 0)
            QC_TRY(kme_store_link(k->store, &k->net->link[i], k->net->link[i].bits - need[i], err));
    QC_TRY(qc_tx_commit(&tx, err));
    for (unsigned i = 0; i < k->net->links; i++)
        if (need[i] > 0)
            kme_network_use(k->net, i, need[i]);
    k->supplied += o->number;
    return QC_OK;
}

/* The body as an object; an empty one where there is none. QC_FORMAT: it is not JSON, or no object. */
static qc_rc read_body(const struct kme_request *r, struct json_t **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    if (r->body.n == 0)
        return qc_json_new_obj(ret, err);
    QC_TRY(qc_json_parse(&j, r->body, err));
    if (!qc_json_is_object(j))
        return QC_FAIL(err, QC_FORMAT, "not an object");
    *ret = QC_STEAL(j);
    return QC_OK;
}

qc_rc kme_enc_keys(struct kme *k, const struct kme_request *r, struct kme_answer *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *body = NULL;
    QC_CLEANUP(kme_keys_done) struct kme_keys keys = { 0 };
    uint64_t need[KME_LINKS_MAX] = { 0 };
    struct order o = { 0 };
    const qc_rc rc = read_body(r, &body, err);
    if (rc == QC_NOMEM)
        return rc;
    if (rc != QC_OK)
        return kme_error(ret, 400, "the request is not a JSON object", err);
    take_order(&o, k->net, r, body);
    if (o.bad != NULL)
        return kme_error(ret, 400, o.bad, err);
    QC_LOCK(&k->lock);
    kme_catch_up(k);
    if (!price(k, r->caller, &o, need))
        return kme_error(ret, 503, "there is not enough key on the way now", err);
    QC_TRY(kme_keys_new(&keys, o.number, o.bits / 8, err));
    QC_TRY(make_all(k, r, &o, need, &keys, err));
    QC_LOG(QC_LOG_INFO, "keys supplied", QC_S("master", r->caller->id), QC_S("slave", r->peer),
           QC_U("keys", o.number), QC_U("bits", o.bits), QC_U("hops", o.way[0].hops));
    return kme_answer_keys(ret, &keys, err);
}

/* -- Get key with key IDs -------------------------------------------------------------------------------- */

/* The key_IDs that are asked for, as texts of body or query; NULL: not so many, or none. */
static size_t take_ids(const struct kme_request *r, const struct json_t *body, const char **ret, size_t max)
{
    struct qc_err why = { 0 };
    struct json_t *all = NULL;
    if (r->key_id != NULL) {
        ret[0] = r->key_id;
        return 1;
    }
    if (!qc_json_given(body, "key_IDs") || qc_json_arr(body, "key_IDs", &all, &why) != QC_OK)
        return 0;
    const size_t n = qc_json_len(all);
    for (size_t i = 0; i < n && n <= max; i++)
        if (!qc_json_is_object(qc_json_at(all, i)) ||
            qc_json_str(qc_json_at(all, i), "key_ID", &ret[i], &why) != QC_OK)
            return 0;
    return n <= max ? n : 0;
}

/* All of them, or the first failure: then nothing was erased. */
static qc_rc take_all(struct kme *k, const struct kme_request *r, const char *const *ids,
                      struct kme_keys *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(kme_store_begin(k->store, &tx, err));
    for (size_t i = 0; i < ret->count; i++) {
        if (ids[i] == NULL || strlen(ids[i]) != KEY_ID)
            return QC_FAIL(err, QC_NOTFOUND, "key_ID %zu", i);
        memcpy(ret->id[i], ids[i], KEY_ID + 1);
        for (char *c = ret->id[i]; *c != '\0'; c++)
            *c = (char)(*c >= 'A' && *c <= 'F' ? *c - 'A' + 'a' : *c);
        const struct kme_name name = { .key_id = ret->id[i], .master = r->peer, .slave = r->caller->id };
        QC_TRY(kme_store_take(k->store, &name, kme_keys_room(ret, i), ret->room, &ret->bytes[i], err));
    }
    return qc_tx_commit(&tx, err); /* I4: erased for good before they leave */
}

qc_rc kme_dec_keys(struct kme *k, const struct kme_request *r, struct kme_answer *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *body = NULL;
    QC_CLEANUP(kme_keys_done) struct kme_keys keys = { 0 };
    const char *ids[KME_BATCH_MAX] = { NULL };
    int64_t gone = 0;
    qc_rc rc = read_body(r, &body, err);
    if (rc == QC_NOMEM)
        return rc;
    const size_t count = rc == QC_OK ? take_ids(r, body, ids, k->net->limits.max_key_per_request) : 0;
    if (count == 0)
        return kme_error(ret, 400, "key_IDs shall be a list of 1 to max_key_per_request objects", err);
    QC_LOCK(&k->lock);
    QC_TRY(kme_store_reap(k->store, qc_wall_s(), &gone, err));
    QC_TRY(kme_keys_new(&keys, count, k->net->limits.max_key_size / 8, err));
    rc = take_all(k, r, ids, &keys, err);
    if (rc == QC_AUTH)
        return kme_error(ret, 401, "", err);
    if (rc == QC_NOTFOUND)
        return kme_error(ret, 400, "one or more keys specified are not found on KME", err);
    QC_TRY(rc);
    QC_LOG(QC_LOG_INFO, "keys fetched", QC_S("slave", r->caller->id), QC_S("master", r->peer),
           QC_U("keys", count));
    return kme_answer_keys(ret, &keys, err);
}
