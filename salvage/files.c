/* The plan, and every file: those first that are surest to come. */
#include "files.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/codec.h"
#include "out.h"
#include "stored.h"
#include "vault/entry.h"
#include "vault/name.h"

enum { RANK_MAX = QC_EC_N_MAX, INSTEAD_ROOM = 80 };

/* One file in hand. */
struct file {
    struct files *fs;
    const struct entry_row *e;
    qc_buf name;
    bool named, folder;
    char instead[INSTEAD_ROOM];
    qc_buf backup;         /* B that replaced the record's, sealed */
    bool moved;            /* to another name, by a later record: */
    struct gw_entry entry; /* as that one says it, its bytes in .. */
    qc_buf entry_path, entry_private;
    struct outcome o;
    struct stored_holes holes;
    struct qc_err why;
    char as[QC_VAULT_NAME_MAX + 64];
};

struct files {
    struct salvage *s;
    struct segment_reader *r;
    struct out *out; /* NULL: nothing is written */
    struct file *f;
    uint64_t done, all;
    uint32_t found; /* segments of an unrecorded version */
    struct segment_want *segments;
    bool broken;
};

static void files_done(struct files *fs)
{
    segment_reader_free(&fs->r);
    if (fs->f != NULL) {
        qc_buf_free(&fs->f->name);
        qc_buf_free(&fs->f->backup);
        qc_buf_free(&fs->f->entry_path);
        qc_buf_free(&fs->f->entry_private);
    }
    qc_free(fs->f);
    qc_free(fs->segments);
}

/* -- the plan -------------------------------------------------------------------------------------------- */

/* Clouds that may still be lost before the file is; below 0: too few fragments of a segment are here. */
static qc_rc margin_of(struct salvage *s, const struct gw_rec_commit *c, struct outcome *ret,
                       struct qc_err *err)
{
    ret->margin = QC_EC_N_MAX;
    for (uint32_t i = 0; i < c->segment_count; i++) {
        struct gw_log_segment seg;
        struct gw_log_layout layout;
        uint32_t present = 0;
        QC_TRY(segment_now(s->ix, c, i, &seg, &layout, err));
        QC_TRY(index_present(s->ix, seg.id, &present, err));
        const int margin = __builtin_popcount(present) - (int)layout.k;
        if (margin >= ret->margin)
            continue;
        ret->margin = margin;
        ret->k = layout.k;
        ret->n = layout.n;
    }
    return QC_OK;
}

static qc_rc plan_file(struct files *fs, const struct entry_row *e, struct qc_err *err)
{
    struct outcome o = { .margin = -1 };
    struct gw_record rec;
    struct qc_err why = { 0 };

    qc_rc rc = chain_record(fs->s, &e->at, &rec, &why);
    if (rc == QC_OK)
        rc = margin_of(fs->s, &rec.u.commit, &o, &why);
    if (salvage_ends(rc)) {
        *err = why;
        return rc;
    }
    fs->all++;
    return index_rank(fs->s->ix, e->no, o.margin, err);
}

static qc_rc plan_earlier(void *ctx, const struct entry_row *e, struct qc_err *err)
{
    struct files *fs = ctx;

    if (fs->broken) /* the first one, which is the newest, was taken */
        return QC_OK;
    fs->broken = true;
    return plan_file(fs, e, err);
}

static qc_rc plan_entry(void *ctx, const struct entry_row *e, struct qc_err *err)
{
    struct files *fs = ctx;

    report_progress(fs->s, "planning", fs->all, 0);
    if (e->kind == GW_ENTRY_FILE)
        return plan_file(fs, e, err);
    if (gw_id_same(&e->object, &(struct gw_id){ 0 })) /* else it is under another name */
        fs->s->counts.fate[FATE_DELETED]++;
    fs->broken = false;
    return fs->s->o.deleted ? index_earlier(fs->s->ix, e, plan_earlier, fs, err) : QC_OK;
}

/* -- names ----------------------------------------------------------------------------------------------- */

