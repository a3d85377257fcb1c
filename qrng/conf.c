#include "qrng/conf.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/ini.h"
#include "url.h"
#include "qrng/health.h"

static const char *const policy_texts[QRNG_POLICY_COUNT] = {
    [QRNG_POLICY_OS] = "os",
    [QRNG_POLICY_PREFERRED] = "preferred",
    [QRNG_POLICY_REQUIRED] = "required",
    [QRNG_POLICY_TEST] = "test",
};
static const char *const kind_texts[QRNG_KIND_COUNT] = {
    [QRNG_KIND_DEVICE] = "device", [QRNG_KIND_COMMAND] = "command",       [QRNG_KIND_FILE] = "file",
    [QRNG_KIND_ANU] = "https-anu", [QRNG_KIND_QUANTIS] = "https-quantis", [QRNG_KIND_RAW] = "https-raw",
    [QRNG_KIND_KME] = "kme",
};
static const char *const condition_texts[QRNG_CONDITION_COUNT] = {
    [QRNG_CONDITION_HMAC] = "hmac",
    [QRNG_CONDITION_TOEPLITZ] = "toeplitz",
    [QRNG_CONDITION_NONE] = "none",
};
/* What is declared where nothing is said: raw hardware less than what others already worked on. */
static const unsigned kind_mbit[QRNG_KIND_COUNT] = {
    [QRNG_KIND_DEVICE] = 6000,  [QRNG_KIND_COMMAND] = 6000, [QRNG_KIND_FILE] = 7000, [QRNG_KIND_ANU] = 7000,
    [QRNG_KIND_QUANTIS] = 7000, [QRNG_KIND_RAW] = 7000,     [QRNG_KIND_KME] = 7000,
};
/* A file's bytes are gone once they are in the pool: no more than a put wants. */
static const uint32_t kind_pool[QRNG_KIND_COUNT] = {
    [QRNG_KIND_DEVICE] = 4096,  [QRNG_KIND_COMMAND] = 4096, [QRNG_KIND_FILE] = 1024, [QRNG_KIND_ANU] = 1024,
    [QRNG_KIND_QUANTIS] = 1024, [QRNG_KIND_RAW] = 1024,     [QRNG_KIND_KME] = 1024,
};

const char *qrng_policy_text(enum qrng_policy p)
{
    QC_ASSERT((unsigned)p < QRNG_POLICY_COUNT);
    return policy_texts[p];
}

const char *qrng_kind_text(enum qrng_kind k)
{
    QC_ASSERT((unsigned)k < QRNG_KIND_COUNT);
    return kind_texts[k];
}

bool qrng_kind_is_remote(enum qrng_kind k)
{
    return k >= QRNG_KIND_ANU;
}

static qc_rc take_word(qc_span v, const char *const *words, unsigned count, unsigned *ret, struct qc_err *err)
{
    char all[128] = "";
    for (unsigned i = 0; i < count; i++) {
        if (qc_span_eq(v, qc_span_str(words[i]))) {
            *ret = i;
            return QC_OK;
        }
        const size_t n = strlen(all);
        snprintf(all + n, sizeof all - n, "%s%s", i > 0 ? ", " : "", words[i]);
    }
    return QC_FAIL(err, QC_USAGE, "expected one of %s", all);
}

static qc_rc take_text(qc_span v, char *ret, size_t max, struct qc_err *err)
{
    if (v.n == 0 || v.n > max)
        return QC_FAIL(err, QC_USAGE, "%zu bytes, expected 1 to %zu", v.n, max);
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] < 0x20 || v.p[i] > 0x7e)
            return QC_FAIL(err, QC_USAGE, "a byte that is no printable ASCII");
    memcpy(ret, v.p, v.n);
    ret[v.n] = '\0';
    return QC_OK;
}

/* --- [policy] --- */

static qc_rc take_policy(qc_span v, enum qrng_policy *ret, struct qc_err *err)
{
    unsigned p = 0;
    QC_TRY(take_word(v, policy_texts, QRNG_POLICY_TEST, &p, err)); /* not this one nor what follows */
    *ret = (enum qrng_policy)p;
    return QC_OK;
}

struct policies {
    enum qrng_policy all, of[QRNG_PROFILE_COUNT];
};

static qc_rc take_default(void *ctx, qc_span v, struct qc_err *err)
{
    struct policies *p = ctx;
    return take_policy(v, &p->all, err);
}

static qc_rc take_ec(void *ctx, qc_span v, struct qc_err *err)
{
    struct policies *p = ctx;
    return take_policy(v, &p->of[QRNG_PROFILE_EC], err);
}

