/* rng list, test, enable, bench, read: the sources of randomness, for operators. */
#include "client.h"

#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/file.h"
#include "battery.h"
#include "qrng/estimate.h"
#include "qrng/health.h"
#include "signals.h"
#include "text.h"

enum { PIECE = 4096, BENCH_BYTES = 1024 * 1024, READ_BYTES = 32 };
enum { TEST_BYTES = QC_QRNG_POOL_FIRST / 2 }; /* what a put draws: one that ends before is not in health */

static qc_rc find(const struct client *c, const char *name, const struct qrng_source_conf **ret,
                  struct qc_err *err)
{
    for (size_t i = 0; i < c->random.count; i++)
        if (strcmp(c->random.source[i].name, name) == 0) {
            *ret = &c->random.source[i];
            return QC_OK;
        }
    (void)QC_FAIL(err, QC_NOTFOUND, "there is no source '%.80s' in %s/random.conf", name, c->places.conf_dir);
    err->next = "qcloud rng list";
    return QC_NOTFOUND;
}

/* That source and no other. NULL: the operating system. alarms: where they are kept; empty: as if there were
 * none, which is how a person looks at it. raw: its bytes as they come. */
static qc_rc open_one(const struct qrng_source_conf *s, const char *alarms, bool raw, struct qrng **ret,
                      struct qc_err *err)
{
    static struct qrng_conf one; /* 50 KiB: too much for a stack's comfort */
    if (s == NULL)
        return qrng_open("os", ret, err);
    qrng_conf_init(&one);
    one.policy[QRNG_PROFILE_EC] = QRNG_POLICY_REQUIRED;
    one.count = 1;
    one.source[0] = *s;
    snprintf(one.alarms, sizeof one.alarms, "%s", alarms);
    one.unmixed = raw;
    if (raw)
        one.source[0].condition = QRNG_CONDITION_NONE;
    return qrng_open_policy(&one, QRNG_PROFILE_EC, ret, err);
}

static qc_rc open_named(struct client *c, const char *name, bool raw, struct qrng **ret, struct qc_err *err)
{
    const struct qrng_source_conf *s = NULL;
    QC_TRY(client_random_conf(c, err));
    if (strcmp(name, "os") != 0)
        QC_TRY(find(c, name, &s, err));
    return open_one(s, c->random.alarms, raw, ret, err);
}

/* --- list --- */

static qc_rc list_json(struct client *c, const struct qrng_source_conf *s, bool shut, struct qc_err *err)
{
    const struct qrng_cutoffs cut = qrng_cutoffs(s->mbit, QRNG_WINDOW, QRNG_ALPHA);
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(qc_json_set_str(j, "source", s->name, err));
    QC_TRY(qc_json_set_str(j, "kind", qrng_kind_text(s->kind), err));
    QC_TRY(text_json(j, "path", qc_span_str(qrng_kind_is_remote(s->kind) ? s->url : s->path), err));
    QC_TRY(text_json(j, "device", qc_span_str(s->identity), err));
    QC_TRY(qc_json_set_int(j, "entropy_mbit", s->mbit, err));
    QC_TRY(qc_json_set_int(j, "repetition_cutoff", cut.repetition, err));
    QC_TRY(qc_json_set_int(j, "proportion_cutoff", cut.proportion, err));
    QC_TRY(qc_json_set_str(j, "condition", qrng_conditioning_text(s->condition), err));
    QC_TRY(qc_json_set_bool(j, "shut_off", shut, err));
    return out_json(&c->out, &j, err);
}

static qc_rc policy_json(struct client *c, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(qc_json_set_str(j, "policy_ec", qrng_policy_text(c->random.policy[QRNG_PROFILE_EC]), err));
    QC_TRY(qc_json_set_str(j, "policy_xor23", qrng_policy_text(c->random.policy[QRNG_PROFILE_XOR23]), err));
    return out_json(&c->out, &j, err);
}

