/* unit/vault_xor23: share files. Any two of three restore, one or none is refused; whatever a site does to
 * its file, the data that comes out is right or none, and the site is named; randomness to the byte. */
#include "xor23_rig.h"

static struct qc_err err;
static struct vault_xor23_report rep;
static uint8_t data[(VAULT_XOR23_LENT + 1) * SS_XOR23_BLOCK + 5];

enum { A = 1, B = 2, C = 4, ALL = 7 };

static bool is_right(const struct xor23_rig *r)
{
    return r->finished && r->got_n == r->data.n &&
           (r->data.n == 0 || memcmp(r->got, r->data.p, r->data.n) == 0);
}

/* A prefix of the data and no more. */
static bool is_prefix(const struct xor23_rig *r)
{
    return !r->finished && r->got_n <= r->data.n &&
           (r->got_n == 0 || memcmp(r->got, r->data.p, r->got_n) == 0);
}

static bool is_clean(void)
{
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        if (rep.site[i].wrong + rep.site[i].silent + rep.site[i].odds > 0 || rep.site[i].why[0] != '\0')
            return false;
    return true;
}

static void sizes(struct xor23_rig *r)
{
    static const size_t n[] = {
        0, 1, 2, 3, 100001, SS_XOR23_BLOCK - 1, SS_XOR23_BLOCK, SS_XOR23_BLOCK + 1, 2 * SS_XOR23_BLOCK + 333
    };
    for (unsigned k = 0; k < sizeof n / sizeof n[0]; k++) {
        const uint64_t chunks = n[k] / SS_XOR23_BLOCK + 1;
        r->most = k % 2 == 0 ? 0 : 70001; /* a source that gives little at a time */
        r->lends = k % 2 == 0;
        CHECK_OK(xor23_rig_share(r, qc_span_of(data, n[k]), 1, &err));
        CHECK(r->drawn == (r->scheme == VAULT_MIRROR ? 0 : n[k] + n[k] % 2) + 192 * chunks &&
              r->drawn == vault_xor23_random(r->scheme, n[k]));
        for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
            CHECK(r->file[i].n == 40 + 112 * chunks + n[k] + n[k] % 2 &&
                  r->file[i].n == vault_xor23_file_size(n[k]) &&
                  vault_xor23_data_size(r->file[i].n) == n[k] + n[k] % 2);
        for (unsigned set = 0; set <= ALL; set++)
            if (__builtin_popcount(set) >= 2) {
                CHECK_OK(xor23_rig_restore(r, set, set == ALL, NULL, &rep, &err));
                CHECK(is_right(r) && is_clean() && rep.size == n[k] && rep.chunks == chunks);
                CHECK(rep.header.scheme == r->scheme && rep.alone == 0 && rep.header.maker == 2 &&
                      rep.header.ids.version[0] == 1);
            } else {
                CHECK_RC(xor23_rig_restore(r, set, false, NULL, &rep, &err), QC_SHARES);
                CHECK(r->got_n == 0 && !r->finished);
            }
    }
    r->most = 0;
    r->lends = false;
}

/* More chunks than are lent: no place is written to while its bytes are still looked at. */
static void lent(struct xor23_rig *r)
{
    r->lends = true;
    CHECK_OK(xor23_rig_share(r, qc_span_of(data, sizeof data), 1, &err));
    for (unsigned lost = 0; lost < SS_XOR23_SHARES; lost++) {
        CHECK_OK(xor23_rig_restore(r, ALL ^ 1U << lost, false, NULL, &rep, &err));
        CHECK(is_right(r) && is_clean());
    }
    r->write_fails = 8;
    CHECK_RC(xor23_rig_share(r, qc_span_of(data, sizeof data), 1, &err), QC_FULL);
    r->write_fails = 0;
    r->lends = false;
}

/* Two are read where two suffice. */
static void no_more_than_needed(struct xor23_rig *r)
{
    CHECK_OK(xor23_rig_share(r, qc_span_of(data, 2 * SS_XOR23_BLOCK), 1, &err));
    r->file[2].reads = 0;
    CHECK_OK(xor23_rig_restore(r, ALL, false, NULL, &rep, &err));
    CHECK(r->file[2].reads == 1 && rep.site[0].used == 3 && rep.site[1].used == 3 && rep.site[2].used == 0);
}

/* What a changed byte of a file says: whose tag or key it is, or the share itself. */
enum part { SHARE, PAIR_LOW, PAIR_HIGH };

