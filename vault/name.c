#include "vault/name.h"

#include "base/alloc.h"
#include "base/crypto.h"
#include "ring.h"
#include "vault/kdf.h"

#define PAD         0x80
#define BLOCK       16
#define DIRID_BYTES 32
/* A component's result: SIV, then text padded to the next whole block. */
#define RESULT_MAX (QC_SIV_TAG + (QC_VAULT_NAME_MAX / BLOCK + 1) * BLOCK)

/* A directory id; the root's is the vault id, 16 bytes, all others 32. */
struct dirid {
    uint8_t id[DIRID_BYTES];
    size_t n;
};

static struct dirid root_of(const struct vault_ring *ring)
{
    struct dirid d = { .n = VAULT_ID_BYTES };
    memcpy(d.id, ring->ids.vault, VAULT_ID_BYTES);
    return d;
}

/* dirid(P/c) = KDF(VS, "dir", ids, dirid(P), c). */
static qc_rc descend(struct dirid *d, const struct vault_ring *ring, qc_span component, struct qc_err *err)
{
    const qc_span parts[] = { qc_span_of(ring->ids.vault, VAULT_ID_BYTES),
                              qc_span_of(ring->ids.object, VAULT_ID_BYTES),
                              qc_span_of(ring->ids.version, VAULT_ID_BYTES), qc_span_of(d->id, d->n),
                              component };
    struct dirid next = { .n = DIRID_BYTES };
    QC_TRY(vault_kdf_public(next.id, ring->VS, "dir", parts, 5, DIRID_BYTES, err));
    *d = next;
    return QC_OK;
}

/* AAD = enc("name", dirid(P)): at most 8 + 4 + 8 + 32 bytes. */
struct aad {
    uint8_t bytes[8 + 4 + 8 + DIRID_BYTES];
    size_t n;
};

static struct aad aad_of(const struct dirid *d)
{
    struct aad a = { .n = 8 + 4 + 8 + d->n };
    qc_put_be(a.bytes, 4, 8);
    memcpy(a.bytes + 8, "name", 4);
    qc_put_be(a.bytes + 12, d->n, 8);
    memcpy(a.bytes + 20, d->id, d->n);
    return a;
}

static const char *component_fault(qc_span c)
{
    if (c.n == 0)
        return "an empty component";
    if (c.n > QC_VAULT_NAME_MAX)
        return "a component of more than 4096 bytes";
    for (size_t i = 0; i < c.n; i++) {
        if (c.p[i] == 0)
            return "a NUL byte";
        if (c.p[i] == '/')
            return "a slash in a component";
    }
    if ((c.n == 1 && c.p[0] == '.') || (c.n == 2 && c.p[0] == '.' && c.p[1] == '.'))
        return "a component . or ..";
    return NULL;
}

/* The component of s that starts at *at; *at moves behind its slash, or past the end. */
static qc_span next_component(qc_span s, size_t *at)
{
    size_t end = *at;
    while (end < s.n && s.p[end] != '/')
        end++;
    const qc_span c = qc_span_sub(s, *at, end - *at);
    *at = end + 1;
    return c;
}

qc_rc vault_name_check(qc_span name, struct qc_err *err)
{
    if (name.n == 0 || name.n > QC_VAULT_NAME_MAX)
        return QC_FAIL(err, QC_USAGE, "name: %zu bytes, expected 1 to %d", name.n, QC_VAULT_NAME_MAX);
    for (size_t at = 0;
         at <= name.n;) { /* at the end once more: a trailing slash leaves an empty component */
        const char *fault = component_fault(next_component(name, &at));
        if (fault != NULL)
            return QC_FAIL(err, QC_USAGE, "name: has %s", fault);
    }
    return QC_OK;
}

static qc_rc seal_component(qc_buf *ret, const struct vault_ring *ring, const struct dirid *parent, qc_span c,
                            struct qc_err *err)
{
    const size_t padded = (c.n / BLOCK + 1) * BLOCK;
    uint8_t text[(QC_VAULT_NAME_MAX / BLOCK + 1) * BLOCK] = { 0 };
    memcpy(text, c.p, c.n);
    text[c.n] = PAD;
    uint8_t result[RESULT_MAX];
    const struct aad a = aad_of(parent);
    QC_TRY(qc_siv_seal(qc_key_open(ring->name), qc_span_of(a.bytes, a.n), qc_span_of(text, padded), result,
                       err));
    QC_TRY(qc_buf_add_be(ret, QC_SIV_TAG + padded, 2, err));
    return qc_buf_add(ret, qc_span_of(result, QC_SIV_TAG + padded), err);
}

