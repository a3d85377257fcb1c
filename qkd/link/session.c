/* A link's session (link.h). A turn: what came -> records -> (otp: frames ->) messages -> connections, and
 * back. Nothing in it waits but poll. */
#include "session.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/log.h"

static bool is_otp(const struct link *l)
{
    return l->conf->level == NET_OTP;
}

uint32_t session_block_bytes(const struct link *l)
{
    return SESSION_CHECK + SESSION_K2 + l->conf->pad_block;
}

qc_rc session_put(struct link *l, enum link_kind kind, qc_span s, struct qc_err *err)
{
    uint8_t head[LINK_HEAD];
    link_head_print(&(struct link_head){ .kind = kind, .n = (uint32_t)s.n }, head);
    QC_TRY(link_bytes_add(&l->out, qc_span_of(head, sizeof head), err));
    l->moved = true;
    return link_bytes_add(&l->out, s, err);
}

/* -- filling: FORMAT 14.2 -------------------------------------------------------------------------------- */

static void tag_of(const struct link *l, const struct link_block *b, uint8_t ret[QC_TAG])
{
    const qc_span k0 = qc_span_of((const uint8_t *)b->k.p + SESSION_CHECK, SESSION_K2 + l->conf->pad_block);
    qc_poly1305(qc_span_of(b->k.p, SESSION_CHECK), &k0, 1, ret);
}

static qc_rc fill(struct link_pool *p, struct link_block *b, uint64_t number, struct qc_err *err)
{
    uint64_t got = 0;
    QC_TRY(qkd_pads_skip(p->pads, number, err));
    QC_TRY(qkd_pads_fill(p->pads, (uint8_t *)b->k.p + SESSION_CHECK, &got, err));
    if (got != number)
        return QC_FAIL(err, QC_INTEGRITY, "pad block %" PRIu64 " where %" PRIu64 " was meant", got, number);
    return QC_OK;
}

/* As the sender: keys for a block that is missing, then their names to the other end. */
static qc_rc make(struct link *l, struct qc_err *err)
{
    struct link_job *j = &l->make;
    struct qkd_pads_counts c;
    qkd_pads_counts(l->tx.pads, &c);
    if (!j->runs && !l->filling && c.bytes < (uint64_t)l->conf->pad_blocks * l->conf->pad_block &&
        qc_now_ms() >= l->not_before_ms)
        return job_start(l, j, err);
    if (!j->runs || !atomic_load(&j->done))
        return QC_OK;
    job_join(j);
    l->moved = true;
    if (j->rc != QC_OK) {
        qc_log_err(QC_LOG_WARN, "E1302 no key for pad: it goes on when keys come", &j->err);
        QC_LOG(QC_LOG_WARN, "the KME's answer", QC_S("why", j->err.msg));
        l->not_before_ms = qc_now_ms() + LINK_PAUSE_MS;
        return QC_OK;
    }
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = LINK_RECORD_MAX };
    j->number = c.next;
    l->filling = true;
    const struct link_fill f = {
        .number = j->number, .bytes = j->block.each, .count = j->block.count, .ids = j->block.ids
    };
    QC_TRY(link_fill_print(&f, &text, err));
    return session_put(l, LINK_FILL, qc_buf_span(&text), err);
}

/* As the receiver: the keys of these names. */
static qc_rc fetched(struct link *l, struct qc_err *err)
{
    struct link_job *j = &l->fetch;
    struct link_filled f = { .number = j->number };
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = 64 };
    if (!j->runs || !atomic_load(&j->done))
        return QC_OK;
    job_join(j);
    if (j->rc == QC_OK) {
        tag_of(l, &j->block, f.tag);
        f.done = true;
        QC_TRY(fill(&l->rx, &j->block, j->number, err));
    } else {
        QC_LOG(QC_LOG_WARN, "E1303 the other end's keys are not to be had here", QC_S("why", j->err.msg));
    }
    link_block_done(&j->block);
    QC_TRY(link_filled_print(&f, &text, err));
    return session_put(l, LINK_FILLED, qc_buf_span(&text), err);
}

