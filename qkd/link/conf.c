#include "conf.h"

#include <string.h>

#include "base/codec.h"
#include "base/json.h"

/* What an identity of TLS is made of. */
static qc_rc name(const struct json_t *j, const char *member, char ret[NET_PSK_NAME_MAX + 1],
                  struct qc_err *err)
{
    const char *s = NULL;
    QC_TRY(qc_json_str(j, member, &s, err));
    QC_TRY_AS(net_psk_name(qc_span_str(s), ret, err), err, "%s", member);
    return QC_OK;
}

static qc_rc text(const struct json_t *j, const char *member, bool is_path, char ret[LINK_PATH_MAX],
                  struct qc_err *err)
{
    const char *s = NULL;
    QC_TRY(qc_json_str(j, member, &s, err));
    if (s[0] == '\0' || (is_path && s[0] != '/') || strlen(s) >= LINK_PATH_MAX)
        return QC_FAIL(err, QC_USAGE, "%s: %s of less than %d bytes", member,
                       is_path ? "an absolute path" : "a text", LINK_PATH_MAX);
    memcpy(ret, s, strlen(s) + 1);
    return QC_OK;
}

static qc_rc number(const struct json_t *j, const char *member, int64_t min, int64_t max, int64_t otherwise,
                    uint32_t *ret, struct qc_err *err)
{
    int64_t v = otherwise;
    if (qc_json_given(j, member))
        QC_TRY(qc_json_int(j, member, min, max, &v, err));
    *ret = (uint32_t)v;
    return QC_OK;
}

static qc_rc address(const struct json_t *j, const char *member, struct net_address *ret, struct qc_err *err)
{
    const char *s = NULL;
    QC_TRY(qc_json_str(j, member, &s, err));
    QC_TRY_AS(net_address_parse(s, ret, err), err, "%s", member);
    return QC_OK;
}

static qc_rc level(const struct json_t *j, enum net_level *ret, struct qc_err *err)
{
    const char *s = NULL;
    QC_TRY(qc_json_str(j, "level", &s, err));
    QC_TRY_AS(net_level_parse(s, ret, err), err, "level");
    return QC_OK;
}

/* What stands in for keys that do not come: a weaker level only where it is named. */
static qc_rc take_without(struct link_conf *c, const struct json_t *j, struct qc_err *err)
{
    const char *s = "wait";
    if (qc_json_given(j, "without_key"))
        QC_TRY(qc_json_str(j, "without_key", &s, err));
    c->least = c->level;
    c->without = strcmp(s, "fail") == 0 ? LINK_FAILS : LINK_WAITS;
    if (strcmp(s, "fail") == 0 || strcmp(s, "wait") == 0)
        return QC_OK;
    if (c->level != NET_OTP || strcmp(s, "qkd-tls") != 0)
        return QC_FAIL(err, QC_USAGE, "without_key: wait or fail; at the level otp also qkd-tls");
    c->without = LINK_WEAKER;
    c->least = NET_QKD_TLS;
    return QC_OK;
}

static qc_rc large(const struct json_t *j, const char *member, int64_t min, int64_t otherwise, uint64_t *ret,
                   struct qc_err *err)
{
    int64_t v = otherwise;
    if (qc_json_given(j, member))
        QC_TRY(qc_json_int(j, member, min, (int64_t)LINK_REKEY_BYTES_MAX, &v, err));
    *ret = (uint64_t)v;
    return QC_OK;
}

static int64_t at_most(int64_t v, int64_t most)
{
    return v < most ? v : most;
}

/* When a new key is taken, and when the old one may not be used any more: that is never before. */
static qc_rc take_ages(struct link_conf *c, const struct json_t *j, struct qc_err *err)
{
    QC_TRY(number(j, "rekey_s", 1, LINK_REKEY_MAX_S, LINK_REKEY_S, &c->rekey_s, err));
    QC_TRY(large(j, "rekey_bytes", LINK_REKEY_BYTES_MIN, LINK_REKEY_BYTES, &c->rekey_bytes, err));
    const int64_t s = at_most((int64_t)c->rekey_s * LINK_KEY_MAX_TIMES, LINK_REKEY_MAX_S);
    const int64_t bytes =
        at_most((int64_t)c->rekey_bytes * LINK_KEY_MAX_TIMES, (int64_t)LINK_REKEY_BYTES_MAX);
    QC_TRY(number(j, "key_max_s", c->rekey_s, LINK_REKEY_MAX_S, s, &c->key_max_s, err));
    return large(j, "key_max_bytes", (int64_t)c->rekey_bytes, bytes, &c->key_max_bytes, err);
}

static qc_rc take_kme(struct link_conf *c, const struct json_t *top, struct qc_err *err)
{
    static const char *const members[] = { "url", "ca", "cert", "key" };
    struct json_t *j = NULL;
    QC_TRY(qc_json_obj(top, "kme", &j, err));
    QC_TRY(qc_json_only(j, members, 4, err));
    QC_TRY(text(j, "url", false, c->url, err));
    QC_TRY(text(j, "ca", true, c->ca, err));
    QC_TRY(text(j, "cert", true, c->cert, err));
    return text(j, "key", true, c->key, err);
}

