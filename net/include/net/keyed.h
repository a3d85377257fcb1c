/* HTTP over TLS keyed by QKD (psk.h): what a client (client.h) has instead of certificates. Layer 1; uses
 * base, libcurl and OpenSSL's TLS. Keeps I5.
 *
 * One key to one connection. A request that finds the key old takes another connection; one in whose middle
 * the key becomes too old breaks: nothing goes under it any more. */
#pragma once
#include "base/key.h"
#include "base/time.h"
#include "net/psk.h"

/* A new key from QKD, and its key_ID; for the connection that is being made. Blocking. */
typedef qc_rc (*net_keyed_fn)(void *ctx, qc_deadline d, const struct qc_cancel *cancel,
                              char ret_id[NET_PSK_KEY_ID_MAX + 1], qc_key **ret, struct qc_err *err);

struct net_keyed {
    struct net_psk_id who; /* link, master (us) and slave; key_id is not looked at */
    net_keyed_fn draw;
    void *ctx;
    uint32_t rekey_s, key_max_s;         /* 1 at least, rekey_s the lesser */
    uint64_t rekey_bytes, key_max_bytes; /* of requests and answers, both ways; as well */
};

/* What is in use. */
struct net_key_use {
    char key_id[NET_PSK_KEY_ID_MAX + 1]; /* "": no connection was made yet */
    uint64_t keys;                       /* since the client was made */
    uint64_t since_ms, bytes;            /* of this one */
};
