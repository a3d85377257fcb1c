/* unit/gateway_log: log objects and sealed B keep FORMAT 9.3, refusals included. */
#include "gateway/log.h"
#include "qc_check.h"
#include "qc_seed.h"

static struct gw_root *root_of(uint8_t fill)
{
    struct qc_err err = { 0 };
    struct gw_root *r = NULL;
    uint8_t id[16], raw[32];
    qc_key *G = NULL;

    memset(id, fill, sizeof id);
    memset(raw, fill + 1, sizeof raw);
    CHECK_OK(qc_key_from(&G, raw, sizeof raw, &err));
    CHECK_OK(gw_root_new(&r, id, G, &err));
    qc_key_free(&G);
    return r;
}

struct made {
    qc_buf records, layouts, segments, object;
    struct gw_log_head head;
};

static void made_done(struct made *m)
{
    qc_buf_free(&m->records);
    qc_buf_free(&m->layouts);
    qc_buf_free(&m->segments);
    qc_buf_free(&m->object);
}

static void make(struct made *m, const struct gw_root *r)
{
    struct qc_err err = { 0 };
    static const uint8_t salt[16] = "0123456789abcde";
    static const uint8_t key[32] = "a bkey of thirty-two bytes here";

    *m = (struct made){ .records = { .max = 65536 },
                        .layouts = { .max = 65536 },
                        .segments = { .max = 65536 },
                        .object = { .max = QC_GW_LOG_MAX } };
    m->head = (struct gw_log_head){ .sequence = 7, .incarnation = 3 };
    memset(m->head.prev, 0x77, sizeof m->head.prev);
    const struct gw_log_layout l0 = { .k = 2, .n = 3, .clouds = { 4, 1, 9 } };
    const struct gw_log_layout l1 = { .k = 3, .n = 5, .clouds = { 1, 2, 3, 4, 5 } };
    CHECK_OK(gw_log_add_layout(&m->layouts, &l0, &err));
    CHECK_OK(gw_log_add_layout(&m->layouts, &l1, &err));
    for (uint32_t i = 0; i < 4; i++) {
        struct gw_log_segment s = {
            .id = 1000 + i, .size = 10 + i, .incarnation = 3, .layout = (uint16_t)(i & 1)
        };
        memset(s.salt, (int)i, sizeof s.salt);
        memset(s.digest, (int)(100 + i), sizeof s.digest);
        CHECK_OK(gw_log_add_segment(&m->segments, &s, &err));
    }
    struct gw_record rec = { .kind = GW_REC_CONFIG, .u.config = { 3, 5, 4, 3 } };
    CHECK_OK(gw_log_add(&m->records, &rec, &err));
    rec = (struct gw_record){ .kind = GW_REC_CLOUD,
                              .u.cloud = { .id = 9,
                                           .name = QC_LIT("osaka"),
                                           .url = QC_LIT("file:///a"),
                                           .generation = 2,
                                           .state = 1 } };
    CHECK_OK(gw_log_add(&m->records, &rec, &err));
    rec.kind = GW_REC_MEMBER;
    rec.u.cloud.state = GW_MEMBER_DRAINING;
    rec.u.cloud.weight = 250;
    rec.u.cloud.labels[1] = QC_LIT("kansai");
    CHECK_OK(gw_log_add(&m->records, &rec, &err));
    rec = (struct gw_record){ .kind = GW_REC_RULES, .u.rules = { GW_DOMAIN_REGION } };
    CHECK_OK(gw_log_add(&m->records, &rec, &err));
    rec = (struct gw_record){ .kind = GW_REC_BKEY, .u.bkey = { 1, qc_span_of(key, sizeof key) } };
    CHECK_OK(gw_log_add(&m->records, &rec, &err));
    rec = (struct gw_record){ .kind = GW_REC_COMMIT };
    rec.u.commit.e = (struct gw_entry){ .path = QC_LIT("path"),
                                        .number = 5,
                                        .kind = 1,
                                        .sequence = 2,
                                        .size = 46,
                                        .private_part = QC_LIT("private"),
                                        .created = 1234567890 };
    memset(rec.u.commit.e.seal, 0x5e, 32);
    rec.u.commit.chain = 12;
    rec.u.commit.layout_count = 2;
    rec.u.commit.layouts = qc_buf_span(&m->layouts);
    rec.u.commit.segment_count = 4;
    rec.u.commit.segments = qc_buf_span(&m->segments);
    rec.u.commit.backup = QC_LIT("sealed backup data");
    CHECK_OK(gw_log_add(&m->records, &rec, &err));
    rec = (struct gw_record){ .kind = GW_REC_TOMBSTONE,
                              .u.tombstone = {
                                  .path = QC_LIT("gone"), .number = 6, .chain = 13, .created = 9 } };
    CHECK_OK(gw_log_add(&m->records, &rec, &err));
    rec = (struct gw_record){ .kind = GW_REC_RECODED,
                              .u.recoded = { .tenant = 3,
                                             .seq = 2,
                                             .old = 1002,
                                             .segment = { .id = 2002, .size = 12, .incarnation = 4 },
                                             .layout = l1 } };
    CHECK_OK(gw_log_add(&m->records, &rec, &err));
    CHECK_OK(gw_log_seal(r, &m->head, qc_buf_span(&m->records), 8, salt, &m->object, &err));
}