static enum part part_of(size_t at)
{
    if (at < VAULT_XOR23_HEADER + 16 || at >= VAULT_XOR23_HEADER + VAULT_XOR23_HEAD)
        return SHARE;
    const size_t in = at - VAULT_XOR23_HEADER - 16;
    return (in < 32 ? in < 16 : in < 64) ? PAIR_LOW : PAIR_HIGH;
}

/* A bit; in keys all of a byte, some bits of which Poly1305 leaves out. */
static uint8_t flip(size_t at)
{
    if (part_of(at) == SHARE)
        return (uint8_t)(1U << at % 8);
    return 0xff;
}

/* Each byte, or one of `step`, of a short file of each site, changed: three sites restore, and all that was
 * changed is seen. */
static void flips_of_three(struct xor23_rig *r, size_t step)
{
    CHECK_OK(xor23_rig_share(r, qc_span_of(data, 5), 1, &err));
    for (unsigned x = 0; x < SS_XOR23_SHARES; x++)
        for (size_t at = 0; at < r->file[x].n; at += step) {
            const enum part part = part_of(at);
            const unsigned other = part == PAIR_LOW ? (x == 0) : 2 - (x == 2);
            r->file[x].p[at] ^= flip(at);
            CHECK_OK(xor23_rig_restore(r, ALL, true, NULL, &rep, &err));
            CHECK(is_right(r));
            for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
                if (part == SHARE)
                    CHECK((rep.site[i].wrong > 0) == (i == x) && rep.site[i].odds == 0);
                else
                    CHECK(rep.site[i].wrong == 0 && (rep.site[i].odds == 1) == (i == x || i == other));
            if (at % 8 == 0) {
                CHECK_OK(xor23_rig_restore(r, ALL, false, NULL, &rep, &err));
                CHECK(is_right(r));
            }
            r->file[x].p[at] ^= flip(at);
        }
}

/* The same with two sites: right, where what was changed is not for this pair, or refused. */
static void flips_of_two(struct xor23_rig *r, size_t step)
{
    CHECK_OK(xor23_rig_share(r, qc_span_of(data, 5), 1, &err));
    for (unsigned x = 0; x < SS_XOR23_SHARES; x++)
        for (size_t at = 0; at < r->file[x].n; at += step)
            for (unsigned y = 0; y < SS_XOR23_SHARES; y++) {
                if (y == x || (y + at) % 2 == 0)
                    continue;
                const enum part part = part_of(at);
                const unsigned other = part == PAIR_LOW ? (x == 0) : 2 - (x == 2);
                r->file[x].p[at] ^= flip(at);
                if (part != SHARE && other != y) {
                    CHECK_OK(xor23_rig_restore(r, 1U << x | 1U << y, false, NULL, &rep, &err));
                    CHECK(is_right(r));
                } else {
                    CHECK_RC(xor23_rig_restore(r, 1U << x | 1U << y, false, NULL, &rep, &err), QC_INTEGRITY);
                    CHECK(r->got_n == 0 && !r->finished);
                }
                r->file[x].p[at] ^= flip(at);
            }
}

/* A site that ends early, at any byte: named; with it alone beside another one: a verified prefix at most. */
static void cut(struct xor23_rig *r)
{
    CHECK_OK(xor23_rig_share(r, qc_span_of(data, SS_XOR23_BLOCK + 7), 1, &err));
    const size_t n = r->file[1].n, second = 40 + 112 + SS_XOR23_BLOCK;
    const size_t cuts[] = { 0,   1,          39,     40,         41,           151,  152,
                            153, second - 1, second, second + 1, second + 112, n - 1 };
    for (unsigned k = 0; k < sizeof cuts / sizeof cuts[0]; k++) {
        r->file[1].n = cuts[k];
        CHECK_OK(xor23_rig_restore(r, ALL, false, NULL, &rep, &err));
        CHECK(is_right(r) && rep.site[1].wrong > 0 && rep.site[0].wrong + rep.site[2].wrong == 0);
        CHECK(strstr(rep.site[1].why, "the file ends") != NULL);
        CHECK_RC(xor23_rig_restore(r, A | B, false, NULL, &rep, &err), QC_INTEGRITY);
        CHECK(is_prefix(r) && r->got_n == (cuts[k] < second ? 0 : SS_XOR23_BLOCK));
    }
    r->file[1].n = n;
}

