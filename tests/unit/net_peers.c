/* unit/net_peers: what the client makes of peers that no sane server is: silent, broken, endless, gone. */
#include "net/client.h"

#include "base/limits.h"
#include "net_place.h"

#include <pthread.h>
#include <stdatomic.h>

/* --- A scripted peer: for each connection, what it answers to each request; "" closes without an answer ---
 */

struct script {
    int fd;
    const char *const (*say)[4]; /* [connection][request], NULL: close */
    size_t connections;
    atomic_int requests;
    pthread_t thread;
};

/* Read one request without a body. False at the end of the connection. */
static bool request_read(int fd)
{
    char last[4] = { 0 };
    while (memcmp(last, "\r\n\r\n", 4) != 0) {
        memmove(last, last + 1, 3);
        if (read(fd, last + 3, 1) != 1)
            return false;
    }
    return true;
}

static void *play(void *arg)
{
    struct script *s = arg;
    for (size_t i = 0; i < s->connections; i++) {
        int fd = accept(s->fd, NULL, NULL);
        QC_ASSERT(fd >= 0);
        for (size_t k = 0; s->say[i][k] != NULL && request_read(fd); k++) {
            atomic_fetch_add(&s->requests, 1);
            size_t n = strlen(s->say[i][k]);
            QC_ASSERT(send(fd, s->say[i][k], n, MSG_NOSIGNAL) == (ssize_t)n);
        }
        close(fd);
    }
    return NULL;
}

static void script_start(struct script *s, const struct place *p, const char *name)
{
    s->fd = listen_at(p, name);
    QC_ASSERT(pthread_create(&s->thread, NULL, play, s) == 0);
}

static void script_end(struct script *s)
{
    pthread_join(s->thread, NULL);
    close(s->fd);
}

#define HTTP_OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static void bad_peers(const struct place *p)
{
    static const struct {
        const char *say;
        qc_rc rc;
        enum net_reach reach;
    } peers[] = {
        { "", QC_TEMP, NET_NO_ANSWER },
        { "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", QC_TEMP, NET_ANSWERED },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe", QC_TEMP, NET_ANSWERED },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n", QC_TEMP, NET_ANSWERED },
        { "SSH-2.0-OpenSSH\r\n", QC_FORMAT, NET_NO_ANSWER },
        { "HTTP/1.1 2x0 OK\r\n\r\n", QC_FORMAT, NET_NO_ANSWER },
        { "HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n", QC_OK,
          NET_ANSWERED },
        { "HTTP/1.1 100 Continue\r\nX-K: interim\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
          QC_OK, NET_ANSWERED },
    };
    static const char *const keep[] = { "X-K" };
    for (size_t i = 0; i < sizeof peers / sizeof peers[0]; i++) {
        char name[16];
        snprintf(name, sizeof name, "peer%zu", i);
        const char *const say[1][4] = { { peers[i].say, NULL } };
        struct script s = { .say = say, .connections = 1 };
        script_start(&s, p, name);
        struct net_client *c = client(p, name);
        struct net_response r = { .body = { .max = 1000 } };
        struct net_request rq = {
            .method = "GET", .path = "/", .keep = keep, .keep_count = 1, .deadline = qc_deadline_in(5000)
        };
        struct qc_err err = { 0 };
        qc_rc rc = net_request(c, &rq, &r, &err);
        if (rc != peers[i].rc || net_client_reach(c) != peers[i].reach) {
            fprintf(stderr, "peer %zu: %s (%s), reach %d\n", i, qc_rc_name(rc), err.msg,
                    (int)net_client_reach(c));
            abort();
        }
        QC_ASSERT(rc != QC_OK || r.kept[0] == NULL);
        qc_buf_free(&r.body);
        net_client_free(&c);
        script_end(&s);
    }
}

