/* The part of cloud_validate that is S3's own (s3.md section 4). */
#include "exam.h"
#include "s3.h"

#include <inttypes.h>
#include <string.h>

/* Can the rest not be looked at either? Everything else is an answer that says something about the cloud. */
static bool hopeless(enum s3_fate fate)
{
    static const enum s3_fate rows[] = { S3_LOCAL, S3_TRANSIENT, S3_SLOW,      S3_STALE, S3_DOWN, S3_BROKEN,
                                         S3_CLOCK, S3_KEYS,      S3_NO_BUCKET, S3_FULL,  S3_CERT };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i] == fate)
            return true;
    return false;
}

/* The look that is taken. */
struct look {
    struct s3_place *p;
    struct cloud_exam *x;
    const struct cloud_op *op;
};

/* Who gets in? */
static qc_rc examine_doors(const struct look *l, struct qc_err *err)
{
    bool refuses = false;
    QC_TRY(s3_refuses(l->p, S3_FORGED, &refuses, l->op, err));
    if (!refuses)
        cloud_exam_bad(l->x, CLOUD_CHECK_WRONG_SECRET, "a request with a wrong signature was answered");
    cloud_exam_good(l->x, CLOUD_CHECK_WRONG_SECRET);
    QC_TRY(s3_refuses(l->p, S3_UNSIGNED, &refuses, l->op, err));
    if (!refuses)
        cloud_exam_bad(l->x, CLOUD_CHECK_UNSIGNED, "a request that nobody signed was answered");
    cloud_exam_good(l->x, CLOUD_CHECK_UNSIGNED);
    return QC_OK;
}

/* Put a few bytes under a key of the test. */
static qc_rc put_small(const struct look *l, qc_span text, const char *md5, struct s3_reply *reply,
                       enum s3_fate *ret_fate, struct qc_err *err)
{
    char key[CLOUD_TEST_KEY_SIZE];
    cloud_exam_key(l->x, key);
    const struct s3_call call = { .method = "PUT",
                                  .key = key,
                                  .query = "",
                                  .md5 = md5,
                                  .good = { 200 },
                                  .parts = &text,
                                  .count = 1,
                                  .size = text.n };
    return s3_do(l->p, &call, reply, ret_fate, l->op, err);
}

static qc_rc examine_sums(const struct look *l, struct qc_err *err)
{
    static const char md5_of_another[] = "xUNcGnf4aw59JZZvQu+n2g=="; /* "qcloud looks at that cloud" */
    const qc_span text = QC_LIT("qcloud looks at this cloud");
    QC_CLEANUP(s3_reply_done) struct s3_reply reply = { 0 };
    enum s3_fate fate = S3_LOCAL;
    uint8_t md5[QC_MD5_BYTES];
    QC_TRY(qc_md5(&text, 1, md5, err));

    qc_rc rc = put_small(l, text, md5_of_another, &reply, &fate, err);
    if (rc != QC_OK && hopeless(fate))
        return rc;
    qc_err_clear(err);
    if (rc == QC_OK)
        cloud_exam_bad(l->x, CLOUD_CHECK_CONTENT_MD5, "a write with a wrong Content-MD5 was taken");
    else if (fate != S3_CHANGED)
        cloud_exam_bad(l->x, CLOUD_CHECK_CONTENT_MD5, "a wrong Content-MD5 is refused, but as %d %s",
                       reply.status, reply.code);
    cloud_exam_good(l->x, CLOUD_CHECK_CONTENT_MD5);

    rc = put_small(l, text, NULL, &reply, &fate, err);
    if (rc != QC_OK && hopeless(fate))
        return rc;
    qc_err_clear(err);
    if (rc != QC_OK || !reply.etag_md5 || memcmp(reply.md5, md5, sizeof md5) != 0)
        cloud_exam_bad(l->x, CLOUD_CHECK_ETAG_MD5,
                       "the ETag is not the MD5: each write is followed by a read");
    cloud_exam_good(l->x, CLOUD_CHECK_ETAG_MD5);
    return QC_OK;
}

/* Is a second writer of one key told so? Whether of several at once one wins, the race will show that
 * follows; a good answer here is what lets it be run. */
