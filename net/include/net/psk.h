/* TLS 1.3 keyed by QKD: an external PSK with (EC)DHE (RFC 8446 4.2.9 psk_dhe_ke), one key to one connection.
 * Layer 1; uses base and OpenSSL's TLS. One thread at a time for a connection. Keeps I5. docs/qkd.md, "TLS
 * keyed by QKD".
 *
 * Nothing else is ever agreed on: TLS_AES_256_GCM_SHA384, no certificates, no tickets, no early data, no
 * fall-back. What is carried is secret if the key from QKD is, or if the key agreement is; who holds the key
 * is who is at the other end. The process ignores SIGPIPE (base/harden.h). */
#pragma once
#include "base/buf.h"
#include "base/key.h"
#include "base/time.h"
#include "net/line.h"

/* identity = "qcloud/1|" link "|" master "|" slave "|" key_ID: printable ASCII without '|', not empty. The
 * client is the master. */
struct net_psk_id {
    char link[NET_PSK_NAME_MAX + 1], master[NET_PSK_NAME_MAX + 1], slave[NET_PSK_NAME_MAX + 1];
    char key_id[NET_PSK_KEY_ID_MAX + 1];
};
enum { NET_PSK_IDENTITY = 9 + 3 * (NET_PSK_NAME_MAX + 1) + NET_PSK_KEY_ID_MAX + 1 };
/* One of link, master, slave. QC_USAGE: it has other characters, or too many */
QC_MUST qc_rc net_psk_name(qc_span v, char ret[NET_PSK_NAME_MAX + 1], struct qc_err *err);
/* As a text. QC_USAGE: a field that is none, or all of it too long */
QC_MUST qc_rc net_psk_id_print(const struct net_psk_id *id, char ret[NET_PSK_IDENTITY], struct qc_err *err);
/* Bytes from outside. QC_FORMAT */
QC_MUST qc_rc net_psk_id_parse(struct net_psk_id *ret, qc_span identity, struct qc_err *err);

/* The PSK: HKDF-SHA-384(salt "qcloud/1 qkd-tls", key, info = identity); the caller wipes it. qkd_key:
 * NET_PSK_KEY_MIN bytes at least; QC_USAGE where it has fewer */
enum { NET_PSK_BYTES = 48 };
QC_MUST qc_rc net_psk_key(uint8_t ret[NET_PSK_BYTES], qc_span qkd_key, const struct net_psk_id *id,
                          struct qc_err *err);

/* Finds the key from QKD that a client names, and gives it to `to` (net_psk_give); asked once for a
 * connection. QC_NOTFOUND: there is none. Anything else breaks the handshake off, too. */
typedef qc_rc (*net_psk_find_fn)(void *ctx, const struct net_psk_id *id, struct net_line *to,
                                 struct qc_err *err);
/* By a net_psk_find_fn alone: the key, which is the caller's again when this returns. */
QC_MUST qc_rc net_psk_give(struct net_line *to, qc_span qkd_key, struct qc_err *err);

/* Both make fd non-blocking, and leave it to the caller to close after the connection.
 * QC_AUTH: the other end has not the key, or wants something else; QC_TIMEOUT; QC_TEMP: it went away;
 * QC_NOMEM, QC_GENERAL. After a failure no byte of the caller's was sent. */
QC_MUST qc_rc net_psk_connect(struct net_line **ret, int fd, const struct net_psk_id *id,
                              const qc_key *qkd_key, qc_deadline d, struct qc_err *err);
/* us: link, master and slave that are served here (key_id is not looked at): other names are refused without
 * asking find. master "": whom find has keys of. */
QC_MUST qc_rc net_psk_accept(struct net_line **ret, int fd, const struct net_psk_id *us, net_psk_find_fn find,
                             void *ctx, qc_deadline d, struct qc_err *err);
/* With which key; NULL: with none from QKD. */
const struct net_psk_id *net_psk_id_of(const struct net_line *l);

/* -- the next key: another TLS connection over the same descriptor --
 *
 * Its handshake is carried by the caller inside the present one, while that is in use; when it is over at
 * both ends the next takes the descriptor over, each direction by itself (net_line_end, _write_after,
 * _read_after). The same agreement under the same rules as above: another key from QKD, fresh (EC)DHE. What
 * is saved is another connection below. */

/* Of the same link and the same two ends as `before`. qkd_key is the caller's again when this returns. */
QC_MUST qc_rc net_psk_next_dial(struct net_line **ret, const struct net_line *before, const char *key_id,
                                qc_span qkd_key, struct qc_err *err);
QC_MUST qc_rc net_psk_next_serve(struct net_line **ret, const struct net_line *before, net_psk_find_fn find,
                                 void *ctx, struct qc_err *err);
/* What the other end says (the first time, of who dials: nothing); what to say is added to ret_say.
 * *ret_done: it is over, and good, and the rest of ret_say is its last. Does not wait. Errors of
 * net_psk_connect; ret_say may have what the other end is told of it. */
QC_MUST qc_rc net_psk_next_step(struct net_line *l, qc_span heard, qc_buf *ret_say, bool *ret_done,
                                struct qc_err *err);
