/* kat/vault_xor23: the three files of each vector (kat/xor23_model.py, written from FORMAT 13) are what comes
 * of its data and randomness, to the byte; any two of them restore it. */
#include "base/codec.h"
#include "xor23_rig.h"

enum { FIELDS = 5, LONGEST = 1024 };

static struct qc_err err;

struct bytes {
    uint8_t p[LONGEST];
    size_t n, at;
};

static void take(const char *text, struct bytes *ret)
{
    const size_t n = strlen(text);
    *ret = (struct bytes){ .n = strcmp(text, "-") == 0 ? 0 : n / 2 };
    CHECK(ret->n <= LONGEST);
    if (ret->n > 0)
        CHECK_OK(qc_hex_dec(qc_span_of(text, n), ret->p, ret->n, &err));
}

static qc_rc drawn(void *ctx, uint8_t *p, size_t n, struct qc_err *e)
{
    struct bytes *b = ctx;
    (void)e;
    CHECK(b->n - b->at >= n);
    if (n > 0)
        memcpy(p, b->p + b->at, n);
    b->at += n;
    return QC_OK;
}

static void vector(enum vault_scheme scheme, struct bytes field[FIELDS])
{
    static struct xor23_rig r;
    struct vault_xor23_report rep;
    struct vault_xor23_header h = { .scheme = scheme, .maker = 2 };
    const struct vault_source source = { .read = xor23_rig_source, .ctx = &r };
    const struct vault_xor23_out out = { .write = xor23_rig_out, .ctx = &r };
    const qc_rng rng = { .fill = drawn, .ctx = &field[1] };
    uint64_t size = 0;
    for (unsigned i = 0; i < VAULT_ID_BYTES; i++) {
        h.ids.object[i] = (uint8_t)i;
        h.ids.version[i] = (uint8_t)(16 + i);
    }
    r.data = qc_span_of(field[0].p, field[0].n);
    CHECK_OK(vault_xor23_share(&source, &h, &rng, &out, &size, &err));
    CHECK(size == field[0].n && field[1].at == field[1].n);
    for (unsigned i = 0; i < SS_XOR23_SHARES; i++)
        CHECK(r.file[i].n == field[2 + i].n && memcmp(r.file[i].p, field[2 + i].p, r.file[i].n) == 0);
    for (unsigned lost = 0; lost < SS_XOR23_SHARES; lost++) {
        CHECK_OK(xor23_rig_restore(&r, 7U ^ 1U << lost, false, &h.ids, &rep, &err));
        CHECK(r.finished && r.got_n == size && (size == 0 || memcmp(r.got, field[0].p, size) == 0));
    }
    xor23_rig_done(&r);
    r = (struct xor23_rig){ 0 };
}

int main(void)
{
    static struct bytes field[FIELDS];
    static char line[FIELDS * (2 * LONGEST + 1) + 16];
    unsigned count = 0;
    FILE *f = fopen(QC_TESTS_DIR "/kat/vault_xor23.txt", "r");
    CHECK(f != NULL);
    for (; fgets(line, sizeof line, f) != NULL; count++) {
        char *left = line;
        const char *name = strsep(&left, " ");
        unsigned scheme = 0;
        while (scheme < VAULT_SCHEMES && strcmp(name, vault_scheme_text(scheme)) != 0)
            scheme++;
        CHECK(scheme < VAULT_SCHEMES && left != NULL);
        for (unsigned i = 0; i < FIELDS; i++) {
            char *word = strsep(&left, " \n");
            CHECK(word != NULL);
            take(word, &field[i]);
        }
        vector(scheme, field);
    }
    CHECK(fclose(f) == 0 && count == 11);
    return 0;
}
