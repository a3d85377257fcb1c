#include "s3_url.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/opt.h"
#include "cloud/cloud.h"

enum { OPTIONS = 4, OPTIONS_MAX = OPTIONS + 8 };

static bool in(const char *set, char ch)
{
    return ch != '\0' && strchr(set, ch) != NULL;
}

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT "0123456789"

static bool only(const char *s, const char *set)
{
    return s[strspn(s, set)] == '\0';
}

/* HOST, HOST:PORT, [V6], [V6]:PORT. The name server or the socket has the last word on what is a host: here
 * it is made of the right letters, so that it cannot end the line or the URL that it is put into. */
static qc_rc host_take(const char *authority, struct s3_url *ret, struct qc_err *err)
{
    size_t n = 0;
    if (authority[0] == '[')
        n = 1 + strspn(authority + 1, DIGIT "abcdefABCDEF:.");
    else
        n = strspn(authority, LOWER UPPER DIGIT ".-");
    n += authority[0] == '[' && authority[n] == ']';
    bool closed = authority[0] != '[' || (n > 2 && authority[n - 1] == ']');
    if (n == 0 || n > CLOUD_HOST_SIZE_MAX || !closed || (authority[n] != '\0' && authority[n] != ':'))
        return QC_FAIL(err, QC_USAGE,
                       "cloud URL: '%.64s' is no host; expected name, name:port or [IPv6]:port", authority);
    for (size_t i = 0; i < n; i++)
        ret->host[i] = (char)(authority[i] + (in(UPPER, authority[i]) ? 'a' - 'A' : 0));
    ret->host[n] = '\0';
    ret->port = 0;
    if (authority[n] == '\0')
        return QC_OK;
    uint64_t port = 0;
    if (!only(authority + n + 1, DIGIT) ||
        qc_parse_u64(authority + n + 1, "port", false, &port, err) != QC_OK || port < 1 || port > 65535)
        return QC_FAIL(err, QC_USAGE, "cloud URL: '%.16s' is no port; expected 1..65535", authority + n + 1);
    ret->port = (unsigned)port;
    return QC_OK;
}

static bool is_loopback_address(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    char bare[INET6_ADDRSTRLEN] = "";
    const size_t n = strlen(host);
    if (host[0] == '[' && n - 2 < sizeof bare)
        memcpy(bare, host + 1, n - 2);
    return (inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127) ||
           (inet_pton(AF_INET6, bare, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6));
}

/* Does it mean this machine, whatever a name server says? (RFC 6761 for localhost; libcurl agrees.) Addresses
 * in four parts only: "127.0.0.1.5" and its kind are names. */
static bool is_loopback(const char *host)
{
    static const char local[] = ".localhost";
    const size_t n = strlen(host);
    return strcmp(host, local + 1) == 0 ||
           (n > strlen(local) && strcmp(host + n - strlen(local), local) == 0) || is_loopback_address(host);
}

/* The rules that all makers share (s3.md 2.2): 3..63 of a-z 0-9 - and dots, a letter or digit at both ends.
 */
static qc_rc bucket_take(const char *path, struct s3_url *ret, struct qc_err *err)
{
    const char *s = path[0] == '/' ? path + 1 : path;
    size_t n = strlen(s);
    n -= n > 0 && s[n - 1] == '/';
    if (n == 0)
        return QC_FAIL(err, QC_USAGE, "cloud URL: a bucket is missing; write scheme://host/bucket");
    if (memchr(s, '/', n) != NULL)
        return QC_FAIL(err, QC_USAGE, "cloud URL: one bucket follows the host, nothing below it");
    if (n < 3 || n > CLOUD_BUCKET_SIZE_MAX || strspn(s, LOWER DIGIT ".-") < n || in(".-", s[0]) ||
        in(".-", s[n - 1]) || strstr(s, "..") != NULL)
        return QC_FAIL(err, QC_USAGE,
                       "cloud URL: '%.*s' is no bucket; expected 3..%d of a-z, 0-9, '-' and '.', "
                       "with a letter or digit at both ends",
                       (int)(n < 64 ? n : 64), s, CLOUD_BUCKET_SIZE_MAX);
    memcpy(ret->bucket, s, n);
    ret->bucket[n] = '\0';
    return QC_OK;
}

/* Path style works everywhere, but AWS gives new features to virtual hosts only, and its wildcard certificate
 * covers no bucket with a dot (s3.md 2.10). */
