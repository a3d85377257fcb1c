/* A new key under streams that go on (FORMAT 14.2, "A new key"): records keep one order over both
 * connections.
 *
 *   dial:   key due -> a job makes the next connection, `begin` names this one's key -> `moved` here, then
 *           there
 *   serve:  a connection that goes on from this one waits -> `moved` here, then there
 *   both:   read this one up to `moved`, then the next; after both, this one is closed */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "session.h"

struct link_line *rekey_from(struct link *l)
{
    if (!l->moved_there)
        return &l->line;
    return l->next.tls != NULL ? &l->next : NULL;
}

struct link_line *rekey_to_now(struct link *l)
{
    return l->next.tls == NULL || l->out_old > 0 ? &l->line : &l->next;
}

static void say_key(const struct link *l, const struct link_line *line)
{
    char prefix[9];
    snprintf(prefix, sizeof prefix, "%.8s", link_line_key_id(line));
    QC_LOG(QC_LOG_INFO, "the link has a new key", QC_S("link", l->conf->name), QC_S("key", prefix),
           QC_U("bytes_under_the_old", l->line.bytes));
}

qc_rc rekey_to(struct link *l, struct link_line *line, struct qc_err *err)
{
    QC_ASSERT(l->next.tls == NULL);
    QC_TRY(session_put(l, LINK_MOVED, qc_span_of(NULL, 0), err));
    l->next = QC_STEAL(*line);
    l->out_old = l->out.n;
    l->moving_ms = l->moving_ms == 0 ? qc_now_ms() : l->moving_ms;
    l->keys_used++;
    say_key(l, &l->next);
    return QC_OK;
}

qc_rc rekey_moved(struct link *l, struct qc_err *err)
{
    if (l->moved_there)
        return QC_FAIL(err, QC_FORMAT, "the other end moves twice");
    l->moved_there = true;
    l->moving_ms = l->moving_ms == 0 ? qc_now_ms() : l->moving_ms;
    return QC_OK;
}

static bool is_old(const struct link_line *line, uint64_t most_s, uint64_t most_bytes)
{
    return qc_now_ms() - line->began_ms >= 1000 * most_s || line->bytes >= most_bytes;
}

/* dial: a job for the next connection, where one is due; what came of it. */
static qc_rc again(struct link *l, struct qc_err *err)
{
    struct link_job *j = &l->again;
    if (!j->runs && l->next.tls == NULL && !l->moved_there && qc_now_ms() >= l->again_not_before_ms &&
        is_old(&l->line, l->conf->rekey_s, l->conf->rekey_bytes)) {
        snprintf(j->from, sizeof j->from, "%s", link_line_key_id(&l->line));
        return job_start(l, j, err);
    }
    if (!j->runs || !atomic_load(&j->done))
        return QC_OK;
    job_join(j);
    l->moved = true;
    if (j->rc != QC_OK) {
        QC_LOG(QC_LOG_WARN, "E1304 no new key for the link: it goes on under the old one for a while",
               QC_S("link", l->conf->name), QC_S("why", j->err.msg));
        link_state_why(l, j->err.msg);
        l->again_pause_ms = l->again_pause_ms == 0 ? LINK_PAUSE_MS : 2 * l->again_pause_ms;
        if (l->again_pause_ms > LINK_PAUSE_MOST_MS)
            l->again_pause_ms = LINK_PAUSE_MOST_MS;
        l->again_not_before_ms = qc_now_ms() + l->again_pause_ms;
        return QC_OK;
    }
    l->again_pause_ms = 0;
    if (l->next.tls == NULL && strcmp(j->from, link_line_key_id(&l->line)) == 0)
        return rekey_to(l, &j->line, err);
    link_line_close(&j->line); /* of a session before */
    return QC_OK;
}

qc_rc rekey_turn(struct link *l, struct qc_err *err)
{
    if (l->dials && l->greeted && l->conf->level >= NET_QKD_TLS)
        QC_TRY(again(l, err));
    if (l->moving_ms == 0)
        return QC_OK;
    if (qc_now_ms() - l->moving_ms > LINK_MOVE_MS)
        return QC_FAIL(err, QC_TIMEOUT, "the other end does not go over to the new key");
    if (l->next.tls == NULL || l->out_old > 0 || !l->moved_there)
        return QC_OK;
    link_line_close(&l->line);
    l->line = QC_STEAL(l->next);
    l->moved_there = false;
    l->moving_ms = 0;
    l->moved = true;
    return QC_OK;
}

qc_rc rekey_age(struct link *l, bool *ret_young, struct qc_err *err)
{
    const struct link_conf *c = l->conf;
    const struct link_line *line = l->next.tls != NULL ? &l->next : &l->line;
    const bool rests = c->level == NET_QKD_TLS || l->bare_sent || l->bare_came;
    *ret_young = !rests || !is_old(line, c->key_max_s, c->key_max_bytes);
    if (*ret_young) {
        l->old_ms = 0;
        return QC_OK;
    }
    l->old_ms = l->old_ms == 0 ? qc_now_ms() : l->old_ms;
    if (c->without == LINK_FAILS || qc_now_ms() - l->old_ms >= 1000ULL * c->wait_s)
        return QC_FAIL(err, QC_TEMP, "the key may not be used any more, and no other came");
    return QC_OK;
}
