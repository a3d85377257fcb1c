/* The gateway's log: which objects of it are here, which of them stand, and what their records say.
 *
 * A rebuild stops where the log may have lost a record, since its cut is for good. Here nothing is cut: each
 * object is sealed by itself, so what opens counts, and what is missing between is said. */
#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"
#include "report.h"
#include "vault/record.h"

struct chain {
    struct salvage *s;
    struct gw_log_seen *seen;
    size_t count, cap;
    struct gw_log_cut cuts[QC_GW_CUTS_MAX];
    unsigned cut_count;
    unsigned
        hint[SOURCES_MAX]; /* which cloud id named the last object of a source: mostly it names the next */
    int64_t *nameless;     /* files */
    size_t nameless_count;
    uint64_t sequence; /* the last one taken */
    uint16_t incarnation;
    uint8_t hash[GW_DIGEST_BYTES];
};

static void chain_done(struct chain *c)
{
    qc_free(c->seen);
    qc_free(c->nameless);
}

static qc_rc read_whole(void *ctx, const struct found *f, struct qc_err *err);

/* A file in memory. */
struct loaded {
    const struct salvage *s;
    qc_buf bytes;
    struct found f; /* its path lies in path */
    char path[QC_SALVAGE_PATH_MAX];
};

static void loaded_done(struct loaded *l)
{
    qc_buf_free(&l->bytes);
}

static qc_rc read_whole(void *ctx, const struct found *f, struct qc_err *err)
{
    struct loaded *l = ctx;
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    uint8_t *to = NULL;
    size_t got = 0;

    l->f = *f;
    memcpy(l->path, f->path.p, f->path.n);
    l->f.path = qc_span_of(l->path, f->path.n);
    if (f->size == 0 || f->size > QC_GW_LOG_MAX)
        return QC_FAIL(err, QC_FORMAT, "%" PRIu64 " bytes, which no object of the log has", f->size);
    l->bytes.max = QC_GW_LOG_MAX;
    QC_TRY(salvage_open(l->s, f, &fd, err));
    QC_TRY(qc_buf_extend(&l->bytes, (size_t)f->size, &to, err));
    QC_TRY(qc_pread_full(qc_fd_get(&fd), to, (size_t)f->size, 0, &got, err));
    return got == f->size ? QC_OK : QC_FAIL(err, QC_FORMAT, "it became shorter");
}

static qc_rc load(const struct salvage *s, int64_t file, struct loaded *ret, struct qc_err *err)
{
    ret->s = s;
    return index_file(s->ix, file, read_whole, ret, err);
}

/* -- names ----------------------------------------------------------------------------------------------- */

static qc_rc name_copy(void *ctx, const struct found *f, struct qc_err *err)
{
    struct chain *c = ctx;
    struct salvage *s = c->s;
    char key[GW_NAME_SIZE];

    (void)snprintf(key, sizeof key, "l/%.2s/%s", f->digits, f->digits);
    for (unsigned i = 0; f->digits[0] != '\0' && i < s->cloud_count; i++) {
        const unsigned at = (c->hint[f->source] + i) % s->cloud_count;
        struct gw_name name;
        QC_TRY(gw_name_parse(s->root, s->cloud_id[at], key, &name, err));
        if (name.kind != GW_NAME_LOG || name.id < 1 || name.id > INT64_MAX)
            continue;
        c->hint[f->source] = at;
        return index_add_copy(s->ix, &(struct log_copy){ name.id, name.incarnation, s->cloud_id[at], f->no },
                              err);
    }
    if (c->nameless_count == QC_SALVAGE_NAMELESS_MAX)
        return report_wrong(s, f->source, f->path, err,
                            "log object: its name is lost, as are those of many others");
    if (c->nameless == NULL)
        c->nameless = qc_alloc(QC_SALVAGE_NAMELESS_MAX * sizeof *c->nameless);
    if (c->nameless == NULL)
        return QC_FAIL(err, QC_NOMEM, "list of log objects");
    c->nameless[c->nameless_count++] = f->no;
    return QC_OK;
}

