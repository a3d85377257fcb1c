#include "cloud/cloud.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "credentials.h"
#include "driver.h"
#include "link_way.h"
#include "net/watch.h"

#include <stdlib.h>
#include <string.h>

qc_rc cloud_driver_find_of(const struct cloud_drivers *of, const char *scheme,
                           const struct cloud_driver **ret, struct qc_err *err)
{
    char known[128] = "";
    size_t n = 0;
    for (size_t i = 0; i < of->count; i++) {
        if (strcmp(of->v[i]->scheme, scheme) == 0) {
            *ret = of->v[i];
            return QC_OK;
        }
        size_t len = strlen(of->v[i]->scheme);
        QC_ASSERT(n + len + 3 < sizeof known);
        memcpy(known + n, i == 0 ? "" : ", ", i == 0 ? 0 : 2);
        n += i == 0 ? 0 : 2;
        memcpy(known + n, of->v[i]->scheme, len + 1);
        n += len;
    }
    return QC_FAIL(err, QC_USAGE, "cloud URL: unknown scheme '%s'; known: %s", scheme, known);
}

qc_rc cloud_op_check(const struct cloud_op *op, struct qc_err *err)
{
    return qc_go_on(op->deadline, op->cancel, "cloud call", err);
}

qc_rc cloud_check_of(const struct cloud_drivers *of, const char *url, const char *credentials,
                     struct qc_err *err)
{
    struct cloud_url u;
    const struct cloud_driver *driver = NULL;
    struct cloud_way way;
    QC_TRY(cloud_url_parse(url, &u, err));
    QC_TRY(cloud_driver_find_of(of, u.scheme, &driver, err));
    QC_TRY(cloud_way_from(&u, &way, err));
    if (driver->check != NULL)
        QC_TRY(driver->check(&u, err));
    if (credentials == NULL && driver->wants_credentials)
        return QC_FAIL(err, QC_USAGE,
                       "%s:// needs keys: put them into a file of mode 0600 and name it with "
                       "--cloud-credentials NAME=FILE, or name a profile of ~/.aws/credentials with "
                       "--cloud-credentials NAME=aws:PROFILE",
                       u.scheme);
    if (credentials != NULL && !driver->wants_credentials)
        return QC_FAIL(err, QC_USAGE, "%s:// takes no credentials", u.scheme);
    return credentials == NULL ? QC_OK : cloud_credentials_spec(credentials, err);
}

qc_rc cloud_check_credentials(const char *credentials, struct qc_err *err)
{
    return cloud_credentials_spec(credentials, err);
}

static qc_rc open_named(struct cloud **ret, const struct cloud_drivers *of, const char *name,
                        const struct cloud_url *url, const struct cloud_opts *opts, struct qc_err *err)
{
    const struct cloud_driver *driver = NULL;
    QC_TRY(cloud_driver_find_of(of, url->scheme, &driver, err));
    struct cloud_way way;
    QC_TRY(cloud_way_from(url, &way, err));
    QC_TRY(cloud_op_check(&opts->op, err));
    QC_CLEANUP(qc_free_ptr) char *copy = qc_strdup(name);
    if (copy == NULL)
        return QC_FAIL(err, QC_NOMEM, "name");
    QC_CLEANUP(cloud_close) struct cloud *c = NULL;
    QC_TRY(driver->open(&c, url, opts, err));
    c->name = QC_STEAL(copy);
#ifdef QC_FAULT_POINTS
    QC_TRY(cloud_fault_wrap(&c, err));
#endif
    c->tally = opts->tally; /* of what the caller sees: a wrapper counts once */
    if (way.link[0] != '\0')
        QC_TRY(net_watch_new(&c->link, way.link, &way.want, err));
    *ret = QC_STEAL(c);
    return QC_OK;
}

