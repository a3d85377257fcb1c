#include "index.h"

#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"

enum { APPLICATION = 0x51435356 /* QCSV */, PATH_ROOM = 8192 };

static const char schema[] =
    "CREATE TABLE file (no INTEGER PRIMARY KEY, source INTEGER, path BLOB, digits TEXT, kind INTEGER, size "
    "INTEGER,"
    " segment INTEGER, idx INTEGER, cloud INTEGER, object BLOB, version BLOB, seq INTEGER, last INTEGER,"
    " segment_size INTEGER);"
    "CREATE INDEX file_kind ON file (kind);"
    "CREATE INDEX file_segment ON file (segment, idx) WHERE kind=1;"
    "CREATE INDEX file_version ON file (object, version, seq) WHERE kind=1;"
    "CREATE INDEX file_digits ON file (digits) WHERE digits<>'';"
    "CREATE TABLE copy (sequence INTEGER, incarnation INTEGER, cloud INTEGER, file INTEGER,"
    " PRIMARY KEY (sequence, incarnation, file)) WITHOUT ROWID;"
    "CREATE TABLE entry (no INTEGER PRIMARY KEY, tenant INTEGER, vault BLOB, path BLOB, number INTEGER, kind "
    "INTEGER,"
    " object BLOB, version BLOB, chain INTEGER, sequence INTEGER, incarnation INTEGER, ordinal INTEGER, file "
    "INTEGER,"
    " named_sequence INTEGER, named_incarnation INTEGER, named_ordinal INTEGER, named_file INTEGER,"
    " rank INTEGER);"
    "CREATE UNIQUE INDEX entry_path ON entry (tenant, vault, path, number);"
    "CREATE INDEX entry_version ON entry (object, version);"
    "CREATE INDEX entry_rank ON entry (rank DESC, no) WHERE rank IS NOT NULL;"
    "CREATE TABLE backup (tenant INTEGER, object BLOB, version BLOB, sequence INTEGER, incarnation INTEGER,"
    " ordinal INTEGER, file INTEGER, PRIMARY KEY (tenant, object, version)) WITHOUT ROWID;"
    "CREATE TABLE recoded (tenant INTEGER, object BLOB, version BLOB, seq INTEGER, id INTEGER, size INTEGER,"
    " incarnation INTEGER, salt BLOB, digest BLOB, k INTEGER, n INTEGER, clouds BLOB,"
    " PRIMARY KEY (tenant, object, version, seq)) WITHOUT ROWID;"
    "CREATE TABLE moved (tenant INTEGER, object BLOB, version BLOB, bundle_object BLOB, bundle_version BLOB,"
    " start INTEGER, PRIMARY KEY (tenant, object, version)) WITHOUT ROWID;"
    "CREATE TABLE bundle (object BLOB, version BLOB, PRIMARY KEY (object, version)) WITHOUT ROWID;"
    "CREATE TABLE vault (no INTEGER PRIMARY KEY, tenant INTEGER, vault BLOB, sequence INTEGER, incarnation "
    "INTEGER,"
    " ordinal INTEGER, file INTEGER);"
    "CREATE TABLE wrong (source INTEGER, path BLOB, what TEXT, PRIMARY KEY (source, path, what)) WITHOUT "
    "ROWID;";

#define FILE_COLUMNS                                                                                         \
    "no, source, path, digits, kind, size, segment, idx, cloud, object, version, seq, last, segment_size "   \
    "FROM file"
#define ENTRY_COLUMNS                                                                                        \
    "no, tenant, vault, path, number, kind, object, version, chain, sequence, incarnation, ordinal, file,"   \
    " named_sequence, named_incarnation, named_ordinal, named_file FROM entry"

