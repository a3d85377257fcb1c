#include "prices.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/ini.h"
#include "json.h"

enum { TEXT_MAX = 64 * 1024, DIGITS = 6 };

/* -- the table ------------------------------------------------------------------------------------------- */

static qc_rc take_currency(void *ctx, qc_span v, struct qc_err *err)
{
    struct prices *p = ctx;
    if (v.n < 1 || v.n >= sizeof p->currency)
        return QC_FAIL(err, QC_USAGE, "expected 1 to %zu bytes", sizeof p->currency - 1);
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] <= ' ' || v.p[i] > '~')
            return QC_FAIL(err, QC_USAGE, "expected a name like EUR");
    memcpy(p->currency, v.p, v.n);
    return QC_OK;
}

/* 12, 0.09, .004: up to nine digits before the point, and six after it. */
static qc_rc decimal(qc_span v, uint64_t *ret, struct qc_err *err)
{
    uint64_t n = 0;
    size_t i = 0, after = 0;
    for (; i < v.n && v.p[i] >= '0' && v.p[i] <= '9' && i < 9; i++)
        n = 10 * n + (uint64_t)(v.p[i] - '0');
    const size_t before = i;
    if (i < v.n && v.p[i] == '.')
        for (i++; i < v.n && v.p[i] >= '0' && v.p[i] <= '9' && after < DIGITS; i++, after++)
            n = 10 * n + (uint64_t)(v.p[i] - '0');
    if (i != v.n || before + after == 0)
        return QC_FAIL(err, QC_USAGE, "expected a number like 0.09, with at most %d digits behind the point",
                       DIGITS);
    for (; after < DIGITS; after++)
        n *= 10;
    *ret = n;
    return QC_OK;
}

static qc_rc take(struct prices *p, enum price which, qc_span v, struct qc_err *err)
{
    QC_TRY(decimal(v, &p->millionths[which], err));
    p->has[which] = true;
    return QC_OK;
}

static qc_rc take_read_gib(void *ctx, qc_span v, struct qc_err *err)
{
    return take(ctx, PRICE_READ_GIB, v, err);
}

static qc_rc take_write_gib(void *ctx, qc_span v, struct qc_err *err)
{
    return take(ctx, PRICE_WRITE_GIB, v, err);
}

static qc_rc take_reads(void *ctx, qc_span v, struct qc_err *err)
{
    return take(ctx, PRICE_READS, v, err);
}

static qc_rc take_writes(void *ctx, qc_span v, struct qc_err *err)
{
    return take(ctx, PRICE_WRITES, v, err);
}

static qc_rc take_deletes(void *ctx, qc_span v, struct qc_err *err)
{
    return take(ctx, PRICE_DELETES, v, err);
}

qc_rc prices_parse(qc_span text, struct prices *ret, struct qc_err *err)
{
    static const struct qc_ini_key keys[] = {
        { "prices", "currency", true, take_currency },
        { "prices", "read-gib", false, take_read_gib },
        { "prices", "write-gib", false, take_write_gib },
        { "prices", "read-requests-1000", false, take_reads },
        { "prices", "write-requests-1000", false, take_writes },
        { "prices", "delete-requests-1000", false, take_deletes },
    };
    struct qc_ini ini = { .keys = keys, .count = sizeof keys / sizeof keys[0] };
    struct prices p = { 0 };
    QC_TRY(qc_ini_parse(text, TEXT_MAX, &ini, &p, err));
    *ret = p;
    return QC_OK;
}

qc_rc prices_load(const char *path, struct prices *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = TEXT_MAX + 1 };
    QC_TRY_AS(qc_path_read(path, 0, TEXT_MAX + 1, &text, err), err, "prices '%s'", path);
    QC_TRY_AS(prices_parse(qc_buf_span(&text), ret, err), err, "prices '%s'", path);
    return QC_OK;
}

/* -- a plan ---------------------------------------------------------------------------------------------- */

