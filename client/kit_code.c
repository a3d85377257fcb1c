/* QR codes of a kit: libqrencode. */
#include <errno.h>
#include <qrencode.h>

#include "base/crypto.h"
#include "kit.h"

enum {
    WHERE_MAX = 1300, /* bytes: 129 modules at most, which are 0.4 mm each on the sheet */
};

void kit_code_done(struct kit_code *c)
{
    qc_secret_free(&c->dark);
    c->width = 0;
}

void kit_word(const struct vault_kit_words *words, size_t i, char out[VAULT_KIT_WORD_MAX + 1])
{
    memcpy(out, qc_key_open(words->text).p + i * VAULT_KIT_WORD_MAX, VAULT_KIT_WORD_MAX);
    out[VAULT_KIT_WORD_MAX] = '\0';
}

/* libqrencode's own copy is wiped before it is freed. */
static qc_rc take(QRcode *made, struct kit_code *ret, struct qc_err *err)
{
    QC_CLEANUP(kit_code_done) struct kit_code c = { 0 };
    if (made == NULL)
        return QC_FAIL_OS(err, "making a QR code");
    const size_t n = (size_t)made->width * (size_t)made->width;
    const qc_rc rc = qc_secret_new(&c.dark, n, err);
    if (rc == QC_OK)
        memcpy(c.dark.p, made->data, n);
    c.width = (unsigned)made->width;
    qc_wipe(made->data, n);
    QRcode_free(made);
    QC_TRY(rc);
    *ret = QC_STEAL(c);
    return QC_OK;
}

/* Capitals and blanks alone: the code takes two of them in eleven bits. */
qc_rc kit_code_words(const struct vault_kit_words *words, struct kit_code *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_secret_free) struct qc_secret text = { 0 };
    size_t n = 0;
    QC_TRY(qc_secret_new(&text, words->count * (VAULT_KIT_WORD_MAX + 1) + 1, err));
    char *const p = text.p;
    for (size_t i = 0; i < words->count; i++) {
        char *word = p + n;
        kit_word(words, i, word);
        for (; *word != '\0'; word++)
            *word = (char)(*word - 'a' + 'A');
        n = (size_t)(word - p);
        p[n++] = i + 1 < words->count ? ' ' : '\0';
    }
    return take(QRcode_encodeString(p, 0, QR_ECLEVEL_M, QR_MODE_8, 1), ret, err);
}

qc_rc kit_code_where(qc_span where, struct kit_code *ret, struct qc_err *err)
{
    if (where.n > WHERE_MAX)
        return QC_OK;
    return take(QRcode_encodeData((int)where.n, where.p, 0, QR_ECLEVEL_L), ret, err);
}
