/* unit/cloud_s3v2: what the driver refuses before it sends anything, and what it makes of answers that no
 * real server gives on demand. The server here is a fake of this test: it says what the test wants said,
 * whatever it is asked. That the driver works is shown on real clouds (clouds/conformance_s3v2). */
#include "cloud/cloud.h"

#include "base/alloc.h"
#include "driver.h"
#include "base/key.h"
#include "base/limits.h"
#include "base/thread.h"
#include "qc_check.h"
#include "qc_expect.h"
#include "qc_seed.h"
#include "qc_tmpdir.h"

#include <fcntl.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A sanitizer's shadow of the whole address space is writable memory, too: nothing to read through. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { MEMORY_IS_OURS = 0 };
#else
enum { MEMORY_IS_OURS = 1 };
#endif

static const struct cloud_op forever = { .deadline = { 0 } };

/* ---- a server that has one thing to say to each request ---- */

enum { SCRIPT = 24 };

struct server {
    int fd;
    unsigned port;
    pthread_t thread;
    atomic_bool says_go_on;   /* to "Expect: 100-continue"; some do not */
    pthread_mutex_t lock;     /* guards what follows */
    const char *says[SCRIPT]; /* NULL: silence until the client goes */
    unsigned count, asked;    /* the last one is said for ever */
};

/* A request to its end; bodies are small here. */
static bool request_read(int fd, bool says_go_on)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    char b[16384];
    size_t n = 0;
    bool told = !says_go_on;
    for (;;) {
        ssize_t got = recv(fd, b + n, sizeof b - 1 - n, 0);
        if (got <= 0)
            return false;
        n += (size_t)got;
        b[n] = '\0';
        if (!told && strstr(b, "Expect: 100-continue") != NULL)
            told = write(fd, go_on, strlen(go_on)) > 0;
        const char *end = strstr(b, "\r\n\r\n");
        const char *length = strstr(b, "Content-Length: ");
        size_t body = length != NULL ? strtoul(length + strlen("Content-Length: "), NULL, 10) : 0;

        if (end != NULL && n >= (size_t)(end + 4 - b) + body)
            return true;
    }
}

static const char *next_word(struct server *s)
{
    QC_LOCK(&s->lock);
    unsigned at = s->asked < s->count ? s->asked : s->count - 1;
    s->asked++;
    return s->says[at];
}

static void *serve(void *arg)
{
    struct server *s = arg;
    for (;;) {
        int fd = accept(s->fd, NULL, NULL);
        if (fd < 0)
            return NULL;
        if (request_read(fd, s->says_go_on)) {
            const char *say = next_word(s);
            if (say != NULL)
                (void)!write(fd, say, strlen(say));
            char b[256];
            while (say == NULL && recv(fd, b, sizeof b, 0) > 0)
                continue;
        }
        shutdown(fd, SHUT_WR);
        char rest[4096];
        while (recv(fd, rest, sizeof rest, 0) > 0) /* no reset before it has read our answer */
            continue;
        close(fd);
    }
}

static void server_start(struct server *s)
{
    *s = (struct server){ .says_go_on = true, .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t n = sizeof a;
    QC_ASSERT(s->fd >= 0 && bind(s->fd, (struct sockaddr *)&a, n) == 0 && listen(s->fd, 8) == 0);
    QC_ASSERT(getsockname(s->fd, (struct sockaddr *)&a, &n) == 0);
    s->port = ntohs(a.sin_port);
    qc_mutex_init(&s->lock);
    QC_ASSERT(pthread_create(&s->thread, NULL, serve, s) == 0);
}

static void server_stop(struct server *s)
{
    shutdown(s->fd, SHUT_RDWR);
    QC_ASSERT(pthread_join(s->thread, NULL) == 0);
    close(s->fd);
    qc_mutex_done(&s->lock);
}

static void script(struct server *s, const char *const *says, unsigned count)
{
    QC_LOCK(&s->lock);
    QC_ASSERT(count >= 1 && count <= SCRIPT);
    memcpy(s->says, says, count * sizeof says[0]);
    s->count = count;
    s->asked = 0;
}
#define SCRIPT_OF(s, ...)                                                                                    \
    script(s, (const char *const[]){ __VA_ARGS__ }, sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *))

static unsigned asked(struct server *s)
{
    QC_LOCK(&s->lock);
    return s->asked;
}

/* ---- answers ---- */

