/* Records of a share store: add, look up, commit, remove, walk. */
#include "store.h"

#include <inttypes.h>
#include <string.h>

void vault_store_record_done(struct vault_store_record *r)
{
    qc_key_free(&r->share);
}

static struct store_record_id id_of(const struct vault_store_record *r)
{
    return (struct store_record_id){ r->object, r->version, r->generation, r->state, r->sequence };
}

static const char insert_record[] =
    "INSERT OR REPLACE INTO record (object_id, version_id, generation, state, sequence, sealed)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

static qc_rc insert_row(struct qc_stmt *insert, const struct store_record_id *id, qc_span sealed,
                        struct qc_err *err)
{
    return QC_RUN(insert, err, QC_VB(qc_span_of(id->object, VAULT_ID_BYTES)),
                  QC_VB(qc_span_of(id->version, VAULT_ID_BYTES)), QC_VI(id->generation), QC_VI(id->state),
                  QC_VI(id->sequence), QC_VB(sealed));
}

static qc_rc add_one(struct vault_store *s, struct qc_stmt *insert, const struct vault_store_record *r,
                     const qc_rng *rng, struct qc_err *err)
{
    uint8_t sealed[STORE_SEALED];
    size_t n = 0;
    struct store_record_id id = id_of(r);
    QC_ASSERT(r->sequence <= INT64_MAX);
    QC_TRY(store_record_seal(sealed, &n, s, &id, r->share, rng, err));
    return insert_row(insert, &id, qc_span_of(sealed, n), err);
}

/* In a transaction: are these still shares that somebody will be able to make again? What was derived from a
 * seed that was replaced since the store was opened is not kept: its thief would have a share of what is new.
 */
static qc_rc fresh_enough(struct vault_store *s, uint32_t least, struct qc_err *err)
{
    bool changed = false;
    QC_TRY(store_reload(s, &changed, err));
    if (changed && least < s->in_use.generation)
        return QC_FAIL(err, QC_TEMP, "its shares were refreshed meanwhile: the same again");
    return QC_OK;
}

static uint32_t least_of(const struct vault_store_record *records, size_t count)
{
    uint32_t least = UINT32_MAX;
    for (size_t i = 0; i < count; i++)
        if (records[i].generation < least)
            least = records[i].generation;
    return least;
}

/* What others did to the version since it was looked at counts. */
static qc_rc add_newer(struct vault_store *s, struct qc_stmt *insert, struct vault_store_record *r,
                       const qc_rng *rng, struct qc_err *err)
{
    QC_CLEANUP(vault_store_record_done) struct vault_store_record now = { 0 };
    struct qc_err why = { 0 };
    const qc_rc rc = store_row_get(s, r->object, r->version, 0, &now, &why);
    if (rc != QC_OK && rc != QC_NOTFOUND && rc != QC_INTEGRITY) {
        *err = why;
        return rc;
    }
    if (rc == QC_OK && now.gone) {
        r->gone = true;
        return QC_OK;
    }
    if (rc == QC_OK) {
        r->state = now.state;
        r->sequence = now.sequence;
    }
    return add_one(s, insert, r, rng, err);
}

/* anew: NULL, or the records, which become what the versions are by now. */
static qc_rc add(struct vault_store *s, const struct vault_store_record *records,
                 struct vault_store_record *anew, size_t count, const qc_rng *rng, struct qc_err *err)
{
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *insert = NULL;
    QC_TRY(store_want_write(s, err));
    QC_TRY(qc_tx_begin(&tx, s->db, err));
    QC_TRY(fresh_enough(s, least_of(records, count), err));
    QC_TRY(qc_db_prepare(s->db, insert_record, &insert, err));
    for (size_t i = 0; i < count; i++)
        QC_TRY(anew != NULL ? add_newer(s, insert, &anew[i], rng, err)
                            : add_one(s, insert, &records[i], rng, err));
    return qc_tx_commit(&tx, err);
}

qc_rc vault_store_add(struct vault_store *s, const struct vault_store_record *records, size_t count,
                      const qc_rng *rng, struct qc_err *err)
{
    return store_said(s, add(s, records, NULL, count, rng, err), err);
}

qc_rc store_add_anew(struct vault_store *s, struct vault_store_record *records, size_t count,
                     const qc_rng *rng, struct qc_err *err)
{
    return store_said(s, add(s, records, records, count, rng, err), err);
}

