#include "segment.h"

#include <inttypes.h>
#include <stdio.h>

#include "ec/geometry.h"
#include "ec/plain.h"
#include "gateway/place.h"
#include "report.h"

enum { CACHED = 2, TAGS_MAX = QC_TAG * QC_GW_STRIPES_MAX, END_MAX = 4096 };

/* A file that may hold a fragment of the segment in hand. */
struct piece_file {
    struct found f;
    char path[QC_SALVAGE_PATH_MAX];
    struct qc_fd fd;
    unsigned index;
    size_t head;  /* bytes before the payload */
    bool usable;  /* its tags are the right ones */
    bool damaged; /* told already */
    uint8_t tags[TAGS_MAX];
};

struct cached {
    uint64_t id;
    bool valid, whole;
    uint32_t size;
    uint64_t used;
    struct qc_pages bytes;
};

struct segment_reader {
    struct salvage *s;
    struct cached cache[CACHED];
    uint64_t clock;
    struct piece_file *files; /* QC_SALVAGE_COPIES_MAX */
    unsigned count;
    struct qc_pages room; /* a piece of each fragment, and one more */
    /* of the segment in hand: */
    const struct segment_want *w;
    struct ec_geometry g;
    struct gw_frag_keys keys;
    uint8_t digest[GW_DIGEST_BYTES];
    bool has_digest, has_rows;
    uint8_t rows[GW_DIGEST_BYTES * QC_EC_N_MAX]; /* the digest table, once a file has shown it */
};

void segment_reader_free(struct segment_reader **rp)
{
    struct segment_reader *r = *rp;

    *rp = NULL;
    if (r == NULL)
        return;
    for (unsigned i = 0; i < CACHED; i++)
        qc_pages_free(&r->cache[i].bytes);
    for (unsigned i = 0; r->files != NULL && i < r->count; i++)
        qc_fd_close(&r->files[i].fd);
    qc_pages_free(&r->room);
    gw_frag_keys_done(&r->keys);
    qc_free(r->files);
    qc_free(r);
}

qc_rc segment_reader_new(struct segment_reader **ret, struct salvage *s, struct qc_err *err)
{
    QC_CLEANUP(segment_reader_free) struct segment_reader *r = qc_alloc(sizeof *r);

    if (r == NULL || (r->files = qc_alloc(QC_SALVAGE_COPIES_MAX * sizeof *r->files)) == NULL)
        return QC_FAIL(err, QC_NOMEM, "segments");
    r->s = s;
    for (unsigned i = 0; i < CACHED; i++)
        QC_TRY(qc_pages_new(&r->cache[i].bytes, QC_GW_SEGMENT_MAX, err));
    *ret = QC_STEAL(r);
    return QC_OK;
}

/* -- files ----------------------------------------------------------------------------------------------- */

static qc_rc add_file(void *ctx, const struct found *f, struct qc_err *err)
{
    struct segment_reader *r = ctx;

    for (unsigned i = 0; i < r->count; i++)
        if (r->files[i].f.no == f->no)
            return QC_OK;
    if (r->count == QC_SALVAGE_COPIES_MAX)
        return report_wrong(r->s, f->source, f->path, err, "more than %d files of one segment: not used",
                            QC_SALVAGE_COPIES_MAX);
    struct piece_file *p = &r->files[r->count++];
    *p = (struct piece_file){ .f = *f, .index = f->index, .head = GW_FRAG_HEAD_BYTES };
    memcpy(p->path, f->path.p, f->path.n);
    p->f.path = qc_span_of(p->path, f->path.n);
    return QC_OK;
}

/* Damage to a file is told once for each kind. */
static qc_rc tell(struct segment_reader *r, struct piece_file *p, const char *what, struct qc_err *err)
{
    p->damaged = true;
    return report_wrong(r->s, p->f.source, p->f.path, err, "fragment %u of segment %" PRIu64 ": %s", p->index,
                        r->w->id, what);
}