#define HEAD(status, length) "HTTP/1.1 " status "\r\nContent-Length: " length "\r\nConnection: close\r\n\r\n"
#define XML(status, code)                                                                                    \
    "HTTP/1.1 " status "\r\nConnection: close\r\n\r\n<?xml version=\"1.0\"?><Error><Code>" code              \
    "</Code></Error>"
#define LIST(truncated, contents)                                                                            \
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<ListBucketResult><IsTruncated>" truncated                  \
    "</IsTruncated>" contents "</ListBucketResult>"
#define ITEM(key) "<Contents><Key>" key "</Key><Size>3</Size></Contents>"
#define LIST_CUT(contents)                                                                                   \
    "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\nConnection: "                                                \
    "close\r\n\r\n<ListBucketResult><IsTruncated>false</IsTruncated>" contents
#define MARK_IS_THERE HEAD("200 OK", "70")
#define END           ITEM("~qcloud-cloud")

/* ---- places ---- */

static void credentials_write(const char *path, const uint8_t *secret, size_t n, uint8_t mask)
{
    FILE *f = fopen(path, "w");
    QC_ASSERT(f != NULL && setvbuf(f, NULL, _IONBF, 0) == 0 && chmod(path, 0600) == 0);
    fputs("[default]\naws_access_key_id = AKID\naws_secret_access_key = ", f);
    for (size_t i = 0; i < n; i++)
        fputc(secret[i] ^ mask, f);
    fputc('\n', f);
    QC_ASSERT(fclose(f) == 0);
}

static void urls(const char *keys)
{
    static const char *const bad[] = {
        "s3v2+https://host/bucket",      /* nobody said that this is fine */
        "s3v2+https://127.0.0.1/bucket", /* not on this machine either */
        "s3v2+https://host/bucket?unverified=no",
        "s3v2+https://host/bucket?unverified=yes&ca=/etc/ca.pem",
        "s3v2+http://host/bucket",                     /* leaves the machine in clear */
        "s3v2+http://127.0.0.1/bucket?unverified=yes", /* there is nothing to verify */
        "s3v2+http://127.0.0.1/",
        "s3v2+http://127.0.0.1/bucket?unknown=1",
        "s3v2://127.0.0.1/bucket",
    };
    struct cloud_opts opts = { .credentials = keys };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct cloud *c = NULL;
        FAILS(QC_USAGE, cloud_open_opts(&c, bad[i], &opts, &err));
        QC_ASSERT(c == NULL);
    }
    struct cloud *c = NULL;
    FAILS(QC_USAGE, cloud_open(&c, "s3v2+http://127.0.0.1/bucket", &err)); /* no keys */
    struct qc_err why = { 0 };
    QC_ASSERT(cloud_open_opts(&c, bad[0], &opts, &why) == QC_USAGE);
    QC_ASSERT(strstr(why.msg, "unverified=yes") != NULL && strstr(why.msg, "s3+https") != NULL);
}

static struct cloud *open_at(struct server *s, const char *keys)
{
    char url[128];
    struct cloud *c = NULL;
    struct cloud_opts opts = { .credentials = keys };
    snprintf(url, sizeof url, "s3v2+http://127.0.0.1:%u/bucket", s->port);
    SCRIPT_OF(s, MARK_IS_THERE);
    OK(cloud_open_opts(&c, url, &opts, &err));
    QC_ASSERT(strcmp(cloud_caps(c)->driver, "s3v2") == 0 && !cloud_caps(c)->put_new_atomic);
    return c;
}

#define ID "0123456789abcdef0123456789abcdef"

/* What a gateway writes, and what it does not. */
static void names(void)
{
    static const char *const ours[] = { "i/cloud",  "f/01/" ID,       "l/01/" ID,
                                        "s/01/" ID, "r/00000001/" ID, "v/qcloud-test-00-1" };
    static const char *const others[] = {
        "",         "f",        "f/",        "f/01/" ID "0", "f/02/" ID, "f/01" ID,        "g/01/" ID,
        "r/01/" ID, "i/clouds", "photo.jpg", "f/0g/" ID,     "l/01/",    "f/01/photo.jpg", "~qcloud-cloud"
    };
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        QC_ASSERT(cloud_key_ours(ours[i]));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        QC_ASSERT(!cloud_key_ours(others[i]));
}

