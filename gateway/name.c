/* Names of objects on clouds (FORMAT 9): one block of a keyed permutation, so that a listing turns back into
 * ids. */
#include <stdio.h>

#include "base/codec.h"
#include "base/thread.h"
#include "root_internal.h"

enum {
    BLOCK = 16,
    HEX = 2 * BLOCK,
    INDEX_LOG = 0xFE,
    INDEX_ROOT = 0xFD,
    INDEX_CUT = 0xFC,
    INDEX_PACK = 0xFB,
    INDEX_NOTES = 0xFA
};

const char gw_name_identity[] = "i/cloud";

static qc_rc derive(const struct gw_root *r, uint32_t cloud_id, qc_key **ret, struct qc_err *err)
{
    uint8_t id[4];

    qc_put_be(id, cloud_id, sizeof id);
    return gw_root_key(r, "names", &(qc_span){ id, sizeof id }, 1, 32, ret, err);
}

/* *ret is the table's, or *own's when the table is full. */
static qc_rc name_key(const struct gw_root *shared, uint32_t cloud_id, const qc_key **ret, qc_key **own,
                      struct qc_err *err)
{
    struct gw_root *r =
        (struct gw_root *)(uintptr_t)shared; /* the table is a cache: const for everybody else */
    QC_LOCK(&r->names_lock);

    for (unsigned i = 0; i < r->name_count; i++) {
        if (r->names[i].cloud_id == cloud_id) {
            *ret = r->names[i].key;
            return QC_OK;
        }
    }
    QC_TRY(derive(r, cloud_id, own, err));
    *ret = *own;
    if (r->name_count < QC_GW_CLOUDS_MAX)
        r->names[r->name_count++] = (struct gw_name_key){ cloud_id, QC_STEAL(*own) };
    return QC_OK;
}

static void fill_block(const struct gw_name *name, uint8_t b[BLOCK])
{
    memset(b, 0, BLOCK);
    qc_put_be(b, name->id, 8);
    switch (name->kind) {
    case GW_NAME_FRAGMENT:
        QC_ASSERT(name->index < QC_EC_N_MAX);
        b[8] = name->index;
        b[9] = name->attempt;
        qc_put_be(b + 10, name->incarnation, 2);
        memcpy(b + 12, name->salt, 4);
        break;
    case GW_NAME_LOG:
        b[8] = INDEX_LOG;
        qc_put_be(b + 10, name->incarnation, 2);
        break;
    case GW_NAME_ROOT:
        b[8] = INDEX_ROOT;
        break;
    case GW_NAME_CUT:
        b[8] = INDEX_CUT;
        break;
    case GW_NAME_PACK:
    case GW_NAME_NOTES:
        b[8] = name->kind == GW_NAME_PACK ? INDEX_PACK : INDEX_NOTES;
        qc_put_be(b + 10, name->incarnation, 2);
        qc_put_be(b + 12, name->serial, 4);
        break;
    case GW_NAME_FOREIGN:
    case GW_NAME_IDENTITY:
        break; /* gw_name_make keeps them out */
    }
}

void gw_name_block(const struct gw_name *name, uint8_t ret[BLOCK])
{
    QC_ASSERT(name->kind == GW_NAME_PACK || name->kind == GW_NAME_NOTES);
    fill_block(name, ret);
}

/* The letter before the first slash. */
static char prefix_of(enum gw_name_kind kind)
{
    switch (kind) {
    case GW_NAME_FRAGMENT:
        return 'f';
    case GW_NAME_LOG:
        return 'l';
    case GW_NAME_PACK:
    case GW_NAME_NOTES:
        return 's';
    case GW_NAME_ROOT:
    case GW_NAME_CUT:
        return 'r';
    case GW_NAME_FOREIGN:
    case GW_NAME_IDENTITY:
        break; /* gw_name_make keeps them out */
    }
    return '?';
}

