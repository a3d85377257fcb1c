/* A new key under streams that go on (FORMAT 14.2, "A new key"): records keep one order over the old
 * connection and the next, which are one after the other over one descriptor.
 *
 *   dial:   few keys are left, or one is due -> a job draws a batch -> `ahead` names it -> `have`
 *           -> handshakes of some that may follow, in `shake`; key due, and one is over: `moved`, goodbye,
 *           then the next
 *   serve:  `ahead` -> a job fetches these keys -> `have`; `shake`; `moved` -> `moved`, goodbye, the next
 *   both:   read the old one up to its goodbye, then the next; after both, the old one is closed
 *
 * Keys that were drawn lie in secret memory alone, each until it is taken, and none longer than LINK_KEY_MS:
 * what a crash leaves of a batch is nothing. Handshakes are made some at a time where a link takes many keys:
 * one by itself finds neither code nor tables in the processor's caches, and costs twice as much. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "session.h"

enum { KEY = LINK_KEY_BITS / 8, SAY_MS = 1000 };

struct link_line *rekey_from(struct link *l)
{
    return l->ended_there ? &l->next : &l->line;
}

struct link_line *rekey_to_now(struct link *l)
{
    if (!l->moving || l->out_old > 0)
        return &l->line;
    return l->ended ? &l->next : NULL;
}

const struct link_line *rekey_newest(const struct link *l)
{
    return l->moving ? &l->next : &l->line;
}

void rekey_note(struct link *l, const struct link_line *line)
{
    const char *id = link_line_key_id(line);
    l->keys_used++;
    if (l->record >= 0 && id[0] != '\0')
        dprintf(l->record, "key %s\n", id);
}

/* One line a second: a link may take a hundred keys in one. */
static void say_key(struct link *l)
{
    char prefix[9];
    if (l->said_ms != 0 && qc_now_ms() - l->said_ms < SAY_MS) {
        l->quiet++;
        return;
    }
    snprintf(prefix, sizeof prefix, "%.8s", link_line_key_id(&l->next));
    QC_LOG(QC_LOG_INFO, "the link has a new key", QC_S("link", l->conf->name), QC_S("key", prefix),
           QC_U("bytes_under_the_old", l->line.bytes), QC_U("keys_not_told", l->quiet));
    l->said_ms = qc_now_ms();
    l->quiet = 0;
}

static bool is_old(const struct link_line *line, uint64_t most_s, uint64_t most_bytes)
{
    return qc_now_ms() - line->began_ms >= 1000 * most_s || line->bytes >= most_bytes;
}

/* -- keys ahead ------------------------------------------------------------------------------------------ */

static bool is_batch(const struct link_batch *b)
{
    return b->block.count > 0;
}

static void batch_drop(struct link_batch *b)
{
    link_block_done(&b->block);
    *b = (struct link_batch){ 0 };
}

static uint32_t left(const struct link_batch *b)
{
    return b->block.count - b->taken;
}

/* Who names keys has them half as long: what is under way to the other end is not too old there. */
static void batch_set(struct link *l, struct link_job *j)
{
    l->ahead[1].block = QC_STEAL(j->block);
    l->ahead[1].taken = 0;
    l->ahead[1].until_ms = qc_now_ms() + (l->dials ? LINK_KEY_MS / 2 : LINK_KEY_MS);
}

/* What was not used in time is wiped, at both ends. */
static void expire(struct link *l)
{
    for (unsigned i = 0; i < 2; i++) {
        struct link_batch *b = &l->ahead[i];
        if (!is_batch(b) || qc_now_ms() < b->until_ms || (i == 1 && l->asked))
            continue;
        if (l->dials && left(b) > 0) {
            l->keys_lost += left(b);
            QC_LOG(QC_LOG_INFO, "keys that were drawn ahead were not used in time, and are wiped",
                   QC_S("link", l->conf->name), QC_U("keys", left(b)), QC_U("lost", l->keys_lost));
        }
        batch_drop(b);
    }
}

static qc_span key_of(const struct link_batch *b, uint32_t i)
{
    return qc_span_of((const uint8_t *)b->block.k.p + (size_t)i * KEY, KEY);
}

/* Key i was used, and is nobody's any more. */
static void taken(struct link_batch *b, uint32_t i)
{
    b->block.ids[i].text[0] = '\0';
    b->taken++;
    qc_wipe((uint8_t *)b->block.k.p + (size_t)i * KEY, KEY);
}