#define SQL_TABLE(X)                                                                                         \
    X(ADD,                                                                                                   \
      "INSERT INTO file (source, path, digits, kind, size, segment, idx, cloud, object, version, seq, last," \
      " segment_size) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)")                      \
    X(EACH, "SELECT " FILE_COLUMNS " WHERE kind=?1 ORDER BY no")                                             \
    X(FRAGMENTS, "SELECT " FILE_COLUMNS " WHERE kind=1 AND segment=?1 ORDER BY idx, no")                     \
    X(NAMED, "SELECT " FILE_COLUMNS " WHERE digits=?1 AND digits<>'' ORDER BY no")                           \
    X(FILE, "SELECT " FILE_COLUMNS " WHERE no=?1")                                                           \
    X(PRESENT, "SELECT DISTINCT idx FROM file WHERE kind=1 AND segment=?1")                                  \
    X(CLOUDS, "SELECT DISTINCT cloud FROM file WHERE kind=1 ORDER BY cloud")                                 \
    X(COPY_ADD, "INSERT OR IGNORE INTO copy (sequence, incarnation, cloud, file) VALUES (?1, ?2, ?3, ?4)")   \
    X(COPIES, "SELECT sequence, incarnation, cloud, file FROM copy ORDER BY sequence, incarnation, file")    \
    X(COPIES_OF, "SELECT sequence, incarnation, cloud, file FROM copy WHERE sequence=?1 AND incarnation=?2"  \
                 " ORDER BY file")                                                                           \
    X(ENTRY_ADD,                                                                                             \
      "INSERT OR IGNORE INTO entry (tenant, vault, path, number, kind, object, version, chain, sequence,"    \
      " incarnation, ordinal, file, named_sequence, named_incarnation, named_ordinal, named_file)"           \
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)")                     \
    X(COMMITTED, "SELECT sequence, incarnation, ordinal, file FROM entry WHERE tenant=?1 AND vault=?2"       \
                 " AND object=?3 AND version=?4 LIMIT 1")                                                    \
    X(BACKUP_ADD,                                                                                            \
      "INSERT OR REPLACE INTO backup (tenant, object, version, sequence, incarnation, ordinal, file)"        \
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")                                                                \
    X(BACKUP, "SELECT sequence, incarnation, ordinal, file FROM backup WHERE tenant=?1 AND object=?2 AND "   \
              "version=?3")                                                                                  \
    X(RECODED_ADD,                                                                                           \
      "INSERT OR REPLACE INTO recoded (tenant, object, version, seq, id, size, incarnation, salt, digest,"   \
      " k, n, clouds) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)")                           \
    X(RECODED, "SELECT id, size, incarnation, salt, digest, k, n, clouds FROM recoded WHERE tenant=?1 AND "  \
               "object=?2 AND version=?3 AND seq=?4")                                                        \
    X(PURGED, "UPDATE entry SET kind=2 WHERE tenant=?1 AND object=?2 AND version=?3")                        \
    X(MOVED_ADD,                                                                                             \
      "INSERT OR REPLACE INTO moved (tenant, object, version, bundle_object, bundle_version, start)"         \
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6)")                                                                    \
    X(MOVED, "SELECT bundle_object, bundle_version, start FROM moved WHERE tenant=?1 AND object=?2 AND "     \
             "version=?3")                                                                                   \
    X(BUNDLE_ADD, "INSERT OR IGNORE INTO bundle (object, version) VALUES (?1, ?2)")                          \
    X(VAULT_ADD, "INSERT INTO vault (tenant, vault, sequence, incarnation, ordinal, file)"                   \
                 " VALUES (?1, ?2, ?3, ?4, ?5, ?6)")                                                         \
    X(VAULTS,                                                                                                \
      "SELECT sequence, incarnation, ordinal, file, tenant FROM vault WHERE vault=?1 ORDER BY no DESC")      \
    X(CHAIN, "SELECT COALESCE(MAX(chain), 0) FROM entry WHERE tenant=?1 AND vault=?2")                       \
    X(NEWEST,                                                                                                \
      "SELECT " ENTRY_COLUMNS " e WHERE tenant=?1 AND vault=?2 AND number=(SELECT MAX(number) FROM entry x"  \
      " WHERE x.tenant=e.tenant AND x.vault=e.vault AND x.path=e.path) ORDER BY no")                         \
    X(NUMBER, "SELECT COALESCE(MAX(number), 0) FROM entry WHERE tenant=?1 AND vault=?2 AND path=?3")         \
    X(RANK, "UPDATE entry SET rank=?2 WHERE no=?1")                                                          \
    X(RANKED, "SELECT " ENTRY_COLUMNS " WHERE rank IS NOT NULL ORDER BY rank DESC, no")                      \
    X(UNRANKED, "SELECT " ENTRY_COLUMNS " WHERE rank IS NULL AND kind=1 ORDER BY no")                        \
    X(EARLIER,                                                                                               \
      "SELECT " ENTRY_COLUMNS " WHERE tenant=?1 AND vault=?2 AND kind=1 AND ((path=?3 AND number<?4"         \
      " AND (?7=1 OR object<>?6)) OR (?7=1 AND object=?6 AND path<>?3 AND chain<?5))"                        \
      " ORDER BY chain DESC, number DESC")                                                                   \
    X(UNRECORDED, "SELECT " FILE_COLUMNS " f WHERE kind=1 AND NOT EXISTS (SELECT 1 FROM entry e"             \
                  " WHERE e.object=f.object AND e.version=f.version) AND NOT EXISTS (SELECT 1 FROM bundle b" \
                  " WHERE b.object=f.object AND b.version=f.version) GROUP BY object, version ORDER BY no")  \
    X(SEGMENTS, "SELECT " FILE_COLUMNS " WHERE kind=1 AND object=?1 AND version=?2 GROUP BY seq, segment"    \
                " ORDER BY seq, segment")                                                                    \
    X(WRONG, "INSERT OR IGNORE INTO wrong (source, path, what) VALUES (?1, ?2, ?3)")