qc_rc cloud_open_of(struct cloud **ret, const struct cloud_drivers *of, const char *url,
                    const struct cloud_opts *opts, struct qc_err *err)
{
    struct cloud_url u;
    const char *name = opts->name != NULL ? opts->name : url;
    QC_TRY(cloud_url_parse(url, &u, err)); /* refuses credentials: from here on the URL may be printed */
    const uint64_t began_ns = qc_now_ns();
    const qc_rc rc = open_named(ret, of, name, &u, opts, err);
    cloud_tally_note(opts->tally, CLOUD_CALL_OPEN, began_ns, rc);
    QC_TRY_AS(rc, err, "cloud %s", name);
    return QC_OK;
}

qc_rc cloud_create_of(const struct cloud_drivers *of, const char *url, const struct cloud_opts *opts,
                      struct qc_err *err)
{
    struct cloud_url u;
    QC_TRY(cloud_url_parse(url, &u, err));
    const struct cloud_driver *driver = NULL;
    const char *name = opts->name != NULL ? opts->name : url;
    struct cloud_way way;
    QC_TRY(cloud_driver_find_of(of, u.scheme, &driver, err));
    QC_TRY(cloud_way_from(&u, &way, err));
    QC_TRY_AS(cloud_op_check(&opts->op, err), err, "cloud %s", name);
    QC_TRY_AS(driver->create(&u, opts, err), err, "cloud %s", name);
    return QC_OK;
}

void cloud_close(struct cloud **c)
{
    if (*c == NULL)
        return;
    char *name = (*c)->name;
    net_watch_free(&(*c)->link);
    (*c)->vt->close(*c);
    qc_free(name);
    *c = NULL;
}

const char *cloud_name(const struct cloud *c)
{
    return c->name;
}

const struct cloud_caps *cloud_caps(const struct cloud *c)
{
    return &c->caps;
}

/* The sum of the parts, if it is an object's size that this cloud takes. */
static qc_rc parts_size(const struct cloud *c, const qc_span *parts, size_t n, uint64_t *ret,
                        struct qc_err *err)
{
    if (n > CLOUD_PARTS_MAX)
        return QC_FAIL(err, QC_LIMIT, "%zu parts, at most %d", n, CLOUD_PARTS_MAX);
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        if (!qc_add_u64(sum, parts[i].n, &sum) || sum > c->caps.object_size_max)
            return QC_FAIL(err, QC_LIMIT, "object larger than %llu bytes",
                           (unsigned long long)c->caps.object_size_max);
    }
    *ret = sum;
    return QC_OK;
}

qc_rc cloud_put(struct cloud *c, const char *key, const qc_span *parts, size_t n, enum cloud_put_mode mode,
                const struct cloud_op *op, struct qc_err *err)
{
    QC_ASSERT(cloud_key_ok(key));
    QC_ASSERT(n == 0 || parts != NULL);
    struct cloud_put_job job = { .key = key, .parts = parts, .count = n, .mode = mode };
    QC_TRY_AS(parts_size(c, parts, n, &job.size, err), err, "cloud %s: put %s", c->name, key);
    QC_TRY_AS(cloud_op_check(op, err), err, "cloud %s: put %s", c->name, key);
    const uint64_t began_ns = qc_now_ns();
    const qc_rc rc = c->link != NULL && net_watch_allowed(c->link, NULL, err) != QC_OK
                         ? (err->rc = QC_TEMP) /* the cloud cannot be reached as it should be */
                         : c->vt->put(c, &job, op, err);
    cloud_tally_note(c->tally, CLOUD_CALL_PUT, began_ns, rc);
    QC_TRY_AS(rc, err, "cloud %s: put %s", c->name, key);
    if (c->tally != NULL)
        qc_count_add(&c->tally->sent, job.size);
    return QC_OK;
}

