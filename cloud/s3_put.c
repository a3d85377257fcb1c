/* Writing an object: one PUT with its Content-MD5, whose ETag is compared. Fragments are far below the 5 GiB
 * that one PUT takes, so there are no uploads in parts, and none can be left behind.
 *
 *   CLOUD_NEW where the cloud obeys If-None-Match:    PUT --412--> GET and compare
 *   where that is not known yet:             GET and compare --404--> PUT --200--> (a small one again: 412?
 * then it does) where it does not:                       GET and compare --404--> PUT
 *
 * What broke off may be there or not (s3.md 2.8): the same bytes are sent again under the same key.
 */
#include "s3.h"

#include <inttypes.h>
#include <string.h>

/* A put on its way. */
struct putting {
    struct s3_place *p;
    const struct cloud_put_job *job;
    const struct cloud_op *op;
    uint8_t md5[QC_MD5_BYTES];
    char md5_text[4 * (QC_MD5_BYTES + 2) / 3 + 1]; /* base64 */
};

static void base64(const uint8_t *in, size_t n, char *out)
{
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        const uint32_t v =
            (uint32_t)in[i] << 16 | (i + 1 < n ? (uint32_t)in[i + 1] << 8 : 0) | (i + 2 < n ? in[i + 2] : 0);
        *out++ = set[v >> 18];
        *out++ = set[v >> 12 & 63];
        *out++ = i + 1 < n ? set[v >> 6 & 63] : '=';
        *out++ = i + 2 < n ? set[v & 63] : '=';
    }
    *out = '\0';
}

/* After a 200: are our bytes there? Where ETags are MD5s the answer has said it; where they are not, a cloud
 * that understands Content-MD5 has compared, and the size is looked at. */
static qc_rc stored_well(struct putting *t, const struct s3_reply *r, bool *ret, struct qc_err *err)
{
    enum s3_held held = S3_OTHER;
    *ret = r->etag_md5 && memcmp(r->md5, t->md5, sizeof t->md5) == 0;
    if (*ret) {
        atomic_store(&t->p->etag_md5, S3_YES);
        return QC_OK;
    }
    if (atomic_load(&t->p->etag_md5) == S3_NO) {
        uint64_t size = 0;
        QC_TRY(s3_size(t->p, t->job->key, &size, t->op, err));
        *ret = size == t->job->size;
        return QC_OK;
    }
    QC_TRY(s3_held(t->p, t->job, &held, t->op, err));
    *ret = held == S3_SAME;
    if (*ret)
        atomic_store(&t->p->etag_md5, S3_NO);
    return QC_OK;
}

static qc_rc put_once(struct putting *t, bool if_none_match, struct s3_reply *reply, enum s3_fate *ret_fate,
                      struct qc_err *err)
{
    const struct s3_call call = { .method = "PUT",
                                  .key = t->job->key,
                                  .query = "",
                                  .md5 = t->md5_text,
                                  .if_none_match = if_none_match,
                                  .good = { 200 },
                                  .parts = t->job->parts,
                                  .count = t->job->count,
                                  .size = t->job->size };
    return s3_do(t->p, &call, reply, ret_fate, t->op, err);
}

static qc_rc put_checked(struct putting *t, bool if_none_match, enum s3_fate *ret_fate, struct qc_err *err)
{
    for (unsigned i = 0; i < 2; i++) {
        QC_CLEANUP(s3_reply_done) struct s3_reply reply = { 0 };
        bool good = false;
        QC_TRY(put_once(t, if_none_match && i == 0, &reply, ret_fate, err)); /* then the key is ours */
        QC_TRY(stored_well(t, &reply, &good, err));
        if (good)
            return QC_OK;
    }
    *ret_fate = S3_CHANGED;
    return QC_FAIL(err, QC_IO,
                   "the cloud stored other bytes than were sent, twice: suspect memory or network");
}

/* There was an object already. */
static qc_rc settle(enum s3_held held, struct qc_err *err)
{
    if (held == S3_OTHER)
        return QC_FAIL(err, QC_CONFLICT, "the key holds another object");
    if (held == S3_ABSENT)
        return QC_FAIL(err, QC_TEMP, "the object appeared and went again while it was put");
    return QC_OK;
}

/* Is If-None-Match obeyed? A small object, just put, is sent once more: the same bytes, so no harm is done
 * where it is not. */
static void learn_put_new(struct putting *t)
{
    QC_CLEANUP(s3_reply_done) struct s3_reply reply = { 0 };
    struct qc_err ignored = { 0 };
    enum s3_fate fate = S3_LOCAL;
    if (t->job->size > CLOUD_S3_TRIAL_SIZE_MAX)
        return;
    qc_ignore(put_once(t, true, &reply, &fate, &ignored), "the object is there; this was a question");
    if (fate == S3_TAKEN)
        atomic_store(&t->p->put_new, S3_YES);
    else if (fate == S3_DONE)
        atomic_store(&t->p->put_new, S3_NO);
}

static qc_rc put_new(struct putting *t, struct qc_err *err)
{
    const int known = atomic_load(&t->p->put_new);
    enum s3_held held = S3_ABSENT;
    enum s3_fate fate = S3_LOCAL;
    if (known != S3_YES)
        QC_TRY(s3_held(t->p, t->job, &held, t->op, err));
    if (held != S3_ABSENT)
        return settle(held, err);
    qc_rc rc = put_checked(t, known != S3_NO, &fate, err);
    if (known == S3_UNKNOWN && (fate == S3_UNABLE || fate == S3_REFUSED)) { /* the header is not understood */
        qc_err_clear(err);
        atomic_store(&t->p->put_new, S3_NO);
        return put_checked(t, false, &fate, err);
    }
    if (fate == S3_TAKEN) {
        qc_err_clear(err);
        atomic_store(&t->p->put_new, S3_YES);
        QC_TRY(s3_held(t->p, t->job, &held, t->op, err));
        return settle(held, err);
    }
    QC_TRY(rc);
    if (known == S3_UNKNOWN)
        learn_put_new(t);
    return QC_OK;
}

qc_rc s3_put(struct cloud *c, const struct cloud_put_job *job, const struct cloud_op *op, struct qc_err *err)
{
    struct putting t = { .p = s3_of(c)->place, .job = job, .op = op };
    enum s3_fate fate = S3_LOCAL;
    QC_TRY(qc_md5(job->parts, job->count, t.md5, err));
    base64(t.md5, sizeof t.md5, t.md5_text);
    if (job->mode == CLOUD_NEW)
        return put_new(&t, err);
    return put_checked(&t, false, &fate, err);
}