enum sql {
#define X(name, text) SQL_##name,
    SQL_TABLE(X)
#undef X
        SQL_COUNT
};

static const char *const sql_text[] = {
#define X(name, text) text,
    SQL_TABLE(X)
#undef X
};

struct index {
    struct qc_db *db;
    struct qc_stmt *stmt[SQL_COUNT];
    struct qc_tx tx;
};

void index_close(struct index **ip)
{
    struct index *ix = *ip;

    *ip = NULL;
    if (ix == NULL)
        return;
    for (unsigned i = 0; i < SQL_COUNT; i++)
        qc_stmt_free(&ix->stmt[i]);
    qc_tx_end(&ix->tx);
    qc_db_close(&ix->db);
    qc_free(ix);
}

qc_rc index_open(struct index **ret, const char *directory, struct qc_err *err)
{
    QC_CLEANUP(index_close) struct index *ix = qc_alloc(sizeof *ix);
    char path[PATH_ROOM];

    if (ix == NULL)
        return QC_FAIL(err, QC_NOMEM, "index");
    if (snprintf(path, sizeof path, "%s/index.db", directory) >= (int)sizeof path)
        return QC_FAIL(err, QC_USAGE, "the path of the scratch directory is too long");
    QC_TRY(qc_db_open(
        &ix->db, path,
        &(struct qc_db_opts){ .kind = QC_DB_SHARES, .application_id = APPLICATION, .create = true }, err));
    /* It is made anew by every run: nothing in it needs to survive one. */
    QC_TRY(qc_db_exec(ix->db, "PRAGMA synchronous=OFF; PRAGMA secure_delete=OFF", err));
    QC_TRY(qc_db_exec(ix->db, schema, err));
    for (unsigned i = 0; i < SQL_COUNT; i++)
        QC_TRY(qc_db_prepare(ix->db, sql_text[i], &ix->stmt[i], err));
    *ret = QC_STEAL(ix);
    return QC_OK;
}

qc_rc index_begin(struct index *ix, struct qc_err *err)
{
    return qc_tx_begin(&ix->tx, ix->db, err);
}

qc_rc index_commit(struct index *ix, struct qc_err *err)
{
    return qc_tx_commit(&ix->tx, err);
}

qc_rc index_add(struct index *ix, const struct found *f, struct qc_err *err)
{
    return QC_RUN(ix->stmt[SQL_ADD], err, QC_VI(f->source), QC_VB(f->path), QC_VT(qc_span_str(f->digits)),
                  QC_VI(f->kind), QC_VI(f->size), QC_VI(f->segment), QC_VI(f->index), QC_VI(f->cloud),
                  QC_VB(gw_id_span(&f->object)), QC_VB(gw_id_span(&f->version)), QC_VI(f->seq),
                  QC_VI(f->last), QC_VI(f->segment_size));
}