static void there_and_back(void)
{
    struct qc_err err = { 0 };
    struct gw_root *r = root_of(1), *other = root_of(9);
    struct gw_log l = { 0 };
    struct gw_record rec;
    struct made m;
    bool more;

    make(&m, r);
    CHECK(memcmp(m.object.p,
                 "QCLL\1\0\0\0"
                 "0123456789abcde",
                 24) == 0);
    CHECK(m.object.n == 24 + 48 + m.records.n + 16);
    CHECK_OK(gw_log_open(r, 7, 3, qc_buf_span(&m.object), &l, &err));
    CHECK(l.count == 8 && l.head.sequence == 7 && l.head.incarnation == 3);
    CHECK(memcmp(l.head.prev, m.head.prev, sizeof l.head.prev) == 0);
    struct gw_log_iter it = gw_log_records(&l);
    CHECK_OK(gw_log_next(&it, &rec, &more, &err));
    CHECK(more && rec.kind == GW_REC_CONFIG && rec.u.config.write_quorum == 4);
    CHECK_OK(gw_log_next(&it, &rec, &more, &err));
    CHECK(more && rec.kind == GW_REC_CLOUD && rec.u.cloud.id == 9 &&
          qc_span_eq(rec.u.cloud.name, QC_LIT("osaka")));
    CHECK_OK(gw_log_next(&it, &rec, &more, &err));
    CHECK(more && rec.kind == GW_REC_MEMBER && rec.u.cloud.state == GW_MEMBER_DRAINING &&
          rec.u.cloud.weight == 250 && rec.u.cloud.labels[0].n == 0 &&
          qc_span_eq(rec.u.cloud.labels[1], QC_LIT("kansai")));
    CHECK_OK(gw_log_next(&it, &rec, &more, &err));
    CHECK(more && rec.kind == GW_REC_RULES && rec.u.rules.domain == GW_DOMAIN_REGION);
    CHECK_OK(gw_log_next(&it, &rec, &more, &err));
    CHECK(more && rec.kind == GW_REC_BKEY && memcmp(rec.u.bkey.key.p, "a bkey of", 9) == 0);
    CHECK_OK(gw_log_next(&it, &rec, &more, &err));
    CHECK(more && rec.kind == GW_REC_COMMIT && rec.u.commit.e.number == 5 && rec.u.commit.e.size == 46);
    CHECK(qc_span_eq(rec.u.commit.e.path, QC_LIT("path")) && rec.u.commit.chain == 12);
    CHECK(qc_span_eq(rec.u.commit.backup, QC_LIT("sealed backup data")));
    struct gw_log_segment s;
    struct gw_log_layout lay;
    gw_log_segment_at(&rec.u.commit, 3, &s);
    CHECK(s.id == 1003 && s.size == 13 && s.layout == 1 && s.digest[0] == 103 && s.salt[0] == 3);
    gw_log_layout_at(&rec.u.commit, 1, &lay);
    CHECK(lay.k == 3 && lay.n == 5 && lay.clouds[4] == 5);
    CHECK_DIES(gw_log_segment_at(&rec.u.commit, 4, &s));
    CHECK_OK(gw_log_next(&it, &rec, &more, &err));
    CHECK(more && rec.kind == GW_REC_TOMBSTONE && rec.u.tombstone.number == 6);
    CHECK_OK(gw_log_next(&it, &rec, &more, &err));
    CHECK(more && rec.kind == GW_REC_RECODED && rec.u.recoded.tenant == 3 && rec.u.recoded.seq == 2 &&
          rec.u.recoded.old == 1002 && rec.u.recoded.segment.id == 2002 && rec.u.recoded.segment.size == 12 &&
          rec.u.recoded.layout.k == 3 && rec.u.recoded.layout.clouds[4] == 5);
    CHECK_OK(gw_log_next(&it, &rec, &more, &err));
    CHECK(!more);
    gw_log_done(&l);

    /* Under another name, or another gateway's key: it does not open. */
    CHECK_RC(gw_log_open(r, 8, 3, qc_buf_span(&m.object), &l, &err), QC_INTEGRITY);
    CHECK_RC(gw_log_open(r, 7, 4, qc_buf_span(&m.object), &l, &err), QC_INTEGRITY);
    CHECK_RC(gw_log_open(other, 7, 3, qc_buf_span(&m.object), &l, &err), QC_INTEGRITY);
    for (size_t i = 0; i < m.object.n; i++) { /* every byte counts */
        m.object.p[i] ^= 0x40;
        const qc_rc rc = gw_log_open(r, 7, 3, qc_buf_span(&m.object), &l, &err);
        CHECK(rc == QC_INTEGRITY || rc == QC_FORMAT || rc == QC_NEWER);
        m.object.p[i] ^= 0x40;
        const qc_rc cut = gw_log_open(r, 7, 3, qc_span_of(m.object.p, i), &l, &err);
        CHECK(cut == QC_INTEGRITY || cut == QC_FORMAT);
    }
    CHECK(l.clear.p == NULL);
    made_done(&m);
    gw_root_free(&r);
    gw_root_free(&other);
}

