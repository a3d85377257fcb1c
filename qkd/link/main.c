/* qcloud-link: one end of a link keyed by QKD, in front of any TCP service. Layer 5; uses base, net, qkd.
 * Reads the command line, wires, prints; docs/qkd.md. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/program.h"
#include "base/thread.h"
#include "link.h"
#include "status.h"
#include "stock.h"

enum { LOCK_BYTES = 4 * 1024 * 1024 };

/* -- what is said when something fails ------------------------------------------------------------------- */

static const struct qc_program_row rows[] = {
    { QC_USAGE, 2, 30, "nothing was sent.",
      "correct what line one names, then: qcloud-link check --config FILE" },
    { QC_FORMAT, 2, 30, "nothing was sent.",
      "correct what line one names, then: qcloud-link check --config FILE" },
    { QC_NOTFOUND, 2, 31, "nothing was sent.", "name a file that is there" },
    { QC_LOCKED, 11, 30, "nothing is wrong: another process has this end, or listens where line one says.",
      "use that one, or end it" },
    { QC_TEMP, 13, 10, "nothing was sent; no key was used twice.",
      "see that the KME runs and its links have key, then the same call again" },
    { QC_TIMEOUT, 13, 10, "nothing was sent; no key was used twice.",
      "see that the KME runs and its links have key, then the same call again" },
    { QC_AUTH, 13, 11, "nothing was sent; no key was used twice.",
      "give this end the certificate that its KME knows it by (kme.cert, kme.key, mode 0600)" },
    { QC_OK, 1, 30, "what was sent was sent under keys that were used once.",
      "correct the cause, then the same call again" },
};

/* -- an end ---------------------------------------------------------------------------------------------- */

struct end {
    struct link_conf conf;
    struct link link;
    struct qc_fd listener;  /* serve: of the other end's connections */
    pthread_mutex_t lock;   /* ready */
    struct link_line ready; /* keyed, and not yet used */
    struct link_teller teller;
    struct link_looker looker;
    pthread_t threads[LINK_HANDSHAKES];
    unsigned started;
};

static struct end end;

static qc_rc read_conf(const struct qc_args *args, struct link_conf *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = LINK_CONF_MAX + 1 };
    const char *path = qc_args_value(args, "config", NULL);
    if (path == NULL)
        return QC_FAIL(err, QC_USAGE, "--config FILE is needed");
    QC_TRY(qc_conf_read(path, "configuration", LINK_CONF_MAX, &text, err));
    if (text.n > LINK_CONF_MAX)
        return QC_FAIL(err, QC_USAGE, "configuration %s has more than %d bytes", path, LINK_CONF_MAX);
    const qc_rc rc = link_conf_parse(ret, qc_buf_span(&text), err);
    if (rc == QC_OK || rc == QC_NOMEM)
        return rc;
    qc_err_wrap(err, "configuration %s", path);
    err->rc = QC_USAGE; /* whatever is wrong with it: it is the operator's */
    return QC_USAGE;
}

static qc_rc open_keys(const struct link_conf *c, struct link_keys **ret, struct qc_err *err)
{
    const struct qkd_conf conf = {
        .url = c->url, .ca = c->ca, .cert = c->cert, .key = c->key, .peer = c->peer
    };
    return link_keys_new(ret, &conf, err);
}

/* The two directions' pads, in two directories of one that is this process's alone. */
static qc_rc open_pools(struct link *l, struct qc_err *err)
{
    const struct link_conf *c = l->conf;
    char dir[LINK_PATH_MAX + 8];
    uint64_t out = 0, in = 0;
    QC_TRY(net_otp_pool(c->name, c->me, c->peer, &out, err));
    QC_TRY(net_otp_pool(c->name, c->peer, c->me, &in, err));
    snprintf(dir, sizeof dir, "%s/tx", c->state);
    QC_TRY(link_pool_open(&l->tx, "tx", dir, c->pad_block, out, c->pad_to, err));
    snprintf(dir, sizeof dir, "%s/rx", c->state);
    return link_pool_open(&l->rx, "rx", dir, c->pad_block, in, c->pad_to, err);
}

