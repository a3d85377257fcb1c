/* unit/vault_derived: a vault whose shares come from two seeds. Each way to open holds; a store keeps no
 * share that its seed gives; a record that is not there costs nothing but its version's number; a lost store
 * comes back as one that keeps its shares, and both kinds work together. */
#include "base/db.h"
#include "vault/share_store.h"
#include "vault_rig.h"

static void open_db(struct rig *r, unsigned i, struct qc_db **ret)
{
    struct qc_err err = { 0 };
    char path[400];
    snprintf(path, sizeof path, "%s/store.db", r->share[i]);
    const struct qc_db_opts opts = { .kind = QC_DB_SHARES, .application_id = 0x51434c53 };
    CHECK_OK(qc_db_open(ret, path, &opts, &err));
}

static void change(struct rig *r, unsigned i, const char *statement)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_db_close) struct qc_db *db = NULL;
    open_db(r, i, &db);
    CHECK_OK(qc_db_exec(db, statement, &err));
}

/* Records of store i+1, and how many of them hold a share: salt 16, share 32 or nothing, tag 16. */
static void count(struct rig *r, unsigned i, uint64_t records, uint64_t with_share)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_db_close) struct qc_db *db = NULL;
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *q = NULL;
    uint64_t all = 0, with = 0;
    bool row = false;
    open_db(r, i, &db);
    CHECK_OK(qc_db_prepare(db, "SELECT count(*), count(*) FILTER (WHERE length(sealed) = 64) FROM record", &q,
                           &err));
    CHECK_OK(qc_stmt_bind(q, NULL, 0, &err));
    CHECK_OK(qc_stmt_step(q, &row, &err));
    CHECK_OK(qc_col_u64(q, 0, &all, &err));
    CHECK_OK(qc_col_u64(q, 1, &with, &err));
    CHECK(row && all == records && with == with_share);
}

static void whole(struct rig *r, int objects)
{
    struct qc_err err = { 0 };
    rig_whole(r, objects);
    CHECK(r->notes.n == 0);
    CHECK_OK(rig_get(r, "a", 100, 1, &err));
    CHECK_OK(rig_get(r, "b", (1 << 20) + 5, 3, &err));
}

static void start(struct rig *r)
{
    struct qc_err err = { 0 };
    CHECK_OK(rig_put(r, "a", 100, 1, &err));
    CHECK_OK(rig_put(r, "b", 7, 2, &err));
    CHECK_OK(rig_put(r, "b", (1 << 20) + 5, 3, &err));
    whole(r, 2);
    count(r, 0, 3, 0);
    count(r, 1, 3, 0);
}

/* One store gone: the other and B. Both: nothing. */
static void losses(struct rig *r)
{
    struct qc_err err = { 0 };
    rig_copy(r, "share1", "kept1");
    rig_copy(r, "share2", "kept2");
    for (unsigned i = 1; i <= 2; i++) {
        char name[16], kept[16];
        snprintf(name, sizeof name, "share%u", i);
        snprintf(kept, sizeof kept, "kept%u", i);
        rig_lose(r, name);
        CHECK_OK(rig_open(r, &err));
        CHECK(rig_noted(r, VAULT_NOTE_SHARE_MISSING, i));
        vault_notes_done(&r->notes);
        CHECK_OK(rig_get(r, "b", (1 << 20) + 5, 3, &err));
        CHECK_RC(rig_put(r, "c", 1, 1, &err), QC_SHARES);
        rig_copy(r, kept, name);
    }
    rig_lose(r, "share1");
    rig_lose(r, "share2");
    CHECK_RC(rig_open(r, &err), QC_SHARES);
    rig_copy(r, "kept1", "share1");
    rig_copy(r, "kept2", "share2");
    qc_err_clear(&err);
    CHECK_OK(rig_open(r, &err));
    vault_notes_done(&r->notes);
    whole(r, 2);
}

