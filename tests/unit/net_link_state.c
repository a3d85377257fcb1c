/* unit/net_link_state: what a link says of itself comes out as it went in; what contradicts itself is
 * refused; asking waits no longer than it is told to. */
#include "net/link_state.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/unix.h"
#include "qc_check.h"
#include "qc_tmpdir.h"

static struct qc_err err;

static const struct net_link_state whole = { .link = "L1",
                                             .peer = "SAE-B",
                                             .dials = true,
                                             .level = NET_OTP,
                                             .least = NET_QKD_TLS,
                                             .now = NET_OTP,
                                             .ready = true,
                                             .key_id = "550e8400-e29b-41d4-a716-446655440000",
                                             .key_s = 12,
                                             .key_bytes = UINT64_MAX,
                                             .keys = 3,
                                             .connections = 2,
                                             .pad_send = 786432,
                                             .pad_receive = 1,
                                             .pad_block = UINT64_C(1) << 39,
                                             .sent = { 1056, 2, 3, 956 },
                                             .received = { UINT64_MAX, 5, 6, 7 },
                                             .stock_known = true,
                                             .stock_bits = 1000000,
                                             .use_bps = 80000,
                                             .dries = true,
                                             .dry_s = 7200,
                                             .why = "no \"key\"" };

static void text_of(const struct net_link_state *s, qc_buf *ret)
{
    qc_buf_clear(ret);
    CHECK(net_link_state_print(s, ret, &err) == QC_OK);
}

static void comes_back(void)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = NET_LINK_STATE_MAX };
    struct net_link_state got;
    text_of(&whole, &text);
    CHECK(net_link_state_parse(&got, qc_buf_span(&text), &err) == QC_OK);
    CHECK(strcmp(got.link, whole.link) == 0 && strcmp(got.peer, whole.peer) == 0 && got.dials);
    CHECK(got.level == NET_OTP && got.least == NET_QKD_TLS && got.now == NET_OTP && got.ready);
    CHECK(strcmp(got.key_id, whole.key_id) == 0 && strcmp(got.why, whole.why) == 0);
    CHECK(got.key_s == 12 && got.key_bytes == UINT64_MAX && got.keys == 3 && got.connections == 2);
    CHECK(got.pad_send == 786432 && got.pad_receive == 1 && got.pad_block == whole.pad_block);
    CHECK(memcmp(&got.sent, &whole.sent, sizeof got.sent) == 0);
    CHECK(memcmp(&got.received, &whole.received, sizeof got.received) == 0);
    CHECK(got.stock_known && got.stock_bits == 1000000 && got.use_bps == 80000);
    CHECK(got.dries && got.dry_s == 7200);
    struct net_link_state less = whole;
    less.stock_known = less.dries = false;
    text_of(&less, &text);
    CHECK(net_link_state_parse(&got, qc_buf_span(&text), &err) == QC_OK);
    CHECK(!got.stock_known && !got.dries && got.stock_bits == 0 && got.dry_s == 0);
}

/* An older link does not say what it used. */
static void older(void)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = NET_LINK_STATE_MAX };
    QC_CLEANUP(qc_buf_free) qc_buf less = { .max = NET_LINK_STATE_MAX };
    struct net_link_state got;
    text_of(&whole, &text);
    CHECK_OK(qc_buf_add(&text, qc_span_of("", 1), &err));
    const char *all = (const char *)text.p, *at = strstr(all, ",\"sent_pad\""),
               *why = strstr(all, ",\"why\"");
    CHECK(at != NULL && why > at);
    CHECK_OK(qc_buf_addf(&less, &err, "%.*s%s", (int)(at - all), all, why));
    CHECK_OK(net_link_state_parse(&got, qc_buf_span(&less), &err));
    CHECK(got.sent.pad == 0 && got.received.bytes == 0 && got.pad_send == 786432);
}

/* The text of `whole` with one part of it replaced is refused. */
static void refuses(const char *part, const char *by)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = NET_LINK_STATE_MAX };
    QC_CLEANUP(qc_buf_free) qc_buf other = { .max = 2 * NET_LINK_STATE_MAX };
    struct net_link_state got;
    text_of(&whole, &text);
    CHECK(qc_buf_add(&text, qc_span_of("", 1), &err) == QC_OK);
    const char *all = (const char *)text.p, *at = strstr(all, part);
    CHECK(at != NULL);
    CHECK(qc_buf_addf(&other, &err, "%.*s%s%s", (int)(at - all), all, by, at + strlen(part)) == QC_OK);
    CHECK_RC(net_link_state_parse(&got, qc_buf_span(&other), &err), QC_FORMAT);
}

