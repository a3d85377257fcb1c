/* unit/vault_gw_http: the gateway client against a server of canned bytes: what is repeated, what is not,
 * what is refused. */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/time.h"
#include "qc_check.h"
#include "qc_tmpdir.h"
#include "vault/gw.h"

/* Answers in their order, one connection each; the last one is given for ever. */
struct server {
    int listener;
    pthread_t thread;
    const char *answers[8];
    unsigned served, asked; /* different answers; requests */
    char request[8192];     /* the last one's head and the beginning of its body */
    atomic_bool stop;
};

static char *answer(const char *status, const char *extra, const char *body)
{
    static char text[8][8192];
    static unsigned turn;
    char *t = text[turn++ % 8]; /* answers of one server at most */
    snprintf(t, sizeof(text[0]), "HTTP/1.1 %s\r\nConnection: close\r\n%sContent-Length: %zu\r\n\r\n%s",
             status, extra, strlen(body), body);
    return t;
}

static void serve_one(struct server *s, int fd)
{
    size_t n = 0, want = 0;
    memset(s->request, 0, sizeof(s->request));
    while (n + 1 < sizeof(s->request)) {
        ssize_t got = read(fd, s->request + n, sizeof(s->request) - 1 - n);
        if (got <= 0)
            break;
        n += (size_t)got;
        const char *end = strstr(s->request, "\r\n\r\n");
        const char *length = strcasestr(s->request, "content-length:");
        if (end == NULL)
            continue;
        want = (size_t)(end - s->request) + 4 +
               (length != NULL && length < end ? strtoul(length + 15, NULL, 10) : 0);
        if (n >= want)
            break;
    }
    const char *text = s->answers[s->served];
    s->asked++;
    if (text == NULL)
        text = s->answers[s->served - 1];
    else
        s->served++;
    if (text[0] != '\0')
        CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

static void *run(void *arg)
{
    struct server *s = arg;
    for (;;) {
        int fd = accept(s->listener, NULL, NULL);
        if (s->stop || fd < 0)
            return NULL;
        serve_one(s, fd);
        close(fd);
    }
}

static struct qc_tmpdir dir;

static void start(struct server *s)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    snprintf(at.sun_path, sizeof(at.sun_path), "%.90s/s", dir.path);
    (void)unlink(at.sun_path);
    s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(s->listener >= 0 && bind(s->listener, (struct sockaddr *)&at, sizeof(at)) == 0 &&
          listen(s->listener, 8) == 0);
    CHECK(pthread_create(&s->thread, NULL, run, s) == 0);
}

static void stop(struct server *s)
{
    s->stop = true;
    shutdown(s->listener, SHUT_RDWR);
    CHECK(pthread_join(s->thread, NULL) == 0);
    close(s->listener);
}