static qc_rc take_tls(struct link_conf *c, const struct json_t *top, struct qc_err *err)
{
    static const char *const members[] = { "ca", "cert", "key", "peer" };
    struct json_t *j = NULL;
    QC_TRY(qc_json_obj(top, "tls", &j, err));
    QC_TRY(qc_json_only(j, members, 4, err));
    QC_TRY(text(j, "ca", true, c->tls_ca, err));
    QC_TRY(text(j, "cert", true, c->tls_cert, err));
    QC_TRY(text(j, "key", true, c->tls_key, err));
    return text(j, "peer", false, c->tls_peer, err);
}

/* In clear between machines: only where somebody said so in as many words. */
static qc_rc check_plain(const struct link_conf *c, const struct json_t *j, struct qc_err *err)
{
    bool consents = false;
    if (qc_json_given(j, "unprotected"))
        QC_TRY(qc_json_bool(j, "unprotected", &consents, err));
    const bool here = strncmp(c->listen.host, "127.", 4) == 0 && strncmp(c->to.host, "127.", 4) == 0;
    if (c->level == NET_PLAIN && !here && !consents)
        return QC_FAIL(err, QC_USAGE,
                       "level plain: listen and to are of this machine (127.0.0.1), or "
                       "\"unprotected\": true says that the way between is protected otherwise");
    return QC_OK;
}

/* What its level rests on. */
static qc_rc take_means(struct link_conf *c, const struct json_t *j, struct qc_err *err)
{
    if (c->level >= NET_QKD_TLS)
        return take_kme(c, j, err);
    return c->level == NET_TLS ? take_tls(c, j, err) : check_plain(c, j, err);
}

static qc_rc take_pad(struct link_conf *c, const struct json_t *j, struct qc_err *err)
{
    QC_TRY(number(j, "pad_block", QKD_PAD_BLOCK_MIN, QKD_PAD_BLOCK_MAX, LINK_PAD_BLOCK, &c->pad_block, err));
    QC_TRY(number(j, "pad_blocks", 1, QKD_PADS_MAX / 2, LINK_PAD_BLOCKS, &c->pad_blocks, err));
    QC_TRY(number(j, "pad_to", 0, NET_OTP_BODY_MAX / 2, 0, &c->pad_to, err));
    QC_TRY(number(j, "pad_max_s", 0, LINK_PAD_MAX_S, 0, &c->pad_max_s, err));
    if (c->pad_block % QKD_PAD_WINDOW != 0)
        return QC_FAIL(err, QC_USAGE, "pad_block: a multiple of %d", QKD_PAD_WINDOW);
    if (c->pad_to != 0 && c->pad_to < NET_OTP_PAD_MIN)
        return QC_FAIL(err, QC_USAGE, "pad_to: 0, or %d at least", NET_OTP_PAD_MIN);
    if (c->level == NET_OTP)
        return text(j, "state", true, c->state, err);
    return QC_OK;
}

qc_rc link_conf_parse(struct link_conf *ret, qc_span s, struct qc_err *err)
{
    static const char *const members[] = { "link",        "me",         "peer",        "level",
                                           "listen",      "to",         "kme",         "state",
                                           "pad_block",   "pad_blocks", "pad_to",      "wait_s",
                                           "rekey_s",     "key_max_s",  "rekey_bytes", "key_max_bytes",
                                           "without_key", "status",     "tls",         "unprotected",
                                           "pad_max_s" };
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    *ret = (struct link_conf){ 0 };
    QC_TRY(qc_json_parse(&j, s, err));
    if (!qc_json_is_object(j))
        return QC_FAIL(err, QC_FORMAT, "the configuration is no object");
    QC_TRY(qc_json_only(j, members, sizeof members / sizeof *members, err));
    QC_TRY(name(j, "link", ret->name, err));
    QC_TRY(name(j, "me", ret->me, err));
    QC_TRY(name(j, "peer", ret->peer, err));
    if (strcmp(ret->me, ret->peer) == 0)
        return QC_FAIL(err, QC_USAGE, "peer: the other end has a name of its own");
    QC_TRY(level(j, &ret->level, err));
    QC_TRY(take_without(ret, j, err));
    QC_TRY(address(j, "listen", &ret->listen, err));
    QC_TRY(address(j, "to", &ret->to, err));
    QC_TRY(take_means(ret, j, err));
    QC_TRY(number(j, "wait_s", 1, LINK_WAIT_MAX_S, LINK_WAIT_S, &ret->wait_s, err));
    QC_TRY(take_ages(ret, j, err));
    if (qc_json_given(j, "status"))
        QC_TRY(text(j, "status", true, ret->status, err));
    return take_pad(ret, j, err);
}
