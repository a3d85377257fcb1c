/* unit/net_tls: TLS 1.3 to the server that was meant, and to no other; a token goes along, and stays inside.
 */
#include "net/client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "qc_check.h"
#include "qc_tmpdir.h"

#define TOKEN "a token of some length, which is no secret here................."

static struct qc_tmpdir dir;
static atomic_uint with_token, without;

/* NOLINTNEXTLINE(readability-function-size): the shape is libmicrohttpd's */
static enum MHD_Result handle(void *cls, struct MHD_Connection *con, const char *url, const char *method,
                              const char *version, const char *data, size_t *size, void **state)
{
    static int begun;
    (void)cls, (void)method, (void)version, (void)data;
    if (*state == NULL) {
        *state = &begun;
        return MHD_YES;
    }
    *size = 0;
    const char *auth = MHD_lookup_connection_value(con, MHD_HEADER_KIND, "Authorization");
    if (auth != NULL && strcmp(auth, "Bearer " TOKEN) == 0)
        atomic_fetch_add(&with_token, 1);
    else if (auth == NULL)
        atomic_fetch_add(&without, 1);
    struct MHD_Response *r =
        MHD_create_response_from_buffer(2, (void *)(uintptr_t) "ok", MHD_RESPMEM_PERSISTENT);
    if (strcmp(url, "/moved") == 0)
        MHD_add_response_header(r, "Location", "https://127.0.0.1:1/");
    const enum MHD_Result res = MHD_queue_response(con, strcmp(url, "/moved") == 0 ? 302 : 200, r);
    MHD_destroy_response(r);
    return res;
}

static const char *file_of(const char *name)
{
    static char path[4][400];
    static unsigned turn;
    char *p = path[turn++ % 4];
    CHECK(snprintf(p, 400, "%s/%s", dir.path, name) < 400);
    return p;
}

/* NAME.pem and NAME.key: a certificate that vouches for itself, for some names. */
static void certificate(const char *name, const char *names)
{
    char command[2000];
    CHECK(snprintf(command, sizeof command,
                   "cd '%s' && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30"
                   " -subj /CN=test -keyout %s.key -addext 'subjectAltName=%s' -out %s.pem 2>/dev/null",
                   dir.path, name, names, name) < (int)sizeof command);
    if (system(command) != 0) {
        fprintf(stderr, "%s\n", command);
        exit(1);
    }
}

static const char *text_of(const char *name)
{
    static char text[2][8192];
    static unsigned turn;
    char *p = text[turn++ % 2];
    FILE *f = fopen(file_of(name), "r");
    CHECK(f != NULL);
    const size_t n = fread(p, 1, 8191, f);
    fclose(f);
    p[n] = '\0';
    return p;
}

/* A server on a port of its own; priorities NULL: in clear. */
static struct MHD_Daemon *serve(const char *cert, const char *priorities, unsigned *ret_port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof at;
    char pem[100], key[100];
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 16) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&at, &n) == 0);
    *ret_port = ntohs(at.sin_port);
    struct MHD_Daemon *d;
    if (priorities == NULL) {
        d = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, handle, NULL,
                             MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_END);
    } else {
        CHECK(snprintf(pem, sizeof pem, "%s.pem", cert) > 0 && snprintf(key, sizeof key, "%s.key", cert) > 0);
        d = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_TLS, 0, NULL, NULL, handle, NULL,
                             MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_HTTPS_MEM_CERT, text_of(pem),
                             MHD_OPTION_HTTPS_MEM_KEY, text_of(key), MHD_OPTION_HTTPS_PRIORITIES, priorities,
                             MHD_OPTION_END);
    }
    CHECK(d != NULL);
    return d;
}

static qc_rc get(const char *where, unsigned port, const char *ca, const qc_key *token, const char *path,
                 int *ret_status, struct qc_err *err)
{
    QC_CLEANUP(net_client_free) struct net_client *c = NULL;
    struct net_response answer = { .body = { .max = 1000 } };
    struct net_url u;
    char text[100];
    CHECK(snprintf(text, sizeof text, "%s:%u", where, port) > 0);
    CHECK(net_url_parse(text, &u, err) == QC_OK);
    CHECK(net_client_new_url(&c, &u, ca, err) == QC_OK);
    net_client_bearer(c, token);
    const struct net_request rq = { .method = "GET", .path = path, .deadline = qc_deadline_in(10000) };
    QC_TRY(net_request(c, &rq, &answer, err));
    *ret_status = answer.status;
    qc_buf_free(&answer.body);
    return QC_OK;
}