qc_rc gw_name_make(const struct gw_root *r, uint32_t cloud_id, const struct gw_name *name,
                   char ret[GW_NAME_SIZE], struct qc_err *err)
{
    QC_ASSERT(name->kind != GW_NAME_FOREIGN);
    if (name->kind == GW_NAME_IDENTITY) {
        memcpy(ret, gw_name_identity, sizeof gw_name_identity);
        return QC_OK;
    }
    QC_CLEANUP(qc_key_free) qc_key *own = NULL;
    const qc_key *key = NULL;
    uint8_t block[BLOCK];
    char hex[HEX + 1];

    fill_block(name, block);
    QC_TRY(name_key(r, cloud_id, &key, &own, err));
    QC_TRY(qc_aes256_block_enc(qc_key_open(key), block, block, err));
    qc_hex(qc_span_of(block, sizeof block), hex);
    const char prefix = prefix_of(name->kind);
    if (prefix != 'r') {
        (void)snprintf(ret, GW_NAME_SIZE, "%c/%.2s/%s", prefix, hex, hex);
        return QC_OK;
    }
    QC_ASSERT(name->id <= UINT32_MAX);
    (void)snprintf(ret, GW_NAME_SIZE, "r/%08x/%s", (unsigned)name->id, hex);
    return QC_OK;
}

static bool all_zero(const uint8_t *p, size_t n)
{
    uint8_t any = 0;

    for (size_t i = 0; i < n; i++)
        any |= p[i];
    return any == 0;
}

/* prefix: 'f', 'l', 's' or 'r'; folder: what stands between the slashes, as a number, where it has a meaning.
 */
static struct gw_name read_block(char prefix, uint64_t folder, const uint8_t b[BLOCK])
{
    const struct gw_name foreign = { .kind = GW_NAME_FOREIGN };
    struct gw_name n = { .id = qc_get_be(b, 8) };

    if (prefix == 'f') {
        n.kind = GW_NAME_FRAGMENT;
        n.index = b[8];
        n.attempt = b[9];
        n.incarnation = (uint16_t)qc_get_be(b + 10, 2);
        memcpy(n.salt, b + 12, 4);
        return n.index < QC_EC_N_MAX ? n : foreign;
    }
    if (prefix == 'l') {
        n.kind = GW_NAME_LOG;
        n.incarnation = (uint16_t)qc_get_be(b + 10, 2);
        return b[8] == INDEX_LOG && b[9] == 0 && all_zero(b + 12, 4) ? n : foreign;
    }
    if (prefix == 's') {
        n.kind = b[8] == INDEX_PACK ? GW_NAME_PACK : GW_NAME_NOTES;
        n.incarnation = (uint16_t)qc_get_be(b + 10, 2);
        n.serial = (uint32_t)qc_get_be(b + 12, 4);
        return (b[8] == INDEX_PACK || b[8] == INDEX_NOTES) && b[9] == 0 && n.serial > 0 ? n : foreign;
    }
    if (!all_zero(b + 9, 7) || n.id != folder || (b[8] != INDEX_ROOT && b[8] != INDEX_CUT))
        return foreign;
    n.kind = b[8] == INDEX_ROOT ? GW_NAME_ROOT : GW_NAME_CUT;
    return n;
}

/* The 32 digits of a name, or NULL. */
static const char *name_digits(const char *key, uint64_t *folder)
{
    const size_t len = strlen(key), shard = key[0] == 'r' ? 8 : 2;
    uint8_t raw[4];

    *folder = 0;
    if (len != 2 + shard + 1 + HEX || strchr("flrs", key[0]) == NULL || key[1] != '/' ||
        key[2 + shard] != '/')
        return NULL;
    const char *digits = key + 2 + shard + 1;
    if (key[0] != 'r')
        return key[2] == digits[0] && key[3] == digits[1] ? digits : NULL;
    struct qc_err ignored = { 0 };
    if (qc_hex_dec(qc_span_of(key + 2, 8), raw, sizeof raw, &ignored) != QC_OK)
        return NULL;
    *folder = qc_get_be(raw, sizeof raw);
    return digits;
}

qc_rc gw_name_parse(const struct gw_root *r, uint32_t cloud_id, const char *key, struct gw_name *ret,
                    struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *own = NULL;
    const qc_key *k = NULL;
    uint8_t block[BLOCK];
    uint64_t folder = 0;
    struct qc_err ignored = { 0 };

    if (strcmp(key, gw_name_identity) == 0) {
        *ret = (struct gw_name){ .kind = GW_NAME_IDENTITY };
        return QC_OK;
    }
    const char *digits = name_digits(key, &folder);
    if (digits == NULL || qc_hex_dec(qc_span_of(digits, HEX), block, sizeof block, &ignored) != QC_OK) {
        *ret = (struct gw_name){ .kind = GW_NAME_FOREIGN };
        return QC_OK;
    }
    QC_TRY(name_key(r, cloud_id, &k, &own, err));
    QC_TRY(qc_aes256_block_dec(qc_key_open(k), block, block, err));
    *ret = read_block(key[0], folder, block);
    return QC_OK;
}