static qc_rc open_end(struct end *e, bool dials, struct qc_err *err)
{
    struct link *l = &e->link;
    l->conf = &e->conf;
    l->dials = dials;
    l->stop = qc_stop();
    l->record = link_record();
    qc_mutex_init(&e->lock);
    link_state_init(l);
    l->wake = qc_fd_own(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!qc_fd_is(&l->wake))
        return QC_FAIL_OS(err, "eventfd");
    if (e->conf.level >= NET_QKD_TLS)
        QC_TRY(open_keys(&e->conf, &l->keys, err));
    if (e->conf.level == NET_OTP)
        QC_TRY_AS(open_pools(l, err), err, "pad");
    QC_TRY(link_bytes_new(&l->in, 2 * LINK_RECORD_MAX, err));
    QC_TRY(link_bytes_new(&l->out, 4 * LINK_RECORD_MAX, err));
    QC_TRY(link_streams_new(&l->streams, dials ? NULL : &e->conf.to, err));
    QC_TRY(link_listen(dials ? &l->listener : &e->listener, &e->conf.listen, err));
    QC_TRY(link_looker_start(&e->looker, l, err));
    return link_teller_start(&e->teller, l, e->conf.status, err);
}

static void close_end(struct end *e)
{
    struct link *l = &e->link;
    link_end(l);
    link_streams_free(&l->streams);
    link_bytes_free(&l->in);
    link_bytes_free(&l->out);
    link_pool_close(&l->tx);
    link_pool_close(&l->rx);
    link_keys_free(&l->keys);
    if (l->record >= 0)
        close(l->record);
    qc_fd_close(&l->listener);
    qc_fd_close(&l->wake);
    qc_fd_close(&e->listener);
}

static void say_up(const struct link *l, const struct link_line *line)
{
    char prefix[9];
    snprintf(prefix, sizeof prefix, "%.8s", link_line_key_id(line));
    QC_LOG(QC_LOG_INFO, "the link is up", QC_S("link", l->conf->name),
           QC_S("level", net_level_name(l->conf->level)), QC_S("group", net_line_group(line->tls)),
           QC_S("key", prefix));
}

static void say_down(struct link *l, const struct qc_err *err)
{
    link_state_down(l, err->msg);
    QC_LOG(QC_LOG_WARN, "the link is down", QC_S("link", l->conf->name), QC_S("why", err->msg));
}

/* After these only a person, or a restart, helps. */
static bool is_final(qc_rc rc)
{
    return rc == QC_FENCED || rc == QC_IO || rc == QC_FULL;
}

/* -- dial ------------------------------------------------------------------------------------------------ */

static qc_rc dial_once(struct end *e, bool *ret_was_up, struct qc_err *err)
{
    QC_CLEANUP(link_line_close) struct link_line line = { 0 };
    QC_TRY(link_line_dial(&line, &e->conf, e->link.keys, err));
    say_up(&e->link, &line);
    *ret_was_up = true;
    return link_session(&e->link, &line, err);
}

/* Between two tries: local connections are refused, not left to wait. */
static void pause_ms(struct end *e, uint64_t ms)
{
    const qc_deadline d = qc_deadline_in(ms);
    while (!qc_cancel_is(qc_stop()) && !qc_deadline_over(d)) {
        struct pollfd p = { .fd = qc_fd_get(&e->link.listener), .events = POLLIN };
        if (poll(&p, 1, LINK_POLL_MS) > 0)
            link_refuse(&e->link);
    }
}

static qc_rc dial(struct end *e, struct qc_err *err)
{
    uint64_t pause = LINK_PAUSE_MS;
    while (!qc_cancel_is(qc_stop())) {
        struct qc_err why = { 0 };
        bool was_up = false;
        const qc_rc rc = dial_once(e, &was_up, &why);
        if (rc == QC_OK || rc == QC_CANCELLED)
            continue;
        say_down(&e->link, &why);
        if (is_final(rc)) {
            *err = why;
            return rc;
        }
        pause = was_up ? LINK_PAUSE_MS : pause;
        pause_ms(e, pause);
        pause = 2 * pause < LINK_PAUSE_MOST_MS ? 2 * pause : LINK_PAUSE_MOST_MS;
    }
    return QC_OK;
}