/* serve: net_psk_find_fn. */
static qc_rc find(void *ctx, const struct net_psk_id *id, struct net_line *to, struct qc_err *err)
{
    struct link *l = ctx;
    for (unsigned i = 0; i < 2; i++)
        for (uint32_t k = 0; k < l->ahead[i].block.count; k++) {
            if (strcmp(l->ahead[i].block.ids[k].text, id->key_id) != 0)
                continue;
            const qc_rc rc = net_psk_give(to, key_of(&l->ahead[i], k), err);
            taken(&l->ahead[i], k);
            return rc;
        }
    return QC_FAIL(err, QC_NOTFOUND, "a key that was not told of, or was used, or is too old");
}

static void no_key(struct link *l, const char *why)
{
    QC_LOG(QC_LOG_WARN, "E1304 no new key for the link: it goes on under the old one for a while",
           QC_S("link", l->conf->name), QC_S("why", why));
    link_state_why(l, why);
    l->again_pause_ms = l->again_pause_ms == 0 ? LINK_PAUSE_MS : 2 * l->again_pause_ms;
    if (l->again_pause_ms > LINK_PAUSE_MOST_MS)
        l->again_pause_ms = LINK_PAUSE_MOST_MS;
    l->again_not_before_ms = qc_now_ms() + l->again_pause_ms;
}

/* As many as are used in LINK_AHEAD_MS at the pace of the last batch. */
static uint32_t size_of_next(const struct link *l)
{
    const uint64_t took = qc_now_ms() - l->batch_ms;
    if (l->batches == 0)
        return 1;
    const uint64_t n = (uint64_t)l->batch_size * LINK_AHEAD_MS / (took == 0 ? 1 : took);
    return n < 1 ? 1 : n > LINK_AHEAD_MAX ? LINK_AHEAD_MAX : (uint32_t)n;
}

static bool is_due(const struct link *l)
{
    return !l->moving && is_old(&l->line, l->conf->rekey_s, l->conf->rekey_bytes);
}

/* A batch where few are left of a large one, or one is due and none is here. */
static qc_rc draw(struct link *l, struct qc_err *err)
{
    struct link_job *j = &l->again;
    const uint32_t have = left(&l->ahead[0]);
    const bool few =
        have == 0 ? is_due(l) && l->ready_n == 0 : l->batch_size > 1 && have <= l->batch_size / 2;
    if (j->runs || is_batch(&l->ahead[1]) || !few || qc_now_ms() < l->again_not_before_ms)
        return QC_OK;
    l->batch_size = size_of_next(l);
    l->batch_ms = qc_now_ms();
    j->number = ++l->batches;
    j->block.count = l->batch_size;
    return job_start(l, j, err);
}

static qc_rc drawn(struct link *l, struct qc_err *err)
{
    struct link_job *j = &l->again;
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = LINK_RECORD_MAX };
    if (j->rc != QC_OK) {
        no_key(l, j->err.msg);
        return QC_OK;
    }
    const struct link_fill f = {
        .number = j->number, .bytes = j->block.each, .count = j->block.count, .ids = j->block.ids
    };
    QC_TRY(link_fill_print(&f, &text, err));
    batch_set(l, j);
    l->asked = true;
    return session_put(l, LINK_AHEAD, qc_buf_span(&text), err);
}

static qc_rc fetched(struct link *l, struct qc_err *err)
{
    struct link_job *j = &l->again;
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = 64 };
    const struct link_have h = { .number = j->number, .done = j->rc == QC_OK };
    if (h.done)
        batch_set(l, j);
    else
        QC_LOG(QC_LOG_WARN, "E1303 the other end's keys are not to be had here", QC_S("why", j->err.msg));
    QC_TRY(link_have_print(&h, &text, err));
    return session_put(l, LINK_HAVE, qc_buf_span(&text), err);
}

/* What came of a job. */
static qc_rc collect(struct link *l, struct qc_err *err)
{
    struct link_job *j = &l->again;
    if (!j->runs || !atomic_load(&j->done))
        return QC_OK;
    job_join(j);
    l->moved = true;
    const qc_rc rc = l->dials ? drawn(l, err) : fetched(l, err);
    link_block_done(&j->block);
    return rc;
}

qc_rc rekey_ahead(struct link *l, qc_span s, struct qc_err *err)
{
    struct link_job *j = &l->again;
    QC_CLEANUP(link_fill_done) struct link_fill f = { 0 };
    QC_TRY(link_fill_parse(&f, s, err));
    if (l->dials || l->conf->level < NET_QKD_TLS || j->runs || f.number != l->batches + 1 || f.bytes != KEY ||
        f.count > LINK_AHEAD_MAX)
        return QC_FAIL(err, QC_FORMAT, "keys for TLS that nobody waits for");
    l->batches = f.number;
    if (is_batch(&l->ahead[1])) { /* then the one before it is used up there */
        batch_drop(&l->ahead[0]);
        l->ahead[0] = QC_STEAL(l->ahead[1]);
    }
    j->number = f.number;
    j->block = (struct link_block){ .each = f.bytes, .count = f.count, .ids = f.ids };
    f.ids = NULL; /* they are the job's now */
    return job_start(l, j, err);
}