void vault_name_folder_done(struct vault_name_folder *folder)
{
    qc_buf_free(&folder->name);
    qc_buf_free(&folder->path);
}

/* It becomes the folder that name's first n bytes are, a slash the last; nobody's where something fails. */
static qc_rc folder_enter(struct vault_name_folder *f, const struct vault_ring *ring, qc_span name, size_t n,
                          struct qc_err *err)
{
    struct dirid d = root_of(ring);
    f->name.n = f->path.n = 0;
    f->name.max = f->path.max = QC_VAULT_PATH_MAX;
    for (size_t at = 0; at < n;) {
        const qc_span c = next_component(name, &at);
        QC_TRY(seal_component(&f->path, ring, &d, c, err));
        QC_TRY(descend(&d, ring, c, err));
    }
    memcpy(f->id, d.id, sizeof f->id);
    return qc_buf_add(&f->name, qc_span_sub(name, 0, n), err);
}

qc_rc vault_name_seal_next(qc_buf *ret, struct vault_name_folder *folder, const struct vault_ring *ring,
                           qc_span name, struct qc_err *err)
{
    QC_TRY(vault_name_check(name, err));
    QC_CLEANUP(qc_buf_free) qc_buf path = { .max = QC_VAULT_PATH_MAX };
    struct dirid parent = root_of(ring);
    size_t n = name.n;
    while (n > 0 && name.p[n - 1] != '/')
        n--;
    if (n > 0) {
        if (!qc_span_eq(qc_buf_span(&folder->name), qc_span_sub(name, 0, n)))
            QC_TRY(folder_enter(folder, ring, name, n, err));
        QC_TRY(qc_buf_add(&path, qc_buf_span(&folder->path), err));
        parent.n = sizeof folder->id;
        memcpy(parent.id, folder->id, sizeof folder->id);
    }
    QC_TRY(seal_component(&path, ring, &parent, qc_span_sub(name, n, name.n - n), err));
    return qc_buf_add(ret, qc_buf_span(&path), err);
}

qc_rc vault_name_seal(qc_buf *ret, const struct vault_ring *ring, qc_span name, struct qc_err *err)
{
    QC_CLEANUP(vault_name_folder_done) struct vault_name_folder alone = { .name = { 0 } };
    return vault_name_seal_next(ret, &alone, ring, name, err);
}

qc_rc vault_name_tag(uint8_t ret[16], const struct vault_ring *ring, qc_span name, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf path = { .max = QC_VAULT_PATH_MAX };
    QC_TRY(vault_name_seal(&path, ring, name, err));
    return vault_ring_path_tag(ret, ring, qc_buf_span(&path), err);
}

/* Component and its directory: decrypt, take the padding off, check the rules. */
static qc_rc open_component(qc_buf *ret, const struct vault_ring *ring, const struct dirid *parent,
                            qc_span result, struct qc_err *err)
{
    if (result.n < QC_SIV_TAG + BLOCK || result.n > RESULT_MAX || result.n % BLOCK != 0)
        return QC_FAIL(err, QC_FORMAT, "path: a component of %zu bytes", result.n);
    uint8_t text[RESULT_MAX - QC_SIV_TAG];
    const struct aad a = aad_of(parent);
    const qc_rc rc = qc_siv_open(qc_key_open(ring->name), qc_span_of(a.bytes, a.n), result, text, err);
    if (rc == QC_INTEGRITY)
        return QC_FAIL(err, QC_INTEGRITY, "name: a component does not authenticate in its directory");
    QC_TRY(rc);
    size_t n = result.n - QC_SIV_TAG;
    const size_t padded = n;
    while (n > 0 && text[n - 1] == 0)
        n--;
    if (n == 0 || text[n - 1] != PAD || ((n - 1) / BLOCK + 1) * BLOCK != padded)
        return QC_FAIL(err, QC_INTEGRITY, "name: padding");
    const qc_span c = qc_span_of(text, n - 1);
    const char *fault = component_fault(c);
    if (fault != NULL)
        return QC_FAIL(err, QC_INTEGRITY, "name: has %s", fault);
    return qc_buf_add(ret, c, err);
}

