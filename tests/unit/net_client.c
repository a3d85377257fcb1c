/* unit/net_client: requests against a real HTTP server (libmicrohttpd) on a UNIX socket whose path is longer
 * than a socket address. */
#include "net/client.h"
#include "net/rate.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "net_place.h"

#include <fcntl.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { LARGE = 64 * 1024 * 1024 };

/* --- The real server --- */

struct server {
    struct MHD_Daemon *daemon;
    atomic_int connections;
    atomic_int requests;
};

struct upload {
    uint64_t n;
    uint64_t wrong;
};

/* Byte i of every large body is i mod 251; this is a long stretch of it. */
enum { TABLE = 251 * 4096 };
static uint8_t table[2 * TABLE];

static void table_fill(void)
{
    for (size_t i = 0; i < sizeof table; i++)
        table[i] = (uint8_t)(i % 251);
}

static void pattern(uint8_t *p, uint64_t at, size_t n)
{
    QC_ASSERT(n <= TABLE);
    memcpy(p, table + at % 251, n);
}

/* Counts the pieces that are not as pattern() makes them. */
static uint64_t wrong_add(uint64_t wrong, uint64_t at, const uint8_t *p, size_t n)
{
    QC_ASSERT(n <= TABLE);
    return wrong + (memcmp(p, table + at % 251, n) != 0);
}

static ssize_t large_read(void *cls, uint64_t at, char *dst, size_t max)
{
    (void)cls;
    if (at >= LARGE)
        return MHD_CONTENT_READER_END_OF_STREAM;
    size_t n = LARGE - at < max ? LARGE - (size_t)at : max;
    pattern((uint8_t *)dst, at, n);
    return (ssize_t)n;
}

static enum MHD_Result answer(struct MHD_Connection *con, unsigned status, const char *text,
                              const char *method)
{
    struct MHD_Response *r =
        MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
    MHD_add_response_header(r, "X-Method", method);
    MHD_add_response_header(r, "X-Twice", "one");
    MHD_add_response_header(r, "x-twice", "two");
    MHD_add_response_header(r, "X-Spaced", "a  b");
    enum MHD_Result res = MHD_queue_response(con, status, r);
    MHD_destroy_response(r);
    return res;
}

static enum MHD_Result answer_get(struct MHD_Connection *con, const char *url, const char *method)
{
    if (strcmp(url, "/large") == 0 || strcmp(url, "/chunked") == 0) {
        uint64_t size = url[1] == 'l' ? LARGE : MHD_SIZE_UNKNOWN;
        struct MHD_Response *r = MHD_create_response_from_callback(size, 256 * 1024, large_read, NULL, NULL);
        enum MHD_Result res = MHD_queue_response(con, 200, r);
        MHD_destroy_response(r);
        return res;
    }
    if (strcmp(url, "/none") == 0)
        return answer(con, 204, "", method);
    if (strcmp(url, "/slow") == 0) { /* as long as the client waits: ends when it closes */
        char b;
        int fd = MHD_get_connection_info(con, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        for (int i = 0; i < 500 && recv(fd, &b, 1, MSG_PEEK | MSG_DONTWAIT) != 0; i++)
            usleep(10000);
        return answer(con, 200, "slow", method);
    }
    if (strncmp(url, "/found", 6) == 0) {
        const char *q = MHD_lookup_connection_value(con, MHD_GET_ARGUMENT_KIND, "q");
        const char *h = MHD_lookup_connection_value(con, MHD_HEADER_KIND, "X-Mine");
        char text[256];
        snprintf(text, sizeof text, "%s|%s|%s", url, q != NULL ? q : "-", h != NULL ? h : "-");
        return answer(con, 200, text, method);
    }
    return answer(con, 404, "nothing here", method);
}

/* NOLINTNEXTLINE(readability-function-size): libmicrohttpd sets the parameters. */
static enum MHD_Result serve(void *cls, struct MHD_Connection *con, const char *url, const char *method,
                             const char *version, const char *data, size_t *size, void **state)
{
    (void)version;
    struct server *s = cls;
    if (*state == NULL) {
        atomic_fetch_add(&s->requests, 1);
        *state = calloc(1, sizeof(struct upload));
        if (strcmp(url, "/full") == 0) /* refused before its body is read */
            return answer(con, 507, "no room", method);
        return *state != NULL ? MHD_YES : MHD_NO;
    }
    struct upload *u = *state;
    if (*size > 0) {
        u->wrong = wrong_add(u->wrong, u->n, (const uint8_t *)data, *size);
        u->n += *size;
        *size = 0;
        return MHD_YES;
    }
    if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
        return answer_get(con, url, method);
    const char *length = MHD_lookup_connection_value(con, MHD_HEADER_KIND, "Content-Length");
    const char *expect = MHD_lookup_connection_value(con, MHD_HEADER_KIND, "Expect");
    char text[128];
    snprintf(text, sizeof text, "%s %llu wrong %llu length %s expect %s", method, (unsigned long long)u->n,
             (unsigned long long)u->wrong, length != NULL ? length : "-", expect != NULL ? expect : "-");
    return answer(con, 201, text, method);
}

static void served(void *cls, struct MHD_Connection *con, void **state, enum MHD_RequestTerminationCode why)
{
    (void)cls;
    (void)con;
    (void)why;
    free(*state);
    *state = NULL;
}

static void connected(void *cls, struct MHD_Connection *con, void **ctx,
                      enum MHD_ConnectionNotificationCode code)
{
    (void)con;
    (void)ctx;
    struct server *s = cls;
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        atomic_fetch_add(&s->connections, 1);
}

static void server_start(struct server *s, const struct place *p)
{
    s->daemon =
        MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION, 0, NULL, NULL,
                         serve, s, MHD_OPTION_LISTEN_SOCKET, listen_at(p, "http"),
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)256 * 1024, MHD_OPTION_NOTIFY_COMPLETED,
                         served, NULL, MHD_OPTION_NOTIFY_CONNECTION, connected, s, MHD_OPTION_END);
    QC_ASSERT(s->daemon != NULL);
}

