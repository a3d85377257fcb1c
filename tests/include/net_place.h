/* For the tests of net/: sockets in a directory whose path alone is longer than a socket address. */
#pragma once
#include "net/client.h"
#include "qc_expect.h"
#include "qc_tmpdir.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct place {
    struct qc_tmpdir tmp;
    int dir;
};

static inline struct place place_new(void)
{
    struct place p = { .tmp = qc_tmpdir_new() };
    char path[512];
    char leaf[121];
    memset(leaf, 'd', sizeof leaf - 1);
    leaf[sizeof leaf - 1] = '\0';
    snprintf(path, sizeof path, "%s/%s", p.tmp.path, leaf);
    QC_ASSERT(mkdir(path, 0700) == 0);
    p.dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    QC_ASSERT(p.dir >= 0);
    return p;
}

static inline void place_done(struct place *p)
{
    close(p->dir);
    qc_tmpdir_remove(&p->tmp);
}

static inline int listen_at(const struct place *p, const char *name)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    snprintf(a.sun_path, sizeof a.sun_path, "/proc/self/fd/%d/%s", p->dir, name);
    QC_ASSERT(fd >= 0);
    QC_ASSERT(bind(fd, (struct sockaddr *)&a, sizeof a) == 0);
    QC_ASSERT(listen(fd, 8) == 0);
    return fd;
}

static inline struct net_client *client(const struct place *p, const char *name)
{
    struct net_client *c = NULL;
    OK(net_client_new_unix(&c, p->dir, name, &err));
    return c;
}

/* The answer's body is this text; the answer is freed. */
static inline void body_is(struct net_response *r, const char *text)
{
    if (!qc_span_eq(qc_buf_span(&r->body), qc_span_str(text))) {
        fprintf(stderr, "body is '%.*s', expected '%s'\n", (int)r->body.n, (const char *)r->body.p, text);
        abort();
    }
    qc_buf_free(&r->body);
}
