#include "status.h"

#include <inttypes.h>
#include <math.h>

#include "qkd/plan.h"

/* -- for people ------------------------------------------------------------------------------------------ */

static qc_rc key_text(const struct net_link_state *s, qc_buf *ret, struct qc_err *err)
{
    if (s->key_id[0] == '\0')
        return qc_buf_addf(ret, err, "key       none\n");
    return qc_buf_addf(ret, err,
                       "key       %s, %" PRIu64 " s old, %" PRIu64 " bytes under it; %" PRIu64
                       " keys since the start\n",
                       s->key_id, s->key_s, s->key_bytes, s->keys);
}

static qc_rc stock_text(const struct net_link_state *s, qc_buf *ret, struct qc_err *err)
{
    char stock[QKD_SPAN_TEXT], use[QKD_SPAN_TEXT], dry[QKD_SPAN_TEXT];
    qkd_amount_text((double)s->stock_bits, "bit", stock);
    qkd_amount_text((double)s->use_bps, "bit/s", use);
    qkd_span_text((double)s->dry_s, dry);
    QC_TRY(qc_buf_addf(ret, err, "stock     %s at the KME; %s are used\n",
                       s->stock_known ? stock : "not known", use));
    return qc_buf_addf(ret, err, "out       %s%s\n", s->dries ? dry : "not",
                       s->dries || s->stock_known ? " at the present use" : " that is known of");
}

qc_rc link_status_text(const struct net_link_state *s, qc_buf *ret, struct qc_err *err)
{
    QC_TRY(qc_buf_addf(ret, err, "link      %s to %s (%s)\n", s->link, s->peer, s->dials ? "dial" : "serve"));
    QC_TRY(qc_buf_addf(ret, err, "level     %s; %s now, %s at least, %s\n", net_level_name(s->level),
                       net_level_name(s->now), net_level_name(s->least), s->ready ? "ready" : "not ready"));
    if (s->why[0] != '\0')
        QC_TRY(qc_buf_addf(ret, err, "why       %s\n", s->why));
    QC_TRY(qc_buf_addf(ret, err, "carries   %" PRIu64 " connections\n", s->connections));
    if (s->level < NET_QKD_TLS)
        return QC_OK;
    QC_TRY(key_text(s, ret, err));
    if (s->level == NET_OTP)
        QC_TRY(qc_buf_addf(ret, err,
                           "pad       %" PRIu64 " bytes to send, %" PRIu64 " to receive; block %" PRIu64 "\n",
                           s->pad_send, s->pad_receive, s->pad_block));
    return stock_text(s, ret, err);
}

/* -- for Prometheus -------------------------------------------------------------------------------------- */

static double ready(const struct net_link_state *s)
{
    return s->ready;
}

static double level(const struct net_link_state *s)
{
    return s->now;
}

static double keys(const struct net_link_state *s)
{
    return (double)s->keys;
}

static double key_age(const struct net_link_state *s)
{
    return (double)s->key_s;
}

static double pad_send(const struct net_link_state *s)
{
    return (double)s->pad_send;
}

static double pad_receive(const struct net_link_state *s)
{
    return (double)s->pad_receive;
}

static double stock(const struct net_link_state *s)
{
    return s->stock_known ? (double)s->stock_bits : NAN;
}

static double use(const struct net_link_state *s)
{
    return (double)s->use_bps;
}

static double dry(const struct net_link_state *s)
{
    return s->dries ? (double)s->dry_s : s->stock_known ? INFINITY : NAN;
}

static const struct family {
    const char *name, *type, *help;
    double (*of)(const struct net_link_state *s);
} families[] = {
    { "qcloud_link_ready", "gauge", "1: a connection that is made now is carried", ready },
    { "qcloud_link_level", "gauge", "now: 0 down, 1 plain, 2 tls, 3 qkd-tls, 4 otp", level },
    { "qcloud_link_keys_total", "counter", "keys for TLS since the start", keys },
    { "qcloud_link_key_age_seconds", "gauge", "of the key in use", key_age },
    { "qcloud_link_pad_send_bytes", "gauge", "pad that is left to send", pad_send },
    { "qcloud_link_pad_receive_bytes", "gauge", "pad that is left to receive", pad_receive },
    { "qcloud_link_stock_bits", "gauge", "key for this link at the KME; NaN: it does not say", stock },
    { "qcloud_link_use_bps", "gauge", "key used, bits a second, over the last ten minutes", use },
    { "qcloud_link_dry_seconds", "gauge",
      "until its key is out at the present use; +Inf: never; NaN: not known", dry },
};

static qc_rc number(double v, qc_buf *ret, struct qc_err *err)
{
    if (isnan(v))
        return qc_buf_addf(ret, err, "NaN\n");
    return isinf(v) ? qc_buf_addf(ret, err, "+Inf\n") : qc_buf_addf(ret, err, "%.0f\n", v);
}

/* Names of links and SAEs have no character that is to be escaped (conf.c). */
qc_rc link_status_metrics(const struct net_link_state *s, qc_buf *ret, struct qc_err *err)
{
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        const struct family *f = &families[i];
        QC_TRY(qc_buf_addf(ret, err, "# HELP %s %s\n# TYPE %s %s\n", f->name, f->help, f->name, f->type));
        QC_TRY(qc_buf_addf(ret, err, "%s{link=\"%s\",end=\"%s\"} ", f->name, s->link,
                           s->dials ? "dial" : "serve"));
        QC_TRY(number(f->of(s), ret, err));
    }
    return QC_OK;
}