qc_rc rekey_have(struct link *l, qc_span s, struct qc_err *err)
{
    struct link_have h;
    QC_TRY(link_have_parse(&h, s, err));
    if (!l->asked || h.number != l->batches)
        return QC_FAIL(err, QC_FORMAT, "an answer that nobody waits for");
    l->asked = false;
    if (h.done) {
        l->again_pause_ms = 0;
        return QC_OK;
    }
    batch_drop(&l->ahead[1]);
    no_key(l, "the other end did not get the key");
    return QC_OK;
}

void rekey_drop(struct link *l)
{
    job_drop(&l->again);
    batch_drop(&l->ahead[0]);
    batch_drop(&l->ahead[1]);
    while (l->ready_n > 0)
        net_line_close(&l->ready[--l->ready_n].tls);
}

/* -- handshakes ------------------------------------------------------------------------------------------ */

static void ready_drop(struct link *l, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        net_line_close(&l->ready[i].tls);
    l->ready_n -= n;
    memmove(l->ready, l->ready + n, l->ready_n * sizeof l->ready[0]);
}

/* Room for another; the caller has seen that there is. */
static struct link_next *ready_add(struct link *l, uint64_t number)
{
    QC_ASSERT(l->ready_n < LINK_NEXT_MAX);
    struct link_next *n = &l->ready[l->ready_n++];
    *n = (struct link_next){ .number = number,
                             .until_ms = qc_now_ms() + (l->dials ? LINK_KEY_MS / 2 : LINK_KEY_MS) };
    l->last_number = number;
    return n;
}

static void ready_expire(struct link *l)
{
    uint32_t n = 0;
    while (n < l->ready_n && qc_now_ms() >= l->ready[n].until_ms)
        n++;
    l->keys_lost += l->dials ? n : 0;
    if (n > 0)
        ready_drop(l, n);
}

static qc_rc step(struct link *l, struct link_next *n, qc_span heard, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf say = { .max = LINK_SHAKE_MAX };
    QC_TRY(qc_buf_add_be(&say, n->number, LINK_NUMBER, err));
    QC_TRY_AS(net_psk_next_step(n->tls, heard, &say, &n->done, err), err, "a new key");
    return say.n > LINK_NUMBER ? session_put(l, LINK_SHAKE, qc_buf_span(&say), err) : QC_OK;
}

qc_rc rekey_shake(struct link *l, qc_span s, struct qc_err *err)
{
    qc_rd r = { .s = s };
    const uint64_t number = qc_rd_be(&r, LINK_NUMBER);
    const qc_span heard = qc_rd_bytes(&r, qc_rd_left(&r));
    struct link_next *n = NULL;
    for (uint32_t i = 0; i < l->ready_n; i++)
        if (l->ready[i].number == number)
            n = &l->ready[i];
    const bool may_begin =
        !l->dials && l->conf->level >= NET_QKD_TLS && number > l->last_number && l->ready_n < LINK_NEXT_MAX;
    if (!qc_rd_ok(&r) || heard.n == 0 || s.n > LINK_SHAKE_MAX || (n == NULL ? !may_begin : n->done))
        return QC_FAIL(err, QC_FORMAT, "a handshake that nobody waits for");
    if (n == NULL) {
        n = ready_add(l, number);
        QC_TRY(net_psk_next_serve(&n->tls, l->line.tls, find, l, err));
    }
    return step(l, n, heard, err);
}

/* dial: a handshake with the next key. */
static qc_rc shake(struct link *l, struct qc_err *err)
{
    struct link_batch *b = &l->ahead[0];
    const uint32_t i = b->taken;
    char id[NET_PSK_KEY_ID_MAX + 1];
    if (strlen(b->block.ids[i].text) > NET_PSK_KEY_ID_MAX)
        return QC_FAIL(err, QC_FORMAT, "a key_ID of more than %d characters", NET_PSK_KEY_ID_MAX);
    snprintf(id, sizeof id, "%s", b->block.ids[i].text);
    struct link_next *n = ready_add(l, l->last_number + 1);
    const qc_rc rc = net_psk_next_dial(&n->tls, l->line.tls, id, key_of(b, i), err);
    taken(b, i);
    QC_TRY(rc);
    return step(l, n, qc_span_of(NULL, 0), err);
}