static struct store_record_id pending_id(const uint8_t *object, const uint8_t *version, uint32_t generation)
{
    return (struct store_record_id){ object, version, generation, VAULT_RECORD_PENDING, 0 };
}

qc_rc store_row_put(struct vault_store *s, const struct store_record_id *id, qc_span sealed,
                    struct qc_err *err)
{
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *insert = NULL;
    QC_TRY(qc_db_prepare(s->db, insert_record, &insert, err));
    return insert_row(insert, id, sealed, err);
}

qc_rc store_pending_seal(struct store_sealed *ret, const struct vault_store *s,
                         const struct vault_store_record *r, const qc_rng *rng, struct qc_err *err)
{
    const struct store_record_id id = pending_id(r->object, r->version, r->generation);
    ret->generation = r->generation;
    memcpy(ret->object, r->object, VAULT_ID_BYTES);
    memcpy(ret->version, r->version, VAULT_ID_BYTES);
    ret->sequence = r->sequence;
    QC_TRY(store_said(s, store_record_seal(ret->sealed, &ret->n, s, &id, r->share, rng, err), err));
    if (r->sequence == 0)
        return QC_OK;
    const struct store_record_id then = { r->object, r->version, r->generation, VAULT_RECORD_COMMITTED,
                                          r->sequence };
    size_t n = 0;
    QC_TRY(store_said(s, store_record_seal(ret->committed, &n, s, &then, r->share, rng, err), err));
    QC_ASSERT(n == ret->n);
    return QC_OK;
}

static qc_rc add_sealed(struct vault_store *s, const struct store_sealed *rows, size_t count,
                        struct qc_err *err)
{
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *insert = NULL;
    QC_TRY(store_want_write(s, err));
    QC_TRY(qc_tx_begin(&tx, s->db, err));
    QC_TRY(fresh_enough(s, count > 0 ? rows[0].generation : UINT32_MAX, err));
    QC_TRY(qc_db_prepare(s->db, insert_record, &insert, err));
    for (size_t i = 0; i < count; i++) {
        const struct store_record_id id = pending_id(rows[i].object, rows[i].version, rows[i].generation);
        /* Whoever looked at the store since it was sealed was told what fresh_enough asks, and kept it: a
         * record that holds nothing needs its seed, whatever anybody was told. */
        if (rows[i].n == STORE_SEALED_NONE && store_gen_of(s, rows[i].generation) == NULL)
            return QC_FAIL(err, QC_TEMP, "its shares were refreshed meanwhile: the same again");
        QC_TRY(insert_row(insert, &id, qc_span_of(rows[i].sealed, rows[i].n), err));
    }
    return qc_tx_commit(&tx, err);
}

qc_rc store_pending_add(struct vault_store *s, const struct store_sealed *rows, size_t count,
                        struct qc_err *err)
{
    return store_said(s, add_sealed(s, rows, count, err), err);
}

/* The row that s stands on, without its share. QC_INTEGRITY: a column is not what the schema says. */
static qc_rc row_read(struct vault_store_record *ret, struct qc_stmt *row, struct qc_err *err)
{
    uint64_t generation = 0, state = 0;
    QC_TRY(qc_col_fixed(row, 0, ret->object, VAULT_ID_BYTES, err));
    QC_TRY(qc_col_fixed(row, 1, ret->version, VAULT_ID_BYTES, err));
    QC_TRY(qc_col_u64(row, 2, &generation, err));
    if (generation == 0 || generation > UINT32_MAX)
        return QC_FAIL(err, QC_INTEGRITY, "record: generation %" PRIu64, generation);
    ret->generation =
        (uint32_t)generation; /* the key is whole, whatever the rest is: a cursor goes on from it */
    QC_TRY(qc_col_u64(row, 3, &state, err));
    QC_TRY(qc_col_u64(row, 4, &ret->sequence, err));
    if (state < VAULT_RECORD_PENDING || state > VAULT_RECORD_GONE)
        return QC_FAIL(err, QC_INTEGRITY, "record: state %" PRIu64, state);
    ret->state = (enum vault_record_state)state;
    return QC_OK;
}

