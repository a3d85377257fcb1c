/* Reading: a cut, a size, a comparison. */
#include "s3.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { RANGE_TEXT = 64 };

static void range_text(char ret[RANGE_TEXT], uint64_t first, uint64_t last)
{
    int n = snprintf(ret, RANGE_TEXT, "bytes=%" PRIu64 "-%" PRIu64, first, last);
    QC_ASSERT(n > 0 && n < RANGE_TEXT);
}

/* --- A cut of an object --- */

struct getting {
    struct s3_place *p;
    const struct cloud_get_job *job;
    size_t got;
};

/* Does the head speak of the cut that was asked for? A server without ranges sends the whole: good from its
 * beginning. */
static bool head_fits(const struct getting *g, const struct s3_reply *r)
{
    const struct cloud_range want = g->job->range;
    if (r->status == 200)
        return want.off == 0;
    return r->range_known && r->first == want.off && r->last - r->first < want.n &&
           (!r->length_known || r->length == r->last - r->first + 1);
}

static enum s3_fate get_take(void *ctx, const struct s3_reply *r, uint64_t at, qc_span bytes,
                             bool *ret_enough)
{
    struct getting *g = ctx;
    const size_t room = g->job->range.n - (size_t)at;
    const size_t n = bytes.n < room ? bytes.n : room;
    if (at == 0 && !head_fits(g, r))
        return S3_STRANGE;
    if (n > 0)
        memcpy(g->job->dst + at, bytes.p, n);
    g->got = (size_t)at + n;
    if (n < bytes.n && r->status != 200)
        return S3_STRANGE; /* more than it said */
    *ret_enough = n < bytes.n;
    return S3_DONE;
}

/* Bytes of a whole small object whose ETag is its MD5. Fragments are larger and carry tags of their own. */
static bool sum_fits(const struct getting *g, const struct s3_reply *r, bool whole)
{
    uint8_t md5[QC_MD5_BYTES];
    const qc_span all = qc_span_of(g->job->dst, g->got);
    struct qc_err ignored = { 0 };
    if (!whole || !r->etag_md5 || g->got > CLOUD_S3_SUM_SIZE_MAX || atomic_load(&g->p->etag_md5) != S3_YES)
        return true;
    return qc_md5(&all, 1, md5, &ignored) != QC_OK || memcmp(md5, r->md5, sizeof md5) == 0;
}

static enum s3_fate get_end(void *ctx, const struct s3_reply *r, uint64_t size)
{
    struct getting *g = ctx;
    const struct cloud_range want = g->job->range;
    if (size == 0)
        g->got = 0;
    if (r->status == 200)
        return r->length_known && size < r->length && size < want.n ? S3_BROKEN
               : sum_fits(g, r, g->got == size)                     ? S3_DONE
                                                                    : S3_CHANGED;
    if (size == 0 || size != r->last - r->first + 1)
        return S3_BROKEN;
    /* Less than was asked for is right at the object's end alone. */
    if (size < want.n && (!r->total_known || r->last + 1 != r->total))
        return S3_STRANGE;
    return sum_fits(g, r, r->total_known && r->first == 0 && r->last + 1 == r->total) ? S3_DONE : S3_CHANGED;
}

qc_rc s3_get(struct cloud *c, const struct cloud_get_job *job, size_t *ret_got, const struct cloud_op *op,
             struct qc_err *err)
{
    struct s3_place *p = s3_of(c)->place;
    struct getting g = { .p = p, .job = job };
    const struct s3_sink sink = { .ctx = &g, .take = get_take, .end = get_end };
    const uint64_t off = job->range.off;
    char range[RANGE_TEXT];
    /* An empty cut cannot be written as a range, and one beyond every object need not be asked for: what is
     * left to ask is whether the object is there. */
    if (job->range.n == 0 || off > CLOUD_OBJECT_SIZE_MAX) {
        uint64_t size = 0;
        QC_TRY(s3_size(p, job->key, &size, op, err));
        *ret_got = 0;
        return QC_OK;
    }
    /* No object is larger: the sum cannot wrap, and no server meets a number that it does not know. */
    const uint64_t n = job->range.n < CLOUD_OBJECT_SIZE_MAX ? job->range.n : CLOUD_OBJECT_SIZE_MAX;
    range_text(range, off, off + n - 1);
    const struct s3_call call = { .method = "GET",
                                  .key = job->key,
                                  .query = "",
                                  .range = range,
                                  .good = { 206, 200 },
                                  .expected = n,
                                  .sink = &sink };
    QC_CLEANUP(s3_reply_done) struct s3_reply reply = { 0 };
    enum s3_fate fate = S3_LOCAL;
    const qc_rc rc = s3_do(p, &call, &reply, &fate, op, err);
    if (fate == S3_BEYOND) {
        qc_err_clear(err);
        *ret_got = 0;
        return QC_OK;
    }
    if (rc == QC_OK)
        *ret_got = g.got;
    return rc;
}