static qc_rc add_seen(void *ctx, const struct log_copy *copy, struct qc_err *err)
{
    struct chain *c = ctx;
    const size_t n = c->count;

    if (n > 0 && c->seen[n - 1].sequence == copy->sequence && c->seen[n - 1].incarnation == copy->incarnation)
        return QC_OK;
    if (n == QC_GW_LOG_OBJECTS_MAX)
        return QC_FAIL(err, QC_LIMIT, "more than %d log objects", QC_GW_LOG_OBJECTS_MAX);
    if (n == c->cap) {
        const size_t cap = c->cap == 0 ? 1024 : 2 * c->cap;
        struct gw_log_seen *more = qc_realloc(c->seen, cap * sizeof *more);
        if (more == NULL)
            return QC_FAIL(err, QC_NOMEM, "list of %zu log objects", cap);
        c->seen = more;
        c->cap = cap;
    }
    c->seen[c->count++] = (struct gw_log_seen){ copy->sequence, (uint16_t)copy->incarnation, 0 };
    return QC_OK;
}

static qc_rc list_seen(struct chain *c, struct qc_err *err)
{
    c->count = 0;
    return index_copies(c->s->ix, add_seen, c, err);
}

/* How far guesses go: those that were named, and some more of each. */
struct reach {
    uint64_t sequence;
    uint32_t incarnation;
    uint64_t left;
};

static struct reach reach_of(const struct chain *c)
{
    struct reach r = { .sequence = 16, .incarnation = 1, .left = QC_SALVAGE_GUESSES_MAX };

    for (size_t i = 0; i < c->count; i++) {
        r.incarnation = c->seen[i].incarnation > r.incarnation ? c->seen[i].incarnation : r.incarnation;
        r.sequence = c->seen[i].sequence + 16 > r.sequence ? c->seen[i].sequence + 16 : r.sequence;
    }
    r.sequence += c->nameless_count;
    return r;
}

static qc_rc guess_name(struct chain *c, struct reach *r, int64_t file, struct qc_err *err)
{
    QC_CLEANUP(loaded_done) struct loaded l = { 0 };
    struct qc_err why = { 0 };

    qc_rc rc = load(c->s, file, &l, &why);
    for (uint32_t a = 1; rc == QC_OK && a <= r->incarnation; a++)
        for (uint64_t sequence = 1; sequence <= r->sequence && r->left > 0; sequence++, r->left--) {
            QC_CLEANUP(gw_log_done) struct gw_log log = { 0 };
            QC_TRY(qc_go_on(QC_NO_DEADLINE, c->s->cancel, "salvage", err));
            const qc_rc opened = gw_log_open(c->s->root, sequence, a, qc_buf_span(&l.bytes), &log, &why);
            if (opened == QC_OK)
                return index_add_copy(c->s->ix, &(struct log_copy){ sequence, a, 0, file }, err);
            if (salvage_ends(opened))
                return report_failed(c->s, &l.f, &why, "log object", err);
        }
    if (rc != QC_OK)
        return report_failed(c->s, &l.f, &why, "log object", err);
    return report_wrong(c->s, l.f.source, l.f.path, err, "log object: damaged, or its name is lost");
}

static qc_rc guess_names(struct chain *c, struct qc_err *err)
{
    struct reach r = reach_of(c);

    for (size_t i = 0; i < c->nameless_count; i++)
        QC_TRY(guess_name(c, &r, c->nameless[i], err));
    return c->nameless_count == 0 ? QC_OK : list_seen(c, err);
}

/* -- cuts ------------------------------------------------------------------------------------------------ */

static qc_rc take_cut(void *ctx, const struct found *f, struct qc_err *err)
{
    struct chain *c = ctx;
    QC_CLEANUP(loaded_done) struct loaded l = { .s = c->s };
    struct gw_cut_object cut;
    struct qc_err why = { 0 };

    qc_rc rc = read_whole(&l, f, &why);
    if (rc == QC_OK)
        rc = gw_cut_object_parse(c->s->root, qc_buf_span(&l.bytes), &cut, &why);
    if (rc != QC_OK)
        return report_failed(c->s, f, &why, "cut", err);
    for (unsigned i = 0; i < c->cut_count; i++)
        if (c->cuts[i].by == cut.by)
            return QC_OK;
    if (c->cut_count == QC_GW_CUTS_MAX)
        return QC_FAIL(err, QC_LIMIT, "more than %d rebuilds of one gateway", QC_GW_CUTS_MAX);
    c->cuts[c->cut_count++] = (struct gw_log_cut){ cut.by, cut.log_sequence };
    return QC_OK;
}