static qc_rc examine_new(const struct look *l, struct qc_err *err)
{
    const qc_span text = QC_LIT("qcloud looks at this cloud");
    char key[CLOUD_TEST_KEY_SIZE];
    cloud_exam_key(l->x, key);
    const struct s3_call call = { .method = "PUT",
                                  .key = key,
                                  .query = "",
                                  .if_none_match = true,
                                  .good = { 200 },
                                  .parts = &text,
                                  .count = 1,
                                  .size = text.n };
    for (unsigned i = 0; i < 2; i++) {
        QC_CLEANUP(s3_reply_done) struct s3_reply reply = { 0 };
        enum s3_fate fate = S3_LOCAL;
        const qc_rc rc = s3_do(l->p, &call, &reply, &fate, l->op, err);
        if (rc != QC_OK && hopeless(fate))
            return rc;
        qc_err_clear(err);
        if (fate != (i == 0 ? S3_DONE : S3_TAKEN))
            cloud_exam_bad(l->x, CLOUD_CHECK_NEW_RACE,
                           "If-None-Match is %s: who writes a new key first is not "
                           "decided by the cloud",
                           rc == QC_OK ? "passed over" : "not known there");
    }
    cloud_exam_good(l->x, CLOUD_CHECK_NEW_RACE);
    return QC_OK;
}

static qc_rc examine_list(const struct look *l, struct qc_err *err)
{
    QC_CLEANUP(s3_page_done) struct s3_page page = { .count = 0 };
    const struct s3_list_ask ask = { .prefix = CLOUD_TEST_PREFIX, .after = "", .token = "", .max = 1 };
    QC_TRY(s3_list_page(l->p, &ask, &page, l->op, err));
    if (atomic_load(&l->p->list_v1))
        cloud_exam_bad(l->x, CLOUD_CHECK_LIST_V2, "it knows the first version of the listing alone");
    cloud_exam_good(l->x, CLOUD_CHECK_LIST_V2);
    return QC_OK;
}

/* A setting of the bucket as a whole. What a cloud does not know, it has not set: 404, 501, or a code of its
 * own.
 */
struct setting {
    enum cloud_check check;
    const char *query, *element, *value; /* bad where the element has this value, or any where it is NULL */
    const char *why;
};

static const struct setting settings[] = {
    { CLOUD_CHECK_VERSIONING, "versioning=", "Status", "Enabled",
      "the bucket keeps old versions: what is deleted stays, and is paid for" },
    { CLOUD_CHECK_OBJECT_LOCK, "object-lock=", "ObjectLockEnabled", "Enabled",
      "the bucket has object lock: what is locked cannot be deleted" },
    { CLOUD_CHECK_LIFECYCLE, "lifecycle=", "Rule", NULL,
      "the bucket has lifecycle rules: one that expires or archives objects destroys data" },
};

static qc_rc examine_setting(const struct look *l, const struct setting *s, int64_t *ret_off,
                             struct qc_err *err)
{
    const struct s3_call call = {
        .method = "GET", .query = s->query, .good = { 200 }, .body_max = CLOUD_S3_ERROR_SIZE_MAX
    };
    QC_CLEANUP(s3_reply_done) struct s3_reply reply = { 0 };
    enum s3_fate fate = S3_LOCAL;
    char value[S3_WORD_SIZE] = "";
    const qc_rc rc = s3_do(l->p, &call, &reply, &fate, l->op, err);
    if (rc != QC_OK && hopeless(fate) && fate != S3_KEYS)
        return rc;
    qc_err_clear(err);
    if (reply.date_known)
        *ret_off = reply.date - qc_wall_s();
    if (fate == S3_KEYS) {
        cloud_exam_warn(l->x, s->check, "the keys do not allow to look");
        return QC_OK;
    }
    if (rc == QC_OK && s3_xml_find(qc_buf_span(&reply.body), s->element, value, sizeof value) &&
        (s->value == NULL || strcmp(value, s->value) == 0))
        cloud_exam_bad(l->x, s->check, "%s", s->why);
    cloud_exam_good(l->x, s->check);
    return QC_OK;
}

qc_rc s3_examine(struct cloud *c, struct cloud_exam *x, const struct cloud_op *op, struct qc_err *err)
{
    const struct look l = { s3_of(c)->place, x, op };
    int64_t off = 0;
    QC_TRY(examine_doors(&l, err));
    QC_TRY(examine_sums(&l, err));
    QC_TRY(examine_new(&l, err));
    QC_TRY(examine_list(&l, err));
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        QC_TRY(examine_setting(&l, &settings[i], &off, err));
    x->report->clock_s = off;
    if (off > CLOUD_S3_CLOCK_WARN_S || off < -CLOUD_S3_CLOCK_WARN_S)
        cloud_exam_bad(x, CLOUD_CHECK_CLOCK, "its clock and this machine's are %" PRId64 " s apart", off);
    cloud_exam_good(x, CLOUD_CHECK_CLOCK);
    return QC_OK;
}
