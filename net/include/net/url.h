/* Addresses of HTTP servers. Layer 1; uses base. Pure.
 *
 *   https://HOST[:PORT]       HOST: a name, an IPv4 address, or an IPv6 address in brackets
 *   http://HOST[:PORT]        the same, but loopback only */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum { NET_URL_SIZE_MAX = 300 }; /* a name of DNS has 253 bytes */

struct net_url {
    bool tls;
    char host[256]; /* as written, brackets included */
    unsigned port;
};

/* No user, path, query or fragment. QC_USAGE: with what is wrong; also http:// to another machine. */
QC_MUST qc_rc net_url_parse(const char *text, struct net_url *ret, struct qc_err *err);
struct net_address {
    char host[64]; /* an IPv4 address */
    uint16_t port; /* 0: none */
};
/* A.B.C.D:PORT. QC_USAGE */
QC_MUST qc_rc net_address_parse(const char *text, struct net_address *ret, struct qc_err *err);
/* 127.0.0.1, ::1 (with or without brackets) or localhost. */
bool net_host_is_loopback(const char *host);
/* scheme://host:port */
void net_url_base(const struct net_url *u, char ret[NET_URL_SIZE_MAX + 1]);
