/* Listing: pages of the second version of the call, or of the first where a server knows no other. */
#include "s3.h"

#include <stdio.h>
#include <string.h>

/* --- One page --- */

/* Pairs in ascending order of their names, as the signature wants it. */
static qc_rc pair(qc_buf *q, const char *name, const char *value, struct qc_err *err)
{
    if (value[0] == '\0')
        return QC_OK;
    QC_TRY(qc_buf_addf(q, err, "%s%s=", q->n > 0 ? "&" : "", name));
    return s3_encode(q, value, false, err);
}

static qc_rc query_make(qc_buf *q, bool v1, const struct s3_list_ask *ask, struct qc_err *err)
{
    char max[16];
    (void)snprintf(max, sizeof max, "%u", ask->max);
    if (!v1)
        QC_TRY(pair(q, "continuation-token", ask->token, err));
    QC_TRY(pair(q, "encoding-type", "url", err));
    if (!v1)
        QC_TRY(pair(q, "list-type", "2", err));
    if (v1)
        QC_TRY(pair(q, "marker", ask->after, err));
    QC_TRY(pair(q, "max-keys", max, err));
    QC_TRY(pair(q, "prefix", ask->prefix, err));
    return v1 || ask->token[0] != '\0' ? QC_OK : pair(q, "start-after", ask->after, err);
}

static qc_rc page_get(struct s3_place *p, bool v1, const struct s3_list_ask *ask, struct s3_page *ret,
                      enum s3_fate *ret_fate, const struct cloud_op *op, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf query = { .max = 4 * (2 * CLOUD_S3_TEXT_MAX + CLOUD_KEY_SIZE_MAX) };
    QC_CLEANUP(s3_reply_done) struct s3_reply reply = { 0 };
    struct s3_call call = { .method = "GET",
                            .good = { 200 },
                            .expected = CLOUD_S3_LIST_SIZE_MAX,
                            .body_max = CLOUD_S3_LIST_SIZE_MAX,
                            .opening = ask->opening };
    QC_TRY(query_make(&query, v1, ask, err));
    QC_TRY(qc_buf_cstr(&query, &call.query, err));
    QC_TRY(s3_do(p, &call, &reply, ret_fate, op, err));
    return s3_page_parse(qc_buf_span(&reply.body), ret, err);
}

qc_rc s3_list_page(struct s3_place *p, const struct s3_list_ask *ask, struct s3_page *ret,
                   const struct cloud_op *op, struct qc_err *err)
{
    QC_CLEANUP(s3_page_done) struct s3_page page = { .count = 0 };
    enum s3_fate fate = S3_LOCAL;
    bool v1 = atomic_load(&p->list_v1);
    qc_rc rc = page_get(p, v1, ask, &page, &fate, op, err);
    /* Refused, or answered as if the first version had been asked for. */
    if (!v1 && (rc == QC_OK ? page.v1 : fate == S3_UNABLE || fate == S3_REFUSED)) {
        qc_err_clear(err);
        s3_page_done(&page);
        rc = page_get(p, true, ask, &page, &fate, op, err);
        if (rc == QC_OK)
            atomic_store(&p->list_v1, true);
    }
    QC_TRY(rc);
    *ret = QC_STEAL(page);
    return QC_OK;
}

/* --- The call --- */

struct listing {
    const struct cloud_list_job *job;
    struct cloud_page page;
    char cursor[CLOUD_S3_TEXT_MAX + 1]; /* the last key seen, a foreign one, too */
    char token[CLOUD_S3_TEXT_MAX + 1];
    bool full; /* the limit is reached, and there is another key */
};

/* A key of the store. Those that are not ours are left out, but bring us on. */
static qc_rc see(struct listing *l, const char *key, uint64_t size, struct qc_err *err)
{
    const struct cloud_list_query *q = l->job->q;
    if (strcmp(key, l->cursor) <= 0 || strncmp(key, q->prefix, strlen(q->prefix)) != 0)
        return QC_FAIL(err, QC_IO, "the listing is not in order, or not of what was asked for");
    memcpy(l->cursor, key, strlen(key) + 1);
    if (!cloud_key_ok(key))
        return QC_OK;
    l->full = l->page.count == q->limit;
    if (l->full)
        return QC_OK;
    const struct cloud_item item = { .key = key, .size = size };
    QC_TRY(l->job->fn(l->job->ctx, &item, err));
    l->page.count++;
    memcpy(l->page.last, key, strlen(key) + 1);
    return QC_OK;
}

static qc_rc see_page(struct listing *l, const struct s3_page *page, struct qc_err *err)
{
    for (size_t at = 0; at < page->keys.n && !l->full;) {
        const char *key = (const char *)page->keys.p + at + 8;
        QC_TRY(see(l, key, qc_get_be(page->keys.p + at, 8), err));
        at += 8 + strlen(key) + 1;
    }
    if (page->truncated && page->count == 0 && page->token[0] == '\0')
        return QC_FAIL(err, QC_IO, "an empty page of the listing that says there is more");
    memcpy(l->token, page->token, sizeof l->token);
    return QC_OK;
}

static qc_rc list_pages(struct s3_place *p, struct listing *l, const struct cloud_op *op, struct qc_err *err)
{
    const struct cloud_list_query *q = l->job->q;
    for (unsigned pages = 0; pages < CLOUD_S3_PAGES_MAX; pages++) {
        QC_CLEANUP(s3_page_done) struct s3_page page = { .count = 0 };
        const size_t want = q->limit - l->page.count + 1; /* one more tells whether there are more */
        const struct s3_list_ask ask = { .prefix = q->prefix,
                                         .after = l->cursor,
                                         .token = l->token,
                                         .max = (unsigned)(want < CLOUD_S3_PAGE_KEYS ? want
                                                                                     : CLOUD_S3_PAGE_KEYS) };
        QC_TRY(s3_list_page(p, &ask, &page, op, err));
        QC_TRY(see_page(l, &page, err));
        if (l->full || !page.truncated)
            return QC_OK;
    }
    return QC_FAIL(err, QC_LIMIT, "more than %d pages of other people's keys", CLOUD_S3_PAGES_MAX);
}

qc_rc s3_list(struct cloud *c, const struct cloud_list_job *job, struct cloud_page *ret,
              const struct cloud_op *op, struct qc_err *err)
{
    struct listing l = { .job = job };
    memcpy(l.cursor, job->q->after, strlen(job->q->after) + 1);
    memcpy(l.page.last, job->q->after, strlen(job->q->after) + 1);
    QC_TRY(list_pages(s3_of(c)->place, &l, op, err));
    l.page.more = l.full;
    *ret = l.page;
    return QC_OK;
}