/* --- Requests --- */

static void small_requests(struct net_client *c)
{
    static const char *const keep[] = { "x-method", "X-TWICE", "X-Absent", "x-spaced" };
    struct net_header mine[] = { { "X-Mine", "a value; with=signs" }, { "X-Empty", "" } };
    struct net_response r = { .body = { .max = 4096 } };
    struct net_request rq = { .method = "GET",
                              .path = "/found/../x?q=1%202",
                              .headers = mine,
                              .header_count = 2,
                              .keep = keep,
                              .keep_count = 4 };
    OK(net_request(c, &rq, &r, &err));
    QC_ASSERT(r.status == 200 && net_client_reach(c) == NET_ANSWERED && net_client_status(c) == 200);
    QC_ASSERT(strcmp(r.kept[0], "GET") == 0 && strcmp(r.kept[1], "two") == 0 && r.kept[2] == NULL);
    QC_ASSERT(strcmp(r.kept[3], "a  b") == 0);
    body_is(&r, "/found/../x|1 2|a value; with=signs");

    r.body.max = 4096;
    rq = (struct net_request){ .method = "HEAD", .path = "/found", .keep = keep, .keep_count = 1 };
    OK(net_request(c, &rq, &r, &err));
    QC_ASSERT(r.status == 200 && r.body.n == 0 && strcmp(r.kept[0], "HEAD") == 0);

    rq = (struct net_request){ .method = "GET", .path = "/nowhere" };
    OK(net_request(c, &rq, &r, &err));
    QC_ASSERT(r.status == 404);
    body_is(&r, "nothing here");

    r.body.max = 4096;
    rq = (struct net_request){ .method = "GET", .path = "/none" };
    OK(net_request(c, &rq, &r, &err));
    QC_ASSERT(r.status == 204);
    body_is(&r, "");

    static const char *const bodies[] = { "PUT", "POST", "DELETE" };
    for (size_t i = 0; i < 3; i++) {
        char want[96];
        r.body.max = 4096;
        rq = (struct net_request){ .method = bodies[i], .path = "/up", .body = QC_LIT("\0\1\2\3\4") };
        OK(net_request(c, &rq, &r, &err));
        QC_ASSERT(r.status == 201);
        snprintf(want, sizeof want, "%s 5 wrong 0 length 5 expect -", bodies[i]);
        body_is(&r, want);
        r.body.max = 4096;
        rq.body = (qc_span){ 0 };
        OK(net_request(c, &rq, &r, &err));
        snprintf(want, sizeof want, "%s 0 wrong 0 length %s expect -", bodies[i], i == 2 ? "-" : "0");
        body_is(&r, want);
    }
}

static void count(void *ctx)
{
    ++*(unsigned *)ctx;
}

