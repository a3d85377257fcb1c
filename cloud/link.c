#include "cloud/link.h"

#include <string.h>

#include "link_way.h"

/* What the scheme gives by itself. */
static enum net_level scheme_level(const struct cloud_url *u)
{
    const char *plus = strchr(u->scheme, '+');
    if (plus == NULL)
        return NET_OTP;
    return strcmp(plus, "+https") == 0 ? NET_TLS : NET_PLAIN;
}

qc_rc cloud_way_from(const struct cloud_url *u, struct cloud_way *ret, struct qc_err *err)
{
    struct cloud_way way = { .local = strchr(u->scheme, '+') == NULL, .want.least = scheme_level(u) };
    const bool is_link = u->link[0] != '\0', is_level = u->level[0] != '\0';
    if (way.local && (is_link || is_level))
        return QC_FAIL(err, QC_USAGE,
                       "cloud URL: link and level are for clouds that are reached by a network");
    if (is_link && (u->link[0] != '/' || !is_level))
        return QC_FAIL(err, QC_USAGE,
                       "cloud URL: expected link=/absolute/socket of a qcloud-link, and "
                       "level=LEVEL[:SECONDS[:BYTES]], the least for writing");
    memcpy(way.link, u->link, strlen(u->link) + 1);
    if (is_level)
        QC_TRY_AS(net_want_parse(qc_span_str(u->level), &way.want, err), err, "cloud URL: level");
    if (!is_link && (way.want.key_s > 0 || way.want.key_bytes > 0))
        return QC_FAIL(err, QC_USAGE, "cloud URL: level=%.48s: without link=.. there is no key from QKD",
                       u->level);
    if (!is_link && way.want.least > scheme_level(u))
        return QC_FAIL(err, QC_USAGE, "cloud URL: level=%.16s, where without link=.. there is %s", u->level,
                       net_level_name(scheme_level(u)));
    *ret = way;
    return QC_OK;
}

qc_rc cloud_way_of(const char *url, struct cloud_way *ret, struct qc_err *err)
{
    struct cloud_url u;
    QC_TRY(cloud_url_parse(url, &u, err));
    return cloud_way_from(&u, ret, err);
}
