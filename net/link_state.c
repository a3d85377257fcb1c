#include "net/link_state.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/json.h"
#include "base/unix.h"

/* -- levels ---------------------------------------------------------------------------------------------- */

static const char *const names[] = { [NET_DOWN] = "down",
                                     [NET_PLAIN] = "plain",
                                     [NET_TLS] = "tls",
                                     [NET_QKD_TLS] = "qkd-tls",
                                     [NET_OTP] = "otp" };

const char *net_level_name(enum net_level level)
{
    return names[level];
}

static bool level_of(const char *text, enum net_level least, enum net_level *ret)
{
    for (enum net_level i = least; i <= NET_OTP; i++)
        if (strcmp(text, names[i]) == 0) {
            *ret = i;
            return true;
        }
    return false;
}

qc_rc net_level_parse(const char *text, enum net_level *ret, struct qc_err *err)
{
    if (!level_of(text, NET_PLAIN, ret))
        return QC_FAIL(err, QC_USAGE, "'%.16s' is no level: otp, qkd-tls, tls or plain", text);
    return QC_OK;
}

/* -- as a text ------------------------------------------------------------------------------------------- */

/* The members that are numbers in strings: JSON's readers keep numbers as doubles. */
static const struct {
    const char *name;
    size_t at;
} numbers[] = {
    { "key_bytes", offsetof(struct net_link_state, key_bytes) },
    { "keys", offsetof(struct net_link_state, keys) },
    { "pad_send", offsetof(struct net_link_state, pad_send) },
    { "pad_receive", offsetof(struct net_link_state, pad_receive) },
    { "pad_block", offsetof(struct net_link_state, pad_block) },
};
enum { NUMBERS = sizeof numbers / sizeof *numbers };

/* Those that an older link does not say. */
static const struct {
    const char *name;
    size_t at;
} uses[] = {
    { "key_max_s", offsetof(struct net_link_state, key_max_s) },
    { "key_max_bytes", offsetof(struct net_link_state, key_max_bytes) },
    { "pad_max_s", offsetof(struct net_link_state, pad_max_s) },
    { "pad_full", offsetof(struct net_link_state, pad_full) },
    { "sent_pad", offsetof(struct net_link_state, sent.pad) },
    { "sent_frames", offsetof(struct net_link_state, sent.frames) },
    { "sent_messages", offsetof(struct net_link_state, sent.messages) },
    { "sent_bytes", offsetof(struct net_link_state, sent.bytes) },
    { "received_pad", offsetof(struct net_link_state, received.pad) },
    { "received_frames", offsetof(struct net_link_state, received.frames) },
    { "received_messages", offsetof(struct net_link_state, received.messages) },
    { "received_bytes", offsetof(struct net_link_state, received.bytes) },
};
enum { USES = sizeof uses / sizeof *uses };

static qc_rc put_texts(const struct net_link_state *s, struct json_t *j, struct qc_err *err)
{
    QC_TRY(qc_json_set_str(j, "link", s->link, err));
    QC_TRY(qc_json_set_str(j, "peer", s->peer, err));
    QC_TRY(qc_json_set_str(j, "end", s->dials ? "dial" : "serve", err));
    QC_TRY(qc_json_set_str(j, "level", names[s->level], err));
    QC_TRY(qc_json_set_str(j, "least", names[s->least], err));
    QC_TRY(qc_json_set_str(j, "now", names[s->now], err));
    QC_TRY(qc_json_set_bool(j, "ready", s->ready, err));
    return qc_json_set_str(j, "key_id", s->key_id, err);
}

static qc_rc put_forecast(const struct net_link_state *s, struct json_t *j, struct qc_err *err)
{
    if (s->stock_known)
        QC_TRY(qc_json_set_u64(j, "stock_bits", s->stock_bits, err));
    QC_TRY(qc_json_set_u64(j, "use_bps", s->use_bps, err));
    return s->dries ? qc_json_set_u64(j, "dry_s", s->dry_s, err) : QC_OK;
}

qc_rc net_link_state_print(const struct net_link_state *s, qc_buf *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_TRY(qc_json_new_obj(&j, err));
    QC_TRY(put_texts(s, j, err));
    QC_TRY(qc_json_set_int(j, "key_s", (int64_t)s->key_s, err));
    QC_TRY(qc_json_set_int(j, "connections", (int64_t)s->connections, err));
    for (size_t i = 0; i < NUMBERS; i++)
        QC_TRY(
            qc_json_set_u64(j, numbers[i].name, *(const uint64_t *)((const char *)s + numbers[i].at), err));
    for (size_t i = 0; i < USES; i++)
        QC_TRY(qc_json_set_u64(j, uses[i].name, *(const uint64_t *)((const char *)s + uses[i].at), err));
    QC_TRY(put_forecast(s, j, err));
    QC_TRY(qc_json_set_str(j, "why", s->why, err));
    return qc_json_dump(j, ret, err);
}

/* A text of up to max bytes without control characters: it may be shown. */
static qc_rc take_text(const struct json_t *j, const char *member, size_t max, char *room, struct qc_err *err)
{
    const char *s = NULL;
    QC_TRY(qc_json_str(j, member, &s, err));
    const size_t n = strlen(s);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
            return QC_FAIL(err, QC_FORMAT, "%s: a control character", member);
    if (n > max)
        return QC_FAIL(err, QC_FORMAT, "%s: %zu bytes, at most %zu", member, n, max);
    memcpy(room, s, n + 1);
    return QC_OK;
}

