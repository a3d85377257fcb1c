#include "state.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "gateway/log.h"

const char gw_state_root[] = "root.key";

enum {
    KEY_MAGIC = 0x51434C47, /* QCLG */
    KEY_VERSION = 1,
    KEY_HEAD = 8 + GW_ID_BYTES,
    KEY_FILE = KEY_HEAD + GW_ROOT_KEY_BYTES + GW_DIGEST_BYTES,
    SEALED_BKEY = GW_SALT_BYTES + GW_BKEY_BYTES + QC_TAG,
};

qc_rc gw_state_there(const char *path, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    struct stat st;

    const qc_rc rc = qc_dir_open(&dir, path, err);
    if (rc != QC_NOTFOUND)
        QC_TRY_AS(rc, err, "state directory '%s'", path);
    if (rc == QC_OK && fstatat(qc_fd_get(&dir), gw_state_root, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return QC_OK;
    if (rc == QC_OK && errno != ENOENT)
        return QC_FAIL_OS(err, "state directory '%s'", path);
    return QC_FAIL(err, QC_NOTCONF, "no gateway in '%s'", path);
}

qc_rc gw_state_open(struct gw_state *ret, const char *path, bool create, struct qc_err *err)
{
    QC_CLEANUP(gw_state_close) struct gw_state s = { 0 };
    struct stat st;

    if (strlen(path) >= sizeof s.path || path[0] == 0)
        return QC_FAIL(err, QC_USAGE, "state directory: a path of %zu bytes", strlen(path));
    memcpy(s.path, path, strlen(path) + 1);
    if (create)
        QC_TRY_AS(qc_dir_make_path(path, 0700, err), err, "state directory '%s'", path);
    const qc_rc rc = qc_dir_open(&s.dir, path, err);
    if (rc == QC_NOTFOUND)
        return QC_FAIL(err, QC_NOTCONF, "no gateway in '%s'", path);
    QC_TRY_AS(rc, err, "state directory '%s'", path);
    if (fstat(qc_fd_get(&s.dir), &st) != 0)
        return QC_FAIL_OS(err, "state directory '%s'", path);
    if ((st.st_mode & 077) != 0) /* I5: the root key lies here */
        return QC_FAIL(err, QC_AUTH, "state directory '%s': mode %03o lets others in, expected 700", path,
                       (unsigned)st.st_mode & 0777);
    QC_TRY(qc_lock_file(&s.lock, qc_fd_get(&s.dir), "lock", err));
    *ret = QC_STEAL(s);
    return QC_OK;
}

void gw_state_close(struct gw_state *s)
{
    qc_fd_close(&s->lock);
    qc_fd_close(&s->dir);
}

qc_rc gw_state_path(const struct gw_state *s, const char *name, char *ret, struct qc_err *err)
{
    if (strlen(s->path) + strlen(name) + 2 > GW_STATE_PATH_MAX)
        return QC_FAIL(err, QC_USAGE, "state directory: its path is too long");
    const int n = snprintf(ret, GW_STATE_PATH_MAX, "%s/%s", s->path, name);
    QC_ASSERT(n > 0 && n < GW_STATE_PATH_MAX);
    return QC_OK;
}

qc_rc gw_state_has(const struct gw_state *s, const char *name, bool *ret, struct qc_err *err)
{
    struct stat st;

    if (fstatat(qc_fd_get(&s->dir), name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        *ret = true;
        return QC_OK;
    }
    if (errno != ENOENT)
        return QC_FAIL_OS(err, "state directory: '%s'", name);
    *ret = false;
    return QC_OK;
}

/* -- root key -------------------------------------------------------------------------------------------- */

qc_rc gw_state_put_root(const struct gw_state *s, const char *name, const struct gw_root *r,
                        struct qc_err *err)
{
    uint8_t head[KEY_HEAD] = { 0 };
    uint8_t sum[GW_DIGEST_BYTES];

    qc_put_be(head, KEY_MAGIC, 4);
    head[4] = KEY_VERSION;
    memcpy(head + 8, gw_root_catalogue(r), GW_ID_BYTES);
    QC_TRY(qc_sha256((const qc_span[]){ qc_span_of(head, sizeof head), qc_key_open(gw_root_G(r)) }, 2, sum,
                     err));
    return qc_file_write_new(qc_fd_get(&s->dir), name,
                             (const qc_span[]){ qc_span_of(head, sizeof head), qc_key_open(gw_root_G(r)),
                                                qc_span_of(sum, sizeof sum) },
                             3, 0600, err);
}

qc_rc gw_state_get_root(const struct gw_state *s, const char *name, struct gw_root **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *G = NULL;
    uint8_t head[KEY_HEAD], sum[GW_DIGEST_BYTES], want[GW_DIGEST_BYTES];
    size_t got[3] = { 0 };
    struct stat st;

    const qc_rc rc = qc_open_at(&fd, qc_fd_get(&s->dir), name, O_RDONLY | O_NOFOLLOW, 0, err);
    if (rc == QC_NOTFOUND)
        return QC_FAIL(err, QC_NOTCONF, "no gateway in '%s'", s->path);
    QC_TRY(rc);
    if (fstat(qc_fd_get(&fd), &st) != 0)
        return QC_FAIL_OS(err, "root key file");
    if ((st.st_mode & 077) != 0)
        return QC_FAIL(err, QC_AUTH, "root key file: mode %03o lets others read it, expected 600",
                       (unsigned)st.st_mode & 0777);
    QC_TRY(qc_key_blank(&G, GW_ROOT_KEY_BYTES, err));
    QC_TRY(qc_pread_full(qc_fd_get(&fd), head, sizeof head, 0, &got[0], err));
    QC_TRY(qc_pread_full(qc_fd_get(&fd), qc_key_write(G), GW_ROOT_KEY_BYTES, KEY_HEAD, &got[1], err));
    QC_TRY(qc_pread_full(qc_fd_get(&fd), sum, sizeof sum, KEY_HEAD + GW_ROOT_KEY_BYTES, &got[2], err));
    qc_key_seal(G);
    if (got[0] != sizeof head || got[1] != GW_ROOT_KEY_BYTES || got[2] != sizeof sum ||
        st.st_size != KEY_FILE || qc_get_be(head, 4) != KEY_MAGIC || qc_get_be(head + 5, 3) != 0)
        return QC_FAIL(err, QC_FORMAT, "root key file: %lld bytes that are none, expected %d",
                       (long long)st.st_size, KEY_FILE);
    if (head[4] != KEY_VERSION)
        return QC_FAIL(err, QC_NEWER, "root key file: version %u needs a newer program", head[4]);
    QC_TRY(qc_sha256((const qc_span[]){ qc_span_of(head, sizeof head), qc_key_open(G) }, 2, want, err));
    if (!qc_ct_eq(sum, want, sizeof sum))
        return QC_FAIL(err, QC_INTEGRITY, "root key file: damaged, its checksum does not hold");
    return gw_root_new(ret, head + 8, G, err);
}

/* -- bkeys ----------------------------------------------------------------------------------------------- */

static const uint8_t zero_nonce[QC_GCM_NONCE];

static qc_rc wrap_key(const struct gw_root *r, uint32_t epoch, qc_span salt, qc_key **ret, struct qc_err *err)
{
    uint8_t e[4] = { 0 };
    const qc_span context[] = { qc_span_of(e, sizeof e), salt };

    qc_put_be(e, epoch, sizeof e);
    return gw_root_key(r, "bkey", context, 2, QC_GCM_KEY, ret, err);
}

qc_rc gw_bkey_seal(const struct gw_root *r, uint32_t epoch, const uint8_t salt[GW_SALT_BYTES],
                   const qc_key *bkey, qc_buf *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    uint8_t *out;

    QC_ASSERT(qc_key_len(bkey) == GW_BKEY_BYTES);
    QC_TRY(wrap_key(r, epoch, qc_span_of(salt, GW_SALT_BYTES), &key, err));
    QC_TRY(qc_buf_extend(ret, SEALED_BKEY, &out, err));
    memcpy(out, salt, GW_SALT_BYTES);
    return qc_gcm_seal(&(struct qc_gcm){ .key = qc_key_open(key), .nonce = zero_nonce }, qc_key_open(bkey),
                       out + GW_SALT_BYTES, out + GW_SALT_BYTES + GW_BKEY_BYTES, err);
}

qc_rc gw_bkey_open(const struct gw_root *r, uint32_t epoch, qc_span sealed, qc_key **ret, struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    QC_CLEANUP(qc_key_free) qc_key *bkey = NULL;

    if (sealed.n != SEALED_BKEY)
        return QC_FAIL(err, QC_INTEGRITY, "catalogue: a backup key of %zu bytes", sealed.n);
    QC_TRY(wrap_key(r, epoch, qc_span_sub(sealed, 0, GW_SALT_BYTES), &key, err));
    QC_TRY(qc_key_blank(&bkey, GW_BKEY_BYTES, err));
    QC_TRY_AS(qc_gcm_open(&(struct qc_gcm){ .key = qc_key_open(key), .nonce = zero_nonce },
                          qc_span_sub(sealed, GW_SALT_BYTES, GW_BKEY_BYTES),
                          sealed.p + GW_SALT_BYTES + GW_BKEY_BYTES, qc_key_write(bkey), err),
              err, "catalogue: backup key of epoch %" PRIu32, epoch);
    qc_key_seal(bkey);
    *ret = QC_STEAL(bkey);
    return QC_OK;
}