static void longer(struct xor23_rig *r)
{
    CHECK_OK(xor23_rig_share(r, qc_span_of(data, 9), 1, &err));
    r->file[0].n++;
    CHECK_OK(xor23_rig_restore(r, A | C, false, NULL, &rep, &err));
    CHECK(is_right(r) && rep.site[0].wrong == 1 && strstr(rep.site[0].why, "behind") != NULL);
    r->file[0].n--;
}

/* An older version of one site: named by two of now, and by who knows what is meant; of two sites: only by
 * him. */
static void rolled_back(struct xor23_rig *r)
{
    static uint8_t old[SS_XOR23_SHARES][300];
    const struct vault_xor23_ids meant = xor23_rig_header(2).ids;
    CHECK_OK(xor23_rig_share(r, qc_span_of(data + 100, 77), 1, &err));
    const size_t n = r->file[0].n;
    CHECK(n <= sizeof old[0]);
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        memcpy(old[i], r->file[i].p, n);
    CHECK_OK(xor23_rig_share(r, qc_span_of(data, 77), 2, &err));
    for (unsigned x = 0; x < SS_XOR23_SHARES; x++) {
        uint8_t now[300];
        memcpy(now, r->file[x].p, n);
        memcpy(r->file[x].p, old[x], n);
        CHECK_OK(xor23_rig_restore(r, ALL, true, NULL, &rep, &err));
        CHECK(is_right(r) && rep.site[x].wrong > 0 &&
              strstr(rep.site[x].why, "another object or version") != NULL);
        CHECK_OK(xor23_rig_restore(r, ALL, false, &meant, &rep, &err));
        CHECK(is_right(r) && rep.site[x].wrong > 0 && rep.site[x].first == UINT64_MAX);
        /* A liar who keeps the header of now. */
        memcpy(r->file[x].p, now, VAULT_XOR23_HEADER);
        CHECK_OK(xor23_rig_restore(r, ALL, false, &meant, &rep, &err));
        CHECK(is_right(r) && (x == 2 || (rep.site[x].wrong == 1 && rep.site[x].first == 0)));
        CHECK_RC(xor23_rig_restore(r, 1U << x | 1U << (x + 1) % 3, false, NULL, &rep, &err), QC_INTEGRITY);
        memcpy(r->file[x].p, now, n);
    }
    memcpy(r->file[0].p, old[0], n);
    memcpy(r->file[1].p, old[1], n);
    CHECK_RC(xor23_rig_restore(r, ALL, false, &meant, &rep, &err), QC_INTEGRITY);
    CHECK(r->got_n == 0);
}

/* Files at the wrong site, chunks in another order. */
static void exchanged(struct xor23_rig *r)
{
    CHECK_OK(xor23_rig_share(r, qc_span_of(data, 2 * SS_XOR23_BLOCK + 1), 1, &err));
    const struct xor23_file a = r->file[0];
    r->file[0] = r->file[1];
    r->file[1] = a;
    CHECK_RC(xor23_rig_restore(r, ALL, false, NULL, &rep, &err), QC_INTEGRITY);
    r->file[1] = r->file[0];
    r->file[0] = a;
    /* The first two chunks of A, with their numbers right. */
    const size_t one = VAULT_XOR23_HEAD + SS_XOR23_BLOCK;
    for (size_t i = 8; i < one; i++) {
        uint8_t *p = a.p + VAULT_XOR23_HEADER + i, t = *p;
        *p = p[one];
        p[one] = t;
    }
    CHECK_OK(xor23_rig_restore(r, ALL, false, NULL, &rep, &err));
    CHECK(is_right(r) && rep.site[0].wrong == 1 && rep.site[0].first == 0 && rep.site[0].used == 0 &&
          rep.site[1].used == 3); /* who was wrong is not asked again before it must be */
}

/* A site that goes away in the middle, and one that never was there. */
static void away(struct xor23_rig *r)
{
    CHECK_OK(xor23_rig_share(r, qc_span_of(data, SS_XOR23_BLOCK + 3), 1, &err));
    r->file[0].fails = QC_TIMEOUT;
    r->file[0].fails_from = SS_XOR23_BLOCK;
    CHECK_OK(xor23_rig_restore(r, ALL, false, NULL, &rep, &err));
    CHECK(is_right(r) && rep.site[0].wrong == 0 && rep.site[0].silent == 1 && rep.site[0].used == 1 &&
          strstr(rep.site[0].why, "away") != NULL);
    CHECK_RC(xor23_rig_restore(r, A | B, false, NULL, &rep, &err), QC_SHARES);
    CHECK(is_prefix(r));
    r->file[0].fails = QC_CANCELLED;
    CHECK_RC(xor23_rig_restore(r, ALL, false, NULL, &rep, &err), QC_CANCELLED);
    r->file[0].fails = QC_OK;
}

