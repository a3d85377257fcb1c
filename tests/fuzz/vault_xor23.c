/* fuzz/vault_xor23: three share files that somebody made up: the first byte says which bytes go where, the
 * second which sites there are. Whatever comes, nothing is finished that two sites did not confirm to its
 * end, but for a mirror that was asked for. */
#include "qc_fuzz.h"
#include "vault/xor23.h"

struct file {
    const uint8_t *p;
    size_t n;
};

static qc_rc site_read(void *ctx, uint64_t offset, uint8_t *p, size_t n, size_t *ret_got, struct qc_err *err)
{
    const struct file *f = ctx;
    (void)err;
    *ret_got = offset >= f->n ? 0 : f->n - offset < n ? f->n - (size_t)offset : n;
    if (*ret_got > 0)
        memcpy(p, f->p + offset, *ret_got);
    return QC_OK;
}

static qc_rc sink_write(void *ctx, qc_span s, struct qc_err *err)
{
    uint64_t *size = ctx;
    (void)err;
    *size += s.n;
    return QC_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct vault_xor23_report rep;
    struct qc_err err = { 0 };
    struct file f[SS_XOR23_SHARES];
    struct vault_xor23_restore from = { 0 };
    uint64_t written = 0;
    const struct vault_sink sink = { .write = sink_write, .ctx = &written };
    if (size < 2)
        return 0;
    const size_t left = size - 2, first = left * data[0] / 510, second = left * data[0] / 510;
    const size_t at[4] = { 0, first, first + second, left };
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++) {
        f[i] = (struct file){ data + 2 + at[i], at[i + 1] - at[i] };
        if ((data[1] >> i & 1) != 0)
            from.site[i] = (struct vault_xor23_site){ .read = site_read, .ctx = &f[i] };
    }
    from.all = (data[1] & 8) != 0;
    from.alone = (data[1] & 16) != 0;
    const qc_rc rc = vault_xor23_restore(&from, &sink, &rep, &err);
    QC_ASSERT(rep.size == written);
    if (rc == QC_OK) {
        unsigned whole = 0;
        for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
            whole += f[i].n >= vault_xor23_file_size(rep.size);
        QC_ASSERT(whole >= (rep.alone > 0 ? 1 : 2) && (rep.alone == 0 || rep.header.scheme == VAULT_MIRROR) &&
                  rep.chunks == vault_xor23_chunks(rep.size));
    } else {
        QC_ASSERT(rc == QC_SHARES || rc == QC_INTEGRITY);
    }
    return 0;
}
