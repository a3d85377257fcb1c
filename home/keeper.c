#include "home/keeper.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/codec.h"
#include "base/thread.h"
#include "base/workq.h"
#include "cloud/cloud.h"

enum { KEY_ROOM = 128, HEX = 2 * VAULT_ID_BYTES };

struct place {
    struct vault_keeper keeper;
    char *url, *credentials;
    pthread_mutex_t lock; /* cloud, for the length of a call: who finds it lost closes it */
    struct cloud *cloud;  /* NULL: not opened, or lost */
};

static const char reach[] =
    "make the keeper reachable (mount its disk, bring its server back): qcloud doctor";

static struct cloud_op cloud_op_of(const struct vault_op *op)
{
    return (struct cloud_op){ .deadline = op->deadline, .cancel = op->cancel };
}

static struct cloud_opts opts_of(const char *credentials, const struct vault_op *op)
{
    return (struct cloud_opts){ .name = "keeper", .credentials = credentials, .op = cloud_op_of(op) };
}

/* What a keeper's failure is called, and what to do about it. */
static qc_rc say(const char *url, qc_rc rc, struct qc_err *err)
{
    qc_err_wrap(err, "the keeper of backup data (%.200s)", url);
    if (rc == QC_TEMP || rc == QC_TIMEOUT)
        err->next = reach;
    return rc;
}

qc_rc home_keeper_check(const char *url, const char *credentials, struct qc_err *err)
{
    struct qc_err unused = { 0 };
    if (credentials == NULL && cloud_check_of(&cloud_few, url, "/keys", &unused) == QC_OK)
        return QC_FAIL(
            err, QC_USAGE,
            "%.200s needs keys: put them into a file of mode 0600, or a profile of ~/.aws/credentials, "
            "and name it with --backup-credentials FILE or aws:PROFILE (backup-credentials in "
            "qcloud.conf)",
            url);
    return cloud_check_of(&cloud_few, url, credentials, err);
}

/* One that bears the identity of a gateway's cloud (FORMAT 9.1) is none, by whatever name it is reached. */
static qc_rc no_cloud(struct cloud *c, const char *url, const struct cloud_op *op, struct qc_err *err)
{
    struct qc_err why = { 0 };
    uint64_t size = 0;
    const qc_rc rc = cloud_head(c, "i/cloud", &size, op, &why);
    if (rc == QC_OK)
        return QC_FAIL(
            err, QC_USAGE,
            "the keeper's place %.200s is a cloud of a gateway, which would have backup data after "
            "all",
            url);
    if (rc != QC_NOTFOUND)
        *err = why;
    return rc == QC_NOTFOUND ? QC_OK : rc;
}

qc_rc home_keeper_make(const char *url, const char *credentials, const struct vault_op *op,
                       struct qc_err *err)
{
    const struct cloud_opts opts = opts_of(credentials, op);
    QC_CLEANUP(cloud_close) struct cloud *c = NULL;
    qc_rc rc = cloud_create_of(&cloud_few, url, &opts, err);
    if (rc == QC_OK)
        rc = cloud_open_of(&c, &cloud_few, url, &opts, err);
    if (rc == QC_OK)
        rc = no_cloud(c, url, &opts.op, err);
    return rc == QC_OK || rc == QC_USAGE ? rc : say(url, rc, err);
}

/* Under the lock. One that is not mounted bears no mark. */
static qc_rc open_place(struct place *p, const struct vault_op *op, struct qc_err *err)
{
    const struct cloud_opts opts = opts_of(p->credentials, op);
    if (p->cloud != NULL)
        return QC_OK;
    const qc_rc rc = cloud_open_of(&p->cloud, &cloud_few, p->url, &opts, err);
    if (rc == QC_NOTFOUND)
        err->rc = QC_TEMP;
    return rc == QC_NOTFOUND ? QC_TEMP : rc;
}

/* Under the lock, after a call: a place that is lost is opened anew by the next one. */
static qc_rc after(struct place *p, qc_rc rc, const struct cloud_op *op, struct qc_err *err)
{
    struct qc_err why = { 0 };
    if (rc == QC_OK || rc == QC_NOTFOUND)
        return rc;
    if (p->cloud != NULL && (rc == QC_TEMP || rc == QC_AUTH || rc == QC_IO) &&
        cloud_alive(p->cloud, op, &why) != QC_OK)
        cloud_close(&p->cloud);
    return say(p->url, rc, err);
}

static void key_of(char ret[KEY_ROOM], const uint8_t *vault, const uint8_t *object, const uint8_t *version)
{
    char v[HEX + 1], o[HEX + 1], x[HEX + 1];
    qc_hex(qc_span_of(vault, VAULT_ID_BYTES), v);
    qc_hex(qc_span_of(object, VAULT_ID_BYTES), o);
    qc_hex(qc_span_of(version, VAULT_ID_BYTES), x);
    (void)snprintf(ret, KEY_ROOM, "b/%s/%.2s/%s%s", v, o, o, x);
}