/* Roots say nothing that is needed here, but damage to one is damage. */
static qc_rc take_root(void *ctx, const struct found *f, struct qc_err *err)
{
    struct chain *c = ctx;
    QC_CLEANUP(loaded_done) struct loaded l = { .s = c->s };
    struct gw_root_object root;
    struct qc_err why = { 0 };

    qc_rc rc = read_whole(&l, f, &why);
    if (rc == QC_OK)
        rc = gw_root_object_parse(c->s->root, qc_buf_span(&l.bytes), &root, &why);
    return rc == QC_OK ? QC_OK : report_failed(c->s, f, &why, "root object", err);
}

/* -- records --------------------------------------------------------------------------------------------- */

static qc_rc take_bkey(struct salvage *s, const struct gw_rec_bkey *rec, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;

    if (rec->epoch < 1 || rec->epoch > QC_GW_BKEYS_MAX)
        return QC_OK;
    QC_TRY(qc_key_blank(&key, GW_BKEY_BYTES, err));
    memcpy(qc_key_write(key), rec->key.p, GW_BKEY_BYTES);
    qc_key_seal(key);
    qc_prk_free(&s->bkey[rec->epoch - 1]);
    return gw_prk_new(&s->bkey[rec->epoch - 1], key, err);
}

static qc_rc take_vault(struct salvage *s, const struct gw_rec_vault *rec, const struct record_at *at,
                        struct qc_err *err)
{
    QC_CLEANUP(vault_record_done) struct vault_record r = { 0 };
    struct qc_err why = { 0 };
    struct gw_id id;

    const qc_rc rc = vault_record_parse(&r, rec->record, &why);
    if (salvage_ends(rc)) {
        *err = why;
        return rc;
    }
    if (rc != QC_OK)
        return QC_OK; /* of a newer client, or nonsense that its own client stored */
    memcpy(id.b, r.vault, sizeof id.b);
    return index_add_vault(s->ix, rec->tenant, &id, at, err);
}

static void see_named(struct salvage *s, uint32_t id)
{
    for (unsigned i = 0; i < s->named_count; i++)
        if (s->named[i] == id)
            return;
    if (s->named_count < QC_GW_CLOUDS_MAX)
        s->named[s->named_count++] = id;
}

/* It was retired: nothing of what follows is on it. */
static void forget_named(struct salvage *s, uint32_t id)
{
    for (unsigned i = 0; i < s->named_count; i++)
        if (s->named[i] == id)
            s->named[i--] = s->named[--s->named_count];
}

/* Its fragments are named, if not by an entry. */
static qc_rc see_bundle(struct salvage *s, const struct gw_rec_commit *c, struct qc_err *err)
{
    return c->bundled ? index_add_bundle(s->ix, &c->bundle.object, &c->bundle.version, err) : QC_OK;
}

/* The new bundle's segment, and who lies in it from here on. */
static qc_rc take_repacked(struct salvage *s, const struct gw_rec_repacked *r, struct qc_err *err)
{
    const struct gw_rec_recoded segment = { .tenant = r->tenant,
                                            .object = r->object,
                                            .version = r->version,
                                            .segment = r->segment,
                                            .layout = r->layout };

    QC_TRY(index_add_bundle(s->ix, &r->object, &r->version, err));
    QC_TRY(index_add_recoded(s->ix, &segment, err));
    for (uint32_t i = 0; i < r->count; i++) {
        struct gw_log_packed p;
        gw_log_packed_at(r, i, &p);
        QC_TRY(index_add_moved(s->ix, r, &p, err));
    }
    return QC_OK;
}

/* Two changes: nothing at the one path, the version at the other. Where its commit was not found nothing but
 * its fragments tells of the version: then it is one without a record. */
