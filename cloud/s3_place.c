#include "s3.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/thread.h"

/* The open places of this process, and what guards the list, refs and exclusive. */
static pthread_mutex_t places_lock = PTHREAD_MUTEX_INITIALIZER;
static struct s3_place *places;

/* --- Places --- */

static void place_free(struct s3_place **pp)
{
    struct s3_place *p = *pp;
    if (p == NULL)
        return;
    QC_ASSERT(p->busy == 0);
    while (p->idle != NULL) {
        struct s3_conn *c = p->idle;
        p->idle = c->next;
        s3_conn_free(&c);
    }
    s3_signer_done(&p->signer);
    qc_cond_done(&p->freed);
    qc_mutex_done(&p->lock);
    qc_free(p);
    *pp = NULL;
}

static void texts_make(struct s3_place *p)
{
    const struct s3_url *u = &p->url;
    const char *bucket = u->virtual_host ? u->bucket : "";
    const char *dot = u->virtual_host ? "." : "";
    /* The scheme's own port is left out of the Host header, as everybody does. */
    bool told = u->port != 0 && u->port != (u->tls ? 443 : 80);
    int n = told ? snprintf(p->host, sizeof p->host, "%s%s%s:%u", bucket, dot, u->host, u->port)
                 : snprintf(p->host, sizeof p->host, "%s%s%s", bucket, dot, u->host);
    QC_ASSERT(n > 0 && (size_t)n < sizeof p->host);
    n = snprintf(p->base, sizeof p->base, "%s://%s", u->tls ? "https" : "http", p->host);
    QC_ASSERT(n > 0 && (size_t)n < sizeof p->base);
    n = snprintf(p->root, sizeof p->root, "%s%s", u->virtual_host ? "" : "/",
                 u->virtual_host ? "" : u->bucket);
    QC_ASSERT(n >= 0 && (size_t)n < sizeof p->root);
}

