#include "base/secret.h"
#include "scheme.h"
#include "xor23_format.h"

/* In secret memory: the data of a chunk, and its three chunks; a share that is drawn is so where it is
 * written. */
struct room {
    uint8_t S[SS_XOR23_BLOCK];
    uint8_t chunk[SS_XOR23_SHARES][XOR23_ROOM];
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

static qc_span key_at(const struct room *m, unsigned j, unsigned i)
{
    return qc_span_of(m->chunk[j] + XOR23_KEYS + XOR23_KEY * xor23_slot(j, i), XOR23_KEY);
}

/* The keys for the two others in each head, then the tags, each under the key that the other one has. */
static qc_rc protect(struct room *m, const struct vault_xor23_header *header, size_t n, const qc_rng *rng,
                     struct qc_err *err)
{
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        QC_TRY(qc_rng_fill(rng, m->chunk[i] + XOR23_KEYS, 2 * XOR23_KEY, err));
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        for (unsigned j = 0; j < SS_XOR23_SHARES; j++)
            if (i != j)
                QC_TRY(xor23_tag(header, i, key_at(m, j, i), m->chunk[i], n,
                                 m->chunk[i] + XOR23_TAGS + 16 * xor23_slot(i, j), err));
    return QC_OK;
}

static qc_rc chunk(struct room *m, const struct vault_xor23_header *header, uint64_t number, size_t n,
                   const qc_rng *rng, struct qc_err *err)
{
    const struct scheme *s = scheme_of(header->scheme);
    uint8_t *share[SS_XOR23_SHARES];
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++) {
        share[i] = m->chunk[i] + VAULT_XOR23_HEAD;
        xor23_prefix_write(m->chunk[i], number, n);
    }
    if (s->drawn < SS_XOR23_SHARES)
        QC_TRY(qc_rng_fill(rng, share[s->drawn], ss_xor23_size(n), err));
    if (n % 2 != 0)
        m->S[n] = 0;
    if (n > 0)
        QC_TRY(s->split(m->S, n, share, err));
    return protect(m, header, n, rng, err);
}

static qc_rc headers(const struct vault_xor23_header *header, const struct vault_xor23_out *out,
                     struct qc_err *err)
{
    struct vault_xor23_header own = *header;
    uint8_t bytes[VAULT_XOR23_HEADER];
    for (own.letter = SS_XOR23_A; own.letter < SS_XOR23_SHARES; own.letter++) {
        vault_xor23_header_write(&own, bytes);
        QC_TRY(out->write(out->ctx, own.letter, qc_span_of(bytes, sizeof bytes), err));
    }
    return QC_OK;
}

static qc_rc share_all(struct room *m, const struct vault_source *source,
                       const struct vault_xor23_header *header, const qc_rng *rng,
                       const struct vault_xor23_out *out, uint64_t *ret_size, struct qc_err *err)
{
    uint64_t size = 0;
    size_t n = SS_XOR23_BLOCK;
    for (uint64_t number = 0; n == SS_XOR23_BLOCK; number++) {
        QC_TRY(fill(source, m->S, &n, err));
        QC_TRY(chunk(m, header, number, n, rng, err));
        for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
            QC_TRY(
                out->write(out->ctx, i, qc_span_of(m->chunk[i], VAULT_XOR23_HEAD + ss_xor23_size(n)), err));
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
    QC_TRY(qc_secret_new_data(&memory, sizeof(struct room), err));
    QC_TRY(headers(header, out, err));
    return share_all(memory.p, source, header, rng, out, ret_size, err);
}