/* Clear text with one record, changed and cut in every way. */
static void clear_text(void)
{
    struct qc_err err = { 0 };
    struct gw_root *r = root_of(1);
    struct gw_log_head head;
    struct gw_log l = { 0 };
    struct made m;
    qc_span records;
    uint32_t count;

    make(&m, r);
    CHECK_OK(gw_log_open(r, 7, 3, qc_buf_span(&m.object), &l, &err));
    const qc_span clear = qc_buf_span(&l.clear);
    for (size_t n = 0; n < clear.n; n++)
        CHECK_RC(gw_log_parse_clear(qc_span_of(clear.p, n), &head, &count, &records, &err), QC_FORMAT);
    qc_buf more = { .max = 1 << 20 };
    CHECK_OK(qc_buf_add(&more, clear, &err));
    CHECK_OK(qc_buf_add_be(&more, 0, 1, &err));
    CHECK_RC(gw_log_parse_clear(qc_buf_span(&more), &head, &count, &records, &err), QC_FORMAT);

    /* Kinds that nobody knows: passed over, or refused with the top bit set. */
    more.n = clear.n;
    CHECK_OK(qc_buf_add_be(&more, 0x40, 1, &err));
    CHECK_OK(qc_buf_add_be(&more, 2, 4, &err));
    CHECK_OK(qc_buf_add_be(&more, 0xffff, 2, &err));
    qc_put_be(more.p + 44, 9, 4);
    CHECK_OK(gw_log_parse_clear(qc_buf_span(&more), &head, &count, &records, &err));
    CHECK(count == 9);
    more.p[clear.n] = 0xC0;
    CHECK_RC(gw_log_parse_clear(qc_buf_span(&more), &head, &count, &records, &err), QC_NEWER);
    qc_buf_free(&more);
    gw_log_done(&l);
    made_done(&m);
    gw_root_free(&r);
}

