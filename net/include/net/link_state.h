/* What a link says of itself (FORMAT 14.3): levels, key and pad, as one JSON text at a UNIX socket. Layer 1;
 * uses base. Keeps I7. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/time.h"
#include "net/psk.h"

/* What protects a way, from the weakest to the strongest: they are compared as numbers. */
enum net_level {
    NET_DOWN,  /* nothing goes */
    NET_PLAIN, /* nothing protects it */
    NET_TLS,   /* certificates */
    NET_QKD_TLS,
    NET_OTP
};
/* "down", "plain", "tls", "qkd-tls", "otp" */
const char *net_level_name(enum net_level level);
/* All but down. QC_USAGE: none of them; the message names them */
QC_MUST qc_rc net_level_parse(const char *text, enum net_level *ret, struct qc_err *err);

/* What went one way since the process began: data of connections, in messages of 12 bytes more (FORMAT 14.2)
 * each; at `otp` in frames, and pad = bytes + 12 messages + NET_OTP_KEY frames, to the byte,
 * once nothing is under way and where nothing went without pad. */
struct net_link_use {
    uint64_t pad, frames, messages, bytes;
};

struct net_link_state {
    char link[NET_PSK_NAME_MAX + 1], peer[NET_PSK_NAME_MAX + 1];
    bool dials;
    enum net_level level, least; /* not down; least <= level */
    enum net_level now;
    bool ready;
    char key_id[NET_PSK_KEY_ID_MAX + 1]; /* "": none */
    uint64_t key_s, key_bytes, keys, connections;
    uint64_t pad_send, pad_receive, pad_block;
    struct net_link_use sent, received;           /* zeros: it does not say */
    uint64_t key_max_s, key_max_bytes, pad_max_s; /* how long a key, and pad, is used at most; 0: it does not
                                                     say, or pad of any age */
    uint64_t pad_full;                            /* of pad_send, as the link fills it; 0: not known */
    bool stock_known;                             /* stock_bits is: the KME says it */
    uint64_t stock_bits, use_bps; /* key at the KME for this link; key that it uses, over the last minutes */
    bool dries;                   /* its key is out after dry_s, at the present use */
    uint64_t dry_s;
    char why[NET_LINK_WHY_MAX + 1];
};
/* Appended to ret. QC_NOMEM, QC_LIMIT */
QC_MUST qc_rc net_link_state_print(const struct net_link_state *s, qc_buf *ret, struct qc_err *err);
/* Bytes from outside. QC_FORMAT */
QC_MUST qc_rc net_link_state_parse(struct net_link_state *ret, qc_span text, struct qc_err *err);
/* Asks the link whose socket that is. QC_TEMP: nobody is there; QC_TIMEOUT, QC_FORMAT, QC_USAGE, QC_NOMEM */
QC_MUST qc_rc net_link_state_ask(struct net_link_state *ret, const char *path, qc_deadline d,
                                 struct qc_err *err);