/* --- A size --- */

/* Asked by a GET of the first byte: the refusal of a HEAD has no body, and so no reason (s3.md 2.5). */
struct sizing {
    uint64_t size;
};

static enum s3_fate size_take(void *ctx, const struct s3_reply *r, uint64_t at, qc_span bytes,
                              bool *ret_enough)
{
    (void)ctx;
    *ret_enough = r->status == 200; /* no ranges here: its length is in the head */
    return *ret_enough || at + bytes.n <= 1 ? S3_DONE : S3_STRANGE;
}

static enum s3_fate size_end(void *ctx, const struct s3_reply *r, uint64_t size)
{
    struct sizing *s = ctx;
    const bool known = r->status == 200 ? r->length_known : r->range_known && r->total_known && size == 1;
    s->size = r->status == 200 ? r->length : r->total;
    return known ? S3_DONE : S3_STRANGE;
}

/* An empty object has no first byte. */
static qc_rc size_by_head(struct s3_place *p, const char *key, uint64_t *ret, const struct cloud_op *op,
                          struct qc_err *err)
{
    struct sizing s = { 0 };
    const struct s3_sink sink = { .ctx = &s, .take = size_take, .end = size_end };
    const struct s3_call call = { .method = "HEAD", .key = key, .query = "", .good = { 200 }, .sink = &sink };
    QC_CLEANUP(s3_reply_done) struct s3_reply reply = { 0 };
    QC_TRY(s3_do(p, &call, &reply, NULL, op, err));
    *ret = s.size;
    return QC_OK;
}

qc_rc s3_size(struct s3_place *p, const char *key, uint64_t *ret, const struct cloud_op *op,
              struct qc_err *err)
{
    struct sizing s = { 0 };
    const struct s3_sink sink = { .ctx = &s, .take = size_take, .end = size_end };
    const struct s3_call call = { .method = "GET",
                                  .key = key,
                                  .query = "",
                                  .range = "bytes=0-0",
                                  .good = { 206, 200 },
                                  .expected = 1,
                                  .sink = &sink };
    QC_CLEANUP(s3_reply_done) struct s3_reply reply = { 0 };
    enum s3_fate fate = S3_LOCAL;
    const qc_rc rc = s3_do(p, &call, &reply, &fate, op, err);
    if (fate == S3_BEYOND) {
        qc_err_clear(err);
        return size_by_head(p, key, ret, op, err);
    }
    if (rc == QC_OK)
        *ret = s.size;
    return rc;
}

/* --- A comparison --- */

struct comparing {
    const struct cloud_put_job *job;
    size_t part, part_at;
    bool other;
};

static enum s3_fate held_take(void *ctx, const struct s3_reply *r, uint64_t at, qc_span bytes,
                              bool *ret_enough)
{
    struct comparing *h = ctx;
    if (at == 0) {
        h->part = h->part_at = 0;
        h->other = r->length_known && r->length != h->job->size;
    }
    while (bytes.n > 0 && !h->other) {
        if (h->part == h->job->count) {
            h->other = true; /* it goes on */
            break;
        }
        const qc_span s = qc_span_from(h->job->parts[h->part], h->part_at);
        const size_t n = s.n < bytes.n ? s.n : bytes.n;
        h->other = n > 0 && memcmp(s.p, bytes.p, n) != 0;
        bytes = qc_span_from(bytes, n);
        h->part_at += n;
        if (n == s.n) {
            h->part++;
            h->part_at = 0;
        }
    }
    *ret_enough = h->other;
    return S3_DONE;
}

static enum s3_fate held_end(void *ctx, const struct s3_reply *r, uint64_t size)
{
    struct comparing *h = ctx;
    if (size == 0)
        h->other = false;
    if (!h->other && r->length_known && size < r->length)
        return S3_BROKEN;
    h->other |= size != h->job->size;
    return S3_DONE;
}

qc_rc s3_held(struct s3_place *p, const struct cloud_put_job *job, enum s3_held *ret,
              const struct cloud_op *op, struct qc_err *err)
{
    struct comparing h = { .job = job };
    const struct s3_sink sink = { .ctx = &h, .take = held_take, .end = held_end };
    const struct s3_call call = {
        .method = "GET", .key = job->key, .query = "", .good = { 200 }, .expected = job->size, .sink = &sink
    };
    QC_CLEANUP(s3_reply_done) struct s3_reply reply = { 0 };
    enum s3_fate fate = S3_LOCAL;
    const qc_rc rc = s3_do(p, &call, &reply, &fate, op, err);
    if (fate == S3_MISSING) {
        qc_err_clear(err);
        *ret = S3_ABSENT;
        return QC_OK;
    }
    if (rc == QC_OK)
        *ret = h.other ? S3_OTHER : S3_SAME;
    return rc;
}