static qc_rc on_fill(struct link *l, qc_span s, struct qc_err *err)
{
    struct link_job *j = &l->fetch;
    struct link_fill f = { 0 };
    struct qkd_pads_counts c = { 0 };
    if (is_otp(l))
        qkd_pads_counts(l->rx.pads, &c);
    if (!is_otp(l) || j->runs || c.ready > 2 * l->conf->pad_blocks)
        return QC_FAIL(err, QC_FORMAT, "keys for pad that nobody waits for");
    QC_TRY(link_fill_parse(&f, s, err));
    j->number = f.number;
    j->block = (struct link_block){ .each = f.bytes, .count = f.count, .ids = f.ids };
    return job_start(l, j, err);
}

static qc_rc on_filled(struct link *l, qc_span s, struct qc_err *err)
{
    struct link_job *j = &l->make;
    struct link_filled f;
    uint8_t tag[QC_TAG];
    QC_TRY(link_filled_parse(&f, s, err));
    if (!l->filling || f.number != j->number)
        return QC_FAIL(err, QC_FORMAT, "an answer that nobody waits for");
    l->filling = false;
    if (!f.done) {
        link_block_done(&j->block);
        l->not_before_ms = qc_now_ms() + LINK_PAUSE_MS;
        QC_LOG_MSG(QC_LOG_WARN, "E1303 the other end did not get the keys of a pad block");
        return QC_OK;
    }
    tag_of(l, &j->block, tag);
    const bool same = qc_ct_eq(tag, f.tag, sizeof tag);
    const qc_rc rc = same ? fill(&l->tx, &j->block, j->number, err) : QC_OK;
    link_block_done(&j->block);
    if (!same) /* the next greeting leaves that block out */
        return QC_FAIL(err, QC_INTEGRITY, "the KMEs gave different keys to both ends: pad block %" PRIu64,
                       f.number);
    return rc;
}

/* Pad of ours that is too old: wiped, and the other end is told. What is sealed already goes before. */
static qc_rc age_pad(struct link *l, struct qc_err *err)
{
    uint8_t text[LINK_NUMBER];
    uint64_t at = 0;
    uint32_t offset = 0;
    if (l->conf->pad_max_s == 0 || (l->aged_ms != 0 && qc_now_ms() - l->aged_ms < LINK_AGE_MS))
        return QC_OK;
    l->aged_ms = qc_now_ms();
    const uint64_t below = qkd_pads_old(l->tx.pads, l->conf->pad_max_s);
    if (!qkd_pads_at(l->tx.pads, &at, &offset) || at >= below)
        return QC_OK;
    net_otp_forget(l->tx.otp); /* where it stood */
    QC_TRY(qkd_pads_burn(l->tx.pads, below, err));
    QC_LOG(QC_LOG_INFO, "pad that is too old is wiped", QC_S("link", l->conf->name), QC_U("from_block", at),
           QC_U("below", below));
    qc_put_be(text, below, sizeof text);
    return session_put(l, LINK_BURNT, qc_span_of(text, sizeof text), err);
}

static qc_rc on_burnt(struct link *l, qc_span s, struct qc_err *err)
{
    qc_rd r = { .s = s };
    struct qkd_pads_counts c = { 0 };
    const uint64_t below = qc_rd_be(&r, LINK_NUMBER);
    if (is_otp(l))
        qkd_pads_counts(l->rx.pads, &c);
    if (!qc_rd_end(&r) || below > c.next)
        return QC_FAIL(err, QC_FORMAT, "pad that is not there is said to be wiped");
    net_otp_forget(l->rx.otp);
    return qkd_pads_burn(l->rx.pads, below, err);
}

/* -- greeting -------------------------------------------------------------------------------------------- */