/* A bucket is made a cloud when nothing lies there, or only what a gateway wrote. */
static void making(struct server *s, const char *keys)
{
    const char *none = HEAD("404 Not Found", "0");
    const char *no_key = XML("404 Not Found", "NoSuchKey");
    char url[128];
    struct cloud_opts opts = { .credentials = keys };
    snprintf(url, sizeof url, "s3v2+http://127.0.0.1:%u/bucket", s->port);
    SCRIPT_OF(s, none, no_key, LIST("false", ITEM("photo.jpg")));
    FAILS(QC_CONFLICT, cloud_create_opts(url, &opts, &err));
    SCRIPT_OF(s, none, no_key, no_key); /* as Ceph says of a bucket that is going */
    FAILS(QC_NOTFOUND, cloud_create_opts(url, &opts, &err));
    SCRIPT_OF(s, none, XML("404 Not Found", "NoSuchBucket"));
    struct cloud *c = NULL;
    FAILS(QC_NOTFOUND, cloud_open_opts(&c, url, &opts, &err));
    SCRIPT_OF(s, none, no_key);
    FAILS(QC_NOTFOUND, cloud_open_opts(&c, url, &opts, &err));
    SCRIPT_OF(s, MARK_IS_THERE);
    OK(cloud_create_opts(url, &opts, &err));
    QC_ASSERT(asked(s) == 1); /* nothing is written over it */
}

/* ---- reading ---- */

