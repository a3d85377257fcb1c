/* bench paper: the steps that the papers have timed, by this program on this machine, beside the papers' own
 * figures (PAPERS A12, B4). In memory a segment goes round, as in a put; put and get are the real commands,
 * with a vault of their own over five directories. */
#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"
#include "bench.h"
#include "ec/coder.h"
#include "ec/geometry.h"
#include "qrng/bulk.h"
#include "signals.h"
#include "ss/xor23.h"
#include "text.h"
#include "vault/seal.h"

enum {
    MB = 1000000,
    CHUNK = 1 << VAULT_CHUNK_LOG2,
    SEGMENT = 16 * 1024 * 1024,
    ROOM = SEGMENT + 4 * 1024 * 1024, /* the last stripe is padded */
    LABEL = 64,
    RATIO_LEAST = MB, /* what is smaller waits for no memory */
    N_MOST = 6
};
#define CORE        "Ma, Li, Li et al., AIP Advances 2023, "
#define DISTRIBUTED "Toshiba, ToMMo, Tohoku University Hospital, NICT, 2021"

static const struct code {
    unsigned k, n;
} codes[] = { { 3, 5 }, { 2, 3 }, { 4, 6 } };

/* What the papers say of so many bytes; of any others: nothing. */
static struct bench_paper of_100_mb(uint64_t size, const char *said, const char *figure, unsigned seconds)
{
    const struct bench_paper paper = { said, figure, seconds * UINT64_C(1000000000) }, none = { 0 };
    return size == (uint64_t)100 * MB ? paper : none;
}

/* A rate is for any size. */
static struct bench_paper at_rate(uint64_t size, const char *said, unsigned mbit)
{
    return (struct bench_paper){ said, DISTRIBUTED, (uint64_t)((double)size * 8e3 / mbit) };
}

struct room {
    uint8_t *data, *out, *fragment[N_MOST]; /* ROOM bytes each */
    uint64_t copying;                       /* bytes a second, from memory to memory */
};

static void room_free(struct room *r)
{
    qc_free(r->data);
    qc_free(r->out);
    for (size_t i = 0; i < N_MOST; i++)
        qc_free(r->fragment[i]);
}

/* All pages are made now, not while a clock runs. */
static qc_rc room_new(struct room *r, struct qc_err *err)
{
    uint8_t **const all[] = { &r->data,        &r->out,         &r->fragment[0], &r->fragment[1],
                              &r->fragment[2], &r->fragment[3], &r->fragment[4], &r->fragment[5] };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        *all[i] = qc_alloc(ROOM);
        if (*all[i] == NULL)
            return QC_FAIL(err, QC_NOMEM, "%d bytes", ROOM);
        memset(*all[i], 1, ROOM);
    }
    struct bench_made made = { .left = ROOM, .next = 1 };
    size_t got = 0;
    return bench_make(&made, r->data, ROOM, &got, err);
}

static void label(char ret[LABEL], const char *verb, uint64_t size, const char *of)
{
    char text[TEXT_SIZE];
    if (size % MB == 0)
        (void)snprintf(text, sizeof text, "%" PRIu64 " MB", size / MB);
    else
        text_size(size, text);
    (void)snprintf(ret, LABEL, "%s %s%s", verb, text, of);
}

/* -- in memory ------------------------------------------------------------------------------------------- */

/* One part of a step: n bytes, a segment at most, the last part of all. */
typedef qc_rc (*step_fn)(void *ctx, struct room *r, size_t n, bool last, struct qc_err *err);

/* The median of some runs of a step over so many bytes. */
static qc_rc timed(const struct bench *b, struct room *r, uint64_t size, step_fn step, void *ctx,
                   uint64_t *ret_ns, struct qc_err *err)
{
    uint64_t ns[QC_BENCH_RUNS_MAX];
    for (unsigned i = 0; i < b->runs; i++) {
        const uint64_t began = qc_now_ns();
        for (uint64_t left = size; left > 0;) {
            const size_t n = left < SEGMENT ? (size_t)left : SEGMENT;
            QC_TRY(qc_go_on(QC_NO_DEADLINE, signals_cancel(), "bench", err));
            left -= n;
            QC_TRY(step(ctx, r, n, left == 0, err));
        }
        ns[i] = qc_now_ns() - began;
    }
    *ret_ns = bench_median(ns, b->runs);
    return QC_OK;
}