static qc_rc take_xor23(void *ctx, qc_span v, struct qc_err *err)
{
    struct policies *p = ctx;
    return take_policy(v, &p->of[QRNG_PROFILE_XOR23], err);
}

/* The profiles in their order, then what holds for all. */
static const struct qc_ini_key policy_keys[] = {
    { "policy", "ec", false, take_ec },
    { "policy", "xor23", false, take_xor23 },
    { "policy", "default", false, take_default },
};

/* --- [source NAME] --- */

static qc_rc take_kind(void *ctx, qc_span v, struct qc_err *err)
{
    struct qrng_source_conf *s = ctx;
    unsigned k = 0;
    QC_TRY(take_word(v, kind_texts, QRNG_KIND_COUNT, &k, err));
    s->kind = (enum qrng_kind)k;
    return QC_OK;
}

static qc_rc take_path(void *ctx, qc_span v, struct qc_err *err)
{
    struct qrng_source_conf *s = ctx;
    if (v.n == 0 || v.p[0] != '/')
        return QC_FAIL(err, QC_USAGE, "an absolute path is expected");
    return take_text(v, s->path, QC_QRNG_PATH_MAX, err);
}

/* What stands after the authority is ours to read; the authority is net's. */
static qc_rc take_url(void *ctx, qc_span v, struct qc_err *err)
{
    struct qrng_source_conf *s = ctx;
    QC_TRY(take_text(v, s->url, QC_QRNG_PATH_MAX, err));
    if (strchr(s->url, ' ') != NULL || strchr(s->url, '#') != NULL)
        return QC_FAIL(err, QC_USAGE, "a URL has no blank and no #");
    struct net_url url;
    struct qrng_url parts;
    return qrng_url_split(s->url, &url, &parts, err);
}

static qc_rc take_ca(void *ctx, qc_span v, struct qc_err *err)
{
    struct qrng_source_conf *s = ctx;
    return qc_ini_path(v, s->ca, sizeof s->ca, err);
}

static qc_rc take_key_file(void *ctx, qc_span v, struct qc_err *err)
{
    struct qrng_source_conf *s = ctx;
    return qc_ini_path(v, s->key_file, sizeof s->key_file, err);
}

static qc_rc take_cert(void *ctx, qc_span v, struct qc_err *err)
{
    struct qrng_source_conf *s = ctx;
    return qc_ini_path(v, s->cert, sizeof s->cert, err);
}

static qc_rc take_position(void *ctx, qc_span v, struct qc_err *err)
{
    struct qrng_source_conf *s = ctx;
    return qc_ini_path(v, s->position, sizeof s->position, err);
}

static qc_rc take_peer(void *ctx, qc_span v, struct qc_err *err)
{
    struct qrng_source_conf *s = ctx;
    return take_text(v, s->peer, QC_QRNG_PEER_MAX, err);
}

/* "6", "6.5", "0.125": thousandths. */
static qc_rc take_entropy(void *ctx, qc_span v, struct qc_err *err)
{
    struct qrng_source_conf *s = ctx;
    unsigned n = 0, places = 0;
    bool point = false, good = v.n >= 1 && v.n <= 5;
    for (size_t i = 0; i < v.n && good; i++) {
        if (v.p[i] == '.' && !point && i > 0) {
            point = true;
            continue;
        }
        good = v.p[i] >= '0' && v.p[i] <= '9' && places < 3;
        n = 10 * n + (unsigned)(v.p[i] - '0');
        places += point;
    }
    for (; places < 3; places++)
        n *= 10;
    if (!good || n < QRNG_ENTROPY_MIN || n > QRNG_ENTROPY_MAX)
        return QC_FAIL(err, QC_USAGE, "bits per byte from %d.%d to %d, as 6.5", QRNG_ENTROPY_MIN / 1000,
                       QRNG_ENTROPY_MIN / 100 % 10, QRNG_ENTROPY_MAX / 1000);
    s->mbit = n;
    return QC_OK;
}

static qc_rc take_condition(void *ctx, qc_span v, struct qc_err *err)
{
    struct qrng_source_conf *s = ctx;
    unsigned c = 0;
    QC_TRY(take_word(v, condition_texts, QRNG_CONDITION_COUNT, &c, err));
    s->condition = (enum qrng_conditioning)c;
    return QC_OK;
}

static qc_rc take_identity(void *ctx, qc_span v, struct qc_err *err)
{
    struct qrng_source_conf *s = ctx;
    return take_text(v, s->identity, QC_QRNG_IDENTITY_MAX, err);
}