/* A directory on the way to the last path: where it ends in path and name, and its id. */
struct vault_name_level {
    size_t path_end, name_end;
    struct dirid id;
};

void vault_name_cache_done(struct vault_name_cache *cache)
{
    qc_free(cache->level);
    qc_buf_free(&cache->path);
    qc_buf_free(&cache->name);
    *cache = (struct vault_name_cache){ 0 };
}

static qc_rc push_level(struct vault_name_cache *c, const struct vault_name_level *level, struct qc_err *err)
{
    if (c->count == c->cap) {
        const size_t cap = c->cap == 0 ? 8 : 2 * c->cap;
        struct vault_name_level *grown = qc_realloc(c->level, cap * sizeof *grown);
        if (grown == NULL)
            return QC_FAIL(err, QC_NOMEM, "name: directories");
        c->level = grown;
        c->cap = cap;
    }
    c->level[c->count++] = *level;
    return QC_OK;
}

/* Drop the levels that are not on the way to path; what stays is its known part. */
static void keep_common(struct vault_name_cache *c, qc_span path)
{
    size_t keep = 0;
    while (keep < c->count) {
        const size_t end = c->level[keep].path_end;
        if (end >= path.n || !qc_span_eq(qc_span_sub(path, 0, end), qc_span_of(c->path.p, end)))
            break;
        keep++;
    }
    c->count = keep;
    c->path.n = keep == 0 ? 0 : c->level[keep - 1].path_end;
    c->name.n = keep == 0 ? 0 : c->level[keep - 1].name_end;
}

/* The rest of path behind what the cache knows; afterwards cache->path and cache->name are all of it. */
static qc_rc open_rest(struct vault_name_cache *c, const struct vault_ring *ring, qc_span path,
                       struct qc_err *err)
{
    qc_rd r = { .s = path, .at = c->path.n };
    while (qc_rd_left(&r) > 0) {
        const struct dirid parent = c->count == 0 ? root_of(ring) : c->level[c->count - 1].id;
        const size_t before = r.at;
        const qc_span result = qc_rd_bytes(&r, qc_rd_be(&r, 2));
        if (!qc_rd_ok(&r))
            return QC_FAIL(err, QC_FORMAT, "path: cut in a component");
        if (c->name.n > 0)
            QC_TRY(qc_buf_add(&c->name, QC_LIT("/"), err));
        const size_t start = c->name.n;
        QC_TRY(open_component(&c->name, ring, &parent, result, err));
        QC_TRY(qc_buf_add(&c->path, qc_span_sub(path, before, r.at - before), err));
        if (qc_rd_left(&r) == 0)
            break;
        struct vault_name_level level = { .path_end = r.at, .name_end = c->name.n, .id = parent };
        QC_TRY(descend(&level.id, ring, qc_span_of(c->name.p + start, c->name.n - start), err));
        QC_TRY(push_level(c, &level, err));
    }
    return QC_OK;
}

qc_rc vault_name_open(qc_buf *ret, const struct vault_ring *ring, qc_span path,
                      struct vault_name_cache *cache, struct qc_err *err)
{
    if (path.n == 0 || path.n > QC_VAULT_PATH_MAX)
        return QC_FAIL(err, QC_FORMAT, "path: %zu bytes, expected 1 to %d", path.n, QC_VAULT_PATH_MAX);
    QC_CLEANUP(vault_name_cache_done) struct vault_name_cache own = { 0 };
    struct vault_name_cache *c = cache != NULL ? cache : &own;
    c->path.max = QC_VAULT_PATH_MAX;
    c->name.max = QC_VAULT_NAME_MAX;
    keep_common(c, path);
    qc_rc rc = open_rest(c, ring, path, err);
    if (rc == QC_LIMIT) /* the name outgrew its buffer: FORMAT 5.1 forbids such a name */
        rc = QC_FAIL(err, QC_INTEGRITY, "name: over %d bytes", QC_VAULT_NAME_MAX);
    if (rc == QC_OK)
        return qc_buf_add(ret, qc_buf_span(&c->name), err);
    c->count = 0; /* after a failure nothing is remembered */
    return rc;
}