/* Is the row, to the byte, the one that was opened last? Then it is what that was. */
static bool is_last(const struct vault_store *s, const struct vault_store_record *r, qc_span sealed)
{
    const struct vault_store_record *last = &s->look.last;
    return s->look.sealed_n > 0 && qc_span_eq(sealed, qc_span_of(s->look.sealed, s->look.sealed_n)) &&
           memcmp(r->object, last->object, VAULT_ID_BYTES) == 0 &&
           memcmp(r->version, last->version, VAULT_ID_BYTES) == 0 && r->generation == last->generation &&
           r->state == last->state && r->sequence == last->sequence;
}

/* What a seed gives may be of one that came into use after the store was opened. */
qc_rc store_row_open(struct vault_store_record *ret, struct vault_store *s, struct qc_stmt *row,
                     struct qc_err *err)
{
    QC_TRY(row_read(ret, row, err));
    if (is_last(s, ret, qc_col_span(row, 5))) {
        *ret = s->look.last;
        store_forget_last(s);
        return QC_OK;
    }
    struct store_record_id id = id_of(ret);
    ret->gone = ret->state == VAULT_RECORD_GONE;
    ret->given = !ret->gone && qc_col_span(row, 5).n == STORE_SEALED_NONE;
    if (ret->given && s->in_use.seed != NULL && store_gen_of(s, id.generation) == NULL)
        QC_TRY(store_reload(s, &(bool){ false }, err));
    return store_record_open(&ret->share, s, &id, qc_col_span(row, 5), err);
}

/* generation: 0: the newest. at: the statement, which is made where it is NULL. */
static qc_rc get_by(struct vault_store *s, struct qc_stmt **at, const struct store_record_id *id,
                    struct vault_store_record *ret, struct qc_err *err)
{
    QC_CLEANUP(vault_store_record_done) struct vault_store_record r = { 0 };
    bool row = false;
    if (*at == NULL)
        QC_TRY(qc_db_prepare(s->db,
                             "SELECT " STORE_RECORD_COLUMNS
                             " FROM record WHERE object_id = ?1 AND version_id = ?2"
                             " AND (?3 = 0 OR generation = ?3) ORDER BY generation DESC LIMIT 1",
                             at, err));
    struct qc_stmt *find = *at;
    QC_TRY(QC_BIND(find, err, QC_VB(qc_span_of(id->object, VAULT_ID_BYTES)),
                   QC_VB(qc_span_of(id->version, VAULT_ID_BYTES)), QC_VI(id->generation)));
    QC_TRY(qc_stmt_step(find, &row, err));
    if (!row)
        return QC_FAIL(err, QC_NOTFOUND, "holds no share of this version");
    QC_TRY(store_row_open(&r, s, find, err));
    *ret = QC_STEAL(r);
    return QC_OK;
}

qc_rc store_row_get(struct vault_store *s, const uint8_t *object, const uint8_t *version, uint32_t generation,
                    struct vault_store_record *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *own = NULL;
    const struct store_record_id id = { .object = object, .version = version, .generation = generation };
    return get_by(s, s->look.held != NULL ? &s->look.record : &own, &id, ret, err);
}

qc_rc vault_store_get_at(struct vault_store *s, const uint8_t object[VAULT_ID_BYTES],
                         const uint8_t version[VAULT_ID_BYTES], uint32_t generation,
                         struct vault_store_record *ret, struct qc_err *err)
{
    struct qc_err why = { 0 };
    const qc_rc rc = store_row_get(s, object, version, generation, ret, &why);
    if (rc == QC_OK && ret->gone) {
        *ret = (struct vault_store_record){ 0 };
        return store_said(s, QC_FAIL(err, QC_NOTFOUND, "the share of this version is destroyed"), err);
    }
    const struct store_gen *g = store_gen_of(s, generation != 0 ? generation : s->in_use.generation);
    if (g == NULL || g->seed == NULL || (rc != QC_NOTFOUND && rc != QC_INTEGRITY)) {
        if (rc != QC_OK)
            *err = why;
        return store_said(s, rc, err);
    }
    struct vault_store_record r = { .generation = g->generation, .given = true };
    memcpy(r.object, object, VAULT_ID_BYTES);
    memcpy(r.version, version, VAULT_ID_BYTES);
    QC_TRY(store_said(s, store_seed_share(&r.share, s, r.generation, object, version, err), err));
    *ret = r;
    return QC_OK;
}

qc_rc vault_store_get(struct vault_store *s, const uint8_t object[VAULT_ID_BYTES],
                      const uint8_t version[VAULT_ID_BYTES], struct vault_store_record *ret,
                      struct qc_err *err)
{
    return vault_store_get_at(s, object, version, 0, ret, err);
}