/* Where a fragment of the segment lies when nobody has repaired it. */
static qc_rc home_of(const struct segment_reader *r, unsigned index, uint32_t *ret_cloud,
                     char ret[GW_NAME_SIZE], struct qc_err *err)
{
    struct gw_name name = { .kind = GW_NAME_FRAGMENT,
                            .id = r->w->id,
                            .index = (uint8_t)index,
                            .incarnation = (uint16_t)r->w->incarnation };
    uint8_t perm[QC_EC_N_MAX];

    memcpy(name.salt, r->w->salt, sizeof name.salt);
    QC_TRY(gw_place_permutation(r->s->root, r->w->id, r->w->salt, r->w->n, perm, err));
    *ret_cloud = r->w->layout[perm[index]];
    return gw_name_make(r->s->root, *ret_cloud, &name, ret, err);
}

static bool cloud_is_here(const struct salvage *s, uint32_t cloud)
{
    for (unsigned i = 0; i < s->seen_count; i++)
        if (s->seen[i].cloud_id == cloud)
            return true;
    return false;
}

/* A fragment whose head names another segment, or none, may lie under its own name all the same. */
static qc_rc find_by_name(struct segment_reader *r, unsigned index, struct qc_err *err)
{
    const unsigned before = r->count;
    uint32_t cloud = 0;
    char key[GW_NAME_SIZE];

    QC_TRY(home_of(r, index, &cloud, key, err));
    const char *digits = key + strlen(key) - FOUND_DIGITS;
    QC_TRY(index_named(r->s->ix, digits, add_file, r, err));
    for (unsigned i = before; i < r->count; i++)
        r->files[i].index = index;
    if (r->count == before && cloud_is_here(r->s, cloud))
        return report_missing(r->s, cloud, key, err, "fragment %u of segment %" PRIu64, index, r->w->id);
    return QC_OK;
}

static qc_rc find_files(struct segment_reader *r, struct qc_err *err)
{
    r->count = 0;
    QC_TRY(index_fragments(r->s->ix, r->w->id, add_file, r, err));
    const unsigned by_head = r->count;
    for (unsigned i = 0; r->w->recorded && i < r->w->n; i++) {
        bool has = false;
        for (unsigned k = 0; k < by_head; k++)
            has |= r->files[k].index == i;
        if (!has)
            QC_TRY(find_by_name(r, i, err));
    }
    return QC_OK;
}

/* -- trust ----------------------------------------------------------------------------------------------- */

/* The digest table, and this file's row of it. */
static qc_rc rows_hold(struct segment_reader *r, const struct piece_file *p, const struct gw_frag_end *e,
                       struct qc_err *err)
{
    uint8_t sum[GW_DIGEST_BYTES];

    QC_TRY(gw_segment_digest(r->w->id, r->w->size, e->digests, sum, err));
    if (!qc_ct_eq(sum, r->digest, sizeof sum))
        return QC_FAIL(err, QC_INTEGRITY, "its digest table is damaged, or of another segment");
    memcpy(r->rows, e->digests.p, e->digests.n);
    r->has_rows = true;
    QC_TRY(gw_frag_tags_digest((uint8_t)p->index, e->tags, sum, err));
    if (!qc_ct_eq(sum, r->rows + (size_t)GW_DIGEST_BYTES * p->index, sizeof sum))
        return QC_FAIL(err, QC_INTEGRITY, "its tag table is damaged");
    return QC_OK;
}

/* All of FORMAT 8.3. Its writer, place and attempt are its own: a repair may have chosen them. */
static qc_rc all_holds(struct segment_reader *r, const struct piece_file *p, qc_span head, qc_span end,
                       struct qc_err *err)
{
    const struct segment_want *w = r->w;
    struct gw_frag_head want;
    struct gw_frag_end e;

    QC_TRY(gw_frag_head_parse(head, &want, err));
    memcpy(want.catalogue, gw_root_catalogue(r->s->root), GW_ID_BYTES);
    want.tenant = w->tenant;
    memcpy(want.object, w->object.b, GW_ID_BYTES);
    memcpy(want.version, w->version.b, GW_ID_BYTES);
    want.segment_id = w->id;
    want.seq = w->seq;
    want.k = (uint8_t)w->k;
    want.n = (uint8_t)w->n;
    want.index = (uint8_t)p->index;
    want.segment_size = w->size;
    want.last = w->last;
    memcpy(want.salt, w->salt, sizeof want.salt);
    if (!r->has_digest) {
        QC_TRY(gw_frag_end_parse(end, r->g.stripe_count, w->n, &e, err));
        QC_TRY(gw_segment_digest(w->id, w->size, e.digests, r->digest, err));
    }
    QC_TRY(gw_frag_verify(&r->keys, &want, r->digest, head, end, &e, err));
    r->has_digest = true; /* its tag vouched for it, or the log did */
    return QC_OK;
}