static qc_rc take_level(const struct json_t *j, const char *member, enum net_level least, enum net_level *ret,
                        struct qc_err *err)
{
    const char *s = NULL;
    QC_TRY(qc_json_str(j, member, &s, err));
    if (!level_of(s, least, ret))
        return QC_FAIL(err, QC_FORMAT, "%s: no level", member);
    return QC_OK;
}

static qc_rc take_end(const struct json_t *j, bool *ret, struct qc_err *err)
{
    const char *s = NULL;
    QC_TRY(qc_json_str(j, "end", &s, err));
    *ret = strcmp(s, "dial") == 0;
    if (!*ret && strcmp(s, "serve") != 0)
        return QC_FAIL(err, QC_FORMAT, "end: dial or serve");
    return QC_OK;
}

static qc_rc take_numbers(struct net_link_state *s, const struct json_t *j, struct qc_err *err)
{
    int64_t seconds = 0, connections = 0;
    QC_TRY(qc_json_int(j, "key_s", 0, INT64_MAX, &seconds, err));
    QC_TRY(qc_json_int(j, "connections", 0, LINK_STREAMS, &connections, err));
    s->key_s = (uint64_t)seconds;
    s->connections = (uint64_t)connections;
    for (size_t i = 0; i < NUMBERS; i++)
        QC_TRY(qc_json_u64(j, numbers[i].name, (uint64_t *)((char *)s + numbers[i].at), err));
    for (size_t i = 0; i < USES; i++)
        if (qc_json_has(j, uses[i].name))
            QC_TRY(qc_json_u64(j, uses[i].name, (uint64_t *)((char *)s + uses[i].at), err));
    return QC_OK;
}

/* Members that are not there are not known; a link before them has none. */
static qc_rc take_forecast(struct net_link_state *s, const struct json_t *j, struct qc_err *err)
{
    s->stock_known = qc_json_has(j, "stock_bits");
    s->dries = qc_json_has(j, "dry_s");
    if (s->stock_known)
        QC_TRY(qc_json_u64(j, "stock_bits", &s->stock_bits, err));
    if (qc_json_has(j, "use_bps"))
        QC_TRY(qc_json_u64(j, "use_bps", &s->use_bps, err));
    return s->dries ? qc_json_u64(j, "dry_s", &s->dry_s, err) : QC_OK;
}

qc_rc net_link_state_parse(struct net_link_state *ret, qc_span text, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    struct net_link_state s = { 0 };
    QC_TRY(qc_json_parse(&j, text, err));
    if (!qc_json_is_object(j))
        return QC_FAIL(err, QC_FORMAT, "no object");
    QC_TRY(take_text(j, "link", NET_PSK_NAME_MAX, s.link, err));
    QC_TRY(take_text(j, "peer", NET_PSK_NAME_MAX, s.peer, err));
    QC_TRY(take_end(j, &s.dials, err));
    QC_TRY(take_level(j, "level", NET_PLAIN, &s.level, err));
    QC_TRY(take_level(j, "least", NET_PLAIN, &s.least, err));
    QC_TRY(take_level(j, "now", NET_DOWN, &s.now, err));
    QC_TRY(qc_json_bool(j, "ready", &s.ready, err));
    QC_TRY(take_text(j, "key_id", NET_PSK_KEY_ID_MAX, s.key_id, err));
    QC_TRY(take_text(j, "why", NET_LINK_WHY_MAX, s.why, err));
    QC_TRY(take_numbers(&s, j, err));
    QC_TRY(take_forecast(&s, j, err));
    if (s.least > s.level || s.now > s.level || (s.now < s.least && s.now != NET_DOWN) ||
        (s.ready && s.now == NET_DOWN))
        return QC_FAIL(err, QC_FORMAT, "levels that contradict each other");
    *ret = s;
    return QC_OK;
}

/* -- asking ---------------------------------------------------------------------------------------------- */

static qc_rc read_all(int fd, qc_deadline d, qc_buf *ret, struct qc_err *err)
{
    for (;;) {
        uint8_t room[1024];
        struct pollfd p = { .fd = fd, .events = POLLIN };
        QC_TRY(qc_go_on(d, NULL, "a link's state", err));
        const int n = poll(&p, 1, 100);
        if (n < 0 && errno != EINTR)
            return QC_FAIL_OS(err, "poll");
        if (n <= 0)
            continue;
        const ssize_t got = recv(fd, room, sizeof room, MSG_DONTWAIT);
        if (got < 0 && errno != EAGAIN && errno != EINTR)
            return QC_FAIL(err, QC_TEMP, "a link's state: %s", strerror(errno));
        if (got == 0)
            return QC_OK;
        if (got > 0 && (size_t)got > NET_LINK_STATE_MAX - ret->n)
            return QC_FAIL(err, QC_FORMAT, "a link's state of more than %d bytes", NET_LINK_STATE_MAX);
        if (got > 0)
            QC_TRY(qc_buf_add(ret, qc_span_of(room, (size_t)got), err));
    }
}

qc_rc net_link_state_ask(struct net_link_state *ret, const char *path, qc_deadline d, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = NET_LINK_STATE_MAX };
    QC_TRY(qc_unix_connect_path(path, &fd, err));
    QC_TRY_AS(read_all(qc_fd_get(&fd), d, &text, err), err, "link %s", path);
    QC_TRY_AS(net_link_state_parse(ret, qc_buf_span(&text), err), err, "link %s", path);
    return QC_OK;
}
