/* Stocks of key: asked, compared, told. */
#include "qkd/stock.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/opt.h"
#include "net/link_state.h"
#include "qkd/tls_keys.h"

enum { WATCH_S = 5, WATCH_MOST_S = 3600, POLL_MS = 50, LINE = 1024, LINK_MS = 2000 };

struct stock {
    const struct qkd_stock_link *link;
    qc_rc rc; /* of the last question; QC_OK: what follows is known */
    char why[QC_ERR_MSG_MAX];
    char name[NET_PSK_NAME_MAX + 1], peer[NET_PSK_NAME_MAX + 1];
    bool known; /* stock_bits is */
    uint64_t keys, key_bits, stock_bits;
    bool full;         /* the KME has all that it keeps: what it makes is not seen */
    bool paced;        /* change_bps is known: what the stock gains in a second; below 0: loses */
    double change_bps; /* .. with what its network makes, and all its users take */
    bool uses;         /* use_bps is: a qcloud-link says it of itself */
    uint64_t use_bps;
    bool dries;
    double dry_s;
};

qc_rc qkd_stock_watch(const struct qc_args *args, uint64_t *ret_s, struct qc_err *err)
{
    const bool forecast = qc_args_flag(args, "forecast");
    uint64_t s = WATCH_S;

    QC_TRY(qc_args_u64(args, "for", false, 1, WATCH_MOST_S, &s, err));
    if (!forecast && qc_args_value(args, "for", NULL) != NULL)
        return QC_FAIL(err, QC_USAGE, "--for says how long a forecast watches: give --forecast, too");
    *ret_s = forecast ? s : 0;
    return QC_OK;
}

/* -- asking ---------------------------------------------------------------------------------------------- */

static qc_rc ask_kme(struct stock *s, struct qc_err *err)
{
    const struct qkd_keyed *k = s->link->keyed;
    QC_CLEANUP(qkd_tls_keys_free) struct qkd_tls_keys *keys = NULL;
    struct qkd_status is = { 0 };

    QC_TRY(qkd_keyed_open(k, s->link->peer, &keys, err));
    QC_TRY(qkd_tls_keys_look(keys, qc_deadline_in(LINK_KME_MS), &is, err));
    if (strcmp(is.master, k->me) != 0)
        return QC_FAIL(err, QC_LINK, "KME %s takes us for %s, not for %s", k->kme, is.master, k->me);
    s->keys = is.stored < is.capacity ? is.stored : is.capacity;
    s->full = is.stored >= is.capacity;
    s->key_bits = is.key_bits;
    s->known = qc_mul_u64(s->keys, s->key_bits, &s->stock_bits);
    return s->known ? QC_OK
                    : QC_FAIL(err, QC_FORMAT, "KME %s says that it has %" PRIu64 " keys", k->kme, s->keys);
}

static qc_rc ask_link(struct stock *s, struct qc_err *err)
{
    struct net_link_state is;

    QC_TRY(net_link_state_ask(&is, s->link->socket, qc_deadline_in(LINK_MS), err));
    memcpy(s->name, is.link, sizeof s->name);
    memcpy(s->peer, is.peer, sizeof s->peer);
    if (is.level < NET_QKD_TLS)
        return QC_FAIL(err, QC_NOTCONF, "the link is not keyed by QKD: %s", net_level_name(is.level));
    s->known = is.stock_known;
    s->stock_bits = is.stock_bits;
    s->uses = true;
    s->use_bps = is.use_bps;
    s->dries = is.dries;
    s->dry_s = (double)is.dry_s;
    return QC_OK;
}

/* A new question; what was known before is returned for the pace. */
static qc_rc ask(struct stock *s, struct qc_err *err)
{
    struct qc_err why = { 0 };
    const struct qkd_stock_link *l = s->link;

    *s = (struct stock){ .link = l };
    if (l->keyed != NULL) {
        memcpy(s->name, l->keyed->link, sizeof s->name);
        (void)snprintf(s->peer, sizeof s->peer, "%s", l->peer);
    }
    s->rc = l->keyed != NULL ? ask_kme(s, &why) : ask_link(s, &why);
    (void)snprintf(s->why, sizeof s->why, "%s", s->rc != QC_OK ? why.msg : "");
    if (s->rc != QC_NOMEM)
        return QC_OK;
    *err = why;
    return QC_NOMEM;
}

