#include "ec/coder.h"
#include "base/limits.h"
#include "base/thread.h"
#include "gf256.h"

#include <liberasurecode/erasurecode.h>
#include <liberasurecode/erasurecode_backend.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

/*
 * Why the back end's operations and not liberasurecode_encode and _decode: those allocate and copy every
 * piece and want 80 bytes of their own before each, which FORMAT does not have. The operations work on raw
 * pieces in place; measured for k = 3, m = 2 and 1 MiB, 27 GB/s against 2.
 *
 * E1: instances are created under `lock`; one that was published is never destroyed: its pointer and matrix
 * stay valid. E2: a coder is published only after its matrix was found to be FORMAT's.
 */
struct ec_coder {
    bool made; /* read and written under table.lock; the rest never changes once it is set */
    unsigned k;
    unsigned m;
    ec_backend_t instance; /* the library's, NULL for m = 0: then there is nothing to compute */
};

static struct {
    pthread_mutex_t lock; /* guards coder, and the library's creation of descriptors */
    struct ec_coder coder[QC_EC_N_MAX + 1][QC_EC_N_MAX + 1];
} table = { .lock = PTHREAD_MUTEX_INITIALIZER };

_Static_assert(QC_EC_N_MAX <= EC_MAX_FRAGMENTS, "the library's bitmaps hold so many pieces");
_Static_assert(QC_EC_N_MAX <= QC_EC_ALIGN, "matrix_check puts one mark per data piece into a smallest piece");

/* The library's arrays lack const; it reads what is not missing and writes what is. */
struct piece_table {
    char *data[QC_EC_N_MAX];
    char *parity[QC_EC_N_MAX];
    int missing[QC_EC_N_MAX + 1]; /* ends with -1 */
};

static char *unconst(const uint8_t *p)
{
    return (char *)(uintptr_t)p;
}

static int run_encode(const struct ec_coder *c, struct piece_table *t, size_t piece_size)
{
    return c->instance->common.ops->encode(c->instance->desc.backend_desc, t->data, t->parity,
                                           (int)piece_size);
}

static int run_reconstruct(const struct ec_coder *c, struct piece_table *t, unsigned index, size_t piece_size)
{
    return c->instance->common.ops->reconstruct(c->instance->desc.backend_desc, t->data, t->parity,
                                                t->missing, (int)index, (int)piece_size);
}

static void piece_size_assert(size_t piece_size)
{
    QC_ASSERT(piece_size >= QC_EC_ALIGN);
    QC_ASSERT(piece_size <= QC_EC_STRIPE_SIZE);
    QC_ASSERT(piece_size % QC_EC_ALIGN == 0);
}

/*
 * Encode pieces that are zero but for a 1 at byte j of piece j: byte j of parity i is then the matrix's a_ij.
 */
static qc_rc matrix_check(const struct ec_coder *c, struct qc_err *err)
{
    uint8_t piece[2 * QC_EC_N_MAX][QC_EC_ALIGN];
    memset(piece, 0, sizeof piece);
    struct piece_table t;
    for (unsigned j = 0; j < c->k; j++) {
        piece[j][j] = 1;
        t.data[j] = (char *)piece[j];
    }
    for (unsigned i = 0; i < c->m; i++)
        t.parity[i] = (char *)piece[c->k + i];
    if (run_encode(c, &t, QC_EC_ALIGN) != 0)
        return QC_FAIL(err, QC_NOMEM, "coding: liberasurecode could not encode 64 bytes");
    for (unsigned i = c->k; i < c->k + c->m; i++)
        for (unsigned j = 0; j < QC_EC_ALIGN; j++) {
            uint8_t expected = j < c->k ? ec_gf_inv((uint8_t)(i ^ j)) : 0;
            if (piece[i][j] != expected)
                return QC_FAIL(
                    err, QC_NOTCONF,
                    "coding: the installed liberasurecode or libisal2 has %u in row %u, column %u of the "
                    "matrix for k = %u, expected %u",
                    piece[i][j], i, j, c->k, expected);
        }
    return QC_OK;
}

static qc_rc instance_create(unsigned k, unsigned m, ec_backend_t *ret, struct qc_err *err)
{
    /* The library opens ISA-L by dlopen, and Debian's package only suggests it. */
    if (!liberasurecode_backend_available(EC_BACKEND_ISA_L_RS_CAUCHY))
        return QC_FAIL(err, QC_NOTCONF, "coding: ISA-L is missing; install the package libisal2");
    /* Members of its structs are used here: they may move between minor versions, not within one. */
    if (liberasurecode_get_version() >> 8 != LIBERASURECODE_VERSION >> 8)
        return QC_FAIL(err, QC_NOTCONF, "coding: liberasurecode is version %x, built for %x",
                       (unsigned)liberasurecode_get_version(), (unsigned)LIBERASURECODE_VERSION);
    struct ec_args args = { .k = (int)k, .m = (int)m, .ct = CHKSUM_NONE };
    int desc = liberasurecode_instance_create(EC_BACKEND_ISA_L_RS_CAUCHY, &args);
    if (desc == -ENOMEM)
        return QC_FAIL(err, QC_NOMEM, "coding: no memory for EC(%u,%u)", k, k + m);
    if (desc <= 0)
        return QC_FAIL(err, QC_NOTCONF, "coding: liberasurecode refuses EC(%u,%u) with error %d", k, k + m,
                       desc);
    *ret = liberasurecode_backend_instance_get_by_desc(desc);
    QC_ASSERT(*ret != NULL);
    return QC_OK;
}