/* A kept connection that the peer has closed meanwhile, or closes instead of an answer. */
static void dead_connection(const struct place *p)
{
    static const char *const dies[2][4] = { { HTTP_OK, "", NULL }, { HTTP_OK, NULL } };
    static const char *const closes[2][4] = { { HTTP_OK, NULL }, { HTTP_OK, NULL } };
    static const struct {
        const char *name, *method;
        const char *const (*say)[4];
        int requests;
        bool repeatable;
    } cases[] = {
        { "dies-get", "GET", dies, 3, false }, /* the second is not answered, and sent again: idempotent */
        { "closes-get", "GET", closes, 2, false },
        { "closes-post", "POST", closes, 2, false },
        { "dies-post", "POST", dies, 3, true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct script s = { .say = cases[i].say, .connections = 2 };
        script_start(&s, p, cases[i].name);
        struct net_client *c = client(p, cases[i].name);
        struct net_response r = { .body = { .max = 1000 } };
        struct net_request rq = { .method = "GET", .path = "/", .deadline = qc_deadline_in(5000) };
        OK(net_request(c, &rq, &r, &err));
        rq.method = cases[i].method;
        rq.repeatable = cases[i].repeatable;
        OK(net_request(c, &rq, &r, &err));
        body_is(&r, "ok");
        net_client_free(&c);
        script_end(&s);
        QC_ASSERT(atomic_load(&s.requests) == cases[i].requests);
    }
    /* A POST that is not answered is not repeated. */
    static const char *const mute[1][4] = { { "", NULL } };
    struct script s = { .say = mute, .connections = 1 };
    script_start(&s, p, "mute");
    struct net_client *c = client(p, "mute");
    struct net_response r = { .body = { .max = 1000 } };
    struct net_request rq = { .method = "POST", .path = "/", .deadline = qc_deadline_in(5000) };
    FAILS(QC_TEMP, net_request(c, &rq, &r, &err));
    QC_ASSERT(net_client_reach(c) == NET_NO_ANSWER);
    net_client_free(&c);
    script_end(&s);
    QC_ASSERT(atomic_load(&s.requests) == 1);
}

static void endless_headers(const struct place *p)
{
    static char say[NET_HEAD_SIZE_MAX + 4096];
    size_t n = (size_t)snprintf(say, sizeof say, "HTTP/1.1 200 OK\r\n");
    while (n < NET_HEAD_SIZE_MAX + 100)
        n += (size_t)snprintf(say + n, sizeof say - n, "X-Line: %0100d\r\n", 1);
    snprintf(say + n, sizeof say - n, "\r\n");
    const char *const script[1][4] = { { say, NULL } };
    struct script s = { .say = script, .connections = 1 };
    script_start(&s, p, "endless");
    struct net_client *c = client(p, "endless");
    struct net_response r = { .body = { .max = 1000 } };
    struct net_request rq = { .method = "GET", .path = "/", .deadline = qc_deadline_in(5000) };
    FAILS(QC_LIMIT, net_request(c, &rq, &r, &err));
    net_client_free(&c);
    script_end(&s);
}

static void nobody_there(const struct place *p)
{
    struct net_response r = { .body = { .max = 1000 } };
    struct net_request rq = { .method = "POST", .path = "/", .body = QC_LIT("x") };
    struct net_client *c = client(p, "no-such-socket");
    FAILS(QC_NOTFOUND, net_request(c, &rq, &r, &err));
    QC_ASSERT(net_client_reach(c) == NET_NOTHING_SENT);
    net_client_free(&c);
    close(listen_at(p, "left-over")); /* the name stays, nobody listens */
    c = client(p, "left-over");
    FAILS(QC_TEMP, net_request(c, &rq, &r, &err));
    QC_ASSERT(net_client_reach(c) == NET_NOTHING_SENT);
    net_client_free(&c);
    FAILS(QC_USAGE, net_client_new_unix(&c, p->dir, "", &err));
    FAILS(QC_USAGE, net_client_new_unix(&c, p->dir, "a/b", &err));
    char name[200];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    FAILS(QC_USAGE, net_client_new_unix(&c, p->dir, name, &err));
    QC_ASSERT(c == NULL);
    net_client_free(&c);
}

int main(void)
{
    QC_CLEANUP(place_done) struct place p = place_new();
    bad_peers(&p);
    dead_connection(&p);
    endless_headers(&p);
    nobody_there(&p);
    return 0;
}