/* Different damage in different chunks of two sites: each chunk has its pair. */
static void both_damaged(struct xor23_rig *r)
{
    CHECK_OK(xor23_rig_share(r, qc_span_of(data, SS_XOR23_BLOCK + 999), 1, &err));
    r->file[0].p[1000] ^= 1;
    r->file[1].p[VAULT_XOR23_HEADER + VAULT_XOR23_HEAD + SS_XOR23_BLOCK + 200] ^= 1;
    CHECK_OK(xor23_rig_restore(r, ALL, true, NULL, &rep, &err));
    CHECK(is_right(r) && rep.site[0].wrong == 1 && rep.site[0].first == 0 && rep.site[1].wrong == 1 &&
          rep.site[1].first == 1 && rep.site[2].wrong == 0);
    r->file[2].p[1000] ^= 1; /* and now two of one chunk */
    CHECK_RC(xor23_rig_restore(r, ALL, true, NULL, &rep, &err), QC_INTEGRITY);
    CHECK(r->got_n == 0);
}

/* A lost site: restored from two and shared anew, into a version of its own; old and new do not mix. */
static void site_lost(struct xor23_rig *r)
{
    static struct xor23_rig again;
    again.rand = r->rand;
    CHECK_OK(xor23_rig_share(r, qc_span_of(data, SS_XOR23_BLOCK + 11), 1, &err));
    CHECK_OK(xor23_rig_restore(r, A | C, false, NULL, &rep, &err));
    CHECK(is_right(r));
    CHECK_OK(xor23_rig_share(&again, qc_span_of(r->got, r->got_n), 2, &err));
    for (unsigned set = 3; set <= ALL; set++)
        if (__builtin_popcount(set) == 2) {
            CHECK_OK(xor23_rig_restore(&again, set, false, NULL, &rep, &err));
            CHECK(is_right(&again) && is_clean());
        }
    free(again.file[1].p); /* the stolen one */
    again.file[1] = r->file[1];
    r->file[1] = (struct xor23_file){ 0 };
    CHECK_RC(xor23_rig_restore(&again, A | B, false, NULL, &rep, &err), QC_INTEGRITY);
    xor23_rig_done(&again);
}

static void header_parser(void)
{
    static const uint8_t good[40] = "QCX3\1\2\2\24";
    struct vault_xor23_header h = { .maker = 77 };
    uint8_t p[41] = { 0 };
    for (size_t n = 0; n <= 41; n++) {
        memcpy(p, good, 40);
        if (n != 40)
            CHECK_RC(vault_xor23_header_parse(qc_span_of(p, n), &h, &err), QC_FORMAT);
    }
    static const struct {
        size_t at;
        uint8_t v;
        qc_rc rc;
    } rows[] = { { 0, 'q', QC_FORMAT }, { 4, 0, QC_FORMAT },  { 4, 2, QC_NEWER },
                 { 5, 0, QC_FORMAT },   { 5, 4, QC_FORMAT },  { 6, 0, QC_FORMAT },
                 { 6, 3, QC_NEWER },    { 7, 19, QC_FORMAT }, { 7, 21, QC_FORMAT } };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        memcpy(p, good, 40);
        p[rows[i].at] = rows[i].v;
        CHECK_RC(vault_xor23_header_parse(qc_span_of(p, 40), &h, &err), rows[i].rc);
        CHECK(h.maker == 77);
    }
    CHECK_OK(vault_xor23_header_parse(qc_span_of(good, 40), &h, &err));
    CHECK(h.letter == SS_XOR23_B && h.maker == 2);
    vault_xor23_header_write(&h, p);
    CHECK(memcmp(p, good, 40) == 0);
}