static qc_rc coder_make(unsigned k, unsigned m, struct ec_coder *ret, struct qc_err *err)
{
    struct ec_coder c = { .made = true, .k = k, .m = m };
    if (m > 0) {
        QC_TRY(instance_create(k, m, &c.instance, err));
        qc_rc rc = matrix_check(&c, err); /* E2 */
        if (rc != QC_OK) {
            (void)liberasurecode_instance_destroy(
                c.instance->idesc); /* never published, and `lock` is held */
            return rc;
        }
    }
    *ret = c;
    return QC_OK;
}

qc_rc ec_coder_get(unsigned k, unsigned m, const struct ec_coder **ret, struct qc_err *err)
{
    if (k < 1 || k > QC_EC_N_MAX || m > QC_EC_N_MAX - k)
        return QC_FAIL(err, QC_USAGE, "coding: k = %u, m = %u, expected k >= 1 and k + m <= %u", k, m,
                       (unsigned)QC_EC_N_MAX);
    QC_LOCK(&table.lock);
    struct ec_coder *c = &table.coder[k][m];
    if (!c->made)
        QC_TRY(coder_make(k, m, c, err));
    *ret = c;
    return QC_OK;
}

unsigned ec_coder_k(const struct ec_coder *c)
{
    return c->k;
}

unsigned ec_coder_n(const struct ec_coder *c)
{
    return c->k + c->m;
}

qc_rc ec_stripe_encode(const struct ec_coder *c, const uint8_t *const *data, size_t piece_size,
                       uint8_t *const *parity, struct qc_err *err)
{
    piece_size_assert(piece_size);
    if (c->m == 0)
        return QC_OK;
    struct piece_table t;
    for (unsigned j = 0; j < c->k; j++)
        t.data[j] = unconst(data[j]);
    for (unsigned i = 0; i < c->m; i++)
        t.parity[i] = (char *)parity[i];
    if (run_encode(c, &t, piece_size) != 0)
        return QC_FAIL(err, QC_NOMEM, "coding: no memory to encode %zu bytes", piece_size);
    return QC_OK;
}

qc_rc ec_stripe_encode_block(const struct ec_coder *c, const uint8_t *data, size_t piece_size,
                             uint8_t *const *parity, struct qc_err *err)
{
    const uint8_t *piece[QC_EC_N_MAX];
    for (unsigned j = 0; j < c->k; j++)
        piece[j] = data + j * piece_size;
    return ec_stripe_encode(c, piece, piece_size, parity, err);
}

/* The table of what is there and what is not; `without` counts as missing. */
static qc_rc table_fill(const struct ec_coder *c, const uint8_t *const *pieces, unsigned without,
                        struct piece_table *ret, struct qc_err *err)
{
    unsigned missing = 0;
    for (unsigned i = 0; i < c->k + c->m; i++) {
        *(i < c->k ? &ret->data[i] : &ret->parity[i - c->k]) = unconst(pieces[i]);
        if (pieces[i] == NULL || i == without)
            ret->missing[missing++] = (int)i;
    }
    if (missing > c->m)
        return QC_FAIL(err, QC_QUORUM, "coding: %u pieces of a stripe, expected at least %u",
                       c->k + c->m - missing, c->k);
    ret->missing[missing] = -1;
    return QC_OK;
}

qc_rc ec_stripe_decode(const struct ec_coder *c, const uint8_t *const *pieces, size_t piece_size,
                       uint8_t *const *data_out, struct qc_err *err)
{
    piece_size_assert(piece_size);
    struct piece_table t;
    QC_TRY(table_fill(c, pieces, QC_EC_N_MAX, &t, err));
    for (unsigned j = 0; j < c->k; j++) {
        if (pieces[j] != NULL || data_out[j] == NULL)
            continue;
        t.data[j] = (char *)data_out[j];
        if (run_reconstruct(c, &t, j, piece_size) != 0)
            return QC_FAIL(err, QC_NOMEM, "coding: no memory to decode %zu bytes", piece_size);
    }
    return QC_OK;
}

qc_rc ec_piece_rebuild(const struct ec_coder *c, const uint8_t *const *pieces, unsigned index,
                       size_t piece_size, uint8_t *out, struct qc_err *err)
{
    piece_size_assert(piece_size);
    QC_ASSERT(index < c->k + c->m);
    struct piece_table t;
    QC_TRY(table_fill(c, pieces, index, &t, err));
    *(index < c->k ? &t.data[index] : &t.parity[index - c->k]) = (char *)out;
    if (run_reconstruct(c, &t, index, piece_size) != 0)
        return QC_FAIL(err, QC_NOMEM, "coding: no memory to rebuild %zu bytes", piece_size);
    return QC_OK;
}