static void refusals(void)
{
    static const struct {
        const char *part, *by;
    } rows[] = {
        { "\"level\":\"otp\"", "\"level\":\"down\"" },
        { "\"level\":\"otp\"", "\"level\":\"tls\"" }, /* least and now are above it */
        { "\"least\":\"qkd-tls\"", "\"least\":\"none\"" },
        { "\"now\":\"otp\"", "\"now\":\"tls\"" },  /* below the least */
        { "\"now\":\"otp\"", "\"now\":\"down\"" }, /* and ready */
        { "\"now\":\"otp\"", "\"now\":7" },
        { "\"end\":\"dial\"", "\"end\":\"Dial\"" },
        { "\"ready\":true", "\"ready\":1" },
        { "\"key_s\":12", "\"key_s\":-1" },
        { "\"connections\":2", "\"connections\":257" },
        { "\"dry_s\":\"7200\"", "\"dry_s\":7200" },
        { "\"dry_s\":\"7200\"", "\"dry_s\":\"-1\"" },
        { "\"stock_bits\":\"1000000\"", "\"stock_bits\":\"many\"" },
        { "\"keys\":\"3\"", "\"keys\":3" },
        { "\"sent_frames\":\"2\"", "\"sent_frames\":2" },
        { "\"keys\":\"3\"", "\"keys\":\"-3\"" },
        { "\"link\":\"L1\"", "\"link\":\"a\\u0007\"" },
        { "\"link\":\"L1\",", "" },
        { "\"link\":\"L1\"", "\"link\":\"" /* 64 bytes */
                             "0123456789012345678901234567890123456789012345678901234567890123\"" },
        { "{", "[" },
        { "}", "" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        refuses(rows[i].part, rows[i].by);
}

static void levels(void)
{
    enum net_level l = NET_DOWN;
    for (enum net_level i = NET_PLAIN; i <= NET_OTP; i++) {
        CHECK(net_level_parse(net_level_name(i), &l, &err) == QC_OK && l == i);
    }
    CHECK_RC(net_level_parse("down", &l, &err), QC_USAGE);
    CHECK_RC(net_level_parse("", &l, &err), QC_USAGE);
    CHECK_RC(net_level_parse("OTP", &l, &err), QC_USAGE);
    CHECK(NET_PLAIN < NET_TLS && NET_TLS < NET_QKD_TLS && NET_QKD_TLS < NET_OTP);
}

/* Nobody there; one who says nothing; one who does not stop. */
static void asking(void)
{
    QC_CLEANUP(qc_tmpdir_remove) struct qc_tmpdir dir = qc_tmpdir_new();
    QC_CLEANUP(qc_fd_close) struct qc_fd l = { 0 };
    QC_CLEANUP(qc_fd_close) struct qc_fd at = { 0 };
    struct net_link_state got;
    char path[512];
    static char much[2 * NET_LINK_STATE_MAX];
    snprintf(path, sizeof path, "%s/s", dir.path);
    CHECK_RC(net_link_state_ask(&got, path, qc_deadline_in(10000), &err), QC_TEMP);
    CHECK(qc_unix_listen_path(path, 0600, &l, &at, &err) == QC_OK);
    CHECK_RC(net_link_state_ask(&got, path, qc_deadline_in(200), &err), QC_TIMEOUT);
    QC_CLEANUP(qc_fd_close) struct qc_fd first = qc_fd_own(accept(qc_fd_get(&l), NULL, NULL));
    qc_fd_close(&first);
    const pid_t child = fork();
    if (child == 0) {
        const int fd = accept(qc_fd_get(&l), NULL, NULL);
        _exit(send(fd, much, sizeof much, MSG_NOSIGNAL) > 0 ? 0 : 1);
    }
    CHECK(child > 0);
    CHECK_RC(net_link_state_ask(&got, path, qc_deadline_in(60000), &err), QC_FORMAT);
    qc_fd_close(&l);
    CHECK_RC(net_link_state_ask(&got, path, qc_deadline_in(10000), &err), QC_TEMP);
    /* What is left over is replaced; what is no socket is not, nor one that somebody has. */
    CHECK(qc_unix_listen_path(path, 0600, &l, &at, &err) == QC_OK);
    QC_CLEANUP(qc_fd_close) struct qc_fd second = { 0 };
    QC_CLEANUP(qc_fd_close) struct qc_fd at2 = { 0 };
    CHECK_RC(qc_unix_listen_path(path, 0600, &second, &at2, &err), QC_LOCKED);
    qc_fd_close(&l);
    CHECK(unlink(path) == 0);
    QC_CLEANUP(qc_fd_close) struct qc_fd file = { 0 };
    CHECK(qc_open_at(&file, AT_FDCWD, path, O_WRONLY | O_CREAT, 0600, &err) == QC_OK);
    CHECK_RC(qc_unix_listen_path(path, 0600, &second, &at2, &err), QC_CONFLICT);
}

int main(void)
{
    comes_back();
    older();
    refusals();
    levels();
    asking();
    return 0;
}