static struct vault_entry entry_of(const struct gw_entry *e)
{
    struct vault_entry v = { .path = e->path,
                             .number = e->number,
                             .kind = VAULT_ENTRY_FILE,
                             .sequence = e->sequence,
                             .size = e->size,
                             .priv = e->private_part };

    memcpy(v.object, e->object.b, VAULT_ID_BYTES);
    memcpy(v.version, e->version.b, VAULT_ID_BYTES);
    memcpy(v.M, e->m, sizeof v.M);
    memcpy(v.seal, e->seal, sizeof v.seal);
    return v;
}

/* Do the stores know of a change of this path that the log does not tell of? */
static qc_rc check_newest(struct file *f, const struct entry_row *e, struct qc_err *err)
{
    const struct salvage *s = f->fs->s;
    uint64_t newest = 0;
    uint8_t tag[16];

    QC_TRY(index_number(s->ix, e, &newest, err));
    QC_TRY(vault_ring_path_tag(tag, s->ring, e->path, err));
    for (unsigned i = 0; i < 2; i++) {
        struct qc_err why = { 0 };
        uint64_t mark = 0;
        const qc_rc rc = s->store[i] == NULL ? QC_NOTFOUND : vault_store_mark(s->store[i], tag, &mark, &why);
        if (salvage_ends(rc)) {
            *err = why;
            return rc;
        }
        if (rc != QC_OK || mark <= newest)
            continue;
        f->o.fate = FATE_OLDER;
        f->o.rc = QC_DEGRADED;
        qc_err_set(&f->why, QC_DEGRADED, QC_HERE,
                   "share store %u knows of change %" PRIu64 " of it, the log of %" PRIu64, i + 1, mark,
                   newest);
    }
    return QC_OK;
}

/* The entry as it was moved, where it was: before its commit's record is held. */
static qc_rc later_name(struct file *f, const struct entry_row *e, struct qc_err *err)
{
    struct gw_record rec;

    f->moved = e->named.sequence != e->at.sequence || e->named.ordinal != e->at.ordinal;
    if (!f->moved)
        return QC_OK;
    QC_TRY(chain_record(f->fs->s, &e->named, &rec, err));
    if (rec.kind != GW_REC_RENAMED)
        return QC_FAIL(err, QC_INTEGRITY, "log object %" PRIu64 " changed while it was read",
                       e->named.sequence);
    qc_buf_clear(&f->entry_path);
    qc_buf_clear(&f->entry_private);
    QC_TRY(qc_buf_add(&f->entry_path, rec.u.renamed.e.path, err));
    QC_TRY(qc_buf_add(&f->entry_private, rec.u.renamed.e.private_part, err));
    f->entry = rec.u.renamed.e;
    f->entry.path = qc_buf_span(&f->entry_path);
    f->entry.private_part = qc_buf_span(&f->entry_private);
    return QC_OK;
}

/* What says its name: its last move, or its commit. */
static const struct gw_entry *named_by(const struct file *f, const struct gw_rec_commit *c)
{
    return f->moved ? &f->entry : &c->e;
}

/* The seal, and the name. */
static qc_rc name_file(struct file *f, const struct entry_row *row, const struct gw_rec_commit *c,
                       struct qc_err *err)
{
    const struct salvage *s = f->fs->s;
    const struct vault_entry v = entry_of(named_by(f, c));

    qc_buf_clear(&f->name);
    f->named = f->folder = false;
    if (s->ring == NULL)
        return QC_OK;
    QC_TRY(vault_entry_check(&v, s->ring, (qc_span){ 0 }, err));
    QC_TRY(vault_name_open(&f->name, s->ring, v.path, NULL, err));
    f->named = true;
    return check_newest(f, row, err);
}

static void name_instead(struct file *f, const struct gw_id *object, const struct gw_id *version)
{
    char a[2 * GW_ID_BYTES + 1], b[2 * GW_ID_BYTES + 1];

    qc_hex(gw_id_span(object), a);
    qc_hex(gw_id_span(version), b);
    (void)snprintf(f->instead, sizeof f->instead, "%s-%s", a, b);
}

