/* kat/base_crypto: the vectors of kat/base_crypto.txt through base/crypto.h. */
#include "base/codec.h"
#include "base/crypto.h"
#include "base/pwhash.h"
#include "base/sign.h"

#include "qc_check.h"

enum { FIELDS_MAX = 7, LINE_MAX_BYTES = 4096, VALUE_MAX = 1024 };

struct value {
    uint8_t p[VALUE_MAX];
    size_t n;
};

static qc_span span(const struct value *v)
{
    return qc_span_of(v->p, v->n);
}

static void decode(const char *text, struct value *ret)
{
    struct qc_err err = { 0 };

    ret->n = strcmp(text, "-") == 0 ? 0 : strlen(text) / 2;
    CHECK(ret->n <= VALUE_MAX);
    if (ret->n > 0)
        CHECK_OK(qc_hex_dec(qc_span_str(text), ret->p, ret->n, &err));
}

static void check_gcm(const struct value *f)
{
    struct qc_err err = { 0 };
    struct qc_gcm g = { .key = span(&f[0]), .nonce = f[1].p, .aad = span(&f[2]) };
    uint8_t out[VALUE_MAX], tag[QC_TAG];

    CHECK_OK(qc_gcm_seal(&g, span(&f[3]), out, tag, &err));
    CHECK(qc_span_eq(qc_span_of(out, f[3].n), span(&f[4])));
    CHECK(qc_span_eq(qc_span_of(tag, QC_TAG), span(&f[5])));
    CHECK_OK(qc_gcm_open(&g, span(&f[4]), f[5].p, out, &err));
    CHECK(qc_span_eq(qc_span_of(out, f[3].n), span(&f[3])));
}

static void check_siv(const struct value *f)
{
    struct qc_err err = { 0 };
    uint8_t out[VALUE_MAX];

    CHECK_OK(qc_siv_seal(span(&f[0]), span(&f[1]), span(&f[2]), out, &err));
    CHECK(qc_span_eq(qc_span_of(out, f[2].n + QC_SIV_TAG), span(&f[3])));
    CHECK_OK(qc_siv_open(span(&f[0]), span(&f[1]), span(&f[3]), out, &err));
    CHECK(qc_span_eq(qc_span_of(out, f[2].n), span(&f[2])));
}

static void check_hkdf(const struct value *f)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_prk_free) struct qc_prk *prk = NULL;
    uint8_t out[VALUE_MAX];

    CHECK_OK(qc_prk_new(&prk, span(&f[0]), span(&f[1]), &err));
    CHECK_OK(qc_prk_expand(prk, span(&f[2]), out, f[3].n, &err));
    CHECK(qc_span_eq(qc_span_of(out, f[3].n), span(&f[3])));
}

static void check_digest(const char *kind, const struct value *f)
{
    struct qc_err err = { 0 };
    uint8_t out[QC_SHA256_BYTES];
    qc_span whole = span(&f[strcmp(kind, "hmac") == 0 ? 1 : 0]);
    /* In two parts: the cut must not matter. */
    qc_span parts[] = { qc_span_sub(whole, 0, whole.n / 3), qc_span_from(whole, whole.n / 3) };

    if (strcmp(kind, "hmac") == 0) {
        CHECK_OK(qc_hmac_sha256(span(&f[0]), parts, 2, out, &err));
        CHECK(qc_span_eq(qc_span_of(out, sizeof out), span(&f[2])));
    } else if (strcmp(kind, "md5") == 0) {
        CHECK_OK(qc_md5(parts, 2, out, &err));
        CHECK(qc_span_eq(qc_span_of(out, QC_MD5_BYTES), span(&f[1])));
    } else {
        CHECK_OK(qc_sha256(parts, 2, out, &err));
        CHECK(qc_span_eq(qc_span_of(out, sizeof out), span(&f[1])));
    }
}

static void check_block(const struct value *f)
{
    struct qc_err err = { 0 };
    uint8_t out[16];

    CHECK_OK(qc_aes256_block_enc(span(&f[0]), f[1].p, out, &err));
    CHECK(qc_span_eq(qc_span_of(out, 16), span(&f[2])));
    CHECK_OK(qc_aes256_block_dec(span(&f[0]), f[2].p, out, &err));
    CHECK(qc_span_eq(qc_span_of(out, 16), span(&f[1])));
}

static void check_argon2id(const struct value *f)
{
    struct qc_err err = { 0 };
    struct qc_pwhash how = { (uint32_t)qc_get_be(f[2].p, 4), (uint32_t)qc_get_be(f[2].p + 4, 4), { 0 } };
    QC_CLEANUP(qc_key_free) qc_key *out = NULL;

    CHECK(f[1].n == sizeof how.salt && f[2].n == 8);
    memcpy(how.salt, f[1].p, sizeof how.salt);
    CHECK_OK(qc_pwhash(&out, span(&f[0]), &how, NULL, &err));
    CHECK(qc_span_eq(qc_key_open(out), span(&f[3])));
}

static void check_sign(const struct value *f)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *seed = NULL;
    uint8_t key[QC_SIGN_PUBLIC], signature[QC_SIGN_BYTES];

    CHECK(f[0].n == QC_SIGN_SEED && f[1].n == sizeof key && f[3].n == sizeof signature);
    CHECK_OK(qc_key_blank(&seed, QC_SIGN_SEED, &err));
    memcpy(qc_key_write(seed), f[0].p, QC_SIGN_SEED);
    qc_key_seal(seed);
    CHECK_OK(qc_sign_public(key, seed, &err));
    CHECK(memcmp(key, f[1].p, sizeof key) == 0);
    CHECK_OK(qc_sign(signature, seed, span(&f[2]), &err));
    CHECK(memcmp(signature, f[3].p, sizeof signature) == 0);
    CHECK(qc_sign_holds(f[1].p, span(&f[2]), f[3].p));
}

static void check_line(char *line)
{
    static struct value f[FIELDS_MAX];
    char *rest = NULL;
    const char *kind = strtok_r(line, " \n", &rest);
    size_t n = 0;

    for (const char *w = strtok_r(NULL, " \n", &rest); w != NULL; w = strtok_r(NULL, " \n", &rest)) {
        CHECK(n < FIELDS_MAX);
        decode(w, &f[n++]);
    }
    if (strcmp(kind, "gcm") == 0)
        check_gcm(f);
    else if (strcmp(kind, "siv") == 0)
        check_siv(f);
    else if (strcmp(kind, "hkdf") == 0)
        check_hkdf(f);
    else if (strcmp(kind, "block") == 0)
        check_block(f);
    else if (strcmp(kind, "sign") == 0)
        check_sign(f);
    else if (strcmp(kind, "argon2id") == 0)
        check_argon2id(f);
    else
        check_digest(kind, f);
}

int main(void)
{
    static char line[LINE_MAX_BYTES];
    FILE *f = fopen(QC_TESTS_DIR "/kat/base_crypto.txt", "r");
    int count = 0;

    CHECK(f != NULL);
    while (fgets(line, sizeof line, f) != NULL) {
        CHECK(strchr(line, '\n') != NULL);
        if (line[0] == '#')
            continue;
        check_line(line);
        count++;
    }
    fclose(f);
    printf("%d vectors\n", count);
    CHECK(count == 33);
    return 0;
}