static qc_rc greet(struct link *l, struct qc_err *err)
{
    static struct link_hello h; /* one thread; 16 KiB */
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = LINK_RECORD_MAX };
    h = (struct link_hello){ .tx.next = 1, .rx.next = 1 };
    if (is_otp(l)) {
        h.block = l->conf->pad_block;
        h.pad_to = l->conf->pad_to;
        link_pool_state(&l->tx, &h.tx);
        link_pool_state(&l->rx, &h.rx);
    }
    QC_TRY(link_hello_print(&h, &text, err));
    return session_put(l, LINK_HELLO, qc_buf_span(&text), err);
}

static qc_rc on_hello(struct link *l, qc_span s, struct qc_err *err)
{
    static struct link_hello h;
    if (l->greeted)
        return QC_FAIL(err, QC_FORMAT, "a second greeting");
    QC_TRY(link_hello_parse(&h, s, err));
    if (h.block != (is_otp(l) ? l->conf->pad_block : 0) || h.pad_to != (is_otp(l) ? l->conf->pad_to : 0))
        return QC_FAIL(err, QC_USAGE, "the other end has another level, pad_block or pad_to");
    if (is_otp(l)) {
        QC_TRY(link_pool_agree(&l->tx, &h.rx, err));
        QC_TRY(link_pool_agree(&l->rx, &h.tx, err));
    }
    l->greeted = true;
    return QC_OK;
}

/* -- records --------------------------------------------------------------------------------------------- */

/* The caller has seen that there is room (has_room). */
static qc_rc on_stream(struct link *l, qc_span s, struct qc_err *err)
{
    struct link_bytes *to = &l->streams.in;
    size_t used = 0, got = 0;
    enum net_otp_type type = NET_OTP_DATA;
    if (!is_otp(l))
        return link_bytes_add(to, s, err);
    QC_TRY(net_otp_open(l->rx.otp, s, &used, &type, to->p + to->n, &got, err));
    if (used != s.n || type != NET_OTP_DATA)
        return QC_FAIL(err, QC_FORMAT, "a record that is not one frame of data");
    l->bare_came = false;
    to->n += got;
    return QC_OK;
}

/* Without pad: only where our own configuration allows it. */
static qc_rc on_bare(struct link *l, qc_span s, struct qc_err *err)
{
    if (!is_otp(l) || l->conf->without != LINK_WEAKER)
        return QC_FAIL(err, QC_AUTH, "the other end sends without pad, which is not allowed here");
    l->bare_came = true;
    return link_bytes_add(&l->streams.in, s, err);
}

static qc_rc on_record(struct link *l, enum link_kind kind, qc_span s, struct qc_err *err)
{
    if (kind == LINK_HELLO)
        return on_hello(l, s, err);
    if (!l->greeted)
        return QC_FAIL(err, QC_FORMAT, "no greeting");
    switch (kind) {
    case LINK_STREAM:
        return on_stream(l, s, err);
    case LINK_BARE:
        return on_bare(l, s, err);
    case LINK_FILL:
        return on_fill(l, s, err);
    case LINK_FILLED:
        return on_filled(l, s, err);
    case LINK_AHEAD:
        return rekey_ahead(l, s, err);
    case LINK_HAVE:
        return rekey_have(l, s, err);
    case LINK_SHAKE:
        return rekey_shake(l, s, err);
    case LINK_BURNT:
        return on_burnt(l, s, err);
    case LINK_HELLO: /* above */
    case LINK_BEGIN: /* first in a connection, and not here any more */
    case LINK_MOVED: /* by the caller */
        break;
    }
    return QC_FAIL(err, QC_FORMAT, "a record that has no place here");
}

/* For what a record carries. */
static bool has_room(const struct link *l)
{
    return l->streams.in.size - l->streams.in.n >= NET_OTP_BODY_MAX;
}

