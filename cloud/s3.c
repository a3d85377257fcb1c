#include "s3.h"

#include <string.h>

#include "base/alloc.h"

static qc_rc s3_head(struct cloud *c, const char *key, uint64_t *ret_size, const struct cloud_op *op,
                     struct qc_err *err);
static qc_rc s3_delete(struct cloud *c, const char *key, const struct cloud_op *op, struct qc_err *err);
static qc_rc s3_space(struct cloud *c, struct cloud_space *ret, const struct cloud_op *op,
                      struct qc_err *err);
static qc_rc s3_alive(struct cloud *c, const struct cloud_op *op, struct qc_err *err);
static void s3_close(struct cloud *c);

static const struct cloud_vt s3_vt = {
    .put = s3_put,
    .get = s3_get,
    .head = s3_head,
    .delete = s3_delete,
    .list = s3_list,
    .space = s3_space,
    .alive = s3_alive,
    .examine = s3_examine,
    .close = s3_close,
};

struct s3_cloud *s3_of(struct cloud *c)
{
    QC_ASSERT(c->vt == &s3_vt);
    return (struct s3_cloud *)c; /* base is the first member */
}

static qc_rc s3_head(struct cloud *c, const char *key, uint64_t *ret_size, const struct cloud_op *op,
                     struct qc_err *err)
{
    return s3_size(s3_of(c)->place, key, ret_size, op, err);
}

static qc_rc s3_delete(struct cloud *c, const char *key, const struct cloud_op *op, struct qc_err *err)
{
    const struct s3_call call = { .method = "DELETE", .key = key, .query = "", .good = { 204, 200 } };
    QC_CLEANUP(s3_reply_done) struct s3_reply reply = { 0 };
    enum s3_fate fate = S3_LOCAL;
    const qc_rc rc = s3_do(s3_of(c)->place, &call, &reply, &fate, op, err);
    if (fate != S3_MISSING)
        return rc;
    qc_err_clear(err);
    return QC_OK;
}

static qc_rc s3_space(struct cloud *c, struct cloud_space *ret, const struct cloud_op *op, struct qc_err *err)
{
    (void)c, (void)ret, (void)op;
    return QC_FAIL(err, QC_USAGE, "S3 does not tell how much room is left");
}

/* Does the bucket answer, to us, as a bucket does? A listing says it all: HEAD would not say why not. */
static qc_rc ask(struct s3_place *p, bool opening, struct s3_page *ret, const struct cloud_op *op,
                 struct qc_err *err)
{
    const struct s3_list_ask first = {
        .prefix = "", .after = "", .token = "", .max = opening ? CLOUD_S3_PAGE_KEYS : 1, .opening = opening
    };
    return s3_list_page(p, &first, ret, op, err);
}

static qc_rc s3_alive(struct cloud *c, const struct cloud_op *op, struct qc_err *err)
{
    QC_CLEANUP(s3_page_done) struct s3_page page = { .count = 0 };
    return ask(s3_of(c)->place, false, &page, op, err);
}

static void s3_close(struct cloud *c)
{
    struct s3_cloud *s = s3_of(c);
    s3_place_leave(&s->place, s->exclusive);
    qc_free(s);
}

static void handle_free(struct s3_cloud **s)
{
    if (*s != NULL)
        s3_close(&(*s)->base);
    *s = NULL;
}

