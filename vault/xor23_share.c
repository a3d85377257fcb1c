#include <string.h>

#include "base/secret.h"
#include "scheme.h"
#include "xor23_format.h"

/* In secret memory: the data of a chunk, the headers, and as many times three chunks as are lent; a share
 * that is drawn is so where it is written. */
typedef uint8_t trio[SS_XOR23_SHARES][XOR23_ROOM];
struct room {
    uint8_t S[SS_XOR23_BLOCK];
    uint8_t header[SS_XOR23_SHARES][VAULT_XOR23_HEADER];
    trio chunks[]; /* one, or VAULT_XOR23_LENT of them */
};

static qc_rc fill(const struct vault_source *source, uint8_t *S, size_t *ret_n, struct qc_err *err)
{
    size_t n = 0, got = 1;
    while (n < SS_XOR23_BLOCK && got > 0) {
        QC_TRY(source->read(source->ctx, S + n, SS_XOR23_BLOCK - n, &got, err));
        QC_ASSERT(got <= SS_XOR23_BLOCK - n);
        n += got;
    }
    *ret_n = n;
    return QC_OK;
}

static qc_span key_at(trio chunk, unsigned j, unsigned i)
{
    return qc_span_of(chunk[j] + XOR23_KEYS + XOR23_KEY * xor23_slot(j, i), XOR23_KEY);
}

/* The keys for the two others in each head, then the tags, each under the key that the other one has, in the
 * order of their slots. */
static qc_rc protect(trio chunk, const struct vault_xor23_header *header, size_t n, const qc_rng *rng,
                     struct qc_err *err)
{
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        QC_TRY(qc_rng_fill(rng, chunk[i] + XOR23_KEYS, 2 * XOR23_KEY, err));
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++) {
        qc_span key[2];
        uint8_t tags[2][16];
        for (unsigned j = 0; j < SS_XOR23_SHARES; j++)
            if (i != j)
                key[xor23_slot(i, j)] = key_at(chunk, j, i);
        const qc_span all = qc_span_of(chunk[i], VAULT_XOR23_HEAD + ss_xor23_size(n));
        QC_TRY(xor23_tags(header, i, key, 2, all, tags, err));
        memcpy(chunk[i] + XOR23_TAGS, tags, sizeof tags);
    }
    return QC_OK;
}

static qc_rc share_chunk(uint8_t *S, size_t n, trio chunk, uint64_t number,
                         const struct vault_xor23_header *header, const qc_rng *rng, struct qc_err *err)
{
    const struct scheme *s = scheme_of(header->scheme);
    uint8_t *share[SS_XOR23_SHARES];
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++) {
        share[i] = chunk[i] + VAULT_XOR23_HEAD;
        xor23_prefix_write(chunk[i], number, n);
    }
    if (s->drawn < SS_XOR23_SHARES)
        QC_TRY(qc_rng_fill(rng, share[s->drawn], ss_xor23_size(n), err));
    if (n % 2 != 0)
        S[n] = 0;
    if (n > 0)
        QC_TRY(s->split(S, n, share, err));
    return protect(chunk, header, n, rng, err);
}

static qc_rc headers(struct room *m, const struct vault_xor23_header *header,
                     const struct vault_xor23_out *out, struct qc_err *err)
{
    struct vault_xor23_header own = *header;
    for (own.letter = SS_XOR23_A; own.letter < SS_XOR23_SHARES; own.letter++) {
        vault_xor23_header_write(&own, m->header[own.letter]);
        QC_TRY(out->write(out->ctx, own.letter, qc_span_of(m->header[own.letter], VAULT_XOR23_HEADER), err));
    }
    return QC_OK;
}

static qc_rc share_all(struct room *m, const struct vault_source *source,
                       const struct vault_xor23_header *header, const qc_rng *rng,
                       const struct vault_xor23_out *out, uint64_t *ret_size, struct qc_err *err)
{
    const unsigned places = out->settle != NULL ? VAULT_XOR23_LENT : 1;
    uint64_t size = 0;
    size_t n = SS_XOR23_BLOCK;
    QC_TRY(headers(m, header, out, err));
    for (uint64_t number = 0; n == SS_XOR23_BLOCK; number++) {
        uint8_t(*chunk)[XOR23_ROOM] = m->chunks[number % places];
        QC_TRY(fill(source, m->S, &n, err));
        QC_TRY(share_chunk(m->S, n, chunk, number, header, rng, err));
        for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
            QC_TRY(out->write(out->ctx, i, qc_span_of(chunk[i], VAULT_XOR23_HEAD + ss_xor23_size(n)), err));
        size += n;
    }
    if (source->unchanged != NULL)
        QC_TRY(source->unchanged(source->ctx, size, err));
    *ret_size = size;
    return QC_OK;
}

qc_rc vault_xor23_share(const struct vault_source *source, const struct vault_xor23_header *header,
                        const qc_rng *rng, const struct vault_xor23_out *out, uint64_t *ret_size,
                        struct qc_err *err)
{
    QC_CLEANUP(qc_secret_free) struct qc_secret memory = { 0 };
    const size_t places = out->settle != NULL ? VAULT_XOR23_LENT : 1;
    QC_TRY(qc_secret_new_data(&memory, sizeof(struct room) + places * sizeof(trio), err));
    const qc_rc rc = share_all(memory.p, source, header, rng, out, ret_size, err);
    if (out->settle != NULL)
        out->settle(out->ctx, rc != QC_OK);
    return rc;
}