static const struct gw_rec_tenant a_tenant = {
    .tenant = 7,
    .revision = 3,
    .state = GW_TENANT_DISABLED,
    .verifier = "a verifier of thirty-two bytes.",
    .limits = { .bytes = UINT64_C(1) << 40, .objects = GW_NO_LIMIT, .uploads = 9, .requests = 11 },
};

/* Is a record like this one taken? */
static bool tenant_parses(struct gw_rec_tenant t, qc_span name)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = 1000 };
    struct gw_record rec = { .kind = GW_REC_TENANT };
    bool more = false;

    t.name = name;
    rec.u.tenant = t;
    CHECK_OK(gw_log_add(&b, &rec, &err));
    struct gw_log_iter it = { .rd = { .s = qc_buf_span(&b) }, .left = 1 };
    const qc_rc rc = gw_log_next(&it, &rec, &more, &err);
    CHECK(rc == QC_OK || rc == QC_FORMAT);
    if (rc == QC_OK)
        CHECK(more && rec.kind == GW_REC_TENANT && rec.u.tenant.tenant == t.tenant &&
              rec.u.tenant.revision == t.revision && rec.u.tenant.state == t.state &&
              qc_span_eq(rec.u.tenant.name, name) &&
              memcmp(rec.u.tenant.verifier, t.verifier, sizeof t.verifier) == 0 &&
              memcmp(&rec.u.tenant.limits, &t.limits, sizeof t.limits) == 0);
    return rc == QC_OK;
}

static void tenants(void)
{
    struct gw_rec_tenant t = a_tenant;
    const qc_span name = QC_LIT("clinic-4");
    char longest[66];

    CHECK(tenant_parses(t, name) && GW_REC_TENANT >= 128); /* who does not know it must not pass over it */
    t.tenant = GW_OWNER;
    CHECK(!tenant_parses(t, name));
    t = a_tenant, t.revision = 0;
    CHECK(!tenant_parses(t, name));
    t = a_tenant, t.revision = UINT64_C(1) << 63;
    CHECK(!tenant_parses(t, name));
    t = a_tenant, t.state = 0;
    CHECK(!tenant_parses(t, name));
    t = a_tenant, t.state = 3;
    CHECK(!tenant_parses(t, name));
    t = a_tenant, t.limits.bytes = GW_NO_LIMIT + 1;
    CHECK(!tenant_parses(t, name));
    t = a_tenant, t.limits.objects = UINT64_MAX;
    CHECK(!tenant_parses(t, name));
    t = a_tenant, t.limits.uploads = 0;
    CHECK(!tenant_parses(t, name));
    t = a_tenant, t.limits.requests = 0;
    CHECK(!tenant_parses(t, name));
    memset(longest, 'a', sizeof longest);
    CHECK(tenant_parses(a_tenant, qc_span_of(longest, 64)) &&
          !tenant_parses(a_tenant, qc_span_of(longest, 65)));
    CHECK(!tenant_parses(a_tenant, QC_LIT("")) && !tenant_parses(a_tenant, QC_LIT("a\0b")) &&
          !tenant_parses(a_tenant, QC_LIT("Ab")) && !tenant_parses(a_tenant, QC_LIT("-a")));
}

/* Every shorter and every longer body of a tenant's record. */
static void tenant_lengths(void)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = 1000 };
    struct gw_record rec = { .kind = GW_REC_TENANT, .u.tenant = a_tenant };
    bool more = false;

    rec.u.tenant.name = QC_LIT("name");
    CHECK_OK(gw_log_add(&b, &rec, &err));
    const size_t whole = b.n;
    CHECK(whole == 5 + 4 + 8 + 4 + 4 + 1 + 32 + 8 + 8 + 4 + 4);
    CHECK_OK(qc_buf_add_zero(&b, 8, &err));
    for (size_t n = 0; n < b.n - 5; n++) {
        qc_put_be(b.p + 1, n, 4);
        struct gw_log_iter it = { .rd = { .s = qc_span_of(b.p, 5 + n) }, .left = 1 };
        CHECK_RC(gw_log_next(&it, &rec, &more, &err), 5 + n == whole ? QC_OK : QC_FORMAT);
    }
}