/* -- serve ----------------------------------------------------------------------------------------------- */

/* The newest keyed connection is the one. */
static void hand_over(struct end *e, struct link_line *line)
{
    const uint64_t one = 1;
    {
        QC_LOCK(&e->lock);
        link_line_close(&e->ready);
        e->ready = QC_STEAL(*line);
    }
    const ssize_t told = write(qc_fd_get(&e->link.wake), &one, sizeof one);
    (void)told;
}

static void *shaker(void *arg)
{
    struct end *e = arg;
    while (!qc_cancel_is(qc_stop())) {
        QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
        struct link_line line = { 0 };
        struct qc_err err = { 0 };
        struct pollfd p = { .fd = qc_fd_get(&e->listener), .events = POLLIN };
        if (poll(&p, 1, LINK_POLL_MS) <= 0 || link_accept(&fd, p.fd, &err) != QC_OK || !qc_fd_is(&fd))
            continue;
        if (link_line_accept(&line, &e->conf, e->link.keys, &fd, &err) != QC_OK)
            QC_LOG(QC_LOG_WARN, "a handshake failed", QC_S("why", err.msg));
        else
            hand_over(e, &line);
    }
    return NULL;
}

/* For the session. */
static bool other_waits(void *ctx)
{
    struct end *e = ctx;
    QC_LOCK(&e->lock);
    return e->ready.tls != NULL;
}

static bool take_ready(struct end *e, struct link_line *ret)
{
    QC_LOCK(&e->lock);
    if (e->ready.tls == NULL)
        return false;
    *ret = QC_STEAL(e->ready);
    return true;
}

static void wait_awake(struct end *e)
{
    struct pollfd p = { .fd = qc_fd_get(&e->link.wake), .events = POLLIN };
    uint64_t count = 0;
    if (poll(&p, 1, LINK_POLL_MS) > 0) {
        const ssize_t got = read(p.fd, &count, sizeof count);
        (void)got;
    }
}

static qc_rc serve(struct end *e, struct qc_err *err)
{
    e->link.other = other_waits;
    e->link.other_ctx = e;
    for (; e->started < LINK_HANDSHAKES; e->started++)
        if (pthread_create(&e->threads[e->started], NULL, shaker, e) != 0)
            return QC_FAIL(err, QC_NOMEM, "a thread for handshakes");
    while (!qc_cancel_is(qc_stop())) {
        QC_CLEANUP(link_line_close) struct link_line line = { 0 };
        struct qc_err why = { 0 };
        if (!take_ready(e, &line)) {
            wait_awake(e);
            continue;
        }
        say_up(&e->link, &line);
        const qc_rc rc = link_session(&e->link, &line, &why);
        if (is_final(rc)) {
            *err = why;
            return rc;
        }
        if (rc != QC_OK && rc != QC_CANCELLED)
            say_down(&e->link, &why);
    }
    return QC_OK;
}

static void end_serving(struct end *e)
{
    qc_cancel_set(qc_stop());
    for (unsigned i = 0; i < e->started; i++)
        pthread_join(e->threads[i], NULL);
    link_line_close(&e->ready);
    link_teller_end(&e->teller);
    link_looker_end(&e->looker);
}

/* -- commands -------------------------------------------------------------------------------------------- */

static const struct qc_opt run_options[] = {
    { "config", 0, "FILE", "this end (JSON)", false },
    { "ready-fd", 0, "N", "write \"ready\" to this descriptor once it listens", false },
    { 0 },
};
static const struct qc_opt check_options[] = {
    { "config", 0, "FILE", "this end (JSON)", false },
    { 0 },
};

static const struct qc_opt status_options[] = {
    { "config", 0, "FILE", "this end (JSON)", false },
    { "json", 0, NULL, "as the end says it", false },
    { "metrics", 0, NULL, "in Prometheus' text format", false },
    { 0 },
};

