#include <inttypes.h>
#include <stdio.h>

#include "base/crypto.h"
#include "base/secret.h"
#include "scheme.h"
#include "xor23_format.h"

/* In secret memory. */
struct room {
    uint8_t S[SS_XOR23_BLOCK];
    uint8_t chunk[SS_XOR23_SHARES][XOR23_ROOM];
};

enum had { NOT_ASKED, HAS, HAS_NOT };

struct run {
    const struct vault_xor23_restore *from;
    struct vault_xor23_report *report;
    struct room *m;
    uint64_t number, offset; /* of the chunk */
    enum had had[SS_XOR23_SHARES];
    size_t n[SS_XOR23_SHARES];
    struct qc_err why[SS_XOR23_SHARES]; /* of HAS_NOT */
};

#define HEADER UINT64_MAX /* in place of a chunk's number */

/* What is no site's fault ends the run. */
static bool is_ours(qc_rc rc)
{
    return rc == QC_CANCELLED || rc == QC_NOMEM;
}

/* Bytes that are not what the format says, and not a site that could not be asked. */
static bool is_wrong(qc_rc rc)
{
    return rc == QC_FORMAT || rc == QC_NEWER || rc == QC_INTEGRITY;
}

static void note(struct run *r, unsigned i, uint64_t *count, uint64_t where, const char *why)
{
    if (r->report->site[i].why[0] == '\0') {
        r->report->site[i].first = where;
        snprintf(r->report->site[i].why, sizeof r->report->site[i].why, "%s", why);
    }
    ++*count;
}

static void blame(struct run *r, unsigned i, uint64_t where, const struct qc_err *why)
{
    if (r->from->site[i].read != NULL)
        note(r, i, is_wrong(why->rc) ? &r->report->site[i].wrong : &r->report->site[i].silent, where,
             why->msg);
}

static qc_rc no_two(const struct run *r, uint64_t where, struct qc_err *err)
{
    const char *had[SS_XOR23_SHARES];
    unsigned answered = 0;
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++) {
        answered += r->had[i] == HAS || is_wrong(r->why[i].rc);
        had[i] = r->had[i] == HAS ? "parses" : r->why[i].msg;
    }
    const qc_rc rc = answered < 2 ? QC_SHARES : QC_INTEGRITY;
    if (where == HEADER)
        qc_err_set(err, rc, QC_HERE, "headers: no two sites agree (A: %s; B: %s; C: %s)", had[0], had[1],
                   had[2]);
    else
        qc_err_set(err, rc, QC_HERE,
                   "chunk %" PRIu64 ": no two sites confirm each other (A: %s; B: %s; C: %s)", where, had[0],
                   had[1], had[2]);
    return rc;
}

/* n bytes or a failure. */
static qc_rc take(const struct vault_xor23_site *s, uint64_t offset, uint8_t *p, size_t n, struct qc_err *err)
{
    size_t got = 0;
    QC_TRY(s->read(s->ctx, offset, p, n, &got, err));
    QC_ASSERT(got <= n);
    if (got < n)
        return QC_FAIL(err, QC_FORMAT, "the file ends at byte %" PRIu64, offset + got);
    return QC_OK;
}

/* --- The header that two sites agree on, or the one that is meant --- */

static qc_rc header_of(const struct vault_xor23_restore *from, unsigned i, struct vault_xor23_header *ret,
                       struct qc_err *err)
{
    uint8_t bytes[VAULT_XOR23_HEADER];
    if (from->site[i].read == NULL)
        return QC_FAIL(err, QC_NOTFOUND, "not there");
    QC_TRY(take(&from->site[i], 0, bytes, sizeof bytes, err));
    QC_TRY(vault_xor23_header_parse(qc_span_of(bytes, sizeof bytes), ret, err));
    if (ret->letter != i)
        return QC_FAIL(err, QC_INTEGRITY, "the file there is share %c", xor23_name(ret->letter));
    if (from->ids != NULL && memcmp(&ret->ids, from->ids, sizeof ret->ids) != 0)
        return QC_FAIL(err, QC_INTEGRITY, "another object or version");
    return QC_OK;
}

static qc_rc ask_headers(struct run *r, struct vault_xor23_header *h, struct qc_err *err)
{
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++) {
        const qc_rc rc = header_of(r->from, i, &h[i], &r->why[i]);
        if (is_ours(rc)) {
            *err = r->why[i];
            return rc;
        }
        r->had[i] = rc == QC_OK ? HAS : HAS_NOT;
    }
    return QC_OK;
}

static bool same(const struct vault_xor23_header *a, const struct vault_xor23_header *b)
{
    return a->scheme == b->scheme && a->maker == b->maker && memcmp(&a->ids, &b->ids, sizeof a->ids) == 0;
}

