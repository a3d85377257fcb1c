/* What a link says of itself (FORMAT 14.3). The session notes it, another thread tells it. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/thread.h"
#include "base/unix.h"
#include "session.h"
#include "stock.h"

enum { TELLER_MODE = 0660 };

void link_state_init(struct link *l)
{
    struct net_link_state *s = &l->state;
    qc_mutex_init(&l->state_lock);
    *s = (struct net_link_state){ .dials = l->dials,
                                  .level = l->conf->level,
                                  .least = l->conf->least,
                                  .key_max_s = l->conf->key_max_s,
                                  .key_max_bytes = l->conf->key_max_bytes,
                                  .pad_max_s = l->conf->pad_max_s };
    memcpy(s->link, l->conf->name, sizeof s->link);
    memcpy(s->peer, l->conf->peer, sizeof s->peer);
}

static enum net_level now_of(const struct link *l)
{
    if (!l->greeted)
        return NET_DOWN;
    return l->bare_sent || l->bare_came ? l->conf->least : l->conf->level;
}

static struct net_link_use use_of(const struct link *l, const struct link_pool *pool,
                                  const struct link_traffic *t)
{
    const bool is = l->conf->level == NET_OTP;
    const struct net_otp_used used = is ? net_otp_used(pool->otp) : (struct net_otp_used){ 0 };
    return (struct net_link_use){
        .pad = used.pad, .frames = used.frames, .messages = t->messages, .bytes = t->bytes
    };
}

void link_state_note(struct link *l)
{
    struct qkd_pads_counts tx = { 0 }, rx = { 0 };
    uint64_t block = 0;
    uint32_t offset = 0;
    if (l->conf->level == NET_OTP) {
        qkd_pads_counts(l->tx.pads, &tx);
        qkd_pads_counts(l->rx.pads, &rx);
        (void)qkd_pads_at(l->tx.pads, &block, &offset);
    }
    QC_LOCK(&l->state_lock);
    struct net_link_state *s = &l->state;
    const struct link_line *line = rekey_newest(l);
    s->now = now_of(l);
    s->ready = link_ready(l);
    snprintf(s->key_id, sizeof s->key_id, "%s", link_line_key_id(line));
    l->key_since_ms = line->began_ms;
    s->key_bytes = line->bytes;
    s->keys = l->keys_used;
    s->connections = l->streams.open;
    s->pad_send = tx.bytes;
    s->pad_receive = rx.bytes;
    s->pad_block = block;
    s->sent = use_of(l, &l->tx, &l->streams.sent);
    s->received = use_of(l, &l->rx, &l->streams.received);
    s->pad_full = l->conf->level == NET_OTP ? (uint64_t)l->conf->pad_blocks * l->conf->pad_block : 0;
    link_stock_note(l, tx.next, rx.next);
    if (s->ready)
        s->why[0] = '\0';
}

/* It may cite others: what is no plain text is not shown. */
static void take_why(struct link *l, const char *why)
{
    char *to = l->state.why;
    snprintf(to, sizeof l->state.why, "%s", why);
    for (; *to != '\0'; to++)
        if (*to < 0x20 || *to > 0x7e)
            *to = '?';
}

void link_state_down(struct link *l, const char *why)
{
    QC_LOCK(&l->state_lock);
    struct net_link_state *s = &l->state;
    s->now = NET_DOWN;
    s->ready = false;
    s->key_id[0] = '\0';
    s->key_bytes = s->connections = 0;
    l->key_since_ms = 0;
    take_why(l, why);
}

void link_state_why(struct link *l, const char *why)
{
    QC_LOCK(&l->state_lock);
    take_why(l, why);
}

void link_state_get(struct link *l, struct net_link_state *ret)
{
    QC_LOCK(&l->state_lock);
    *ret = l->state;
    link_stock_tell(l, ret);
    ret->key_s = l->key_since_ms == 0 ? 0 : (qc_now_ms() - l->key_since_ms) / 1000;
}

/* -- telling --------------------------------------------------------------------------------------------- */

/* So little that the socket takes it at once; who does not read it has himself to blame. */
static qc_rc tell(struct link *l, int fd, struct qc_err *err)
{
    struct net_link_state s;
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = NET_LINK_STATE_MAX };
    link_state_get(l, &s);
    QC_TRY(net_link_state_print(&s, &text, err));
    if (send(fd, text.p, text.n, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)text.n)
        return QC_FAIL(err, QC_TEMP, "who asked for the state is gone");
    return QC_OK;
}

static void *teller_main(void *arg)
{
    struct link_teller *t = arg;
    while (!qc_cancel_is(t->link->stop)) {
        struct pollfd p = { .fd = qc_fd_get(&t->listener), .events = POLLIN };
        struct qc_err err = { 0 };
        if (poll(&p, 1, LINK_POLL_MS) <= 0)
            continue;
        QC_CLEANUP(qc_fd_close) struct qc_fd fd = qc_fd_own(accept4(p.fd, NULL, NULL, SOCK_CLOEXEC));
        if (qc_fd_is(&fd) && tell(t->link, qc_fd_get(&fd), &err) != QC_OK)
            QC_LOG(QC_LOG_DEBUG, "the state was not told", QC_S("why", err.msg));
    }
    return NULL;
}

qc_rc link_teller_start(struct link_teller *t, struct link *l, const char *path, struct qc_err *err)
{
    t->link = l;
    if (path[0] == '\0')
        return QC_OK;
    t->name = qc_unix_name(path);
    QC_TRY(qc_unix_listen_path(path, TELLER_MODE, &t->listener, &t->dir, err));
    if (pthread_create(&t->thread, NULL, teller_main, t) != 0)
        return QC_FAIL(err, QC_NOMEM, "a thread that tells the state");
    t->runs = true;
    return QC_OK;
}

void link_teller_end(struct link_teller *t)
{
    if (t->runs)
        pthread_join(t->thread, NULL);
    t->runs = false;
    if (qc_fd_is(&t->listener) && unlinkat(qc_fd_get(&t->dir), t->name, 0) != 0)
        QC_LOG(QC_LOG_WARN, "the socket's name stays", QC_S("name", t->name));
    qc_fd_close(&t->listener);
    qc_fd_close(&t->dir);
}