/* Read head and end of a file: is it what it should be, and are its tags to be believed? */
static qc_rc judge_ends(struct segment_reader *r, struct piece_file *p, struct qc_err *err)
{
    uint8_t head[GW_FRAG_HEAD_MAX], end[END_MAX];
    const size_t end_size = gw_frag_end_size(r->g.stripe_count, r->w->n);
    struct gw_frag_end e;
    struct qc_err why = { 0 };
    size_t got = 0;

    QC_TRY(qc_pread_full(qc_fd_get(&p->fd), head, GW_FRAG_HEAD_BYTES, 0, &got, err));
    const size_t told = got < 8 ? 0 : (size_t)qc_get_be(head + 6, 2);
    if (p->f.kind == FOUND_FRAGMENT && p->f.segment == r->w->id && told > GW_FRAG_HEAD_BYTES &&
        told <= sizeof head) {
        p->head = told;
        QC_TRY(qc_pread_full(qc_fd_get(&p->fd), head, told, 0, &got, err));
    }
    const uint64_t whole = p->head + r->g.payload_size + end_size;
    if (p->f.size < whole)
        return QC_FAIL(err, QC_INTEGRITY, "truncated: %" PRIu64 " bytes of %" PRIu64, p->f.size, whole);
    QC_TRY(qc_pread_full(qc_fd_get(&p->fd), end, end_size, p->head + r->g.payload_size, &got, err));
    const qc_rc rc = all_holds(r, p, qc_span_of(head, p->head), qc_span_of(end, end_size), &why);
    if (salvage_ends(rc) || (rc != QC_OK && !r->has_digest)) {
        *err = why;
        return rc;
    }
    QC_TRY(gw_frag_end_parse(qc_span_of(end, end_size), r->g.stripe_count, r->w->n, &e, err));
    QC_TRY(rows_hold(r, p, &e, err));
    memcpy(p->tags, e.tags.p, e.tags.n);
    p->usable = true;
    if (rc != QC_OK)
        return QC_FAIL(err, QC_INTEGRITY, "its head or its tag is damaged: %s", why.msg);
    return p->f.size > whole ? QC_FAIL(err, QC_INTEGRITY, "%" PRIu64 " bytes too long", p->f.size - whole)
                             : QC_OK;
}

/* Does the name say something else than the head? */
static qc_rc check_name(struct segment_reader *r, struct piece_file *p, struct qc_err *err)
{
    char key[GW_NAME_SIZE];
    struct gw_name name;

    if (!p->usable || p->f.digits[0] == '\0' || p->f.kind != FOUND_FRAGMENT)
        return QC_OK;
    (void)snprintf(key, sizeof key, "f/%.2s/%s", p->f.digits, p->f.digits);
    QC_TRY(gw_name_parse(r->s->root, p->f.cloud, key, &name, err));
    if (name.kind == GW_NAME_FRAGMENT && name.id == r->w->id && name.index == p->index)
        return QC_OK;
    return tell(r, p, "lies under the name of something else (used all the same)", err);
}

static qc_rc judge_file(struct segment_reader *r, struct piece_file *p, struct qc_err *err)
{
    struct qc_err why = { 0 };

    if (p->index >= r->w->n)
        return tell(r, p, "its segment has no such fragment", err);
    qc_rc rc = salvage_open(r->s, &p->f, &p->fd, &why);
    if (rc == QC_OK)
        rc = judge_ends(r, p, &why);
    if (salvage_ends(rc)) {
        *err = why;
        return rc;
    }
    if (rc != QC_OK)
        QC_TRY(tell(r, p, why.msg, err));
    return check_name(r, p, err);
}

/* -- pieces ---------------------------------------------------------------------------------------------- */

