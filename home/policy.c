#include "home/policy.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/ini.h"
#include "net/link_state.h"

enum { POLICY_LIST = 200 };

static const char *const profiles[] = { "ec", "xor23", "shamir", "mirror", NULL };
static const char *const levels[] = { "otp", "qkd-tls", "tls", "plain", NULL };
static const char *const waits[] = { "full", "quorum", NULL };

static qc_rc take_word(qc_span v, const char *const *words, char ret[POLICY_WORD_MAX], struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf all = { .max = POLICY_LIST };
    for (size_t i = 0; words[i] != NULL; i++) {
        if (qc_span_eq(v, qc_span_str(words[i]))) {
            (void)snprintf(ret, POLICY_WORD_MAX, "%s", words[i]);
            return QC_OK;
        }
        QC_TRY(qc_buf_addf(&all, err, "%s%s", i == 0 ? "" : words[i + 1] == NULL ? " or " : ", ", words[i]));
    }
    return QC_FAIL(err, QC_USAGE, "%.*s is wanted", (int)all.n, (const char *)all.p);
}

static qc_rc take_profile(void *ctx, qc_span v, struct qc_err *err)
{
    struct policy *p = ctx;
    return take_word(v, profiles, p->profile, err);
}

static qc_rc take_level(void *ctx, qc_span v, struct qc_err *err)
{
    struct policy *p = ctx;
    return take_word(v, levels, p->level, err);
}

static qc_rc take_wait(void *ctx, qc_span v, struct qc_err *err)
{
    struct policy *p = ctx;
    return take_word(v, waits, p->wait, err);
}

static qc_rc take_random(void *ctx, qc_span v, struct qc_err *err)
{
    static const enum qrng_policy all[] = { QRNG_POLICY_OS, QRNG_POLICY_PREFERRED, QRNG_POLICY_REQUIRED };
    struct policy *p = ctx;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (qc_span_eq(v, qc_span_str(qrng_policy_text(all[i])))) {
            p->random = all[i];
            p->has_random = true;
            return QC_OK;
        }
    return QC_FAIL(err, QC_USAGE, "required, preferred or os is wanted");
}

static qc_rc take_pad(void *ctx, qc_span v, struct qc_err *err)
{
    struct policy *p = ctx;
    return qc_ini_bool(v, &p->pad, err);
}

static const struct qc_ini_key keys[] = {
    { "policy", "profile", false, take_profile }, { "policy", "level", false, take_level },
    { "policy", "random", false, take_random },   { "policy", "wait", false, take_wait },
    { "policy", "pad", false, take_pad },
};
enum { KEYS = sizeof keys / sizeof keys[0] };

static bool is_name(qc_span s)
{
    static const char bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '\0' || strchr(bytes, s.p[i]) == NULL)
            return false;
    return s.n > 0 && s.n <= POLICY_NAME_MAX;
}

static qc_rc take_section(const struct qc_ini_section *s, struct policy *ret, struct qc_err *err)
{
    struct qc_ini ini = { .keys = keys, .count = KEYS };
    struct policy one = { 0 };
    if (s->head.n == 0)
        return qc_ini_section_take(s, "", QC_CLIENT_CONF_MAX, &ini, &one, err); /* comments only */
    const bool closed = s->head.p[s->head.n - 1] == ']';
    const qc_span name = closed ? qc_span_trim(qc_span_sub(s->head, 1, s->head.n - 2)) : (qc_span){ 0 };
    if (!is_name(name))
        return QC_FAIL(err, QC_USAGE,
                       "line %u: a section is [NAME], of a policy: 1 to %d of a-z A-Z 0-9 _ . -", s->line,
                       POLICY_NAME_MAX);
    QC_TRY(qc_ini_section_take(s, "[policy]", QC_CLIENT_CONF_MAX, &ini, &one, err));
    (void)snprintf(one.name, sizeof one.name, "%.*s", (int)name.n, (const char *)name.p);
    *ret = one;
    return QC_OK;
}

