#include "xor23_format.h"

#include "base/onetime.h"
#include "scheme.h"

enum { VERSION = 1, LOG2 = 20 };
_Static_assert(1 << LOG2 == SS_XOR23_BLOCK, "a chunk is a block");

/* VAULT_SCHEMES: none has this magic. */
static enum vault_scheme scheme_by(qc_span magic)
{
    unsigned s = 0;
    while (s < VAULT_SCHEMES && !qc_span_eq(magic, qc_span_str(scheme_of(s)->magic)))
        s++;
    return s;
}

qc_rc vault_xor23_header_parse(qc_span in, struct vault_xor23_header *ret, struct qc_err *err)
{
    struct vault_xor23_header h = { 0 };
    qc_rd r = { .s = in };
    h.scheme = scheme_by(qc_rd_bytes(&r, 4));
    const uint64_t version = qc_rd_be(&r, 1), letter = qc_rd_be(&r, 1), maker = qc_rd_be(&r, 1);
    const uint64_t log2 = qc_rd_be(&r, 1);
    qc_rd_copy(&r, h.ids.object, sizeof h.ids.object);
    qc_rd_copy(&r, h.ids.version, sizeof h.ids.version);
    if (!qc_rd_end(&r) || h.scheme == VAULT_SCHEMES || version == 0)
        return QC_FAIL(err, QC_FORMAT, "no header of a share file, %zu bytes", in.n);
    if (version > VERSION || maker > VAULT_XOR23_MAKERS)
        return QC_FAIL(err, QC_NEWER, "a share file of version %u, randomness %u", (unsigned)version,
                       (unsigned)maker);
    if (letter < 1 || letter > SS_XOR23_SHARES || maker == 0 || log2 != LOG2)
        return QC_FAIL(err, QC_FORMAT, "a share file with letter %u, randomness %u, chunks of 2^%u",
                       (unsigned)letter, (unsigned)maker, (unsigned)log2);
    h.letter = (enum ss_xor23)(letter - 1);
    h.maker = (unsigned)maker;
    *ret = h;
    return QC_OK;
}

void vault_xor23_header_write(const struct vault_xor23_header *h, uint8_t out[VAULT_XOR23_HEADER])
{
    QC_ASSERT(h->letter < SS_XOR23_SHARES && h->maker >= 1 && h->maker <= VAULT_XOR23_MAKERS);
    memcpy(out, scheme_of(h->scheme)->magic, 4);
    out[4] = VERSION;
    out[5] = (uint8_t)(h->letter + 1);
    out[6] = (uint8_t)h->maker;
    out[7] = LOG2;
    memcpy(out + 8, h->ids.object, VAULT_ID_BYTES);
    memcpy(out + 24, h->ids.version, VAULT_ID_BYTES);
}

uint64_t vault_xor23_chunks(uint64_t size)
{
    QC_ASSERT(size <= INT64_MAX);
    return size / SS_XOR23_BLOCK + 1;
}

uint64_t vault_xor23_file_size(uint64_t size)
{
    return VAULT_XOR23_HEADER + vault_xor23_chunks(size) * VAULT_XOR23_HEAD + size + size % 2;
}

uint64_t vault_xor23_random(enum vault_scheme scheme, uint64_t size)
{
    const bool draws = scheme_of(scheme)->drawn < SS_XOR23_SHARES;
    return vault_xor23_chunks(size) * VAULT_XOR23_RANDOM + (draws ? size + size % 2 : 0);
}

uint64_t vault_xor23_data_size(uint64_t file_size)
{
    const uint64_t chunk = VAULT_XOR23_HEAD + SS_XOR23_BLOCK;
    if (file_size < VAULT_XOR23_HEADER + VAULT_XOR23_HEAD)
        return 0;
    const uint64_t all = file_size - VAULT_XOR23_HEADER, chunks = (all + chunk - 1) / chunk;
    const uint64_t heads = chunks * VAULT_XOR23_HEAD;
    return all < heads ? 0 : all - heads;
}

size_t xor23_slot(enum ss_xor23 letter, enum ss_xor23 other)
{
    return (size_t)(other - (other > letter));
}

char xor23_name(enum ss_xor23 letter)
{
    return "ABC"[letter];
}

void xor23_prefix_write(uint8_t *head, uint64_t number, size_t n)
{
    qc_put_be(head, number, 8);
    qc_put_be(head + 8, n, 4);
    qc_put_be(head + 12, 0, 4);
}

qc_rc xor23_prefix_parse(const uint8_t *head, uint64_t number, size_t *ret_n, struct qc_err *err)
{
    const uint64_t is = qc_get_be(head, 8), n = qc_get_be(head + 8, 4), zero = qc_get_be(head + 12, 4);
    if (is != number || n > SS_XOR23_BLOCK || zero != 0)
        return QC_FAIL(err, QC_FORMAT, "the head is of chunk %llu, %llu bytes", (unsigned long long)is,
                       (unsigned long long)n);
    *ret_n = (size_t)n;
    return QC_OK;
}

qc_rc xor23_tags(const struct vault_xor23_header *h, enum ss_xor23 letter, const qc_span *key, size_t keys,
                 qc_span chunk, uint8_t out[][16], struct qc_err *err)
{
    struct vault_xor23_header own = *h;
    uint8_t header[VAULT_XOR23_HEADER];
    own.letter = letter;
    vault_xor23_header_write(&own, header);
    const qc_span parts[3] = { { header, sizeof header },
                               qc_span_sub(chunk, 0, XOR23_PREFIX),
                               qc_span_from(chunk, VAULT_XOR23_HEAD) };
    return qc_poly1305_each(key, keys, parts, 3, out, err);
}