qc_rc prices_apply(const struct prices *p, bool given, struct json_t *plan, struct qc_err *err)
{
    static const struct {
        const char *name;
        double unit;
    } parts[PRICES] = {
        [PRICE_READ_GIB] = { "read_bytes", 1073741824 },
        [PRICE_WRITE_GIB] = { "written_bytes", 1073741824 },
        [PRICE_READS] = { "reads", 1000 },
        [PRICE_WRITES] = { "writes", 1000 },
        [PRICE_DELETES] = { "deletes", 1000 },
    };
    double cost = 0;
    bool known = given;
    for (unsigned i = 0; i < PRICES; i++) {
        uint64_t n = 0;
        QC_TRY(json_number(plan, parts[i].name, &n, err));
        known = known && (p->has[i] || n == 0);
        cost += (double)n / parts[i].unit * (double)p->millionths[i];
    }
    if (!known || cost > 9e15)
        return qc_json_set_null(plan, "cost_millionths", err);
    QC_TRY(qc_json_set_str(plan, "currency", p->currency, err));
    return json_count(plan, "cost_millionths", (uint64_t)(cost + 0.5), err);
}

struct amounts {
    uint64_t bytes, reads, read_bytes, writes, written_bytes, deletes, domains, needed, rate;
};

static qc_rc take_amounts(const struct json_t *plan, struct amounts *a, struct qc_err *err)
{
    const struct {
        const char *name;
        uint64_t *to;
    } rows[] = { { "bytes", &a->bytes },           { "reads", &a->reads },
                 { "read_bytes", &a->read_bytes }, { "writes", &a->writes },
                 { "deletes", &a->deletes },       { "written_bytes", &a->written_bytes },
                 { "domains", &a->domains },       { "needed", &a->needed },
                 { "bytes_per_s", &a->rate } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        QC_TRY(json_number(plan, rows[i].name, rows[i].to, err));
    return QC_OK;
}

static double mib(uint64_t bytes)
{
    return (double)bytes / 1048576;
}

/* limit: what it may read and write in a second; 0: no limit. */
static qc_rc time_text(const struct amounts *a, uint64_t limit, qc_buf *ret, struct qc_err *err)
{
    const bool limited = limit > 0 && (a->rate == 0 || limit < a->rate);
    const uint64_t rate = limited ? limit : a->rate;
    if (rate == 0)
        return qc_buf_add(
            ret, QC_LIT("  time: unknown: nothing was moved yet that it could be measured by\n"), err);
    const double s = (double)(a->read_bytes + a->written_bytes) / (double)rate;
    return qc_buf_addf(ret, err, "  time: %s %.0f %s, at the %.1f MiB/s %s\n",
                       limited && a->rate == 0 ? "at least" : "about", s < 7200 ? s : s / 3600,
                       s < 7200 ? "s" : "h", mib(rate), limited ? "that are allowed" : "of the last move");
}

static qc_rc cost_text(const struct json_t *plan, qc_buf *ret, struct qc_err *err)
{
    struct qc_err unknown = { 0 };
    const char *currency = NULL;
    uint64_t cost = 0;
    if (json_number(plan, "cost_millionths", &cost, &unknown) != QC_OK)
        return qc_buf_add(ret, QC_LIT("  cost: unknown: give a table of prices, --prices FILE\n"), err);
    QC_TRY(qc_json_str(plan, "currency", &currency, err));
    return qc_buf_addf(ret, err, "  cost: about %" PRIu64 ".%02" PRIu64 " %s, by the prices given\n",
                       cost / 1000000, cost % 1000000 / 10000, currency);
}

/* What both plans have: requests, bytes, time, cost. */
static qc_rc amounts_text(const struct json_t *plan, const struct amounts *a, uint64_t limit, qc_buf *ret,
                          struct qc_err *err)
{
    QC_TRY(qc_buf_addf(ret, err,
                       "  reads: about %" PRIu64 " requests, %.1f MiB; writes: about %" PRIu64
                       " requests, %.1f MiB; deletes: about %" PRIu64 " requests\n",
                       a->reads, mib(a->read_bytes), a->writes, mib(a->written_bytes), a->deletes));
    QC_TRY(time_text(a, limit, ret, err));
    return cost_text(plan, ret, err);
}

qc_rc prices_text(const struct json_t *plan, qc_buf *ret, struct qc_err *err)
{
    const char *cloud = NULL;
    bool possible = false;
    uint64_t fragments = 0;
    struct amounts a = { 0 };
    QC_TRY(qc_json_str(plan, "cloud", &cloud, err));
    QC_TRY(qc_json_bool(plan, "possible", &possible, err));
    QC_TRY(json_number(plan, "fragments", &fragments, err));
    QC_TRY(take_amounts(plan, &a, err));
    QC_TRY(qc_buf_addf(ret, err, "cloud %s: %" PRIu64 " fragments, about %.1f MiB, would go elsewhere\n",
                       cloud, fragments, mib(a.bytes)));
    QC_TRY(amounts_text(plan, &a, 0, ret, err));
    if (possible)
        return QC_OK;
    return qc_buf_addf(ret, err,
                       "  not possible now: without it %" PRIu64 " failure domains are left, and %" PRIu64
                       " are needed: cloud add, or cloud replace\n",
                       a.domains, a.needed);
}

struct codes {
    uint64_t was_k, was_n, k, n, segments, lie, will_lie, was_margin, margin, was_quorum, quorum;
};

static qc_rc take_codes(const struct json_t *plan, struct codes *c, struct qc_err *err)
{
    const struct {
        const char *name;
        uint64_t *to;
    } rows[] = { { "k_now", &c->was_k },
                 { "n_now", &c->was_n },
                 { "k", &c->k },
                 { "n", &c->n },
                 { "segments", &c->segments },
                 { "stored_bytes_now", &c->lie },
                 { "stored_bytes", &c->will_lie },
                 { "margin_now", &c->was_margin },
                 { "margin", &c->margin },
                 { "record_quorum_now", &c->was_quorum },
                 { "record_quorum", &c->quorum } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        QC_TRY(json_number(plan, rows[i].name, rows[i].to, err));
    return QC_OK;
}

static qc_rc margins_text(const struct codes *c, qc_buf *ret, struct qc_err *err)
{
    QC_TRY(qc_buf_addf(ret, err,
                       "  margin: any %" PRIu64 " cloud%s may be lost now, when all is whole; any %" PRIu64
                       " then\n",
                       c->was_margin, c->was_margin == 1 ? "" : "s", c->margin));
    if (c->quorum == c->was_quorum)
        return QC_OK;
    return qc_buf_addf(ret, err,
                       "  records of the log: on %" PRIu64 " clouds each now, on %" PRIu64 " then\n",
                       c->was_quorum, c->quorum);
}

qc_rc prices_code_text(const struct json_t *plan, uint64_t limit, qc_buf *ret, struct qc_err *err)
{
    bool possible = false;
    struct amounts a = { 0 };
    struct codes c = { 0 };
    QC_TRY(qc_json_bool(plan, "possible", &possible, err));
    QC_TRY(take_amounts(plan, &a, err));
    QC_TRY(take_codes(plan, &c, err));
    if (c.segments == 0 && c.k == c.was_k && c.n == c.was_n)
        return qc_buf_addf(ret, err,
                           "code %" PRIu64 ",%" PRIu64
                           " is in use already, and all that is stored has it: nothing to do\n",
                           c.k, c.n);
    QC_TRY(
        qc_buf_addf(ret, err,
                    "code %" PRIu64 ",%" PRIu64 " instead of %" PRIu64 ",%" PRIu64 ": %" PRIu64
                    " segments, %.1f MiB, would be coded anew; on the clouds they take about %.1f MiB now, "
                    "%.1f MiB then\n",
                    c.k, c.n, c.was_k, c.was_n, c.segments, mib(a.bytes), mib(c.lie), mib(c.will_lie)));
    QC_TRY(margins_text(&c, ret, err));
    QC_TRY(amounts_text(plan, &a, limit, ret, err));
    if (possible)
        return QC_OK;
    return qc_buf_addf(ret, err,
                       "  not possible now: there are %" PRIu64 " failure domains, and %" PRIu64
                       " are needed: cloud add\n",
                       a.domains, a.needed);
}