/* It is called once, in the middle of a request whose answer does not come; and not with the next. */
static void asides(struct net_client *c)
{
    unsigned calls = 0;
    struct qc_err err = { 0 };
    struct net_response r = { .body = { .max = 4096 } };
    struct net_request rq = { .method = "GET", .path = "/slow", .deadline = qc_deadline_in(30) };
    net_client_aside(c, (struct net_aside){ .fn = count, .ctx = &calls });
    QC_ASSERT(calls == 0);
    QC_ASSERT(net_request(c, &rq, &r, &err) == QC_TIMEOUT && calls == 1);
    rq.deadline = qc_deadline_in(30);
    QC_ASSERT(net_request(c, &rq, &r, &err) == QC_TIMEOUT && calls == 1);
}

static void refused_requests(struct net_client *c)
{
    static const struct net_header bad[] = { { "X: y", "v" },          { "", "v" },
                                             { "X-A", "a\r\nX-B: c" }, { "X-A", "a\n" },
                                             { "Host", "h" },          { "Expect", "x" },
                                             { "content-length", "3" } };
    struct net_response r = { .status = 77, .body = { .max = 100 } };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct net_request rq = { .method = "GET", .path = "/found", .headers = &bad[i], .header_count = 1 };
        FAILS(QC_USAGE, net_request(c, &rq, &r, &err));
    }
    static const char *const paths[] = { "", "x", "/a b", "/a\r\nX: y", "/a#b", "/\xff" };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct net_request rq = { .method = "GET", .path = paths[i] };
        FAILS(QC_USAGE, net_request(c, &rq, &r, &err));
    }
    static const char *const methods[] = { "", "get", "GET /x", "G\n", "ABCDEFGHIJKLMNOPQ" };
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        struct net_request rq = { .method = methods[i], .path = "/" };
        FAILS(QC_USAGE, net_request(c, &rq, &r, &err));
    }
    QC_ASSERT(r.status == 77);
}

/* --- Streams --- */

struct flow {
    uint64_t size, at;
    uint64_t wrong;
    size_t largest;
    bool head;
    qc_rc stop; /* refuse in the middle */
};

static qc_rc flow_read(void *ctx, uint8_t *dst, size_t max, size_t *ret_got, struct qc_err *err)
{
    struct flow *f = ctx;
    if (f->stop != QC_OK && f->at > 3000000)
        return QC_FAIL(err, f->stop, "source failed");
    size_t n = f->size - f->at < max ? (size_t)(f->size - f->at) : max;
    pattern(dst, f->at, n);
    f->at += n;
    f->largest = n > f->largest ? n : f->largest;
    *ret_got = n;
    return QC_OK;
}

static qc_rc flow_head(void *ctx, const struct net_response *head, struct qc_err *err)
{
    (void)err;
    struct flow *f = ctx;
    QC_ASSERT(!f->head && f->at == 0 && head->status == 200);
    f->head = true;
    return QC_OK;
}

static qc_rc flow_write(void *ctx, qc_span bytes, struct qc_err *err)
{
    struct flow *f = ctx;
    QC_ASSERT(f->head);
    if (f->stop != QC_OK && f->at > 3000000)
        return QC_FAIL(err, f->stop, "sink failed");
    f->wrong = wrong_add(f->wrong, f->at, bytes.p, bytes.n);
    f->at += bytes.n;
    f->largest = bytes.n > f->largest ? bytes.n : f->largest;
    return QC_OK;
}

static void speed(const char *what, uint64_t ns)
{
    fprintf(stderr, "%s: 64 MiB in %.1f ms, %.2f GB/s\n", what, (double)ns / 1e6, (double)LARGE / (double)ns);
}

