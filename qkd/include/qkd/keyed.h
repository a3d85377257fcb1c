/* What a program is told of a way that is keyed by QKD, TLS with one key to one connection (net/psk.h), where
 * no qcloud-link stands on it: the keys of section [qkd] in qcloud.conf and gateway.conf. Layer 2; uses base,
 * net. They mean what a qcloud-link's configuration means by them (docs/qkd.md). */
#pragma once
#include <stdbool.h>

#include "base/buf.h"
#include "base/time.h"

struct net_keyed; /* net/keyed.h */
struct qkd_tls_keys;

/* Key, member, name in the file, what it is (keyed.c), whether it is needed. */
#define QKD_KEYED_KEYS(X)                                                                                    \
    X(LINK, link, "link", NAME, true)                                                                        \
    X(ME, me, "me", NAME, true)                                                                              \
    X(PEER, peer, "peer", NAME, true)                                                                        \
    X(KME, kme, "kme", URL, true)                                                                            \
    X(KME_CA, kme_ca, "kme-ca", PATH, true)                                                                  \
    X(KME_CERT, kme_cert, "kme-cert", PATH, true)                                                            \
    X(KME_KEY, kme_key, "kme-key", PATH, true)                                                               \
    X(REKEY_S, rekey_s, "rekey-seconds", SECONDS, false)                                                     \
    X(REKEY_BYTES, rekey_bytes, "rekey-bytes", BYTES, false)                                                 \
    X(KEY_MAX_S, key_max_s, "key-max-seconds", SECONDS, false)                                               \
    X(KEY_MAX_BYTES, key_max_bytes, "key-max-bytes", BYTES_MOST, false)
enum qkd_keyed_key {
#define X(key, ...) QKD_KEYED_##key,
    QKD_KEYED_KEYS(X)
#undef X
        QKD_KEYED_COUNT
};

/* As it stands in a file: "" and 0 are not said. */
struct qkd_keyed {
    char link[NET_PSK_NAME_MAX + 1], me[NET_PSK_NAME_MAX + 1], peer[NET_PSK_NAME_MAX + 1];
    char kme[LINK_PATH_MAX], kme_ca[LINK_PATH_MAX], kme_cert[LINK_PATH_MAX], kme_key[LINK_PATH_MAX];
    uint64_t rekey_s, rekey_bytes, key_max_s, key_max_bytes;
};

/* One value of it. QC_USAGE: what it has to be */
QC_MUST qc_rc qkd_keyed_take(struct qkd_keyed *k, enum qkd_keyed_key key, qc_span v, struct qc_err *err);
bool qkd_keyed_says(const struct qkd_keyed *k, enum qkd_keyed_key key);
/* The value, appended; nothing where it says none. */
QC_MUST qc_rc qkd_keyed_give(const struct qkd_keyed *k, enum qkd_keyed_key key, qc_buf *ret,
                             struct qc_err *err);
/* "kme-cert" */
const char *qkd_keyed_name(enum qkd_keyed_key key);
/* Is all there that is needed, and do its values go together? QC_NOTCONF, QC_USAGE: with the key's name */
QC_MUST qc_rc qkd_keyed_check(const struct qkd_keyed *k, struct qc_err *err);
/* What of its ages is not said is as it comes. */
void qkd_keyed_ages(const struct qkd_keyed *k, struct net_keyed *ret);
/* Its keys from its KME, for `peer`. QC_NOTCONF: a file that it names is not there, or an address that is
 * none; QC_AUTH: the key's file is open to others; the message has the key's name. QC_NOMEM */
QC_MUST qc_rc qkd_keyed_open(const struct qkd_keyed *k, const char *peer, struct qkd_tls_keys **ret,
                             struct qc_err *err);
/* Does our KME know us as `me`, and how many keys has it for the way to `peer`? As qkd_keyed_open; QC_LINK:
 * it does not say, or takes us for somebody else */
QC_MUST qc_rc qkd_keyed_look(const struct qkd_keyed *k, const char *peer, qc_deadline d, uint64_t *ret_stored,
                             struct qc_err *err);