qc_rc cloud_get(struct cloud *c, const char *key, struct cloud_range range, uint8_t *dst, size_t *ret_got,
                const struct cloud_op *op, struct qc_err *err)
{
    QC_ASSERT(cloud_key_ok(key));
    QC_ASSERT(range.n == 0 || dst != NULL);
    struct cloud_get_job job = { .key = key, .range = range, .dst = dst };
    QC_TRY_AS(cloud_op_check(op, err), err, "cloud %s: get %s", c->name, key);
    size_t got = 0;
    const uint64_t began_ns = qc_now_ns();
    const qc_rc rc = c->vt->get(c, &job, &got, op, err);
    cloud_tally_note(c->tally, CLOUD_CALL_GET, began_ns, rc);
    QC_TRY_AS(rc, err, "cloud %s: get %s", c->name, key);
    QC_ASSERT(got <= range.n);
    if (c->tally != NULL)
        qc_count_add(&c->tally->received, got);
    *ret_got = got;
    return QC_OK;
}

qc_rc cloud_head(struct cloud *c, const char *key, uint64_t *ret_size, const struct cloud_op *op,
                 struct qc_err *err)
{
    QC_ASSERT(cloud_key_ok(key));
    QC_TRY_AS(cloud_op_check(op, err), err, "cloud %s: head %s", c->name, key);
    const uint64_t began_ns = qc_now_ns();
    const qc_rc rc = c->vt->head(c, key, ret_size, op, err);
    cloud_tally_note(c->tally, CLOUD_CALL_HEAD, began_ns, rc);
    QC_TRY_AS(rc, err, "cloud %s: head %s", c->name, key);
    return QC_OK;
}

qc_rc cloud_delete(struct cloud *c, const char *key, const struct cloud_op *op, struct qc_err *err)
{
    QC_ASSERT(cloud_key_ok(key));
    QC_TRY_AS(cloud_op_check(op, err), err, "cloud %s: delete %s", c->name, key);
    const uint64_t began_ns = qc_now_ns();
    const qc_rc rc = c->vt->delete (c, key, op, err);
    cloud_tally_note(c->tally, CLOUD_CALL_DELETE, began_ns, rc);
    QC_TRY_AS(rc, err, "cloud %s: delete %s", c->name, key);
    return QC_OK;
}

qc_rc cloud_list(struct cloud *c, const struct cloud_list_query *q, cloud_list_fn fn, void *ctx,
                 struct cloud_page *ret, const struct cloud_op *op, struct qc_err *err)
{
    QC_ASSERT(q->limit >= 1 && q->limit <= CLOUD_LIST_MAX);
    QC_ASSERT(strlen(q->prefix) <= CLOUD_KEY_SIZE_MAX);
    QC_ASSERT(strlen(q->after) <= CLOUD_KEY_SIZE_MAX);
    struct cloud_list_job job = { .q = q, .fn = fn, .ctx = ctx };
    QC_TRY_AS(cloud_op_check(op, err), err, "cloud %s: list %s", c->name, q->prefix);
    const uint64_t began_ns = qc_now_ns();
    const qc_rc rc = c->vt->list(c, &job, ret, op, err);
    cloud_tally_note(c->tally, CLOUD_CALL_LIST, began_ns, rc);
    QC_TRY_AS(rc, err, "cloud %s: list %s", c->name, q->prefix);
    return QC_OK;
}

qc_rc cloud_space(struct cloud *c, struct cloud_space *ret, const struct cloud_op *op, struct qc_err *err)
{
    QC_TRY_AS(cloud_op_check(op, err), err, "cloud %s: space", c->name);
    const uint64_t began_ns = qc_now_ns();
    const qc_rc rc = c->vt->space(c, ret, op, err);
    cloud_tally_note(c->tally, CLOUD_CALL_SPACE, began_ns, rc);
    QC_TRY_AS(rc, err, "cloud %s: space", c->name);
    return QC_OK;
}

qc_rc cloud_alive(struct cloud *c, const struct cloud_op *op, struct qc_err *err)
{
    QC_TRY_AS(cloud_op_check(op, err), err, "cloud %s", c->name);
    const uint64_t began_ns = qc_now_ns();
    const qc_rc rc = c->vt->alive(c, op, err);
    cloud_tally_note(c->tally, CLOUD_CALL_ALIVE, began_ns, rc);
    QC_TRY_AS(rc, err, "cloud %s", c->name);
    return QC_OK;
}