/* The path is copied: the caller may ask the same question while it looks at the answer. */
static qc_rc read_found(struct qc_stmt *s, struct found *ret, qc_buf *path, struct qc_err *err)
{
    const qc_span digits = qc_col_span(s, 3);

    *ret = (struct found){ .no = qc_col_int(s, 0),
                           .source = (unsigned)qc_col_int(s, 1),
                           .kind = (enum found_kind)qc_col_int(s, 4),
                           .size = (uint64_t)qc_col_int(s, 5),
                           .segment = (uint64_t)qc_col_int(s, 6),
                           .index = (uint32_t)qc_col_int(s, 7),
                           .cloud = (uint32_t)qc_col_int(s, 8),
                           .seq = (uint32_t)qc_col_int(s, 11),
                           .last = qc_col_int(s, 12) != 0,
                           .segment_size = (uint32_t)qc_col_int(s, 13) };
    if (digits.n == FOUND_DIGITS)
        memcpy(ret->digits, digits.p, FOUND_DIGITS);
    QC_TRY(qc_col_fixed(s, 9, ret->object.b, sizeof ret->object.b, err));
    QC_TRY(qc_col_fixed(s, 10, ret->version.b, sizeof ret->version.b, err));
    qc_buf_clear(path);
    QC_TRY(qc_buf_add(path, qc_col_span(s, 2), err));
    ret->path = qc_buf_span(path);
    return QC_OK;
}

static void reset(struct qc_stmt **s)
{
    if (*s != NULL)
        qc_stmt_reset(*s);
}

/* The statement is bound. */
static qc_rc walk_found(struct qc_stmt *s, found_fn fn, void *ctx, struct qc_err *err)
{
    QC_CLEANUP(reset) struct qc_stmt *running = s;
    QC_CLEANUP(qc_buf_free) qc_buf path = { .max = PATH_ROOM };

    for (bool row = true;;) {
        struct found f;
        QC_TRY(qc_stmt_step(running, &row, err));
        if (!row)
            return QC_OK;
        QC_TRY(read_found(running, &f, &path, err));
        QC_TRY(fn(ctx, &f, err));
    }
}

qc_rc index_each(struct index *ix, enum found_kind kind, found_fn fn, void *ctx, struct qc_err *err)
{
    QC_TRY(QC_BIND(ix->stmt[SQL_EACH], err, QC_VI(kind)));
    return walk_found(ix->stmt[SQL_EACH], fn, ctx, err);
}

qc_rc index_fragments(struct index *ix, uint64_t segment, found_fn fn, void *ctx, struct qc_err *err)
{
    QC_TRY(QC_BIND(ix->stmt[SQL_FRAGMENTS], err, QC_VI(segment)));
    return walk_found(ix->stmt[SQL_FRAGMENTS], fn, ctx, err);
}

qc_rc index_named(struct index *ix, const char *digits, found_fn fn, void *ctx, struct qc_err *err)
{
    QC_TRY(QC_BIND(ix->stmt[SQL_NAMED], err, QC_VT(qc_span_str(digits))));
    return walk_found(ix->stmt[SQL_NAMED], fn, ctx, err);
}

qc_rc index_file(struct index *ix, int64_t no, found_fn fn, void *ctx, struct qc_err *err)
{
    QC_TRY(QC_BIND(ix->stmt[SQL_FILE], err, QC_VI(no)));
    return walk_found(ix->stmt[SQL_FILE], fn, ctx, err);
}

qc_rc index_present(struct index *ix, uint64_t segment, uint32_t *ret, struct qc_err *err)
{
    QC_CLEANUP(reset) struct qc_stmt *s = ix->stmt[SQL_PRESENT];
    uint32_t present = 0;

    QC_TRY(QC_BIND(s, err, QC_VI(segment)));
    for (bool row = true;;) {
        QC_TRY(qc_stmt_step(s, &row, err));
        if (!row)
            break;
        present |= UINT32_C(1) << ((unsigned)qc_col_int(s, 0) % QC_EC_N_MAX);
    }
    *ret = present;
    return QC_OK;
}