static void large_bodies(struct net_client *c)
{
    static const struct {
        const char *name;
        uint64_t size;
        const char *want;
    } ups[] = { { "put, length known", LARGE, "PUT 67108864 wrong 0 length 67108864 expect -" },
                { "put, chunked", NET_SIZE_UNKNOWN, "PUT 67108864 wrong 0 length - expect -" } };
    struct net_response r = { .body = { .max = 4096 } };
    for (size_t i = 0; i < 2; i++) {
        struct flow f = { .size = LARGE };
        struct net_request rq = {
            .method = "PUT", .path = "/up", .read = flow_read, .read_ctx = &f, .body_size = ups[i].size
        };
        uint64_t t = qc_now_ns();
        r.body.max = 4096;
        OK(net_request(c, &rq, &r, &err));
        speed(ups[i].name, qc_now_ns() - t);
        body_is(&r, ups[i].want);
        QC_ASSERT(f.largest <= NET_BUFFER_SIZE);
    }
    static const char *const downs[] = { "/large", "/chunked" };
    for (size_t i = 0; i < 2; i++) {
        struct flow f = { .size = LARGE };
        struct net_request rq = {
            .method = "GET", .path = downs[i], .head = flow_head, .write = flow_write, .write_ctx = &f
        };
        uint64_t t = qc_now_ns();
        OK(net_request(c, &rq, &r, &err));
        speed(downs[i], qc_now_ns() - t);
        QC_ASSERT(r.status == 200 && f.at == LARGE && f.wrong == 0 && r.body.n == 0);
        QC_ASSERT(f.largest <= NET_BUFFER_SIZE);
    }
    /* An answer of another class goes into the body, not into the stream. */
    struct flow f = { .size = 0 };
    struct net_request rq = {
        .method = "GET", .path = "/nowhere", .head = flow_head, .write = flow_write, .write_ctx = &f
    };
    r.body.max = 4096;
    OK(net_request(c, &rq, &r, &err));
    QC_ASSERT(!f.head && f.at == 0);
    body_is(&r, "nothing here");
    /* The head of an empty body is told, too. */
    rq.path = "/found";
    rq.method = "HEAD";
    OK(net_request(c, &rq, &r, &err));
    QC_ASSERT(f.head && f.at == 0);
}

/* -- a limit, by a clock of the test's own ----------------------------------------------------------------
 */

static uint64_t world_ns;
static uint64_t world_now(void *ctx)
{
    (void)ctx;
    return world_ns;
}
static unsigned world_minute(void *ctx)
{
    (void)ctx;
    return 0;
}
static void world_sleep(void *ctx, uint64_t ns)
{
    (void)ctx;
    world_ns += ns;
}

/* 64 MiB at 8 MiB a second are 8 seconds, up and down, heads included, and no byte is another. */
static bool took(uint64_t since_ns, uint64_t want_ms)
{
    const uint64_t ms = (world_ns - since_ns) / 1000000;
    if (ms * 100 < want_ms * 95 || ms * 100 > want_ms * 105)
        fprintf(stderr, "%llu ms by the test's clock, expected %llu\n", (unsigned long long)ms,
                (unsigned long long)want_ms);
    return ms * 100 >= want_ms * 95 && ms * 100 <= want_ms * 105;
}

static void limited(struct net_client *c)
{
    const struct net_rate_clock clock = { .now_ns = world_now, .minute = world_minute, .sleep = world_sleep };
    struct net_response r = { .body = { .max = 4096 } };
    struct net_rate_table t;
    struct net_rate *rate = NULL;
    struct qc_cancel stop = { 0 };
    world_ns = UINT64_C(5000000000);
    OK(net_rate_parse(QC_LIT("8M:16M"), &t, &err));
    OK(net_rate_new(&rate, &clock, &err));
    net_rate_set(rate, &t);
    net_client_rate(c, rate);
    struct flow up = { .size = LARGE }, down = { .size = LARGE };
    struct net_request put = { .method = "PUT",
                               .path = "/up",
                               .read = flow_read,
                               .read_ctx = &up,
                               .body_size = LARGE,
                               .stall_ms = 60000 };
    struct net_request get = {
        .method = "GET", .path = "/large", .head = flow_head, .write = flow_write, .write_ctx = &down
    };
    uint64_t since = world_ns;
    OK(net_request(c, &put, &r, &err));
    QC_ASSERT(took(since, 8000) && up.largest <= 8 * 1024 * 1024 / 10);
    since = world_ns;
    OK(net_request(c, &get, &r, &err));
    QC_ASSERT(took(since, 4000) && down.at == LARGE && down.wrong == 0);
    put.read = NULL;
    put.body = qc_span_of(table, TABLE);
    since = world_ns;
    OK(net_request(c, &put, &r, &err));
    const uint64_t ms = (world_ns - since) / 1000000, whole = (uint64_t)TABLE * 1000 / (8 * 1024 * 1024);
    QC_ASSERT(ms + NET_RATE_BURST_MS >= whole &&
              ms <= whole + 10); /* less what the moment before has saved up */
    qc_cancel_set(&stop);        /* while it waits for its turn */
    put.cancel = &stop;
    FAILS(QC_CANCELLED, net_request(c, &put, &r, &err));
    net_client_rate(c, NULL);
    net_rate_free(&rate);
    qc_buf_free(&r.body);
}