/* dial: as many as are wanted, once few are left. */
static qc_rc shake_some(struct link *l, struct qc_err *err)
{
    struct link_batch *b = &l->ahead[0];
    const uint32_t want = l->batch_size < LINK_NEXT_MAX ? l->batch_size : LINK_NEXT_MAX;
    if (left(b) == 0 && is_batch(&l->ahead[1]) && !l->asked) {
        batch_drop(b);
        *b = QC_STEAL(l->ahead[1]);
    }
    if (l->ready_n > want / 4 || (want == 1 && !is_due(l)))
        return QC_OK;
    while (l->ready_n < want && left(b) > 0)
        QC_TRY(shake(l, err));
    return QC_OK;
}

/* -- going over ------------------------------------------------------------------------------------------ */

/* What follows goes by the first that is ready. */
static qc_rc move(struct link *l, struct qc_err *err)
{
    uint8_t number[LINK_NUMBER];
    l->next_number = l->ready[0].number;
    l->next.tls = QC_STEAL(l->ready[0].tls);
    ready_drop(l, 1);
    qc_put_be(number, l->next_number, sizeof number);
    QC_TRY(session_put(l, LINK_MOVED, qc_span_of(number, sizeof number), err));
    l->moving = true;
    l->out_old = l->out.n;
    l->next.began_ms = l->moving_ms = qc_now_ms();
    rekey_note(l, &l->next);
    say_key(l);
    return QC_OK;
}

qc_rc rekey_moved(struct link *l, qc_span s, struct qc_err *err)
{
    qc_rd r = { .s = s };
    const uint64_t number = qc_rd_be(&r, LINK_NUMBER);
    if (!qc_rd_end(&r) || l->moved_there || l->moving != l->dials || (l->moving && number != l->next_number))
        return QC_FAIL(err, QC_FORMAT, "the other end moves where nothing follows");
    l->moved_there = true;
    if (l->dials)
        return QC_OK;
    while (l->ready_n > 0 && l->ready[0].number < number) /* these are too old there */
        ready_drop(l, 1);
    if (l->ready_n == 0 || l->ready[0].number != number || !l->ready[0].done)
        return QC_FAIL(err, QC_FORMAT, "the other end moves where nothing follows");
    return move(l, err);
}

qc_rc rekey_written(struct link *l, struct qc_err *err)
{
    if (!l->moving || l->out_old > 0 || l->ended)
        return QC_OK;
    QC_TRY(net_line_end(l->line.tls, &l->ended, err));
    if (!l->ended)
        return QC_OK;
    l->moved = true;
    return net_line_write_after(l->next.tls, l->line.tls, err);
}

qc_rc rekey_goodbye(struct link *l, bool *ret_goes_on, struct qc_err *err)
{
    *ret_goes_on = l->moved_there && !l->ended_there;
    if (!*ret_goes_on)
        return QC_OK;
    l->ended_there = l->moved = true;
    return net_line_read_after(l->next.tls, l->line.tls, err);
}

/* Nothing is left of the old one. */
static void close_old(struct link *l)
{
    net_line_close(&l->line.tls);
    l->line.tls = QC_STEAL(l->next.tls);
    l->line.began_ms = l->next.began_ms;
    l->line.bytes = l->next.bytes;
    l->next = (struct link_line){ 0 };
    l->moving = l->ended = l->moved_there = l->ended_there = false;
    l->moving_ms = 0;
    l->moved = true;
}

qc_rc rekey_turn(struct link *l, struct qc_err *err)
{
    if (l->ended && l->ended_there)
        close_old(l);
    if (l->moving_ms != 0 && qc_now_ms() - l->moving_ms > LINK_MOVE_MS)
        return QC_FAIL(err, QC_TIMEOUT, "the other end does not go over to the new key");
    if (!l->greeted || l->conf->level < NET_QKD_TLS)
        return QC_OK;
    expire(l);
    ready_expire(l);
    QC_TRY(collect(l, err));
    if (!l->dials)
        return QC_OK;
    QC_TRY(shake_some(l, err));
    if (is_due(l) && l->ready_n > 0 && l->ready[0].done)
        QC_TRY(move(l, err));
    return draw(l, err);
}

qc_rc rekey_age(struct link *l, bool *ret_young, struct qc_err *err)
{
    const struct link_conf *c = l->conf;
    const bool rests = c->level == NET_QKD_TLS || l->bare_sent || l->bare_came;
    *ret_young = !rests || !is_old(rekey_newest(l), c->key_max_s, c->key_max_bytes);
    if (*ret_young) {
        l->old_ms = 0;
        return QC_OK;
    }
    l->old_ms = l->old_ms == 0 ? qc_now_ms() : l->old_ms;
    if (c->without == LINK_FAILS || qc_now_ms() - l->old_ms >= 1000ULL * c->wait_s)
        return QC_FAIL(err, QC_TEMP, "the key may not be used any more, and no other came");
    return QC_OK;
}