static void sealed_backup(void)
{
    struct qc_err err = { 0 };
    struct gw_root *r = root_of(1);
    struct qc_prk *prk = NULL;
    qc_key *bkey = NULL;
    uint8_t raw[32] = { 1, 2, 3 };
    static const uint8_t salt[16] = { 9 };
    struct gw_backup_ids ids = { 0 };
    qc_buf sealed = { .max = 1000 }, out = { .max = 1000 };
    uint32_t epoch;

    memset(ids.object.b, 4, 16);
    CHECK_OK(qc_key_from(&bkey, raw, sizeof raw, &err));
    CHECK_OK(gw_prk_new(&prk, bkey, &err));
    CHECK_OK(gw_backup_seal(r, &(struct gw_bkey){ prk, 5 }, salt, &ids, QC_LIT("backup"), &sealed, &err));
    CHECK(sealed.n == 4 + 16 + 6 + 16);
    CHECK_OK(gw_backup_epoch(qc_buf_span(&sealed), &epoch, &err));
    CHECK(epoch == 5);
    CHECK_OK(gw_backup_open(r, prk, &ids, qc_buf_span(&sealed), &out, &err));
    CHECK(qc_span_eq(qc_buf_span(&out), QC_LIT("backup")));
    for (size_t i = 4; i < sealed.n; i++) {
        sealed.p[i] ^= 1;
        CHECK_RC(gw_backup_open(r, prk, &ids, qc_buf_span(&sealed), &out, &err), QC_INTEGRITY);
        CHECK(out.n == 6);
        sealed.p[i] ^= 1;
    }
    ids.object.b[0] = 5; /* exchanged between objects */
    CHECK_RC(gw_backup_open(r, prk, &ids, qc_buf_span(&sealed), &out, &err), QC_INTEGRITY);
    for (size_t n = 0; n < 36; n++)
        CHECK_RC(gw_backup_open(r, prk, &ids, qc_span_of(sealed.p, n), &out, &err), QC_FORMAT);
    qc_buf_free(&sealed);
    qc_buf_free(&out);
    qc_prk_free(&prk);
    qc_key_free(&bkey);
    gw_root_free(&r);
}

static bool recoded_parses(struct gw_rec_recoded v)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = 1000 };
    struct gw_record rec = { .kind = GW_REC_RECODED };
    bool more = false;

    rec.u.recoded = v;
    CHECK_OK(gw_log_add(&b, &rec, &err));
    struct gw_log_iter it = { .rd = { .s = qc_buf_span(&b) }, .left = 1 };
    return gw_log_next(&it, &rec, &more, &err) == QC_OK && more;
}

/* A segment by another code: what one cannot be, and every shorter and longer body. */
static void recoded(void)
{
    static const struct gw_rec_recoded good = { .seq = 1,
                                                .old = 7,
                                                .segment = { .id = 8, .size = 9 },
                                                .layout = { .k = 1, .n = 2, .clouds = { 3, 4 } } };
    struct gw_rec_recoded v = good;
    struct gw_record rec = { .kind = GW_REC_RECODED, .u.recoded = good };
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = 1000 };
    bool more = false;

    CHECK(recoded_parses(v) && GW_REC_RECODED >= 128); /* who passed over it would look for what is dead */
    v.seq = QC_GW_SEGMENTS_MAX;
    CHECK(!recoded_parses(v));
    v = good, v.old = 8;
    CHECK(!recoded_parses(v));
    v = good, v.old = UINT64_C(1) << 63;
    CHECK(!recoded_parses(v));
    v = good, v.segment.size = 0;
    CHECK(!recoded_parses(v));
    v = good, v.segment.size = QC_GW_SEGMENT_MAX + 1;
    CHECK(!recoded_parses(v));
    v = good, v.segment.layout = 1;
    CHECK(!recoded_parses(v));
    v = good, v.layout.k = 3;
    CHECK(!recoded_parses(v));
    v = good, v.layout.clouds[1] = 3;
    CHECK(!recoded_parses(v));
    CHECK_OK(gw_log_add(&b, &rec, &err));
    const size_t whole = b.n;
    CHECK_OK(qc_buf_add_zero(&b, 8, &err));
    for (size_t n = 5; n <= b.n; n++) {
        qc_put_be(b.p + 1, n - 5, 4);
        struct gw_log_iter it = { .rd = { .s = qc_span_of(b.p, n) }, .left = 1 };
        const qc_rc rc = gw_log_next(&it, &rec, &more, &err);
        CHECK(n == whole ? rc == QC_OK : rc == QC_FORMAT);
    }
}