qc_rc cmd_rng_list(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    (void)args;
    QC_TRY(client_random_conf(c, err));
    out_line(&c->out, "policy   %s (objects), %s (xor23)",
             qrng_policy_text(c->random.policy[QRNG_PROFILE_EC]),
             qrng_policy_text(c->random.policy[QRNG_PROFILE_XOR23]));
    QC_TRY(policy_json(c, err));
    for (size_t i = 0; i < c->random.count; i++) {
        const struct qrng_source_conf *s = &c->random.source[i];
        const struct qrng_cutoffs cut = qrng_cutoffs(s->mbit, QRNG_WINDOW, QRNG_ALPHA);
        out_line(&c->out, "source   %-12s %-8s %s  %u.%03u bits per byte (cutoffs %u, %u), %s%s%s", s->name,
                 qrng_kind_text(s->kind), qrng_kind_is_remote(s->kind) ? s->url : s->path, s->mbit / 1000,
                 s->mbit % 1000, cut.repetition, cut.proportion, qrng_conditioning_text(s->condition),
                 s->identity[0] == '\0' ? "" : ", ", s->identity);
        int64_t since = 0;
        struct qc_err why = { 0 };
        char when[QC_TIME_TEXT];
        const qc_rc rc = qrng_source_shut(&c->random, s->name, &since, &why);
        qc_time_text(since, when);
        if (rc != QC_OK || since != 0)
            out_line(&c->out, "         shut off (%s): qcloud rng enable %s", rc != QC_OK ? why.msg : when,
                     s->name);
        QC_TRY(list_json(c, s, rc != QC_OK || since != 0, err));
    }
    out_line(&c->out, "source   %-12s %-8s getrandom(2), added to every other", "os", "os");
    return QC_OK;
}

/* --- test --- */

static qc_rc test_json(struct client *c, const char *name, const char *text, qc_rc rc, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(qc_json_set_str(j, "source", name, err));
    QC_TRY(qc_json_set_bool(j, "healthy", rc == QC_OK, err));
    QC_TRY(text_json(j, "text", qc_span_str(text), err));
    return out_json(&c->out, &j, err);
}

/* Start-up test and one draw, which is dropped. */
static qc_rc test_one(struct client *c, const struct qrng_source_conf *s, qc_rc *worst, struct qc_err *err)
{
    QC_CLEANUP(qrng_close) struct qrng *q = NULL;
    QC_CLEANUP(qc_key_free) qc_key *drop = NULL;
    struct qc_err why = { 0 };
    QC_TRY(open_one(s, "", false, &q, err));
    const qc_rng rng = qrng_rng(q);
    const qc_rc rc = qc_key_new(&drop, TEST_BYTES, &rng, &why);
    const struct qrng_provenance p = qrng_provenance(q);
    const char *name = s == NULL ? "os" : s->name, *text = rc == QC_OK ? p.text : why.msg;
    out_line(&c->out, "%-8s %-12s %s", rc == QC_OK ? "healthy" : "FAILED", name, text);
    if (rc != QC_OK && *worst == QC_OK)
        *worst = QC_FAIL(err, rc, "%s", why.msg);
    return test_json(c, name, text, rc, rc == QC_OK ? err : &why);
}

/* Only after it passed, as after every quarantine. */
qc_rc cmd_rng_enable(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    const struct qrng_source_conf *s = NULL;
    qc_rc rc = QC_OK;
    QC_TRY(client_random_conf(c, err));
    QC_TRY(find(c, args->argv[0], &s, err));
    QC_TRY(test_one(c, s, &rc, err));
    QC_TRY(rc);
    QC_TRY(qrng_source_enable(&c->random, s->name, err));
    out_note(&c->out, "%s is used again; its earlier alarms are forgotten", s->name);
    return QC_OK;
}

