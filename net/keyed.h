/* A client's connection that is keyed by QKD, as libcurl makes it. Internal to net/. */
#pragma once
#include <curl/curl.h>

#include "net/client.h"
#include "net/keyed.h"

struct net_keyed_run {
    const struct net_keyed *conf; /* borrowed */
    CURL *easy;
    const struct net_request *rq; /* under way; borrowed */
    struct net_key_use use;
    uint64_t before;      /* bytes under this key before this request */
    uint64_t number;      /* of the key in use, among those drawn */
    bool looked;          /* net_keyed_look let this request go under it */
    struct net_psk_id id; /* of the last key drawn; in use once its handshake was good */
    uint64_t drawn, drawn_ms;
    qc_key *key; /* from the draw to the end of the handshake */
    char identity[NET_PSK_IDENTITY];
    bool waited;       /* for the KME, since somebody looked */
    struct qc_err why; /* no key, or a handshake that is none */
};
void net_keyed_done(struct net_keyed_run *k);
/* A request begins. true: its connection is to be a new one, for the key is old. */
bool net_keyed_begin(struct net_keyed_run *k, const struct net_request *rq);
/* So many bytes of it went, both ways. QC_TEMP: no more goes under this key */
QC_MUST qc_rc net_keyed_go_on(struct net_keyed_run *k, uint64_t moved, struct qc_err *err);
/* CURLOPT_SSL_CTX_FUNCTION, _PREREQFUNCTION; their data is a net_keyed_run. */
CURLcode net_keyed_context(CURL *easy, void *ssl_ctx, void *ctx);
int net_keyed_look(void *ctx, char *ip, char *local_ip, int port, int local_port);
/* QC_LINK and others: it failed for want of a key, or since the key is not taken. QC_OK: for another reason
 */
QC_MUST qc_rc net_keyed_verdict(const struct net_keyed_run *k, CURLcode code, const char *text,
                                struct qc_err *err);