static qc_rc take_number(qc_span v, uint64_t min, uint64_t max, uint32_t *ret, struct qc_err *err)
{
    uint64_t n = 0;
    QC_TRY(qc_ini_u64(v, min, max, &n, err));
    *ret = (uint32_t)n;
    return QC_OK;
}

static qc_rc take_rate(void *ctx, qc_span v, struct qc_err *err)
{
    struct qrng_source_conf *s = ctx;
    return take_number(v, 0, QC_QRNG_RATE_MAX, &s->rate, err);
}

static qc_rc take_stall(void *ctx, qc_span v, struct qc_err *err)
{
    struct qrng_source_conf *s = ctx;
    return take_number(v, 1, QC_QRNG_STALL_MAX_MS, &s->stall_ms, err);
}

static qc_rc take_pool(void *ctx, qc_span v, struct qc_err *err)
{
    struct qrng_source_conf *s = ctx;
    return take_number(v, QRNG_OUT_MAX, QC_QRNG_POOL_MAX, &s->pool, err);
}

static const struct qc_ini_key source_keys[] = {
    { "source", "kind", false, take_kind },         { "source", "path", false, take_path },
    { "source", "url", false, take_url },           { "source", "ca", false, take_ca },
    { "source", "key-file", false, take_key_file }, { "source", "cert", false, take_cert },
    { "source", "peer", false, take_peer },         { "source", "position", false, take_position },
    { "source", "entropy", false, take_entropy },   { "source", "condition", false, take_condition },
    { "source", "identity", false, take_identity }, { "source", "rate", false, take_rate },
    { "source", "stall", false, take_stall },       { "source", "pool", false, take_pool },
};
enum { SOURCE_KEYS = sizeof source_keys / sizeof *source_keys };

/* --- The file --- */

/* What was read so far: with room for the sources that the file has, not for all that it might. */
struct draft {
    size_t count;
    struct qrng_source_conf source[];
};

static qc_rc take_name(struct draft *c, const struct qc_ini_section *s, qc_span name, struct qc_err *err)
{
    bool good = name.n >= 1 && name.n <= QC_QRNG_NAME_MAX;
    for (size_t i = 0; i < name.n && good; i++) {
        const uint8_t b = name.p[i];
        good = (b >= 'a' && b <= 'z') || (b >= '0' && b <= '9') || b == '-';
    }
    if (!good || qc_span_eq(name, QC_LIT("os")))
        return QC_FAIL(err, QC_USAGE,
                       "line %u: the name of a source is 1 to %d of a-z, 0-9 and -, and not os", s->line,
                       QC_QRNG_NAME_MAX);
    for (size_t i = 0; i < c->count; i++)
        if (qc_span_eq(name, qc_span_str(c->source[i].name)))
            return QC_FAIL(err, QC_USAGE, "line %u: the source '%s' is given twice", s->line,
                           c->source[i].name);
    memcpy(c->source[c->count].name, name.p, name.n);
    return QC_OK;
}

/* What is for one kind alone. A key manager knows us by a certificate, and its keys by who is at the other
 * end. */
static qc_rc check_kind(const struct qrng_source_conf *s, unsigned line, struct qc_err *err)
{
    const bool kme = s->kind == QRNG_KIND_KME;
    if (kme && (s->ca[0] == '\0' || s->cert[0] == '\0' || s->key_file[0] == '\0' || s->peer[0] == '\0'))
        return QC_FAIL(err, QC_NOTCONF, "line %u: the source '%s' lacks one of ca, cert, key-file, peer",
                       line, s->name);
    if (!kme && (s->cert[0] != '\0' || s->peer[0] != '\0'))
        return QC_FAIL(err, QC_USAGE, "line %u: the source '%s': a cert and a peer are for kme", line,
                       s->name);
    if (s->kind != QRNG_KIND_FILE && s->position[0] != '\0')
        return QC_FAIL(err, QC_USAGE, "line %u: the source '%s': a position is for files", line, s->name);
    return QC_OK;
}

