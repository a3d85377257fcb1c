#include "qkd/tls_keys.h"

#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/thread.h"

struct held {
    char id[NET_PSK_KEY_ID_MAX + 1]; /* "": free */
    qc_key *key;                     /* NULL: there is no such key, or it was used */
    uint64_t until_ms;
};

/* How many more may be asked for, in ms of what one costs; at_ms 0: new. */
struct bucket {
    uint32_t source;
    uint64_t has_ms, at_ms;
};

struct qkd_tls_keys {
    pthread_mutex_t lock; /* kme, held */
    struct qkd_client *kme;
    struct held held[LINK_KEYS_HELD];
    pthread_mutex_t asks_lock; /* all, sources */
    struct bucket all, sources[LINK_SOURCES];
};

qc_rc qkd_tls_keys_new(struct qkd_tls_keys **ret, const struct qkd_conf *conf, struct qc_err *err)
{
    QC_CLEANUP(qkd_tls_keys_free) struct qkd_tls_keys *k = qc_alloc(sizeof *k);
    if (k == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", sizeof *k);
    qc_mutex_init(&k->lock);
    qc_mutex_init(&k->asks_lock);
    QC_TRY(qkd_client_new(&k->kme, conf, err));
    *ret = QC_STEAL(k);
    return QC_OK;
}

void qkd_tls_keys_free(struct qkd_tls_keys **k)
{
    if (*k == NULL)
        return;
    for (unsigned i = 0; i < LINK_KEYS_HELD; i++)
        qc_key_free(&(*k)->held[i].key);
    qkd_client_free(&(*k)->kme);
    qc_mutex_done(&(*k)->lock);
    qc_mutex_done(&(*k)->asks_lock);
    qc_free(*k);
    *k = NULL;
}

static struct qkd_op op_of(qc_deadline d, const struct qc_cancel *cancel)
{
    return (struct qkd_op){ .deadline = qc_deadline_min(d, qc_deadline_in(LINK_KME_MS)), .cancel = cancel };
}

qc_rc qkd_tls_keys_look(struct qkd_tls_keys *k, qc_deadline d, struct qkd_status *ret, struct qc_err *err)
{
    const struct qkd_op op = op_of(d, NULL);
    QC_LOCK(&k->lock);
    return qkd_client_status(k->kme, &op, ret, err);
}

qc_rc qkd_tls_keys_draw(void *ctx, qc_deadline d, const struct qc_cancel *cancel,
                        char ret_id[NET_PSK_KEY_ID_MAX + 1], qc_key **ret, struct qc_err *err)
{
    struct qkd_tls_keys *k = ctx;
    QC_CLEANUP(qkd_keys_done) struct qkd_keys one = { 0 };
    const struct qkd_op op = op_of(d, cancel);
    QC_LOCK(&k->lock);
    QC_TRY(qkd_client_enc_keys(k->kme, 1, LINK_KEY_BITS, &op, &one, err));
    if (strlen(one.ids[0].text) > NET_PSK_KEY_ID_MAX)
        return QC_FAIL(err, QC_FORMAT, "a key_ID of more than %d characters", NET_PSK_KEY_ID_MAX);
    memcpy(ret_id, one.ids[0].text, strlen(one.ids[0].text) + 1);
    return qkd_keys_take(&one, 0, ret, err);
}

static void drop(struct held *h)
{
    qc_key_free(&h->key);
    *h = (struct held){ 0 };
}

/* The entry of a key_ID; NULL: none. What is too old goes. */
static struct held *held_of(struct qkd_tls_keys *k, const char *id)
{
    struct held *found = NULL;
    for (unsigned i = 0; i < LINK_KEYS_HELD; i++) {
        struct held *h = &k->held[i];
        if (h->id[0] != '\0' && qc_now_ms() >= h->until_ms)
            drop(h);
        if (h->id[0] != '\0' && strcmp(h->id, id) == 0)
            found = h;
    }
    return found;
}

/* A free entry, or that which goes first: names without a key before keys. */
static struct held *room_of(struct qkd_tls_keys *k)
{
    struct held *oldest = &k->held[0];
    for (unsigned i = 0; i < LINK_KEYS_HELD; i++) {
        struct held *h = &k->held[i];
        if (h->id[0] == '\0')
            return h;
        const bool less =
            (h->key == NULL) == (oldest->key == NULL) ? h->until_ms < oldest->until_ms : h->key == NULL;
        if (less)
            oldest = h;
    }
    drop(oldest);
    return oldest;
}

/* One more for this bucket? It fills by one in each_ms, up to most. */
static bool draw(struct bucket *b, uint64_t each_ms, uint64_t most)
{
    const uint64_t now = qc_now_ms(), gained = b->at_ms == 0 ? most * each_ms : now - b->at_ms;
    b->has_ms = b->has_ms + gained < most * each_ms ? b->has_ms + gained : most * each_ms;
    b->at_ms = now;
    if (b->has_ms < each_ms)
        return false;
    b->has_ms -= each_ms;
    return true;
}

/* The bucket of an address, or that of the one that was here longest ago. */
static struct bucket *bucket_of(struct qkd_tls_keys *k, uint32_t source)
{
    struct bucket *oldest = &k->sources[0];
    for (unsigned i = 0; i < LINK_SOURCES; i++) {
        if (k->sources[i].at_ms != 0 && k->sources[i].source == source)
            return &k->sources[i];
        if (k->sources[i].at_ms < oldest->at_ms)
            oldest = &k->sources[i];
    }
    *oldest = (struct bucket){ .source = source };
    return oldest;
}

/* May one more key be asked for? Before anybody waits for the KME. */
static bool may_ask(struct qkd_tls_keys *k, uint32_t source)
{
    QC_LOCK(&k->asks_lock);
    return draw(bucket_of(k, source), LINK_SOURCE_MS, LINK_SOURCE_ASKS) &&
           draw(&k->all, LINK_ASK_MS, LINK_ASKS);
}

static qc_rc fetch_one(struct qkd_tls_keys *k, const char *key_id, struct held *to, struct qc_err *err)
{
    QC_CLEANUP(qkd_keys_done) struct qkd_keys one = { 0 };
    struct qkd_id id = { 0 };
    const struct qkd_op op = op_of(QC_NO_DEADLINE, NULL);
    memcpy(id.text, key_id, strlen(key_id) + 1);
    const qc_rc rc = qkd_client_dec_keys(k->kme, &id, 1, LINK_KEY_BITS, &op, &one, err);
    const bool is_none = rc == QC_NOTFOUND || rc == QC_CONFLICT || rc == QC_USAGE || rc == QC_AUTH;
    if (rc == QC_OK)
        QC_TRY(qkd_keys_take(&one, 0, &to->key, err));
    if (rc == QC_OK || is_none) { /* what is not there is not asked for again, either */
        memcpy(to->id, key_id, strlen(key_id) + 1);
        to->until_ms = qc_now_ms() + LINK_KEY_MS;
    }
    if (is_none) {
        QC_LOG_MSG(QC_LOG_WARN, "the KME was asked for a key that it has not");
        return QC_FAIL(err, QC_NOTFOUND, "the KME has no such key");
    }
    return rc;
}

/* *ret_given false: it is not here. */
static qc_rc give_held(struct qkd_tls_keys *k, const char *key_id, struct net_line *to, bool *ret_given,
                       struct qc_err *err)
{
    QC_LOCK(&k->lock);
    struct held *h = held_of(k, key_id);
    if (h == NULL)
        return QC_OK;
    if (h->key == NULL)
        return QC_FAIL(err, QC_NOTFOUND, "the KME has no such key");
    *ret_given = true;
    return net_psk_give(to, qc_key_open(h->key), err);
}

qc_rc qkd_tls_keys_find(void *ctx, const struct net_psk_id *id, struct net_line *to, struct qc_err *err)
{
    const struct qkd_asker *who = ctx;
    struct qkd_tls_keys *k = who->keys;
    bool given = false;
    QC_TRY(give_held(k, id->key_id, to, &given, err));
    if (given)
        return QC_OK;
    if (!may_ask(k, who->source))
        return QC_FAIL(err, QC_TEMP, "too many handshakes with new keys");
    {
        QC_LOCK(&k->lock);
        if (held_of(k, id->key_id) == NULL) { /* else another handshake was faster */
            struct held *h = room_of(k);
            QC_TRY(fetch_one(k, id->key_id, h, err));
        }
    }
    QC_TRY(give_held(k, id->key_id, to, &given, err));
    if (!given)
        return QC_FAIL(err, QC_TEMP, "the key came and went");
    return QC_OK;
}

/* One more than it has. */
static void give_back(struct bucket *b, uint64_t each_ms)
{
    b->has_ms += each_ms;
}

void qkd_tls_keys_used(struct qkd_asker *who, const char *key_id)
{
    struct qkd_tls_keys *k = who->keys;
    {
        QC_LOCK(&k->lock);
        struct held *h = held_of(k, key_id);
        if (h != NULL)
            qc_key_free(&h->key); /* the entry stays: not again */
    }
    QC_LOCK(&k->asks_lock); /* who has keys is no stranger: a link may take a hundred in a second */
    give_back(bucket_of(k, who->source), LINK_SOURCE_MS);
    give_back(&k->all, LINK_ASK_MS);
}
