/* unit/salvage_index: what is asked of the index comes as it should: fragments and names, copies of the log
 * in order, the newest of each path, ranks, what came before, versions without a record, damage once. */
#include "index.h"

#include "qc_check.h"
#include "qc_tmpdir.h"

struct got {
    unsigned count;
    uint64_t v[32]; /* what tells a row */
};

static qc_rc take_found(void *ctx, const struct found *f, struct qc_err *err)
{
    struct got *g = ctx;

    (void)err;
    g->v[g->count++] = (uint64_t)f->no * 100 + f->index;
    return QC_OK;
}

static qc_rc take_copy(void *ctx, const struct log_copy *c, struct qc_err *err)
{
    struct got *g = ctx;

    (void)err;
    g->v[g->count++] = c->sequence * 100 + c->incarnation * 10 + (uint64_t)c->file;
    return QC_OK;
}

static qc_rc take_entry(void *ctx, const struct entry_row *e, struct qc_err *err)
{
    struct got *g = ctx;

    (void)err;
    CHECK(e->path.n == 1);
    g->v[g->count++] = e->path.p[0] * 100u + e->number * 10 + e->kind;
    return QC_OK;
}

static void same(struct got *g, unsigned count, const uint64_t *want)
{
    CHECK(g->count == count);
    for (unsigned i = 0; i < count; i++)
        CHECK(g->v[i] == want[i]);
    g->count = 0;
}
#define SAME(g, ...)                                                                                         \
    same((g), sizeof((uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t), (uint64_t[]){ __VA_ARGS__ })

static void add_file(struct index *ix, enum found_kind kind, uint64_t segment, uint32_t i, uint8_t version,
                     const char *digits)
{
    struct found f = {
        .source = 1, .path = QC_LIT("f/x"), .kind = kind, .segment = segment, .index = i, .cloud = 7 + i
    };
    struct qc_err err = { 0 };

    f.version.b[0] = version;
    snprintf(f.digits, sizeof f.digits, "%s", digits);
    CHECK_OK(index_add(ix, &f, &err));
}

static void check_files(struct index *ix)
{
    static const char digits[] = "00112233445566778899aabbccddeeff";
    struct qc_err err = { 0 };
    struct got g = { 0 };
    uint32_t present = 0, clouds[2];
    unsigned count = 0;

    add_file(ix, FOUND_FRAGMENT, 5, 2, 1, "");     /* 1 */
    add_file(ix, FOUND_FRAGMENT, 5, 0, 1, digits); /* 2 */
    add_file(ix, FOUND_FRAGMENT, 6, 1, 2, "");     /* 3 */
    add_file(ix, FOUND_LOG, 0, 0, 0, digits);      /* 4 */
    add_file(ix, FOUND_FRAGMENT, 5, 2, 1, "");     /* 5 */
    CHECK_OK(index_fragments(ix, 5, take_found, &g, &err));
    SAME(&g, 200, 102, 502);
    CHECK_OK(index_fragments(ix, 9, take_found, &g, &err));
    CHECK(g.count == 0);
    CHECK_OK(index_named(ix, digits, take_found, &g, &err));
    SAME(&g, 200, 400);
    CHECK_OK(index_named(ix, "", take_found, &g, &err)); /* no name is nobody's name */
    CHECK(g.count == 0);
    CHECK_OK(index_each(ix, FOUND_LOG, take_found, &g, &err));
    SAME(&g, 400);
    CHECK_OK(index_file(ix, 3, take_found, &g, &err));
    SAME(&g, 301);
    CHECK_OK(index_present(ix, 5, &present, &err));
    CHECK(present == 5);
    CHECK_OK(index_clouds(ix, clouds, 2, &count, &err)); /* 7, 8, 9: no more than there is room for */
    CHECK(count == 2 && clouds[0] == 7 && clouds[1] == 8);
}

static void check_copies(struct index *ix)
{
    static const struct log_copy copies[] = {
        { 2, 1, 0, 4 }, { 1, 1, 3, 9 }, { 2, 1, 2, 3 }, { 1, 1, 3, 9 }, { 1, 2, 1, 5 }
    };
    struct qc_err err = { 0 };
    struct got g = { 0 };

    for (size_t i = 0; i < sizeof copies / sizeof *copies; i++)
        CHECK_OK(index_add_copy(ix, &copies[i], &err));
    CHECK_OK(index_copies(ix, take_copy, &g, &err));
    SAME(&g, 119, 125, 213, 214);
    CHECK_OK(index_copies_of(ix, 2, 1, take_copy, &g, &err));
    SAME(&g, 213, 214);
}

static struct gw_id vault;

static void add_entry(struct index *ix, char path, uint64_t number, uint8_t kind, uint8_t version)
{
    struct entry_row e = { .tenant = 3,
                           .vault = vault,
                           .path = { (const uint8_t *)&path, 1 },
                           .number = number,
                           .kind = kind,
                           .chain = number + 10,
                           .at = { number, 1, 0, 1 } };
    struct qc_err err = { 0 };

    e.version.b[0] = version;
    CHECK_OK(index_add_entry(ix, &e, &err));
}

/* An object that was moved: its versions come before its new name's other ones, and are not its old name's.
 */
static void check_moved(struct index *ix)
{
    static const char paths[] =
        "ccdcd"; /* c: 1, 2 of the object; d: 1 of another one; the object leaves c for d */
    struct entry_row e = { .tenant = 5, .vault = vault }, old = e, new = e;
    struct qc_err err = { 0 };
    struct got g = { 0 };
    bool found = false;

    for (unsigned i = 0; i < 5; i++) {
        e.path = qc_span_of(&paths[i], 1);
        e.number = i < 2 ? i + 1 : i == 2 ? 1 : i == 3 ? 3 : 2;
        e.kind = i == 3 ? GW_ENTRY_TOMBSTONE : GW_ENTRY_FILE;
        e.object.b[0] = i == 2 ? 2 : 1;
        e.version.b[0] = (uint8_t)(i == 3 ? 0 : i == 4 ? 101 : 100 + i);
        e.chain = i + 1;
        e.at = (struct record_at){ i + 1, 1, 0, 1 };
        e.named = e.at;
        if (i == 4)
            CHECK_OK(index_committed(ix, &e, &e.at, &found, &err));
        CHECK_OK(index_add_entry(ix, &e, &err));
        if (i == 3)
            old = e;
        if (i == 4)
            new = e;
    }
    CHECK(found && new.at.sequence == 2 && new.named.sequence == 5);
    CHECK_OK(index_newest(ix, 5, &vault, take_entry, &g, &err));
    SAME(&g, 'c' * 100 + 32, 'd' * 100 + 21);
    CHECK_OK(index_earlier(ix, &new, take_entry, &g, &err));
    SAME(&g, 'd' * 100 + 11, 'c' * 100 + 21, 'c' * 100 + 11);
    CHECK_OK(index_earlier(ix, &old, take_entry, &g, &err));
    CHECK(g.count == 0);
    new.version.b[0] = 77;
    CHECK_OK(index_committed(ix, &new, &new.at, &found, &err));
    CHECK(!found);
}

static void check_entries(struct index *ix)
{
    struct entry_row b = {
        .tenant = 3, .vault = vault, .path = QC_LIT("b"), .number = 3, .kind = GW_ENTRY_FILE
    };
    struct qc_err err = { 0 };
    struct got g = { 0 };
    uint64_t n = 0;

    add_entry(ix, 'b', 1, GW_ENTRY_FILE, 1);
    add_entry(ix, 'a', 1, GW_ENTRY_FILE, 8);
    add_entry(ix, 'b', 2, GW_ENTRY_TOMBSTONE, 0);
    add_entry(ix, 'b', 3, GW_ENTRY_FILE, 9);
    add_entry(ix, 'b', 3, GW_ENTRY_FILE,
              7); /* the first that comes counts: of two forms of the log one stands */
    CHECK_OK(index_newest(ix, 3, &vault, take_entry, &g, &err));
    SAME(&g, 'a' * 100 + 11, 'b' * 100 + 31);
    CHECK_OK(index_newest(ix, 4, &vault, take_entry, &g, &err)); /* another tenant's are another's */
    CHECK(g.count == 0);
    CHECK_OK(index_earlier(ix, &b, take_entry, &g, &err));
    SAME(&g, 'b' * 100 + 11);
    CHECK_OK(index_number(ix, &b, &n, &err));
    CHECK(n == 3);
    CHECK_OK(index_chain(ix, 3, &vault, &n, &err));
    CHECK(n == 13);
    CHECK_OK(index_rank(ix, 2, -1, &err));
    CHECK_OK(index_rank(ix, 4, 2, &err));
    CHECK_OK(index_ranked(ix, take_entry, &g, &err));
    SAME(&g, 'b' * 100 + 31, 'a' * 100 + 11);
    CHECK_OK(index_unranked(ix, take_entry, &g, &err));
    SAME(&g, 'b' * 100 + 11);
    CHECK_OK(index_unrecorded(ix, take_found, &g, &err)); /* version 2 of check_files: no entry names it */
    SAME(&g, 301);
}

int main(void)
{
    QC_CLEANUP(qc_tmpdir_remove) struct qc_tmpdir t = qc_tmpdir_new();
    QC_CLEANUP(index_close) struct index *ix = NULL;
    struct qc_err err = { 0 };
    bool fresh = false;

    CHECK_OK(index_open(&ix, t.path, &err));
    CHECK_OK(index_begin(ix, &err));
    check_files(ix);
    check_copies(ix);
    check_entries(ix);
    check_moved(ix);
    CHECK_OK(index_add_wrong(ix, 1, QC_LIT("x"), "what", &fresh, &err));
    CHECK(fresh);
    CHECK_OK(index_add_wrong(ix, 1, QC_LIT("x"), "what", &fresh, &err));
    CHECK(!fresh);
    CHECK_OK(index_commit(ix, &err));
    return 0;
}