static qc_rc take_renamed(struct salvage *s, const struct gw_rec_renamed *r, const struct record_at *at,
                          struct qc_err *err)
{
    const struct entry_row away = { .tenant = r->tenant,
                                    .vault = r->vault,
                                    .object = r->e.object,
                                    .path = r->away.path,
                                    .number = r->away.number,
                                    .kind = GW_ENTRY_TOMBSTONE,
                                    .chain = r->chain,
                                    .at = *at,
                                    .named = *at };
    struct entry_row e = { .tenant = r->tenant,
                           .vault = r->vault,
                           .object = r->e.object,
                           .version = r->e.version,
                           .path = r->e.path,
                           .number = r->e.number,
                           .kind = GW_ENTRY_FILE,
                           .chain = r->chain + 1,
                           .named = *at };
    bool found = false;

    QC_TRY(index_add_entry(s->ix, &away, err));
    QC_TRY(index_committed(s->ix, &e, &e.at, &found, err));
    return found ? index_add_entry(s->ix, &e, err) : QC_OK;
}

static qc_rc take_record(struct salvage *s, const struct gw_record *rec, const struct record_at *at,
                         struct qc_err *err)
{
    const struct gw_rec_commit *c = &rec->u.commit;
    const struct gw_rec_tombstone *t = &rec->u.tombstone;

    switch (rec->kind) {
    case GW_REC_COMMIT:
    case GW_REC_BUNDLED:
        QC_TRY(see_bundle(s, c, err));
        return index_add_entry(s->ix,
                               &(struct entry_row){ .tenant = c->tenant,
                                                    .vault = c->vault,
                                                    .object = c->e.object,
                                                    .version = c->e.version,
                                                    .path = c->e.path,
                                                    .number = c->e.number,
                                                    .kind = GW_ENTRY_FILE,
                                                    .chain = c->chain,
                                                    .at = *at,
                                                    .named = *at },
                               err);
    case GW_REC_TOMBSTONE:
        return index_add_entry(s->ix,
                               &(struct entry_row){ .tenant = t->tenant,
                                                    .vault = t->vault,
                                                    .path = t->path,
                                                    .number = t->number,
                                                    .kind = GW_ENTRY_TOMBSTONE,
                                                    .chain = t->chain,
                                                    .at = *at,
                                                    .named = *at },
                               err);
    case GW_REC_RENAMED:
        return take_renamed(s, &rec->u.renamed, at, err);
    case GW_REC_VAULT:
        return take_vault(s, &rec->u.vault, at, err);
    case GW_REC_BKEY:
        return take_bkey(s, &rec->u.bkey, err);
    case GW_REC_BACKUP:
        return index_add_backup(s->ix, rec->u.backup.tenant, &rec->u.backup.object, &rec->u.backup.version,
                                at, err);
    case GW_REC_RECODED:
        return index_add_recoded(s->ix, &rec->u.recoded, err);
    case GW_REC_CONFIG:
        s->record_quorum = rec->u.config.record_quorum;
        return QC_OK;
    case GW_REC_CLOUD:
        see_named(s, rec->u.cloud.id);
        return QC_OK;
    case GW_REC_MEMBER:
        if (rec->u.cloud.state == GW_MEMBER_RETIRED)
            forget_named(s, rec->u.cloud.id);
        else
            see_named(s, rec->u.cloud.id);
        return QC_OK;
    case GW_REC_PURGED:
        return index_add_purged(s->ix, &rec->u.purged, err);
    case GW_REC_REPACKED:
        return take_repacked(s, &rec->u.repacked, err);
    case GW_REC_TENANT:
    case GW_REC_RULES:
    case GW_REC_RETAINED:
        return QC_OK;
    }
    return QC_OK;
}

static qc_rc take_records(struct salvage *s, const struct gw_log *l, const struct record_at *first,
                          struct qc_err *err)
{
    struct gw_log_iter it = gw_log_records(l);
    struct record_at at = *first;
    struct gw_record rec;

    for (bool more = true;; at.ordinal++) {
        QC_TRY(gw_log_next(&it, &rec, &more, err));
        if (!more)
            return QC_OK;
        QC_TRY(take_record(s, &rec, &at, err));
    }
}

/* -- the chain ------------------------------------------------------------------------------------------- */

/* The copies of one object. */
struct taking {
    struct chain *c;
    bool taken;
    uint8_t hash[GW_DIGEST_BYTES];      /* of the one that was taken */
    uint32_t on[QC_SALVAGE_COPIES_MAX]; /* clouds */
    unsigned on_count;
};

