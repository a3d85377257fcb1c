/* Share stores: making, opening, closing. */
#include "store.h"
#include "store_file.h"
#include "store_half.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"

static const char schema[] =
    "CREATE TABLE item (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE record (object_id BLOB NOT NULL, version_id BLOB NOT NULL, generation INTEGER NOT NULL,"
    " state INTEGER NOT NULL, sequence INTEGER NOT NULL, sealed BLOB NOT NULL,"
    " PRIMARY KEY (object_id, version_id, generation)) WITHOUT ROWID;"
    "CREATE TABLE mark (path_tag BLOB PRIMARY KEY, number INTEGER NOT NULL, tag BLOB NOT NULL) WITHOUT "
    "ROWID;";

void vault_store_close(struct vault_store **s)
{
    if (*s == NULL)
        return;
    vault_store_look_end(*s);
    qc_db_close(&(*s)->db);
    qc_fd_close(&(*s)->making);
    store_gen_done(&(*s)->in_use);
    store_gen_done(&(*s)->other);
    qc_key_free(&(*s)->SK);
    qc_key_free(&(*s)->mark_key);
    qc_prk_free(&(*s)->prk);
    qc_free((*s)->dir);
    qc_free(*s);
    *s = NULL;
}

static void key_file_done(struct vault_store_key *k)
{
    qc_key_free(&k->SK);
}

static qc_rc store_new(struct vault_store **ret, const char *dir, struct qc_err *err)
{
    QC_CLEANUP(vault_store_close) struct vault_store *s = qc_alloc(sizeof(*s));
    if (s == NULL || (s->dir = qc_strdup(dir)) == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a share store");
    *ret = QC_STEAL(s);
    return QC_OK;
}

/* SQLite wants a path; the directory may be given relative to the working directory. */
static qc_rc db_path(qc_buf *ret, const char **ret_path, const char *dir, struct qc_err *err)
{
    QC_TRY(qc_buf_addf(ret, err, "%s/store.db", dir));
    return qc_buf_cstr(ret, ret_path, err);
}

static qc_rc fill(struct vault_store *s, const struct vault_store_params *params, const qc_rng *rng,
                  struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf head = { .max = QC_VAULT_ITEM_MAX };
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(store_head_seal(&head, s, "head", &s->in_use, rng, err));
    QC_TRY(qc_tx_begin(&tx, s->db, err));
    QC_TRY(qc_db_exec(s->db, schema, err));
    QC_TRY(qc_db_set_user_version(s->db, 1, err));
    QC_TRY(store_item_put(s, "head", qc_buf_span(&head), err));
    QC_TRY(store_secret_put(s, &s->in_use, rng, err));
    if (params->filling)
        QC_TRY(store_text_put(s, STORE_FILLING, QC_LIT("1"), err));
    if (params->descriptor.n > 0)
        QC_TRY(store_text_put(s, "descriptor", params->descriptor, err));
    memcpy(s->head_salt, head.p, sizeof(s->head_salt));
    struct vault_head zero;
    uint8_t encoded[VAULT_HEAD_BYTES];
    QC_TRY(vault_head_zero(&zero, s->vault, err));
    vault_head_encode(encoded, &zero);
    QC_TRY(store_text_put(s, "vault_head", qc_span_of(encoded, sizeof(encoded)), err));
    return qc_tx_commit(&tx, err);
}

static qc_rc create(struct vault_store *s, const struct vault_store_params *params, const qc_rng *rng,
                    struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *file = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf path = { .max = 8192 };
    const char *db = NULL;
    QC_TRY(qc_dir_make_path(s->dir, 0700, err));
    QC_TRY(qc_dir_open(&fd, s->dir, err));
    QC_TRY(store_half_begin(&s->making, qc_fd_get(&fd), err));
    QC_TRY(qc_rng_fill(rng, s->id, sizeof(s->id), err));
    QC_TRY(qc_key_new(&s->SK, 32, rng, err));
    QC_TRY(store_keys(s, s->SK, err));
    /* Before anything is written: a passphrase may need more memory than there is. */
    QC_TRY(store_key_encode(&file, s->id, s->SK, &s->lock, NULL, err));
    QC_TRY(db_path(&path, &db, s->dir, err));
    QC_TRY(qc_db_open(&s->db, db,
                      &(struct qc_db_opts){
                          .kind = QC_DB_SHARES, .application_id = STORE_APPLICATION, .create = true },
                      err));
    QC_TRY(fill(s, params, rng, err));
    QC_TRY(qc_dir_sync(qc_fd_get(&fd), err));
    return qc_file_write_new(qc_fd_get(&fd), STORE_KEY_FILE,
                             &(qc_span){ qc_key_open(file).p, qc_key_len(file) }, 1, 0600, err);
}

void vault_store_unmake(struct vault_store **sp)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    struct qc_err why = { 0 };
    if (*sp == NULL)
        return;
    qc_db_close(&(*sp)->db);
    qc_rc rc = qc_dir_open(&dir, (*sp)->dir, &why);
    if (rc == QC_OK)
        qc_ignore(store_half_drop(qc_fd_get(&dir), &why), "what stays has the mark of a store that is none");
    vault_store_close(sp);
}