/* Of one transaction, made when they are used first: to make one takes longer than to run it. */
struct changing {
    struct qc_stmt *swap, *find, *update, *upsert;
};

static void changing_done(struct changing *by)
{
    qc_stmt_free(&by->swap);
    qc_stmt_free(&by->find);
    qc_stmt_free(&by->update);
    qc_stmt_free(&by->upsert);
}

/* The record that was sealed with the pending one takes its place, if that lies there still, to the last bit,
 * and is of the generation in use: then nothing is to be opened. */
static qc_rc swap_record(struct vault_store *s, struct changing *by, const struct vault_store_commit *change,
                         bool *ret, struct qc_err *err)
{
    const struct store_sealed *was = change->sealed;
    *ret = false;
    if (was == NULL || was->sequence != change->sequence || was->generation != s->in_use.generation)
        return QC_OK;
    if (by->swap == NULL)
        QC_TRY(qc_db_prepare(s->db,
                             "UPDATE record SET state = ?4, sequence = ?5, sealed = ?6 WHERE object_id = ?1"
                             " AND version_id = ?2 AND generation = ?3 AND state = ?7 AND sealed = ?8",
                             &by->swap, err));
    QC_TRY(QC_RUN(by->swap, err, QC_VB(qc_span_of(was->object, VAULT_ID_BYTES)),
                  QC_VB(qc_span_of(was->version, VAULT_ID_BYTES)), QC_VI(was->generation),
                  QC_VI(VAULT_RECORD_COMMITTED), QC_VI(was->sequence),
                  QC_VB(qc_span_of(was->committed, was->n)), QC_VI(VAULT_RECORD_PENDING),
                  QC_VB(qc_span_of(was->sealed, was->n))));
    *ret = qc_db_changes(s->db) == 1;
    return QC_OK;
}

static qc_rc commit_record(struct vault_store *s, struct changing *by,
                           const struct vault_store_commit *change, const qc_rng *rng, struct qc_err *err)
{
    QC_CLEANUP(vault_store_record_done) struct vault_store_record r = { 0 };
    uint8_t sealed[STORE_SEALED];
    size_t n = 0;
    const struct store_record_id newest = { .object = change->object, .version = change->version };
    QC_TRY(get_by(s, &by->find, &newest, &r, err));
    qc_stmt_reset(by->find);
    if (r.gone)
        return QC_FAIL(err, QC_CONFLICT, "the version is deleted");
    if (r.state == VAULT_RECORD_COMMITTED && r.sequence == change->sequence)
        return QC_OK;
    r.state = VAULT_RECORD_COMMITTED;
    r.sequence = change->sequence;
    struct store_record_id id = id_of(&r);
    QC_TRY(store_record_seal(sealed, &n, s, &id, r.share, rng, err));
    if (by->update == NULL)
        QC_TRY(qc_db_prepare(s->db,
                             "UPDATE record SET state = ?4, sequence = ?5, sealed = ?6"
                             " WHERE object_id = ?1 AND version_id = ?2 AND generation = ?3",
                             &by->update, err));
    return QC_RUN(by->update, err, QC_VB(qc_span_of(r.object, VAULT_ID_BYTES)),
                  QC_VB(qc_span_of(r.version, VAULT_ID_BYTES)), QC_VI(r.generation), QC_VI(r.state),
                  QC_VI(r.sequence), QC_VB(qc_span_of(sealed, n)));
}

static qc_rc raise_mark(struct vault_store *s, struct changing *by, const uint8_t *path_tag, uint64_t number,
                        struct qc_err *err)
{
    uint8_t tag[16];
    QC_ASSERT(number <= INT64_MAX);
    QC_TRY(store_mark_tag(tag, s, path_tag, number, err));
    if (by->upsert == NULL)
        QC_TRY(qc_db_prepare(
            s->db,
            "INSERT INTO mark (path_tag, number, tag) VALUES (?1, ?2, ?3) ON CONFLICT (path_tag)"
            " DO UPDATE SET number = excluded.number, tag = excluded.tag WHERE excluded.number > number",
            &by->upsert, err));
    return QC_RUN(by->upsert, err, QC_VB(qc_span_of(path_tag, 16)), QC_VI(number),
                  QC_VB(qc_span_of(tag, sizeof(tag))));
}

