#include "qkd/tls_keys.h"

#include <string.h>
#include <time.h>

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

/* Who waits for the KME: on the stack of whoever does. */
struct waiter {
    struct waiter *next;
    uint32_t source;
    uint64_t turn;
};

struct qkd_tls_keys {
    struct qkd_client *kme; /* of who has made `asked` true */
    pthread_mutex_t lock;   /* what follows; nobody asks the KME under it */
    pthread_cond_t freed;   /* the KME is asked no more, or somebody gave up */
    bool asked;             /* it is, by somebody */
    uint64_t turn;          /* of who asked last */
    struct waiter *waiters;
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
    qc_cond_init(&k->freed);
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
    qc_cond_done(&(*k)->freed);
    qc_mutex_done(&(*k)->lock);
    qc_mutex_done(&(*k)->asks_lock);
    qc_free(*k);
    *k = NULL;
}

static struct qkd_op op_of(qc_deadline d, const struct qc_cancel *cancel)
{
    return (struct qkd_op){ .deadline = qc_deadline_min(d, qc_deadline_in(LINK_KME_MS)), .cancel = cancel };
}

/* -- one at a time --------------------------------------------------------------------------------------- */

/* After those of the same address, and with the first of the others. */
static uint64_t turn_of(const struct qkd_tls_keys *k, uint32_t source)
{
    uint64_t last = k->turn;
    for (const struct waiter *w = k->waiters; w != NULL; w = w->next)
        if (w->source == source && w->turn > last)
            last = w->turn;
    return last + 1;
}

static bool is_next(const struct qkd_tls_keys *k, const struct waiter *me)
{
    for (const struct waiter *w = k->waiters; w != NULL; w = w->next)
        if (w->turn < me->turn)
            return false;
    return !k->asked;
}

static void wait_no_more(struct qkd_tls_keys *k, const struct waiter *me)
{
    for (struct waiter **at = &k->waiters; *at != NULL; at = &(*at)->next)
        if (*at == me) {
            *at = me->next;
            break;
        }
    qc_cond_wake_all(&k->freed);
}

/* ret_kme: k, until kme_leave. source: 0 for ourselves. */
static qc_rc kme_enter(struct qkd_tls_keys *k, uint32_t source, const struct qkd_op *op,
                       struct qkd_tls_keys **ret_kme, struct qc_err *err)
{
    QC_LOCK(&k->lock);
    struct waiter me = { .next = k->waiters, .source = source, .turn = turn_of(k, source) };
    k->waiters = &me; /* cppcheck-suppress autoVariables ; taken away again below, under the same lock */
    qc_rc rc = qc_go_on(op->deadline, op->cancel, "waiting for the KME", err);
    while (rc == QC_OK && !is_next(k, &me)) {
        (void)qc_cond_wait(&k->freed, &k->lock, qc_deadline_min(op->deadline, qc_deadline_in(LINK_POLL_MS)));
        rc = qc_go_on(op->deadline, op->cancel, "waiting for the KME", err);
    }
    if (rc == QC_OK) {
        k->asked = true;
        k->turn = me.turn;
        *ret_kme = k;
    }
    wait_no_more(k, &me);
    return rc;
}

static void kme_leave(struct qkd_tls_keys **kme)
{
    struct qkd_tls_keys *k = *kme;
    if (k == NULL)
        return;
    QC_LOCK(&k->lock);
    k->asked = false;
    qc_cond_wake_all(&k->freed);
}

/* -- for who dials --------------------------------------------------------------------------------------- */

qc_rc qkd_tls_keys_look(struct qkd_tls_keys *k, qc_deadline d, struct qkd_status *ret, struct qc_err *err)
{
    const struct qkd_op op = op_of(d, NULL);
    QC_CLEANUP(kme_leave) struct qkd_tls_keys *kme = NULL;
    QC_TRY(kme_enter(k, 0, &op, &kme, err));
    return qkd_client_status(k->kme, &op, ret, err);
}