qc_rc vault_store_create(struct vault_store **ret, const char *dir, const struct vault_store_params *params,
                         const qc_rng *rng, struct qc_err *err)
{
    QC_ASSERT(params->index == 1 || params->index == 2);
    QC_ASSERT((params->seed != NULL) + (params->W_i != NULL) + params->kept <= 1);
    QC_CLEANUP(vault_store_close) struct vault_store *s = NULL;
    QC_TRY(store_new(&s, dir, err));
    s->index = params->index;
    s->writable = true;
    s->lock = params->lock;
    memcpy(s->vault, params->vault, sizeof(s->vault));
    memcpy(s->commitment, params->commitment, sizeof(s->commitment));
    memcpy(s->W_commitment, params->W_commitment, sizeof(s->W_commitment));
    s->kept = params->kept;
    s->filling = params->filling;
    QC_TRY(store_gen_make(&s->in_use, s, params->generation, params->seed, params->VS_i, params->W_i, err));
    qc_rc rc = store_said(s, create(s, params, rng, err), err);
    if (rc != QC_OK && qc_fd_is(&s->making)) /* what is in the directory is ours */
        vault_store_unmake(&s);
    QC_TRY(rc);
    *ret = QC_STEAL(s);
    return QC_OK;
}

/* A directory, its key file and its database: what is not there is a lost share, said so. */
static qc_rc find_parts(struct vault_store *s, struct qc_fd *ret_dir, struct vault_store_key *ret_key,
                        struct qc_err *err)
{
    struct qc_err why = { 0 };
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    qc_rc rc = qc_dir_open(&fd, s->dir, &why);
    if (rc == QC_NOTFOUND)
        return QC_FAIL(err, QC_SHARES, "there is no such directory");
    if (rc != QC_OK) {
        *err = why;
        return rc;
    }
    rc = store_key_read(ret_key, qc_fd_get(&fd), &why);
    bool no_key = rc == QC_NOTFOUND;
    if (rc != QC_OK && !no_key) {
        *err = why;
        return rc;
    }
    bool no_db = faccessat(qc_fd_get(&fd), "store.db", F_OK, 0) != 0 && errno == ENOENT;
    if (no_key && no_db)
        return QC_FAIL(err, QC_SHARES, "the directory holds no share store");
    if (no_key || no_db)
        return QC_FAIL(err, QC_SHARES, "is lost: it has no %s", no_key ? STORE_KEY_FILE : "store.db");
    *ret_dir = QC_STEAL(fd);
    return QC_OK;
}

static qc_rc check_expected(const struct vault_store *s, const struct vault_store_expect *expect,
                            struct qc_err *err)
{
    struct qc_err why = { 0 };
    if (expect->vault != NULL && memcmp(s->vault, expect->vault, VAULT_ID_BYTES) != 0)
        qc_err_set(&why, QC_INTEGRITY, QC_HERE, "belongs to another vault");
    else if (expect->index != 0 && s->index != expect->index)
        qc_err_set(&why, QC_INTEGRITY, QC_HERE, "is store %u, not store %u", s->index, expect->index);
    else if (expect->store != NULL && memcmp(s->id, expect->store, VAULT_ID_BYTES) != 0)
        qc_err_set(&why, QC_INTEGRITY, QC_HERE, "was replaced by another store %u", s->index);
    if (why.rc == QC_OK)
        return QC_OK;
    if (expect->named)
        return QC_FAIL(err, QC_SHARES, "this is another disk of the same name: what is there %s", why.msg);
    *err = why;
    return why.rc;
}

/* May files be written here? A mount that is read-only says no to root, too. */
static bool may_write(int dirfd)
{
    return faccessat(dirfd, ".", W_OK, AT_EACCESS) == 0 &&
           faccessat(dirfd, "store.db", W_OK, AT_EACCESS) == 0;
}

static qc_rc open_db(struct vault_store *s, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf path = { .max = 8192 };
    const char *db = NULL;
    uint32_t version = 0;
    QC_TRY(db_path(&path, &db, s->dir, err));
    QC_TRY(qc_db_open(&s->db, db,
                      &(struct qc_db_opts){ .kind = QC_DB_SHARES,
                                            .application_id = STORE_APPLICATION,
                                            .read_only = !s->writable },
                      err));
    QC_TRY(qc_db_user_version(s->db, &version, err));
    if (version > 1)
        return QC_FAIL(err, QC_NEWER, "store.db: version %u needs a newer program", version);
    return version == 1 ? QC_OK : QC_FAIL(err, QC_INTEGRITY, "store.db: version 0");
}

/* SK, in clear or by a passphrase. */
static qc_rc open_key(struct vault_store *s, struct vault_store_key *key,
                      const struct vault_store_expect *expect, struct qc_err *err)
{
    if (key->SK != NULL) {
        s->SK = QC_STEAL(key->SK);
        return QC_OK;
    }
    QC_TRY(store_key_unwrap(&s->SK, &s->lock.pass, key, expect, s->dir, err));
    s->lock.how = key->how;
    return QC_OK;
}