static void reading(struct server *s, struct cloud *c)
{
    uint8_t b[16];
    size_t got = 99;
    struct cloud_range r = { 0, 10 };

    SCRIPT_OF(s, HEAD("206 Partial", "5") "hello");
    OK(cloud_get(c, "k", r, b, &got, &forever, &err));
    QC_ASSERT(got == 5 && memcmp(b, "hello", 5) == 0);

    /* It breaks off, and is whole the second time: libs3 calls both a success. */
    SCRIPT_OF(s, HEAD("206 Partial", "10") "hello", HEAD("206 Partial", "10") "0123456789");
    OK(cloud_get(c, "k", r, b, &got, &forever, &err));
    QC_ASSERT(got == 10 && memcmp(b, "0123456789", 10) == 0 && asked(s) == 2);

    /* More than was asked for; no length, so that nobody knows whether it is whole. */
    SCRIPT_OF(s, HEAD("200 OK", "11") "0123456789a");
    FAILS(QC_IO, cloud_get(c, "k", r, b, &got, &forever, &err));
    struct cloud_op soon = { .deadline = qc_deadline_in(1000) };
    SCRIPT_OF(s, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n0123456789");
    struct qc_err why = { 0 };
    qc_rc rc = cloud_get(c, "k", r, b, &got, &soon, &why);
    QC_ASSERT(rc == QC_TEMP || rc == QC_TIMEOUT);

    SCRIPT_OF(s, XML("404 Not Found", "NoSuchKey"));
    FAILS(QC_NOTFOUND, cloud_get(c, "k", r, b, &got, &forever, &err));
    SCRIPT_OF(s, XML("404 Not Found", "NoSuchBucket"));
    FAILS(QC_TEMP, cloud_get(c, "k", r, b, &got, &forever, &err));
    SCRIPT_OF(s, HEAD("404 Not Found", "0"), XML("404 Not Found", "NoSuchBucket"));
    FAILS(QC_TEMP, cloud_head(c, "k", &(uint64_t){ 0 }, &forever, &err));
    SCRIPT_OF(s, XML("403 Forbidden", "SignatureDoesNotMatch"));
    FAILS(QC_AUTH, cloud_get(c, "k", r, b, &got, &forever, &err));
    SCRIPT_OF(s, XML("416 Range", "InvalidRange"));
    got = 99;
    OK(cloud_get(c, "k", r, b, &got, &forever, &err));
    QC_ASSERT(got == 0);

    /* No reason that libs3 knows: the account, where listings are refused, too; else a moment's trouble. */
    SCRIPT_OF(s, XML("403 Forbidden", "UserSuspended"), HEAD("403 Forbidden", "0"));
    FAILS(QC_AUTH, cloud_get(c, "k", r, b, &got, &forever, &err));
    SCRIPT_OF(s, XML("500 Error", "Unheard"), MARK_IS_THERE, HEAD("206 Partial", "1") "x");
    OK(cloud_get(c, "k", r, b, &got, &forever, &err));
    QC_ASSERT(got == 1);
}

/* ---- listing ---- */

static qc_rc count_keys(void *ctx, const struct cloud_item *item, struct qc_err *err)
{
    (void)err;
    QC_ASSERT(cloud_key_ok(item->key) && item->size == 3);
    ++*(unsigned *)ctx;
    return QC_OK;
}

static void listing(struct server *s, struct cloud *c)
{
    unsigned n = 0;
    struct cloud_page page;
    struct cloud_list_query q = { .prefix = "", .after = "", .limit = 100 };
    struct cloud_op soon = { .deadline = qc_deadline_in(20000) };

    /* The connection breaks after the first key: the rest is asked for. */
    SCRIPT_OF(s, LIST_CUT(ITEM("a")), LIST("false", ITEM("b") ITEM("c")), LIST("false", END));
    OK(cloud_list(c, &q, count_keys, &n, &page, &forever, &err));
    QC_ASSERT(n == 3 && page.count == 3 && !page.more && strcmp(page.last, "c") == 0);
    n = 0;
    SCRIPT_OF(s, LIST("true", ITEM("Not Ours") ITEM("a") END));
    OK(cloud_list(c, &q, count_keys, &n, &page, &forever, &err));
    QC_ASSERT(n == 1);

    /* What is no listing, or none to its end, is never an empty one. */
    static const char *const bad[] = {
        LIST("false", ""),
        LIST("true", ""),
        LIST_CUT(""),
        LIST("true", ITEM("a") ITEM("Not Ours") END), /* out of order: 'N' sorts before 'a' */
        LIST("false", ITEM("a")),                     /* the same page for ever */
        HEAD("200 OK", "28") "<html><body>hello</p></html>",
        HEAD("200 OK", "5") "hello",
        HEAD("200 OK", "0"),
        HEAD("302 Found", "0"),
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct qc_err why = { 0 };
        SCRIPT_OF(s, bad[i]);
        qc_rc rc = cloud_list(c, &q, count_keys, &n, &page, &soon, &why);
        QC_ASSERT(rc == QC_IO || rc == QC_TEMP);
    }
    q.prefix = "b";
    n = 0;
    SCRIPT_OF(s, LIST("false", ITEM("b1") ITEM("c")));
    OK(cloud_list(c, &q, count_keys, &n, &page, &forever, &err));
    QC_ASSERT(n == 1 && asked(s) == 1);
}

/* ---- writing ---- */

static void writing(struct server *s, struct cloud *c)
{
    qc_span b = QC_LIT("hello");
    SCRIPT_OF(s, XML("403 Forbidden", "AccessDenied"));
    FAILS(QC_AUTH, cloud_put(c, "k", &b, 1, CLOUD_REPLACE, &forever, &err));
    /* Said to be stored, and not there; there, and other bytes; there at last. */
    const char *ok = HEAD("200 OK", "0");
    const char *size = HEAD("200 OK", "5");
    const char *none = HEAD("404 Not Found", "0");
    SCRIPT_OF(s, ok, none, ok, none, ok, none, none);
    FAILS(QC_TEMP, cloud_put(c, "k", &b, 1, CLOUD_REPLACE, &forever, &err));
    QC_ASSERT(asked(s) == 6);
    SCRIPT_OF(s, ok, size, HEAD("206 Partial", "5") "hallo", ok, size, HEAD("206 Partial", "5") "hello");
    OK(cloud_put(c, "k", &b, 1, CLOUD_REPLACE, &forever, &err));
    QC_ASSERT(asked(s) == 6);
    /* Refused without a word of XML, which libs3 does not hear: the look finds it. */
    SCRIPT_OF(s, HEAD("507 Full", "0"), none, HEAD("507 Full", "0"), none, HEAD("507 Full", "0"), none);
    FAILS(QC_TEMP, cloud_put(c, "k", &b, 1, CLOUD_REPLACE, &forever, &err));
    /* By its ETag; and from a server that says nothing before the end. */
    const char *etag =
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: \"5d41402abc4b2a76b9719d911017c592\"\r\n"
        "Connection: close\r\n\r\n";
    for (int i = 0; i < 2; i++) {
        s->says_go_on = i == 0;
        SCRIPT_OF(s, ok, etag);
        OK(cloud_put(c, "k", &b, 1, CLOUD_REPLACE, &forever, &err));
        QC_ASSERT(asked(s) == 2);
    }
    s->says_go_on = true;
    /* Refused without a reason, and the listing works: full. */
    SCRIPT_OF(s, XML("403 Forbidden", "QuotaExceeded"), MARK_IS_THERE, XML("403 Forbidden", "QuotaExceeded"),
              MARK_IS_THERE);
    FAILS(QC_FULL, cloud_put(c, "k", &b, 1, CLOUD_REPLACE, &forever, &err));
}

/* ---- waiting ---- */

struct raiser {
    struct qc_cancel cancel;
    pthread_t thread;
};

static void *raise_soon(void *arg)
{
    struct raiser *r = arg;
    usleep(100000);
    qc_cancel_set(&r->cancel);
    return NULL;
}

static void waiting(struct server *s, struct cloud *c)
{
    uint8_t b[4];
    size_t got = 0;
    struct cloud_range r = { 0, 4 };
    struct raiser raiser = { .cancel = { false } };
    struct cloud_op op = { .cancel = &raiser.cancel };
    uint64_t began = qc_now_ms();

    SCRIPT_OF(s, NULL);
    QC_ASSERT(pthread_create(&raiser.thread, NULL, raise_soon, &raiser) == 0);
    FAILS(QC_CANCELLED, cloud_get(c, "k", r, b, &got, &op, &err));
    QC_ASSERT(pthread_join(raiser.thread, NULL) == 0);
    op = (struct cloud_op){ .deadline = qc_deadline_in(200) };
    FAILS(QC_TIMEOUT, cloud_get(c, "k", r, b, &got, &op, &err));
    QC_ASSERT(qc_now_ms() - began < 15000);
}

/* ---- I5: where is the secret after the handle is gone? ---- */

/* Copies of the masked text in this process's writable memory. */
static unsigned copies(const uint8_t *masked, size_t n, uint8_t mask)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    QC_ASSERT(maps != NULL && mem >= 0);
    enum { STEP = 1 << 20 };
    static uint8_t page[STEP + 64];
    unsigned found = 0;
    char line[512];
    while (fgets(line, sizeof line, maps) != NULL) {
        unsigned long from = 0;
        unsigned long to = 0;
        char rights[5];
        if (sscanf(line, "%lx-%lx %4s", &from, &to, rights) != 3 || rights[1] != 'w')
            continue;
        for (unsigned long at = from; at < to; at += STEP) {
            size_t want = to - at < STEP + n ? to - at : STEP + n;
            ssize_t got = pread(mem, page, want, (off_t)at);
            for (ssize_t i = 0; i + (ssize_t)n <= got; i++) {
                size_t k = 0;
                while (k < n && (page[i + (ssize_t)k] ^ mask) == masked[k])
                    k++;
                found += k == n && at + (unsigned long)i - (unsigned long)page >= sizeof page;
            }
            qc_wipe(page, sizeof page);
        }
    }
    close(mem);
    fclose(maps);
    return found;
}

