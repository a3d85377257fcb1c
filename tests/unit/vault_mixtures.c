/* unit/vault_mixtures: what was left of three generations of shares. Both stores and B, each absent or of any
 * generation, as files that were copied when that generation was in use: 64 choices in each mode, over
 * objects that were put before the first refresh, between the two, and by tickets. An object opens where two
 * of the three are of one generation that has it, and in no other choice: not by the program, and not by
 * whoever puts together R1, R2, R4 and R3 himself, corrections included. */
#include "object.h"
#include "vault/share_store.h"
#include "vault_rig.h"

enum { GENERATIONS = 3, OBJECTS = 5, VERSIONS = 6, NONE = 0, SIZE = 400 };

/* `since`: the generation in use when it was put. */
static const struct object_put {
    const char *name;
    uint64_t salt;
    unsigned since;
} objects[OBJECTS] = {
    { "a", 1, 1 }, { "twice", 3, 1 }, { "ticket 1", 4, 1 }, { "b", 5, 2 }, { "ticket 2", 6, 2 }
};

struct bytes {
    uint8_t p[512];
    size_t n;
};

/* B of the vault and of all versions, as the gateway had it in one generation; of generation NONE: nothing.
 */
struct gateway {
    struct bytes vault, version[VERSIONS];
};

static struct bytes taken(const struct blob *b)
{
    struct bytes t = { .n = b->n };
    CHECK(b->n <= sizeof t.p);
    memcpy(t.p, b->p, b->n);
    return t;
}

static void given(struct blob *b, const struct bytes *what)
{
    CHECK(what->n <= b->cap);
    memcpy(b->p, what->p, what->n);
    b->n = what->n;
}

static void snapshot(struct rig *r, unsigned generation, struct gateway *ret)
{
    vault_close(&r->v);
    for (unsigned i = 1; i <= 2; i++) {
        char from[16], to[16];
        snprintf(from, sizeof from, "share%u", i);
        snprintf(to, sizeof to, "%u of %u", i, generation);
        rig_copy(r, from, to);
    }
    CHECK(r->fake->versions <= VERSIONS);
    ret->vault = taken(&r->fake->backup);
    for (size_t i = 0; i < r->fake->versions; i++)
        ret->version[i] = taken(&r->fake->version[i].backup);
}

static void put(struct rig *r, const struct object_put *o)
{
    struct qc_err err = { 0 };
    CHECK_OK(rig_put(r, o->name, SIZE, o->salt, &err));
}

/* With share store 2 in a drawer, where there are tickets. Store 2 is brought after by what is put next. */
static void put_by_ticket(struct rig *r, enum rig_mode mode, const struct object_put *o)
{
    struct qc_err err = { 0 };
    struct vault_call call = rig_call(r);
    uint64_t n = 0;
    if (mode == RIG_SEALED) {
        put(r, o);
        return;
    }
    CHECK_OK(vault_tickets_draw(r->v, 1, &call, &n, &err));
    vault_close(&r->v);
    rig_copy(r, "share2", "drawer");
    rig_lose(r, "share2");
    CHECK_OK(rig_open(r, &err));
    CHECK(rig_noted(r, VAULT_NOTE_SHARE_MISSING, 2));
    put(r, o);
    rig_copy(r, "drawer", "share2");
    CHECK_OK(rig_open(r, &err));
    vault_notes_done(&r->notes);
}

static void refresh(struct rig *r, unsigned generation)
{
    struct qc_err err = { 0 };
    struct vault_refresh_result result = { 0 };
    CHECK_OK(rig_open(r, &err));
    struct vault_call call = rig_call(r);
    CHECK_OK(vault_refresh(r->v, &call, &result, &err));
    CHECK(result.done && result.left == 0 && result.generation == generation);
}

