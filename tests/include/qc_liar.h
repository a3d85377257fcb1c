/* A server written by hand, for answers that no real server gives on demand: errors, nonsense, lies, silence.
 * It speaks just enough HTTP to be talked to and checks nothing: whatever else a test wants to know of an S3
 * server is asked of a real one (tests/clouds/). Loopback only; ends with the test.
 *
 *     struct liar l;
 *     liar_start(&l);
 *     liar_script(&l, replies, count);      each request gets the next; the last one is said for ever
 *     ... liar_url(&l, ..) ...
 *     liar_stop(&l);
 */
#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "qc_check.h"

enum liar_then {
    LIAR_KEEP,    /* the connection is kept */
    LIAR_CLOSE,   /* closed after the text */
    LIAR_STALL,   /* silence, until the other side hangs up */
    LIAR_DRIP,    /* the text byte by byte, one each 100 ms */
    LIAR_ENDLESS, /* the text, then its last line for ever */
    LIAR_EARLY,   /* said before the body is read, which it never is; then closed */
};

struct liar_reply {
    const char
        *text; /* sent as it stands; "@MD5@" becomes the MD5 that the request's Content-MD5 says, in hex */
    enum liar_then then;
};

enum { LIAR_HEAD_MAX = 16384, LIAR_LOG_MAX = 64 };

struct liar {
    int fd;
    unsigned port;
    pthread_t acceptor;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t ended;
    const struct liar_reply *script;
    size_t count, next;
    bool stop;
    unsigned live;                           /* connections */
    unsigned requests;                       /* heads read */
    char heads[LIAR_LOG_MAX][LIAR_HEAD_MAX]; /* of the first ones */
};

struct liar_talk {
    struct liar *l;
    int fd;
};

/* false: the other side is gone, or the test is over. */
static inline bool liar_wait(struct liar_talk *t, short what, int ms)
{
    for (int i = 0; i < ms; i += 20) {
        struct pollfd p = { .fd = t->fd, .events = what };
        pthread_mutex_lock(&t->l->lock);
        const bool stop = t->l->stop;
        pthread_mutex_unlock(&t->l->lock);
        if (stop)
            return false;
        if (poll(&p, 1, 20) > 0)
            return (p.revents & what) != 0;
    }
    return false;
}

static inline bool liar_send(struct liar_talk *t, const char *p, size_t n)
{
    while (n > 0) {
        if (!liar_wait(t, POLLOUT, 10000))
            return false;
        const ssize_t sent = send(t->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent <= 0)
            return false;
        p += sent;
        n -= (size_t)sent;
    }
    return true;
}

/* A head, to its empty line; bytes of the body that came with it stay in the socket. */
static inline bool liar_head(struct liar_talk *t, char head[LIAR_HEAD_MAX])
{
    size_t n = 0;
    while (n < LIAR_HEAD_MAX - 1) {
        if (!liar_wait(t, POLLIN, 60000) || recv(t->fd, head + n, 1, 0) != 1)
            return false;
        head[++n] = '\0';
        if (n >= 4 && memcmp(head + n - 4, "\r\n\r\n", 4) == 0)
            return true;
    }
    return false;
}

/* The value of a header, or NULL; ends at "\r". */
static inline const char *liar_value(const char *head, const char *name)
{
    const size_t n = strlen(name);
    for (const char *line = head; (line = strstr(line, "\r\n")) != NULL;) {
        line += 2;
        if (strncasecmp(line, name, n) == 0 && line[n] == ':')
            return line + n + 1 + strspn(line + n + 1, " ");
    }
    return NULL;
}

static inline bool liar_body(struct liar_talk *t, const char *head)
{
    const char *length = liar_value(head, "content-length");
    unsigned long long left = length == NULL ? 0 : strtoull(length, NULL, 10);
    char bytes[65536];
    while (left > 0) {
        const size_t want = left < sizeof bytes ? (size_t)left : sizeof bytes;
        if (!liar_wait(t, POLLIN, 10000))
            return false;
        const ssize_t got = recv(t->fd, bytes, want, 0);
        if (got <= 0)
            return false;
        left -= (unsigned long long)got;
    }
    return true;
}

static inline void liar_md5(const char *head, char hex[33])
{
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *text = liar_value(head, "content-md5");
    unsigned v = 0;
    unsigned bits = 0;
    size_t n = 0;
    for (; text != NULL && *text != '=' && *text != '\r' && n < 16; text++) {
        v = v << 6 | (unsigned)(strchr(set, *text) - set);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            snprintf(hex + 2 * n++, 3, "%02x", v >> bits & 255);
        }
    }
}

