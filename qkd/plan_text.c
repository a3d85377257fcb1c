#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "qkd/plan.h"

/* -- what is said ---------------------------------------------------------------------------------------- */

/* The unit behind a number: NULL if it is none. */
static const char *take_unit(const char *s, double *v)
{
    static const char letters[] = "kMGTP", binary[] = "KMGTP";
    const char *decimal = *s == '\0' ? NULL : strchr(letters, *s);
    const char *two = *s != '\0' && s[1] == 'i' ? strchr(binary, *s) : NULL;
    const char *found = two != NULL ? two : decimal;
    const long power = found == NULL ? 0 : 1 + (two != NULL ? two - binary : decimal - letters);
    for (long i = 0; i < power; i++)
        *v *= two != NULL ? 1024 : 1000;
    s += power == 0 ? 0 : two != NULL ? 2 : 1;
    return *s == '\0' ? s : NULL;
}

qc_rc qkd_plan_number(const char *text, const char *what, double *ret, struct qc_err *err)
{
    const char *s = text;
    double v = 0, place = 1;
    unsigned digits = 0;
    for (; *s >= '0' && *s <= '9'; s++, digits++)
        v = v * 10 + (*s - '0');
    if (digits > 0 && *s == '.')
        for (s++; *s >= '0' && *s <= '9'; s++, digits++)
            v += (place /= 10) * (*s - '0');
    if (digits == 0 || digits > QKD_PLAN_DIGITS || s[-1] == '.' || take_unit(s, &v) == NULL)
        return QC_FAIL(err, QC_USAGE, "--%s: '%.40s' is not a number (such as 20, 49.5k, 12G, 1Gi)", what,
                       text);
    if (!(v > 0 && v <= (double)QKD_PLAN_MAX))
        return QC_FAIL(err, QC_USAGE, "--%s: %.40s is not above 0 and at most %" PRIu64, what, text,
                       QKD_PLAN_MAX);
    *ret = v;
    return QC_OK;
}

static const char *const ciphers[] = {
    [QKD_AES_256] = "aes-256", [QKD_AES_128] = "aes-128", [QKD_PAD] = "otp"
};

static qc_rc take_cipher(const struct qc_args *args, struct qkd_plan *p, struct qc_err *err)
{
    const char *name = qc_args_value(args, "cipher", ciphers[QKD_AES_256]);
    for (unsigned i = 0; i < sizeof ciphers / sizeof *ciphers; i++)
        if (strcmp(name, ciphers[i]) == 0) {
            p->cipher = (enum qkd_cipher)i;
            return QC_OK;
        }
    return QC_FAIL(err, QC_USAGE, "--cipher %.40s: expected aes-256, aes-128 or otp", name);
}

static qc_rc take_numbers(const struct qc_args *args, struct qkd_plan *p, struct qc_err *err)
{
    const struct {
        const char *name;
        double *v;
    } rows[] = { { "rate", &p->rate_bps },           { "rekey-seconds", &p->rekey_s },
                 { "rekey-bytes", &p->rekey_bytes }, { "encryptor", &p->encryptor_bps },
                 { "traffic", &p->traffic_bps },     { "bytes", &p->bytes },
                 { "stock", &p->stock_bits },        { "frame", &p->frame_bytes } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *text = qc_args_value(args, rows[i].name, NULL);
        if (text != NULL)
            QC_TRY(qkd_plan_number(text, rows[i].name, rows[i].v, err));
    }
    return QC_OK;
}