static void history(struct rig *r, struct qc_rand rand, enum rig_mode mode,
                    struct gateway at[GENERATIONS + 1])
{
    struct qc_err err = { 0 };
    rig_make(r, rand, mode);
    put(r, &objects[0]);
    CHECK_OK(rig_put(r, "twice", 7, 2, &err));
    put_by_ticket(r, mode, &objects[2]);
    put(r, &objects[1]);
    rig_whole(r, 3);
    snapshot(r, 1, &at[1]);
    refresh(r, 2);
    put_by_ticket(r, mode, &objects[4]);
    put(r, &objects[3]);
    rig_whole(r, OBJECTS);
    snapshot(r, 2, &at[2]);
    refresh(r, 3);
    rig_whole(r, OBJECTS);
    snapshot(r, 3, &at[3]);
}

/* -- by the program, with what was copied in the place of the stores and at the gateway --------------------
 */

/* What is where: generations of R1, R2, B; NONE: not there. */
struct choice {
    unsigned share[2], B;
};

static void arrange(struct rig *r, const struct choice *c, const struct gateway at[GENERATIONS + 1])
{
    for (unsigned i = 0; i < 2; i++) {
        char from[16], to[16];
        snprintf(from, sizeof from, "%u of %u", i + 1, c->share[i]);
        snprintf(to, sizeof to, "share%u", i + 1);
        if (c->share[i] == NONE)
            rig_lose(r, to);
        else
            rig_copy(r, from, to);
    }
    given(&r->fake->backup, &at[c->B].vault);
    for (size_t i = 0; i < r->fake->versions; i++)
        given(&r->fake->version[i].backup, &at[c->B].version[i]);
}

/* The pieces of one generation, at least two and all since it was put. The program does not go on with B
 * that is older than a store that is there: a gateway that shows it is rolled back. */
static bool opens(const struct choice *c, unsigned since)
{
    const unsigned newest = c->share[0] > c->share[1] ? c->share[0] : c->share[1];
    return newest != NONE && ((c->share[0] == c->share[1]) || newest == c->B) && newest >= since;
}

static unsigned open_choice(struct rig *r, const struct choice *c)
{
    struct qc_err err = { 0 };
    unsigned opened = 0;
    const qc_rc rc = rig_open(r, &err);
    if ((rc == QC_OK) != opens(c, 1))
        fprintf(stderr, "R1 of %u, R2 of %u, B of %u: %s\n", c->share[0], c->share[1], c->B, err.msg);
    CHECK((rc == QC_OK) == opens(c, 1));
    CHECK(rc == QC_OK || rc == QC_SHARES || rc == QC_INTEGRITY || rc == QC_FORMAT);
    for (size_t i = 0; rc == QC_OK && i < OBJECTS; i++) {
        uint64_t came = 0;
        const qc_rc got = rig_get_at(r, objects[i].name, SIZE, objects[i].salt, &came, &err);
        if ((got == QC_OK) != opens(c, objects[i].since))
            fprintf(stderr, "%s by R1 of %u, R2 of %u, B of %u: %s\n", objects[i].name, c->share[0],
                    c->share[1], c->B, err.msg);
        CHECK((got == QC_OK) == opens(c, objects[i].since));
        CHECK(got == QC_OK || ((got == QC_SHARES || got == QC_INTEGRITY) && came == 0));
        opened += got == QC_OK;
        qc_err_clear(&err);
    }
    vault_notes_done(&r->notes);
    vault_close(&r->v);
    return opened;
}

static void by_program(struct rig *r, const struct gateway at[GENERATIONS + 1])
{
    unsigned opened = 0, choices = 0;
    for (unsigned n = 0; n < 64; n++, choices++) {
        const struct choice c = { { n % 4, n / 4 % 4 }, n / 16 };
        arrange(r, &c, at);
        opened += open_choice(r, &c);
    }
    /* Both stores of one generation, whatever B: 4 x (3 + 5 + 5). One that is not as new, or none, and B of
     * the newer: 2 x (1 x 3 + 2 x 5 + 3 x 5). */
    CHECK(choices == 64 && opened == 4 * 13 + 2 * 28);
}

/* -- by hand: whatever shares there are, without asking of which generation they say that they are ----------
 */

struct piece {
    qc_key *share;
    unsigned generation; /* NONE: put together of two */
};