static void broken_off(struct net_client *c)
{
    struct net_response r = { .status = 77, .body = { .max = 1000 } };
    struct flow f = { .size = LARGE, .stop = QC_INTEGRITY };
    struct net_request get = {
        .method = "GET", .path = "/large", .head = flow_head, .write = flow_write, .write_ctx = &f
    };
    FAILS(QC_INTEGRITY, net_request(c, &get, &r, &err));
    QC_ASSERT(net_client_reach(c) == NET_ANSWERED && net_client_status(c) == 200);
    f = (struct flow){ .size = LARGE, .stop = QC_CHANGED };
    struct net_request up = {
        .method = "PUT", .path = "/up", .read = flow_read, .read_ctx = &f, .body_size = LARGE
    };
    FAILS(QC_CHANGED, net_request(c, &up, &r, &err));
    QC_ASSERT(net_client_reach(c) == NET_NO_ANSWER && net_client_status(c) == 0);
    f = (struct flow){ .size = 1000 };
    up.body_size = 999; /* the source has more than it said */
    FAILS(QC_IO, net_request(c, &up, &r, &err));
    f = (struct flow){ .size = 1000 };
    up.body_size = 1001;
    FAILS(QC_IO, net_request(c, &up, &r, &err));
    struct net_request big = { .method = "GET", .path = "/large" };
    FAILS(QC_LIMIT, net_request(c, &big, &r, &err)); /* 64 MiB into 1,000 bytes */
    QC_ASSERT(r.status == 77 && r.body.n == 0 && r.body.max == 1000);
    struct net_request ok = { .method = "GET", .path = "/found" };
    OK(net_request(c, &ok, &r, &err)); /* and the client is as good as before */
    body_is(&r, "/found|-|-");
}

/* -- what is sent gets there, whatever becomes of us ------------------------------------------------------
 */

enum { SENT = 16 * 1024 * 1024 }; /* more than a socket takes that nobody reads */
struct drain {
    int listener;
    size_t got;
};

static void *drain(void *arg)
{
    static uint8_t buf[65536];
    struct drain *d = arg;
    const int fd = accept(d->listener, NULL, NULL);
    QC_ASSERT(fd >= 0);
    for (ssize_t n = 1; n > 0; d->got += (size_t)n) {
        n = read(fd, buf, sizeof buf);
        QC_ASSERT(n >= 0);
    }
    close(fd);
    return NULL;
}

static void is_sent(void *ctx)
{
    QC_ASSERT(!qc_cancel_is(ctx)); /* once */
    qc_cancel_set(ctx);
}

static void goes_out(const struct place *p)
{
    struct drain d = { .listener = listen_at(p, "drain") };
    struct qc_cancel cancel = { false };
    struct net_response r = { .body = { .max = 1000 } };
    uint8_t *body = calloc(1, SENT);
    QC_ASSERT(body != NULL);
    struct net_request put = {
        .method = "PUT", .path = "/", .body = qc_span_of(body, SENT), .sent = is_sent, .sent_ctx = &cancel
    };
    struct net_client *c = client(p, "drain");
    pthread_t th;
    put.deadline = qc_deadline_in(30);
    FAILS(QC_TIMEOUT, net_request(c, &put, &r, &err)); /* nobody reads it */
    QC_ASSERT(!qc_cancel_is(&cancel));
    const int first = accept(d.listener, NULL, NULL); /* the connection of before */
    QC_ASSERT(first >= 0 && close(first) == 0);
    QC_ASSERT(pthread_create(&th, NULL, drain, &d) == 0);
    put.deadline = QC_NO_DEADLINE;
    put.cancel = &cancel;
    FAILS(QC_CANCELLED, net_request(c, &put, &r, &err));
    net_client_free(&c);
    pthread_join(th, NULL);
    QC_ASSERT(d.got > SENT && d.got < SENT + 1000);
    close(d.listener);
    free(body);
}

/* A refusal that comes before the body was read, from a server that closes at once: the answer, or a broken
 * pipe, but never a hang, and the client is good for the next request. */
