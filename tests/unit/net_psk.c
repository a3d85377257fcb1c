/* unit/net_psk: identities, and the key made of one; two ends that have the same key, or not; the next key,
 * over the same descriptor. */
#include "net/psk.h"

#include <arpa/inet.h>
#include <linux/tcp.h>
#include <pthread.h>
#include <sys/socket.h>

#include "base/codec.h"
#include "qc_check.h"

static struct qc_err err;
static const struct net_psk_id id = { "link-1", "SAE-A", "SAE-B", "550e8400-e29b-41d4-a716-446655440000" };

static qc_key *key_of(uint8_t first)
{
    uint8_t raw[32];
    qc_key *k = NULL;
    for (unsigned i = 0; i < 32; i++)
        raw[i] = (uint8_t)(first + i);
    CHECK_OK(qc_key_from(&k, raw, sizeof raw, &err));
    return k;
}

/* Computed apart from this program. */
static void check_vector(void)
{
    QC_CLEANUP(qc_key_free) qc_key *key = key_of(0);
    uint8_t psk[NET_PSK_BYTES];
    char text[NET_PSK_IDENTITY], hex[97];
    CHECK_OK(net_psk_id_print(&id, text, &err));
    CHECK(strcmp(text, "qcloud/1|link-1|SAE-A|SAE-B|550e8400-e29b-41d4-a716-446655440000") == 0);
    CHECK_OK(net_psk_key(psk, qc_key_open(key), &id, &err));
    qc_hex(qc_span_of(psk, sizeof psk), hex);
    CHECK(strcmp(hex, "39ae35a6e3bf024842108230d01f67531283167dc41f06402feffe3010d0a4f4"
                      "1e5b2371f0fc6a5679c732eb16d8df64") == 0);
    CHECK_RC(net_psk_key(psk, qc_span_sub(qc_key_open(key), 0, 31), &id, &err), QC_USAGE);
}

static void check_identities(void)
{
    static const char *const bad[] = { "",
                                       "qcloud/1|",
                                       "qcloud/1|l|a|b",
                                       "qcloud/1|l|a|b|",
                                       "qcloud/1||a|b|k",
                                       "qcloud/1|l|a|b|k|",
                                       "qcloud/1|l|a|b|k|x",
                                       "qcloud/2|l|a|b|k",
                                       "QCLOUD/1|l|a|b|k",
                                       "qcloud/1|l|a b|b|k",
                                       "qcloud/1|l|a\x7f|b|k",
                                       "qcloud/1|l|\xc3\xa9|b|k" };
    struct net_psk_id got;
    char text[NET_PSK_IDENTITY], long_one[400];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_RC(net_psk_id_parse(&got, qc_span_str(bad[i]), &err), QC_FORMAT);
    CHECK_RC(net_psk_id_parse(&got, QC_LIT("qcloud/1|l|a|b|k\0"), &err), QC_FORMAT);
    CHECK_OK(net_psk_id_parse(&got, QC_LIT("qcloud/1|l|a|b|k"), &err));
    CHECK(strcmp(got.link, "l") == 0 && strcmp(got.master, "a") == 0 && strcmp(got.slave, "b") == 0 &&
          strcmp(got.key_id, "k") == 0);
    struct net_psk_id most = { 0 }; /* 9 + 60 + 1 + 60 + 1 + 60 + 1 + 63 = 255 */
    memset(most.link, 'l', 60);
    memset(most.master, 'a', 60);
    memset(most.slave, 'b', 60);
    memset(most.key_id, 'k', 63);
    CHECK_OK(net_psk_id_print(&most, text, &err));
    CHECK(strlen(text) == 255);
    most.key_id[63] = 'k';
    CHECK_RC(net_psk_id_print(&most, text, &err), QC_USAGE);
    snprintf(long_one, sizeof long_one, "qcloud/1|%064d|a|b|k", 7);
    CHECK_RC(net_psk_id_parse(&got, qc_span_str(long_one), &err), QC_FORMAT);
}

/* -- two ends, the server in a child --------------------------------------------------------------------- */

struct server {
    struct net_psk_id us;
    uint8_t first;    /* of its key */
    unsigned asked;   /* how often for a key */
    bool has_nothing; /* no key of that name */
};

static qc_rc give(struct net_line *to, uint8_t first, struct qc_err *e)
{
    QC_CLEANUP(qc_key_free) qc_key *key = key_of(first);
    return net_psk_give(to, qc_key_open(key), e);
}

static qc_rc find(void *ctx, const struct net_psk_id *asked, struct net_line *to, struct qc_err *e)
{
    struct server *s = ctx;
    s->asked++;
    CHECK(strcmp(asked->key_id, id.key_id) == 0);
    if (s->has_nothing)
        return QC_FAIL(e, QC_NOTFOUND, "no such key");
    return give(to, s->first, e);
}