/* R1, R2, R4 of all generations. R2 may be what a seed gives with what B has of corrections: 9 more. */
enum { R2_MAX = GENERATIONS * (GENERATIONS + 1) };
struct pieces {
    struct piece R1[GENERATIONS], R2[R2_MAX], R4[GENERATIONS];
    unsigned n1, n2, n4, mixed;
    qc_key *R, *R3;
};

static void pieces_done(struct pieces *p)
{
    for (unsigned i = 0; i < p->n1; i++)
        qc_key_free(&p->R1[i].share);
    for (unsigned i = 0; i < p->n2; i++)
        qc_key_free(&p->R2[i].share);
    for (unsigned i = 0; i < p->n4; i++)
        qc_key_free(&p->R4[i].share);
    qc_key_free(&p->R);
    qc_key_free(&p->R3);
}

/* What the files of store i+1 of a generation give; nothing where it is older than the object. */
static void piece_of(struct piece *list, unsigned *n, struct vault_store *s, unsigned generation,
                     const struct fake_version *v)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(vault_store_record_done) struct vault_store_record rec = { 0 };
    const qc_rc rc = vault_store_get(s, v->object, v->version, &rec, &err);
    CHECK(rc == QC_OK || rc == QC_NOTFOUND);
    if (rc == QC_OK && rec.state != 0) {
        CHECK(rec.generation == generation);
        list[(*n)++] = (struct piece){ QC_STEAL(rec.share), generation };
    }
}

static void corrected(struct pieces *p, struct vault_store *s, unsigned generation,
                      const struct vault_backup *B, const struct fake_version *v)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *own = NULL, *share = NULL;
    if (!vault_store_derives(s) || B->corr2 == NULL)
        return;
    CHECK_OK(vault_store_derive(&own, s, generation, v->object, v->version, &err));
    CHECK_OK(vault_backup_correct(&share, B, 2, own, &err));
    const unsigned of = B->generation == generation ? generation : NONE;
    p->mixed += of == NONE;
    p->R2[p->n2++] = (struct piece){ QC_STEAL(share), of };
}

static void take_generation(struct rig *r, struct pieces *p, unsigned g, size_t v,
                            const struct gateway at[GENERATIONS + 1])
{
    const struct fake_version *version = &r->fake->version[v];
    for (unsigned i = 0; i < 2; i++) {
        QC_CLEANUP(vault_store_close) struct vault_store *s = NULL;
        struct qc_err err = { 0 };
        char path[400];
        snprintf(path, sizeof path, "%s/%u of %u", r->dir.path, i + 1, g);
        CHECK_OK(vault_store_open(&s, path, VAULT_STORE_READ, &(struct vault_store_expect){ 0 }, &err));
        piece_of(i == 0 ? p->R1 : p->R2, i == 0 ? &p->n1 : &p->n2, s, g, version);
        for (unsigned of = 1; of <= GENERATIONS; of++) {
            QC_CLEANUP(vault_backup_done) struct vault_backup B = { 0 };
            QC_CLEANUP(qc_buf_free) qc_buf bytes = { .max = QC_VAULT_BACKUP_MAX };
            if (at[of].version[v].n == 0)
                continue;
            CHECK_OK(qc_buf_add(&bytes, qc_span_of(at[of].version[v].p, at[of].version[v].n), &err));
            CHECK_OK(vault_backup_unseal(&bytes, r->W, &err));
            CHECK_OK(vault_backup_parse(&B, qc_buf_span(&bytes), &err));
            if (i == 1)
                corrected(p, s, g, &B, version);
            else if (of == g)
                p->R4[p->n4++] = (struct piece){ QC_STEAL(B.R4), g };
        }
    }
}

/* R and R3, by the stores of now. */
static void take_truth(struct rig *r, struct pieces *p, const struct fake_version *v)
{
    struct qc_err err = { 0 };
    struct vault_call call = rig_call(r);
    QC_CLEANUP(object_done) struct object o = { 0 };
    CHECK_OK(object_begin(&o, r->v, v->object, v->version, &call, &err));
    o.size = v->n.n;
    CHECK_OK(object_frame(&o, &err));
    CHECK_OK(object_unlock(&o, &err));
    CHECK_OK(vault_opened_share(&p->R, o.opened, 0, &err));
    CHECK_OK(vault_opened_share(&p->R3, o.opened, 3, &err));
}

