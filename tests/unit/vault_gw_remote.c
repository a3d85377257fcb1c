/* unit/vault_gw_remote: gateways for many users: which addresses there are, and a token in every request, to
 * its gateway alone. */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/time.h"
#include "base/token.h"
#include "qc_check.h"
#include "qc_tmpdir.h"
#include "vault/gw.h"

#define TOKEN "qcloud-token-v1-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
    const char *url, *words; /* NULL: it is one */
} urls[] = {
    { "unix:/run/q/door", NULL },
    { "unix:/d", NULL },
    { "http://127.0.0.1:80", NULL },
    { "http://localhost", NULL },
    { "http://[::1]:8440", NULL },
    { "https://store.example.org", NULL },
    { "https://192.0.2.1:8440", NULL },
    { "qkd-tls://store.example.org:8442", NULL },
    { "qkd-tls://192.0.2.1", NULL },
    { "qkd-tls://", "" },
    { "qkd-tls://store.example.org/path", "" },
    { "qkd-tls:store.example.org", "" },
    { "unix:", "absolute path" },
    { "unix:door", "absolute path" },
    { "unix:/", "absolute path" },
    { "unix:/dir/", "absolute path" },
    { "unix:/a\nb", "control character" },
    { "unix:/a ", "blank" },
    { "unix://run/q/door", NULL }, /* an empty component means nothing */
    { "http://store.example.org", "" },
    { "http://192.0.2.1:80", "" },
    { "https://u:p@store.example.org", "" },
    { "https://store.example.org/path", "" },
    { "https://", "" },
    { "ftp://127.0.0.1", "" },
    { "", "" },
};

static void addresses(void)
{
    char long_one[QC_CLIENT_PATH_MAX + 6];
    struct qc_err err = { 0 };
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        err = (struct qc_err){ 0 };
        const qc_rc rc = vault_gw_url_check(urls[i].url, &err);
        if ((rc == QC_OK) != (urls[i].words == NULL))
            fprintf(stderr, "%s: %s: %s\n", urls[i].url, qc_rc_name(rc), err.msg);
        CHECK(urls[i].words == NULL ? rc == QC_OK : rc == QC_USAGE && strstr(err.msg, urls[i].words) != NULL);
    }
    memset(long_one, 'a', sizeof long_one);
    memcpy(long_one, "unix:/", 6);
    long_one[sizeof long_one - 1] = '\0';
    CHECK_RC(vault_gw_url_check(long_one, &err), QC_USAGE);
    long_one[sizeof long_one - 2] = '\0';
    CHECK_OK(vault_gw_url_check(long_one, &err));
}

/* Gives these answers in their order, one connection each. */
struct server {
    int listener;
    pthread_t thread;
    const char *answers[4];
    unsigned served;
    char request[4096];
};

static void *run(void *arg)
{
    struct server *s = arg;
    for (; s->served < 4 && s->answers[s->served] != NULL; s->served++) {
        const int fd = accept(s->listener, NULL, NULL);
        size_t n = 0;
        CHECK(fd >= 0);
        memset(s->request, 0, sizeof s->request);
        while (strstr(s->request, "\r\n\r\n") == NULL) {
            const ssize_t got = read(fd, s->request + n, sizeof s->request - 1 - n);
            CHECK(got > 0);
            n += (size_t)got;
        }
        const char *text = s->answers[s->served];
        CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
        close(fd);
    }
    return NULL;
}

static struct qc_tmpdir dir;
static char url[300];
static qc_key *token;

static void start(struct server *s)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    snprintf(at.sun_path, sizeof at.sun_path, "%.90s/s", dir.path);
    (void)unlink(at.sun_path);
    s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(s->listener >= 0 && bind(s->listener, (struct sockaddr *)&at, sizeof at) == 0 &&
          listen(s->listener, 8) == 0);
    CHECK(pthread_create(&s->thread, NULL, run, s) == 0);
}

static void stop(struct server *s)
{
    CHECK(pthread_join(s->thread, NULL) == 0);
    close(s->listener);
}