/* Sends back what comes, until goodbye. Exit: the code of accept, or 100 + keys that were asked for. */
static int serve(int fd, struct server *s)
{
    struct net_line *p = NULL;
    uint8_t room[5000];
    size_t got = 0;
    const qc_rc rc = net_psk_accept(&p, fd, &s->us, find, s, qc_deadline_in(60000), &err);
    if (rc != QC_OK)
        return (int)rc;
    CHECK(strcmp(net_psk_id_of(p)->key_id, id.key_id) == 0);
    for (;;) {
        CHECK_OK(net_line_read(p, room, sizeof room, &got, qc_deadline_in(60000), &err));
        if (got == 0)
            break;
        CHECK_OK(net_line_write(p, qc_span_of(room, got), qc_deadline_in(60000), &err));
    }
    net_line_close(&p);
    return 100 + (int)s->asked;
}

static void talk(struct net_line *p)
{
    static uint8_t out[20000], in[20000];
    size_t done = 0;
    for (size_t i = 0; i < sizeof out; i++)
        out[i] = (uint8_t)(i * 7);
    CHECK_OK(net_line_write(p, qc_span_of(out, sizeof out), qc_deadline_in(60000), &err));
    while (done < sizeof in) {
        size_t got = 0;
        CHECK_OK(net_line_read(p, in + done, sizeof in - done, &got, qc_deadline_in(60000), &err));
        CHECK(got > 0);
        done += got;
    }
    CHECK(memcmp(in, out, sizeof in) == 0);
    CHECK(net_line_group(p)[0] != '\0');
}

/* What the two ends come to: the client's code, the server's exit. */
static void meet(struct server s, qc_rc want, int want_server)
{
    QC_CLEANUP(qc_key_free) qc_key *key = key_of(0);
    struct net_line *p = NULL;
    int fd[2], status = 0;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
    fflush(NULL);
    const pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        close(fd[0]);
        _exit(serve(fd[1], &s));
    }
    close(fd[1]);
    CHECK_RC(net_psk_connect(&p, fd[0], &id, key, qc_deadline_in(60000), &err), want);
    if (want == QC_OK)
        talk(p);
    net_line_close(&p);
    close(fd[0]);
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == want_server);
}

/* -- the next key, over the same descriptor ----------------------------------------------------------------
 */

struct both {
    int fd;
    struct net_line *line;
};

static qc_rc find_any(void *ctx, const struct net_psk_id *asked, struct net_line *to, struct qc_err *e)
{
    (void)asked;
    return give(to, *(const uint8_t *)ctx, e);
}

static void *accept_first(void *arg)
{
    struct both *b = arg;
    struct qc_err e = { 0 };
    uint8_t first = 0;
    CHECK(net_psk_accept(&b->line, b->fd, &id, find_any, &first, qc_deadline_in(60000), &e) == QC_OK);
    return NULL;
}

/* Two ends in one process, keyed. */
static void pair_up(struct both *a, struct both *b, const int fd[2])
{
    QC_CLEANUP(qc_key_free) qc_key *key = key_of(0);
    pthread_t t;
    a->fd = fd[0];
    b->fd = fd[1];
    CHECK(pthread_create(&t, NULL, accept_first, b) == 0);
    CHECK_OK(net_psk_connect(&a->line, a->fd, &id, key, qc_deadline_in(60000), &err));
    CHECK(pthread_join(t, NULL) == 0);
}

/* A handshake of these keys, in memory. -> what the first end that fails says */
static qc_rc next_of(const struct both *a, const struct both *b, uint8_t ours, uint8_t theirs,
                     struct net_line **ret_a, struct net_line **ret_b)
{
    QC_CLEANUP(qc_key_free) qc_key *key = key_of(ours);
    QC_CLEANUP(qc_buf_free) qc_buf to_b = { .max = 8192 };
    QC_CLEANUP(qc_buf_free) qc_buf to_a = { .max = 8192 };
    bool done_a = false, done_b = false;
    CHECK_OK(net_psk_next_dial(ret_a, a->line, "another-key", qc_key_open(key), &err));
    CHECK_OK(net_psk_next_serve(ret_b, b->line, find_any, &theirs, &err));
    QC_TRY(net_psk_next_step(*ret_a, qc_span_of(NULL, 0), &to_b, &done_a, &err));
    for (int i = 0; i < 4 && !(done_a && done_b); i++) {
        if (!done_b)
            QC_TRY(net_psk_next_step(*ret_b, qc_buf_span(&to_b), &to_a, &done_b, &err));
        qc_buf_clear(&to_b);
        if (!done_a)
            QC_TRY(net_psk_next_step(*ret_a, qc_buf_span(&to_a), &to_b, &done_a, &err));
        qc_buf_clear(&to_a);
    }
    CHECK(done_a && done_b && strcmp(net_psk_id_of(*ret_b)->key_id, "another-key") == 0);
    return QC_OK;
}

/* "": goodbye */
static void hears(struct net_line *l, const char *text)
{
    uint8_t room[64];
    size_t got = 1;
    CHECK_OK(net_line_read(l, room, sizeof room, &got, qc_deadline_in(60000), &err));
    CHECK(got == strlen(text) && memcmp(room, text, got) == 0);
}