static qc_rc estimate_line(struct client *c, const char *name, double bits, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    out_line(&c->out, "estimate %-24s %.4f bits per byte", name, bits);
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(qc_json_set_str(j, "estimate", name, err));
    QC_TRY(qc_json_set_int(j, "mbit_per_byte", (int64_t)(bits * 1000), err));
    return out_json(&c->out, &j, err);
}

/* The estimators by bits are told per byte, so that they stand beside the others. */
static qc_rc sample_estimates(struct client *c, qc_span s, struct qc_err *err)
{
    const struct qrng_estimates e = qrng_estimate(s.p, s.n);
    QC_TRY(estimate_line(c, "most common value", e.common_byte, err));
    QC_TRY(estimate_line(c, "most common value, bits", 8 * e.common_bit, err));
    QC_TRY(estimate_line(c, "collision", 8 * e.collision, err));
    QC_TRY(estimate_line(c, "Markov", 8 * e.markov, err));
    return estimate_line(c, "compression", 8 * e.compression, err);
}

static qc_rc test_sample(struct client *c, const char *path, unsigned mbit, struct qc_err *err)
{
    static struct qrng_tests h;
    QC_CLEANUP(qc_buf_free) qc_buf sample = { .max = QC_QRNG_SAMPLE_MAX };
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    uint8_t *room = NULL;
    size_t got = 0;
    QC_TRY(qc_open_at(&fd, AT_FDCWD, path, O_RDONLY, 0, err));
    QC_TRY(qc_buf_extend(&sample, QC_QRNG_SAMPLE_MAX, &room, err));
    QC_TRY_AS(qc_read_full(qc_fd_get(&fd), room, QC_QRNG_SAMPLE_MAX, &got, err), err, "%s", path);
    if (got < QC_QRNG_SAMPLE_MIN)
        return QC_FAIL(err, QC_USAGE, "%s has %zu bytes; a sample has %d at least", path, got,
                       QC_QRNG_SAMPLE_MIN);
    qrng_health_init(&h, mbit, QRNG_ALPHA);
    const bool fine = qrng_health_take(&h, room, got);
    out_line(&c->out, "sample   %zu bytes, declared %u.%03u bits per byte: %s", got, mbit / 1000, mbit % 1000,
             fine ? "no alarm" : qrng_alarm_text(h.alarm));
    QC_TRY(sample_estimates(c, qc_span_of(room, got), err));
    if (fine)
        return QC_OK;
    return QC_FAIL(err, QC_RANDOM, "%s: health test failed (%s) at byte %" PRIu64, path,
                   qrng_alarm_text(h.alarm), h.bytes);
}

static qc_rc test_battery(struct client *c, const struct qc_args *args, const char *battery,
                          const char *sample, struct qc_err *err)
{
    const struct qrng_source_conf *s = NULL;
    const struct battery_of of = { .source = sample == NULL ? args->argv[0] : NULL,
                                   .file = sample,
                                   .raw = qc_args_flag(args, "raw") };
    if (of.raw && sample != NULL)
        return QC_FAIL(err, QC_USAGE, "--raw says how a source is read, and a sample is as it is");
    QC_TRY(client_random_conf(c, err));
    if (sample == NULL && strcmp(args->argv[0], "os") != 0)
        QC_TRY(find(c, args->argv[0], &s, err));
    return battery_run(c, battery, &of, err);
}