qc_rc index_clouds(struct index *ix, uint32_t *ret, unsigned max, unsigned *ret_count, struct qc_err *err)
{
    QC_CLEANUP(reset) struct qc_stmt *s = ix->stmt[SQL_CLOUDS];
    unsigned count = 0;

    QC_TRY(qc_stmt_bind(s, NULL, 0, err));
    for (bool row = true; count < max;) {
        QC_TRY(qc_stmt_step(s, &row, err));
        if (!row)
            break;
        ret[count++] = (uint32_t)qc_col_int(s, 0);
    }
    *ret_count = count;
    return QC_OK;
}

/* -- the log --------------------------------------------------------------------------------------------- */

qc_rc index_add_copy(struct index *ix, const struct log_copy *c, struct qc_err *err)
{
    return QC_RUN(ix->stmt[SQL_COPY_ADD], err, QC_VI(c->sequence), QC_VI(c->incarnation), QC_VI(c->cloud),
                  QC_VI(c->file));
}

static qc_rc walk_copies(struct qc_stmt *s, copy_fn fn, void *ctx, struct qc_err *err)
{
    QC_CLEANUP(reset) struct qc_stmt *running = s;

    for (bool row = true;;) {
        QC_TRY(qc_stmt_step(running, &row, err));
        if (!row)
            return QC_OK;
        QC_TRY(fn(ctx,
                  &(struct log_copy){ .sequence = (uint64_t)qc_col_int(s, 0),
                                      .incarnation = (uint32_t)qc_col_int(s, 1),
                                      .cloud = (uint32_t)qc_col_int(s, 2),
                                      .file = qc_col_int(s, 3) },
                  err));
    }
}

qc_rc index_copies(struct index *ix, copy_fn fn, void *ctx, struct qc_err *err)
{
    QC_TRY(qc_stmt_bind(ix->stmt[SQL_COPIES], NULL, 0, err));
    return walk_copies(ix->stmt[SQL_COPIES], fn, ctx, err);
}

qc_rc index_copies_of(struct index *ix, uint64_t sequence, uint32_t incarnation, copy_fn fn, void *ctx,
                      struct qc_err *err)
{
    QC_TRY(QC_BIND(ix->stmt[SQL_COPIES_OF], err, QC_VI(sequence), QC_VI(incarnation)));
    return walk_copies(ix->stmt[SQL_COPIES_OF], fn, ctx, err);
}

qc_rc index_add_entry(struct index *ix, const struct entry_row *e, struct qc_err *err)
{
    return QC_RUN(ix->stmt[SQL_ENTRY_ADD], err, QC_VI(e->tenant), QC_VB(gw_id_span(&e->vault)),
                  QC_VB(e->path), QC_VI(e->number), QC_VI(e->kind), QC_VB(gw_id_span(&e->object)),
                  QC_VB(gw_id_span(&e->version)), QC_VI(e->chain), QC_VI(e->at.sequence),
                  QC_VI(e->at.incarnation), QC_VI(e->at.ordinal), QC_VI(e->at.file), QC_VI(e->named.sequence),
                  QC_VI(e->named.incarnation), QC_VI(e->named.ordinal), QC_VI(e->named.file));
}

qc_rc index_add_backup(struct index *ix, uint32_t tenant, const struct gw_id *object,
                       const struct gw_id *version, const struct record_at *at, struct qc_err *err)
{
    return QC_RUN(ix->stmt[SQL_BACKUP_ADD], err, QC_VI(tenant), QC_VB(gw_id_span(object)),
                  QC_VB(gw_id_span(version)), QC_VI(at->sequence), QC_VI(at->incarnation), QC_VI(at->ordinal),
                  QC_VI(at->file));
}

qc_rc index_add_bundle(struct index *ix, const struct gw_id *object, const struct gw_id *version,
                       struct qc_err *err)
{
    return QC_RUN(ix->stmt[SQL_BUNDLE_ADD], err, QC_VB(gw_id_span(object)), QC_VB(gw_id_span(version)));
}

qc_rc index_add_moved(struct index *ix, const struct gw_rec_repacked *r, const struct gw_log_packed *p,
                      struct qc_err *err)
{
    return QC_RUN(ix->stmt[SQL_MOVED_ADD], err, QC_VI(r->tenant), QC_VB(gw_id_span(&p->object)),
                  QC_VB(gw_id_span(&p->version)), QC_VB(gw_id_span(&r->object)),
                  QC_VB(gw_id_span(&r->version)), QC_VI(p->start));
}