/* What does not go together, or is not enough to say anything. */
static qc_rc refuse(const struct qkd_plan *p, struct qc_err *err)
{
    const bool pad = p->cipher == QKD_PAD;
    if (pad && (p->rekey_s > 0 || p->rekey_bytes > 0 || p->encryptor_bps > 0))
        return QC_FAIL(err, QC_USAGE, "--cipher otp: a one-time pad takes no new keys; its key is the pad");
    if (!pad && p->frame_bytes > 0)
        return QC_FAIL(err, QC_USAGE, "--frame is for --cipher otp");
    if (p->frame_bytes > QKD_PLAN_FRAME || (pad && p->frame_bytes > 0 && p->frame_bytes < 1))
        return QC_FAIL(err, QC_USAGE, "--frame: 1 to %d bytes", QKD_PLAN_FRAME);
    if (p->encryptor_bps > 0 && p->rekey_s == 0)
        return QC_FAIL(err, QC_USAGE, "--encryptor is for --rekey-seconds");
    if (p->rekey_s > 0 && p->rekey_s * 1e9 < QKD_PLAN_LEAST_NS)
        return QC_FAIL(err, QC_USAGE, "--rekey-seconds: at least a microsecond");
    if (p->rekey_bytes > 0 && p->rekey_bytes < 1)
        return QC_FAIL(err, QC_USAGE, "--rekey-bytes: at least 1");
    if (p->rate_bps == 0 && p->traffic_bps == 0 && (p->stock_bits == 0 || p->bytes == 0))
        return QC_FAIL(err, QC_USAGE,
                       "--rate says what key there is, --traffic what is to go through: one of "
                       "them is needed");
    return QC_OK;
}

qc_rc qkd_plan_take(const struct qc_args *args, struct qkd_plan *ret, struct qc_err *err)
{
    struct qkd_plan p = { 0 };
    uint64_t k = 0, n = 0, hops = 1;
    const char *code = qc_args_value(args, "code", NULL);
    QC_TRY(take_cipher(args, &p, err));
    QC_TRY(take_numbers(args, &p, err));
    QC_TRY(qc_args_u64(args, "hops", false, 1, KME_NODES_MAX, &hops, err));
    if (code != NULL)
        QC_TRY(qc_parse_code(code, "--code", QC_EC_N_MAX, &k, &n, err));
    p.k = (unsigned)k;
    p.n = (unsigned)n;
    p.hops = (unsigned)hops;
    QC_TRY(refuse(&p, err));
    *ret = p;
    return QC_OK;
}

/* -- for people ------------------------------------------------------------------------------------------ */

void qkd_amount_text(double v, const char *unit, char ret[QKD_SPAN_TEXT])
{
    static const char *const prefixes[] = { "", "k", "M", "G", "T", "P", "E" };
    size_t i = 0;
    for (; v >= 999.5 && i + 1 < sizeof prefixes / sizeof *prefixes; i++)
        v /= 1000;
    if (v >= 999.5)
        snprintf(ret, QKD_SPAN_TEXT, isfinite(v) ? "%.3g %s%s" : "no bound", v, prefixes[i], unit);
    else
        snprintf(ret, QKD_SPAN_TEXT, "%.3g %s%s", v, prefixes[i], unit);
}

void qkd_span_text(double seconds, char ret[QKD_SPAN_TEXT])
{
    static const struct {
        double most, unit;
        const char *name;
    } rows[] = {
        { 120, 1, "s" }, { 7200, 60, "min" }, { 172800, 3600, "h" }, { 730 * 86400.0, 86400, "days" }
    };
    const size_t count = sizeof rows / sizeof *rows;
    size_t i = 0;
    while (i < count && seconds >= rows[i].most)
        i++;
    const double v = seconds / (i < count ? rows[i].unit : 365.25 * 86400);
    if (!isfinite(v))
        snprintf(ret, QKD_SPAN_TEXT, "for ever");
    else if (i == 0 && v < 10)
        snprintf(ret, QKD_SPAN_TEXT, "%.2g s", v);
    else
        snprintf(ret, QKD_SPAN_TEXT,
                 v < 10    ? "%.1f %s"
                 : v < 1e6 ? "%.0f %s"
                           : "%.2g %s",
                 v, i < count ? rows[i].name : "years");
}

struct amount {
    char text[QKD_SPAN_TEXT];
};

static struct amount bps(double v)
{
    struct amount a;
    qkd_amount_text(v, "b/s", a.text);
    return a;
}

static struct amount bytes(double v)
{
    struct amount a;
    qkd_amount_text(v, "B", a.text);
    return a;
}

static struct amount span(double v)
{
    struct amount a;
    qkd_span_text(v, a.text);
    return a;
}

static struct amount a_day(double v)
{
    return bytes(v / 8 * 86400);
}