static bool continues(const struct chain *c, const struct gw_log *l)
{
    return c->sequence + 1 != l->head.sequence || qc_ct_eq(l->head.prev, c->hash, sizeof c->hash);
}

/* The first copy that opens and continues what stands before it. */
static qc_rc take_link(struct taking *t, const struct log_copy *copy, const struct gw_log *l,
                       struct qc_err *err)
{
    struct chain *c = t->c;

    t->taken = true;
    for (uint64_t gap = c->sequence + 1; gap < copy->sequence; gap++) {
        c->s->log_missing++;
        QC_TRY(report_missing(c->s, 0, "l/", err,
                              "log object %" PRIu64 ": what was stored by it is not known", gap));
    }
    c->sequence = copy->sequence;
    c->incarnation = (uint16_t)copy->incarnation;
    memcpy(c->hash, t->hash, sizeof c->hash);
    return take_records(c->s, l, &(struct record_at){ copy->sequence, copy->incarnation, 0, copy->file },
                        err);
}

static qc_rc judge(struct taking *t, const struct log_copy *copy, const struct loaded *l, struct qc_err *err)
{
    QC_CLEANUP(gw_log_done) struct gw_log log = { 0 };
    const qc_span bytes = qc_buf_span(&l->bytes);
    uint8_t hash[GW_DIGEST_BYTES];
    struct qc_err why = { 0 };

    QC_TRY(qc_sha256(&bytes, 1, hash, err));
    if (t->taken && qc_ct_eq(hash, t->hash, sizeof hash))
        return QC_OK;
    const qc_rc rc = gw_log_open(t->c->s->root, copy->sequence, copy->incarnation, bytes, &log, &why);
    if (rc == QC_NEWER) {
        *err = why;
        return rc;
    }
    if (rc != QC_OK)
        return report_failed(t->c->s, &l->f, &why, "damaged", err);
    if (t->taken || !continues(t->c, &log))
        return report_wrong(t->c->s, l->f.source, l->f.path, err,
                            "log object %" PRIu64 ": of another history than the objects before it",
                            copy->sequence);
    memcpy(t->hash, hash, sizeof hash);
    return take_link(t, copy, &log, err);
}

static qc_rc take_copy(void *ctx, const struct log_copy *copy, struct qc_err *err)
{
    struct taking *t = ctx;
    QC_CLEANUP(loaded_done) struct loaded l = { 0 };
    struct qc_err why = { 0 };

    QC_TRY(qc_go_on(QC_NO_DEADLINE, t->c->s->cancel, "salvage", err));
    if (t->on_count < QC_SALVAGE_COPIES_MAX)
        t->on[t->on_count++] = copy->cloud;
    if (load(t->c->s, copy->file, &l, &why) != QC_OK)
        return report_failed(t->c->s, &l.f, &why, "log object: cannot be read", err);
    return judge(t, copy, &l, err);
}

/* Which of the clouds that are here lack a copy. */
static qc_rc tell_absent(const struct taking *t, const struct gw_log_seen *seen, struct qc_err *err)
{
    struct salvage *s = t->c->s;
    const struct gw_name name = { .kind = GW_NAME_LOG,
                                  .id = seen->sequence,
                                  .incarnation = seen->incarnation };

    for (unsigned i = 0; i < s->seen_count; i++) {
        bool has = false;
        char key[GW_NAME_SIZE];
        for (unsigned k = 0; k < t->on_count; k++)
            has |= t->on[k] == s->seen[i].cloud_id ||
                   t->on[k] == 0; /* 0: a name that is lost says nothing of its cloud */
        if (has)
            continue;
        QC_TRY(gw_name_make(s->root, s->seen[i].cloud_id, &name, key, err));
        QC_TRY(report_missing(s, s->seen[i].cloud_id, key, err, "log object %" PRIu64, seen->sequence));
    }
    return QC_OK;
}

