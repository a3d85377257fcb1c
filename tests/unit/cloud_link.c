/* unit/cloud_link: what a cloud's URL says of the way to it; a link that says too little, or that it may be
 * weaker, is not written over. */
#include "cloud/link.h"

#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

#include "base/unix.h"
#include "cloud/cloud.h"
#include "qc_check.h"
#include "qc_tmpdir.h"

static struct qc_err err;

static void ways(void)
{
    static const struct {
        const char *url;
        qc_rc rc;
        bool local;
        enum net_level least;
        const char *link;
    } rows[] = {
        { "file:///c", QC_OK, true, NET_OTP, "" },
        { "s3+https://h/b-1", QC_OK, false, NET_TLS, "" },
        { "s3+http://127.0.0.1:1/b-1?region=r", QC_OK, false, NET_PLAIN, "" },
        { "s3+https://h/b-1?level=plain&region=r", QC_OK, false, NET_PLAIN, "" },
        { "s3+https://h/b-1?level=tls", QC_OK, false, NET_TLS, "" },
        { "s3+https://h/b-1?level=qkd-tls", QC_USAGE, false, NET_DOWN, "" },
        { "s3+http://127.0.0.1/b-1?level=tls", QC_USAGE, false, NET_DOWN, "" },
        { "s3v2+http://127.0.0.1/b-1?link=/run/l&level=otp", QC_OK, false, NET_OTP, "/run/l" },
        { "s3+http://127.0.0.1/b-1?region=r&link=/run/l%202&level=qkd-tls", QC_OK, false, NET_QKD_TLS,
          "/run/l 2" },
        { "s3+http://127.0.0.1/b-1?link=/run/l", QC_USAGE, false, NET_DOWN, "" },
        { "s3+http://127.0.0.1/b-1?link=run&level=otp", QC_USAGE, false, NET_DOWN, "" },
        { "s3+http://127.0.0.1/b-1?link=/a&link=/b&level=otp", QC_USAGE, false, NET_DOWN, "" },
        { "s3+http://127.0.0.1/b-1?link=/a&level=", QC_USAGE, false, NET_DOWN, "" },
        { "s3+http://127.0.0.1/b-1?link=/a&level=down", QC_USAGE, false, NET_DOWN, "" },
        { "file:///c?level=tls", QC_USAGE, false, NET_DOWN, "" },
        { "file:///c?link=/a&level=otp", QC_USAGE, false, NET_DOWN, "" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cloud_way w = { .local = !rows[i].local };
        CHECK_RC(cloud_way_of(rows[i].url, &w, &err), rows[i].rc);
        if (rows[i].rc == QC_OK)
            CHECK(w.local == rows[i].local && w.least == rows[i].least && strcmp(w.link, rows[i].link) == 0);
        struct cloud *c = NULL; /* and it is refused wherever a cloud is opened or made */
        if (rows[i].rc != QC_OK) {
            CHECK_RC(cloud_check(rows[i].url, NULL, &err), QC_USAGE);
            CHECK_RC(cloud_create(rows[i].url, &err), QC_USAGE);
            CHECK_RC(cloud_open(&c, rows[i].url, &err), QC_USAGE);
        }
    }
}

/* Says `text` to whoever comes, so many times. */
struct teller {
    int fd;
    const char *text;
    unsigned times;
};

static void *tell(void *arg)
{
    const struct teller *t = arg;
    for (unsigned i = 0; i < t->times; i++) {
        QC_CLEANUP(qc_fd_close) struct qc_fd fd = qc_fd_own(accept(t->fd, NULL, NULL));
        CHECK(send(qc_fd_get(&fd), t->text, strlen(t->text), MSG_NOSIGNAL) == (ssize_t)strlen(t->text));
    }
    return NULL;
}

static void said(const char *path, const struct net_link_state *s, enum net_level least, qc_rc want,
                 const char *words)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd l = { 0 };
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = NET_LINK_STATE_MAX };
    QC_CLEANUP(cloud_link_free) struct cloud_link *c = NULL;
    struct cloud_way way = { .least = least };
    pthread_t thread;
    snprintf(way.link, sizeof way.link, "%s", path);
    CHECK_OK(qc_unix_listen_path(path, 0600, &l, &dir, &err));
    if (s != NULL)
        CHECK_OK(net_link_state_print(s, &text, &err));
    else
        CHECK_OK(qc_buf_add(&text, QC_LIT("{\"link\":7}"), &err));
    CHECK_OK(qc_buf_add(&text, qc_span_of("", 1), &err));
    struct teller t = { .fd = qc_fd_get(&l), .text = (const char *)text.p, .times = 1 };
    CHECK(pthread_create(&thread, NULL, tell, &t) == 0);
    CHECK_OK(cloud_link_new(&c, &way, &err));
    const qc_rc rc = cloud_link_writable(c, &err);
    CHECK(rc == want && (rc == QC_OK || strstr(err.msg, words) != NULL));
    CHECK(pthread_join(thread, NULL) == 0);
}

static void writing(void)
{
    QC_CLEANUP(qc_tmpdir_remove) struct qc_tmpdir dir = qc_tmpdir_new();
    const struct net_link_state up = {
        .link = "L1", .peer = "B", .level = NET_OTP, .least = NET_OTP, .now = NET_OTP, .ready = true
    };
    struct net_link_state other = up;
    char path[300];
    snprintf(path, sizeof path, "%s/s", dir.path);
    said(path, &up, NET_OTP, QC_OK, "");
    said(path, &up, NET_PLAIN, QC_OK, "");
    other.least = NET_QKD_TLS;
    said(path, &other, NET_OTP, QC_LINK, "link L1 may go down to qkd-tls, and otp is the least");
    said(path, &other, NET_QKD_TLS, QC_OK, "");
    other = up;
    other.ready = false;
    said(path, &other, NET_OTP, QC_LINK, "link L1 has no key, or no pad");
    other.now = NET_DOWN;
    snprintf(other.why, sizeof other.why, "the KME is away");
    said(path, &other, NET_OTP, QC_LINK, "link L1 is down: the KME is away");
    said(path, NULL, NET_OTP, QC_LINK, "does not say how it is");
    QC_CLEANUP(cloud_link_free) struct cloud_link *c = NULL;
    struct cloud_way way = { .least = NET_OTP };
    snprintf(way.link, sizeof way.link, "%s/nobody", dir.path);
    CHECK_OK(cloud_link_new(&c, &way, &err));
    CHECK_RC(cloud_link_writable(c, &err), QC_LINK);
}

int main(void)
{
    ways();
    writing();
    return 0;
}