/* -- a version ------------------------------------------------------------------------------------------- */

static qc_rc take_bytes(void *ctx, uint64_t at, qc_span bytes, struct qc_err *err)
{
    struct out_file *f = ctx;

    return f == NULL ? QC_OK : out_file_write(f, at, bytes, err);
}

/* Its bytes, to where they belong. *ret_whole false: with holes, or nothing at all. */
static qc_rc write_version(struct file *f, struct stored *st, const char *suffix, struct qc_err *err)
{
    struct files *fs = f->fs;
    QC_CLEANUP(out_file_free) struct out_file *to = NULL;
    const struct vault_meta *meta = stored_meta(st);
    const struct out_name name = { f->named ? qc_buf_span(&f->name) : (qc_span){ 0 }, suffix, f->instead };
    bool present = false;

    f->o.size = meta->true_size;
    f->folder = meta->has_mode && S_ISDIR(meta->mode);
    if (f->folder && !f->named) /* nothing is left of it */
        return QC_OK;
    f->holes.count = 0;
    f->holes.lost = f->holes.end = 0;
    if (fs->out != NULL)
        QC_TRY(out_file_new(&to, fs->out, &name, err));
    QC_TRY(stored_read(st, take_bytes, to, &f->holes, err));
    f->o.lost = f->holes.lost;
    f->o.holes = f->holes.v;
    f->o.hole_count = f->holes.count < QC_SALVAGE_HOLES_MAX ? f->holes.count : QC_SALVAGE_HOLES_MAX;
    if (f->holes.count > 0 && !fs->s->o.partial)
        return QC_FAIL(err, QC_QUORUM,
                       "%" PRIu64 " of %" PRIu64
                       " bytes are lost, in %zu places; --partial writes the others",
                       f->holes.lost, meta->true_size, f->holes.count);
    if (to != NULL && f->holes.count > 0)
        QC_TRY(out_file_suffix(to, ".part", err));
    if (to != NULL) {
        QC_TRY(out_file_finish(to, meta->true_size, meta, &present, err));
        (void)snprintf(f->as, sizeof f->as, "%s", out_file_as(to));
        f->o.as = f->as;
        if (out_file_without(to) > 0)
            report_note(fs->s, "%s: without %u of its extended attributes, which the output does not take",
                        f->as, out_file_without(to));
    }
    if (f->holes.count > 0)
        return QC_FAIL(err, QC_DEGRADED, "%" PRIu64 " of %" PRIu64 " bytes are lost, in %zu places",
                       f->holes.lost, meta->true_size, f->holes.count);
    if (f->o.fate != FATE_OLDER)
        f->o.fate = to == NULL ? FATE_READABLE : present ? FATE_PRESENT : FATE_OK;
    return QC_OK;
}

static qc_rc open_and_write(struct file *f, const struct version *v, const char *suffix, struct qc_err *err)
{
    QC_CLEANUP(stored_close) struct stored *st = NULL;

    QC_TRY(stored_open(&st, f->fs->s, f->fs->r, v, err));
    return write_version(f, st, suffix, err);
}

/* The backup data that a later record put in the place of the first: before the entry's own record is held.
 */
static qc_rc later_backup(struct file *f, const struct entry_row *e, struct qc_err *err)
{
    struct record_at at;
    struct gw_record rec;
    struct qc_err why = { 0 };
    bool found = false;

    qc_buf_clear(&f->backup);
    QC_TRY(index_backup(f->fs->s->ix, e, &at, &found, err));
    if (!found)
        return QC_OK;
    const qc_rc rc = chain_record(f->fs->s, &at, &rec, &why);
    if (salvage_ends(rc)) {
        *err = why;
        return rc;
    }
    return rc == QC_OK ? qc_buf_add(&f->backup, rec.u.backup.backup, err) : QC_OK;
}