static qc_rc rule_text(const struct qkd_plan *p, const struct qkd_budget *b, qc_buf *to, struct qc_err *err)
{
    if (p->cipher == QKD_PAD)
        return qc_buf_addf(to, err,
                           "cipher        one-time pad: each bit of data takes a bit of key, and some\n");
    QC_TRY(qc_buf_addf(to, err, "cipher        %s: a key of %u bits", ciphers[p->cipher], b->key_bits));
    if (isfinite(b->per_key))
        QC_TRY(qc_buf_addf(to, err, " for each %s", bytes(b->per_key).text));
    if (p->rekey_s > 0)
        QC_TRY(qc_buf_addf(to, err, "%s each %s", isfinite(b->per_key) ? "," : "", span(p->rekey_s).text));
    if (p->encryptor_bps > 0)
        QC_TRY(qc_buf_addf(to, err, " at %s", bps(p->encryptor_bps).text));
    return qc_buf_addf(to, err, "\n");
}

static qc_rc rate_text(const struct qkd_plan *p, const struct qkd_budget *b, qc_buf *to, struct qc_err *err)
{
    if (p->rate_bps == 0)
        return QC_OK;
    QC_TRY(qc_buf_addf(to, err, "key           %s for each link", bps(p->rate_bps).text));
    if (p->hops > 1)
        QC_TRY(qc_buf_addf(to, err, ", over %u quantum links: a key takes %.0f bits of each", p->hops,
                           b->cost_bits));
    if (b->carries_bps == 0)
        return qc_buf_addf(to, err, "\ncarries       nothing: one connection alone takes %s\n",
                           bps(b->cost_bits / p->rekey_s).text);
    QC_TRY(qc_buf_addf(to, err, "\ncarries       %s", bps(b->carries_bps).text));
    if (isfinite(b->carries_bps))
        QC_TRY(qc_buf_addf(to, err, ", %s a day", a_day(b->carries_bps).text));
    if (p->k > 0)
        QC_TRY(qc_buf_addf(to, err, "; %s on each of %u links", bps(b->carries_bps / p->k).text, p->n));
    if (b->encryptors > 0 && isfinite(b->encryptors))
        QC_TRY(qc_buf_addf(to, err, "; %.4g encryptors at their full rate%s", b->encryptors,
                           b->encryptors < 1 ? ": not one" : ""));
    return qc_buf_addf(to, err, "\n");
}

static qc_rc traffic_text(const struct qkd_plan *p, const struct qkd_budget *b, qc_buf *to,
                          struct qc_err *err)
{
    if (p->traffic_bps == 0)
        return QC_OK;
    QC_TRY(qc_buf_addf(to, err, "traffic       %s needs %s of key for each link", bps(p->traffic_bps).text,
                       bps(b->use_bps).text));
    if (p->cipher != QKD_PAD)
        QC_TRY(qc_buf_addf(to, err, ", %.3g keys a second", b->keys_per_s));
    if (p->rate_bps > 0 && b->use_bps <= p->rate_bps)
        QC_TRY(qc_buf_addf(to, err, ": %s are left", bps(p->rate_bps - b->use_bps).text));
    else if (p->rate_bps > 0)
        QC_TRY(qc_buf_addf(to, err, ": %s more than there are", bps(b->use_bps - p->rate_bps).text));
    if (b->would_do > 0)
        QC_TRY(qc_buf_addf(to, err, "; a key for each %s would do", bytes(b->would_do).text));
    return qc_buf_addf(to, err, "\n");
}

static qc_rc stock_text(const struct qkd_plan *p, const struct qkd_budget *b, qc_buf *to, struct qc_err *err)
{
    struct amount stock;
    if (p->stock_bits == 0)
        return QC_OK;
    qkd_amount_text(p->stock_bits, "bit", stock.text);
    QC_TRY(qc_buf_addf(to, err, "stock         %s for each link: %s of data", stock.text,
                       bytes(b->stock_bytes).text));
    if (p->traffic_bps > 0)
        QC_TRY(qc_buf_addf(to, err, "; at this traffic it lasts %s", span(b->stock_s).text));
    if (isfinite(b->refill_s))
        QC_TRY(qc_buf_addf(to, err, "; full again in %s", span(b->refill_s).text));
    return qc_buf_addf(to, err, "\n");
}

