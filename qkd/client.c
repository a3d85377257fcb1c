/* The calls of ETSI GS QKD 014, from their arguments to keys.
 *
 *   look (arguments, status) -> the circuit -> try -> fate -> pause and try again, or end -> container ->
 * seen
 *
 * A try's fate comes from one table; what is left to code is how often it may be tried again (docs/qkd.md).
 */
#include "qkd/client.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/log.h"
#include "container.h"
#include "reply.h"
#include "request.h"

/* -- a client -------------------------------------------------------------------------------------------- */

void qkd_client_free(struct qkd_client **c)
{
    if (*c == NULL)
        return;
    net_client_free(&(*c)->net);
    qkd_seen_done(&(*c)->seen);
    qc_free((*c)->strings);
    qc_free(*c);
    *c = NULL;
}

static bool name_ok(const char *s)
{
    size_t n = 0;
    for (; s[n] != '\0'; n++) {
        const bool alnum =
            (s[n] >= 'a' && s[n] <= 'z') || (s[n] >= 'A' && s[n] <= 'Z') || (s[n] >= '0' && s[n] <= '9');
        if (!alnum && strchr("._-", s[n]) == NULL)
            return false;
    }
    return n > 0 && n <= QKD_NAME_MAX;
}

static qc_rc check_names(const struct qkd_conf *conf, struct qc_err *err)
{
    if (conf->more_count > QKD_SAES_MAX)
        return QC_FAIL(err, QC_USAGE, "more than %d further SAEs", QKD_SAES_MAX);
    if (conf->must_count > QKD_EXTENSIONS_MAX || conf->might_count > QKD_EXTENSIONS_MAX)
        return QC_FAIL(err, QC_USAGE, "more than %d extensions", QKD_EXTENSIONS_MAX);
    for (size_t i = 0; i < conf->more_count; i++)
        if (conf->more[i][0] == '\0' || strnlen(conf->more[i], QKD_NAME_MAX + 1) > QKD_NAME_MAX)
            return QC_FAIL(err, QC_USAGE, "an SAE ID has 1 to %d bytes", QKD_NAME_MAX);
    for (size_t i = 0; i < conf->must_count + conf->might_count; i++) {
        const struct qkd_extension *e =
            i < conf->must_count ? &conf->must[i] : &conf->might[i - conf->must_count];
        if (!name_ok(e->name) || strnlen(e->value, QKD_NAME_MAX + 1) > QKD_NAME_MAX)
            return QC_FAIL(err, QC_USAGE,
                           "extension %zu: a name of letters, digits, '.', '_' and '-', and a value"
                           " of at most %d bytes",
                           i, QKD_NAME_MAX);
    }
    return QC_OK;
}

static const char *keep(struct qkd_client *c, const char *s)
{
    char *at = c->strings_at;
    if (s == NULL)
        return NULL;
    memcpy(at, s, strlen(s) + 1);
    c->strings_at += strlen(s) + 1;
    return at;
}

static size_t length(const char *s)
{
    return s == NULL ? 0 : strlen(s) + 1;
}