qc_rc qkd_tls_keys_draw(void *ctx, qc_deadline d, const struct qc_cancel *cancel,
                        char ret_id[NET_PSK_KEY_ID_MAX + 1], qc_key **ret, struct qc_err *err)
{
    struct qkd_tls_keys *k = ctx;
    QC_CLEANUP(qkd_keys_done) struct qkd_keys one = { 0 };
    const struct qkd_op op = op_of(d, cancel);
    QC_CLEANUP(kme_leave) struct qkd_tls_keys *kme = NULL;
    QC_TRY(kme_enter(k, 0, &op, &kme, err));
    QC_TRY(qkd_client_enc_keys(k->kme, 1, LINK_KEY_BITS, &op, &one, err));
    if (strlen(one.ids[0].text) > NET_PSK_KEY_ID_MAX)
        return QC_FAIL(err, QC_FORMAT, "a key_ID of more than %d characters", NET_PSK_KEY_ID_MAX);
    memcpy(ret_id, one.ids[0].text, strlen(one.ids[0].text) + 1);
    return qkd_keys_take(&one, 0, ret, err);
}

/* -- for who serves -------------------------------------------------------------------------------------- */

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

/* Is it here, or known not to be? */
static bool is_held(struct qkd_tls_keys *k, const char *key_id)
{
    QC_LOCK(&k->lock);
    return held_of(k, key_id) != NULL;
}

/* key NULL: there is none. false: the key_ID is here already, and stays as it is; a used one is used. */
static bool hold(struct qkd_tls_keys *k, const char *key_id, qc_key **key)
{
    QC_LOCK(&k->lock);
    if (held_of(k, key_id) != NULL)
        return false;
    struct held *h = room_of(k);
    memcpy(h->id, key_id, strlen(key_id) + 1);
    h->key = QC_STEAL(*key);
    h->until_ms = qc_now_ms() + LINK_KEY_MS;
    return true;
}

/* The KME is asked once, unless another handshake was faster. The handshake's time is that of waiting: a
 * question broken off would count against the KME, and lose the key. QC_NOTFOUND: it does not have it now */
static qc_rc fetch_once(const struct qkd_asker *who, const char *key_id, const struct qkd_op *wait,
                        struct qc_err *err)
{
    QC_CLEANUP(qkd_keys_done) struct qkd_keys one = { 0 };
    QC_CLEANUP(kme_leave) struct qkd_tls_keys *kme = NULL;
    struct qkd_id id = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    QC_TRY(kme_enter(who->keys, who->source, wait, &kme, err));
    if (is_held(kme, key_id))
        return QC_OK;
    memcpy(id.text, key_id, strlen(key_id) + 1);
    struct qkd_op op = op_of(QC_NO_DEADLINE, who->cancel);
    op.no_grace = true;
    QC_TRY(qkd_client_dec_keys(kme->kme, &id, 1, LINK_KEY_BITS, &op, &one, err));
    QC_TRY(qkd_keys_take(&one, 0, &key, err));
    (void)hold(kme, key_id, &key); /* else it is nobody's */
    return QC_OK;
}

/* What is not there is not asked for again, either. QC_OK: another handshake was faster */
static qc_rc there_is_none(struct qkd_tls_keys *k, const char *key_id, struct qc_err *err)
{
    qc_key *none = NULL;
    if (!hold(k, key_id, &none))
        return QC_OK;
    QC_LOG_MSG(QC_LOG_WARN, "the KME was asked for a key that it has not");
    return QC_FAIL(err, QC_NOTFOUND, "the KME has no such key");
}

static qc_rc pause_for(uint64_t ms, const struct qkd_op *op, struct qc_err *err)
{
    for (const qc_deadline until = qc_deadline_in(ms); !qc_deadline_over(until);) {
        QC_TRY(qc_go_on(op->deadline, op->cancel, "waiting for the KME", err));
        (void)nanosleep(&(struct timespec){ .tv_nsec = 20000000L }, NULL);
    }
    return QC_OK;
}

/* A key may not have come to our KME yet: twice more, after a moment in which others have their turns. */
static qc_rc fetch(const struct qkd_asker *who, const char *key_id, struct qc_err *err)
{
    static const uint64_t pauses_ms[] = { QKD_PAUSE_MS, 5 * QKD_PAUSE_MS };
    const struct qkd_op wait = op_of(who->deadline, who->cancel);
    qc_rc rc = fetch_once(who, key_id, &wait, err);
    for (unsigned i = 0; rc == QC_NOTFOUND && i < sizeof pauses_ms / sizeof pauses_ms[0]; i++) {
        QC_TRY(pause_for(pauses_ms[i], &wait, err));
        rc = fetch_once(who, key_id, &wait, err);
    }
    if (rc == QC_NOTFOUND || rc == QC_CONFLICT || rc == QC_USAGE || rc == QC_AUTH)
        return there_is_none(who->keys, key_id, err);
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
    QC_TRY(fetch(who, id->key_id, err));
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