/* Records are no more than a list of versions: without them, or with damaged ones, the shares are there. */
static void no_records(struct rig *r)
{
    struct qc_err err = { 0 };
    vault_close(&r->v);
    change(r, 0, "DELETE FROM record");
    change(r, 1, "UPDATE record SET sealed = x'00'");
    CHECK_OK(rig_open(r, &err));
    CHECK_OK(rig_get(r, "a", 100, 1, &err));
    CHECK_OK(rig_get(r, "b", (1 << 20) + 5, 3, &err));
    vault_notes_done(&r->notes); /* the damaged marks of versions are told */
    vault_close(&r->v);
    rig_copy(r, "kept1", "share1");
    rig_copy(r, "kept2", "share2");
    CHECK_OK(rig_open(r, &err));
    whole(r, 2);
}

/* The seed is lost with its store: the new one keeps the shares, as in a vault of the other mode. */
static void recover(struct rig *r, unsigned index)
{
    struct qc_err err = { 0 };
    struct vault_call call = rig_call(r);
    struct vault_recover_result result;
    struct vault_local_status st = { 0 };
    struct vault_conf conf = rig_conf(r);
    char name[16];
    snprintf(name, sizeof name, "share%u", index);
    vault_close(&r->v);
    rig_lose(r, name);
    CHECK_OK(rig_open(r, &err));
    CHECK_OK(vault_recover(r->v, index, r->share[index - 1], &call, &result, &err));
    CHECK(result.failed == 0 && result.written == result.records);
    CHECK_OK(rig_open(r, &err));
    vault_notes_done(&r->notes);
    CHECK_OK(vault_status_local(&st, &conf, &err));
    CHECK(!st.share[index - 1].derived);
    count(r, index - 1, result.records, result.records);
    CHECK_OK(rig_put(r, "c", 50, index, &err));
    CHECK_OK(rig_get(r, "c", 50, index, &err));
    whole(r, 3);
}

/* A share that the seed does not give is kept beside it, and is the one that counts. */
static void kept(struct rig *r)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(vault_store_close) struct vault_store *s = NULL;
    QC_CLEANUP(vault_store_record_done) struct vault_store_record got = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *own = NULL, *other = NULL;
    struct vault_store_record rec = { .generation = 1, .state = VAULT_RECORD_PENDING, .object = { 1 } };
    qc_rng rng = qc_rand_rng(&r->rand);
    vault_close(&r->v);
    CHECK_OK(vault_store_open(&s, r->share[0], VAULT_STORE_WRITE, &(struct vault_store_expect){ 0 }, &err));
    CHECK_OK(vault_store_derive(&own, s, 1, rec.object, rec.version, &err));
    CHECK_OK(qc_key_new(&other, 32, &rng, &err));
    CHECK_OK(vault_store_get(s, rec.object, rec.version, &got, &err)); /* no record: by the seed */
    CHECK(got.state == 0 && got.sequence == 0 && qc_key_same(got.share, own));
    vault_store_record_done(&got);
    rec.share = other;
    CHECK_OK(vault_store_add(s, &rec, 1, &rng, &err));
    CHECK_OK(vault_store_get(s, rec.object, rec.version, &got, &err));
    CHECK(got.state == VAULT_RECORD_PENDING && qc_key_same(got.share, other));
    vault_store_record_done(&got);
    const struct vault_store_commit done = { .object = rec.object, .version = rec.version, .sequence = 4 };
    CHECK_OK(vault_store_commit(s, &done, &rng, &err));
    CHECK_OK(vault_store_get(s, rec.object, rec.version, &got, &err));
    CHECK(got.state == VAULT_RECORD_COMMITTED && got.sequence == 4 && qc_key_same(got.share, other));
    vault_store_record_done(&got);
    rec.share = own;
    CHECK_OK(vault_store_add(s, &rec, 1, &rng, &err));
    vault_store_close(&s);
    count(r, 0, 4, 0);
}

int main(void)
{
    struct rig r;
    rig_new_mode(&r, qc_rand_start(), true);
    start(&r);
    losses(&r);
    no_records(&r);
    kept(&r);
    rig_copy(&r, "kept1", "share1");
    recover(&r, 2);
    recover(&r, 1);
    rig_done(&r);
    return 0;
}