/* A step that gives data back, and did so: looked at when no clock runs, by its last part. */
static qc_rc timed_back(const struct bench *b, struct room *r, uint64_t size, step_fn step, void *ctx,
                        uint64_t *ret_ns, struct qc_err *err)
{
    const size_t n = size % SEGMENT == 0 ? SEGMENT : (size_t)(size % SEGMENT);
    memset(r->out, 0, ROOM);
    QC_TRY(timed(b, r, size, step, ctx, ret_ns, err));
    return qc_span_eq(qc_span_of(r->out, n), qc_span_of(r->data, n))
               ? QC_OK
               : QC_FAIL(err, QC_INTEGRITY, "what came back is not what was given");
}

static qc_rc tell(struct bench *b, const struct room *r, struct bench_row *row, struct qc_err *err)
{
    row->tries = b->runs;
    if (r->copying > 0 && row->bytes >= RATIO_LEAST) {
        row->of = "copying";
        row->ratio = (double)row->bytes * 1e9 / (double)(row->ns > 0 ? row->ns : 1) / (double)r->copying;
    }
    return bench_row(b, row, err);
}

static qc_rc copy_step(void *ctx, struct room *r, size_t n, bool last, struct qc_err *err)
{
    (void)ctx;
    (void)last;
    (void)err;
    memcpy(r->out, r->data, n);
    __asm__ volatile("" : : "r"(r->out) : "memory"); /* somebody might look at it */
    return QC_OK;
}

static qc_rc measure_copying(struct bench *b, struct room *r, uint64_t size, struct qc_err *err)
{
    char what[LABEL];
    struct bench_row row = { .what = what, .bytes = size };
    label(what, "copy", size, ", in memory");
    QC_TRY(timed(b, r, size, copy_step, NULL, &row.ns, err));
    QC_TRY(tell(b, r, &row, err));
    r->copying = (uint64_t)((double)size * 1e9 / (double)(row.ns > 0 ? row.ns : 1));
    return QC_OK;
}

struct sealing {
    struct vault_keys keys;
    struct vault_sealer *s;
};

static void sealing_done(struct sealing *s)
{
    vault_sealer_free(&s->s);
    vault_keys_done(&s->keys);
}

/* What comes out is sealed again, at the same place. */
static qc_rc seal_step(void *ctx, struct room *r, size_t n, bool last, struct qc_err *err)
{
    static const struct vault_sealer_params params = { 0 };
    struct sealing *s = ctx;
    if (s->s == NULL)
        QC_TRY(vault_sealer_new(&s->s, &s->keys, &params, err));
    for (size_t at = 0; at < n;) {
        const size_t part = n - at < CHUNK ? n - at : CHUNK;
        size_t wrote = 0;
        memcpy(r->out, r->data + at, part);
        at += part;
        QC_TRY(vault_sealer_chunk(s->s, r->out, part, last && at == n, &wrote, err));
    }
    if (last)
        vault_sealer_free(&s->s);
    return QC_OK;
}

static qc_rc measure_sealing(struct bench *b, struct room *r, uint64_t size, struct qc_err *err)
{
    QC_CLEANUP(sealing_done) struct sealing s = { 0 };
    char what[LABEL];
    struct bench_row row = { .what = what, .bytes = size };
    const qc_rng rng = qrng_rng(b->c->ids); /* it protects nothing */
    label(what, "seal", size, "");
    QC_TRY(vault_keys_draw(&s.keys, &rng, err));
    QC_TRY(timed(b, r, size, seal_step, &s, &row.ns, err));
    return tell(b, r, &row, err);
}

/* -- coding (figure 4 a, b) ------------------------------------------------------------------------------ */

/* A segment into n fragments, as a server sends them off: data is copied, too. */
static qc_rc fragment_step(void *ctx, struct room *r, size_t n, bool last, struct qc_err *err)
{
    const struct ec_coder *c = ctx;
    const unsigned k = ec_coder_k(c), count = ec_coder_n(c);
    struct ec_geometry g;
    (void)last;
    QC_TRY(ec_geometry(k, (uint32_t)n, &g, err));
    for (uint32_t i = 0; i < g.stripe_count; i++) {
        const struct ec_stripe s = ec_geometry_stripe(&g, i);
        uint8_t *parity[N_MOST];
        for (unsigned j = 0; j < k; j++)
            memcpy(r->fragment[j] + s.payload_offset, r->data + s.data_offset + (size_t)j * s.piece_size,
                   s.piece_size);
        for (unsigned j = k; j < count; j++)
            parity[j - k] = r->fragment[j] + s.payload_offset;
        QC_TRY(ec_stripe_encode_block(c, r->data + s.data_offset, s.piece_size, parity, err));
    }
    return QC_OK;
}