/* A folder: its entry says all of it, and no fragment is needed. *ret: it is one. */
static qc_rc try_folder(struct file *f, const struct gw_rec_commit *c, bool *ret, struct qc_err *err)
{
    const struct files *fs = f->fs;
    QC_CLEANUP(out_file_free) struct out_file *to = NULL;
    const struct vault_entry v = entry_of(&c->e);
    const struct out_name name = { qc_buf_span(&f->name), "", f->instead };
    struct vault_meta meta = { 0 };
    bool present = false;

    *ret = false;
    if (!f->named || fs->s->ring == NULL)
        return QC_OK;
    QC_TRY(vault_entry_private_open(&meta, &v, fs->s->ring, err));
    *ret = f->folder = meta.has_mode && S_ISDIR(meta.mode);
    if (!*ret || fs->out == NULL)
        return QC_OK;
    QC_TRY(out_file_new(&to, fs->out, &name, err));
    return out_file_finish(to, 0, &meta, &present, err);
}

/* An entry's version under its name and a suffix. Says in f->o what became of it. */
static qc_rc try_entry(struct file *f, const struct entry_row *e, const char *suffix, struct qc_err *err)
{
    struct salvage *s = f->fs->s;
    struct gw_record rec;
    bool folder = false;

    name_instead(f, &e->object, &e->version);
    QC_TRY(later_backup(f, e, err));
    QC_TRY(later_name(f, e, err));
    QC_TRY(chain_record(s, &e->at, &rec, err));
    const struct gw_rec_commit *c = &rec.u.commit;
    const struct version v = { .object = e->object,
                               .id = e->version,
                               .tenant = e->tenant,
                               .commit = c,
                               .ix = s->ix,
                               .segment_count = c->segment_count,
                               .size = c->e.size,
                               .start = c->bundled ? c->bundle.start : 0,
                               .sealed_backup = f->backup.n > 0 ? qc_buf_span(&f->backup) : c->backup };
    QC_TRY(margin_of(s, c, &f->o, err));
    QC_TRY(name_file(f, e, c, err));
    QC_TRY(try_folder(f, c, &folder, err));
    return folder ? QC_OK : open_and_write(f, &v, suffix, err);
}

/* What a failure makes of the file; false: it ends the run. */
static bool settle(struct file *f, qc_rc rc, const struct qc_err *why)
{
    if (rc == QC_OK)
        return true;
    if (salvage_ends(rc))
        return false;
    f->o.fate = rc == QC_DEGRADED ? FATE_PARTIAL : rc == QC_CONFLICT ? FATE_CONFLICT : FATE_LOST;
    f->o.rc = rc == QC_DEGRADED ? QC_QUORUM : rc; /* bytes are lost, whatever was written */
    f->why = *why;
    return true;
}

struct earlier {
    struct file *f;
    bool found;
};

/* An earlier version beside the name of the newest, which is lost. */
static qc_rc try_earlier(void *ctx, const struct entry_row *e, struct qc_err *err)
{
    struct earlier *x = ctx;
    struct file *f = x->f;
    const struct qc_err newest = f->why;
    const qc_rc why = f->o.rc;
    char suffix[32];
    struct qc_err ignored = { 0 };

    if (x->found)
        return QC_OK;
    (void)snprintf(suffix, sizeof suffix, ".older-%" PRIu64, e->number);
    const qc_rc rc = try_entry(f, e, suffix, &ignored);
    if (salvage_ends(rc)) {
        *err = ignored;
        return rc;
    }
    f->o.rc = why;
    f->why = newest;
    x->found = rc == QC_OK;
    f->o.fate = x->found ? FATE_OLDER : FATE_LOST;
    return QC_OK;
}

static void report(const struct files *fs)
{
    struct file *f = fs->f;

    if (f->folder && (f->o.fate == FATE_OK || f->o.fate == FATE_PRESENT || f->o.fate == FATE_READABLE))
        return; /* a line for each file: a folder is told where it is lost */
    f->o.name = f->named ? qc_buf_span(&f->name) : qc_span_str(f->instead);
    f->o.why = f->why.msg;
    report_file(fs->s, &f->o);
}