/* NULL: that one is left out. *n counts what was tried. */
static void triple(const struct pieces *p, const struct piece *a, const struct piece *b,
                   const struct piece *c, unsigned n[2])
{
    struct vault_triple t = { 0 };
    const struct piece *const with[] = { a, b, c };
    static const uint8_t x[] = { 1, 2, 4 };
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *R = NULL;
    unsigned k = 0, first = NONE;
    bool same = true;
    for (unsigned i = 0; i < 3; i++)
        if (with[i] != NULL) {
            first = k == 0 ? with[i]->generation : first;
            same = same && with[i]->generation != NONE && with[i]->generation == first;
            t.x[k] = x[i];
            t.share[k++] = with[i]->share;
        }
    if (k == 2) {
        t.x[2] = 3;
        t.share[2] = p->R3;
    }
    CHECK_OK(vault_triple_at(&R, &t, 0, &err));
    CHECK(qc_key_same(R, p->R) == same);
    n[same]++;
}

static void by_hand(const struct pieces *p, unsigned n[2])
{
    for (unsigned a = 0; a < p->n1; a++)
        for (unsigned b = 0; b < p->n2; b++) {
            triple(p, &p->R1[a], &p->R2[b], NULL, n);
            for (unsigned c = 0; c < p->n4; c++)
                triple(p, &p->R1[a], &p->R2[b], &p->R4[c], n);
        }
    for (unsigned c = 0; c < p->n4; c++) {
        for (unsigned a = 0; a < p->n1; a++)
            triple(p, &p->R1[a], NULL, &p->R4[c], n);
        for (unsigned b = 0; b < p->n2; b++)
            triple(p, NULL, &p->R2[b], &p->R4[c], n);
    }
}

static void all_by_hand(struct rig *r, enum rig_mode mode, const struct gateway at[GENERATIONS + 1])
{
    struct qc_err err = { 0 };
    unsigned n[2] = { 0, 0 }, mixed = 0;
    arrange(r, &(struct choice){ { 3, 3 }, 3 }, at);
    CHECK_OK(rig_open(r, &err));
    CHECK(r->fake->versions == VERSIONS);
    for (size_t v = 0; v < VERSIONS; v++) {
        QC_CLEANUP(pieces_done) struct pieces p = { 0 };
        for (unsigned g = 1; g <= GENERATIONS; g++)
            take_generation(r, &p, g, v, at);
        CHECK(p.n1 == p.n4 && p.n1 >= 2 && p.n2 >= p.n1);
        take_truth(r, &p, &r->fake->version[v]);
        by_hand(&p, n);
        mixed += p.mixed;
    }
    /* Four versions of three generations, two of two: 27 + 27 of each, 4 x 3 of which are of one; 8 + 12, 4 x
     * 2. With corrections there are more. */
    CHECK(n[0] + n[1] == 4 * 54 + 2 * 20 || mixed > 0);
    CHECK(n[1] == 4 * 12 + 2 * 8 || mixed > 0);
    CHECK((mixed > 0) == (mode == RIG_DERIVED));
    fprintf(stderr, "mode %d: %u of %u triples give R, %u with a correction of another generation\n",
            (int)mode, n[1], n[0] + n[1], mixed);
}

int main(void)
{
    struct qc_rand rand = qc_rand_start();
    static struct gateway at[GENERATIONS + 1];
    if (getenv("TMPDIR") == NULL && access("/dev/shm", W_OK) == 0)
        CHECK(setenv("TMPDIR", "/dev/shm", 1) == 0);
    for (enum rig_mode mode = RIG_STORED; mode <= RIG_SEALED; mode++) {
        struct rig r;
        memset(at, 0, sizeof at);
        history(&r, rand, mode, at);
        by_program(&r, at);
        all_by_hand(&r, mode, at);
        rig_done(&r);
    }
    return 0;
}