static qc_rc bytes_text(const struct qkd_plan *p, const struct qkd_budget *b, qc_buf *to, struct qc_err *err)
{
    if (p->bytes == 0)
        return QC_OK;
    if (!isfinite(b->bytes_s))
        return qc_buf_addf(to, err, "data          %s: there is not so much key, and there never will be\n",
                           bytes(p->bytes).text);
    return qc_buf_addf(to, err, "data          %s in %s\n", bytes(p->bytes).text, span(b->bytes_s).text);
}

/* What a one-time pad would be, said in one line whatever was asked. */
static qc_rc pad_text(const struct qkd_plan *p, const struct qkd_budget *b, qc_buf *to, struct qc_err *err)
{
    if (p->cipher == QKD_PAD || p->rate_bps == 0)
        return QC_OK;
    QC_TRY(qc_buf_addf(to, err, "one-time pad  the same key would carry %s, %s a day", bps(b->pad_bps).text,
                       a_day(b->pad_bps).text));
    if (p->bytes > 0)
        QC_TRY(qc_buf_addf(to, err, ": %s in %s", bytes(p->bytes).text, span(b->pad_bytes_s).text));
    return qc_buf_addf(to, err, "\n");
}

qc_rc qkd_plan_text(const struct qkd_plan *p, qc_buf *ret, struct qc_err *err)
{
    const struct qkd_budget b = qkd_budget_of(p);
    QC_TRY(rule_text(p, &b, ret, err));
    QC_TRY(rate_text(p, &b, ret, err));
    QC_TRY(traffic_text(p, &b, ret, err));
    QC_TRY(stock_text(p, &b, ret, err));
    QC_TRY(bytes_text(p, &b, ret, err));
    return pad_text(p, &b, ret, err);
}

/* -- for programs ---------------------------------------------------------------------------------------- */

struct member {
    const char *name;
    double v;
    bool is; /* else it is left out */
};

static qc_rc members(const struct member *m, size_t count, struct json_t *to, struct qc_err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (m[i].is && isfinite(m[i].v))
            QC_TRY(qc_json_set_real(to, m[i].name, m[i].v, err));
        else if (m[i].is)
            QC_TRY(qc_json_set_null(to, m[i].name, err));
    }
    return QC_OK;
}

qc_rc qkd_plan_json(const struct qkd_plan *p, struct json_t *to, struct qc_err *err)
{
    const struct qkd_budget b = qkd_budget_of(p);
    const bool rate = p->rate_bps > 0, traffic = p->traffic_bps > 0, data = p->bytes > 0,
               stock = p->stock_bits > 0;
    const struct member rows[] = {
        { "rate_bps", p->rate_bps, rate },
        { "rekey_s", p->rekey_s, p->rekey_s > 0 },
        { "encryptor_bps", p->encryptor_bps, p->encryptor_bps > 0 },
        { "traffic_bps", p->traffic_bps, traffic },
        { "bytes", p->bytes, data },
        { "stock_bits", p->stock_bits, stock },
        { "cost_bits", b.cost_bits, true },
        { "bytes_per_key", b.per_key, true },
        { "carries_bps", b.carries_bps, rate },
        { "encryptors", b.encryptors, rate && b.encryptors > 0 },
        { "otp_carries_bps", b.pad_bps, rate },
        { "needs_bps", b.use_bps, traffic },
        { "keys_per_s", b.keys_per_s, traffic },
        { "bytes_per_key_would_do", b.would_do, b.would_do > 0 },
        { "bytes_take_s", b.bytes_s, data },
        { "bytes_take_otp_s", b.pad_bytes_s, data && rate },
        { "stock_carries_bytes", b.stock_bytes, stock },
        { "stock_lasts_s", b.stock_s, stock && traffic },
        { "stock_refills_s", b.refill_s, stock },
    };
    QC_TRY(qc_json_set_str(to, "cipher", ciphers[p->cipher], err));
    QC_TRY(qc_json_set_int(to, "key_bits", b.key_bits, err));
    QC_TRY(qc_json_set_int(to, "hops", p->hops, err));
    if (p->k > 0) {
        QC_TRY(qc_json_set_int(to, "k", p->k, err));
        QC_TRY(qc_json_set_int(to, "n", p->n, err));
    }
    return members(rows, sizeof rows / sizeof *rows, to, err);
}