static qc_rc walk_chain(struct chain *c, struct qc_err *err)
{
    const struct gw_log_sight sight = { c->seen, c->count, c->cuts, c->cut_count };

    for (size_t i = 0; i < c->count; i++) {
        struct taking t = { .c = c };
        const struct gw_log_seen *seen = &c->seen[i];
        if (!gw_log_stands(&sight, seen) || seen->sequence <= c->sequence ||
            seen->incarnation < c->incarnation)
            continue;
        QC_TRY(index_copies_of(c->s->ix, seen->sequence, seen->incarnation, take_copy, &t, err));
        if (t.taken)
            QC_TRY(tell_absent(&t, seen, err));
        report_progress(c->s, "reading the log", i, c->count);
    }
    c->s->log_last = c->sequence;
    return c->sequence > 0
               ? QC_OK
               : QC_FAIL(err, QC_QUORUM, "no readable object of the log is in the %u directories given",
                         c->s->source_count);
}

/* The end of the log is its end only where fewer clouds are away than a record lies on (FORMAT 9.2). */
static void count_unheard(struct salvage *s)
{
    if (s->named_count > s->clouds_in_use)
        s->clouds_in_use = s->named_count;
    s->unheard = s->clouds_in_use > s->seen_count ? s->clouds_in_use - s->seen_count : 0;
    if (s->record_quorum == 0 || s->unheard < s->record_quorum)
        s->unheard = 0;
}

qc_rc chain_read(struct salvage *s, struct qc_err *err)
{
    QC_CLEANUP(chain_done) struct chain c = { .s = s };

    QC_TRY(index_begin(s->ix, err));
    QC_TRY(index_each(s->ix, FOUND_LOG, name_copy, &c, err));
    QC_TRY(list_seen(&c, err));
    QC_TRY(guess_names(&c, err));
    QC_TRY(index_each(s->ix, FOUND_ROOT, take_root, &c, err));
    QC_TRY(index_each(s->ix, FOUND_CUT, take_cut, &c, err));
    QC_TRY(walk_chain(&c, err));
    count_unheard(s);
    return index_commit(s->ix, err);
}

/* -- records again --------------------------------------------------------------------------------------- */

static qc_rc hold(struct salvage *s, const struct record_at *at, struct qc_err *err)
{
    QC_CLEANUP(loaded_done) struct loaded l = { 0 };

    if (s->log_sequence == at->sequence)
        return QC_OK;
    s->log_sequence = 0;
    gw_log_done(&s->log);
    QC_TRY(load(s, at->file, &l, err));
    QC_TRY(gw_log_open(s->root, at->sequence, at->incarnation, qc_buf_span(&l.bytes), &s->log, err));
    s->log_sequence = at->sequence;
    return QC_OK;
}

/* A later record may have put N into another bundle, which has one segment: that is in the index, as if it
 * were coded anew. */
static qc_rc follow_bundle(struct salvage *s, struct gw_rec_commit *c, struct qc_err *err)
{
    bool found = false;

    QC_TRY(index_moved(s->ix, c->tenant, &c->e.object, &c->e.version, &c->bundle, &found, err));
    if (found)
        c->segment_count = 1;
    return QC_OK;
}

qc_rc chain_record(struct salvage *s, const struct record_at *at, struct gw_record *ret, struct qc_err *err)
{
    struct gw_log_iter it;
    bool more = true;

    QC_TRY_AS(hold(s, at, err), err, "log object %" PRIu64, at->sequence);
    it = gw_log_records(&s->log);
    for (uint32_t i = 0; i <= at->ordinal && more; i++)
        QC_TRY(gw_log_next(&it, ret, &more, err));
    if (!more)
        return QC_FAIL(err, QC_INTEGRITY, "log object %" PRIu64 " changed while it was read", at->sequence);
    return ret->kind == GW_REC_BUNDLED ? follow_bundle(s, &ret->u.commit, err) : QC_OK;
}

qc_rc chain_backup(struct salvage *s, const struct gw_backup_ids *ids, qc_span sealed, qc_buf *ret,
                   struct qc_err *err)
{
    uint32_t epoch = 0;

    QC_TRY(gw_backup_epoch(sealed, &epoch, err));
    if (epoch < 1 || epoch > QC_GW_BKEYS_MAX || s->bkey[epoch - 1] == NULL)
        return QC_FAIL(err, QC_SHARES,
                       "backup data: the key of epoch %" PRIu32 " is in a part of the log that is not here",
                       epoch);
    return gw_backup_open(s->root, s->bkey[epoch - 1], ids, sealed, ret, err);
}
