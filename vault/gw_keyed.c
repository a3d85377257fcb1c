/* The way to a gateway that is keyed by QKD: one KME client for all connections of a handle and its clones,
 * so that one answer of the KME is one connection's key. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "gw_http.h"
#include "net/keyed.h"
#include "qkd/keyed.h"
#include "qkd/tls_keys.h"

struct gw_keyed {
    atomic_uint refs;
    struct qkd_tls_keys *keys;
    struct net_keyed net;
};

void gw_keyed_free(struct gw_keyed **k)
{
    if (*k != NULL && atomic_fetch_sub(&(*k)->refs, 1) == 1) {
        qkd_tls_keys_free(&(*k)->keys);
        qc_free(*k);
    }
    *k = NULL;
}

qc_rc gw_keyed_new(struct gw_keyed **ret, const struct qkd_keyed *conf, struct qc_err *err)
{
    QC_CLEANUP(gw_keyed_free) struct gw_keyed *k = qc_alloc(sizeof *k);
    if (k == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a connection");
    *k = (struct gw_keyed){ .net = { .draw = qkd_tls_keys_draw } };
    atomic_init(&k->refs, 1);
    QC_TRY(qkd_keyed_open(conf, conf->peer, &k->keys, err));
    k->net.ctx = k->keys;
    memcpy(k->net.who.link, conf->link, sizeof conf->link);
    memcpy(k->net.who.master, conf->me, sizeof conf->me);
    memcpy(k->net.who.slave, conf->peer, sizeof conf->peer);
    qkd_keyed_ages(conf, &k->net);
    *ret = QC_STEAL(k);
    return QC_OK;
}

struct gw_keyed *gw_keyed_ref(struct gw_keyed *k)
{
    atomic_fetch_add(&k->refs, 1);
    return k;
}

const struct net_keyed *gw_keyed_net(const struct gw_keyed *k)
{
    return &k->net;
}

/* As a link says it of itself. */
static bool key_says(const struct gw_http *h, struct net_link_state *ret)
{
    struct net_key_use use;
    net_client_key(h->net, &use);
    if (use.key_id[0] == '\0')
        return false;
    *ret = (struct net_link_state){ .level = NET_QKD_TLS,
                                    .least = NET_QKD_TLS,
                                    .now = NET_QKD_TLS,
                                    .ready = true,
                                    .dials = true,
                                    .key_s = (qc_now_ms() - use.since_ms) / 1000,
                                    .key_bytes = use.bytes,
                                    .keys = use.keys };
    memcpy(ret->key_id, use.key_id, sizeof use.key_id);
    return true;
}

bool gw_http_way(const struct gw_http *h, struct net_link_state *ret)
{
    struct qc_err unused = { 0 };
    if (h->keyed != NULL)
        return key_says(h, ret);
    return h->watch != NULL && net_watch_look(h->watch, ret, &unused) == QC_OK;
}

bool vault_gw_way_now(const struct vault_gw *gw, const char **ret_level, char *room, size_t size)
{
    const struct gw_http *h = (const struct gw_http *)gw;
    struct net_link_state s;
    if (gw->ops != &gw_http_ops || h->keyed == NULL || !key_says(h, &s))
        return false;
    *ret_level = net_level_name(s.now);
    (void)snprintf(room, size, "%s", s.key_id);
    return true;
}