static struct vault_gw *connect_to(void)
{
    struct qc_err err = { 0 };
    struct vault_gw *gw = NULL;
    int fd = open(dir.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK(fd >= 0);
    CHECK_OK(vault_gw_http_new(&gw, fd, "s", &err));
    close(fd);
    return gw;
}

static const uint8_t id[16] = { 0xab };
static const struct vault_op soon = { 0 };

#define ENTRY                                                                                                \
    "{\"path\":\"AAAA\",\"number\":7,\"kind\":1,\"object\":\"000102030405060708090a0b0c0d0e0f\","            \
    "\"version\":\"000102030405060708090a0b0c0d0e0f\",\"sequence\":1,\"size\":400,"                          \
    "\"m\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"private\":\"AAAA\","                            \
    "\"seal\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"acked_margin\":2,\"margin\":1,"              \
    "\"margin_full\":2,\"created\":5}"
#define ERROR(id, more) "{\"error\":{\"id\":\"" id "\",\"message\":\"why\\u001b[0m\",\"retry\":true}" more "}"

static qc_rc entry_of(struct vault_gw *gw, struct vault_gw_entry *ret, const struct vault_op *op,
                      struct qc_err *err)
{
    return gw->ops->entry_get(gw, id, QC_LIT("path"), ret, op, err);
}

/* Busy, a connection that breaks, another gateway's start: tried again, then answered. */
static void repeated(void)
{
    struct qc_err err = { 0 };
    struct server s = { .answers = { answer("503 Busy", "Retry-After: 1\r\n", ERROR("temporary", "")), "",
                                     "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
                                     answer("200 OK", "", ENTRY) } };
    struct vault_gw_entry e = { 0 };
    start(&s);
    struct vault_gw *gw = connect_to();
    gw->ops->set_request(gw, "0123456789abcdef");
    CHECK_OK(entry_of(gw, &e, &soon, &err));
    CHECK(s.served == 4 && e.e.number == 7 && e.e.path.n == 3 && e.margin == 1 && e.margin_full == 2);
    CHECK(strncmp(s.request, "POST /v1/vaults/ab000000000000000000000000000000/entries/get HTTP/1.1\r\n",
                  70) == 0);
    CHECK(strstr(s.request, "X-Qcloud-Request: 0123456789abcdef\r\n") != NULL);
    CHECK(strstr(s.request, "\r\n\r\n{\"path\":\"cGF0aA\"}") != NULL);
    vault_gw_entry_done(&e);
    vault_gw_close(&gw);
    stop(&s);
}

static void at_once(const char *status, const char *body, qc_rc want)
{
    struct qc_err err = { 0 };
    struct server s = { .answers = { answer(status, "", body) } };
    struct vault_gw_entry e = { 0 };
    struct vault_op op = { .deadline = qc_deadline_in(60000) };
    start(&s);
    struct vault_gw *gw = connect_to();
    qc_rc rc = entry_of(gw, &e, &op, &err);
    if (rc != want || s.asked != 1) {
        fprintf(stderr, "%s %s: %s (%s), asked %u times\n", status, body, qc_rc_name(rc), err.msg, s.asked);
        exit(1);
    }
    CHECK(e.path.p == NULL && strchr(err.msg, '\x1b') == NULL);
    vault_gw_close(&gw);
    stop(&s);
}

static void conflict(void)
{
    struct qc_err err = { 0 };
    static const char *const current[] = { ",\"current\":" ENTRY, ",\"current\":null", "" };
    for (int i = 0; i < 3; i++) {
        char body[2048];
        snprintf(body, sizeof(body), "{\"error\":{\"id\":\"CONFLICT\",\"message\":\"no\",\"retry\":false}%s}",
                 current[i]);
        struct server s = { .answers = { answer("409 Conflict", "", body) } };
        struct vault_gw_entry now = { 0 };
        struct vault_gw_receipt receipt;
        struct vault_entry e = { .path = QC_LIT("p"), .number = 3, .kind = VAULT_ENTRY_TOMBSTONE };
        struct vault_gw_commit what = { .put_key = id, .entry = &e };
        start(&s);
        struct vault_gw *gw = connect_to();
        CHECK_RC(gw->ops->entry_remove(gw, id, &what, &receipt, &now, &soon, &err), QC_CONFLICT);
        CHECK(now.e.number == (i == 0 ? 7 : 0));
        vault_gw_entry_done(&now);
        vault_gw_close(&gw);
        stop(&s);
    }
}

#define RECEIPT(number, chain)                                                                               \
    "{\"number\":" #number ",\"chain\":" #chain ",\"head\":{\"count\":" #chain                               \
    ",\"hash\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"},\"acked_margin\":2,\"margin_full\":2,"       \
    "\"durable_min\":5,\"n\":5,\"degraded\":[],\"degraded_why\":[],\"record_copies\":5,\"clouds\":5}"

/* Two members; what came back of the second, and how many requests it took. */
static qc_rc bundled(const char *const *answers, qc_rc second, unsigned asked, struct qc_err *err)
{
    static const uint8_t key[2][16] = { { 'k' }, { 'l' } };
    struct vault_gw_receipt receipt = { 0 };
    struct server s = { .answers = { answers[0], answers[1], answers[2] } };
    struct vault_entry e = {
        .path = QC_LIT("pa"), .priv = QC_LIT("priv"), .number = 7, .kind = VAULT_ENTRY_FILE
    };
    struct vault_gw_member m[2] = {
        { .put_key = key[0], .entry = &e, .backup = QC_LIT("back") },
        { .put_key = key[1], .entry = &e, .start = 5, .backup = QC_LIT("back") }
    };
    const struct vault_gw_bundle b = {
        .put_key = id, .members = m, .count = 2, .hasty = true, .receipt = &receipt
    };
    start(&s);
    struct vault_gw *gw = connect_to();
    const qc_rc rc = gw->ops->bundle_commit(gw, &b, &soon, err);
    CHECK(s.asked == asked);
    if (rc == QC_OK) {
        CHECK(m[0].rc == QC_OK && m[0].number == 7 && m[0].chain == 9 && receipt.n == 5 && m[1].rc == second);
        CHECK(asked == 1 || answers[2] == NULL || gw->ops->bundle_commit(gw, &b, &soon, err) == QC_OK);
    }
    vault_gw_close(&gw);
    stop(&s);
    if (asked == 1)
        CHECK(strncmp(s.request,
                      "PUT /v1/uploads/ab000000000000000000000000000000/members?segments=1&wait=quorum ",
                      80) == 0);
    else
        CHECK(strncmp(s.request, "POST /v1/uploads/ab000000000000000000000000000000/members ", 58) == 0);
    return rc;
}