qc_rc index_moved(struct index *ix, uint32_t tenant, const struct gw_id *object, const struct gw_id *version,
                  struct gw_rec_bundle *ret, bool *ret_found, struct qc_err *err)
{
    QC_CLEANUP(reset) struct qc_stmt *s = ix->stmt[SQL_MOVED];

    QC_TRY(QC_BIND(s, err, QC_VI(tenant), QC_VB(gw_id_span(object)), QC_VB(gw_id_span(version))));
    QC_TRY(qc_stmt_step(s, ret_found, err));
    if (!*ret_found)
        return QC_OK;
    QC_TRY(qc_col_fixed(s, 0, ret->object.b, sizeof ret->object.b, err));
    QC_TRY(qc_col_fixed(s, 1, ret->version.b, sizeof ret->version.b, err));
    return qc_col_u64(s, 2, &ret->start, err);
}

qc_rc index_add_recoded(struct index *ix, const struct gw_rec_recoded *r, struct qc_err *err)
{
    const struct gw_log_segment *s = &r->segment;
    uint8_t clouds[4 * QC_EC_N_MAX];

    for (unsigned i = 0; i < r->layout.n; i++)
        qc_put_be(clouds + 4 * (size_t)i, r->layout.clouds[i], 4);
    return QC_RUN(ix->stmt[SQL_RECODED_ADD], err, QC_VI(r->tenant), QC_VB(gw_id_span(&r->object)),
                  QC_VB(gw_id_span(&r->version)), QC_VI(r->seq), QC_VI(s->id), QC_VI(s->size),
                  QC_VI(s->incarnation), QC_VB(qc_span_of(s->salt, sizeof s->salt)),
                  QC_VB(qc_span_of(s->digest, sizeof s->digest)), QC_VI(r->layout.k), QC_VI(r->layout.n),
                  QC_VB(qc_span_of(clouds, 4 * (size_t)r->layout.n)));
}

qc_rc index_add_purged(struct index *ix, const struct gw_rec_purged *r, struct qc_err *err)
{
    return QC_RUN(ix->stmt[SQL_PURGED], err, QC_VI(r->tenant), QC_VB(gw_id_span(&r->object)),
                  QC_VB(gw_id_span(&r->version)));
}

qc_rc index_recoded(struct index *ix, struct gw_rec_recoded *r, bool *ret_found, struct qc_err *err)
{
    QC_CLEANUP(reset) struct qc_stmt *s = ix->stmt[SQL_RECODED];

    QC_TRY(QC_BIND(s, err, QC_VI(r->tenant), QC_VB(gw_id_span(&r->object)), QC_VB(gw_id_span(&r->version)),
                   QC_VI(r->seq)));
    QC_TRY(qc_stmt_step(s, ret_found, err));
    if (!*ret_found)
        return QC_OK;
    r->segment = (struct gw_log_segment){ .id = (uint64_t)qc_col_int(s, 0),
                                          .size = (uint32_t)qc_col_int(s, 1),
                                          .incarnation = (uint32_t)qc_col_int(s, 2) };
    QC_TRY(qc_col_fixed(s, 3, r->segment.salt, sizeof r->segment.salt, err));
    QC_TRY(qc_col_fixed(s, 4, r->segment.digest, sizeof r->segment.digest, err));
    r->layout = (struct gw_log_layout){ .k = (uint8_t)qc_col_int(s, 5), .n = (uint8_t)qc_col_int(s, 6) };
    const qc_span clouds = qc_col_span(s, 7);
    for (unsigned i = 0; i < r->layout.n && i < QC_EC_N_MAX && 4 * (size_t)i + 4 <= clouds.n; i++)
        r->layout.clouds[i] = (uint32_t)qc_get_be(clouds.p + 4 * (size_t)i, 4);
    return QC_OK;
}

/* From column `first` on. */
static struct record_at read_at(struct qc_stmt *s, int first)
{
    return (struct record_at){ .sequence = (uint64_t)qc_col_int(s, first),
                               .incarnation = (uint32_t)qc_col_int(s, first + 1),
                               .ordinal = (uint32_t)qc_col_int(s, first + 2),
                               .file = qc_col_int(s, first + 3) };
}

