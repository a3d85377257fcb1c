/* bench: what this machine and the way to the gateway give, for the one who asks. Figures are of what was run
 * just now, beside whatever else ran. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/opt.h"
#include "bench.h"
#include "text.h"

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

qc_rc bench_rate(struct bench *b, const char *what, uint64_t bytes, uint64_t ns, const char *of,
                 uint64_t of_rate, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    const uint64_t rate = (uint64_t)((double)bytes * 1e9 / (double)(ns > 0 ? ns : 1));
    const double ratio = of_rate > 0 ? (double)rate / (double)of_rate : 0;
    char size[TEXT_SIZE], said[64] = "";
    text_size(rate, size);
    if (of_rate > 0)
        (void)snprintf(said, sizeof said, ", %.2f of %s", ratio, of);
    out_line(&b->c->out, "%-36s  %12s/s  in %.1f ms%s", what, size, (double)ns / 1e6, said);
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(qc_json_set_str(j, "what", what, err));
    QC_TRY(qc_json_set_int(j, "bytes", (int64_t)bytes, err));
    QC_TRY(qc_json_set_int(j, "ns", (int64_t)ns, err));
    QC_TRY(qc_json_set_int(j, "bytes_per_s", (int64_t)rate, err));
    if (of_rate > 0) {
        QC_TRY(qc_json_set_str(j, "of", of, err));
        QC_TRY(qc_json_set_real(j, "ratio", ratio, err));
    }
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

qc_rc bench_time(struct bench *b, const char *what, struct bench_times *t, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    QC_ASSERT(t->count > 0);
    qsort(t->ns, t->count, sizeof t->ns[0], by_size);
    const uint64_t median = t->ns[t->count / 2], worst = t->ns[t->count - 1];
    out_line(&b->c->out, "%-36s  %12.3f ms  the median of %zu; the slowest %.3f ms", what,
             (double)median / 1e6, t->count, (double)worst / 1e6);
    QC_TRY(out_json_new("item", &j, err));
    QC_TRY(qc_json_set_str(j, "what", what, err));
    QC_TRY(qc_json_set_int(j, "median_ns", (int64_t)median, err));
    QC_TRY(qc_json_set_int(j, "slowest_ns", (int64_t)worst, err));
    QC_TRY(qc_json_set_int(j, "tries", (int64_t)t->count, err));
    return tell(b, &j, err);
}

/* -- the command ----------------------------------------------------------------------------------------- */

static qc_rc take_sizes(const struct qc_args *args, struct bench_sizes *ret, struct qc_err *err)
{
    const char *list = qc_args_value(args, "size", "4k,1M,64M");
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

static qc_rc write_out(const struct bench *b, const char *path, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_JSON_MAX };
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    char whole[QC_CLIENT_PATH_MAX];
    QC_TRY(places_absolute(path, whole, err));
    char *slash = strrchr(whole, '/');
    QC_TRY(qc_json_dump(b->rows, &text, err));
    QC_TRY(qc_buf_add(&text, QC_LIT("\n"), err));
    *slash = '\0';
    QC_TRY(qc_dir_open(&dir, slash == whole ? "/" : whole, err));
    const qc_span parts[] = { qc_buf_span(&text) };
    return qc_file_write_atomic(qc_fd_get(&dir), slash + 1, parts, 1, 0600, err);
}

static void bench_done(struct bench *b)
{
    qc_json_free(&b->rows);
}

qc_rc cmd_bench(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(bench_done) struct bench b = { .c = app };
    struct bench_sizes sizes = { 0 };
    struct qc_err none = { 0 };
    const char *word = args->argc > 0 ? args->argv[0] : "all", *out = qc_args_value(args, "out", NULL);
    const bool local = strcmp(word, "local") == 0, gateway = strcmp(word, "gateway") == 0;
    if (args->argc > 0 && !local && !gateway)
        return QC_FAIL(err, QC_USAGE, "bench is local or gateway, or both without a word; not '%.40s'", word);
    QC_TRY(take_sizes(args, &sizes, err));
    QC_TRY(qc_json_new_arr(&b.rows, err));
    /* What is local needs no vault; where there is one, its stores' disks are measured as well. */
    const qc_rc conf = conf_load(&b.c->places, &b.c->conf, &none);
    if (conf != QC_OK && !(local && conf == QC_NOTCONF)) {
        *err = none;
        return conf;
    }
    if (!gateway)
        QC_TRY(bench_local(&b, err));
    if (!local)
        QC_TRY(bench_gateway(&b, &sizes, err));
    if (out != NULL)
        QC_TRY_AS(write_out(&b, out, err), err, "--out");
    return QC_OK;
}