/* -- many at once ---------------------------------------------------------------------------------------- */

struct work {
    struct cloud *cloud;
    const uint8_t *vault;
    const struct vault_gw_backup *put; /* or: */
    const struct vault_gw_version *drop;
    size_t n, threads;
    struct cloud_op op;
};

/* Every threads-th of them. */
struct part {
    const struct work *w;
    size_t first;
    qc_rc rc;
    struct qc_err why;
};

static qc_rc one(const struct work *w, size_t i, struct qc_err *err)
{
    char key[KEY_ROOM];
    if (w->put == NULL) {
        key_of(key, w->vault, w->drop[i].object, w->drop[i].version);
        return cloud_delete(w->cloud, key, &w->op, err);
    }
    key_of(key, w->vault, w->put[i].object, w->put[i].version);
    return cloud_put(w->cloud, key, &w->put[i].backup, 1, CLOUD_REPLACE, &w->op, err);
}

static void run_part(void *arg)
{
    struct part *p = arg;
    for (size_t i = p->first; i < p->w->n && p->rc == QC_OK; i += p->w->threads)
        p->rc = one(p->w, i, &p->why);
}

static qc_rc run_all(struct work *w, struct qc_err *err)
{
    struct part parts[CLOUD_FILE_PARALLEL] = { 0 };
    QC_CLEANUP(qc_workq_free) struct qc_workq *q = NULL;
    const unsigned hint = cloud_caps(w->cloud)->parallel_hint;
    w->threads = w->n < hint ? w->n : hint;
    if (w->threads < 1)
        w->threads = 1;
    if (w->threads > CLOUD_FILE_PARALLEL)
        w->threads = CLOUD_FILE_PARALLEL;
    if (w->threads > 1)
        QC_TRY(qc_workq_new(&q, w->threads - 1, w->threads, err));
    for (size_t t = 0; t < w->threads; t++)
        parts[t] = (struct part){ .w = w, .first = t };
    for (size_t t = 1; t < w->threads; t++) {
        const qc_rc rc = qc_workq_submit(q, run_part, &parts[t], QC_NO_DEADLINE, err);
        if (rc != QC_OK) {
            qc_workq_drain(q);
            return rc;
        }
    }
    run_part(&parts[0]);
    if (q != NULL)
        qc_workq_drain(q);
    for (size_t t = 0; t < w->threads; t++)
        if (parts[t].rc != QC_OK) {
            *err = parts[t].why;
            return parts[t].rc;
        }
    return QC_OK;
}

static qc_rc run_locked(struct place *p, struct work *w, const struct vault_op *op, struct qc_err *err)
{
    QC_LOCK(&p->lock);
    qc_rc rc = open_place(p, op, err);
    w->op = cloud_op_of(op);
    w->cloud = p->cloud;
    if (rc == QC_OK)
        rc = run_all(w, err);
    return after(p, rc, &w->op, err);
}

/* -- the calls ------------------------------------------------------------------------------------------- */

/* The vault's own B says that this is the keeper of that vault: a directory that is not mounted, or another
 * disk's, has none. */
static qc_rc look(struct vault_keeper *k, const uint8_t *vault, const struct vault_op *op, struct qc_err *err)
{
    static const uint8_t zeros[VAULT_ID_BYTES];
    struct place *p = (struct place *)k; /* keeper is the first member */
    const struct cloud_op cop = cloud_op_of(op);
    char key[KEY_ROOM];
    uint64_t size = 0;
    key_of(key, vault, vault, zeros);
    QC_LOCK(&p->lock);
    qc_rc rc = open_place(p, op, err);
    if (rc == QC_OK)
        rc = cloud_head(p->cloud, key, &size, &cop, err);
    return after(p, rc, &cop, err);
}

static qc_rc apart(struct vault_keeper *k, const struct vault_cloud *clouds, size_t count,
                   const char *const share[2], const struct vault_op *op, struct qc_err *err)
{
    struct place *p = (struct place *)k;
    const struct cloud_op cop = cloud_op_of(op);
    QC_TRY(home_keeper_apart(p->url, clouds, count, share, err));
    QC_LOCK(&p->lock);
    qc_rc rc = open_place(p, op, err);
    if (rc == QC_OK)
        rc = no_cloud(p->cloud, p->url, &cop, err);
    return rc == QC_USAGE ? rc : after(p, rc, &cop, err);
}

static qc_rc put(struct vault_keeper *k, const uint8_t *vault, const struct vault_gw_backup *v, size_t n,
                 const struct vault_op *op, struct qc_err *err)
{
    struct work w = { .vault = vault, .put = v, .n = n };
    return run_locked((struct place *)k, &w, op, err);
}

static qc_rc drop(struct vault_keeper *k, const uint8_t *vault, const struct vault_gw_version *v, size_t n,
                  const struct vault_op *op, struct qc_err *err)
{
    struct work w = { .vault = vault, .drop = v, .n = n };
    return run_locked((struct place *)k, &w, op, err);
}

