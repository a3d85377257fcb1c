/* fault/vault_alloc: every allocation of every operation fails once. The operation says QC_NOMEM, or does
 * without (notes); nothing leaks, nothing is left unfinished, no wrong byte. */
#include "base/alloc.h"
#include "vault/erase.h"
#include "vault_rig.h"

enum { BIG = (2 << 20) + 5 }; /* a first chunk, one in between, and the last */

typedef qc_rc (*step_fn)(struct rig *r, struct qc_err *err);

static qc_rc do_open(struct rig *r, struct qc_err *err)
{
    vault_close(&r->v);
    return rig_open(r, err);
}

static qc_rc do_put(struct rig *r, struct qc_err *err)
{
    return rig_put(r, "dir/x", 1500000, 3, err);
}

static qc_rc do_get(struct rig *r, struct qc_err *err)
{
    return rig_get(r, "big", BIG, 1, err);
}

static qc_rc do_get_one(struct rig *r, struct qc_err *err)
{
    return rig_get(r, "small", 100, 2, err);
}

static qc_rc no_name(void *ctx, const struct vault_stat *s, struct qc_err *err)
{
    (void)ctx;
    (void)s;
    (void)err;
    return QC_OK;
}

static qc_rc do_list(struct rig *r, struct qc_err *err)
{
    struct vault_call call = rig_call(r);
    return vault_list(r->v, (qc_span){ 0 }, no_name, NULL, &call, err);
}

static qc_rc do_versions(struct rig *r, struct qc_err *err)
{
    struct vault_call call = rig_call(r);
    struct vault_versions all = { 0 };
    const qc_rc rc = vault_versions(r->v, qc_span_str("small"), &call, &all, err);
    CHECK(rc != QC_OK || all.n == 3 || r->notes.n > 0);
    vault_versions_done(&all);
    return rc;
}

static qc_rc do_get_version(struct rig *r, struct qc_err *err)
{
    struct rig_sink s = { .salt = 2, .size = 100 };
    const struct vault_sink sink = {
        .begin = rig_sink_begin, .write = rig_sink_write, .finish = rig_sink_finish, .ctx = &s
    };
    struct vault_call call = rig_call(r);
    const struct vault_which which = { .by_time = true, .at_s = qc_wall_s() + 1 };
    struct vault_got got = { 0 };
    const qc_rc rc = vault_get_part(r->v, qc_span_str("small"), &(struct vault_get_opts){ .which = &which },
                                    &sink, &call, &got, err);
    vault_got_done(&got);
    return rc;
}

static qc_rc no_removed(void *ctx, const struct vault_removed *one, struct qc_err *err)
{
    (void)ctx;
    (void)one;
    (void)err;
    return QC_OK;
}

static qc_rc do_trash(struct rig *r, struct qc_err *err)
{
    struct vault_call call = rig_call(r);
    return vault_trash(r->v, (qc_span){ 0 }, no_removed, NULL, &call, err);
}

static qc_rc do_remove(struct rig *r, struct qc_err *err)
{
    struct vault_call call = rig_call(r);
    struct vault_remove_result result;
    qc_rc rc = vault_remove(r->v, qc_span_str("dir/x"), &call, &result, err);
    return rc == QC_NOTFOUND ? QC_OK : rc; /* an earlier round removed it and had no memory to say so */
}

/* The record of a version that is gone: it can be made again and again. */
static struct vault_versions erased;

static qc_rc record(struct rig *r, struct qc_err *err)
{
    QC_CLEANUP(vault_erase_close) struct vault_erasure *e = NULL;
    QC_CLEANUP(vault_erasing_free) struct vault_erasing *x = NULL;
    QC_CLEANUP(vault_erased_record_done) struct vault_erased_record made = { 0 };
    struct vault_call call = rig_call(r);
    const qc_span name = qc_span_str("dir/x");
    bool drafted = false;
    QC_TRY(vault_erase_open(&e, r->v, err));
    QC_TRY(vault_erase_begin(&x, e, name, &drafted, err));
    QC_TRY(vault_erase_note(x, &erased, &erased.v[1], 1, false, err));
    QC_TRY(vault_erase_confirm(&x, 1, &call, err));
    QC_TRY(vault_erase_record(x, true, &call, &made, err));
    CHECK(made.made && made.versions == 1);
    return vault_erase_end(x, err);
}

static qc_rc do_record(struct rig *r, struct qc_err *err)
{
    const qc_rc rc = record(r, err);
    /* jansson drops a byte of a string where it lacks memory for it, and says nothing */
    return rc == QC_FORMAT && strncmp(err->msg, "descriptor: ", 12) == 0 ? QC_NOMEM : rc;
}

static void erase_one(struct rig *r)
{
    struct vault_call call = rig_call(r);
    struct vault_doomed one = { 0 };
    struct qc_err err = { 0 };
    CHECK_OK(rig_put(r, "dir/x", 10, 4, &err));
    CHECK_OK(rig_put(r, "dir/x", 10, 4, &err));
    CHECK_OK(vault_versions(r->v, qc_span_str("dir/x"), &call, &erased, &err));
    one.sequence = erased.v[1].sequence;
    memcpy(one.object, erased.v[1].object, VAULT_ID_BYTES);
    memcpy(one.version, erased.v[1].version, VAULT_ID_BYTES);
    CHECK_OK(vault_purge(r->v, &one, 1, &call, &err));
}