static struct vault_gw *come(void)
{
    struct qc_err err = { 0 };
    struct vault_gw *gw = NULL;
    CHECK_OK(vault_gw_remote_new(&gw, &(struct vault_gw_remote){ .url = url, .token = token }, &err));
    return gw;
}

static char *answer(const char *status, const char *extra, const char *body)
{
    static char text[8][1024];
    static unsigned turn;
    char *t = text[turn++ % 8]; /* answers of one server at most */
    snprintf(t, sizeof text[0], "HTTP/1.1 %s\r\nConnection: close\r\n%sContent-Length: %zu\r\n\r\n%s", status,
             extra, strlen(body), body);
    return t;
}

#define ERROR(id) "{\"error\":{\"id\":\"" id "\",\"message\":\"why\",\"retry\":true}}"

static qc_rc ask(struct vault_gw *gw, uint64_t ms, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = 1000 };
    return gw->ops->health(gw, &text, &(struct vault_op){ .deadline = qc_deadline_in(ms) }, err);
}

/* Where there are too many requests, again in a moment; a clone shows the token, too. */
static void shown(void)
{
    struct qc_err err = { 0 };
    struct vault_gw *clone = NULL;
    struct server s = { .answers = { answer("429 Too Many", "Retry-After: 1\r\n", ERROR("temporary")),
                                     answer("200 OK", "", "{\"ok\":true}"),
                                     answer("200 OK", "", "{\"ok\":true}") } };
    start(&s);
    struct vault_gw *gw = come();
    CHECK_OK(gw->ops->clone(gw, &clone, &err));
    CHECK_OK(ask(gw, 20000, &err));
    CHECK(s.served >= 1 && strstr(s.request, "\r\nAuthorization: Bearer " TOKEN "\r\n") != NULL);
    vault_gw_close(&gw);
    CHECK_OK(ask(clone, 20000, &err));
    stop(&s);
    CHECK(s.served == 3 && strstr(s.request, "\r\nAuthorization: Bearer " TOKEN "\r\n") != NULL);
    vault_gw_close(&clone);
}

static void refused(const char *status, const char *body, qc_rc want, bool advice)
{
    struct qc_err err = { 0 };
    struct server s = { .answers = { answer(status, "", body) } };
    start(&s);
    struct vault_gw *gw = come();
    const qc_rc rc = ask(gw, 20000, &err);
    if (rc != want)
        fprintf(stderr, "%s: %s: %s\n", status, qc_rc_name(rc), err.msg);
    CHECK(rc == want && strstr(err.msg, "0123456789abcdef") == NULL && (err.next != NULL) == advice);
    stop(&s);
    vault_gw_close(&gw);
}

/* Nobody listens, or there is no socket, or no directory: it says where. */
static void away(void)
{
    struct qc_err err = { 0 };
    struct vault_gw *gw = come();
    CHECK(ask(gw, 1500, &err) == QC_TEMP && strstr(err.msg, url) != NULL);
    char path[300];
    snprintf(path, sizeof path, "%s/s", dir.path);
    CHECK(unlink(path) == 0);
    CHECK(ask(gw, 1500, &err) == QC_TEMP && strstr(err.msg, url) != NULL);
    vault_gw_close(&gw);
    snprintf(url, sizeof url, "unix:%s/none/s", dir.path);
    err = (struct qc_err){ 0 };
    CHECK(vault_gw_remote_new(&gw, &(struct vault_gw_remote){ .url = url, .token = token }, &err) == QC_TEMP);
    CHECK(strstr(err.msg, url) != NULL);
}

int main(void)
{
    struct qc_err err = { 0 };
    signal(SIGPIPE, SIG_IGN);
    addresses();
    dir = qc_tmpdir_new();
    snprintf(url, sizeof url, "unix:%s/s", dir.path);
    uint8_t raw[] = TOKEN;
    CHECK_OK(qc_key_from(&token, raw, QC_TOKEN_BYTES, &err));
    shown();
    refused("401 Unauthorized", ERROR("auth"), QC_AUTH, true);
    refused("403 Forbidden", ERROR("auth"), QC_AUTH, true);
    refused("507 Full", ERROR("quota"), QC_QUOTA, false);
    away();
    qc_key_free(&token);
    qc_tmpdir_remove(&dir);
    return 0;
}