static qc_rc salvage_entry(void *ctx, const struct entry_row *e, struct qc_err *err)
{
    struct files *fs = ctx;
    struct file *f = fs->f;
    struct earlier earlier = { .f = f };
    struct qc_err why = { 0 };

    f->o = (struct outcome){ .margin = -1 };
    f->named = f->folder = false;
    qc_err_clear(&f->why);
    QC_TRY(qc_go_on(QC_NO_DEADLINE, fs->s->cancel, "salvage", err));
    report_progress(fs->s, "files", fs->done++, fs->all);
    if (!settle(f, try_entry(f, e, "", &why), &why)) {
        *err = why;
        return why.rc;
    }
    if (f->o.fate == FATE_LOST)
        QC_TRY(index_earlier(fs->s->ix, e, try_earlier, &earlier, err));
    report(fs);
    return QC_OK;
}

/* --list: what the log and the names of the fragments say, without reading any. */
static qc_rc list_entry(void *ctx, const struct entry_row *e, struct qc_err *err)
{
    struct files *fs = ctx;
    struct file *f = fs->f;
    struct gw_record rec;
    struct vault_meta meta = { 0 };
    struct qc_err why = { 0 };

    f->o = (struct outcome){ .margin = -1 };
    f->named = f->folder = false;
    qc_err_clear(&f->why);
    name_instead(f, &e->object, &e->version);
    qc_rc rc = later_name(f, e, &why);
    if (rc == QC_OK)
        rc = chain_record(fs->s, &e->at, &rec, &why);
    if (rc == QC_OK)
        rc = margin_of(fs->s, &rec.u.commit, &f->o, &why);
    if (rc == QC_OK)
        rc = name_file(f, e, &rec.u.commit, &why);
    if (rc == QC_OK && fs->s->ring != NULL) {
        const struct vault_entry v = entry_of(named_by(f, &rec.u.commit));
        rc = vault_entry_private_open(&meta, &v, fs->s->ring, &why);
    }
    if (!settle(f, rc, &why)) {
        *err = why;
        return rc;
    }
    f->o.size = meta.true_size;
    f->folder = meta.has_mode && S_ISDIR(meta.mode);
    const bool lost = f->o.margin < 0 && !f->folder;
    if (f->o.fate == FATE_OK)
        f->o.fate = lost ? FATE_LOST : FATE_READABLE;
    if (lost && rc == QC_OK) {
        f->o.rc = QC_QUORUM;
        qc_err_set(&f->why, QC_QUORUM, QC_HERE, "of some segment fewer than %u fragments are here", f->o.k);
    }
    report(fs);
    return QC_OK;
}

/* --thorough: versions that nobody asked for, of other vaults as well; what is wrong with them stands in the
 * table. */
static qc_rc look_at(void *ctx, const struct entry_row *e, struct qc_err *err)
{
    struct files *fs = ctx;
    struct gw_record rec;
    struct qc_err why = { 0 };

    qc_rc rc = chain_record(fs->s, &e->at, &rec, &why);
    const struct version v = { .object = e->object,
                               .id = e->version,
                               .tenant = e->tenant,
                               .commit = &rec.u.commit,
                               .ix = fs->s->ix,
                               .segment_count = rc == QC_OK ? rec.u.commit.segment_count : 0 };
    for (uint32_t i = 0; rc == QC_OK && i < v.segment_count; i++) {
        struct segment_want w;
        qc_span bytes;
        bool whole = false;
        rc = version_segment(&v, i, &w, &why);
        if (rc == QC_OK)
            rc = segment_read(fs->r, &w, &bytes, &whole, &why);
    }
    if (salvage_ends(rc)) {
        *err = why;
        return rc;
    }
    return QC_OK;
}

/* -- versions without a record --------------------------------------------------------------------------- */