/* Of one site that has a mirror: nobody contradicts it. The others are away, or what they have is damaged. */
static bool may_be_alone(const struct run *r, const struct vault_xor23_header *h)
{
    unsigned have = 0, against = 0;
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++) {
        have += r->had[i] == HAS;
        against += r->had[i] != HAS && r->from->site[i].read != NULL && r->why[i].rc == QC_NOTFOUND;
    }
    return r->from->alone && vault_scheme_needs(h->scheme) == 1 && have == 1 && against == 0;
}

/* A site whose header is wrong is not passed over for that: its chunks speak for themselves, under the header
 * that holds. */
static qc_rc agree(struct run *r, struct qc_err *err)
{
    struct vault_xor23_header h[SS_XOR23_SHARES] = { 0 };
    unsigned best = 0, most = 0;
    QC_TRY(ask_headers(r, h, err));
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++) {
        unsigned votes = 0;
        for (unsigned j = 0; j < SS_XOR23_SHARES && r->had[i] == HAS; j++)
            votes += r->had[j] == HAS && same(&h[i], &h[j]);
        best = votes > most ? i : best;
        most = votes > most ? votes : most;
    }
    const bool alone = most == 1 && may_be_alone(r, &h[best]);
    if (most < (r->from->ids != NULL || alone ? 1 : 2))
        return no_two(r, HEADER, err);
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++) {
        if (r->had[i] == HAS && !same(&h[i], &h[best])) {
            r->had[i] = HAS_NOT;
            qc_err_set(&r->why[i], QC_INTEGRITY, QC_HERE, "another object or version than the two others");
        }
        if (r->had[i] == HAS_NOT)
            blame(r, i, HEADER, &r->why[i]);
    }
    r->report->header = h[best];
    return QC_OK;
}

/* --- A chunk --- */

static qc_rc read_chunk(struct run *r, unsigned i, struct qc_err *err)
{
    const struct vault_xor23_site *s = &r->from->site[i];
    uint8_t *p = r->m->chunk[i];
    if (s->read == NULL)
        return QC_FAIL(err, QC_NOTFOUND, "not there");
    QC_TRY(take(s, r->offset, p, VAULT_XOR23_HEAD, err));
    QC_TRY(xor23_prefix_parse(p, r->number, &r->n[i], err));
    return take(s, r->offset + VAULT_XOR23_HEAD, p + VAULT_XOR23_HEAD, ss_xor23_size(r->n[i]), err);
}

static qc_rc load(struct run *r, unsigned i, struct qc_err *err)
{
    if (r->had[i] != NOT_ASKED)
        return QC_OK;
    qc_err_clear(&r->why[i]);
    const qc_rc rc = read_chunk(r, i, &r->why[i]);
    if (is_ours(rc)) {
        *err = r->why[i];
        return rc;
    }
    r->had[i] = rc == QC_OK ? HAS : HAS_NOT;
    return QC_OK;
}

/* Does the tag of i hold under the key at j? */
static qc_rc holds(const struct run *r, unsigned i, unsigned j, bool *ret, struct qc_err *err)
{
    const uint8_t *a = r->m->chunk[i], *b = r->m->chunk[j];
    const qc_span key = qc_span_of(b + XOR23_KEYS + XOR23_KEY * xor23_slot(j, i), XOR23_KEY);
    uint8_t tag[1][16];
    const qc_span chunk = qc_span_of(a, VAULT_XOR23_HEAD + ss_xor23_size(r->n[i]));
    QC_TRY(xor23_tags(&r->report->header, i, &key, 1, chunk, tag, err));
    *ret = qc_ct_eq(tag[0], a + XOR23_TAGS + 16 * xor23_slot(i, j), sizeof tag[0]);
    return QC_OK;
}

static qc_rc confirm(const struct run *r, unsigned i, unsigned j, bool *ret, struct qc_err *err)
{
    bool there = false, back = false;
    if (r->had[i] == HAS && r->had[j] == HAS && r->n[i] == r->n[j]) {
        QC_TRY(holds(r, i, j, &there, err));
        QC_TRY(holds(r, j, i, &back, err));
    }
    *ret = there && back;
    return QC_OK;
}

/* Sites by how little was wrong with them so far: one that fails in every chunk is not asked first. */
static void order(const struct run *r, unsigned o[SS_XOR23_SHARES])
{
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++) {
        const uint64_t bad = r->report->site[i].wrong + r->report->site[i].silent;
        unsigned at = i;
        for (; at > 0 && bad < r->report->site[o[at - 1]].wrong + r->report->site[o[at - 1]].silent; at--)
            o[at] = o[at - 1];
        o[at] = i;
    }
}