static inline bool liar_say(struct liar_talk *t, const struct liar_reply *r, const char *head)
{
    char md5[33] = "";
    const char *text = r->text;
    const char *at = strstr(text, "@MD5@");
    liar_md5(head, md5);
    if (r->then == LIAR_DRIP) {
        for (; *text != '\0'; text++)
            if (!liar_send(t, text, 1) || (liar_wait(t, POLLIN | POLLRDHUP, 100)))
                return false;
        return false;
    }
    if (at != NULL && (!liar_send(t, text, (size_t)(at - text)) || !liar_send(t, md5, strlen(md5))))
        return false;
    text = at != NULL ? at + 5 : text;
    if (!liar_send(t, text, strlen(text)))
        return false;
    if (r->then == LIAR_ENDLESS) {
        const char *last = text + strlen(text) - 1; /* the line's own end stays */
        while (last > text && last[-1] != '\n')
            last--;
        while (liar_send(t, last, strlen(last)))
            ;
    }
    if (r->then == LIAR_STALL)
        (void)liar_wait(t, POLLIN | POLLRDHUP, 600000);
    return r->then == LIAR_KEEP;
}

/* A copy of the next reply, whose text the caller frees: the test goes on while it is still being said. */
static inline struct liar_reply liar_next(struct liar *l, const char *head)
{
    pthread_mutex_lock(&l->lock);
    if (l->requests < LIAR_LOG_MAX)
        memcpy(l->heads[l->requests], head, strlen(head) + 1);
    l->requests++;
    CHECK(l->count > 0);
    struct liar_reply r = l->script[l->next];
    r.text = strdup(r.text);
    CHECK(r.text != NULL);
    l->next += l->next + 1 < l->count;
    pthread_mutex_unlock(&l->lock);
    return r;
}

static inline void *liar_talk(void *arg)
{
    struct liar_talk *t = arg;
    struct liar *l = t->l;
    char head[LIAR_HEAD_MAX];
    bool more = true;
    while (more && liar_head(t, head)) {
        struct liar_reply r = liar_next(l, head);
        if (r.then != LIAR_EARLY) {
            if (liar_value(head, "expect") != NULL)
                more = liar_send(t, "HTTP/1.1 100 Continue\r\n\r\n", 25);
            more = more && liar_body(t, head);
        }
        more = more && liar_say(t, &r, head);
        free((char *)r.text);
    }
    close(t->fd);
    free(t);
    pthread_mutex_lock(&l->lock);
    l->live--;
    pthread_cond_broadcast(&l->ended);
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

static inline void *liar_accept(void *arg)
{
    struct liar *l = arg;
    for (;;) {
        const int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
        pthread_mutex_lock(&l->lock);
        const bool stop = l->stop;
        l->live += !stop && fd >= 0;
        pthread_mutex_unlock(&l->lock);
        if (stop || fd < 0) {
            if (fd >= 0)
                close(fd);
            return NULL;
        }
        struct liar_talk *t = malloc(sizeof *t);
        pthread_t thread;
        CHECK(t != NULL);
        *t = (struct liar_talk){ l, fd };
        CHECK(pthread_create(&thread, NULL, liar_talk, t) == 0);
        CHECK(pthread_detach(thread) == 0);
    }
}

/* l is a static or long-lived one: it is large. */
static inline void liar_start(struct liar *l)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t n = sizeof a;
    memset(l, 0, sizeof *l);
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->ended, NULL);
    l->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(l->fd >= 0 && bind(l->fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(l->fd, 64) == 0);
    CHECK(getsockname(l->fd, (struct sockaddr *)&a, &n) == 0);
    l->port = ntohs(a.sin_port);
    CHECK(pthread_create(&l->acceptor, NULL, liar_accept, l) == 0);
}

/* From now on these are said, from the first; what was asked before is forgotten. */
static inline void liar_script(struct liar *l, const struct liar_reply *script, size_t count)
{
    pthread_mutex_lock(&l->lock);
    l->script = script;
    l->count = count;
    l->next = 0;
    l->requests = 0;
    pthread_mutex_unlock(&l->lock);
}

static inline unsigned liar_requests(struct liar *l)
{
    pthread_mutex_lock(&l->lock);
    const unsigned n = l->requests;
    pthread_mutex_unlock(&l->lock);
    return n;
}

static inline void liar_stop(struct liar *l)
{
    pthread_mutex_lock(&l->lock);
    l->stop = true;
    pthread_mutex_unlock(&l->lock);
    shutdown(l->fd, SHUT_RDWR); /* wakes accept */
    CHECK(pthread_join(l->acceptor, NULL) == 0);
    close(l->fd);
    pthread_mutex_lock(&l->lock);
    while (l->live > 0)
        pthread_cond_wait(&l->ended, &l->lock);
    pthread_mutex_unlock(&l->lock);
    pthread_cond_destroy(&l->ended);
    pthread_mutex_destroy(&l->lock);
}