static qc_rc style_take(const char *style, struct s3_url *ret, struct qc_err *err)
{
    static const char aws[] = ".amazonaws.com";
    size_t n = strlen(ret->host);
    bool at_aws = n > strlen(aws) && strcmp(ret->host + n - strlen(aws), aws) == 0;
    if (style[0] != '\0' && strcmp(style, "path") != 0 && strcmp(style, "virtual") != 0)
        return QC_FAIL(err, QC_USAGE, "cloud URL: style '%s'; expected path or virtual", style);
    ret->virtual_host = style[0] == '\0' ? at_aws && strchr(ret->bucket, '.') == NULL : style[0] == 'v';
    if (!ret->virtual_host)
        return QC_OK;
    if (ret->host[0] == '[' || only(ret->host, DIGIT "."))
        return QC_FAIL(err, QC_USAGE, "cloud URL: style=virtual needs a host with a name, not an address");
    if (n + 1 + strlen(ret->bucket) > CLOUD_HOST_SIZE_MAX)
        return QC_FAIL(err, QC_USAGE, "cloud URL: bucket.host is longer than %d bytes", CLOUD_HOST_SIZE_MAX);
    return QC_OK;
}

/* What protects the way to the cloud: TLS, or the operator's word that nobody is on it. */
static qc_rc guard_take(const char *plain, struct s3_url *ret, struct qc_err *err)
{
    if (plain[0] != '\0' && strcmp(plain, "yes") != 0)
        return QC_FAIL(err, QC_USAGE, "cloud URL: plain '%s'; expected plain=yes, or leave it out", plain);
    if (ret->tls && plain[0] != '\0')
        return QC_FAIL(err, QC_USAGE, "cloud URL: plain=yes with https; it is for http alone");
    if (!ret->tls && ret->ca[0] != '\0')
        return QC_FAIL(err, QC_USAGE, "cloud URL: a ca with http, which has no certificates");
    if (ret->ca[0] != '\0' && ret->ca[0] != '/')
        return QC_FAIL(err, QC_USAGE, "cloud URL: ca '%.64s'; expected the absolute path of a PEM file",
                       ret->ca);
    if (!ret->tls && !ret->loopback && plain[0] == '\0')
        return QC_FAIL(err, QC_USAGE,
                       "cloud URL: plain HTTP to %s, which is not this machine: use https, or add plain=yes "
                       "where the way there is protected by other means",
                       ret->host);
    return QC_OK;
}

qc_rc s3_url_parse(const struct cloud_url *url, const struct cloud_url_key *more, size_t count,
                   struct s3_url *ret, struct qc_err *err)
{
    struct s3_url u = { 0 };
    char style[CLOUD_REGION_SIZE_MAX + 1];
    char plain[CLOUD_REGION_SIZE_MAX + 1];
    struct cloud_url_key keys[OPTIONS_MAX] = {
        { "region", u.region, sizeof u.region },
        { "ca", u.ca, sizeof u.ca },
        { "style", style, sizeof style },
        { "plain", plain, sizeof plain },
    };
    const char *plus = strchr(url->scheme, '+');
    QC_ASSERT(plus != NULL && (strcmp(plus, "+https") == 0 || strcmp(plus, "+http") == 0));
    QC_ASSERT(count <= OPTIONS_MAX - OPTIONS);
    for (size_t i = 0; i < count; i++)
        keys[OPTIONS + i] = more[i];

    u.tls = strcmp(plus, "+https") == 0;
    QC_TRY(host_take(url->authority, &u, err));
    u.loopback = is_loopback(u.host);
    QC_TRY(bucket_take(url->path, &u, err));
    QC_TRY(cloud_url_query(url, keys, OPTIONS + count, err));
    if (!only(u.region, LOWER UPPER DIGIT "-_"))
        return QC_FAIL(err, QC_USAGE, "cloud URL: region '%s'; expected letters, digits, '-' and '_'",
                       u.region);
    if (u.region[0] == '\0')
        memcpy(u.region, "us-east-1", sizeof "us-east-1");
    QC_TRY(style_take(style, &u, err));
    QC_TRY(guard_take(plain, &u, err));
    *ret = u;
    return QC_OK;
}

/* Host, port (0: a scheme's own) and bucket alone, whatever the options are. */
static bool bucket_of(const char *url, struct s3_url *ret)
{
    struct cloud_url parsed;
    struct s3_url u = { 0 };
    struct qc_err unused = { 0 };
    if (cloud_url_parse(url, &parsed, &unused) != QC_OK || strncmp(parsed.scheme, "s3", 2) != 0 ||
        host_take(parsed.authority, &u, &unused) != QC_OK || bucket_take(parsed.path, &u, &unused) != QC_OK)
        return false;
    if (u.port == 443 || u.port == 80)
        u.port = 0;
    *ret = u;
    return true;
}

/* Names of buckets are the same to all of a provider's regions. */
static bool same_host(const char *a, const char *b)
{
    static const char aws[] = ".amazonaws.com";
    const size_t n = strlen(a), m = strlen(b), end = strlen(aws);
    return strcmp(a, b) == 0 ||
           (n > end && m > end && strcmp(a + n - end, aws) == 0 && strcmp(b + m - end, aws) == 0);
}

bool cloud_same_bucket(const char *a, const char *b)
{
    struct s3_url one, other;
    return bucket_of(a, &one) && bucket_of(b, &other) && strcmp(one.bucket, other.bucket) == 0 &&
           one.port == other.port && same_host(one.host, other.host);
}
