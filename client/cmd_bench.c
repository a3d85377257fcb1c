/* bench: what this machine and the way to the gateway give, for the one who asks. Figures are of what was run
 * just now, beside whatever else ran. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/opt.h"
#include "bench.h"
#include "report.h"
#include "text.h"

enum { ROW_LABEL = 128, ROW_INDENT = 2, PAPER_STORED = 2 };

/* -- telling --------------------------------------------------------------------------------------------- */

static qc_rc tell(struct bench *b, struct json_t **row, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *copy = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_CLIENT_TEXT_MAX };
    QC_TRY(qc_json_dump(*row, &text, err));
    QC_TRY(qc_json_parse(&copy, qc_buf_span(&text), err));
    QC_TRY(qc_json_append(b->rows, &copy, err));
    return out_json(&b->c->out, row, err);
}

/* "0.35 of sealing", "the paper: about 3 s, 380 times as long": what follows, with a comma before each. */
static qc_rc row_said(const struct bench_row *r, qc_buf *ret, struct qc_err *err)
{
    if (r->ratio > 0)
        QC_TRY(qc_buf_addf(ret, err, ", %.2f of %s", r->ratio, r->of));
    if (r->paper.ns > 0)
        QC_TRY(qc_buf_addf(ret, err, "; the paper: %s, %.1f times as long", r->paper.said,
                           (double)r->paper.ns / (double)(r->ns > 0 ? r->ns : 1)));
    return QC_OK;
}

static qc_rc row_json(struct json_t *j, const struct bench_row *r, uint64_t rate, struct qc_err *err)
{
    QC_TRY(qc_json_set_str(j, "what", r->what, err));
    QC_TRY(qc_json_set_int(j, "bytes", (int64_t)r->bytes, err));
    QC_TRY(qc_json_set_int(j, "ns", (int64_t)r->ns, err));
    QC_TRY(qc_json_set_int(j, "bytes_per_s", (int64_t)rate, err));
    if (r->tool != NULL)
        QC_TRY(qc_json_set_str(j, "tool", r->tool, err));
    if (r->files > 0)
        QC_TRY(qc_json_set_int(j, "files", (int64_t)r->files, err));
    if (r->tries > 0)
        QC_TRY(qc_json_set_int(j, "tries", (int64_t)r->tries, err));
    if (r->ratio > 0) {
        QC_TRY(qc_json_set_str(j, "of", r->of, err));
        QC_TRY(qc_json_set_real(j, "ratio", r->ratio, err));
    }
    if (r->paper.ns > 0) {
        QC_TRY(qc_json_set_str(j, "paper", r->paper.said, err));
        QC_TRY(qc_json_set_str(j, "paper_source", r->paper.source, err));
        QC_TRY(qc_json_set_int(j, "paper_ns", (int64_t)r->paper.ns, err));
    }
    return QC_OK;
}

qc_rc bench_row(struct bench *b, const struct bench_row *row, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_CLIENT_TEXT_MAX };
    const uint64_t rate = (uint64_t)((double)row->bytes * 1e9 / (double)(row->ns > 0 ? row->ns : 1));
    const char *said = "";
    const double ms = (double)row->ns / 1e6;
    char size[TEXT_SIZE], what[ROW_LABEL];
    text_size(rate, size);
    (void)snprintf(what, sizeof what, "%s%s",
                   row->tool != NULL ? "  " : "", /* below a line of what it does */
                   row->tool != NULL ? row->tool : row->what);
    QC_TRY(row_said(row, &text, err));
    QC_TRY(qc_buf_cstr(&text, &said, err));
    out_row(&b->c->out, ROW_INDENT, "%-34s %10s/s %9.*f ms%s", what, size, ms < 1 ? 3 : 1, ms, said);
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(row_json(j, row, rate, err));
    return tell(b, &j, err);
}

qc_rc bench_rate(struct bench *b, const char *what, uint64_t bytes, uint64_t ns, const char *of,
                 uint64_t of_rate, struct qc_err *err)
{
    const double rate = (double)bytes * 1e9 / (double)(ns > 0 ? ns : 1);
    const struct bench_row row = {
        .what = what, .bytes = bytes, .ns = ns, .of = of, .ratio = of_rate > 0 ? rate / (double)of_rate : 0
    };
    return bench_row(b, &row, err);
}

qc_rc bench_stored(struct bench *b, const char *what, uint64_t bytes, uint64_t stored, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    const double ratio = (double)stored / (double)(bytes > 0 ? bytes : 1);
    char size[TEXT_SIZE];
    text_size(stored, size);
    out_row(&b->c->out, ROW_INDENT, "%-34s %10s   %9.3f times the file; the paper: below %d", what, size,
            ratio, PAPER_STORED);
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(qc_json_set_str(j, "what", what, err));
    QC_TRY(qc_json_set_int(j, "bytes", (int64_t)bytes, err));
    QC_TRY(qc_json_set_int(j, "stored", (int64_t)stored, err));
    QC_TRY(qc_json_set_real(j, "ratio", ratio, err));
    QC_TRY(qc_json_set_int(j, "paper_below", PAPER_STORED, err));
    return tell(b, &j, err);
}

bool bench_add(struct bench_times *t, uint64_t began_ns, uint64_t since_ns)
{
    const uint64_t now = qc_now_ns();
    t->ns[t->count++] = now - since_ns;
    return t->count < BENCH_TRIES && now - began_ns < QC_BENCH_MS * UINT64_C(1000000);
}