static uint8_t *room_of(const struct segment_reader *r, unsigned index)
{
    return r->room.p + (size_t)index * r->g.piece_size;
}

static qc_rc read_piece(struct segment_reader *r, struct piece_file *p, uint32_t t, uint8_t *to,
                        bool *ret_good, struct qc_err *err)
{
    const struct ec_stripe stripe = ec_geometry_stripe(&r->g, t);
    const uint64_t at = p->head + stripe.payload_offset;
    struct qc_err why = { 0 };
    char what[128];
    size_t got = 0;

    qc_rc rc = qc_pread_full(qc_fd_get(&p->fd), to, stripe.piece_size, at, &got, &why);
    if (rc == QC_OK && got == stripe.piece_size)
        rc = gw_frag_piece_check(&r->keys, r->s->aead, (uint8_t)p->index, t, qc_span_of(to, got),
                                 p->tags + (size_t)QC_TAG * t, &why);
    if (salvage_ends(rc)) {
        *err = why;
        return rc;
    }
    *ret_good = rc == QC_OK && got == stripe.piece_size;
    if (*ret_good)
        return QC_OK;
    (void)snprintf(what, sizeof what, "damaged or unreadable in bytes %" PRIu64 " to %" PRIu64, at,
                   at + stripe.piece_size - 1);
    return tell(r, p, what, err);
}

/* All payloads of a file without a tag table that can be believed: its tags are made anew, and count if they
 * give its row of the digest table. */
static qc_rc remake_tags(struct segment_reader *r, struct piece_file *p, struct qc_err *err)
{
    uint8_t sum[GW_DIGEST_BYTES];
    struct qc_err why = { 0 };

    for (uint32_t t = 0; t < r->g.stripe_count; t++) {
        const struct ec_stripe stripe = ec_geometry_stripe(&r->g, t);
        size_t got = 0;
        const qc_rc rc = qc_pread_full(qc_fd_get(&p->fd), room_of(r, p->index), stripe.piece_size,
                                       p->head + stripe.payload_offset, &got, &why);
        if (rc != QC_OK || got != stripe.piece_size)
            return QC_OK;
        QC_TRY(gw_frag_piece_tag(&r->keys, r->s->aead, (uint8_t)p->index, t,
                                 qc_span_of(room_of(r, p->index), got), p->tags + (size_t)QC_TAG * t, err));
    }
    QC_TRY(gw_frag_tags_digest((uint8_t)p->index, qc_span_of(p->tags, (size_t)QC_TAG * r->g.stripe_count),
                               sum, err));
    p->usable = qc_ct_eq(sum, r->rows + (size_t)GW_DIGEST_BYTES * p->index, sizeof sum);
    return QC_OK;
}

static qc_rc remake_all(struct segment_reader *r, struct qc_err *err)
{
    for (unsigned i = 0; r->has_rows && i < r->count; i++)
        if (!r->files[i].usable && r->files[i].index < r->w->n && qc_fd_is(&r->files[i].fd))
            QC_TRY(remake_tags(r, &r->files[i], err));
    return QC_OK;
}

/* Pieces of a stripe until k are there, data first; where every byte is to be looked at, the others as well.
 */
static qc_rc gather(struct segment_reader *r, uint32_t t, const uint8_t **pieces, unsigned *ret_have,
                    struct qc_err *err)
{
    unsigned have = 0;

    for (unsigned i = 0; i < r->w->n; i++) {
        for (unsigned k = 0; k < r->count; k++) {
            struct piece_file *p = &r->files[k];
            const bool needed = pieces[i] == NULL && have < r->w->k;
            uint8_t *to = room_of(r, needed ? i : r->w->n);
            bool good = false;
            if (!p->usable || p->index != i || (!needed && !r->s->o.thorough))
                continue;
            QC_TRY(read_piece(r, p, t, to, &good, err));
            if (good && needed) {
                pieces[i] = to;
                have++;
            }
        }
    }
    *ret_have = have;
    return QC_OK;
}