/* The certificate is checked: authority and name. */
static void check_certificates(void)
{
    struct qc_err err = { 0 };
    unsigned port;
    int status = 0;
    struct MHD_Daemon *d = serve("here", "NORMAL:-VERS-ALL:+VERS-TLS1.3", &port);
    CHECK_OK(get("https://127.0.0.1", port, file_of("here.pem"), NULL, "/", &status, &err));
    CHECK(status == 200);
    CHECK_OK(get("https://localhost", port, file_of("here.pem"), NULL, "/", &status, &err));
    CHECK_RC(get("https://127.0.0.1", port, NULL, NULL, "/", &status, &err), QC_AUTH);
    CHECK_RC(get("https://127.0.0.1", port, file_of("other.pem"), NULL, "/", &status, &err), QC_AUTH);
    qc_rc rc = get("https://127.0.0.1", port, "/nowhere/at/all.pem", NULL, "/", &status, &err);
    CHECK(rc == QC_AUTH && strstr(err.msg, "/nowhere/at/all.pem") != NULL);
    rc = get("https://127.0.0.1", port, file_of("here.key"), NULL, "/", &status,
             &err); /* no certificate in it */
    CHECK(rc == QC_AUTH);
    CHECK(get("http://127.0.0.1", port, NULL, NULL, "/", &status, &err) !=
          QC_OK); /* in clear to a TLS port */
    MHD_stop_daemon(d);
    CHECK_RC(get("https://127.0.0.1", port, file_of("here.pem"), NULL, "/", &status, &err), QC_TEMP);
    CHECK_RC(get("http://127.0.0.1", port, NULL, NULL, "/", &status, &err), QC_TEMP);

    d = serve("elsewhere", "NORMAL:-VERS-ALL:+VERS-TLS1.3", &port); /* right authority, wrong name */
    CHECK_RC(get("https://127.0.0.1", port, file_of("elsewhere.pem"), NULL, "/", &status, &err), QC_AUTH);
    MHD_stop_daemon(d);
    d = serve("here", "NORMAL:-VERS-ALL:+VERS-TLS1.2", &port); /* nothing older than 1.3 */
    CHECK(get("https://127.0.0.1", port, file_of("here.pem"), NULL, "/", &status, &err) != QC_OK);
    MHD_stop_daemon(d);
    d = serve(NULL, NULL, &port);
    CHECK(get("https://127.0.0.1", port, file_of("here.pem"), NULL, "/", &status, &err) != QC_OK);
    MHD_stop_daemon(d);
}

/* The token goes with every request, and with none after a redirect, which is not followed. */
static void check_token(void)
{
    struct qc_err err = { 0 };
    uint8_t raw[64] = { 0 };
    qc_key *token = NULL;
    unsigned port;
    int status = 0;
    memcpy(raw, TOKEN, 64);
    CHECK(sizeof TOKEN == 65);
    CHECK_OK(qc_key_from(&token, raw, sizeof raw, &err));
    struct MHD_Daemon *d = serve(NULL, NULL, &port);
    atomic_store(&with_token, 0);
    atomic_store(&without, 0);
    CHECK_OK(get("http://127.0.0.1", port, NULL, token, "/", &status, &err));
    CHECK_OK(get("http://127.0.0.1", port, NULL, token, "/moved", &status, &err));
    CHECK(status == 302);
    CHECK_OK(get("http://127.0.0.1", port, NULL, NULL, "/", &status, &err));
    CHECK(atomic_load(&with_token) == 2 && atomic_load(&without) == 1);
    MHD_stop_daemon(d);
    CHECK_RC(get("http://127.0.0.1", port, NULL, token, "/", &status, &err), QC_TEMP);
    CHECK(strstr(err.msg, "token") == NULL);
    qc_key_free(&token);
}

int main(void)
{
    dir = qc_tmpdir_new();
    certificate("here", "IP:127.0.0.1,DNS:localhost");
    certificate("other", "IP:127.0.0.1,DNS:localhost");
    certificate("elsewhere", "DNS:elsewhere.example.org");
    check_certificates();
    check_token();
    qc_tmpdir_remove(&dir);
    return 0;
}