static qc_rc place_new(struct s3_place **ret, const struct s3_url *url, struct cloud_credentials *keys,
                       struct qc_err *err)
{
    struct s3_place *p = qc_alloc(sizeof *p);
    if (p == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", sizeof *p);
    p->url = *url;
    p->limit = CLOUD_S3_PARALLEL;
    p->tokens = CLOUD_S3_TOKENS;
    s3_signer_init(&p->signer, keys, url->region, "s3");
    qc_mutex_init(&p->lock);
    qc_cond_init(&p->freed);
    texts_make(p);
    *ret = p;
    return QC_OK;
}

/* One bucket, whatever the keys? */
static bool same_bucket(const struct s3_url *a, const struct s3_url *b)
{
    return a->port == b->port && strcmp(a->host, b->host) == 0 && strcmp(a->bucket, b->bucket) == 0;
}

/* May handles of both share connections, signer and all? */
static bool same_place(const struct s3_place *p, const struct s3_url *url,
                       const struct cloud_credentials *keys)
{
    const struct cloud_credentials *own = &p->signer.keys;
    return same_bucket(&p->url, url) && p->url.tls == url->tls && p->url.virtual_host == url->virtual_host &&
           strcmp(p->url.region, url->region) == 0 && strcmp(p->url.ca, url->ca) == 0 &&
           strcmp(own->access, keys->access) == 0 && own->secret_size == keys->secret_size &&
           qc_key_same(own->secret, keys->secret);
}

static struct s3_place *find(const struct s3_url *url, const struct cloud_credentials *keys)
{
    struct s3_place *p = places;
    while (p != NULL && !same_place(p, url, keys))
        p = p->next;
    return p;
}

static bool exclusive_somewhere(const struct s3_url *url)
{
    for (const struct s3_place *p = places; p != NULL; p = p->next)
        if (p->exclusive && same_bucket(&p->url, url))
            return true;
    return false;
}

qc_rc s3_place_enter(struct s3_place **ret, const struct s3_url *url, const struct cloud_opts *opts,
                     struct qc_err *err)
{
    QC_CLEANUP(cloud_credentials_done) struct cloud_credentials keys = { .access = "" };
    if (opts->credentials == NULL)
        return QC_FAIL(err, QC_USAGE, "an S3 bucket needs credentials: a file of mode 0600, or aws:PROFILE");
    QC_TRY(cloud_credentials_read(&keys, opts->credentials, err));
    QC_LOCK(&places_lock);
    if (opts->exclusive && exclusive_somewhere(url))
        return QC_FAIL(err, QC_LOCKED, "this program has the bucket open already");
    struct s3_place *p = find(url, &keys);
    if (p == NULL) {
        QC_TRY(place_new(&p, url, &keys, err));
        p->next = places;
        places = p;
    }
    p->refs++;
    p->exclusive |= opts->exclusive;
    *ret = p;
    return QC_OK;
}

/* Under places_lock: the last one takes it off the list. */
static bool leave(struct s3_place *p, bool exclusive)
{
    QC_LOCK(&places_lock);
    QC_ASSERT(p->refs > 0);
    if (exclusive)
        p->exclusive = false;
    if (--p->refs > 0)
        return false;
    struct s3_place **at = &places;
    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    return true;
}

void s3_place_leave(struct s3_place **pp, bool exclusive)
{
    struct s3_place *p = *pp;
    *pp = NULL;
    if (p != NULL && leave(p, exclusive))
        place_free(&p);
}

/* --- Connections --- */

/* A place among those that run, and perhaps an idle connection. */
static qc_rc slot_take(struct s3_place *p, struct s3_conn **ret, const struct cloud_op *op,
                       struct qc_err *err)
{
    QC_LOCK(&p->lock);
    while (p->busy >= p->limit) {
        QC_TRY(cloud_op_check(op, err));
        (void)qc_cond_wait(&p->freed, &p->lock,
                           qc_deadline_min(op->deadline, qc_deadline_in(CLOUD_S3_POLL_MS)));
    }
    p->busy++;
    *ret = p->idle;
    if (p->idle != NULL)
        p->idle = p->idle->next;
    return QC_OK;
}

/* Take off the list those that nobody has used for long: their servers have hung up. Of the last used first
 * list they are the end. */
static struct s3_conn *take_old(struct s3_place *p)
{
    const uint64_t now = qc_now_ms();
    struct s3_conn **at = &p->idle;
    while (*at != NULL && now - (*at)->idle_ms < CLOUD_S3_IDLE_S * UINT64_C(1000))
        at = &(*at)->next;
    struct s3_conn *old = *at;
    *at = NULL;
    return old;
}

static struct s3_conn *slot_give(struct s3_place *p, struct s3_conn *c)
{
    QC_LOCK(&p->lock);
    QC_ASSERT(p->busy > 0);
    p->busy--;
    if (c != NULL) {
        c->idle_ms = qc_now_ms();
        c->next = p->idle;
        p->idle = c;
    }
    qc_cond_wake_one(&p->freed);
    return take_old(p);
}

qc_rc s3_conn_take(struct s3_place *p, struct s3_conn **ret, const struct cloud_op *op, struct qc_err *err)
{
    struct s3_conn *c = NULL;
    QC_TRY(slot_take(p, &c, op, err));
    if (c == NULL)
        c = s3_conn_new();
    if (c == NULL) {
        s3_conn_give(p, NULL, true);
        return QC_FAIL(err, QC_NOMEM, "libcurl");
    }
    *ret = c;
    return QC_OK;
}

void s3_conn_give(struct s3_place *p, struct s3_conn *c, bool broken)
{
    if (broken && c != NULL)
        s3_conn_free(&c);
    struct s3_conn *old = slot_give(p, c);
    while (old != NULL) {
        struct s3_conn *next = old->next;
        s3_conn_free(&old);
        old = next;
    }
}

/* --- What is learnt --- */

/* Does an answer of this fate come from the bucket itself, opened by our keys? */
static bool proves(enum s3_fate fate)
{
    return fate == S3_DONE || fate == S3_MISSING || fate == S3_TAKEN || fate == S3_BEYOND;
}

void s3_place_learn(struct s3_place *p, enum s3_fate fate)
{
    if (fate != S3_LOCAL)
        atomic_store(&p->proved_ms, proves(fate) ? qc_now_ms() : 0);
    QC_LOCK(&p->lock);
    if (proves(fate)) {
        p->tokens += p->tokens < CLOUD_S3_TOKENS;
        if (++p->calm >= CLOUD_S3_CALM && p->limit < CLOUD_S3_PARALLEL_MAX) {
            p->calm = 0;
            p->limit++;
            qc_cond_wake_one(&p->freed);
        }
    }
    /* All that run together are told to slow down; that halves once. */
    if (fate == S3_SLOW && qc_now_ms() - p->halved_ms >= 1000) {
        p->halved_ms = qc_now_ms();
        p->limit = p->limit > 1 ? p->limit / 2 : 1;
        p->calm = 0;
    }
}

bool s3_place_retry(struct s3_place *p)
{
    QC_LOCK(&p->lock);
    if (p->tokens < CLOUD_S3_RETRY_TOKENS)
        return false;
    p->tokens -= CLOUD_S3_RETRY_TOKENS;
    return true;
}