qc_rc index_committed(struct index *ix, const struct entry_row *e, struct record_at *ret, bool *ret_found,
                      struct qc_err *err)
{
    QC_CLEANUP(reset) struct qc_stmt *s = ix->stmt[SQL_COMMITTED];

    QC_TRY(QC_BIND(s, err, QC_VI(e->tenant), QC_VB(gw_id_span(&e->vault)), QC_VB(gw_id_span(&e->object)),
                   QC_VB(gw_id_span(&e->version))));
    QC_TRY(qc_stmt_step(s, ret_found, err));
    if (*ret_found)
        *ret = read_at(s, 0);
    return QC_OK;
}

qc_rc index_backup(struct index *ix, const struct entry_row *e, struct record_at *ret, bool *ret_found,
                   struct qc_err *err)
{
    QC_CLEANUP(reset) struct qc_stmt *s = ix->stmt[SQL_BACKUP];

    QC_TRY(QC_BIND(s, err, QC_VI(e->tenant), QC_VB(gw_id_span(&e->object)), QC_VB(gw_id_span(&e->version))));
    QC_TRY(qc_stmt_step(s, ret_found, err));
    if (*ret_found)
        *ret = read_at(s, 0);
    return QC_OK;
}

qc_rc index_add_vault(struct index *ix, uint32_t tenant, const struct gw_id *vault,
                      const struct record_at *at, struct qc_err *err)
{
    return QC_RUN(ix->stmt[SQL_VAULT_ADD], err, QC_VI(tenant), QC_VB(gw_id_span(vault)), QC_VI(at->sequence),
                  QC_VI(at->incarnation), QC_VI(at->ordinal), QC_VI(at->file));
}

qc_rc index_vaults(struct index *ix, const struct gw_id *vault, vault_fn fn, void *ctx, struct qc_err *err)
{
    QC_CLEANUP(reset) struct qc_stmt *s = ix->stmt[SQL_VAULTS];

    QC_TRY(QC_BIND(s, err, QC_VB(gw_id_span(vault))));
    for (bool row = true;;) {
        QC_TRY(qc_stmt_step(s, &row, err));
        if (!row)
            return QC_OK;
        QC_TRY(
            fn(ctx, &(struct vault_row){ .tenant = (uint32_t)qc_col_int(s, 4), .at = read_at(s, 0) }, err));
    }
}

qc_rc index_chain(struct index *ix, uint32_t tenant, const struct gw_id *vault, uint64_t *ret,
                  struct qc_err *err)
{
    QC_CLEANUP(reset) struct qc_stmt *s = ix->stmt[SQL_CHAIN];
    bool row = false;

    QC_TRY(QC_BIND(s, err, QC_VI(tenant), QC_VB(gw_id_span(vault))));
    QC_TRY(qc_stmt_step(s, &row, err));
    *ret = row ? (uint64_t)qc_col_int(s, 0) : 0;
    return QC_OK;
}

/* -- the plan -------------------------------------------------------------------------------------------- */

static qc_rc read_entry(struct qc_stmt *s, struct entry_row *ret, qc_buf *path, struct qc_err *err)
{
    *ret = (struct entry_row){ .no = qc_col_int(s, 0),
                               .tenant = (uint32_t)qc_col_int(s, 1),
                               .number = (uint64_t)qc_col_int(s, 4),
                               .kind = (uint8_t)qc_col_int(s, 5),
                               .chain = (uint64_t)qc_col_int(s, 8),
                               .at = read_at(s, 9),
                               .named = read_at(s, 13) };
    QC_TRY(qc_col_fixed(s, 2, ret->vault.b, sizeof ret->vault.b, err));
    QC_TRY(qc_col_fixed(s, 6, ret->object.b, sizeof ret->object.b, err));
    QC_TRY(qc_col_fixed(s, 7, ret->version.b, sizeof ret->version.b, err));
    qc_buf_clear(path);
    QC_TRY(qc_buf_add(path, qc_col_span(s, 3), err));
    ret->path = qc_buf_span(path);
    return QC_OK;
}