/* Records that are there whole, while there is room for what they carry. */
static qc_rc come_in(struct link *l, struct qc_err *err)
{
    size_t at = 0;
    while (l->in.n - at >= LINK_HEAD && has_room(l)) {
        struct link_head h;
        QC_TRY(link_head_parse(&h, qc_span_of(l->in.p + at, LINK_HEAD), err));
        if ((h.kind == LINK_STREAM || h.kind == LINK_BARE) && h.n > NET_OTP_FRAME_MAX)
            return QC_FAIL(err, QC_FORMAT, "a frame of %u bytes", (unsigned)h.n);
        if (l->in.n - at - LINK_HEAD < h.n)
            break;
        if (h.kind == LINK_MOVED && (l->in.n != at + LINK_HEAD + h.n || !l->greeted))
            return QC_FAIL(err, QC_FORMAT, "bytes behind the last record of a connection");
        if (h.kind == LINK_MOVED)
            QC_TRY(rekey_moved(l, qc_span_of(l->in.p + at + LINK_HEAD, h.n), err));
        else
            QC_TRY(on_record(l, h.kind, qc_span_of(l->in.p + at + LINK_HEAD, h.n), err));
        at += LINK_HEAD + h.n;
    }
    l->moved |= at > 0;
    link_bytes_drop(&l->in, at);
    return QC_OK;
}

/* What is there, until nothing is. *ret_got 0: the other end said goodbye. */
static qc_rc read_line(struct link *l, struct link_line *from, size_t *ret_got, struct qc_err *err)
{
    const qc_deadline now = { .at_ms = 1 };
    for (size_t got = 1; got > 0 && l->in.n < l->in.size;) {
        const qc_rc rc = net_line_read(from->tls, l->in.p + l->in.n, l->in.size - l->in.n, &got, now, err);
        if (rc == QC_TIMEOUT)
            break;
        QC_TRY(rc);
        *ret_got = got;
        l->in.n += got;
        from->bytes += got;
        l->moved |= got > 0;
    }
    return QC_OK;
}

/* What came before a connection's end is looked at first: it may be the other end's `moved`. */
static qc_rc receive(struct link *l, struct qc_err *err)
{
    struct qc_err why = { 0 };
    bool goes_on = false;
    size_t got = 1;
    const qc_rc rc = read_line(l, rekey_from(l), &got, &why);
    QC_TRY(come_in(l, err));
    if ((rc == QC_OK && got > 0) || !has_room(l))
        return QC_OK;
    if (rc != QC_OK) {
        *err = why;
        return rc;
    }
    QC_TRY(rekey_goodbye(l, &goes_on, err));
    if (!goes_on)
        return QC_FAIL(err, QC_TEMP, "the other end closed the link");
    return QC_OK;
}

/* There is no pad for what waits: it waits, breaks, or goes without, as the configuration says.
 * *ret_bare: it goes. Connections are not read from meanwhile. */
static qc_rc on_dry(struct link *l, bool *ret_bare, struct qc_err *err)
{
    const struct link_conf *c = l->conf;
    l->dry_ms = l->dry_ms == 0 ? qc_now_ms() : l->dry_ms;
    const bool over = c->without == LINK_FAILS || qc_now_ms() - l->dry_ms >= 1000ULL * c->wait_s;
    *ret_bare = c->without == LINK_WEAKER && (over || l->bare_sent);
    if (!over || *ret_bare)
        return QC_OK;
    return QC_FAIL(err, QC_TEMP, "no pad came within %u s",
                   c->without == LINK_FAILS ? 0U : (unsigned)c->wait_s);
}

static void say_bare(struct link *l, bool bare)
{
    if (bare != l->bare_sent)
        QC_LOG(QC_LOG_WARN, bare ? "W1305 no pad: the link goes on without, as configured" : "there is pad",
               QC_S("link", l->conf->name), QC_S("level", bare ? "qkd-tls" : "otp"));
    l->bare_sent = bare;
}

/* A record of what waits, as much as one takes. *ret_taken 0: there is no pad. The caller has seen that `out`
 * has room: a frame is made where it goes from. */