static qc_rc take_source(struct draft *c, const struct qc_ini_section *s, qc_span name, struct qc_err *err)
{
    struct qc_ini ini = { .keys = source_keys, .count = SOURCE_KEYS };
    if (c->count == QC_QRNG_SOURCES_MAX)
        return QC_FAIL(err, QC_LIMIT, "line %u: more than %d sources", s->line, QC_QRNG_SOURCES_MAX);
    struct qrng_source_conf *one = &c->source[c->count];
    *one = (struct qrng_source_conf){ .stall_ms = QC_QRNG_STALL_MS };
    QC_TRY(take_name(c, s, name, err));
    QC_TRY(qc_ini_section_take(s, "[source]", QC_QRNG_CONF_MAX, &ini, one, err));
    const bool remote = qrng_kind_is_remote(one->kind);
    if (ini.line[0] == 0 || one->path[0] == one->url[0])
        return QC_FAIL(err, QC_NOTCONF, "line %u: the source '%s' has no kind, or no %s", s->line, one->name,
                       remote ? "url" : "path");
    if (remote != (one->url[0] != '\0') || (!remote && (one->ca[0] != '\0' || one->key_file[0] != '\0')))
        return QC_FAIL(err, QC_USAGE,
                       "line %u: the source '%s': a url, ca and key-file are for services, a path for others",
                       s->line, one->name);
    QC_TRY(check_kind(one, s->line, err));
    if (one->mbit == 0)
        one->mbit = kind_mbit[one->kind];
    if (one->pool == 0)
        one->pool = kind_pool[one->kind];
    c->count++;
    return QC_OK;
}

static const char source_head[] = "[source ";

static bool is_source(const struct qc_ini_section *s)
{
    const size_t n = sizeof source_head - 1;
    return s->head.n > n && memcmp(s->head.p, source_head, n) == 0;
}

/* Room for as many as take_source takes. */
static struct draft *draft_new(qc_span text)
{
    struct qc_ini_section s;
    unsigned line = 1;
    size_t count = 0;
    while (count < QC_QRNG_SOURCES_MAX && qc_ini_section(&text, &line, &s))
        count += is_source(&s);
    return qc_alloc(sizeof(struct draft) + count * sizeof(struct qrng_source_conf));
}

static qc_rc take_section(struct draft *c, const struct qc_ini_section *s, struct policies *p,
                          struct qc_ini *policy, struct qc_err *err)
{
    const size_t n = sizeof source_head - 1;
    if (s->head.n == 0) {
        struct qc_ini none = { .keys = policy_keys, .count = sizeof policy_keys / sizeof *policy_keys };
        return qc_ini_section_take(s, "", QC_QRNG_CONF_MAX, &none, p,
                                   err); /* comments only: a key before a section is refused */
    }
    if (qc_span_eq(s->head, QC_LIT("[policy]"))) {
        if (policy->keys != NULL)
            return QC_FAIL(err, QC_USAGE, "line %u: [policy] is given twice", s->line);
        *policy = (struct qc_ini){ .keys = policy_keys, .count = sizeof policy_keys / sizeof *policy_keys };
        return qc_ini_section_take(s, "[policy]", QC_QRNG_CONF_MAX, policy, p, err);
    }
    if (is_source(s) && s->head.p[s->head.n - 1] == ']')
        return take_source(c, s, qc_span_trim(qc_span_sub(s->head, n, s->head.n - n - 1)), err);
    return QC_FAIL(err, QC_USAGE, "line %u: a section is [policy] or [source NAME]", s->line);
}

/* A command writes, and copies, the sources that there are: all eight places are more memory, fresh from the
 * kernel, than the rest of what a draw touches. */
void qrng_conf_init(struct qrng_conf *c)
{
    memset(c, 0, offsetof(struct qrng_conf, source));
}

qc_rc qrng_conf_parse(qc_span text, struct qrng_conf *ret, struct qc_err *err)
{
    struct policies p = { 0 };
    struct qc_ini policy = { 0 };
    struct qc_ini_section s;
    unsigned line = 1;
    if (text.n > QC_QRNG_CONF_MAX)
        return QC_FAIL(err, QC_LIMIT, "%zu bytes, at most %d", text.n, QC_QRNG_CONF_MAX);
    QC_CLEANUP(qc_free_ptr) struct draft *c = draft_new(text);
    if (c == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a configuration");
    while (qc_ini_section(&text, &line, &s))
        QC_TRY(take_section(c, &s, &p, &policy, err));
    for (unsigned i = 0; i < QRNG_PROFILE_COUNT; i++) {
        if (policy.line[i] == 0)
            p.of[i] = p.all;
        if (p.of[i] != QRNG_POLICY_OS && c->count == 0)
            return QC_FAIL(err, QC_NOTCONF, "the policy is %s, and there is no [source NAME]",
                           qrng_policy_text(p.of[i]));
    }
    qrng_conf_init(ret);
    memcpy(ret->policy, p.of, sizeof ret->policy);
    ret->count = c->count;
    memcpy(ret->source, c->source, c->count * sizeof c->source[0]);
    return QC_OK;
}