/* N in another bundle: every shorter and longer body, and what it cannot be. */
static void repacked(void)
{
    QC_CLEANUP(qc_buf_free) qc_buf members = { .max = 1000 }, b = { .max = 1000 };
    const struct gw_log_packed two[] = { { .object = { { 1 } }, .version = { { 2 } }, .start = 0 },
                                         { .object = { { 3 } }, .version = { { 4 } }, .start = 8 } };
    struct gw_record rec = { .kind = GW_REC_REPACKED,
                             .u.repacked = { .tenant = 3,
                                             .created = 5,
                                             .segment = { .id = 8, .size = 9 },
                                             .layout = { .k = 1, .n = 2, .clouds = { 3, 4 } },
                                             .count = 2 } };
    struct gw_log_packed p;
    struct qc_err err = { 0 };
    bool more = false;

    CHECK(GW_REC_REPACKED >= 128); /* who passed over it would look for what is dead */
    for (unsigned i = 0; i < 2; i++)
        CHECK_OK(gw_log_add_packed(&members, &two[i], &err));
    CHECK(members.n == 2 * GW_LOG_PACKED_BYTES);
    rec.u.repacked.members = qc_buf_span(&members);
    CHECK_OK(gw_log_add(&b, &rec, &err));
    const size_t whole = b.n;
    CHECK_OK(qc_buf_add_zero(&b, 8, &err));
    for (size_t n = 5; n <= b.n; n++) {
        qc_put_be(b.p + 1, n - 5, 4);
        struct gw_log_iter it = { .rd = { .s = qc_span_of(b.p, n) }, .left = 1 };
        CHECK((gw_log_next(&it, &rec, &more, &err) == QC_OK) == (n == whole));
        if (n == whole) {
            CHECK(rec.kind == GW_REC_REPACKED && rec.u.repacked.count == 2 && rec.u.repacked.created == 5 &&
                  rec.u.repacked.layout.clouds[1] == 4 && rec.u.repacked.segment.size == 9);
            gw_log_packed_at(&rec.u.repacked, 1, &p);
            CHECK(p.object.b[0] == 3 && p.version.b[0] == 4 && p.start == 8);
        }
    }
    qc_put_be(b.p + 1, whole - 5, 4);
    const struct {
        size_t at;
        uint8_t v;
    } wrong[] = { { whole - 1, 9 },             /* begins where the segment ends */
                  { 5 + 4 + 48, 0x80 },         /* a time that is none */
                  { 5 + 4 + 48 + 8, 0x80 },     /* an id that is none */
                  { whole - 80 - 4 - 12, 1 } }; /* a second layout */
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const uint8_t was = b.p[wrong[i].at];
        b.p[wrong[i].at] = wrong[i].v;
        struct gw_log_iter it = { .rd = { .s = qc_span_of(b.p, whole) }, .left = 1 };
        CHECK_RC(gw_log_next(&it, &rec, &more, &err), QC_FORMAT);
        b.p[wrong[i].at] = was;
    }
}