/* What the two that are right make of the third. */
static qc_rc judge(struct run *r, unsigned x, unsigned y, struct qc_err *err)
{
    const unsigned z = SS_XOR23_A + SS_XOR23_B + SS_XOR23_C - x - y;
    bool with_x = false, with_y = false;
    if (r->had[z] == HAS_NOT)
        blame(r, z, r->number, &r->why[z]);
    if (r->had[z] != HAS)
        return QC_OK;
    QC_TRY(confirm(r, z, x, &with_x, err));
    QC_TRY(confirm(r, z, y, &with_y, err));
    if (!with_x && !with_y) {
        note(r, z, &r->report->site[z].wrong, r->number, "its share or its tags do not hold");
    } else if (!with_x || !with_y) {
        const unsigned w = with_x ? y : x;
        note(r, z, &r->report->site[z].odds, r->number,
             "it contradicts one other, and the third confirms both");
        note(r, w, &r->report->site[w].odds, r->number,
             "it contradicts one other, and the third confirms both");
    }
    return QC_OK;
}

static void blame_others(struct run *r, unsigned x)
{
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        if (i != x)
            blame(r, i, r->number, &r->why[i]);
}

static qc_rc choose(struct run *r, unsigned *ret_x, unsigned *ret_y, struct qc_err *err)
{
    static const unsigned pairs[3][2] = { { 0, 1 }, { 0, 2 }, { 1, 2 } };
    unsigned o[SS_XOR23_SHARES];
    order(r, o);
    for (unsigned i = 0; i < SS_XOR23_SHARES && r->from->all; i++)
        QC_TRY(load(r, i, err));
    for (unsigned p = 0; p < 3; p++) {
        const unsigned x = o[pairs[p][0]], y = o[pairs[p][1]];
        bool good = false;
        QC_TRY(load(r, x, err));
        QC_TRY(load(r, y, err));
        QC_TRY(confirm(r, x, y, &good, err));
        if (good) {
            *ret_x = x;
            *ret_y = y;
            return judge(r, x, y, err);
        }
    }
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        if (r->had[i] == HAS && may_be_alone(r, &r->report->header)) {
            *ret_x = *ret_y = i;
            r->report->alone++;
            blame_others(r, i);
            return QC_OK;
        }
    return no_two(r, r->number, err);
}

static qc_rc chunk(struct run *r, const struct vault_sink *sink, size_t *ret_n, struct qc_err *err)
{
    unsigned x = 0, y = 0;
    memset(r->had, 0, sizeof r->had);
    QC_TRY(choose(r, &x, &y, err));
    const size_t n = r->n[x];
    if (n > 0) {
        QC_TRY(scheme_of(r->report->header.scheme)
                   ->join(x, r->m->chunk[x] + VAULT_XOR23_HEAD, y, r->m->chunk[y] + VAULT_XOR23_HEAD, n,
                          r->m->S, err));
        QC_TRY(sink->write(sink->ctx, qc_span_of(r->m->S, n), err));
    }
    r->report->site[x].used++;
    r->report->site[y].used += y != x;
    r->report->size += n;
    r->report->chunks++;
    r->offset += VAULT_XOR23_HEAD + ss_xor23_size(n);
    *ret_n = n;
    return QC_OK;
}

/* Where the last chunk ended, the file ends. */
static qc_rc ends(struct run *r, struct qc_err *err)
{
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++) {
        uint8_t more = 0;
        size_t got = 0;
        if (r->had[i] != HAS)
            continue;
        const qc_rc rc = r->from->site[i].read(r->from->site[i].ctx, r->offset, &more, 1, &got, err);
        if (is_ours(rc))
            return rc;
        if (rc == QC_OK && got > 0)
            note(r, i, &r->report->site[i].wrong, r->number, "bytes stand behind its last chunk");
        qc_err_clear(err);
    }
    return QC_OK;
}

static qc_rc restore(struct run *r, const struct vault_sink *sink, struct qc_err *err)
{
    size_t n = SS_XOR23_BLOCK;
    QC_TRY(agree(r, err));
    for (r->offset = VAULT_XOR23_HEADER; n == SS_XOR23_BLOCK; r->number++) {
        if (r->report->size > INT64_MAX - SS_XOR23_BLOCK)
            return QC_FAIL(err, QC_LIMIT, "more than 2^63 bytes");
        QC_TRY(chunk(r, sink, &n, err));
    }
    r->number--;
    QC_TRY(ends(r, err));
    if (sink->finish != NULL)
        QC_TRY(sink->finish(sink->ctx, err));
    return QC_OK;
}

qc_rc vault_xor23_restore(const struct vault_xor23_restore *from, const struct vault_sink *sink,
                          struct vault_xor23_report *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_secret_free) struct qc_secret memory = { 0 };
    struct run r = { .from = from, .report = ret };
    memset(ret, 0, sizeof *ret);
    QC_TRY(qc_secret_new_data(&memory, sizeof *r.m, err));
    r.m = memory.p;
    return restore(&r, sink, err);
}
