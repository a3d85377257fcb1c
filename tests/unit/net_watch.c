/* unit/net_watch: nothing may go over a link that says too little, may become weaker than is demanded, is
 * down, or has no pad; whether waiting helps is told. */
#include "net/watch.h"

#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

#include "base/unix.h"
#include "qc_check.h"
#include "qc_tmpdir.h"

static struct qc_err err;

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

static void said(const char *path, const struct net_link_state *s, const char *wanted, qc_rc want,
                 const char *words)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd l = { 0 };
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = NET_LINK_STATE_MAX };
    QC_CLEANUP(net_watch_free) struct net_watch *c = NULL;
    pthread_t thread;
    bool later = false;
    CHECK_OK(qc_unix_listen_path(path, 0600, &l, &dir, &err));
    if (s != NULL)
        CHECK_OK(net_link_state_print(s, &text, &err));
    else
        CHECK_OK(qc_buf_add(&text, QC_LIT("{\"link\":7}"), &err));
    CHECK_OK(qc_buf_add(&text, qc_span_of("", 1), &err));
    struct teller t = { .fd = qc_fd_get(&l), .text = (const char *)text.p, .times = 1 };
    CHECK(pthread_create(&thread, NULL, tell, &t) == 0);
    struct net_want w;
    CHECK_OK(net_want_parse(qc_span_str(wanted), &w, &err));
    CHECK_OK(net_watch_new(&c, path, &w, &err));
    const qc_rc rc = net_watch_allowed(c, &later, &err);
    CHECK(rc == want && (rc == QC_OK || strstr(err.msg, words) != NULL));
    CHECK(later == (strstr(words, "may go down") == NULL && strstr(words, "is the most") == NULL));
    CHECK(pthread_join(thread, NULL) == 0);
}

static void allowed(void)
{
    QC_CLEANUP(qc_tmpdir_remove) struct qc_tmpdir dir = qc_tmpdir_new();
    const struct net_link_state up = {
        .link = "L1", .peer = "B", .level = NET_OTP, .least = NET_OTP, .now = NET_OTP, .ready = true
    };
    struct net_link_state other = up;
    char path[300];
    snprintf(path, sizeof path, "%s/s", dir.path);
    said(path, &up, "otp", QC_OK, "");
    said(path, &up, "plain", QC_OK, "");
    other.least = NET_QKD_TLS;
    said(path, &other, "otp", QC_LINK, "link L1 may go down to qkd-tls, and otp is the least");
    said(path, &other, "qkd-tls", QC_OK, "");
    other.key_max_s = 60;
    other.key_max_bytes = 1000;
    other.pad_max_s = 61;
    said(path, &other, "qkd-tls:61:1000", QC_OK, "");
    said(path, &other, "qkd-tls:60", QC_LINK, "link L1 uses pad for 61 s, and 60 is the most that is wanted");
    said(path, &other, "qkd-tls:0:999", QC_LINK, "link L1 uses a key for 1000 bytes, and 999 is the most");
    other = up;
    other.ready = false;
    said(path, &other, "otp", QC_LINK, "link L1 has no key, or no pad");
    other.now = NET_DOWN;
    snprintf(other.why, sizeof other.why, "the KME is away");
    said(path, &other, "otp", QC_LINK, "link L1 is down: the KME is away");
    said(path, NULL, "otp", QC_LINK, "does not say how it is");
    QC_CLEANUP(net_watch_free) struct net_watch *c = NULL;
    snprintf(path, sizeof path, "%s/nobody", dir.path);
    CHECK_OK(net_watch_new(&c, path, &(struct net_want){ .least = NET_OTP }, &err));
    CHECK_RC(net_watch_allowed(c, NULL, &err), QC_LINK);
}

int main(void)
{
    allowed();
    return 0;
}