static qc_rc open_parts(struct vault_store *s, enum vault_store_access access,
                        const struct vault_store_expect *expect, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    QC_CLEANUP(key_file_done) struct vault_store_key key = { 0 };
    QC_TRY(find_parts(s, &dir, &key, err));
    memcpy(s->id, key.store, sizeof(s->id));
    /* Before anybody is asked for the passphrase of a stranger's. */
    if (expect->named && expect->store != NULL && memcmp(s->id, expect->store, VAULT_ID_BYTES) != 0)
        return QC_FAIL(err, QC_SHARES,
                       "this is another disk of the same name: the store there is another one");
    s->writable = access != VAULT_STORE_READ && may_write(qc_fd_get(&dir));
    if (access == VAULT_STORE_WRITE && !s->writable)
        return QC_FAIL(err, QC_AUTH, "may not be written (read-only medium or permissions)");
    qc_rc rc = open_db(s, err);
    if (rc == QC_FORMAT)
        err->rc = rc = QC_INTEGRITY;
    QC_TRY(rc);
    QC_TRY(open_key(s, &key, expect, err));
    QC_TRY(store_keys(s, s->SK, err));
    QC_TRY(store_filling_get(s, &s->filling, err));
    return store_reload(s, &(bool){ false }, err);
}

qc_rc vault_store_open(struct vault_store **ret, const char *dir, enum vault_store_access access,
                       const struct vault_store_expect *expect, struct qc_err *err)
{
    QC_CLEANUP(vault_store_close) struct vault_store *s = NULL;
    QC_TRY(store_new(&s, dir, err));
    s->index = expect->index; /* for messages, until the head has said it */
    qc_rc rc = open_parts(s, access, expect, err);
    if ((rc == QC_INTEGRITY || rc == QC_FORMAT) && vault_store_is_half(dir))
        rc = QC_FAIL(err, QC_SHARES, "was not made to the end");
    QC_TRY(store_said(s, rc, err));
    QC_TRY(store_said(s, check_expected(s, expect, err), err));
    if (s->writable && expect->vault != NULL && vault_store_is_half(dir)) {
        struct qc_err unused = { 0 };
        qc_ignore(vault_store_made(dir, &unused), "the next to open it tries again");
    }
    *ret = QC_STEAL(s);
    return QC_OK;
}

bool vault_store_is_locked(const char *dir)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    QC_CLEANUP(key_file_done) struct vault_store_key key = { 0 };
    struct qc_err why = { 0 };
    return qc_dir_open(&fd, dir, &why) == QC_OK && store_key_read(&key, qc_fd_get(&fd), &why) == QC_OK &&
           key.SK == NULL;
}

struct vault_lock vault_store_lock(const struct vault_store *s)
{
    return s->lock;
}

qc_rc store_said(const struct vault_store *s, qc_rc rc, struct qc_err *err)
{
    /* Our statements are right: what SQLite does not understand about them is damage to the schema. */
    if (rc == QC_GENERAL || rc == QC_FORMAT)
        err->rc = rc = QC_INTEGRITY;
    if (rc != QC_OK && s->index != 0)
        qc_err_wrap(err, "share store %u (%s)", s->index, s->dir);
    else if (rc != QC_OK)
        qc_err_wrap(err, "share store (%s)", s->dir);
    return rc;
}

qc_rc store_want_write(const struct vault_store *s, struct qc_err *err)
{
    return s->writable ? QC_OK
                       : QC_FAIL(err, QC_AUTH, "may not be written (read-only medium or permissions)");
}

unsigned vault_store_index(const struct vault_store *s)
{
    return s->index;
}

bool vault_store_writable(const struct vault_store *s)
{
    return s->writable;
}

const char *vault_store_dir(const struct vault_store *s)
{
    return s->dir;
}

const uint8_t *vault_store_vault(const struct vault_store *s)
{
    return s->vault;
}

const uint8_t *vault_store_id(const struct vault_store *s)
{
    return s->id;
}

uint32_t vault_store_generation(const struct vault_store *s)
{
    return s->in_use.generation;
}

const uint8_t *vault_store_commitment(const struct vault_store *s)
{
    return s->commitment;
}

bool vault_store_derives(const struct vault_store *s)
{
    return s->in_use.seed != NULL;
}

const qc_key *vault_store_seed(const struct vault_store *s)
{
    return s->in_use.seed;
}

qc_rc vault_store_derive(qc_key **ret, const struct vault_store *s, uint32_t generation,
                         const uint8_t object[VAULT_ID_BYTES], const uint8_t version[VAULT_ID_BYTES],
                         struct qc_err *err)
{
    QC_ASSERT(s->in_use.seed != NULL);
    return store_seed_share(ret, s, generation, object, version, err);
}

const qc_key *vault_store_secret(const struct vault_store *s)
{
    return s->in_use.VS_i;
}