/* Of versions that are gone, or kept: every shorter and longer body, and times that are none. */
static void about_versions(void)
{
    struct gw_record records[] = {
        { .kind = GW_REC_PURGED, .u.purged = { .tenant = 3, .created = 5 } },
        { .kind = GW_REC_RETAINED, .u.retained = { .tenant = 3, .until = 7, .known = 6 } },
    };
    struct qc_err err = { 0 };

    CHECK(GW_REC_PURGED >= 128 &&
          GW_REC_RETAINED >= 128); /* who passed over them would bring versions back */
    for (unsigned i = 0; i < 2; i++) {
        QC_CLEANUP(qc_buf_free) qc_buf b = { .max = 1000 };
        struct gw_record rec;
        bool more = false;
        CHECK_OK(gw_log_add(&b, &records[i], &err));
        const size_t whole = b.n;
        CHECK_OK(qc_buf_add_zero(&b, 8, &err));
        for (size_t n = 5; n <= b.n; n++) {
            qc_put_be(b.p + 1, n - 5, 4);
            struct gw_log_iter it = { .rd = { .s = qc_span_of(b.p, n) }, .left = 1 };
            CHECK((gw_log_next(&it, &rec, &more, &err) == QC_OK) == (n == whole));
        }
        qc_put_be(b.p + 1, whole - 5, 4);
        struct gw_log_iter it = { .rd = { .s = qc_span_of(b.p, whole) }, .left = 1 };
        CHECK_OK(gw_log_next(&it, &rec, &more, &err));
        CHECK(rec.kind == records[i].kind);
        CHECK(i == 0 ? rec.u.purged.tenant == 3 && rec.u.purged.created == 5
                     : rec.u.retained.until == 7 && rec.u.retained.known == 6);
        b.p[whole - 8] = 0x80;
        it = (struct gw_log_iter){ .rd = { .s = qc_span_of(b.p, whole) }, .left = 1 };
        CHECK_RC(gw_log_next(&it, &rec, &more, &err), QC_FORMAT);
    }
}

static struct gw_rec_renamed renamed_of(void)
{
    return (struct gw_rec_renamed){ .tenant = 3,
                                    .chain = 8,
                                    .created = 5,
                                    .away = { .path = QC_LIT("old"), .number = 2 },
                                    .e = { .path = QC_LIT("new"),
                                           .number = 1,
                                           .kind = GW_ENTRY_FILE,
                                           .sequence = 9,
                                           .size = 7,
                                           .private_part = QC_LIT("private") } };
}

static bool renamed_parses(const struct gw_rec_renamed *r)
{
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = 1000 };
    const struct gw_record rec = { .kind = GW_REC_RENAMED, .u.renamed = *r };
    struct gw_record got;
    struct qc_err err = { 0 };
    bool more;
    CHECK_OK(gw_log_add(&b, &rec, &err));
    struct gw_log_iter it = { .rd = { .s = qc_buf_span(&b) }, .left = 1 };
    return gw_log_next(&it, &got, &more, &err) == QC_OK;
}

/* An entry that is moved: back as it was, every other length, and what cannot be. */
static void renamed(void)
{
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = 1000 };
    struct gw_record rec = { .kind = GW_REC_RENAMED, .u.renamed = renamed_of() }, got;
    struct gw_rec_renamed bad = renamed_of();
    struct qc_err err = { 0 };
    bool more;

    CHECK(GW_REC_RENAMED >= 128); /* who passed over it would give the old name */
    CHECK_OK(gw_log_add(&b, &rec, &err));
    const size_t whole = b.n;
    CHECK_OK(qc_buf_add_zero(&b, 8, &err));
    for (size_t n = 5; n <= b.n; n++) {
        qc_put_be(b.p + 1, n - 5, 4);
        struct gw_log_iter it = { .rd = { .s = qc_span_of(b.p, n) }, .left = 1 };
        const qc_rc rc = gw_log_next(&it, &got, &more, &err);
        CHECK((rc == QC_OK) == (n == whole));
        if (n == whole)
            CHECK(got.u.renamed.chain == 8 && got.u.renamed.e.sequence == 9 && got.u.renamed.e.number == 1 &&
                  qc_span_eq(got.u.renamed.e.path, QC_LIT("new")) &&
                  qc_span_eq(got.u.renamed.away.path, QC_LIT("old")));
    }
    bad.e.path = bad.away.path;
    CHECK(!renamed_parses(&bad));
    bad = renamed_of(), bad.away.number = 1;
    CHECK(!renamed_parses(&bad));
    bad = renamed_of(), bad.chain = 0;
    CHECK(!renamed_parses(&bad));
    bad = renamed_of(), bad.e.sequence = 0;
    CHECK(!renamed_parses(&bad));
    bad = renamed_of(), bad.e.number = 0;
    CHECK(!renamed_parses(&bad));
    bad = renamed_of(), bad.away.path = (qc_span){ 0 };
    CHECK(!renamed_parses(&bad));
}

