#include "keys.h"

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

struct link_keys {
    pthread_mutex_t tls_lock; /* tls, held */
    struct qkd_client *tls;
    struct held held[LINK_KEYS_HELD];
    pthread_mutex_t asks_lock; /* all, sources */
    struct bucket all, sources[LINK_SOURCES];
    pthread_mutex_t pad_lock; /* pad */
    struct qkd_client *pad;
};

qc_rc link_keys_new(struct link_keys **ret, const struct qkd_conf *conf, struct qc_err *err)
{
    struct link_keys *k = qc_alloc(sizeof *k);
    if (k == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", sizeof *k);
    qc_mutex_init(&k->tls_lock);
    qc_mutex_init(&k->asks_lock);
    qc_mutex_init(&k->pad_lock);
    qc_rc rc = qkd_client_new(&k->tls, conf, err);
    if (rc == QC_OK)
        rc = qkd_client_new(&k->pad, conf, err);
    if (rc != QC_OK) {
        link_keys_free(&k);
        return rc;
    }
    *ret = k;
    return QC_OK;
}

void link_keys_free(struct link_keys **k)
{
    if (*k == NULL)
        return;
    for (unsigned i = 0; i < LINK_KEYS_HELD; i++)
        qc_key_free(&(*k)->held[i].key);
    qkd_client_free(&(*k)->tls);
    qkd_client_free(&(*k)->pad);
    qc_mutex_done(&(*k)->tls_lock);
    qc_mutex_done(&(*k)->asks_lock);
    qc_mutex_done(&(*k)->pad_lock);
    qc_free(*k);
    *k = NULL;
}

static struct qkd_op op_of(const struct qc_cancel *cancel)
{
    return (struct qkd_op){ .deadline = qc_deadline_in(LINK_KME_MS), .cancel = cancel };
}

qc_rc link_keys_look(struct link_keys *k, const struct qc_cancel *cancel, struct qkd_status *ret,
                     struct qc_err *err)
{
    const struct qkd_op op = op_of(cancel);
    QC_LOCK(&k->pad_lock);
    return qkd_client_status(k->pad, &op, ret, err);
}

/* -- for TLS --------------------------------------------------------------------------------------------- */

qc_rc link_keys_new_one(struct link_keys *k, char ret_id[NET_PSK_KEY_ID_MAX + 1], qc_key **ret,
                        struct qc_err *err)
{
    QC_CLEANUP(qkd_keys_done) struct qkd_keys one = { 0 };
    const struct qkd_op op = op_of(NULL);
    QC_LOCK(&k->tls_lock);
    QC_TRY(qkd_client_enc_keys(k->tls, 1, LINK_KEY_BITS, &op, &one, err));
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
static struct held *held_of(struct link_keys *k, const char *id)
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
static struct held *room_of(struct link_keys *k)
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
static struct bucket *bucket_of(struct link_keys *k, uint32_t source)
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
static bool may_ask(struct link_keys *k, uint32_t source)
{
    QC_LOCK(&k->asks_lock);
    return draw(bucket_of(k, source), LINK_SOURCE_MS, LINK_SOURCE_ASKS) &&
           draw(&k->all, LINK_ASK_MS, LINK_ASKS);
}

static qc_rc fetch_one(struct link_keys *k, const char *key_id, struct held *to, struct qc_err *err)
{
    QC_CLEANUP(qkd_keys_done) struct qkd_keys one = { 0 };
    struct qkd_id id = { 0 };
    const struct qkd_op op = op_of(NULL);
    memcpy(id.text, key_id, strlen(key_id) + 1);
    const qc_rc rc = qkd_client_dec_keys(k->tls, &id, 1, LINK_KEY_BITS, &op, &one, err);
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
static qc_rc give_held(struct link_keys *k, const char *key_id, struct net_line *to, bool *ret_given,
                       struct qc_err *err)
{
    QC_LOCK(&k->tls_lock);
    struct held *h = held_of(k, key_id);
    if (h == NULL)
        return QC_OK;
    if (h->key == NULL)
        return QC_FAIL(err, QC_NOTFOUND, "the KME has no such key");
    *ret_given = true;
    return net_psk_give(to, qc_key_open(h->key), err);
}

qc_rc link_keys_find(void *ctx, const struct net_psk_id *id, struct net_line *to, struct qc_err *err)
{
    const struct link_asker *who = ctx;
    struct link_keys *k = who->keys;
    bool given = false;
    QC_TRY(give_held(k, id->key_id, to, &given, err));
    if (given)
        return QC_OK;
    if (!may_ask(k, who->source))
        return QC_FAIL(err, QC_TEMP, "too many handshakes with new keys");
    {
        QC_LOCK(&k->tls_lock);
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

void link_keys_used(struct link_asker *who, const char *key_id)
{
    struct link_keys *k = who->keys;
    {
        QC_LOCK(&k->tls_lock);
        struct held *h = held_of(k, key_id);
        if (h != NULL)
            qc_key_free(&h->key); /* the entry stays: not again */
    }
    QC_LOCK(&k->asks_lock); /* who has keys is no stranger: a link may take a hundred in a second */
    give_back(bucket_of(k, who->source), LINK_SOURCE_MS);
    give_back(&k->all, LINK_ASK_MS);
}

/* -- for pad --------------------------------------------------------------------------------------------- */

void link_block_done(struct link_block *b)
{
    qc_secret_free(&b->k);
    qc_free(b->ids);
    *b = (struct link_block){ 0 };
}

static uint32_t rounded_up(uint32_t n, uint32_t by)
{
    return (n + by - 1) / by;
}

static qc_rc block_new(struct link_block *b, uint32_t count, uint32_t each, struct qc_err *err)
{
    b->count = count;
    b->each = each;
    b->ids = qc_alloc(count * sizeof *b->ids);
    if (b->ids == NULL)
        return QC_FAIL(err, QC_NOMEM, "%u key_IDs", (unsigned)count);
    return qc_secret_new(&b->k, (size_t)count * each, err);
}

/* As few keys as make so many bytes, as even as they can be. */
static qc_rc plan(struct link_keys *k, uint32_t bytes, struct link_block *b, struct qc_err *err)
{
    const struct qkd_op op = op_of(NULL);
    struct qkd_status s;
    QC_TRY(qkd_client_status(k->pad, &op, &s, err));
    const uint32_t most = (s.max_bits < QKD_BITS_MAX ? s.max_bits : QKD_BITS_MAX) / 8;
    const uint32_t count = rounded_up(bytes, most), each = rounded_up(bytes, count);
    if (count > LINK_FILL_KEYS)
        return QC_FAIL(err, QC_LIMIT,
                       "a pad block would take %u keys of %u bits: %d at most; take a smaller pad_block",
                       (unsigned)count, (unsigned)(8 * most), LINK_FILL_KEYS);
    return block_new(b, count, each < s.min_bits / 8 ? s.min_bits / 8 : each, err);
}

static void add(struct link_block *b, uint32_t at, const struct qkd_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        memcpy((uint8_t *)b->k.p + (at + i) * b->each, qkd_keys_open(keys, i).p, b->each);
        b->ids[at + i] = keys->ids[i];
    }
}

/* As many as there are names for. */
static qc_rc draw_all(struct link_keys *k, const struct qc_cancel *cancel, struct link_block *b,
                      struct qc_err *err)
{
    for (uint32_t at = 0; at < b->count;) {
        QC_CLEANUP(qkd_keys_done) struct qkd_keys keys = { 0 };
        const struct qkd_op op = op_of(cancel);
        QC_TRY(qkd_client_enc_keys(k->pad, b->count - at, 8 * b->each, &op, &keys, err));
        add(b, at, &keys);
        at += (uint32_t)keys.count;
    }
    return QC_OK;
}

qc_rc link_keys_make(struct link_keys *k, uint32_t bytes, const struct qc_cancel *cancel,
                     struct link_block *ret, struct qc_err *err)
{
    QC_CLEANUP(link_block_done) struct link_block b = { 0 };
    QC_LOCK(&k->pad_lock);
    QC_TRY(plan(k, bytes, &b, err));
    QC_TRY(draw_all(k, cancel, &b, err));
    *ret = QC_STEAL(b);
    return QC_OK;
}

qc_rc link_keys_draw(struct link_keys *k, uint32_t n, const struct qc_cancel *cancel, struct link_block *ret,
                     struct qc_err *err)
{
    QC_CLEANUP(link_block_done) struct link_block b = { 0 };
    QC_LOCK(&k->pad_lock);
    QC_TRY(block_new(&b, n, LINK_KEY_BITS / 8, err));
    QC_TRY(draw_all(k, cancel, &b, err));
    *ret = QC_STEAL(b);
    return QC_OK;
}

qc_rc link_keys_fetch(struct link_keys *k, uint32_t bytes, const struct qc_cancel *cancel,
                      struct link_block *b, struct qc_err *err)
{
    const struct qkd_op first = op_of(cancel);
    struct qkd_status s;
    if ((uint64_t)b->count * b->each < bytes || (uint64_t)(b->count - 1) * b->each >= bytes)
        return QC_FAIL(err, QC_FORMAT, "%u keys of %u bytes for %u bytes", (unsigned)b->count,
                       (unsigned)b->each, (unsigned)bytes);
    QC_LOCK(&k->pad_lock);
    QC_TRY(qkd_client_status(k->pad, &first, &s, err));
    QC_TRY(qc_secret_new(&b->k, (size_t)b->count * b->each, err));
    for (uint32_t at = 0; at < b->count;) {
        QC_CLEANUP(qkd_keys_done) struct qkd_keys keys = { 0 };
        const struct qkd_op op = op_of(cancel);
        const uint32_t left = b->count - at, n = left < s.per_request ? left : s.per_request;
        QC_TRY(qkd_client_dec_keys(k->pad, b->ids + at, n, 8 * b->each, &op, &keys, err));
        add(b, at, &keys);
        at += n;
    }
    return QC_OK;
}