static qc_rc seal(struct link *l, qc_span s, size_t *ret_taken, struct qc_err *err)
{
    uint8_t *record = l->out.p + l->out.n;
    size_t n = 0;
    bool bare = false;
    *ret_taken = 0;
    if (!is_otp(l)) {
        QC_TRY(session_put(l, LINK_STREAM, s, err));
        *ret_taken = s.n;
        return QC_OK;
    }
    const qc_rc rc = net_otp_seal(l->tx.otp, NET_OTP_DATA, s, record + LINK_HEAD, ret_taken, &n, err);
    if (rc == QC_TEMP) {
        *ret_taken = 0;
        QC_TRY(on_dry(l, &bare, err));
        if (bare) {
            QC_TRY(session_put(l, LINK_BARE, s, err));
            *ret_taken = s.n;
            say_bare(l, true);
        }
        return QC_OK;
    }
    QC_TRY(rc);
    l->dry_ms = 0;
    say_bare(l, false);
    link_head_print(&(struct link_head){ .kind = LINK_STREAM, .n = (uint32_t)n }, record);
    l->out.n += LINK_HEAD + n;
    l->moved = true;
    return QC_OK;
}

/* Messages that wait, as records; while their key is not too old, and at the level otp while there is pad. */
static qc_rc go_out(struct link *l, struct qc_err *err)
{
    struct link_bytes *from = &l->streams.out;
    size_t at = 0;
    bool young = false;
    if (!l->greeted)
        return QC_OK;
    QC_TRY(rekey_age(l, &young, err));
    while (young && from->n > at && l->out.size - l->out.n >= 2 * (LINK_HEAD + NET_OTP_FRAME_MAX)) {
        size_t taken = 0;
        const size_t n = from->n - at < NET_OTP_BODY_MAX ? from->n - at : NET_OTP_BODY_MAX;
        QC_TRY(seal(l, qc_span_of(from->p + at, n), &taken, err));
        if (taken == 0)
            break;
        at += taken;
    }
    link_bytes_drop(from, at);
    return QC_OK;
}

static qc_rc write_out(struct link *l, struct qc_err *err)
{
    size_t done = 0;
    struct link_line *to = rekey_to_now(l);
    if (to == NULL)
        return QC_OK;
    const size_t n = l->out_old > 0 ? l->out_old : l->out.n;
    QC_TRY(net_line_write_some(to->tls, qc_span_of(l->out.p, n), &done, err));
    l->out_old -= l->out_old > 0 ? done : 0;
    l->moved |= done > 0;
    to->bytes += done;
    link_bytes_drop(&l->out, done);
    return rekey_written(l, err);
}

static qc_rc transmit(struct link *l, struct qc_err *err)
{
    QC_TRY(rekey_written(l, err));
    if (l->out_old == 0)
        return write_out(l, err);
    net_line_hold(l->line.tls,
                  true); /* the last by the old key, goodbye and the first by the next: one piece */
    qc_rc rc = write_out(l, err);
    if (rc == QC_OK && l->ended)
        rc = write_out(l, err);
    net_line_hold(l->line.tls, false);
    return rc;
}

/* -- local connections of dial --------------------------------------------------------------------------- */

void link_refuse(struct link *l)
{
    struct qc_err err = { 0 };
    while (qc_fd_is(&l->listener)) {
        QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
        if (link_accept(&fd, qc_fd_get(&l->listener), &err) != QC_OK || !qc_fd_is(&fd))
            break;
        link_close_hard(&fd);
        QC_LOG(QC_LOG_WARN, "E1301 a connection was refused: the link has no key",
               QC_S("link", l->conf->name));
    }
}

bool link_ready(const struct link *l)
{
    struct qkd_pads_counts c;
    if (!l->greeted || l->old_ms != 0)
        return false;
    if (!is_otp(l) || l->bare_sent)
        return true;
    qkd_pads_counts(l->tx.pads, &c);
    return c.bytes >= LINK_PAD_LEAST && l->dry_ms == 0;
}