static qc_rc wait_for(uint64_t watch_s, const struct qc_cancel *cancel, struct qc_err *err)
{
    const uint64_t end = qc_now_ms() + watch_s * 1000;

    while (qc_now_ms() < end) {
        QC_TRY(qc_go_on(QC_NO_DEADLINE, cancel, "watching stocks of key", err));
        (void)nanosleep(&(struct timespec){ .tv_nsec = POLL_MS * 1000000L }, NULL);
    }
    return QC_OK;
}

/* A full stock stays full whatever its network makes: nothing can be told of its pace. */
static void pace(struct stock *s, uint64_t before_bits, bool was_full, uint64_t ms)
{
    if (s->rc != QC_OK || !s->known || ms == 0 || (s->full && was_full))
        return;
    s->change_bps = ((double)s->stock_bits - (double)before_bits) * 1000 / (double)ms;
    s->paced = true;
    s->dries = s->change_bps < 0;
    s->dry_s = s->dries ? (double)s->stock_bits / -s->change_bps : 0;
}

static qc_rc watch(struct stock *v, size_t count, uint64_t watch_s, const struct qc_cancel *cancel,
                   struct qc_err *err)
{
    const uint64_t began = qc_now_ms();

    QC_TRY(wait_for(watch_s, cancel, err));
    for (size_t i = 0; i < count; i++) {
        const bool had = v[i].rc == QC_OK && v[i].known, was_full = v[i].full;
        const uint64_t before = v[i].stock_bits;
        if (v[i].link->keyed == NULL)
            continue; /* it has watched for itself, and for longer */
        QC_TRY(ask(&v[i], err));
        if (had)
            pace(&v[i], before, was_full, qc_now_ms() - began);
    }
    return QC_OK;
}

/* -- telling --------------------------------------------------------------------------------------------- */

static void lasts(const struct stock *s, bool forecast, char *to, size_t size)
{
    if (s->uses)
        (void)snprintf(to, size, "; %" PRIu64 " bit/s used over the last minutes: %s", s->use_bps,
                       s->dries ? "" : "not out as far as it can tell");
    else if (!forecast)
        to[0] = '\0';
    else if (!s->paced)
        (void)snprintf(to, size, "; %s",
                       s->full ? "all that its KME keeps: what comes and goes is not seen"
                               : "its pace is not known");
    else
        (void)snprintf(to, size, "; %s by %.0f bit/s%s", s->change_bps < 0 ? "falls" : "grows",
                       fabs(s->change_bps), s->dries ? ": " : "");
    const size_t n = strlen(to);
    if (s->dries)
        (void)snprintf(to + n, size - n, "out in %.1f hours", s->dry_s / 3600);
}

static qc_rc say(const struct stock *s, bool forecast, struct json_t *lines, struct qc_err *err)
{
    char text[LINE], end[256] = "", stock[128] = "what there is is not known";
    const char *cloud = s->link->cloud;
    const char *at = s->link->keyed != NULL ? s->link->keyed->kme : s->link->socket;

    lasts(s, forecast, end, sizeof end);
    if (s->known && s->link->keyed != NULL)
        (void)snprintf(stock, sizeof stock, "%" PRIu64 " keys of %" PRIu64 " bits, %" PRIu64 " bits", s->keys,
                       s->key_bits, s->stock_bits);
    else if (s->known)
        (void)snprintf(stock, sizeof stock, "%" PRIu64 " bits", s->stock_bits);
    (void)snprintf(text, sizeof text, "link %s to %s%s%s%s, by %s: %s%s", s->name[0] != '\0' ? s->name : "?",
                   s->peer[0] != '\0' ? s->peer : "?", cloud != NULL ? " (cloud " : "",
                   cloud != NULL ? cloud : "", cloud != NULL ? ")" : "", at, s->rc == QC_OK ? stock : s->why,
                   s->rc == QC_OK ? end : "");
    return qc_json_append_str(lines, text, err);
}

static qc_rc set_count(struct json_t *o, const char *name, bool known, uint64_t v, struct qc_err *err)
{
    if (!known || v > INT64_MAX)
        return qc_json_set_null(o, name, err);
    return qc_json_set_int(o, name, (int64_t)v, err);
}