/* As bytes; to a gateway that knows no such call as JSON, from then on. */
static void bundles(void)
{
    struct qc_err err = { 0 };
    const char *both = answer("200 OK", "",
                              "{\"receipt\":" RECEIPT(7, 10) ",\"outcomes\":[{\"number\":7,\"chain\":9},"
                                                             "{\"number\":7,\"chain\":10}]}");
    const char *one =
        answer("200 OK", "",
               "{\"receipt\":" RECEIPT(7, 9) ",\"outcomes\":[{\"number\":7,\"chain\":9}," ERROR("conflict",
                                                                                                "") "]}");
    const char *few =
        answer("200 OK", "", "{\"receipt\":" RECEIPT(7, 9) ",\"outcomes\":[{\"number\":7,\"chain\":9}]}");
    const char *old = answer("405 Method Not Allowed", "Allow: POST\r\n", ERROR("usage", ""));
    const char *json =
        answer("200 OK", "",
               "{\"outcomes\":[{\"receipt\":" RECEIPT(7, 9) "},{\"receipt\":" RECEIPT(7, 10) "}]}");
    CHECK_OK(bundled((const char *[]){ both, NULL, NULL }, QC_OK, 1, &err));
    CHECK_OK(bundled((const char *[]){ one, NULL, NULL }, QC_CONFLICT, 1, &err));
    CHECK_RC(bundled((const char *[]){ few, NULL, NULL }, QC_OK, 1, &err), QC_FORMAT);
    CHECK_OK(bundled((const char *[]){ old, json, json }, QC_OK, 2, &err));
    CHECK_RC(bundled((const char *[]){ old, old, NULL }, QC_OK, 2, &err), QC_USAGE);
}

static qc_rc add_bytes(void *ctx, qc_span bytes, struct qc_err *err)
{
    return qc_buf_add(ctx, bytes, err);
}

static void stream(const char *text, qc_rc want, unsigned served)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf out = { .max = 100 };
    struct server s = { .answers = { text } };
    struct vault_gw_read what = { .offset = 5, .size = 10, .write = add_bytes, .ctx = &out };
    start(&s);
    struct vault_gw *gw = connect_to();
    CHECK_RC(gw->ops->read(gw, id, &what, &soon, &err), want);
    CHECK(s.served == served && strstr(s.request, "Range: bytes=5-14\r\n") != NULL);
    CHECK(out.n <= 10);
    vault_gw_close(&gw);
    stop(&s);
}

static void *raise_soon(void *arg)
{
    usleep(300000);
    qc_cancel_set(arg);
    return NULL;
}

static void ends(void)
{
    struct qc_err err = { 0 };
    struct vault_gw_entry e = { 0 };
    struct qc_cancel cancel = { 0 };
    struct server s = { .answers = { answer("503 Busy", "Retry-After: 1\r\n", ERROR("TEMP", "")) } };
    pthread_t thread;
    start(&s);
    struct vault_gw *gw = connect_to();
    uint64_t t = qc_now_ms();
    CHECK_RC(entry_of(gw, &e, &(struct vault_op){ .deadline = qc_deadline_in(1900) }, &err), QC_TEMP);
    CHECK(qc_now_ms() - t < 60000);
    CHECK(pthread_create(&thread, NULL, raise_soon, &cancel) == 0);
    t = qc_now_ms();
    CHECK_RC(entry_of(gw, &e, &(struct vault_op){ .cancel = &cancel }, &err), QC_CANCELLED);
    CHECK(qc_now_ms() - t < 60000);
    CHECK(pthread_join(thread, NULL) == 0);
    vault_gw_close(&gw);
    stop(&s);
    char path[300];
    snprintf(path, sizeof(path), "%s/s", dir.path);
    CHECK(unlink(path) == 0);
    gw = connect_to();
    CHECK_RC(entry_of(gw, &e, &(struct vault_op){ .deadline = qc_deadline_in(500) }, &err), QC_TEMP);
    vault_gw_close(&gw);
}