enum { HEADER_VAULT = 16, HEADER_LEAST = 120 }; /* FORMAT 3.1 */

/* A fragment's own head says all that a record would have said of its segment, but for the digest. */
static qc_rc add_segment(void *ctx, const struct found *x, struct qc_err *err)
{
    struct files *fs = ctx;
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    uint8_t head[GW_FRAG_HEAD_MAX];
    struct gw_frag_head h;
    struct qc_err why = { 0 };
    size_t got = 0;

    if (fs->found == QC_GW_SEGMENTS_MAX || x->seq != fs->found)
        return QC_OK;
    struct segment_want *more = qc_realloc(fs->segments, ((size_t)fs->found + 1) * sizeof *more);
    if (more == NULL)
        return QC_FAIL(err, QC_NOMEM, "list of segments");
    fs->segments = more;
    qc_rc rc = salvage_open(fs->s, x, &fd, &why);
    if (rc == QC_OK)
        rc = qc_pread_full(qc_fd_get(&fd), head, sizeof head, 0, &got, &why);
    const size_t n = got < 8 ? 0 : (size_t)qc_get_be(head + 6, 2);
    if (rc != QC_OK || n > got || gw_frag_head_parse(qc_span_of(head, n), &h, &why) != QC_OK)
        return QC_OK;
    struct segment_want *w = &fs->segments[fs->found++];
    *w = (struct segment_want){ .id = h.segment_id,
                                .tenant = h.tenant,
                                .object = x->object,
                                .version = x->version,
                                .seq = h.seq,
                                .size = h.segment_size,
                                .last = h.last,
                                .k = h.k,
                                .n = h.n,
                                .incarnation = h.incarnation };
    memcpy(w->salt, h.salt, sizeof w->salt);
    return QC_OK;
}

/* Was it acknowledged? A share store says so; a put that was broken off left a pending record at most. */
static qc_rc acknowledged(const struct salvage *s, const struct version *v, bool *ret, struct qc_err *err)
{
    *ret = false;
    for (unsigned i = 0; i < 2; i++) {
        QC_CLEANUP(vault_store_record_done) struct vault_store_record rec = { 0 };
        struct qc_err why = { 0 };
        const qc_rc rc = s->store[i] == NULL ? QC_NOTFOUND
                                             : vault_store_get(s->store[i], v->object.b, v->id.b, &rec, &why);
        if (salvage_ends(rc)) {
            *err = why;
            return rc;
        }
        *ret |= rc == QC_OK && rec.state == VAULT_RECORD_COMMITTED;
    }
    return QC_OK;
}

/* One of which no record tells, whose segments are in fs. */
static qc_rc salvage_nameless(struct files *fs, const struct version *v, struct qc_err *err)
{
    struct file *f = fs->f;
    struct qc_err why = { 0 };

    f->o = (struct outcome){ 0 };
    qc_err_clear(&f->why);
    f->named = f->folder = false;
    name_instead(f, &v->object, &v->id);
    qc_rc rc = QC_QUORUM;
    if (fs->found > 0 && fs->segments[fs->found - 1].last)
        rc = open_and_write(f, v, "", &why);
    else
        qc_err_set(&why, QC_QUORUM, QC_HERE, "no record tells of it, and not all of its segments are here");
    if (!settle(f, rc, &why)) {
        *err = why;
        return rc;
    }
    if (f->o.fate == FATE_OK || f->o.fate == FATE_PRESENT) {
        f->o.rc = QC_DEGRADED;
        qc_err_set(&f->why, QC_DEGRADED, QC_HERE,
                   "no record tells of it: its name is not known, nor whether it is the newest");
    }
    report(fs);
    return QC_OK;
}