static qc_rc walk_entries(struct qc_stmt *s, entry_fn fn, void *ctx, struct qc_err *err)
{
    QC_CLEANUP(reset) struct qc_stmt *running = s;
    QC_CLEANUP(qc_buf_free) qc_buf path = { .max = QC_GW_PATH_MAX };

    for (bool row = true;;) {
        struct entry_row e;
        QC_TRY(qc_stmt_step(running, &row, err));
        if (!row)
            return QC_OK;
        QC_TRY(read_entry(running, &e, &path, err));
        QC_TRY(fn(ctx, &e, err));
    }
}

qc_rc index_newest(struct index *ix, uint32_t tenant, const struct gw_id *vault, entry_fn fn, void *ctx,
                   struct qc_err *err)
{
    QC_TRY(QC_BIND(ix->stmt[SQL_NEWEST], err, QC_VI(tenant), QC_VB(gw_id_span(vault))));
    return walk_entries(ix->stmt[SQL_NEWEST], fn, ctx, err);
}

qc_rc index_number(struct index *ix, const struct entry_row *e, uint64_t *ret, struct qc_err *err)
{
    QC_CLEANUP(reset) struct qc_stmt *s = ix->stmt[SQL_NUMBER];
    bool row = false;

    QC_TRY(QC_BIND(s, err, QC_VI(e->tenant), QC_VB(gw_id_span(&e->vault)), QC_VB(e->path)));
    QC_TRY(qc_stmt_step(s, &row, err));
    *ret = row ? (uint64_t)qc_col_int(s, 0) : 0;
    return QC_OK;
}

qc_rc index_rank(struct index *ix, int64_t entry, int rank, struct qc_err *err)
{
    return QC_RUN(ix->stmt[SQL_RANK], err, QC_VI(entry), QC_VI(rank));
}

qc_rc index_ranked(struct index *ix, entry_fn fn, void *ctx, struct qc_err *err)
{
    QC_TRY(qc_stmt_bind(ix->stmt[SQL_RANKED], NULL, 0, err));
    return walk_entries(ix->stmt[SQL_RANKED], fn, ctx, err);
}

qc_rc index_unranked(struct index *ix, entry_fn fn, void *ctx, struct qc_err *err)
{
    QC_TRY(qc_stmt_bind(ix->stmt[SQL_UNRANKED], NULL, 0, err));
    return walk_entries(ix->stmt[SQL_UNRANKED], fn, ctx, err);
}

qc_rc index_earlier(struct index *ix, const struct entry_row *e, entry_fn fn, void *ctx, struct qc_err *err)
{
    QC_TRY(QC_BIND(ix->stmt[SQL_EARLIER], err, QC_VI(e->tenant), QC_VB(gw_id_span(&e->vault)), QC_VB(e->path),
                   QC_VI(e->number), QC_VI(e->chain), QC_VB(gw_id_span(&e->object)), QC_VI(e->kind)));
    return walk_entries(ix->stmt[SQL_EARLIER], fn, ctx, err);
}

qc_rc index_unrecorded(struct index *ix, found_fn fn, void *ctx, struct qc_err *err)
{
    QC_TRY(qc_stmt_bind(ix->stmt[SQL_UNRECORDED], NULL, 0, err));
    return walk_found(ix->stmt[SQL_UNRECORDED], fn, ctx, err);
}

qc_rc index_segments(struct index *ix, const struct gw_id *object, const struct gw_id *version, found_fn fn,
                     void *ctx, struct qc_err *err)
{
    QC_TRY(QC_BIND(ix->stmt[SQL_SEGMENTS], err, QC_VB(gw_id_span(object)), QC_VB(gw_id_span(version))));
    return walk_found(ix->stmt[SQL_SEGMENTS], fn, ctx, err);
}

qc_rc index_add_wrong(struct index *ix, unsigned source, qc_span path, const char *what, bool *ret_new,
                      struct qc_err *err)
{
    QC_TRY(QC_RUN(ix->stmt[SQL_WRONG], err, QC_VI(source), QC_VB(path), QC_VT(qc_span_str(what))));
    *ret_new = qc_db_changes(ix->db) > 0;
    return QC_OK;
}