static qc_rc raise_head(struct vault_store *s, const struct vault_head *head, struct qc_err *err)
{
    struct vault_head known = { 0 };
    uint8_t encoded[VAULT_HEAD_BYTES];
    struct qc_err ignored = { 0 };
    /* A head that is damaged or not there is replaced: the new one was replayed by the caller. */
    qc_rc rc = vault_store_head_get(s, &known, &ignored);
    if (rc == QC_OK && known.count >= head->count)
        return QC_OK;
    vault_head_encode(encoded, head);
    return store_text_put(s, "vault_head", qc_span_of(encoded, sizeof(encoded)), err);
}

static qc_rc commit(struct vault_store *s, const struct vault_store_commit *changes, size_t count,
                    const qc_rng *rng, struct qc_err *err)
{
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_CLEANUP(changing_done) struct changing by = { 0 };
    QC_TRY(store_want_write(s, err));
    QC_TRY(qc_tx_begin(&tx, s->db, err));
    QC_TRY(store_reload(s, &(bool){ false }, err));
    for (size_t i = 0; i < count; i++) {
        const struct vault_store_commit *change = &changes[i];
        bool done = false;
        QC_TRY(swap_record(s, &by, change, &done, err));
        if (change->object != NULL && !done)
            QC_TRY(commit_record(s, &by, change, rng, err));
        if (change->path_tag != NULL)
            QC_TRY(raise_mark(s, &by, change->path_tag, change->number, err));
        if (change->head != NULL)
            QC_TRY(raise_head(s, change->head, err));
    }
    return qc_tx_commit(&tx, err);
}

qc_rc vault_store_commit(struct vault_store *s, const struct vault_store_commit *change, const qc_rng *rng,
                         struct qc_err *err)
{
    return store_said(s, commit(s, change, 1, rng, err), err);
}

qc_rc store_commit_many(struct vault_store *s, const struct vault_store_commit *changes, size_t count,
                        const qc_rng *rng, struct qc_err *err)
{
    return store_said(s, commit(s, changes, count, rng, err), err);
}

static qc_rc remove_row(struct vault_store *s, qc_span object, qc_span version, struct qc_err *err)
{
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *find = NULL;
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *drop = NULL;
    bool committed = false;
    QC_TRY(qc_db_prepare(
        s->db, "SELECT 1 FROM record WHERE object_id = ?1 AND version_id = ?2 AND state <> 1", &find, err));
    QC_TRY(QC_BIND(find, err, QC_VB(object), QC_VB(version)));
    QC_TRY(qc_stmt_step(find, &committed, err));
    qc_stmt_reset(find);
    if (committed)
        return QC_FAIL(err, QC_CONFLICT, "the record is committed");
    QC_TRY(qc_db_prepare(s->db, "DELETE FROM record WHERE object_id = ?1 AND version_id = ?2 AND state = 1",
                         &drop, err));
    return QC_RUN(drop, err, QC_VB(object), QC_VB(version));
}

static qc_rc remove_pending(struct vault_store *s, const struct store_version *versions, size_t count,
                            struct qc_err *err)
{
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(store_want_write(s, err));
    QC_TRY(qc_tx_begin(&tx, s->db, err));
    for (size_t i = 0; i < count; i++)
        QC_TRY(remove_row(s, qc_span_of(versions[i].object, VAULT_ID_BYTES),
                          qc_span_of(versions[i].version, VAULT_ID_BYTES), err));
    return qc_tx_commit(&tx, err);
}

qc_rc vault_store_remove_pending(struct vault_store *s, const uint8_t object[VAULT_ID_BYTES],
                                 const uint8_t version[VAULT_ID_BYTES], struct qc_err *err)
{
    return store_said(s, remove_pending(s, &(struct store_version){ object, version }, 1, err), err);
}

qc_rc store_remove_many(struct vault_store *s, const struct store_version *versions, size_t count,
                        struct qc_err *err)
{
    return store_said(s, remove_pending(s, versions, count, err), err);
}

static void keep_last(struct vault_store *s, struct vault_store_record *r, qc_span sealed)
{
    vault_store_record_done(&s->look.last);
    QC_ASSERT(sealed.n <= sizeof(s->look.sealed));
    memcpy(s->look.sealed, sealed.p, sealed.n);
    s->look.sealed_n = sealed.n;
    s->look.last = QC_STEAL(*r);
}