static qc_rc handle_new(struct s3_cloud **ret, const struct cloud_url *url, const struct cloud_opts *opts,
                        struct qc_err *err)
{
    struct s3_url u;
    QC_TRY(s3_url_parse(url, NULL, 0, &u, err));
    QC_CLEANUP(handle_free) struct s3_cloud *s = qc_alloc(sizeof *s);
    if (s == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", sizeof *s);
    s->base.vt = &s3_vt;
    QC_TRY(s3_place_enter(&s->place, &u, opts, err));
    s->exclusive = opts->exclusive;
    *ret = QC_STEAL(s);
    return QC_OK;
}

static bool proved(const struct s3_place *p)
{
    const uint64_t at = atomic_load(&p->proved_ms);
    return at != 0 && qc_now_ms() - at < CLOUD_S3_PROVED_MS;
}

/* What cloud_validate has shown need not be learnt again. */
static void facts_take(struct s3_place *p, unsigned facts)
{
    if (facts & CLOUD_FACT_ETAG_MD5)
        atomic_store(&p->etag_md5, S3_YES);
    if (facts & CLOUD_FACT_IF_NONE_MATCH)
        atomic_store(&p->put_new, S3_YES);
}

static qc_rc s3_open(struct cloud **ret, const struct cloud_url *url, const struct cloud_opts *opts,
                     struct qc_err *err)
{
    QC_CLEANUP(handle_free) struct s3_cloud *s = NULL;
    QC_CLEANUP(s3_page_done) struct s3_page page = { .count = 0 };
    QC_TRY(handle_new(&s, url, opts, err));
    facts_take(s->place, opts->facts);
    if (!proved(s->place))
        QC_TRY(ask(s->place, true, &page, &opts->op, err));
    s->base.caps = (struct cloud_caps){ .driver = "s3",
                                        .object_size_max = CLOUD_OBJECT_SIZE_MAX,
                                        .put_new_atomic = (opts->facts & CLOUD_FACT_IF_NONE_MATCH) != 0,
                                        .list_strong = false, /* Swift's are late; nobody promises */
                                        .space_known = false,
                                        .parallel_hint = CLOUD_S3_PARALLEL };
    *ret = &QC_STEAL(s)->base;
    return QC_OK;
}

/* --- Making one --- */

/* A server that lets a wrong signature in lets everybody in. */
qc_rc s3_refuses(struct s3_place *p, enum s3_auth auth, bool *ret, const struct cloud_op *op,
                 struct qc_err *err)
{
    const struct s3_call call = { .method = "GET",
                                  .query = "list-type=2&max-keys=1",
                                  .good = { 200 },
                                  .body_max = CLOUD_S3_LIST_SIZE_MAX,
                                  .opening = true,
                                  .auth = auth };
    QC_CLEANUP(s3_reply_done) struct s3_reply reply = { 0 };
    enum s3_fate fate = S3_LOCAL;
    const qc_rc rc = s3_do(p, &call, &reply, &fate, op, err);
    /* Swift takes a request that nobody signed for one of its own kind, and answers 412. */
    *ret = fate == S3_KEYS || (auth == S3_UNSIGNED && reply.status >= 400 && reply.status < 500);
    if (!*ret)
        return rc;
    qc_err_clear(err);
    return QC_OK;
}

/* Every cloud in use holds its identity (FORMAT 9). Names with a dot do not count, as in a directory, and
 * those of ours. */
static qc_rc holds_others(struct s3_place *p, const struct s3_page *page, bool *ret,
                          const struct cloud_op *op, struct qc_err *err)
{
    size_t count = 0;
    uint64_t size = 0;
    for (size_t at = 0; at < page->keys.n;) {
        const char *key = (const char *)page->keys.p + at + 8;
        count += key[0] != '.' && !cloud_key_ours(key);
        at += 8 + strlen(key) + 1;
    }
    *ret = count > 0;
    if (!*ret)
        return QC_OK;
    const qc_rc rc = s3_size(p, "i/cloud", &size, op, err);
    if (rc == QC_NOTFOUND) {
        qc_err_clear(err);
        return QC_OK;
    }
    *ret = false;
    return rc;
}

/* The bucket itself is made at its provider: region, versioning and lock are decided there. */
static qc_rc s3_create(const struct cloud_url *url, const struct cloud_opts *opts, struct qc_err *err)
{
    QC_CLEANUP(handle_free) struct s3_cloud *s = NULL;
    QC_CLEANUP(s3_page_done) struct s3_page page = { .count = 0 };
    bool refuses = false;
    bool others = false;
    QC_TRY(handle_new(&s, url, &(struct cloud_opts){ .credentials = opts->credentials }, err));
    QC_TRY(ask(s->place, true, &page, &opts->op, err));
    QC_TRY(s3_refuses(s->place, S3_FORGED, &refuses, &opts->op, err));
    if (!refuses)
        return QC_FAIL(err, QC_AUTH,
                       "the server takes a request with a wrong signature: anybody can write there");
    QC_TRY(holds_others(s->place, &page, &others, &opts->op, err));
    if (others)
        return QC_FAIL(err, QC_CONFLICT, "the bucket holds other things; a cloud needs one of its own");
    return QC_OK;
}

enum { TEST_OBJECTS = 40 };

const struct cloud_driver cloud_s3_https_driver = { .scheme = "s3+https",
                                                    .wants_credentials = true,
                                                    .test_objects = TEST_OBJECTS,
                                                    .open = s3_open,
                                                    .create = s3_create };
const struct cloud_driver cloud_s3_http_driver = { .scheme = "s3+http",
                                                   .wants_credentials = true,
                                                   .test_objects = TEST_OBJECTS,
                                                   .open = s3_open,
                                                   .create = s3_create };