/* Data pieces to where they belong; what is not there stays zero. */
static void place(const struct segment_reader *r, const struct ec_stripe *stripe, const uint8_t *const *data,
                  uint8_t *to)
{
    for (unsigned j = 0; j < r->w->k; j++) {
        const uint32_t from = j * stripe->piece_size;
        if (from >= stripe->data_size || data[j] == NULL)
            continue;
        const uint32_t left = stripe->data_size - from;
        memcpy(to + stripe->data_offset + from, data[j],
               left < stripe->piece_size ? left : stripe->piece_size);
    }
}

static qc_rc read_stripe(struct segment_reader *r, uint32_t t, uint8_t *to, bool *whole, struct qc_err *err)
{
    const struct ec_stripe stripe = ec_geometry_stripe(&r->g, t);
    const uint8_t *pieces[QC_EC_N_MAX] = { 0 };
    uint8_t *out[QC_EC_N_MAX] = { 0 };
    unsigned have = 0;

    QC_TRY(gather(r, t, pieces, &have, err));
    for (unsigned j = 0; j < r->w->k; j++)
        out[j] = room_of(r, j);
    if (have >= r->w->k) {
        QC_TRY(ec_plain_decode((struct ec_plain){ r->w->k, r->w->n }, pieces, stripe.piece_size, out, err));
        for (unsigned j = 0; j < r->w->k; j++)
            pieces[j] = out[j];
    }
    *whole &= have >= r->w->k;
    place(r, &stripe, pieces, to);
    return QC_OK;
}

static qc_rc begin(struct segment_reader *r, const struct segment_want *w, struct qc_err *err)
{
    const size_t room = (size_t)(QC_EC_STRIPE_SIZE / w->k + QC_EC_ALIGN) * (w->n + 1);

    r->w = w;
    r->has_rows = false;
    r->has_digest = w->recorded;
    memcpy(r->digest, w->digest, sizeof r->digest);
    QC_TRY(ec_geometry(w->k, w->size, &r->g, err));
    if (r->room.n < room) {
        qc_pages_free(&r->room);
        QC_TRY(qc_pages_new(&r->room, room, err));
    }
    gw_frag_keys_done(&r->keys);
    return gw_frag_keys_derive(r->s->root, w->id, w->salt, &r->keys, err);
}

static unsigned usable(const struct segment_reader *r)
{
    uint32_t set = 0;

    for (unsigned i = 0; i < r->count; i++)
        if (r->files[i].usable)
            set |= UINT32_C(1) << r->files[i].index;
    return (unsigned)__builtin_popcount(set);
}

static qc_rc read_all(struct segment_reader *r, const struct segment_want *w, struct cached *c,
                      struct qc_err *err)
{
    QC_TRY(begin(r, w, err));
    QC_TRY(find_files(r, err));
    for (unsigned i = 0; i < r->count; i++)
        QC_TRY(judge_file(r, &r->files[i], err));
    if (usable(r) < w->k)
        QC_TRY(remake_all(r, err));
    memset(c->bytes.p, 0, w->size);
    c->whole = true;
    for (uint32_t t = 0; t < r->g.stripe_count; t++) {
        QC_TRY(qc_go_on(QC_NO_DEADLINE, r->s->cancel, "salvage", err));
        QC_TRY(read_stripe(r, t, c->bytes.p, &c->whole, err));
    }
    return QC_OK;
}

qc_rc segment_read(struct segment_reader *r, const struct segment_want *w, qc_span *ret, bool *ret_whole,
                   struct qc_err *err)
{
    struct cached *c = &r->cache[0];

    for (unsigned i = 0; i < CACHED; i++) {
        if (r->cache[i].valid && r->cache[i].id == w->id) {
            c = &r->cache[i];
            break;
        }
        if (r->cache[i].used < c->used)
            c = &r->cache[i];
    }
    if (!c->valid || c->id != w->id) {
        c->valid = false;
        const qc_rc rc = read_all(r, w, c, err);
        for (unsigned i = 0; i < r->count; i++)
            qc_fd_close(&r->files[i].fd);
        r->count = 0;
        QC_TRY(rc);
        c->id = w->id;
        c->size = w->size;
        c->valid = true;
    }
    c->used = ++r->clock;
    *ret = qc_span_of(c->bytes.p, c->size);
    *ret_whole = c->whole;
    return QC_OK;
}