struct reviver {
    struct server s;
    unsigned asked, starts_at; /* the call that starts the server; earlier ones only say that they did */
    qc_rc rc;                  /* of all calls */
    struct vault_gw_waits *waits;
};

static qc_rc bring_up(void *ctx, const struct vault_op *op, struct qc_err *err)
{
    struct reviver *r = ctx;
    CHECK(op != NULL);
    if (r->waits != NULL) { /* what is waited for is known meanwhile */
        char why[QC_ERR_MSG_MAX];
        vault_gw_waits_read(r->waits, why);
        CHECK(strstr(why, "the gateway is not running") == why);
    }
    if (r->rc != QC_OK)
        return QC_FAIL(err, r->rc, "nothing to start");
    if (++r->asked == r->starts_at)
        start(&r->s);
    return QC_OK;
}

/* Nobody listens: the caller's way to bring a gateway up is used, in clones as well, and its word is final.
 */
static void revived(void)
{
    struct qc_err err = { 0 };
    struct vault_gw_entry e = { 0 };
    struct vault_gw *clone = NULL;
    struct reviver r = { .starts_at = 2, .s = { .answers = { answer("200 OK", "", ENTRY) } } };
    struct vault_gw *gw = connect_to();
    struct vault_gw_waits waits;
    char why[QC_ERR_MSG_MAX] = "x";
    vault_gw_waits_init(&waits);
    r.waits = &waits;
    vault_gw_http_revive(gw, (struct vault_gw_revive){ .fn = bring_up, .ctx = &r });
    vault_gw_http_waits(gw, &waits);
    CHECK_OK(gw->ops->clone(gw, &clone, &err));
    CHECK_OK(entry_of(clone, &e, &soon, &err));
    CHECK(r.asked == 2 && e.e.number == 7);
    vault_gw_waits_read(&waits, why);
    CHECK(why[0] == '\0' && waits.by == NULL);
    r.waits = NULL;
    vault_gw_entry_done(&e);
    stop(&r.s); /* its socket stays behind, as after kill -9 */
    r.rc = QC_TEMP;
    uint64_t t = qc_now_ms();
    CHECK(entry_of(gw, &e, &soon, &err) == QC_TEMP && strstr(err.msg, "nothing to start") != NULL);
    CHECK(qc_now_ms() - t < 60000);
    vault_gw_close(&clone);
    vault_gw_close(&gw);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    dir = qc_tmpdir_new();
    repeated();
    at_once("503 Quorum", ERROR("QUORUM", ""), QC_QUORUM);
    at_once("404 Not Found", ERROR("not-found", ""), QC_NOTFOUND);
    at_once("404 Not Found", "<html>", QC_NOTFOUND);
    at_once("500 Oops", "", QC_GENERAL);
    at_once("500 Oops", ERROR("ok", ""), QC_GENERAL); /* an error is never a success */
    at_once("409 Fenced", ERROR("fenced", ""), QC_FENCED);
    at_once("200 OK", "{}", QC_FORMAT);
    at_once("200 OK", "[" ENTRY "]", QC_FORMAT);
    at_once("200 OK", "nonsense", QC_FORMAT);
    conflict();
    bundles();
    stream("HTTP/1.1 206 P\r\nConnection: close\r\nContent-Length: 10\r\n\r\n0123456789", QC_OK, 1);
    stream("HTTP/1.1 206 P\r\nConnection: close\r\nContent-Length: 10\r\n\r\n01234", QC_TEMP, 1);
    stream("HTTP/1.1 206 P\r\nConnection: close\r\nContent-Length: 5\r\n\r\n01234", QC_TEMP, 1);
    stream("HTTP/1.1 200 O\r\nConnection: close\r\nContent-Length: 15\r\n\r\n012345678901234", QC_FORMAT, 1);
    ends();
    revived();
    qc_tmpdir_remove(&dir);
    return 0;
}
