/* Addresses of servers: http and https, host and port, and nothing else. Strict: whoever mistypes an address
 * shall hear of it, and no part of it can be read in two ways. */
#include "net/url.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/codec.h"

enum { PORT_MAX = 65535, HTTPS_PORT = 443, HTTP_PORT = 80 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_host_byte(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.';
}

static bool is_v6_byte(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' || c == '.';
}

/* Bytes of the host at s, brackets of an IPv6 address included; 0: none. */
static size_t host_length(const char *s)
{
    size_t n = 0;

    if (*s == '[') {
        for (n = 1; is_v6_byte(s[n]);)
            n++;
        return s[n] == ']' && n > 2 ? n + 1 : 0;
    }
    while (is_host_byte(s[n]))
        n++;
    return n > 0 && s[0] != '-' && s[0] != '.' ? n : 0;
}

static qc_rc take_port(const char *s, unsigned *ret, struct qc_err *err)
{
    unsigned v = 0;
    size_t n = 0;

    for (; n < 6 && is_digit(s[n]); n++)
        v = 10 * v + (unsigned)(s[n] - '0');
    if (n == 0 || s[n] != '\0' || v < 1 || v > PORT_MAX || s[0] == '0')
        return QC_FAIL(err, QC_USAGE, "a port is a number from 1 to %d", PORT_MAX);
    *ret = v;
    return QC_OK;
}

bool net_host_is_loopback(const char *host)
{
    static const char *const hosts[] = { "127.0.0.1", "[::1]", "::1", "localhost" };

    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
        if (strcmp(host, hosts[i]) == 0)
            return true;
    return false;
}

static qc_rc parse(const char *text, struct net_url *u, struct qc_err *err)
{
    const bool tls = strncmp(text, "https://", 8) == 0;

    if (!tls && strncmp(text, "http://", 7) != 0)
        return QC_FAIL(err, QC_USAGE, "an address begins with http:// or https://");
    const char *s = text + (tls ? 8 : 7);
    if (strchr(s, '@') != NULL) /* and what stands there is repeated nowhere */
        return QC_FAIL(err, QC_USAGE, "an address has no name and no password of a user");
    const size_t n = host_length(s);
    if (n == 0 || n >= sizeof u->host)
        return QC_FAIL(err, QC_USAGE, "no host in the address, or one longer than %zu bytes",
                       sizeof u->host - 1);
    memcpy(u->host, s, n);
    u->host[n] = '\0';
    u->tls = tls;
    u->port = tls ? HTTPS_PORT : HTTP_PORT;
    if (s[n] == ':')
        return take_port(s + n + 1, &u->port, err);
    if (s[n] != '\0')
        return QC_FAIL(err, QC_USAGE, "nothing may follow host and port, not even a slash");
    return QC_OK;
}

qc_rc net_url_parse(const char *text, struct net_url *ret, struct qc_err *err)
{
    struct net_url u = { 0 };

    if (strnlen(text, NET_URL_SIZE_MAX + 1) > NET_URL_SIZE_MAX)
        return QC_FAIL(err, QC_USAGE, "an address longer than %d bytes", NET_URL_SIZE_MAX);
    QC_TRY(parse(text, &u, err));
    if (!u.tls && !net_host_is_loopback(u.host))
        return QC_FAIL(err, QC_USAGE,
                       "http:// carries what is sent in clear, so it reaches this machine only (127.0.0.1, "
                       "[::1], localhost); '%s' needs https://",
                       u.host);
    *ret = u;
    return QC_OK;
}

void net_url_base(const struct net_url *u, char ret[NET_URL_SIZE_MAX + 1])
{
    const int n =
        snprintf(ret, NET_URL_SIZE_MAX + 1, "%s://%s:%u", u->tls ? "https" : "http", u->host, u->port);
    QC_ASSERT(n > 0 && n <= NET_URL_SIZE_MAX);
}

qc_rc net_address_parse(const char *text, struct net_address *ret, struct qc_err *err)
{
    const char *colon = strrchr(text, ':');
    const size_t n = colon == NULL ? 0 : (size_t)(colon - text);
    qc_span digits = qc_span_str(colon == NULL ? "" : colon + 1);
    struct in_addr in;
    uint64_t port = 0;
    if (n > 0 && n < sizeof ret->host) {
        memcpy(ret->host, text, n);
        ret->host[n] = '\0';
    }
    if (n == 0 || n >= sizeof ret->host || inet_pton(AF_INET, ret->host, &in) != 1 ||
        !qc_dec_take(&digits, &port) || digits.n != 0 || port == 0 || port > UINT16_MAX)
        return QC_FAIL(err, QC_USAGE, "an address and a port, as 127.0.0.1:8443");
    ret->port = (uint16_t)port;
    return QC_OK;
}
