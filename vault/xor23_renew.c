/* New shares of the same bytes: a get in one thread is the source of a put in the caller's. */
#include <string.h>

#include "base/workq.h"
#include "handoff.h"
#include "vault/xor23_sites.h"

struct renewal {
    const struct vault_xor23_sites *readers;
    qc_span name;
    struct vault_call call;
    struct handoff bytes;
    struct vault_xor23_got got;
    struct vault_source source; /* but for read and ctx written before the first bytes are given */
};

/* --- The thread that reads --- */

static qc_rc get_begin(void *ctx, const struct vault_stat *what, struct qc_err *err)
{
    struct renewal *r = ctx;
    (void)err;
    r->source.has_mtime = what->has_mtime;
    r->source.has_mode = what->has_mode;
    r->source.mtime_s = what->mtime_s;
    r->source.mtime_ns = what->mtime_ns;
    r->source.mode = what->mode;
    return QC_OK;
}

static qc_rc get_write(void *ctx, qc_span bytes, struct qc_err *err)
{
    struct renewal *r = ctx;
    return handoff_give(&r->bytes, bytes, err);
}

static void get_job(void *arg)
{
    struct renewal *r = arg;
    const struct vault_sink sink = { .begin = get_begin, .write = get_write, .ctx = r };
    struct qc_err why = { 0 };
    why.rc = vault_xor23_get(r->readers, r->name, false, &sink, &r->call, &r->got, &why);
    handoff_end(&r->bytes, why.rc == QC_OK ? NULL : &why);
}

/* --- The caller's --- */

/* The end comes when the get has returned: then every byte was verified. */
static qc_rc put_read(void *ctx, uint8_t *dst, size_t max, size_t *ret_got, struct qc_err *err)
{
    struct renewal *r = ctx;
    return handoff_take(&r->bytes, dst, max, ret_got, err);
}

qc_rc vault_xor23_renew(const struct vault_xor23_sites *sites, const struct vault_xor23_sites *readers,
                        qc_span name, const struct vault_xor23_put_opts *opts, const struct vault_call *call,
                        struct vault_xor23_stored *ret, struct qc_err *err)
{
    struct qc_workq *thread = NULL;
    struct renewal r = { .readers = readers, .name = name, .call = { .op = call->op } };
    r.source = (struct vault_source){
        .read = put_read, .ctx = &r, .size = VAULT_SIZE_UNKNOWN, .from = r.got.report.header.ids.version
    };
    handoff_init(&r.bytes);
    qc_rc rc = qc_workq_new(&thread, 1, 1, err);
    if (rc == QC_OK)
        rc = qc_workq_submit(thread, get_job, &r, QC_NO_DEADLINE, err);
    if (rc == QC_OK)
        rc = handoff_wait(&r.bytes, err);
    struct vault_xor23_put_opts kept = *opts;
    kept.scheme = r.got.report.header.scheme;
    if (rc == QC_OK)
        rc = vault_xor23_put(sites, name, &r.source, &kept, call, ret, err);
    handoff_leave(&r.bytes);
    qc_workq_free(&thread);
    handoff_done(&r.bytes);
    return rc;
}