static void sends(struct net_line *from, struct net_line *to, const char *text)
{
    CHECK_OK(net_line_write(from, qc_span_str(text), qc_deadline_in(60000), &err));
    hears(to, text);
}

/* One direction goes over: goodbye, then what comes by the next. */
static void goes_over(struct net_line *from, struct net_line *to, struct net_line *next_from,
                      struct net_line *next_to)
{
    bool done = false;
    CHECK_OK(net_line_end(from, &done, &err));
    CHECK(done);
    CHECK_OK(net_line_write_after(next_from, from, &err));
    CHECK_OK(
        net_line_write(next_from, QC_LIT("behind"), qc_deadline_in(60000), &err)); /* and is not read early */
    hears(to, "");
    CHECK_OK(net_line_read_after(next_to, to, &err));
    hears(next_to, "behind");
    sends(next_from, next_to, "more");
}

static void check_next(void)
{
    struct both a = { 0 }, b = { 0 };
    struct net_line *na = NULL, *nb = NULL;
    int fd[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
    pair_up(&a, &b, fd);
    CHECK_RC(next_of(&a, &b, 5, 6, &na, &nb), QC_AUTH); /* other keys: and the present one goes on */
    net_line_close(&na);
    net_line_close(&nb);
    sends(a.line, b.line, "before");
    CHECK_OK(next_of(&a, &b, 7, 7, &na, &nb));
    sends(b.line, a.line, "meanwhile");
    goes_over(a.line, b.line, na, nb);
    sends(b.line, a.line, "still by the old one");
    goes_over(b.line, a.line, nb, na);
    net_line_close(&a.line);
    net_line_close(&b.line);
    sends(na, nb, "the old ones are closed");
    sends(nb, na, "at both ends");
    net_line_close(&na);
    net_line_close(&nb);
    close(a.fd);
    close(b.fd);
}

/* Two ends of TCP over loopback, whose little pieces go at once. */
static void tcp_pair(int fd[2])
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof at;
    const int on = 1, s = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(bind(s, (struct sockaddr *)&at, n) == 0 && listen(s, 1) == 0);
    CHECK(getsockname(s, (struct sockaddr *)&at, &n) == 0);
    fd[0] = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(connect(fd[0], (struct sockaddr *)&at, sizeof at) == 0);
    fd[1] = accept(s, NULL, NULL);
    CHECK(fd[1] >= 0 && setsockopt(fd[0], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0);
    close(s);
}

static uint32_t segments(int fd)
{
    struct tcp_info i;
    socklen_t n = sizeof i;
    CHECK(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &i, &n) == 0);
    return i.tcpi_data_segs_in;
}

/* The last by the old key, goodbye and the first by the next. -> in how many segments they came */
static uint32_t segments_of_change(bool holds)
{
    struct both a = { 0 }, b = { 0 };
    struct net_line *na = NULL, *nb = NULL;
    int fd[2];
    bool done = false;
    tcp_pair(fd);
    pair_up(&a, &b, fd);
    CHECK_OK(next_of(&a, &b, 7, 7, &na, &nb));
    const uint32_t before = segments(b.fd);
    net_line_hold(a.line, holds);
    CHECK_OK(net_line_write(a.line, QC_LIT("the last"), qc_deadline_in(60000), &err));
    CHECK_OK(net_line_end(a.line, &done, &err));
    CHECK(done);
    CHECK_OK(net_line_write_after(na, a.line, &err));
    CHECK_OK(net_line_write(na, QC_LIT("the first"), qc_deadline_in(60000), &err));
    net_line_hold(a.line, false);
    hears(b.line, "the last");
    hears(b.line, "");
    CHECK_OK(net_line_read_after(nb, b.line, &err));
    hears(nb, "the first");
    const uint32_t n = segments(b.fd) - before;
    net_line_close(&na);
    net_line_close(&nb);
    net_line_close(&a.line);
    net_line_close(&b.line);
    close(a.fd);
    close(b.fd);
    return n;
}

/* The kernel holds for 200 ms: on a machine that stops for as long, the next try is better. */
static void check_one_piece(void)
{
    uint32_t n = 0;
    CHECK(segments_of_change(false) == 3);
    for (int i = 0; i < 10 && n != 1; i++)
        n = segments_of_change(true);
    CHECK(n == 1);
}

int main(void)
{
    CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    check_vector();
    check_identities();
    meet((struct server){ .us = id }, QC_OK, 101);
    meet((struct server){ .us = id, .first = 1 }, QC_AUTH, QC_AUTH);
    meet((struct server){ .us = id, .has_nothing = true }, QC_AUTH, QC_AUTH);
    meet((struct server){ .us = { "link-2", "SAE-A", "SAE-B", "" } }, QC_AUTH, QC_AUTH);
    meet((struct server){ .us = { "link-1", "SAE-B", "SAE-A", "" } }, QC_AUTH, QC_AUTH); /* mirrored */
    check_next();
    check_one_piece();
    return 0;
}
