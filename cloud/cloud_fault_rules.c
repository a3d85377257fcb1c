#include "cloud_fault.h"

#include <string.h>

static const char *const op_names[FAULT_OPS] = { "put", "get", "head", "delete", "list", "space", "alive" };

enum arg_kind { ARG_NONE, ARG_CODE, ARG_MS };

/* In the order of enum fault_act: name, what follows the second colon, operations that know it. */
static const struct act_row {
    const char *name;
    enum arg_kind arg;
    unsigned ops;
} acts[FAULT_ACTS] = {
    [FAULT_FAIL] = { "fail", ARG_CODE, ~0U },
    [FAULT_AFTER] = { "after", ARG_CODE, ~0U },
    [FAULT_DELAY] = { "delay", ARG_MS, ~0U },
    [FAULT_HANG] = { "hang", ARG_MS, ~0U },
    [FAULT_LATE] = { "late", ARG_MS, 1U << FAULT_PUT },
    [FAULT_STALL] = { "stall", ARG_MS, 1U << FAULT_GET },
    [FAULT_FLIP] = { "flip", ARG_NONE, 1U << FAULT_PUT | 1U << FAULT_GET },
    [FAULT_TRUNCATE] = { "truncate", ARG_NONE, 1U << FAULT_PUT | 1U << FAULT_GET | 1U << FAULT_HEAD },
    [FAULT_MISSING] = { "missing", ARG_NONE, 1U << FAULT_GET | 1U << FAULT_HEAD },
    [FAULT_EMPTY] = { "empty", ARG_NONE, 1U << FAULT_LIST },
    [FAULT_STALE] = { "stale", ARG_NONE, 1U << FAULT_GET | 1U << FAULT_HEAD },
    [FAULT_DROP] = { "drop", ARG_NONE, 1U << FAULT_PUT | 1U << FAULT_DELETE },
};

/* A cut of the text. */
struct cut {
    const char *p;
    size_t n;
};

static bool cut_is(struct cut c, const char *s)
{
    return strlen(s) == c.n && strncmp(c.p, s, c.n) == 0;
}

/* What stands before the first byte of `stops`; *rest goes on at that byte. */
static struct cut cut_to(struct cut *rest, const char *stops)
{
    size_t n = 0;
    while (n < rest->n && strchr(stops, rest->p[n]) == NULL)
        n++;
    struct cut head = { rest->p, n };
    *rest = (struct cut){ rest->p + n, rest->n - n };
    return head;
}

static bool take(struct cut *rest, char ch)
{
    if (rest->n == 0 || *rest->p != ch)
        return false;
    *rest = (struct cut){ rest->p + 1, rest->n - 1 };
    return true;
}

static bool number(struct cut c, uint64_t *ret)
{
    uint64_t v = 0;
    if (c.n == 0 || c.n > 9)
        return false;
    for (size_t i = 0; i < c.n; i++) {
        if (c.p[i] < '0' || c.p[i] > '9')
            return false;
        v = v * 10 + (uint64_t)(c.p[i] - '0');
    }
    *ret = v;
    return true;
}

static bool op_parse(struct cut c, unsigned *ret)
{
    if (cut_is(c, "any")) {
        *ret = (1U << FAULT_OPS) - 1;
        return true;
    }
    for (unsigned i = 0; i < FAULT_OPS; i++) {
        if (cut_is(c, op_names[i])) {
            *ret = 1U << i;
            return true;
        }
    }
    return false;
}

static bool act_parse(struct cut c, enum fault_act *ret)
{
    for (unsigned i = 0; i < FAULT_ACTS; i++) {
        if (cut_is(c, acts[i].name)) {
            *ret = (enum fault_act)i;
            return true;
        }
    }
    return false;
}

static bool code_parse(struct cut c, qc_rc *ret)
{
    char id[32];
    if (c.n >= sizeof id)
        return false;
    memcpy(id, c.p, c.n);
    id[c.n] = '\0';
    return qc_rc_from_name(id, ret) && *ret != QC_OK;
}

static bool arg_parse(struct cut *rest, struct fault_rule *r)
{
    enum arg_kind kind = acts[r->act].arg;
    bool given = take(rest, ':');
    if (!given || kind == ARG_NONE)
        return !given && kind != ARG_MS;
    struct cut arg = cut_to(rest, "@%");
    return kind == ARG_CODE ? code_parse(arg, &r->rc) : number(arg, &r->ms);
}

static bool when_parse(struct cut *rest, struct fault_rule *r)
{
    if (take(rest, '@')) {
        if (!number(cut_to(rest, "-%"), &r->first) || r->first == 0)
            return false;
        if (take(rest, '-') && (!number(cut_to(rest, "%"), &r->last) || r->last < r->first))
            return false;
    }
    uint64_t percent = 100;
    if (take(rest, '%') && (!number(cut_to(rest, ""), &percent) || percent > 100))
        return false;
    r->percent = (unsigned)percent;
    return rest->n == 0;
}

static bool rule_parse(struct cut text, struct fault_rule *ret)
{
    struct fault_rule r = { .rc = QC_TEMP, .first = 1, .last = UINT64_MAX };
    if (!op_parse(cut_to(&text, ":"), &r.ops) || !take(&text, ':') ||
        !act_parse(cut_to(&text, ":@%"), &r.act))
        return false;
    if ((r.ops & acts[r.act].ops) == 0 || !arg_parse(&text, &r) || !when_parse(&text, &r))
        return false;
    r.ops &= acts[r.act].ops;
    *ret = r;
    return true;
}

qc_rc fault_rules_parse(const char *text, const char *name, struct fault_rules *ret, struct qc_err *err)
{
    struct fault_rules rules = { .count = 0 };
    struct cut rest = { text, strlen(text) };
    while (rest.n > 0) {
        struct cut cloud = cut_to(&rest, ";\n");
        if (rest.n > 0)
            rest = (struct cut){ rest.p + 1, rest.n - 1 };
        if (cloud.n == 0)
            continue;
        struct cut who = cut_to(&cloud, "=");
        if (!take(&cloud, '='))
            return QC_FAIL(err, QC_USAGE, "QC_CLOUD_FAULTS: '%.*s' is not NAME=RULES", (int)who.n, who.p);
        while (cloud.n > 0) {
            struct cut one = cut_to(&cloud, ",|");
            struct fault_rule r;
            if ((take(&cloud, ',') || take(&cloud, '|')) && cloud.n == 0)
                return QC_FAIL(err, QC_USAGE, "QC_CLOUD_FAULTS: a rule is missing at the end");
            if (!rule_parse(one, &r) || rules.count == CLOUD_FAULT_RULES_MAX)
                return QC_FAIL(err, QC_USAGE, "QC_CLOUD_FAULTS: bad or one too many: '%.*s'", (int)one.n,
                               one.p);
            if (cut_is(who, name) || cut_is(who, "*"))
                rules.rule[rules.count++] = r;
        }
    }
    *ret = rules;
    return QC_OK;
}

bool fault_rule_applies(const struct fault_rule *r, enum fault_op op, uint64_t count)
{
    if ((r->ops & 1U << op) == 0 || count < r->first || count > r->last)
        return false;
    uint64_t h = (count + 1) * UINT64_C(0x9E3779B97F4A7C15);
    h ^= h >> 29;
    h *= UINT64_C(0xBF58476D1CE4E5B9);
    return (h >> 32) % 100 < r->percent;
}