static void refused_early(struct net_client *c)
{
    enum { TRIES = 40 };
    int lost = 0;
    for (int i = 0; i < TRIES; i++) {
        struct net_response r = { .body = { .max = 1000 } };
        struct flow f = { .size = LARGE };
        struct net_request up = {
            .method = "PUT", .path = "/full", .read = flow_read, .read_ctx = &f, .body_size = LARGE
        };
        struct qc_err why = { 0 };
        qc_rc rc = net_request(c, &up, &r, &why);
        QC_ASSERT(rc == QC_TEMP || (rc == QC_OK && r.status == 507));
        QC_ASSERT(net_client_reach(c) == (rc == QC_OK ? NET_ANSWERED : NET_NO_ANSWER));
        lost += rc != QC_OK;
        qc_buf_free(&r.body);
    }
    fprintf(stderr, "early refusals lost: %d of %d\n", lost, TRIES);
}

/* --- Time --- */

static void *cancel_soon(void *arg)
{
    usleep(50000);
    qc_cancel_set(arg);
    return NULL;
}

static void time_limits(struct net_client *c)
{
    struct net_response r = { .body = { .max = 100 } };
    struct net_request rq = { .method = "GET", .path = "/slow", .deadline = qc_deadline_in(100) };
    uint64_t t = qc_now_ms();
    FAILS(QC_TIMEOUT, net_request(c, &rq, &r, &err));
    QC_ASSERT(qc_now_ms() - t >= 99 && qc_now_ms() - t < 60000);
    QC_ASSERT(net_client_reach(c) == NET_NO_ANSWER);

    rq.deadline = QC_NO_DEADLINE;
    rq.stall_ms = 150;
    t = qc_now_ms();
    FAILS(QC_TIMEOUT, net_request(c, &rq, &r, &err));
    QC_ASSERT(qc_now_ms() - t >= 149 && qc_now_ms() - t < 60000);

    struct qc_cancel cancel = { false };
    pthread_t th;
    rq.stall_ms = 0;
    rq.cancel = &cancel;
    QC_ASSERT(pthread_create(&th, NULL, cancel_soon, &cancel) == 0);
    t = qc_now_ms();
    FAILS(QC_CANCELLED, net_request(c, &rq, &r, &err));
    QC_ASSERT(qc_now_ms() - t < 60000);
    pthread_join(th, NULL);
    FAILS(QC_CANCELLED, net_request(c, &rq, &r, &err)); /* still up: nothing is begun */
    QC_ASSERT(net_client_reach(c) == NET_NOTHING_SENT);
}

#ifdef QC_FAULT_POINTS
/* Every allocation of a client and a request fails once; nothing leaks. */
static void allocations(const struct place *p)
{
    static const char *const keep[] = { "X-Method" };
    int64_t live = qc_alloc_live();
    for (uint64_t n = 1;; n++) {
        QC_ASSERT(n < 50);
        struct qc_err why = { 0 };
        struct net_client *c = NULL;
        struct net_response r = { .body = { .max = 1000 } };
        struct net_request rq = { .method = "GET", .path = "/found", .keep = keep, .keep_count = 1 };
        qc_fault_alloc(n);
        qc_rc rc = net_client_new_unix(&c, p->dir, "http", &why);
        rc = rc != QC_OK ? rc : net_request(c, &rq, &r, &why);
        qc_fault_alloc(0);
        QC_ASSERT(rc == QC_OK || (rc == QC_NOMEM && r.status == 0 && r.body.p == NULL));
        qc_buf_free(&r.body);
        net_client_free(&c);
        QC_ASSERT(qc_alloc_live() == live);
        if (rc == QC_OK) {
            QC_ASSERT(n > 2);
            return;
        }
    }
}
#endif

int main(void)
{
    QC_CLEANUP(place_done) struct place p = place_new();
    struct server s = { 0 };
    table_fill();
    server_start(&s, &p);
    struct net_client *c = client(&p, "http");
    small_requests(c);
    int connections = atomic_load(&s.connections);
    QC_ASSERT(connections <= 3); /* kept; each of the two POSTs took a fresh one */
    refused_requests(c);
    large_bodies(c);
    QC_ASSERT(atomic_load(&s.connections) == connections);
    broken_off(c);
    refused_early(c);
    limited(c);
    time_limits(c);
    asides(c);
    net_client_free(&c);
    goes_out(&p);
#ifdef QC_FAULT_POINTS
    allocations(&p);
#endif
    MHD_stop_daemon(s.daemon);
    return 0;
}
