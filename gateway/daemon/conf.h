/* The configuration of `qcloud-gateway serve --config FILE`. Part of qcloud-gateway; uses base/ini.
 *
 *   [gateway]
 *   state = /var/lib/qcloud-gateway        needed: the state directory
 *   log-file = /var/log/qcloud.log         default: stderr
 *   json-log = yes | no                    default: no
 *   log-level = debug | info | warn | error  default: info
 *   stop-seconds = 0 .. 600                requests under way have so long when it is told to stop; default:
 * 20 [listen]                               for tenants; the operator's socket is in the state directory
 *   socket = /run/qcloud/door              a UNIX socket
 *   socket-mode = 0660                     default: 0600
 *   address = 127.0.0.1:8440 | [::1]:8440  loopback only
 *   certificate = /etc/qcloud/cert.pem     TLS 1.3 at that address; needs key
 *   key = /etc/qcloud/key.pem              mode 0600
 *   [monitor]                              /metrics, /healthz, /readyz, for whoever is on this machine
 *   address = 127.0.0.1:8441 | [::1]:8441  loopback only, no token; default: the operator's socket alone
 *   [audit]                                the audit log, in the state directory
 *   log = yes | no                         default: yes
 *   rotate = 65536 .. 1G                   bytes of a file; default: 16 MiB
 *   keep = 0 .. 100000                     files that are full; 0: all; default: 64
 *   [limits]
 *   connections = 16 .. 1024               at once, at each of socket and address; default: 128
 *   [levels]                               of the ways to the clouds (docs/qkd.md, "Levels of a gateway")
 *   least = plain | tls | qkd-tls | otp    for whoever is not named below; default: plain
 *   tenants = NAME=LEVEL NAME=LEVEL ..     up to 256
 *   [qkd]                                  a door for tenants that is keyed by QKD (docs/qkd.md)
 *   address = A.B.C.D:PORT                 of any machine: the door lets nobody in without a key from QKD
 *   peers = SAE SAE ..                     who may come, up to 64
 *   link, me, kme, kme-ca, kme-cert, kme-key, key-max-seconds, key-max-bytes    see qkd/keyed.h
 *   [scrub]                                see gateway/scrub.h
 *   presence-hours = 24                    from one listing of a cloud to the next; 0: only by hand
 *   content-days = 30                      from one reading of all bytes to the next; 0: only by hand
 *   bytes-per-second = 8388608             read by it; 0: as fast as it goes
 *   requests-per-second = 20               to all clouds together; 0: as many as it goes
 *
 * Nothing secret is in it. */
#pragma once
#include "base/buf.h"
#include "base/log.h"
#include "net/url.h"
#include "net/want.h"
#include "qkd/keyed.h"

enum { CONF_PATH = 4096, CONF_LEVELS = 256 };

struct conf_address {
    bool is, v6;
    uint16_t port;
};

/* As struct gw_scrub_conf. */
struct conf_scrub {
    uint64_t presence_s, content_s, bytes_per_s, requests_per_s;
};

/* What the ways to the clouds have to be for data to go: of whoever is not named, and of tenants. */
struct conf_levels {
    struct net_want all;
    unsigned count;
    struct {
        char name[QC_GW_TENANT_NAME_MAX + 1];
        struct net_want want;
    } tenants[CONF_LEVELS];
};

/* The door keyed by QKD. */
struct conf_qkd {
    struct net_address address; /* port 0: there is none */
    struct qkd_keyed way;       /* without peer */
    unsigned count;
    char peers[QKD_KEYED_PEERS][NET_PSK_NAME_MAX + 1];
};

struct conf {
    char state[CONF_PATH], log_file[CONF_PATH]; /* empty: not given */
    bool json_log;
    qc_level log_level;
    unsigned stop_s;
    char socket[CONF_PATH];
    unsigned socket_mode;
    struct conf_address address, monitor;
    char certificate[CONF_PATH], key[CONF_PATH];
    unsigned connections;
    bool audit;
    uint64_t audit_rotate;
    unsigned audit_keep;
    struct conf_scrub scrub;
    struct conf_levels levels;
    struct conf_qkd qkd;
};

/* QC_USAGE: with the line's number; QC_NOTCONF: a key is missing. */
QC_MUST qc_rc conf_parse(qc_span text, struct conf *ret, struct qc_err *err);
/* All of it, what is as it comes included, as a text that conf_parse takes; appended. */
QC_MUST qc_rc conf_print(const struct conf *c, qc_buf *ret, struct qc_err *err);
/* QC_NOTFOUND, QC_AUTH, QC_LIMIT; conf_parse's, with the file's name. */
QC_MUST qc_rc conf_load(const char *path, struct conf *ret, struct qc_err *err);
/* 127.0.0.1:PORT or [::1]:PORT. QC_USAGE: any other, with the reason. */
QC_MUST qc_rc conf_address(qc_span value, struct conf_address *ret, struct qc_err *err);