static qc_rc set_number(struct json_t *o, const char *name, bool known, double v, struct qc_err *err)
{
    return known && isfinite(v) ? qc_json_set_real(o, name, v, err) : qc_json_set_null(o, name, err);
}

static qc_rc link_json(const struct stock *s, struct json_t *list, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    const bool ok = s->rc == QC_OK, kme = s->link->keyed != NULL;

    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(qc_json_set_str(o, "link", s->name, err));
    QC_TRY(qc_json_set_str(o, "peer", s->peer, err));
    QC_TRY(qc_json_set_str(o, "by", kme ? "kme" : "qcloud-link", err));
    QC_TRY(qc_json_set_str(o, "at", kme ? s->link->keyed->kme : s->link->socket, err));
    QC_TRY(s->link->cloud != NULL ? qc_json_set_str(o, "cloud", s->link->cloud, err)
                                  : qc_json_set_null(o, "cloud", err));
    QC_TRY(set_count(o, "keys", ok && kme, s->keys, err));
    QC_TRY(set_count(o, "key_bits", ok && kme, s->key_bits, err));
    QC_TRY(set_count(o, "stock_bits", ok && s->known, s->stock_bits, err));
    QC_TRY(qc_json_set_bool(o, "full", ok && s->full, err));
    QC_TRY(set_count(o, "use_bps", ok && s->uses, s->use_bps, err));
    QC_TRY(set_number(o, "change_bps", ok && s->paced, s->change_bps, err));
    QC_TRY(set_number(o, "hours_left", ok && s->dries, s->dry_s / 3600, err));
    QC_TRY(qc_json_set_str(o, "id", qc_rc_name(s->rc), err));
    QC_TRY(qc_json_set_str(o, "why", s->why, err));
    return qc_json_append(list, &o, err);
}

/* The first link without key, or whose key nobody knows of. */
static qc_rc outcome_json(const struct stock *v, size_t count, struct json_t *o, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *one = NULL;
    char text[LINE] = "";

    for (size_t i = 0; i < count && text[0] == '\0'; i++)
        if (v[i].rc != QC_OK && v[i].rc != QC_NOTCONF)
            (void)snprintf(text, sizeof text, "link %s to %s: %s", v[i].name[0] != '\0' ? v[i].name : "?",
                           v[i].peer[0] != '\0' ? v[i].peer : "?", v[i].why);
        else if (v[i].rc == QC_OK && v[i].known && v[i].stock_bits == 0)
            (void)snprintf(text, sizeof text, "link %s to %s: there is no key", v[i].name, v[i].peer);
    QC_TRY(qc_json_new_obj(&one, err));
    QC_TRY(qc_json_set_str(one, "id", qc_rc_name(text[0] != '\0' ? QC_LINK : QC_OK), err));
    QC_TRY(qc_json_set_str(one, "message", text, err));
    return qc_json_set(o, "outcome", &one, err);
}

static qc_rc report(const struct stock *v, size_t count, bool forecast, struct json_t **ret,
                    struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *links = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *lines = NULL;

    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(qc_json_new_arr(&links, err));
    QC_TRY(qc_json_new_arr(&lines, err));
    for (size_t i = 0; i < count; i++) {
        QC_TRY(link_json(&v[i], links, err));
        QC_TRY(say(&v[i], forecast, lines, err));
    }
    QC_TRY(qc_json_set(o, "links", &links, err));
    QC_TRY(outcome_json(v, count, o, err));
    QC_TRY(qc_json_set(o, "summary", &lines, err));
    *ret = QC_STEAL(o);
    return QC_OK;
}

qc_rc qkd_stock_report(const struct qkd_stock_link *links, size_t count, uint64_t watch_s,
                       const struct qc_cancel *cancel, struct json_t **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct stock *v = qc_alloc((count > 0 ? count : 1) * sizeof *v);
    bool kme = false;

    if (v == NULL)
        return QC_FAIL(err, QC_NOMEM, "stocks of %zu links", count);
    for (size_t i = 0; i < count; i++) {
        QC_TRY(qc_go_on(QC_NO_DEADLINE, cancel, "asking for stocks of key", err));
        v[i].link = &links[i];
        QC_TRY(ask(&v[i], err));
        kme = kme || links[i].keyed != NULL;
    }
    if (watch_s > 0 && kme)
        QC_TRY(watch(v, count, watch_s, cancel, err));
    return report(v, count, watch_s > 0, ret, err);
}