/* FORMAT 3.1: the first bytes of an N of the vault, from `from` on; bytes.n: there is none. */
static size_t next_header(const struct files *fs, qc_span bytes, size_t from)
{
    static const uint8_t magic[8] = { 'Q', 'C', 'L', 'N', 1, 1, 1, 0 };

    for (; from + HEADER_LEAST <= bytes.n; from++)
        if (memcmp(bytes.p + from, magic, sizeof magic) == 0 &&
            memcmp(bytes.p + from + HEADER_VAULT, fs->s->vault.b, GW_ID_BYTES) == 0)
            return from;
    return bytes.n;
}

/* A bundle of which no record tells: each N in it says whose it is, and ends where the next begins. */
static qc_rc salvage_bundle(struct files *fs, struct version v, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf all = { .max = QC_GW_BUNDLE_MAX };
    qc_span bytes;
    bool whole = false, acked = false;

    if (fs->found != 1 || fs->segments[0].size > QC_GW_BUNDLE_MAX)
        return QC_OK;
    QC_TRY(segment_read(fs->r, &fs->segments[0], &bytes, &whole, err));
    QC_TRY(qc_buf_add(&all, bytes, err)); /* what is borrowed does not last */
    bytes = qc_buf_span(&all);
    for (size_t at = next_header(fs, bytes, 0); at < bytes.n; at = (size_t)(v.start + v.size)) {
        v.start = at;
        v.size = next_header(fs, bytes, at + HEADER_LEAST) - at;
        memcpy(v.object.b, bytes.p + at + HEADER_VAULT + GW_ID_BYTES, GW_ID_BYTES);
        memcpy(v.id.b, bytes.p + at + HEADER_VAULT + 2 * GW_ID_BYTES, GW_ID_BYTES);
        QC_TRY(acknowledged(fs->s, &v, &acked, err));
        if (acked)
            QC_TRY(salvage_nameless(fs, &v, err));
    }
    return QC_OK;
}

static qc_rc salvage_unrecorded(void *ctx, const struct found *x, struct qc_err *err)
{
    struct files *fs = ctx;
    struct version v = { .object = x->object, .id = x->version };
    bool acked = false;

    QC_TRY(acknowledged(fs->s, &v, &acked, err));
    fs->found = 0;
    QC_TRY(index_segments(fs->s->ix, &x->object, &x->version, add_segment, fs, err));
    for (uint32_t i = 0; i < fs->found; i++)
        v.size += fs->segments[i].size;
    v.segments = fs->segments;
    v.segment_count = fs->found;
    v.tenant = fs->found > 0 ? fs->segments[0].tenant : 0;
    return acked ? salvage_nameless(fs, &v, err) : salvage_bundle(fs, v, err);
}

/* -- all ------------------------------------------------------------------------------------------------- */

qc_rc files_salvage(struct salvage *s, struct out *out, struct qc_err *err)
{
    QC_CLEANUP(files_done) struct files fs = { .s = s, .out = out, .f = qc_alloc(sizeof *fs.f) };

    if (fs.f == NULL)
        return QC_FAIL(err, QC_NOMEM, "files");
    fs.f->fs = &fs;
    fs.f->name.max = QC_VAULT_NAME_MAX;
    fs.f->backup.max = QC_GW_BACKUP_MAX + 64;
    fs.f->entry_path.max = QC_GW_PATH_MAX;
    fs.f->entry_private.max = QC_GW_PRIVATE_MAX;
    QC_TRY(segment_reader_new(&fs.r, s, err));
    QC_TRY(index_begin(s->ix, err));
    QC_TRY(index_newest(s->ix, s->tenant, &s->vault, plan_entry, &fs, err));
    QC_TRY(index_commit(s->ix, err));
    QC_TRY(index_begin(s->ix, err));
    QC_TRY(index_ranked(s->ix, s->o.list ? list_entry : salvage_entry, &fs, err));
    if (!s->o.list && (s->log_missing > 0 || s->known > s->recorded))
        QC_TRY(index_unrecorded(s->ix, salvage_unrecorded, &fs, err));
    if (s->o.thorough && !s->o.list)
        QC_TRY(index_unranked(s->ix, look_at, &fs, err));
    return index_commit(s->ix, err);
}