static qc_rc copy_conf(struct qkd_client *c, const struct qkd_conf *conf, struct qc_err *err)
{
    size_t n =
        length(conf->url) + length(conf->ca) + length(conf->cert) + length(conf->key) + length(conf->peer);
    for (size_t i = 0; i < conf->more_count; i++)
        n += length(conf->more[i]);
    for (size_t i = 0; i < conf->must_count; i++)
        n += length(conf->must[i].name) + length(conf->must[i].value);
    for (size_t i = 0; i < conf->might_count; i++)
        n += length(conf->might[i].name) + length(conf->might[i].value);
    c->strings = c->strings_at = qc_alloc(n);
    if (c->strings == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", n);
    c->conf = *conf;
    c->conf.url = keep(c, conf->url);
    c->conf.ca = keep(c, conf->ca);
    c->conf.cert = keep(c, conf->cert);
    c->conf.key = keep(c, conf->key);
    c->conf.peer = keep(c, conf->peer);
    for (size_t i = 0; i < conf->more_count; i++)
        c->more[i] = keep(c, conf->more[i]);
    for (size_t i = 0; i < conf->must_count; i++)
        c->extensions[i] =
            (struct qkd_extension){ keep(c, conf->must[i].name), keep(c, conf->must[i].value) };
    for (size_t i = 0; i < conf->might_count; i++)
        c->extensions[conf->must_count + i] =
            (struct qkd_extension){ keep(c, conf->might[i].name), keep(c, conf->might[i].value) };
    c->conf.more = c->more;
    c->conf.must = c->extensions;
    c->conf.might = c->extensions + conf->must_count;
    c->conf.pause_ms = conf->pause_ms == 0 ? QKD_PAUSE_MS : conf->pause_ms;
    c->conf.try_ms = conf->try_ms == 0 ? QKD_TRY_MS : conf->try_ms;
    return QC_OK;
}

qc_rc qkd_client_new(struct qkd_client **ret, const struct qkd_conf *conf, struct qc_err *err)
{
    QC_CLEANUP(qkd_client_free) struct qkd_client *c = qc_alloc(sizeof *c);
    struct net_url url;
    if (c == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", sizeof *c);
    QC_TRY_AS(net_url_parse(conf->url, &url, err), err, "KME");
    if (!url.tls && !conf->plain)
        return QC_FAIL(err, QC_USAGE, "KME %s: in clear; keys come over https alone", conf->url);
    if (url.tls && (conf->ca == NULL || conf->cert == NULL || conf->key == NULL))
        return QC_FAIL(err, QC_USAGE, "KME %s: it needs a CA, a certificate and its key", conf->url);
    QC_TRY_AS(check_names(conf, err), err, "KME %s", conf->url);
    QC_TRY(copy_conf(c, conf, err));
    QC_TRY_AS(qkd_paths(c, err), err, "KME %s", conf->url);
    QC_TRY(net_client_new_url(&c->net, &url, url.tls ? conf->ca : NULL, err));
    if (url.tls)
        QC_TRY_AS(net_client_mutual(c->net, conf->cert, conf->key, err), err, "KME %s", conf->url);
    c->jitter = qc_now_ns();
    *ret = QC_STEAL(c);
    return QC_OK;
}

struct qkd_counts qkd_client_counts(const struct qkd_client *c)
{
    struct qkd_counts n = c->counts;
    n.in_row = c->breaker.in_row;
    n.open_ms = qkd_breaker_left(&c->breaker, qc_now_ms());
    n.open = n.open_ms > 0;
    return n;
}

/* -- what became of a try -------------------------------------------------------------------------------- */

enum again {
    AGAIN_NEVER,
    AGAIN_SAFE,  /* up to QKD_TRIES: nothing was given, or what was is forgotten */
    AGAIN_ONCE,  /* a key may be gone: one more */
    AGAIN_GRACE, /* the key may not have come to this KME yet: twice more */
    AGAIN_OTHER, /* by GET, if that can say it */
};

struct fate {
    qc_rc rc;
    enum again again;
    bool alive; /* the KME answered as one does: no failure of its */
    const char *what;
};

struct fate_row {
    unsigned calls; /* bits */
    int from, to;   /* status */
    struct fate fate;
};

#define CALL(c) (1U << (c))
#define KEYS    (CALL(QKD_ENC) | CALL(QKD_DEC))
#define ALL     (KEYS | CALL(QKD_STATUS))

/* clang-format off */
static const struct fate_row fates[] = { /* the first that fits */
    { ALL,            200, 200, { QC_OK,       AGAIN_NEVER, true,  "" } },
    { ALL,            401, 401, { QC_AUTH,     AGAIN_NEVER, true,  "the KME does not serve us" } },
    { ALL,            403, 403, { QC_AUTH,     AGAIN_NEVER, true,  "the KME does not serve us" } },
    { CALL(QKD_DEC),  400, 400, { QC_NOTFOUND, AGAIN_GRACE, true,  "the KME has no such key for us" } },
    { CALL(QKD_DEC),  404, 404, { QC_NOTFOUND, AGAIN_GRACE, true,  "the KME has no such key for us" } },
    { CALL(QKD_ENC),  404, 405, { QC_USAGE,    AGAIN_OTHER, true,  "the KME refuses" } },
    { CALL(QKD_DEC),  405, 405, { QC_USAGE,    AGAIN_OTHER, true,  "the KME refuses" } },
    { KEYS,           501, 501, { QC_USAGE,    AGAIN_OTHER, true,  "the KME refuses" } },
    { ALL,            429, 429, { QC_TEMP,     AGAIN_SAFE,  true,  "the KME is asked too often" } },
    { ALL,            400, 499, { QC_USAGE,    AGAIN_NEVER, true,  "the KME refuses" } },
    { ALL,            503, 503, { QC_TEMP,     AGAIN_SAFE,  false, "the KME has no keys now" } },
    { ALL,            500, 599, { QC_TEMP,     AGAIN_SAFE,  false, "the KME fails" } },
    { ALL,            300, 399, { QC_FORMAT,   AGAIN_NEVER, false, "it redirects, which we never do" } },
    { ALL,              0, 999, { QC_FORMAT,   AGAIN_NEVER, false, "a status that is none" } },
};
/* clang-format on */

static struct fate fate_of_status(enum qkd_call call, int status)
{
    const struct fate_row *f = fates;
    while ((f->calls & CALL(call)) == 0 || status < f->from || status > f->to)
        f++;
    return f->fate;
}

/* No answer came whole. rc: of qkd_send. */
static struct fate fate_of_failure(enum qkd_call call, qc_rc rc, enum net_reach reach)
{
    struct fate f = { .rc = rc, .again = AGAIN_NEVER };
    if (rc == QC_TEMP || rc == QC_TIMEOUT)
        f.again = call == QKD_DEC && reach != NET_NOTHING_SENT ? AGAIN_ONCE : AGAIN_SAFE;
    return f;
}

/* How many times in all. */
static unsigned tries(enum again again)
{
    return again == AGAIN_SAFE ? QKD_TRIES : again == AGAIN_ONCE ? 2 : again == AGAIN_GRACE ? 3 : 1;
}

/* -- trying ---------------------------------------------------------------------------------------------- */

/* Before try number n (from 1 on). */
static qc_rc pause_before(struct qkd_client *c, unsigned n, enum again again, const struct qkd_op *op,
                          struct qc_err *err)
{
    static const unsigned tenths[] = { 10, 25, 50 };
    uint64_t ms = (uint64_t)c->conf.pause_ms * tenths[n <= 3 ? n - 1 : 2] / 10;
    if (again == AGAIN_GRACE && n == 2)
        ms = (uint64_t)c->conf.pause_ms * 5;
    c->jitter = c->jitter * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    ms += (c->jitter >> 33) % (ms / 4 + 1);
    for (const qc_deadline until = qc_deadline_in(ms); !qc_deadline_over(until);) {
        const uint64_t left = qc_deadline_left_ms(until);
        QC_TRY(qc_go_on(op->deadline, op->cancel, "waiting for the KME", err));
        nanosleep(&(struct timespec){ .tv_nsec = (long)(left < 20 ? left : 20) * 1000000 }, NULL);
    }
    return QC_OK;
}

/* An answer as a KME gives it, or not. */
static void judge(struct qkd_client *c, bool alive, qc_rc rc)
{
    c->counts.nonsense += rc == QC_FORMAT;
    if (alive) {
        c->misled = false;
        qkd_breaker_answered(&c->breaker);
    } else {
        qkd_breaker_failed(&c->breaker, qc_now_ms());
        c->counts.failures++;
    }
}

/* One try, and its fate; *ret_err says it. */
static struct fate try_once(struct qkd_client *c, const struct qkd_ask *ask, const struct qkd_op *op,
                            struct qkd_answer *ret, struct qc_err *ret_err)
{
    char cite[QKD_CITE_MAX + 1] = "";
    const qc_rc rc = qkd_send(c, ask, op, ret, ret_err);
    struct fate f =
        rc == QC_OK ? fate_of_status(ask->call, ret->status) : fate_of_failure(ask->call, rc, ret->reach);
    c->counts.requests++;
    if (f.rc != QC_OK && f.rc != QC_CANCELLED && f.rc != QC_NOMEM) /* what came with 200 is looked at first */
        judge(c, f.alive, f.rc);
    if (rc != QC_OK && ret->reach != NET_NOTHING_SENT && ask->call != QKD_STATUS)
        c->counts.lost += ask->number;
    if (rc == QC_OK && f.rc != QC_OK) {
        qkd_reply_cite(qc_span_of(ret->body.p, ret->n), cite);
        qc_err_set(ret_err, f.rc, QC_HERE, "%s (status %d)%s%s", f.what, ret->status,
                   cite[0] == '\0' ? "" : ": ", cite);
    }
    return f;
}

/* By the other method, where POST is not known here and was never answered. */
static bool other_way(const struct qkd_client *c, const struct qkd_ask *ask, const struct fate *f, int status)
{
    const bool unknown = ask->call != QKD_STATUS && !ask->get && c->way[ask->call] == QKD_WAY_UNKNOWN;
    const bool says = f->again == AGAIN_OTHER || (ask->call == QKD_DEC && status == 404);
    return unknown && says && qkd_may_get(c, ask);
}

enum { PROBE_MS = 2000, PROBE_TRY_MS = 1000 }; /* between two probes; for one */

/* The circuit is open. Is the KME there again, with keys? By its status, which costs none. Who said so, and
 * had none, is not believed again before a request went through. */
static void probe(struct qkd_client *c, const struct qkd_op *op)
{
    QC_CLEANUP(qkd_answer_done) struct qkd_answer a = { 0 };
    const struct qkd_ask ask = { .call = QKD_STATUS };
    const struct qkd_op brief = { .deadline = qc_deadline_min(op->deadline, qc_deadline_in(PROBE_TRY_MS)),
                                  .cancel = op->cancel };
    struct qkd_status s;
    struct qc_err unused = { 0 };
    if (c->misled || qc_now_ms() < c->probe_ms)
        return;
    c->probe_ms = qc_now_ms() + PROBE_MS;
    c->counts.requests++;
    if (qkd_send(c, &ask, &brief, &a, &unused) != QC_OK || a.status != 200 ||
        qkd_reply_status(&s, qc_span_of(a.body.p, a.n), &unused) != QC_OK || s.stored == 0)
        return;
    c->misled = true;
    qkd_breaker_again(&c->breaker);
}

static qc_rc look(struct qkd_client *c, const struct qkd_op *op, struct qc_err *err)
{
    if (c->counts.broken)
        return QC_FAIL(err, QC_INTEGRITY, "this link is down: a key_ID came twice, which no honest KME does");
    if (qkd_breaker_left(&c->breaker, qc_now_ms()) > 0)
        probe(c, op);
    const uint64_t left = qkd_breaker_left(&c->breaker, qc_now_ms());
    if (left > 0)
        return QC_FAIL(err, QC_TEMP, "the KME failed %u times in a row; it is asked again in %" PRIu64 " s",
                       c->breaker.in_row, (left + 999) / 1000);
    return QC_OK;
}

/* Try until it is done, or may not be tried again. The last try's answer is in *ret. */
static qc_rc run(struct qkd_client *c, struct qkd_ask *ask, const struct qkd_op *op, struct qkd_answer *ret,
                 struct qc_err *err)
{
    ask->get = c->way[ask->call] == QKD_WAY_GET;
    for (unsigned n = 1;; n++) {
        struct qc_err why = { 0 };
        QC_TRY(look(c, op, err));
        QC_TRY(qc_go_on(op->deadline, op->cancel, "KME", err));
        qkd_answer_done(ret);
        struct fate f = try_once(c, ask, op, ret, &why);
        if (other_way(c, ask, &f, ret->status)) {
            struct qkd_ask by_get = *ask;
            by_get.get = true;
            qkd_answer_done(ret);
            const struct fate g = try_once(c, &by_get, op, ret, &why);
            ask->get = g.rc == QC_OK;
            f = g.again == AGAIN_OTHER ? f : g;
        }
        if (f.rc == QC_OK) {
            c->way[ask->call] = ask->get ? QKD_WAY_GET : QKD_WAY_POST;
            return QC_OK;
        }
        *err = why;
        if (n >= tries(f.again) || (f.again == AGAIN_GRACE && op->no_grace) ||
            qkd_breaker_left(&c->breaker, qc_now_ms()) > 0)
            return why.rc;
        QC_TRY(pause_before(c, n, f.again, op, err));
    }
}

/* -- the calls ------------------------------------------------------------------------------------------- */

static qc_rc read_status(struct qkd_client *c, const struct qkd_op *op, struct qc_err *err)
{
    QC_CLEANUP(qkd_answer_done) struct qkd_answer a = { 0 };
    struct qkd_ask ask = { .call = QKD_STATUS };
    QC_TRY(run(c, &ask, op, &a, err));
    const qc_rc rc = qkd_reply_status(&c->status, qc_span_of(a.body.p, a.n), err);
    judge(c, rc != QC_FORMAT, rc);
    c->has_status = rc == QC_OK;
    return rc;
}

qc_rc qkd_client_status(struct qkd_client *c, const struct qkd_op *op, struct qkd_status *ret,
                        struct qc_err *err)
{
    QC_TRY_AS(read_status(c, op, err), err, "KME %s", c->conf.url);
    *ret = c->status;
    return QC_OK;
}

/* New ones? One that came before is what no honest KME gives (I4): from then on the link is down. */
static qc_rc check_new(struct qkd_client *c, const struct qkd_keys *k, struct qc_err *err)
{
    for (size_t i = 0; i < k->count; i++)
        if (qkd_seen_has(&c->seen, &k->ids[i])) {
            c->counts.broken = true;
            return QC_FAIL(err, QC_INTEGRITY, "key %.8s.. came twice: this link is down, the KME is broken",
                           k->ids[i].text);
        }
    for (size_t i = 0; i < k->count; i++)
        QC_TRY(qkd_seen_add(&c->seen, &k->ids[i], err));
    return QC_OK;
}

/* One request, to keys. */
static qc_rc get_keys(struct qkd_client *c, struct qkd_ask *ask, const struct qkd_op *op,
                      struct qkd_keys *ret, struct qc_err *err)
{
    QC_CLEANUP(qkd_answer_done) struct qkd_answer a = { 0 };
    QC_CLEANUP(qkd_keys_done) struct qkd_keys k = { 0 };
    const struct qkd_want want = {
        .number = ask->number, .bits = ask->bits, .ids = ask->ids, .syntax = c->conf.ids
    };
    const uint64_t begin = qc_now_ms();
    QC_TRY(run(c, ask, op, &a, err));
    qc_rc rc = qkd_container_take(&k, a.body.p, a.n, &want, err);
    judge(c, rc != QC_FORMAT, rc);
    if (rc == QC_OK)
        rc = check_new(c, &k, err);
    if (rc != QC_OK) {
        c->counts.lost += ask->number;
        return rc;
    }
    c->counts.keys += k.count;
    QC_LOG(QC_LOG_DEBUG, "keys from the KME", QC_S("call", ask->call == QKD_ENC ? "enc" : "dec"),
           QC_U("keys", k.count), QC_U("bits", ask->bits), QC_U("ms", qc_now_ms() - begin));
    *ret = QC_STEAL(k);
    return QC_OK;
}

static qc_rc check_bits(const struct qkd_client *c, uint32_t bits, struct qc_err *err)
{
    const struct qkd_status *s = &c->status;
    if (bits % 8 != 0 || bits < s->min_bits || bits > s->max_bits || bits > QKD_BITS_MAX)
        return QC_FAIL(err, QC_LIMIT, "keys of %u bits; the KME has multiples of 8 from %u to %u",
                       (unsigned)bits, (unsigned)s->min_bits,
                       (unsigned)(s->max_bits < QKD_BITS_MAX ? s->max_bits : QKD_BITS_MAX));
    return QC_OK;
}

/* Keys of a request: as many as the KME and our memory allow. */
static size_t batch(const struct qkd_client *c, size_t number, uint32_t bits)
{
    const size_t each = qkd_container_max(1, bits) - 4096, fit = (QKD_BODY_MAX - 4096) / each;
    const size_t most = c->status.per_request < fit ? c->status.per_request : fit;
    return number < most ? number : most;
}

static qc_rc enc_keys(struct qkd_client *c, size_t number, uint32_t bits, const struct qkd_op *op,
                      struct qkd_keys *ret, struct qc_err *err)
{
    if (!c->has_status)
        QC_TRY(read_status(c, op, err));
    struct qkd_ask ask = { .call = QKD_ENC, .bits = bits == 0 ? c->status.key_bits : bits };
    QC_TRY(check_bits(c, ask.bits, err));
    if (c->conf.more_count > c->status.more_saes)
        return QC_FAIL(err, QC_LIMIT, "%zu further SAEs; the KME has keys for %u", c->conf.more_count,
                       (unsigned)c->status.more_saes);
    ask.number = batch(c, number, ask.bits);
    const qc_rc rc = get_keys(c, &ask, op, ret, err);
    if (rc == QC_USAGE) /* what it said of itself may have changed */
        c->has_status = false;
    return rc;
}

qc_rc qkd_client_enc_keys(struct qkd_client *c, size_t number, uint32_t bits, const struct qkd_op *op,
                          struct qkd_keys *ret, struct qc_err *err)
{
    QC_ASSERT(number > 0 && ret->count == 0);
    QC_TRY_AS(enc_keys(c, number, bits, op, ret, err), err, "KME %s", c->conf.url);
    return QC_OK;
}

static qc_rc check_ids(const struct qkd_client *c, const struct qkd_id *ids, size_t count, struct qc_err *err)
{
    for (size_t i = 0; i < count; i++) {
        const size_t n = strnlen(ids[i].text, sizeof ids[i].text);
        if (!qkd_id_ok(qc_span_of(ids[i].text, n), c->conf.ids))
            return QC_FAIL(err, QC_USAGE, "key_ID %zu has another form than this KME's", i);
        for (size_t k = 0; k < i; k++)
            if (qkd_id_same(&ids[i], &ids[k]))
                return QC_FAIL(err, QC_USAGE, "key_ID %.8s.. stands there twice", ids[i].text);
        if (qkd_seen_has(&c->seen, &ids[i]))
            return QC_FAIL(err, QC_CONFLICT, "key %.8s.. came already: each is used once", ids[i].text);
    }
    return QC_OK;
}

/* A KME that knows GET alone gives one key at a time. */
static qc_rc one_by_one(struct qkd_client *c, const struct qkd_ask *all, const struct qkd_op *op,
                        struct qkd_keys *ret, struct qc_err *err)
{
    QC_CLEANUP(qkd_keys_done) struct qkd_keys k = { 0 };
    QC_TRY(qkd_keys_new(&k, all->number, all->bits / 8, err));
    for (size_t i = 0; i < all->number; i++) {
        QC_CLEANUP(qkd_keys_done) struct qkd_keys one = { 0 };
        struct qkd_ask ask = { .call = QKD_DEC, .number = 1, .bits = all->bits, .ids = &all->ids[i] };
        const qc_rc rc = get_keys(c, &ask, op, &one, err);
        if (rc != QC_OK) {
            c->counts.lost += i; /* those before it are of no use to anybody now */
            return rc;
        }
        qkd_keys_move(&k, i, &one, 0);
    }
    *ret = QC_STEAL(k);
    return QC_OK;
}

static qc_rc dec_keys(struct qkd_client *c, struct qkd_ask *ask, const struct qkd_op *op,
                      struct qkd_keys *ret, struct qc_err *err)
{
    QC_TRY(check_ids(c, ask->ids, ask->number, err));
    if (!c->has_status)
        QC_TRY(read_status(c, op, err));
    if (ask->bits == 0)
        ask->bits = c->status.key_bits;
    QC_TRY(check_bits(c, ask->bits, err));
    if (batch(c, ask->number, ask->bits) < ask->number)
        return QC_FAIL(err, QC_LIMIT, "%zu keys at once; the KME has %zu", ask->number,
                       batch(c, ask->number, ask->bits));
    if (ask->number == 1 || c->way[QKD_DEC] == QKD_WAY_POST)
        return get_keys(c, ask, op, ret, err);
    if (c->way[QKD_DEC] == QKD_WAY_GET)
        return one_by_one(c, ask, op, ret, err);
    const qc_rc rc = get_keys(c, ask, op, ret, err);
    return rc == QC_USAGE ? one_by_one(c, ask, op, ret, err) : rc; /* POST is refused: by GET, then */
}

qc_rc qkd_client_dec_keys(struct qkd_client *c, const struct qkd_id *ids, size_t count, uint32_t bits,
                          const struct qkd_op *op, struct qkd_keys *ret, struct qc_err *err)
{
    struct qkd_ask ask = { .call = QKD_DEC, .number = count, .bits = bits, .ids = ids };
    QC_ASSERT(count > 0 && ret->count == 0);
    QC_TRY_AS(dec_keys(c, &ask, op, ret, err), err, "KME %s", c->conf.url);
    return QC_OK;
}