static qc_rc get(struct vault_keeper *k, const uint8_t *vault, const struct vault_gw_version *version,
                 qc_buf *ret, const struct vault_op *op, struct qc_err *err)
{
    struct place *p = (struct place *)k;
    const struct cloud_op cop = cloud_op_of(op);
    char key[KEY_ROOM];
    uint8_t *to = NULL;
    size_t got = 0;
    key_of(key, vault, version->object, version->version);
    QC_TRY(qc_buf_extend(ret, QC_VAULT_BACKUP_MAX, &to, err));
    ret->n -= QC_VAULT_BACKUP_MAX; /* nothing came yet */
    QC_LOCK(&p->lock);
    qc_rc rc = open_place(p, op, err);
    if (rc == QC_OK)
        rc = cloud_get(p->cloud, key, (struct cloud_range){ 0, QC_VAULT_BACKUP_MAX }, to, &got, &cop, err);
    if (rc == QC_OK)
        ret->n += got;
    return after(p, rc, &cop, err);
}

/* What a listing gives, as ids. */
struct listed {
    const char *front;
    size_t front_n;
    struct vault_keeper_page *page;
};

static qc_rc take_listed(void *ctx, const struct cloud_item *item, struct qc_err *err)
{
    struct listed *l = ctx;
    struct vault_gw_version one;
    struct qc_err unused = { 0 };
    char key[KEY_ROOM];
    uint8_t vault[VAULT_ID_BYTES];
    (void)err;
    if (strlen(item->key) != l->front_n + 3 + 2 * (size_t)HEX) /* shard, '/', both ids */
        return QC_OK;
    const char *ids = item->key + l->front_n + 3;
    if (qc_hex_dec(qc_span_of((const uint8_t *)ids, HEX), one.object, VAULT_ID_BYTES, &unused) != QC_OK ||
        qc_hex_dec(qc_span_of((const uint8_t *)ids + HEX, HEX), one.version, VAULT_ID_BYTES, &unused) !=
            QC_OK ||
        qc_hex_dec(qc_span_of((const uint8_t *)l->front + 2, HEX), vault, VAULT_ID_BYTES, &unused) != QC_OK)
        return QC_OK;
    key_of(key, vault, one.object, one.version);
    if (strcmp(key, item->key) == 0 && l->page->n < QC_VAULT_SWEEP_PAGE)
        l->page->v[l->page->n++] = one;
    return QC_OK;
}

static qc_rc list(struct vault_keeper *k, const uint8_t *vault, const struct vault_gw_version *after_this,
                  struct vault_keeper_page *ret, const struct vault_op *op, struct qc_err *err)
{
    struct place *p = (struct place *)k;
    const struct cloud_op cop = cloud_op_of(op);
    char front[KEY_ROOM], from[CLOUD_KEY_SIZE_MAX + 1];
    struct cloud_page page = { .more = true };
    struct listed l = { .front = front, .front_n = 2 + HEX + 1, .page = ret };
    ret->n = 0;
    key_of(front, vault, vault, vault);
    front[l.front_n] = '\0';
    key_of(from, vault, after_this->object, after_this->version);
    QC_LOCK(&p->lock);
    qc_rc rc = open_place(p, op, err);
    while (rc == QC_OK && ret->n == 0 && page.more) { /* ends: each page goes on after the last one */
        const struct cloud_list_query q = { .prefix = front, .after = from, .limit = QC_VAULT_SWEEP_PAGE };
        rc = cloud_list(p->cloud, &q, take_listed, &l, &page, &cop, err);
        if (rc == QC_OK)
            memcpy(from, page.last, sizeof from);
    }
    return after(p, rc, &cop, err);
}

static const struct vault_keeper_ops ops = { apart, look, put, get, list, drop };

qc_rc home_keeper_new(struct vault_keeper **ret, const char *url, const char *credentials, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) char *url_copy = qc_strdup(url);
    QC_CLEANUP(qc_free_ptr) char *has = credentials != NULL ? qc_strdup(credentials) : NULL;
    struct place *p = qc_alloc(sizeof *p);
    if (p == NULL || url_copy == NULL || (credentials != NULL && has == NULL)) {
        qc_free(p);
        return QC_FAIL(err, QC_NOMEM, "the keeper of backup data");
    }
    *p = (struct place){ .url = QC_STEAL(url_copy), .credentials = QC_STEAL(has) };
    p->keeper = (struct vault_keeper){ .ops = &ops, .url = p->url };
    qc_mutex_init(&p->lock);
    *ret = &p->keeper;
    return QC_OK;
}

void home_keeper_free(struct vault_keeper **k)
{
    struct place *p = (struct place *)*k;
    if (p == NULL)
        return;
    cloud_close(&p->cloud);
    qc_mutex_done(&p->lock);
    qc_free(p->url);
    qc_free(p->credentials);
    qc_free(p);
    *k = NULL;
}