/* Without the first n - k fragments. */
static qc_rc rebuild_step(void *ctx, struct room *r, size_t n, bool last, struct qc_err *err)
{
    const struct ec_coder *c = ctx;
    const unsigned k = ec_coder_k(c), count = ec_coder_n(c);
    struct ec_geometry g;
    (void)last;
    QC_TRY(ec_geometry(k, (uint32_t)n, &g, err));
    for (uint32_t i = 0; i < g.stripe_count; i++) {
        const struct ec_stripe s = ec_geometry_stripe(&g, i);
        const uint8_t *pieces[N_MOST] = { NULL };
        uint8_t *to[N_MOST];
        for (unsigned j = count - k; j < count; j++)
            pieces[j] = r->fragment[j] + s.payload_offset;
        for (unsigned j = 0; j < k; j++) {
            to[j] = r->out + s.data_offset + (size_t)j * s.piece_size;
            if (pieces[j] != NULL)
                memcpy(to[j], pieces[j], s.piece_size);
        }
        QC_TRY(ec_stripe_decode(c, pieces, s.piece_size, to, err));
    }
    return QC_OK;
}

static qc_rc measure_code(struct bench *b, struct room *r, uint64_t size, const struct code *code,
                          struct qc_err *err)
{
    const struct ec_coder *c = NULL;
    char what[LABEL], of[24];
    struct bench_row row = { .what = what, .bytes = size };
    QC_TRY(ec_coder_get(code->k, code->n - code->k, &c, err));
    (void)snprintf(of, sizeof of, ", EC(%u,%u)", code->k, code->n);
    label(what, "fragment", size, of);
    row.paper = of_100_mb(size, "about 3 s", CORE "figure 4", 3);
    QC_TRY(timed(b, r, size, fragment_step, (void *)(uintptr_t)c, &row.ns, err));
    QC_TRY(tell(b, r, &row, err));
    label(what, "rebuild", size, of);
    row.paper = of_100_mb(size, "about 2 s", CORE "figure 4", 2);
    QC_TRY(timed_back(b, r, size, rebuild_step, (void *)(uintptr_t)c, &row.ns, err));
    return tell(b, r, &row, err);
}

/* -- sharing by XOR -------------------------------------------------------------------------------------- */

/* A block at a time into three shares, each of a block, with randomness that is made for it; or back from
 * two. */
static qc_rc share_step(void *ctx, struct room *r, size_t n, bool last, struct qc_err *err)
{
    (void)last;
    for (size_t at = 0; at < n; at += SS_XOR23_BLOCK) {
        const size_t part = n - at < SS_XOR23_BLOCK ? n - at : SS_XOR23_BLOCK;
        uint8_t *const share[] = { r->fragment[0] + at, r->fragment[1] + at, r->fragment[2] + at };
        QC_TRY(qrng_bulk_fill(ctx, share[SS_XOR23_C], ss_xor23_size(part), err));
        ss_xor23_split(qc_span_of(r->data + at, part), share[SS_XOR23_C], share);
    }
    return QC_OK;
}

static qc_rc join_step(void *ctx, struct room *r, size_t n, bool last, struct qc_err *err)
{
    (void)ctx;
    (void)last;
    for (size_t at = 0; at < n; at += SS_XOR23_BLOCK) {
        const size_t part = n - at < SS_XOR23_BLOCK ? n - at : SS_XOR23_BLOCK;
        QC_TRY(ss_xor23_join(SS_XOR23_A, r->fragment[0] + at, SS_XOR23_B, r->fragment[1] + at, part,
                             r->out + at, err));
    }
    return QC_OK;
}

static void bulk_close(struct qrng_bulk **k)
{
    qrng_bulk_close(k);
}

static qc_rc measure_xor(struct bench *b, struct room *r, uint64_t size, struct qc_err *err)
{
    QC_CLEANUP(bulk_close) struct qrng_bulk *bulk = NULL;
    const qc_rng rng = qrng_rng(b->c->ids); /* it protects nothing */
    char what[LABEL];
    struct bench_row row = { .what = what, .bytes = size };
    QC_TRY(qrng_bulk_open(QRNG_BULK_GENERATOR, &rng, &bulk, err));
    label(what, "share", size, ", XOR (2,3)");
    row.paper = at_rate(size, "356 Mb/s, with network and one-time pad", 356);
    QC_TRY(timed(b, r, size, share_step, bulk, &row.ns, err));
    QC_TRY(tell(b, r, &row, err));
    label(what, "restore", size, ", XOR (2,3)");
    row.paper = at_rate(size, "502 Mb/s, with network and one-time pad", 502);
    QC_TRY(timed_back(b, r, size, join_step, NULL, &row.ns, err));
    return tell(b, r, &row, err);
}

/* -- put and get ----------------------------------------------------------------------------------------- */