/* Shares are what the scheme says: of Shamir's on a line through the data, by its own words; copies alike. */
static void other_schemes(struct xor23_rig *r)
{
    const size_t at = VAULT_XOR23_HEADER + VAULT_XOR23_HEAD;
    for (r->scheme = VAULT_SHAMIR; r->scheme < VAULT_SCHEMES; r->scheme++) {
        sizes(r);
        flips_of_three(r, 7);
        flips_of_two(r, 7);
        CHECK_OK(xor23_rig_share(r, qc_span_of(data, 1001), 1, &err));
        for (size_t i = 0; i < 1002; i++) {
            const uint8_t s = i < 1001 ? data[i] : 0, a = r->file[0].p[at + i], b = r->file[1].p[at + i];
            const uint8_t c = a ^ s; /* f(x) = s + c x: f(2) + s is twice c, f(3) the sum of the others */
            const uint8_t twice = (uint8_t)(c << 1 ^ (c >> 7) * 0x1d);
            CHECK(b == (r->scheme == VAULT_MIRROR ? s : s ^ twice));
            CHECK(r->file[2].p[at + i] == (r->scheme == VAULT_MIRROR ? s : s ^ c ^ twice));
        }
        /* Another scheme's word is no confirmation. */
        memcpy(r->file[0].p, "QCX3", 4);
        CHECK_OK(xor23_rig_restore(r, ALL, true, NULL, &rep, &err));
        CHECK(is_right(r) && rep.site[0].wrong > 0 && rep.header.scheme == r->scheme);
        CHECK_RC(xor23_rig_restore(r, A | B, true, NULL, &rep, &err), QC_INTEGRITY);
    }
    r->scheme = VAULT_XOR23;
}

/* A mirror may be believed alone, when it is asked for and nobody contradicts; a share never. */
static void one_alone(struct xor23_rig *r)
{
    r->alone = true;
    for (r->scheme = VAULT_XOR23; r->scheme < VAULT_SCHEMES; r->scheme++) {
        const bool may = r->scheme == VAULT_MIRROR;
        CHECK_OK(xor23_rig_share(r, qc_span_of(data, SS_XOR23_BLOCK + 5), 1, &err));
        for (unsigned x = 0; x < SS_XOR23_SHARES; x++) {
            CHECK_RC(xor23_rig_restore(r, 1U << x, false, NULL, &rep, &err), may ? QC_OK : QC_SHARES);
            CHECK(may ? is_right(r) && rep.alone == 2 && rep.site[x].used == 2 : r->got_n == 0);
        }
        r->file[1].fails = QC_TIMEOUT; /* silent, in the middle */
        r->file[1].fails_from = SS_XOR23_BLOCK;
        CHECK_RC(xor23_rig_restore(r, A | B, false, NULL, &rep, &err), may ? QC_OK : QC_SHARES);
        CHECK(may ? is_right(r) && rep.alone == 1 && rep.site[1].silent == 1 : is_prefix(r));
        r->file[1].fails = QC_NOTFOUND; /* it says that there is none */
        r->file[1].fails_from = 0;
        CHECK_RC(xor23_rig_restore(r, A | B, false, NULL, &rep, &err), QC_SHARES);
        r->file[1].fails = QC_OK;
        r->file[1].p[1000] ^= 1; /* two that differ, and nobody to say who is right */
        CHECK_RC(xor23_rig_restore(r, A | B, false, NULL, &rep, &err), QC_INTEGRITY);
        CHECK(r->got_n == 0);
    }
    r->scheme = VAULT_MIRROR;
    r->alone = false; /* nobody asked for that */
    CHECK_OK(xor23_rig_share(r, qc_span_of(data, 5), 1, &err));
    CHECK_RC(xor23_rig_restore(r, B, false, NULL, &rep, &err), QC_SHARES);
    r->scheme = VAULT_XOR23;
}

static void out_fails(struct xor23_rig *r)
{
    for (unsigned n = 1; n <= 9; n++) { /* three headers, two chunks of each */
        r->write_fails = n;
        CHECK_RC(xor23_rig_share(r, qc_span_of(data, SS_XOR23_BLOCK), 1, &err), QC_FULL);
    }
    r->write_fails = 10;
    CHECK_OK(xor23_rig_share(r, qc_span_of(data, SS_XOR23_BLOCK), 1, &err));
    r->write_fails = 0;
}

int main(void)
{
    static struct xor23_rig r;
    struct qc_rand rand = qc_rand_start();
    r.rand = &rand;
    qc_rand_fill(&rand, data, sizeof data);
    header_parser();
    sizes(&r);
    lent(&r);
    no_more_than_needed(&r);
    flips_of_three(&r, 1);
    flips_of_two(&r, 1);
    cut(&r);
    longer(&r);
    rolled_back(&r);
    exchanged(&r);
    away(&r);
    both_damaged(&r);
    site_lost(&r);
    out_fails(&r);
    other_schemes(&r);
    one_alone(&r);
    xor23_rig_done(&r);
    return 0;
}
