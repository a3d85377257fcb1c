/* unit/vault_pipeline: put, get, list, remove, verify, recover against a gateway in memory. */
#include "vault_rig.h"

static void sizes(struct rig *r)
{
    static const uint64_t size[] = {
        0, 1, 100, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 16 << 20, (16 << 20) + 1, (33 << 20) + 12345
    };
    struct qc_err err = { 0 };
    for (size_t i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
        struct vault_put_result file, pipe;
        struct rig_pattern p = { .size = size[i], .salt = i };
        CHECK_OK(rig_put_from(r, "size", &p, &file, &err));
        CHECK(file.size == size[i] && !file.degraded && file.margin == 2 && file.number == 2 * i + 1);
        CHECK_OK(rig_get(r, "size", size[i], i, &err));
        p = (struct rig_pattern){ .size = size[i], .salt = i + 100, .unknown = true };
        CHECK_OK(rig_put_from(r, "size", &p, &pipe, &err));
        CHECK(pipe.stored == file.stored && pipe.sequence == file.sequence + 1);
        CHECK_OK(rig_get(r, "size", size[i], i + 100, &err));
    }
    CHECK(rig_leftovers(r) == 0);
    CHECK(r->notes.n == 0);
}

static qc_rc count_names(void *ctx, const struct vault_stat *s, struct qc_err *err)
{
    char **at = ctx;
    (void)err;
    CHECK(s->name.n < 60);
    memcpy(*at, s->name.p, s->name.n);
    (*at)[s->name.n] = '\n';
    *at += s->name.n + 1;
    return QC_OK;
}

static void check_list(struct rig *r, const char *prefix, const char *want)
{
    struct qc_err err = { 0 };
    struct vault_call call = rig_call(r);
    char got[1024] = "", *at = got;
    CHECK_OK(vault_list(r->v, qc_span_str(prefix), count_names, &at, &call, &err));
    if (strcmp(got, want) != 0) {
        fprintf(stderr, "list '%s':\n%sexpected:\n%s", prefix, got, want);
        exit(1);
    }
}

static void names(struct rig *r)
{
    struct qc_err err = { 0 };
    struct vault_call call = rig_call(r);
    struct vault_remove_result removed;
    struct vault_stat st = { 0 };
    CHECK_OK(rig_put(r, "b/two", 10, 1, &err));
    CHECK_OK(rig_put(r, "a", 10, 2, &err));
    CHECK_OK(rig_put(r, "b/one", 10, 3, &err));
    CHECK_OK(rig_put(r, "bb", 10, 4, &err));
    CHECK_OK(rig_put(r, "b", 10, 5, &err));
    CHECK_OK(rig_put(r, "b/c/d\n\xff", 10, 6, &err));
    check_list(r, "", "a\nb\nb/c/d\n\xff\nb/one\nb/two\nbb\nsize\n");
    check_list(r, "b", "b\nb/c/d\n\xff\nb/one\nb/two\n");
    check_list(r, "b/", "b/c/d\n\xff\nb/one\nb/two\n");
    check_list(r, "b*", "b\nb/c/d\n\xff\nb/one\nb/two\nbb\n");
    check_list(r, "b/o*", "b/one\n");
    check_list(r, "nothing", "");
    CHECK_OK(vault_stat(r->v, qc_span_str("b/one"), &call, &st, &err));
    CHECK(st.size == 10 && st.number == 1 && st.mtime_s == 1700000000 && st.mode == 0640 &&
          st.key_margin == 1);
    vault_stat_done(&st);
    CHECK_OK(vault_remove(r->v, qc_span_str("b/one"), &call, &removed, &err));
    CHECK(removed.number == 2);
    CHECK_RC(vault_remove(r->v, qc_span_str("b/one"), &call, &removed, &err), QC_NOTFOUND);
    CHECK_RC(rig_get(r, "b/one", 10, 3, &err), QC_NOTFOUND);
    CHECK_RC(rig_get(r, "never", 10, 3, &err), QC_NOTFOUND);
    check_list(r, "b/", "b/c/d\n\xff\nb/two\n");
    CHECK_OK(rig_put(r, "b/one", 20, 7, &err)); /* a removed name comes back as a new object */
    CHECK_OK(rig_get(r, "b/one", 20, 7, &err));
    CHECK_RC(rig_put(r, "", 1, 1, &err), QC_USAGE);
    CHECK_RC(rig_put(r, "a//b", 1, 1, &err), QC_USAGE);
    CHECK_RC(rig_put(r, "a/../b", 1, 1, &err), QC_USAGE);
}

static qc_rc all_good(void *ctx, const struct vault_verdict *v, struct qc_err *err)
{
    (void)err;
    if (v->rc != QC_OK)
        fprintf(stderr, "verify: %s\n", v->text);
    CHECK(v->rc == QC_OK && v->plain && v->with1 && v->with2 && v->backup_ok);
    ++*(int *)ctx;
    return QC_OK;
}

static void verify_all(struct rig *r)
{
    struct qc_err err = { 0 };
    struct vault_call call = rig_call(r);
    struct vault_verify_result result;
    int n = 0;
    CHECK_OK(vault_verify(r->v, (qc_span){ 0 }, all_good, &n, &call, &result, &err));
    CHECK(n == 7 && result.objects == 7 && result.good == 7 && result.bad == 0 && result.worst == QC_OK);
    CHECK(result.bytes > (33u << 20));
}