static qc_rc do_verify(struct rig *r, struct qc_err *err)
{
    struct vault_call call = rig_call(r);
    struct vault_verify_result result;
    qc_rc rc = vault_verify(r->v, (qc_span){ 0 }, NULL, NULL, &call, &result, err);
    if (rc == QC_OK)
        CHECK(result.bad == 0);
    return rc;
}

static qc_rc do_recover(struct rig *r, struct qc_err *err)
{
    struct vault_call call = rig_call(r);
    struct vault_recover_result result;
    vault_close(&r->v);
    qc_rc rc = rig_open(r, err);
    if (rc == QC_OK)
        rc = vault_recover(r->v, 1, r->share[0], &call, &result, err);
    if (rc == QC_OK)
        CHECK(result.failed == 0);
    return rc;
}

static qc_rc do_draw(struct rig *r, struct qc_err *err)
{
    static uint64_t have = 0;
    struct vault_call call = rig_call(r);
    return vault_tickets_draw(r->v, have + 1, &call, &have, err);
}

static qc_rc do_kit(struct rig *r, struct qc_err *err)
{
    QC_CLEANUP(vault_kit_done) struct vault_kit kit = { 0 };
    QC_CLEANUP(vault_kit_words_done) struct vault_kit_words words = { 0 };
    QC_TRY(vault_kit_of(&kit, r->v, 3, err));
    QC_TRY(vault_kit_encode(&words, &kit, err));
    return vault_kit_here(&kit, r->v, err);
}

/* Until the n-th allocation is one that the step does not reach any more. */
static void all_allocations(struct rig *r, const char *name, step_fn step, bool reopen)
{
    unsigned failed = 0, calm = 0, n = 0;
    for (n = 1; calm < 20; n++) {
        struct qc_err err = { 0 };
        if (reopen)
            vault_close(&r->v);
        else if (r->v == NULL)
            CHECK_OK(rig_open(r, &err));
        vault_notes_done(&r->notes);
        int64_t live = qc_alloc_live();
        qc_fault_alloc(n);
        qc_rc rc = step(r, &err);
        qc_fault_alloc(0);
        if (rc != QC_OK && rc != QC_NOMEM) {
            fprintf(stderr, "%s, allocation %u: %s (%s)\n", name, n, qc_rc_name(rc), err.msg);
            exit(1);
        }
        failed += rc != QC_OK;
        calm = rc == QC_OK ? calm + 1 : 0;
        vault_notes_done(&r->notes);
        if (reopen)
            vault_close(&r->v);
        if (qc_alloc_live() != live) {
            fprintf(stderr, "%s, allocation %u: %lld blocks more than before\n", name, n,
                    (long long)(qc_alloc_live() - live));
            exit(1);
        }
    }
    printf("%s: %u of %u allocations are fatal to it\n", name, failed, n - 1);
    CHECK(failed > 0);
}

int main(void)
{
    struct rig r;
    struct qc_err err = { 0 };
    struct qc_rand rand = qc_rand_start();
    const bool derived = qc_rand_u64(&rand) % 2 == 1;
    printf("shares: %s\n", derived ? "derived" : "stored");
    rig_new_mode(&r, rand, derived);
    CHECK_OK(rig_put(&r, "big", BIG, 1, &err));
    CHECK_OK(rig_put(&r, "small", 100, 2, &err));
    all_allocations(&r, "open", do_open, true);
    all_allocations(&r, "put", do_put, false);
    all_allocations(&r, "get", do_get, false);
    all_allocations(&r, "get small", do_get_one, false);
    all_allocations(&r, "list", do_list, false);
    all_allocations(&r, "remove", do_remove, false);
    all_allocations(&r, "trash", do_trash, false);
    CHECK_OK(rig_put(&r, "small", 100, 2, &err));
    CHECK_OK(rig_put(&r, "small", 100, 2, &err));
    all_allocations(&r, "versions", do_versions, false);
    all_allocations(&r, "get a version", do_get_version, false);
    erase_one(&r);
    all_allocations(&r, "record of erasure", do_record, false);
    vault_versions_done(&erased);
    all_allocations(&r, "verify", do_verify, false);
    if (derived)
        all_allocations(&r, "kit", do_kit, false);
    all_allocations(&r, "tickets", do_draw, false);
    vault_close(&r.v);
    rig_lose(&r, "share1");
    all_allocations(&r, "recover", do_recover, true);
    CHECK_OK(rig_open(&r, &err));
    CHECK_OK(rig_put(&r, "small", 100, 2, &err));
    CHECK_OK(rig_get(&r, "small", 100, 2, &err));
    CHECK(rig_leftovers(&r) == 0 && r.notes.n == 0);
    rig_done(&r);
    return 0;
}