static qc_rc cmd_run(void *app, const struct qc_args *args, struct qc_err *err)
{
    const bool dials = strcmp(args->cmd->name, "dial") == 0;
    int ready = -1;
    (void)app;
    qc_log_setup(STDERR_FILENO, QC_LOG_INFO, false);
    QC_TRY(qc_ready_fd(args, &ready, err));
    QC_TRY(read_conf(args, &end.conf, err));
    QC_TRY(qc_stop_catch(err));
    qc_rc rc = open_end(&end, dials, err);
    if (rc == QC_OK)
        rc = qc_ready_tell(ready, err);
    if (rc == QC_OK)
        rc = dials ? dial(&end, err) : serve(&end, err);
    end_serving(&end);
    close_end(&end);
    return rc;
}

static void keys_free(struct link_keys **k)
{
    link_keys_free(k);
}

static qc_rc cmd_check(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(keys_free) struct link_keys *k = NULL;
    struct qkd_status s;
    (void)app;
    QC_TRY(read_conf(args, &end.conf, err));
    if (end.conf.level < NET_QKD_TLS) {
        printf("%s: %s, without keys from QKD\n", end.conf.name, net_level_name(end.conf.level));
        return QC_OK;
    }
    QC_TRY(open_keys(&end.conf, &k, err));
    QC_TRY_AS(link_keys_look(k, NULL, &s, err), err, "KME %s", end.conf.url);
    if (strcmp(s.master, end.conf.me) != 0)
        return QC_FAIL(err, QC_AUTH, "the KME takes us for %s, not for %s", s.master, end.conf.me);
    printf("%s: %s, we are %s, keys of %u bits up to %u, %u at once, %llu there\n", end.conf.name,
           s.source_kme, s.master, (unsigned)s.key_bits, (unsigned)s.max_bits, (unsigned)s.per_request,
           (unsigned long long)s.stored);
    return QC_OK;
}

/* What a running end says of itself. */
static qc_rc cmd_status(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = NET_LINK_STATE_MAX };
    struct net_link_state s;
    const bool json = qc_args_flag(args, "json"), metrics = qc_args_flag(args, "metrics");
    (void)app;
    if (json && metrics)
        return QC_FAIL(err, QC_USAGE, "--json and --metrics are two forms of one thing");
    QC_TRY(read_conf(args, &end.conf, err));
    if (end.conf.status[0] == '\0')
        return QC_FAIL(err, QC_USAGE, "the configuration has no status: the path of a socket");
    QC_TRY(net_link_state_ask(&s, end.conf.status, qc_deadline_in(LINK_STATE_MS), err));
    QC_TRY(json      ? net_link_state_print(&s, &text, err)
           : metrics ? link_status_metrics(&s, &text, err)
                     : link_status_text(&s, &text, err));
    printf("%.*s%s", (int)text.n, (const char *)text.p, json ? "\n" : "");
    return QC_OK;
}

/* clang-format off */
static const struct qc_cmd commands[] = {
    { "serve", "", "before a service: takes the link, connects to it", 0, 0, 0, run_options, cmd_run },
    { "dial", "", "before its users: takes their connections", 0, 0, 0, run_options, cmd_run },
    { "check", "", "look at a configuration, and ask the KME", 0, 0, 0, check_options, cmd_check },
    { "status", "", "what a running end says of itself", 0, 0, 0, status_options, cmd_status },
    { 0 },
};
/* clang-format on */
static const struct qc_app app_table = {
    .name = "qcloud-link",
    .summary = "one end of a link keyed by QKD, in front of any TCP service",
    .version = QC_VERSION,
    .cmds = commands,
    .footer = "Configuration, levels and what they are worth: docs/qkd.md\n",
};

int main(int argc, char **argv)
{
    const struct qc_program p = { .app = &app_table, .rows = rows, .lock_bytes = LOCK_BYTES };
    return qc_program_main(&p, argc, argv);
}