/* Each share lost: everything is read with a note, a put is refused, and recovery makes a whole store again.
 */
static void lose(struct rig *r, unsigned index)
{
    struct qc_err err = { 0 };
    struct vault_call call = rig_call(r);
    struct vault_recover_result result;
    char name[16], other[600];
    snprintf(name, sizeof(name), "share%u", index);
    vault_close(&r->v);
    rig_lose(r, name);
    vault_notes_done(&r->notes);
    CHECK_OK(rig_open(r, &err));
    CHECK(rig_noted(r, VAULT_NOTE_SHARE_MISSING, index));
    CHECK_OK(rig_get(r, "size", (33 << 20) + 12345, 108, &err));
    CHECK_OK(rig_get(r, "b/one", 20, 7, &err));
    uint64_t segments = r->fake->calls[FAKE_SEGMENT], begun = r->fake->calls[FAKE_BEGIN];
    CHECK_RC(rig_put(r, "a", 10, 1, &err), QC_SHARES);
    CHECK(r->fake->calls[FAKE_SEGMENT] == segments && r->fake->calls[FAKE_BEGIN] == begun);
    r->fake->read_bytes = 0;
    CHECK_OK(vault_recover(r->v, index, r->share[index - 1], &call, &result, &err));
    CHECK(result.failed == 0 && result.written == result.records && result.records >= 25);
    CHECK(r->fake->read_bytes < result.records * (4u << 20)); /* no data is moved */
    CHECK_OK(rig_open(r, &err));
    vault_notes_done(&r->notes);
    CHECK_OK(rig_get(r, "size", (33 << 20) + 12345, 108, &err));
    CHECK_OK(rig_put(r, "a", 10, index, &err));
    CHECK_OK(rig_get(r, "a", 10, index, &err));
    CHECK(r->notes.n == 0);
    snprintf(other, sizeof(other), "%s/elsewhere", r->dir.path);
    CHECK_RC(vault_recover(r->v, index, other, &call, &result, &err), QC_CONFLICT);
    CHECK_OK(rig_open(r, &err));
    CHECK_OK(vault_recover(r->v, index, r->share[index - 1], &call, &result, &err));
    CHECK(result.written == 0 && result.present == result.records);
    CHECK_OK(rig_open(r, &err));
}

/* Some names alone: the new store says itself that it has not all, till the rest has come. */
static void in_part(struct rig *r)
{
    static const char *const names[] = { "b/one" };
    const struct vault_recovering none = { .names = (const char *const[]){ "nowhere" }, .count = 1 };
    const struct vault_recovering some = { .names = names, .count = 1, .only = true };
    const struct vault_recovering first = { .names = names, .count = 1 };
    struct qc_err err = { 0 };
    struct vault_call call = rig_call(r);
    struct vault_recover_result result;
    vault_close(&r->v);
    rig_lose(r, "share2");
    CHECK_OK(rig_open(r, &err));
    REFUSED(vault_recover_as(r->v, 2, r->share[1], &none, &call, &result, &err), QC_NOTFOUND, "no object");
    CHECK(access(r->share[1], F_OK) != 0);
    CHECK_OK(vault_recover_as(r->v, 2, r->share[1], &some, &call, &result, &err));
    CHECK(result.written >= 1 && result.written == result.records && result.left >= 20 && !result.whole);
    vault_notes_done(&r->notes);
    CHECK_OK(rig_open(r, &err));
    CHECK(rig_noted(r, VAULT_NOTE_SHARE_MISSING, 2) && vault_has_share(r->v, 2));
    CHECK_OK(rig_get(r, "b/one", 20, 7, &err));
    CHECK_OK(rig_get(r, "size", (33 << 20) + 12345, 108, &err));
    CHECK_OK(rig_put(r, "a", 10, 5, &err)); /* its head is in both; the one is as partial as before */
    CHECK_OK(rig_open(r, &err));
    CHECK(rig_noted(r, VAULT_NOTE_SHARE_MISSING, 2));
    CHECK_OK(vault_recover_as(r->v, 2, r->share[1], &first, &call, &result, &err));
    CHECK(result.whole && result.failed == 0 && result.present >= 2 &&
          result.written + result.present == result.records);
    vault_notes_done(&r->notes);
    CHECK_OK(rig_open(r, &err));
    CHECK_OK(rig_get(r, "a", 10, 5, &err));
    CHECK(r->notes.n == 0);
}

static void lose_both(struct rig *r)
{
    struct qc_err err = { 0 };
    vault_close(&r->v);
    rig_lose(r, "share1");
    rig_lose(r, "share2");
    CHECK_RC(rig_open(r, &err), QC_SHARES);
}

int main(void)
{
    struct rig r;
    rig_new(&r, qc_rand_start());
    sizes(&r);
    names(&r);
    verify_all(&r);
    lose(&r, 1);
    lose(&r, 2);
    lose(&r, 1);
    in_part(&r);
    verify_all(&r);
    lose_both(&r);
    rig_done(&r);
    return 0;
}