static void secret_gone(struct server *s, const char *dir)
{
    enum { MASK = 0x15, N = 40 };
    uint8_t masked[N];
    struct qc_rand rand = qc_rand_start();
    for (size_t i = 0; i < N; i++)
        masked[i] = (uint8_t)(('a' + qc_rand_below(&rand, 26)) ^ MASK);
    char keys[300];
    snprintf(keys, sizeof keys, "%s/canary", dir);
    credentials_write(keys, masked, N, MASK);
    struct cloud *c = open_at(s, keys);
    qc_span b = QC_LIT("hello");
    SCRIPT_OF(s, XML("403 Forbidden", "AccessDenied"));
    FAILS(QC_AUTH, cloud_put(c, "k", &b, 1, CLOUD_REPLACE, &forever, &err));
    cloud_close(&c);
    QC_ASSERT(copies(masked, N, MASK) == 0);
    /* The search can find. */
    uint8_t *clear = qc_alloc(N);
    for (size_t i = 0; i < N; i++)
        clear[i] = masked[i] ^ MASK;
    QC_ASSERT(copies(masked, N, MASK) >= 1);
    qc_wipe(clear, N);
    qc_free(clear);
}

int main(void)
{
    QC_CLEANUP(qc_tmpdir_remove) struct qc_tmpdir dir = qc_tmpdir_new();
    char keys[300];
    snprintf(keys, sizeof keys, "%s/keys", dir.path);
    credentials_write(keys, (const uint8_t *)"secret", 6, 0);
    urls(keys);
    struct server s;
    server_start(&s);
    names();
    making(&s, keys);
    struct cloud *c = open_at(&s, keys);
    reading(&s, c);
    listing(&s, c);
    writing(&s, c);
    waiting(&s, c);
    cloud_close(&c);
    if (MEMORY_IS_OURS)
        secret_gone(&s, dir.path);
    server_stop(&s);
    return 0;
}