static int by_size(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

uint64_t bench_median(uint64_t *v, size_t count)
{
    QC_ASSERT(count > 0);
    qsort(v, count, sizeof v[0], by_size);
    return v[count / 2];
}

qc_rc bench_time(struct bench *b, const char *what, struct bench_times *t, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    const uint64_t median = bench_median(t->ns, t->count), worst = t->ns[t->count - 1];
    out_row(&b->c->out, ROW_INDENT, "%-35s %9.3f ms, median of %zu; slowest %.1f ms", what,
            (double)median / 1e6, t->count, (double)worst / 1e6);
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(qc_json_set_str(j, "what", what, err));
    QC_TRY(qc_json_set_int(j, "median_ns", (int64_t)median, err));
    QC_TRY(qc_json_set_int(j, "slowest_ns", (int64_t)worst, err));
    QC_TRY(qc_json_set_int(j, "tries", (int64_t)t->count, err));
    return tell(b, &j, err);
}

/* -- the command ----------------------------------------------------------------------------------------- */

static qc_rc take_sizes(const struct qc_args *args, const char *otherwise, struct bench_sizes *ret,
                        struct qc_err *err)
{
    const char *list = qc_args_value(args, "size", otherwise);
    while (*list != '\0') {
        const size_t n = strcspn(list, ",");
        char word[32];
        if (n >= sizeof word || ret->count == QC_BENCH_SIZES_MAX)
            return QC_FAIL(err, QC_USAGE, "--size: at most %d sizes, with commas between them",
                           QC_BENCH_SIZES_MAX);
        memcpy(word, list, n);
        word[n] = '\0';
        QC_TRY(qc_parse_u64(word, "--size", true, &ret->v[ret->count], err));
        if (ret->v[ret->count] < 1 || ret->v[ret->count] > QC_BENCH_SIZE_MAX)
            return QC_FAIL(err, QC_USAGE, "--size: %.32s; expected 1 to %dM", word, QC_BENCH_SIZE_MAX >> 20);
        ret->count++;
        list += n + (list[n] == ',');
    }
    return ret->count > 0 ? QC_OK : QC_FAIL(err, QC_USAGE, "--size: no size");
}

/* Whatever becomes of it, nothing stays. */
qc_rc bench_in_scratch(struct bench *b, uint64_t room, const struct bench_sizes *sizes, bench_fn run,
                       struct qc_err *err)
{
    enum { BESIDE = 64 << 20 }; /* databases, journals, the tree */
    struct bench_scratch s = { 0 };
    struct qc_err later = { 0 };
    qc_rc rc = bench_scratch_make(&s, room + BESIDE, err);
    if (rc == QC_OK)
        rc = run(b, &s, sizes, err);
    const qc_rc removed = bench_scratch_remove(&s, rc == QC_OK ? err : &later);
    if (rc != QC_OK && removed != QC_OK)
        out_warn(&b->c->out, MSG_W_OTHER, NULL, "%s; the next qcloud bench does it", later.msg);
    return rc != QC_OK ? rc : removed;
}

static void bench_done(struct bench *b)
{
    qc_json_free(&b->rows);
}

/* Both of one's own, with the vault that there is. What is local needs none; where there is one, its stores'
 * disks are measured as well. */
static qc_rc bench_own(struct bench *b, const struct bench_sizes *sizes, bool local, bool gateway,
                       struct qc_err *err)
{
    struct qc_err none = { 0 };
    const qc_rc conf = conf_load(&b->c->places, &b->c->conf, &none);
    if (conf != QC_OK && (gateway || conf != QC_NOTCONF)) {
        *err = none;
        return conf;
    }
    if (local)
        QC_TRY(bench_local(b, err));
    return gateway ? bench_gateway(b, sizes, err) : QC_OK;
}

static const struct kind {
    const char *word, *sizes;
} kinds[] = { { "all", "4k,1M,64M" },
              { "local", "4k,1M,64M" },
              { "gateway", "4k,1M,64M" },
              { "paper", "4000000,40000000,100000000" }, /* the paper's MB: figure 4 has 4 to 100 */
              { "peers", "64M" } };
enum { ALL_OWN, LOCAL, GATEWAY, PAPER, PEERS, KINDS };

qc_rc cmd_bench(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(bench_done) struct bench b = { .c = app };
    struct bench_sizes sizes = { 0 };
    const char *word = args->argc > 0 ? args->argv[0] : kinds[ALL_OWN].word;
    const char *out = qc_args_value(args, "out", NULL);
    uint64_t runs = 3;
    size_t kind = args->argc > 0 ? LOCAL : ALL_OWN;
    while (kind < KINDS && strcmp(word, kinds[kind].word) != 0)
        kind++;
    if (kind == KINDS)
        return QC_FAIL(
            err, QC_USAGE,
            "bench is local, gateway, paper or peers, or the first two without a word; not '%.40s'", word);
    QC_TRY(take_sizes(args, kinds[kind].sizes, &sizes, err));
    QC_TRY(qc_args_u64(args, "runs", false, 1, QC_BENCH_RUNS_MAX, &runs, err));
    b.runs = (unsigned)runs;
    if (out != NULL)
        QC_TRY_AS(report_place(out, err), err, "--out");
    QC_TRY(qc_json_new_arr(&b.rows, err));
    QC_TRY(kind == PAPER   ? bench_paper(&b, &sizes, err)
           : kind == PEERS ? bench_peers(&b, &sizes, err)
                           : bench_own(&b, &sizes, kind != GATEWAY, kind != LOCAL, err));
    if (out != NULL)
        QC_TRY_AS(report_file(out, b.rows, err), err, "--out");
    return QC_OK;
}