struct travel {
    uint64_t put[QC_BENCH_RUNS_MAX], get[QC_BENCH_RUNS_MAX], stored;
};

static qc_rc travel_once(const struct bench_scratch *s, uint64_t size, unsigned run, struct travel *t,
                         struct qc_err *err)
{
    char source[QC_CLIENT_PATH_MAX], back[QC_CLIENT_PATH_MAX], name[32];
    uint64_t before = 0, after = 0;
    (void)snprintf(name, sizeof name, "of-%" PRIu64 "-%u", size, run);
    QC_TRY(bench_scratch_path(s, "source", source, err));
    QC_TRY(bench_scratch_path(s, "back", back, err));
    const char *const put[] = { "qcloud", "-q", "put", source, name, NULL };
    const char *const get[] = { "qcloud", "-q", "get", name, back, NULL };
    QC_TRY(bench_scratch_fill(s, "source", size, err));
    QC_TRY(bench_scratch_size(s, "clouds", &before, err));
    QC_TRY(bench_child(s, "/proc/self/exe", put, NULL, &t->put[run], err));
    QC_TRY(bench_scratch_size(s, "clouds", &after, err));
    t->stored = after - before;
    QC_TRY(bench_scratch_cold(s, err));
    QC_TRY(bench_child(s, "/proc/self/exe", get, NULL, &t->get[run], err));
    QC_TRY(bench_scratch_drop(s, "source", err));
    return bench_scratch_drop(s, "back", err);
}

static qc_rc measure_travel(struct bench *b, const struct bench_scratch *s, uint64_t size, struct qc_err *err)
{
    struct travel t = { 0 };
    char what[LABEL], said[LABEL];
    struct bench_row row = { .what = what, .bytes = size, .tries = b->runs };
    for (unsigned run = 0; run < b->runs; run++)
        QC_TRY(travel_once(s, size, run, &t, err));
    label(what, "put", size, ", EC(3,5)");
    row.ns = bench_median(t.put, b->runs);
    row.paper = of_100_mb(size, "8 s by 100 Mb/s and about 3 s", CORE "section III", 11);
    QC_TRY(bench_row(b, &row, err));
    label(what, "get", size, ", EC(3,5)");
    row.ns = bench_median(t.get, b->runs);
    row.paper = of_100_mb(size, "8 s by 100 Mb/s and about 2 s", CORE "section III", 10);
    QC_TRY(bench_row(b, &row, err));
    label(said, "stored of", size, ", EC(3,5)");
    return bench_stored(b, said, size, t.stored, err);
}

/* -- all of it ------------------------------------------------------------------------------------------- */

static qc_rc measure(struct bench *b, const struct bench_scratch *s, const struct bench_sizes *sizes,
                     struct qc_err *err)
{
    QC_CLEANUP(room_free) struct room r = { 0 };
    QC_CLEANUP(qc_free_ptr) struct bench_times *t = qc_alloc(sizeof *t);
    uint64_t largest = 0;
    if (t == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", sizeof *t);
    QC_TRY(client_rng(b->c, err));
    QC_TRY(room_new(&r, err));
    out_note(&b->c->out,
             "The papers: fragment, rebuild, put and get, " CORE "section III; XOR: " DISTRIBUTED
             ". Each figure is the median of %u. A put's source is in memory, a get begins with nothing in "
             "memory.",
             b->runs);
    QC_TRY(bench_keys(b, t, err));
    for (size_t i = 0; i < sizes->count; i++)
        largest = sizes->v[i] > largest ? sizes->v[i] : largest;
    QC_TRY(measure_copying(b, &r, largest, err));
    for (size_t i = 0; i < sizes->count; i++) {
        QC_TRY(measure_sealing(b, &r, sizes->v[i], err));
        QC_TRY(measure_code(b, &r, sizes->v[i], &codes[0], err));
    }
    for (size_t i = 1; i < sizeof codes / sizeof codes[0]; i++)
        QC_TRY(measure_code(b, &r, largest, &codes[i], err));
    QC_TRY(measure_xor(b, &r, largest, err));
    QC_TRY(bench_vault(s, err));
    for (size_t i = 0; i < sizes->count; i++)
        QC_TRY(measure_travel(b, s, sizes->v[i], err));
    return QC_OK;
}

qc_rc bench_paper(struct bench *b, const struct bench_sizes *sizes, struct qc_err *err)
{
    uint64_t room = 0;
    for (size_t i = 0; i < sizes->count; i++)
        room += 2 * b->runs * sizes->v[i] + 2 * sizes->v[i]; /* 5/3 of it on the clouds, each run */
    return bench_in_scratch(b, room, sizes, measure, err);
}