qc_rc policy_parse(qc_span text, const char *name, struct policy *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf all = { .max = QC_CLIENT_CONF_MAX };
    struct policy found = { 0 };
    struct qc_ini_section s;
    unsigned line = 1;
    if (text.n > QC_CLIENT_CONF_MAX)
        return QC_FAIL(err, QC_LIMIT, "%zu bytes, at most %d", text.n, QC_CLIENT_CONF_MAX);
    QC_TRY(qc_buf_add_str(&all, " ", err));
    while (qc_ini_section(&text, &line, &s)) {
        struct policy one = { 0 };
        QC_TRY(take_section(&s, &one, err));
        if (one.name[0] == '\0')
            continue;
        char word[POLICY_NAME_MAX + 3];
        const int n = snprintf(word, sizeof word, " %s ", one.name);
        if (memmem(all.p, all.n, word, (size_t)n) != NULL)
            return QC_FAIL(err, QC_USAGE, "line %u: [%s] is given twice", s.line, one.name);
        QC_TRY(qc_buf_add_str(&all, word + 1, err));
        if (name != NULL && strcmp(one.name, name) == 0)
            found = one;
    }
    if (name == NULL)
        return QC_OK;
    if (found.name[0] == '\0')
        return QC_FAIL(err, QC_NOTCONF, "no policy '%.40s'; there %s%.*s", name,
                       all.n > 1 ? "are:" : "is none", all.n > POLICY_LIST ? POLICY_LIST : (int)all.n - 1,
                       (const char *)all.p);
    *ret = found;
    return QC_OK;
}

qc_rc policy_load(const struct places *p, const char *name, struct policy *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf text = { 0 };
    struct qc_err why = { 0 };
    qc_rc rc = qc_dir_open(&dir, p->conf_dir, &why);
    if (rc == QC_OK)
        rc = qc_file_read(qc_fd_get(&dir), "policies.conf", QC_CLIENT_CONF_MAX, &text, &why);
    if (rc == QC_OK || rc == QC_NOTFOUND)
        rc = policy_parse(qc_buf_span(&text), name, ret, &why);
    if (rc == QC_OK)
        return QC_OK;
    *err = why;
    err->next = "say in that file what the policy asks for: qcloud help policies";
    qc_err_wrap(err, "%s/policies.conf", p->conf_dir);
    return rc;
}

/* -- what it asks for ------------------------------------------------------------------------------------ */

/* Nothing is between two programs of this machine. */
static bool is_here(const struct conf *c)
{
    return c->gateway[0] == '\0' || strncmp(c->gateway, "unix:", 5) == 0;
}

qc_rc policy_way(const struct policy *p, struct conf *c, struct qc_err *err)
{
    enum net_level wants = NET_DOWN, has = NET_DOWN;
    char before[sizeof c->level];
    struct qc_err why = { 0 };
    if (p->level[0] == '\0' || is_here(c))
        return QC_OK;
    QC_TRY(net_level_parse(p->level, &wants, err));
    if (c->level[0] != '\0')
        QC_TRY(net_level_parse(c->level, &has, err));
    if (has >= wants)
        return QC_OK;
    memcpy(before, c->level, sizeof before);
    (void)snprintf(c->level, sizeof c->level, "%s", p->level);
    if (conf_way_check(c, &why) == QC_OK)
        return QC_OK;
    memcpy(c->level, before, sizeof before);
    return QC_FAIL(err, QC_LINK, "policy '%s' wants %s to the gateway at %.200s: %s", p->name, p->level,
                   c->gateway, why.msg);
}

qc_rc policy_random(const struct policy *p, struct qrng_conf *c, struct qc_err *err)
{
    if (!p->has_random)
        return QC_OK;
    if (p->random != QRNG_POLICY_OS && c->count == 0)
        return QC_FAIL(err, QC_RANDOM,
                       "policy '%s': a source of random numbers is %s, and random.conf has none", p->name,
                       qrng_policy_text(p->random));
    for (unsigned i = 0; i < QRNG_PROFILE_COUNT; i++)
        if (p->random > c->policy[i]) /* os, preferred, required */
            c->policy[i] = p->random;
    return QC_OK;
}
