/* One call of the gateway over net/: request, answer, repetition. Layer 3. */
#pragma once
#include "base/buf.h"
#include "net/client.h"
#include "net/watch.h"
#include "vault/gw.h"

struct gw_http {
    struct vault_gw gw; /* first */
    struct net_client *net;
    int dirfd;               /* of a UNIX socket, plus 1; 0: none */
    char *name;              /* the socket's, or the URL's text: for clones, and for messages */
    char *ca;                /* file, or NULL */
    const qc_key *token;     /* borrowed; NULL: the user's own gateway */
    char *link;              /* the socket of the link to it; NULL: none */
    enum net_level least;    /* what the way has at least; NET_DOWN: it does not leave this machine */
    struct net_watch *watch; /* of that link; NULL: none */
    struct gw_keyed *keyed;  /* where keys for its connections come from, its clones' too; NULL: nowhere */
    char request[VAULT_REQUEST_ID_BYTES];
    struct vault_gw_revive revive;
    struct vault_gw_traffic *traffic; /* borrowed; NULL: nobody counts */
    struct vault_gw_waits *waits;     /* borrowed; NULL: nobody asks what is waited for */
    struct net_rate *rate;            /* borrowed; NULL: no limit */
    uint64_t jitter;
    bool json_only; /* the gateway is one from before members went as bytes */
};

struct gw_http_call {
    const char *method;
    const char *path;
    qc_span body;       /* empty: none */
    const char *type;   /* of the body; NULL: JSON */
    const char *range;  /* Range header or NULL */
    net_write_fn write; /* for a streamed answer: one that broke is not repeated here */
    void *ctx;
    struct vault_gw_entry *ret_current; /* of a conflict; may be NULL */
    struct vault_gw_wire wire;          /* each try is told */
    size_t answer_max;
};

/*
 * Send, repeat while that may help and the op allows, and take a success's body into ret (appended from
 * empty). Errors: vault/gw.h.
 */
QC_MUST qc_rc gw_http_call(struct gw_http *h, const struct gw_http_call *call, qc_buf *ret,
                           const struct vault_op *op, struct qc_err *err);

/* A JSON body (or none), a JSON answer. */
struct json_t;
QC_MUST qc_rc gw_http_ask(struct vault_gw *gw, struct gw_http_call call, const struct json_t *body,
                          struct json_t **ret, const struct vault_op *op, struct qc_err *err);
/* "/v1/vaults/VAULT" and what follows. */
enum { GW_HTTP_PATH = 256 };
void gw_http_vault_path(char out[GW_HTTP_PATH], const uint8_t *vault, const char *rest);
void gw_http_upload_path(char out[GW_HTTP_PATH], const uint8_t *put_key, const char *rest);
/* gw_bundle.c */
QC_MUST qc_rc gw_http_bundle_commit(struct vault_gw *gw, const struct vault_gw_bundle *b,
                                    const struct vault_op *op, struct qc_err *err);
/* gw_move.c */
QC_MUST qc_rc gw_http_entries_move(struct vault_gw *gw, const uint8_t *vault, struct vault_gw_move *moves,
                                   size_t count, const struct vault_op *op, struct qc_err *err);

/* A handle without a connection's parameters; to be filled in by the two that make one. */
QC_MUST qc_rc gw_http_blank(struct gw_http **ret, const char *name, struct qc_err *err);
void gw_http_free(struct gw_http **h);
/* A second one like h, for a gateway for many users. */
QC_MUST qc_rc gw_remote_clone(const struct gw_http *h, struct vault_gw **ret, struct qc_err *err);
/* What to do about a failure at a gateway for many users; err->next, where there is something. status: of its
 * answer; 0: there was none. */
void gw_remote_advise(const struct gw_http *h, struct qc_err *err, int status);

/* What the way to it is now, link or key; false: it does not say. */
bool gw_http_way(const struct gw_http *h, struct net_link_state *ret);

/* -- keys from QKD for the connections of a handle and its clones (gw_keyed.c) -- */

QC_MUST qc_rc gw_keyed_new(struct gw_keyed **ret, const struct qkd_keyed *conf, struct qc_err *err);
struct gw_keyed *gw_keyed_ref(struct gw_keyed *k);
/* The last one frees. */
void gw_keyed_free(struct gw_keyed **k);
const struct net_keyed *gw_keyed_net(const struct gw_keyed *k);

extern const struct vault_gw_ops gw_http_ops;
void gw_http_close(struct vault_gw *gw);
QC_MUST qc_rc gw_http_clone(struct vault_gw *gw, struct vault_gw **ret, struct qc_err *err);
void gw_http_set_request(struct vault_gw *gw, const char *id);