qc_rc cmd_rng_test(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    const char *sample = qc_args_value(args, "sample", NULL);
    uint64_t mbit = 6000;
    qc_rc worst = QC_OK;
    QC_TRY(qc_args_u64(args, "entropy", false, QRNG_ENTROPY_MIN, QRNG_ENTROPY_MAX, &mbit, err));
    if (sample != NULL && args->argc > 0)
        return QC_FAIL(err, QC_USAGE, "--sample tests a file, and no source");
    const char *battery = qc_args_value(args, "battery", NULL);
    if (battery != NULL && sample == NULL && args->argc != 1)
        return QC_FAIL(err, QC_USAGE, "--battery tests one source, or a sample");
    if (battery != NULL)
        return test_battery(c, args, battery, sample, err);
    if (qc_args_flag(args, "raw"))
        return QC_FAIL(err, QC_USAGE,
                       "--raw is for --battery, and for rng read; the tests of a source see it as it comes");
    if (sample != NULL)
        return test_sample(c, sample, (unsigned)mbit, err);
    QC_TRY(client_random_conf(c, err));
    for (int i = 0; i < args->argc; i++) {
        const struct qrng_source_conf *s = NULL;
        if (strcmp(args->argv[i], "os") != 0)
            QC_TRY(find(c, args->argv[i], &s, err));
        QC_TRY(test_one(c, s, &worst, err));
    }
    for (size_t i = 0; i < c->random.count && args->argc == 0; i++)
        QC_TRY(test_one(c, &c->random.source[i], &worst, err));
    if (args->argc == 0)
        QC_TRY(test_one(c, NULL, &worst, err));
    return worst;
}

/* --- bench, read --- */

typedef qc_rc (*piece_fn)(qc_span bytes, struct qc_err *err);

/* total bytes, piece by piece; a piece is never anywhere but in its guarded block. */
static qc_rc draw(struct qrng *q, uint64_t total, piece_fn fn, struct qc_err *err)
{
    const qc_rng rng = qrng_rng(q);
    for (uint64_t done = 0; done < total;) {
        QC_CLEANUP(qc_key_free) qc_key *piece = NULL;
        const uint64_t left = total - done;
        QC_TRY(qc_go_on(QC_NO_DEADLINE, signals_cancel(), "rng", err));
        QC_TRY(qc_key_new(&piece, PIECE, &rng, err));
        const size_t n = left < PIECE ? (size_t)left : PIECE;
        if (fn != NULL)
            QC_TRY(fn(qc_span_sub(qc_key_open(piece), 0, n), err));
        done += n;
    }
    return QC_OK;
}

static qc_rc to_stdout(qc_span bytes, struct qc_err *err)
{
    return qc_write_all(STDOUT_FILENO, &bytes, 1, err);
}

qc_rc cmd_rng_bench(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    QC_CLEANUP(qrng_close) struct qrng *q = NULL;
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    uint64_t bytes = BENCH_BYTES;
    QC_TRY(qc_args_u64(args, "bytes", true, 1, UINT64_C(1) << 40, &bytes, err));
    QC_TRY(open_named(c, args->argv[0], false, &q, err));
    const uint64_t start = qc_now_ns();
    QC_TRY(draw(q, PIECE, NULL, err)); /* the start-up test is in this */
    const uint64_t ready = qc_now_ns();
    QC_TRY(draw(q, bytes, NULL, err));
    const uint64_t spent = qc_now_ns() - ready + 1, rate = (uint64_t)((double)bytes * 1e9 / (double)spent);
    out_line(&c->out, "%s: first bytes after %" PRIu64 " ms, then %" PRIu64 " bytes a second", args->argv[0],
             (ready - start) / 1000000, rate);
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(qc_json_set_str(j, "source", args->argv[0], err));
    QC_TRY(qc_json_set_int(j, "first_ms", (int64_t)((ready - start) / 1000000), err));
    QC_TRY(qc_json_set_int(j, "bytes_per_s", (int64_t)rate, err));
    return out_json(&c->out, &j, err);
}

qc_rc cmd_rng_read(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct client *c = app;
    QC_CLEANUP(qrng_close) struct qrng *q = NULL;
    uint64_t bytes = READ_BYTES;
    QC_TRY(qc_args_u64(args, "bytes", true, 1, UINT64_C(1) << 40, &bytes, err));
    QC_TRY(open_named(c, args->argv[0], qc_args_flag(args, "raw"), &q, err));
    return draw(q, bytes, to_stdout, err);
}