/* One N of 46 bytes, in four segments. */
static qc_rc bundled_read(const struct made *m, uint64_t start, uint64_t size, struct gw_record *ret,
                          qc_buf *b)
{
    struct qc_err err = { 0 };
    struct gw_record rec = { .kind = GW_REC_BUNDLED };
    bool more = false;

    rec.u.commit =
        (struct gw_rec_commit){ .e = { .path = QC_LIT("path"), .number = 1, .kind = 1, .size = size },
                                .chain = 1,
                                .layout_count = 2,
                                .layouts = qc_buf_span(&m->layouts),
                                .segment_count = 4,
                                .segments = qc_buf_span(&m->segments),
                                .backup = QC_LIT("B"),
                                .bundled = true,
                                .bundle = { .start = start } };
    memset(rec.u.commit.bundle.object.b, 0x0b, GW_ID_BYTES);
    memset(rec.u.commit.bundle.version.b, 0x5e, GW_ID_BYTES);
    memset(rec.u.commit.bundle.put_key.b, 0x4e, GW_ID_BYTES);
    qc_buf_clear(b);
    CHECK_OK(gw_log_add(b, &rec, &err));
    struct gw_log_iter it = { .rd = { .s = qc_buf_span(b) }, .left = 1 };
    const qc_rc rc = gw_log_next(&it, ret, &more, &err);
    CHECK(rc != QC_OK || more);
    return rc;
}

/* An N in a bundle lies within it; and every shorter and longer body. */
static void bundled(void)
{
    struct gw_root *r = root_of(1);
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = 4000 };
    struct gw_record rec = { 0 };
    struct qc_err err = { 0 };
    struct made m;
    bool more = false;

    make(&m, r);
    CHECK(bundled_read(&m, 40, 6, &rec, &b) == QC_OK && rec.kind == GW_REC_BUNDLED && rec.u.commit.bundled);
    CHECK(rec.u.commit.stored == 46 && rec.u.commit.bundle.start == 40 && rec.u.commit.e.size == 6);
    CHECK(gw_rec_object(&rec.u.commit)->b[0] == 0x0b && gw_rec_version(&rec.u.commit)->b[15] == 0x5e &&
          rec.u.commit.bundle.put_key.b[7] == 0x4e);
    CHECK(bundled_read(&m, 0, 46, &rec, &b) == QC_OK);
    CHECK(bundled_read(&m, 0, 47, &rec, &b) == QC_FORMAT);
    CHECK(bundled_read(&m, 41, 6, &rec, &b) == QC_FORMAT);
    CHECK(bundled_read(&m, 46, 1, &rec, &b) == QC_FORMAT);
    CHECK(bundled_read(&m, UINT64_MAX, 2, &rec, &b) == QC_FORMAT);
    CHECK(bundled_read(&m, 0, 0, &rec, &b) == QC_FORMAT);
    CHECK(bundled_read(&m, 3, 7, &rec, &b) == QC_OK);
    const size_t whole = b.n;
    CHECK_OK(qc_buf_add_zero(&b, 8, &err));
    for (size_t n = 5; n <= b.n; n++) {
        qc_put_be(b.p + 1, n - 5, 4);
        struct gw_log_iter it = { .rd = { .s = qc_span_of(b.p, n) }, .left = 1 };
        const qc_rc rc = gw_log_next(&it, &rec, &more, &err);
        CHECK(n == whole ? rc == QC_OK : rc == QC_FORMAT);
    }
    made_done(&m);
    gw_root_free(&r);
}

int main(void)
{
    there_and_back();
    clear_text();
    tenants();
    tenant_lengths();
    recoded();
    about_versions();
    repacked();
    renamed();
    bundled();
    sealed_backup();
    return 0;
}