static qc_rc sequence(struct vault_store *s, qc_span object, uint64_t *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *own = NULL;
    QC_CLEANUP(vault_store_record_done) struct vault_store_record r = { 0 };
    struct qc_stmt **at = s->look.held != NULL ? &s->look.sequence : &own;
    bool row = false;
    if (*at == NULL)
        QC_TRY(qc_db_prepare(s->db,
                             "SELECT " STORE_RECORD_COLUMNS " FROM record WHERE object_id = ?1 AND state <> 1"
                             " ORDER BY sequence DESC LIMIT 1",
                             at, err));
    struct qc_stmt *find = *at;
    QC_TRY(QC_BIND(find, err, QC_VB(object)));
    QC_TRY(qc_stmt_step(find, &row, err));
    if (row)
        QC_TRY(store_row_open(&r, s, find, err)); /* a sequence counts only under its seal */
    *ret = r.sequence;
    if (row && own == NULL)
        keep_last(s, &r, qc_col_span(find, 5));
    return QC_OK;
}

qc_rc vault_store_sequence(struct vault_store *s, const uint8_t object[VAULT_ID_BYTES], uint64_t *ret,
                           struct qc_err *err)
{
    return store_said(s, sequence(s, qc_span_of(object, VAULT_ID_BYTES), ret, err), err);
}

qc_rc store_walk(struct vault_store *s, const char *sql, const struct vault_store_cursor *cursor,
                 struct qc_stmt **ret, struct qc_err *err)
{
    QC_TRY(qc_db_prepare(s->db, sql, ret, err));
    return QC_BIND(*ret, err, QC_VB(qc_span_of(cursor->object, VAULT_ID_BYTES)),
                   QC_VB(qc_span_of(cursor->version, VAULT_ID_BYTES)), QC_VI(cursor->generation),
                   QC_VI(cursor->started ? 1 : 0));
}

void store_walked(struct vault_store_cursor *cursor, const struct vault_store_record *r)
{
    *cursor = (struct vault_store_cursor){ .started = true, .generation = r->generation };
    memcpy(cursor->object, r->object, VAULT_ID_BYTES);
    memcpy(cursor->version, r->version, VAULT_ID_BYTES);
}

static void records_drop(struct vault_store_record *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        vault_store_record_done(&v[i]);
}

static qc_rc next_page(struct vault_store *s, struct vault_store_cursor *cursor,
                       struct vault_store_record *ret, size_t max, size_t *ret_got, struct qc_err *err)
{
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *walk = NULL;
    size_t got = 0;
    bool row = false;
    QC_TRY(store_walk(s, STORE_WALK(""), cursor, &walk, err));
    qc_rc rc = qc_stmt_step(walk, &row, err);
    while (rc == QC_OK && row && got < max) {
        struct vault_store_record r = { 0 };
        struct qc_err damaged = { 0 };
        rc = store_row_open(&r, s, walk, &damaged);
        if (rc != QC_OK && rc != QC_INTEGRITY)
            *err = damaged;
        else {
            ret[got++] = r;
            rc = qc_stmt_step(walk, &row, err);
        }
    }
    if (rc != QC_OK) {
        records_drop(ret, got);
        return rc;
    }
    if (got > 0)
        store_walked(cursor, &ret[got - 1]);
    *ret_got = got;
    return QC_OK;
}

qc_rc vault_store_next(struct vault_store *s, struct vault_store_cursor *cursor,
                       struct vault_store_record *ret, size_t max, size_t *ret_got, struct qc_err *err)
{
    return store_said(s, next_page(s, cursor, ret, max, ret_got, err), err);
}

static qc_rc marks_raise(struct vault_store *s, const struct vault_store_mark *marks, size_t count,
                         struct qc_err *err)
{
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_CLEANUP(changing_done) struct changing by = { 0 };
    QC_TRY(store_want_write(s, err));
    QC_TRY(qc_tx_begin(&tx, s->db, err));
    for (size_t i = 0; i < count; i++)
        QC_TRY(raise_mark(s, &by, marks[i].path_tag, marks[i].number, err));
    return qc_tx_commit(&tx, err);
}

qc_rc vault_store_marks_raise(struct vault_store *s, const struct vault_store_mark *marks, size_t count,
                              struct qc_err *err)
{
    return store_said(s, marks_raise(s, marks, count, err), err);
}
