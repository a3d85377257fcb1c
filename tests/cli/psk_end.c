/* An end of net/psk.h, for tests in Python against the openssl command. The key is 32 bytes of hex. Not for
 * the product.
 *
 *   psk_end client PORT LINK MASTER SLAVE KEY_ID KEY TEXT   sends TEXT, shows what comes until goodbye
 *   psk_end server LINK MASTER SLAVE KEY_ID KEY             shows its port, then a line for each connection;
 *                                                           sends back what comes, in upper case
 *   -> ok GROUP ASKED | CODE MESSAGE */
#include "net/psk.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <sys/socket.h>

#include "base/codec.h"
#include "qc_check.h"

static struct qc_err err;
static const char *key_hex, *key_id;
static unsigned asked;

static qc_key *key_of(void)
{
    uint8_t raw[32];
    qc_key *k = NULL;
    CHECK_OK(qc_hex_dec(qc_span_str(key_hex), raw, sizeof raw, &err));
    CHECK_OK(qc_key_from(&k, raw, sizeof raw, &err));
    return k;
}

static qc_rc find(void *ctx, const struct net_psk_id *id, struct net_line *to, struct qc_err *e)
{
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    (void)ctx;
    asked++;
    if (strcmp(id->key_id, key_id) != 0)
        return QC_FAIL(e, QC_NOTFOUND, "no such key");
    key = key_of();
    return net_psk_give(to, qc_key_open(key), e);
}

static void name(char *to, const char *from, size_t room)
{
    CHECK(strlen(from) < room);
    memcpy(to, from, strlen(from) + 1);
}

static struct net_psk_id names(char **argv)
{
    struct net_psk_id id = { 0 };
    name(id.link, argv[0], sizeof id.link);
    name(id.master, argv[1], sizeof id.master);
    name(id.slave, argv[2], sizeof id.slave);
    name(id.key_id, argv[3], sizeof id.key_id);
    return id;
}

static int client(const char *port, const struct net_psk_id *id, const char *text)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    QC_CLEANUP(qc_key_free) qc_key *key = key_of();
    struct net_line *p = NULL;
    uint8_t room[5000];
    size_t got = 0;
    at.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
    CHECK(connect(fd, (const struct sockaddr *)&at, sizeof at) == 0);
    qc_rc rc = net_psk_connect(&p, fd, id, key, qc_deadline_in(60000), &err);
    if (rc == QC_OK) {
        printf("ok %s\n", net_line_group(p));
        CHECK_OK(net_line_write(p, qc_span_str(text), qc_deadline_in(60000), &err));
        while ((rc = net_line_read(p, room, sizeof room, &got, qc_deadline_in(60000), &err)) == QC_OK &&
               got > 0)
            fwrite(room, 1, got, stdout);
    }
    if (rc != QC_OK)
        printf("%s %s\n", qc_rc_name(rc), err.msg);
    net_line_close(&p);
    close(fd);
    return 0;
}

static void serve_one(int fd, const struct net_psk_id *us)
{
    struct net_line *p = NULL;
    uint8_t room[5000];
    size_t got = 0;
    asked = 0;
    qc_rc rc = net_psk_accept(&p, fd, us, find, NULL, qc_deadline_in(60000), &err);
    if (rc == QC_OK)
        printf("ok %s %u\n", net_line_group(p), asked);
    else
        printf("%s %s\n", qc_rc_name(rc), err.msg);
    while (rc == QC_OK) {
        rc = net_line_read(p, room, sizeof room, &got, qc_deadline_in(60000), &err);
        if (rc != QC_OK || got == 0)
            break;
        for (size_t i = 0; i < got; i++)
            room[i] = (uint8_t)toupper(room[i]);
        rc = net_line_write(p, qc_span_of(room, got), qc_deadline_in(60000), &err);
    }
    net_line_close(&p);
    qc_err_clear(&err);
    close(fd);
}

static int server(const struct net_psk_id *us)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof at;
    const int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(s, (const struct sockaddr *)&at, sizeof at) == 0 && listen(s, 8) == 0 &&
          getsockname(s, (struct sockaddr *)&at, &n) == 0);
    printf("%u\n", (unsigned)ntohs(at.sin_port));
    for (;;) {
        fflush(stdout);
        const int fd = accept(s, NULL, NULL);
        CHECK(fd >= 0);
        serve_one(fd, us);
    }
}

int main(int argc, char **argv)
{
    CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    CHECK(argc == 9 || argc == 7);
    const struct net_psk_id id = names(argv + (argc == 9 ? 3 : 2));
    key_id = argv[argc == 9 ? 6 : 5];
    key_hex = argv[argc == 9 ? 7 : 6];
    return argc == 9 ? client(argv[2], &id, argv[8]) : server(&id);
}