static qc_rc take_local(struct link *l, struct qc_err *err)
{
    if (!qc_fd_is(&l->listener) || !l->greeted)
        return QC_OK;
    if (!link_ready(l)) {
        const bool over = qc_now_ms() - l->began_ms >= 1000ULL * l->conf->wait_s;
        if (over && is_otp(l) && l->conf->without == LINK_WEAKER)
            say_bare(l, true);
        else if (over || l->conf->without == LINK_FAILS)
            link_refuse(l);
        return QC_OK;
    }
    while (l->streams.open < LINK_STREAMS) {
        QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
        QC_TRY(link_accept(&fd, qc_fd_get(&l->listener), err));
        if (!qc_fd_is(&fd))
            break;
        QC_TRY(link_streams_open(&l->streams, &fd, err));
        l->moved = true;
    }
    return QC_OK;
}

/* -- a session ------------------------------------------------------------------------------------------- */

static qc_rc turn(struct link *l, struct qc_err *err)
{
    l->moved = l->streams.moved = false;
    QC_TRY(receive(l, err));
    if (l->greeted && is_otp(l)) {
        QC_TRY(make(l, err));
        QC_TRY(fetched(l, err));
        QC_TRY(age_pad(l, err));
    }
    QC_TRY(rekey_turn(l, err));
    QC_TRY(take_local(l, err));
    QC_TRY(link_streams_turn(&l->streams, err));
    QC_TRY(go_out(l, err));
    QC_TRY(transmit(l, err));
    l->moved |= l->streams.moved;
    return QC_OK;
}

static void wait_for_more(struct link *l)
{
    struct pollfd p[LINK_STREAMS + 3];
    unsigned n = link_streams_poll(&l->streams, p);
    uint64_t count = 0;
    p[n++] =
        (struct pollfd){ .fd = qc_fd_get(&l->line.fd), .events = l->out.n > 0 ? POLLIN | POLLOUT : POLLIN };
    p[n++] = (struct pollfd){ .fd = qc_fd_get(&l->wake), .events = POLLIN };
    if (qc_fd_is(&l->listener) && l->streams.open < LINK_STREAMS && link_ready(l))
        p[n++] = (struct pollfd){ .fd = qc_fd_get(&l->listener), .events = POLLIN };
    if (poll(p, n, l->moved ? 0 : LINK_POLL_MS) > 0) {
        const ssize_t got = read(qc_fd_get(&l->wake), &count, sizeof count);
        (void)got;
    }
}

static qc_rc run(struct link *l, struct qc_err *err)
{
    QC_TRY(greet(l, err));
    for (;;) {
        if (qc_cancel_is(l->stop))
            return QC_FAIL(err, QC_CANCELLED, "told to stop");
        if (l->other != NULL && l->other(l->other_ctx))
            return QC_OK;
        if (!l->greeted && qc_now_ms() - l->began_ms > LINK_HANDSHAKE_MS)
            return QC_FAIL(err, QC_TIMEOUT, "the other end did not greet");
        QC_TRY(turn(l, err));
        link_state_note(l);
        wait_for_more(l);
    }
}

static void begin(struct link *l, struct link_line *line)
{
    l->line = QC_STEAL(*line);
    l->in.n = l->out.n = l->out_old = 0;
    l->greeted = l->filling = l->bare_sent = l->bare_came = false;
    l->moving = l->ended = l->moved_there = l->ended_there = l->asked = false;
    l->dry_ms = l->aged_ms = l->old_ms = l->moving_ms = l->batches = l->last_number = 0;
    l->batch_size = 1;
    l->began_ms = qc_now_ms();
    rekey_note(l, &l->line);
}

qc_rc link_session(struct link *l, struct link_line *line, struct qc_err *err)
{
    begin(l, line);
    const qc_rc rc = run(l, err);
    qc_cancel_set(&l->fetch_stop); /* what the KME still answers is lost: the other end begins anew */
    job_drop(&l->fetch);
    rekey_drop(l);
    l->fetch_stop = (struct qc_cancel){ 0 };
    if (l->filling) /* its keys were named; others are for the next session */
        job_drop(&l->make);
    link_streams_reset(&l->streams);
    link_line_close(&l->next);
    link_line_close(&l->line);
    l->greeted = false;
    return rc;
}

void link_end(struct link *l)
{
    job_drop(&l->make); /* stop is set */
    job_drop(&l->again);
}
