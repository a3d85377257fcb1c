#include "net/want.h"

#include <inttypes.h>
#include <string.h>

#include "base/ini.h"

/* Up to the next ':' or the end, which it takes with it. */
static qc_span take_part(qc_span *v)
{
    size_t n = 0;
    while (n < v->n && v->p[n] != ':')
        n++;
    const qc_span part = qc_span_sub(*v, 0, n);
    *v = qc_span_from(*v, n < v->n ? n + 1 : n);
    return part;
}

qc_rc net_want_parse(qc_span v, struct net_want *ret, struct qc_err *err)
{
    char text[16] = "";
    struct net_want w = { 0 };
    const qc_span level = take_part(&v);
    if (level.n >= sizeof text)
        return QC_FAIL(err, QC_USAGE, "otp, qkd-tls, tls or plain is needed");
    memcpy(text, level.p, level.n);
    QC_TRY(net_level_parse(text, &w.least, err));
    if (v.n > 0)
        QC_TRY(qc_ini_u64(take_part(&v), 0, LINK_PAD_MAX_S, &w.key_s, err));
    if (v.n > 0)
        QC_TRY(qc_ini_u64(take_part(&v), 0, LINK_REKEY_BYTES_MAX, &w.key_bytes, err));
    if (v.n > 0)
        return QC_FAIL(err, QC_USAGE, "LEVEL:SECONDS:BYTES is all there is");
    *ret = w;
    return QC_OK;
}

qc_rc net_want_print(const struct net_want *w, qc_buf *ret, struct qc_err *err)
{
    QC_TRY(qc_buf_add_str(ret, net_level_name(w->least), err));
    if (w->key_s > 0 || w->key_bytes > 0)
        QC_TRY(qc_buf_addf(ret, err, ":%" PRIu64, w->key_s));
    return w->key_bytes > 0 ? qc_buf_addf(ret, err, ":%" PRIu64, w->key_bytes) : QC_OK;
}

static qc_rc beyond(const char *link, const char *what, uint64_t most, uint64_t wanted, const char *unit,
                    struct qc_err *err)
{
    if (wanted == 0 || (most > 0 && most <= wanted))
        return QC_OK;
    if (most == 0)
        return QC_FAIL(err, QC_LINK,
                       "link %s uses %s of any age, and %" PRIu64 " %s is the most that is wanted", link,
                       what, wanted, unit);
    return QC_FAIL(err, QC_LINK,
                   "link %s uses %s for %" PRIu64 " %s, and %" PRIu64 " is the most that is wanted", link,
                   what, most, unit, wanted);
}

qc_rc net_want_age(const struct net_want *w, const struct net_link_state *s, struct qc_err *err)
{
    if (s->level < NET_QKD_TLS)
        return QC_OK;
    if (s->level == NET_OTP)
        QC_TRY(beyond(s->link, "pad", s->pad_max_s, w->key_s, "s", err));
    if (s->least == NET_OTP)
        return QC_OK;
    QC_TRY(beyond(s->link, "a key", s->key_max_s, w->key_s, "s", err));
    return beyond(s->link, "a key", s->key_max_bytes, w->key_bytes, "bytes", err);
}
