#include "s3v2.h"

#include <string.h>

#include "base/limits.h"

/* Where a listing stands. */
struct walk {
    const struct cloud_list_job *job;
    struct cloud_page page;
    char after[S3_MAX_KEY_SIZE + 1]; /* the last name seen, ours or not */
    bool ended;                      /* a name beyond the prefix was seen: nothing is missing before it */
};

/* The server is not given the prefix, or it would not show the name after the last one. Instead the walk
 * begins right before it: keys have no '~'. */
static void walk_begin(struct walk *w, const struct cloud_list_query *q)
{
    size_t n = strlen(q->prefix);
    memcpy(w->after, q->after, strlen(q->after) + 1);
    memcpy(w->page.last, q->after, strlen(q->after) + 1);
    if (n == 0 || strcmp(q->after, q->prefix) >= 0)
        return;
    memcpy(w->after, q->prefix, n);
    w->after[n - 1] = (char)(w->after[n - 1] - 1);
    memcpy(w->after + n, "~", 2);
}

/* One name of an answer. */
static qc_rc tell(struct walk *w, const char *key, uint64_t size, struct qc_err *err)
{
    const struct cloud_list_query *q = w->job->q;
    size_t n = strlen(key);
    if (n >= S3_MAX_KEY_SIZE - 1) /* cut by libs3: two of them may look the same */
        return QC_FAIL(err, QC_IO, "a name in the bucket is longer than libs3 can list");
    if (strcmp(key, w->after) <= 0)
        return QC_FAIL(err, QC_IO, "the listing is not in order");
    memcpy(w->after, key, n + 1);
    int side = strncmp(key, q->prefix, strlen(q->prefix));
    w->ended = side > 0 || strcmp(key, S3V2_MARK) == 0;
    if (w->ended || side < 0 || !cloud_key_ok(key))
        return QC_OK;
    struct cloud_item item = { .key = key, .size = size };
    QC_TRY(w->job->fn(w->job->ctx, &item, err));
    memcpy(w->page.last, key, n + 1);
    w->page.count++;
    w->page.more = w->page.count == q->limit;
    return QC_OK;
}

static qc_rc tell_all(struct walk *w, qc_span keys, struct qc_err *err)
{
    qc_rd rd = { .s = keys };
    while (qc_rd_left(&rd) > 0 && !w->ended && !w->page.more) {
        uint64_t size = qc_rd_be(&rd, 8);
        const char *key = (const char *)keys.p + rd.at;
        (void)qc_rd_bytes(&rd, strlen(key) + 1);
        QC_TRY(tell(w, key, size, err));
    }
    return QC_OK;
}

qc_rc s3v2_list(struct cloud *cloud, const struct cloud_list_job *job, struct cloud_page *ret,
                const struct cloud_op *op, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf keys = { .max = CLOUD_S3V2_PAGE_SIZE_MAX };
    struct walk w = { .job = job };
    walk_begin(&w, job->q);
    for (unsigned pages = 0; !w.ended && !w.page.more; pages++) {
        size_t want = job->q->limit - w.page.count + 1; /* and the name after them */
        struct s3v2_call call = { .kind = S3V2_LIST, .after = w.after, .keys = &keys };
        struct s3v2_answer answer;
        call.max = want < CLOUD_S3V2_PAGE_KEYS ? (unsigned)want : CLOUD_S3V2_PAGE_KEYS;
        if (pages >= CLOUD_S3V2_PAGES_MAX)
            return QC_FAIL(err, QC_LIMIT, "more than %d pages of names", CLOUD_S3V2_PAGES_MAX);
        QC_TRY(s3v2_do(s3v2_of(cloud), &call, &answer, op, err));
        if (answer.fate != S3V2_DONE || keys.n == 0)
            return QC_FAIL(err, QC_IO, "the listing has no end: not even the mark of a cloud is in it");
        QC_TRY(tell_all(&w, qc_buf_span(&keys), err));
    }
    *ret = w.page;
    return QC_OK;
}
