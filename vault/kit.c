#include "vault/kit.h"

#include <stdio.h>
#include <string.h>

#include "base/near.h"
#include "kit_words.h"
#include "vault/kdf.h"
#include "vault/shares.h"

enum {
    VERSION = 1,
    WORD_BITS = 11,
    HEAD = 3 + VAULT_ID_BYTES, /* version and shares, generation, vault */
    BYTES_ONE = VAULT_KIT_ONE * WORD_BITS / 8,
    BYTES_BOTH = VAULT_KIT_BOTH * WORD_BITS / 8,
    ROOM = 96,   /* BYTES_BOTH, in steps of keys */
    SECRETS = 3, /* that a kit may have: bits of `shares` */
    SHORT = 4,   /* so many letters stand for a word */
    NEAR_MAX = 3,
    SEEN = 24, /* letters of a typed word that a message shows */
};
_Static_assert(BYTES_BOTH <= ROOM && ROOM % QC_KEY_STEP == 0, "room for a kit");

void vault_kit_done(struct vault_kit *kit)
{
    qc_key_free(&kit->seed[0]);
    qc_key_free(&kit->seed[1]);
    qc_key_free(&kit->W);
    *kit = (struct vault_kit){ 0 };
}

void vault_kit_words_done(struct vault_kit_words *words)
{
    qc_key_free(&words->text);
    words->count = 0;
}

static size_t bytes_of(size_t words)
{
    return words * WORD_BITS / 8;
}

static size_t sum_of(size_t words)
{
    return bytes_of(words) - HEAD - (words == VAULT_KIT_BOTH ? 2U : 1U) * VAULT_KEY_BYTES;
}

/* All ones where a equals b, else zero. */
static uint64_t same(uint64_t a, uint64_t b)
{
    const uint64_t d = a ^ b;
    return ((d | ((uint64_t)0 - d)) >> 63) - 1;
}

/* Eight letters at once. */
static uint64_t letters_of(const void *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}
_Static_assert(VAULT_KIT_WORD_MAX == sizeof(uint64_t), "a word is read as one integer");

/* Word `at` of the bits in p. */
static uint32_t bits_get(const uint8_t *p, size_t at)
{
    uint32_t v = 0;
    for (size_t i = at * WORD_BITS; i < (at + 1) * WORD_BITS; i++)
        v = v << 1 | ((uint32_t)p[i / 8] >> (7 - i % 8) & 1U);
    return v;
}

static void bits_set(uint8_t *p, size_t at, uint32_t v)
{
    for (size_t i = 0; i < WORD_BITS; i++) {
        const size_t bit = at * WORD_BITS + i;
        const unsigned shift = 7 - bit % 8;
        const uint8_t one = (uint8_t)((v >> (WORD_BITS - 1 - i) & 1U) << shift);
        p[bit / 8] = (uint8_t)((p[bit / 8] & ~(1U << shift)) | one);
    }
}

/* The first bytes of SHA-256(enc("kit", what stands before them)). */
static qc_rc sum(uint8_t ret[32], const uint8_t *p, size_t words, struct qc_err *err)
{
    const qc_span parts[] = { QC_LIT("kit"), qc_span_of(p, bytes_of(words) - sum_of(words)) };
    return vault_sha_enc(ret, parts, 2, err);
}

/* --- printing --- */

/* The whole list is read for each word: which one it is does not show in time (I5). */
void vault_kit_spell(char out[VAULT_KIT_WORD_MAX], uint32_t index)
{
    uint64_t letters = 0;
    for (uint32_t w = 0; w < VAULT_KIT_LIST; w++)
        letters |= letters_of(vault_kit_word[w]) & same(w, index);
    memcpy(out, &letters, sizeof letters);
}

static void write_head(uint8_t *p, const struct vault_kit *kit)
{
    p[0] = (uint8_t)(VERSION << 4 | kit->shares);
    qc_put_be(p + 1, kit->generation, 2);
    memcpy(p + 3, kit->vault, VAULT_ID_BYTES);
}

qc_rc vault_kit_encode(struct vault_kit_words *ret, const struct vault_kit *kit, struct qc_err *err)
{
    QC_ASSERT(kit->shares >= 1 && kit->shares <= VAULT_KIT_RECOVERY && kit->generation >= 1 &&
              kit->generation <= UINT16_MAX);
    QC_CLEANUP(vault_kit_words_done) struct vault_kit_words w = { .count = kit->shares == 3 ? VAULT_KIT_BOTH
                                                                                            : VAULT_KIT_ONE };
    QC_CLEANUP(qc_key_free) qc_key *bytes = NULL;
    uint8_t digest[32];
    QC_TRY(qc_key_blank(&bytes, ROOM, err));
    uint8_t *p = qc_key_write(bytes);
    size_t n = HEAD;
    write_head(p, kit);
    const qc_key *const secrets[SECRETS] = { kit->seed[0], kit->seed[1], kit->W };
    for (unsigned i = 0; i < SECRETS; i++)
        if ((kit->shares & 1U << i) != 0) {
            memcpy(p + n, qc_key_open(secrets[i]).p, VAULT_KEY_BYTES);
            n += VAULT_KEY_BYTES;
        }
    QC_TRY(sum(digest, p, w.count, err));
    memcpy(p + n, digest, sum_of(w.count));
    QC_TRY(qc_key_blank(&w.text, w.count * VAULT_KIT_WORD_MAX, err));
    char *text = (char *)qc_key_write(w.text);
    for (size_t i = 0; i < w.count; i++)
        vault_kit_spell(text + i * VAULT_KIT_WORD_MAX, bits_get(p, i));
    qc_key_seal(w.text);
    *ret = QC_STEAL(w);
    return QC_OK;
}

/* --- reading --- */

/* What was typed: bits of the words so far. */
struct typed {
    qc_key *bytes; /* being written */
    size_t count;
};

static void typed_done(struct typed *t)
{
    qc_key_free(&t->bytes);
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* "12", "12.", "12)": the place of a word, as it is printed. */
static bool is_place(qc_span token)
{
    size_t digits = 0;
    while (digits < token.n && token.p[digits] >= '0' && token.p[digits] <= '9')
        digits++;
    return digits > 0 && (digits == token.n ||
                          (digits + 1 == token.n && (token.p[digits] == '.' || token.p[digits] == ')')));
}

uint32_t vault_kit_find(qc_span token)
{
    uint8_t low[VAULT_KIT_WORD_MAX] = { 0 }, counts[VAULT_KIT_WORD_MAX] = { 0 };
    uint32_t index = VAULT_KIT_LIST;
    if (token.n > VAULT_KIT_WORD_MAX)
        return index;
    for (size_t j = 0; j < token.n; j++) /* to lower case: the list has letters alone */
        low[j] = token.p[j] | 0x20;
    memset(counts, 0xff, token.n == SHORT ? SHORT : VAULT_KIT_WORD_MAX);
    for (uint32_t w = 0; w < VAULT_KIT_LIST; w++) {
        const uint32_t is =
            (uint32_t)same((letters_of(low) ^ letters_of(vault_kit_word[w])) & letters_of(counts), 0);
        index = (index & ~is) | (w & is);
    }
    qc_wipe(low, sizeof low);
    return index;
}

/* Letters to change from a to b; more than 2 where their lengths say so. */
static size_t edits(qc_span a, qc_span b)
{
    if (a.n > b.n + 2 || b.n > a.n + 2)
        return 3;
    return qc_near_edits(a, b);
}

/* Words of the list that are few letters from this one, as "'a', 'b'": of the nearest, the first. */
static void near_ones(qc_span token, char *out, size_t room)
{
    size_t n = 0, least = 2;
    unsigned told = 0;
    out[0] = '\0';
    for (size_t w = 0; w < VAULT_KIT_LIST; w++) {
        char word[VAULT_KIT_WORD_MAX + 1] = { 0 };
        memcpy(word, vault_kit_word[w], VAULT_KIT_WORD_MAX);
        const size_t d = edits(token, qc_span_str(word));
        if (d < least) { /* nearer than those before */
            least = d;
            n = 0;
            told = 0;
        }
        if (d > least || told == NEAR_MAX)
            continue;
        n += (size_t)snprintf(out + n, room - n, "%s'%s'", told > 0 ? ", " : "", word);
        told++;
    }
}

static qc_rc unknown(qc_span token, size_t place, struct qc_err *err)
{
    char shown[SEEN + 1] = { 0 }, near[NEAR_MAX * (VAULT_KIT_WORD_MAX + 4) + 1];
    uint8_t low[SEEN];
    const size_t n = token.n < SEEN ? token.n : SEEN;
    for (size_t i = 0; i < n; i++) {
        low[i] = token.p[i] >= 'A' && token.p[i] <= 'Z' ? token.p[i] | 0x20 : token.p[i];
        shown[i] = low[i] > ' ' && low[i] < 0x7f ? (char)low[i] : '?';
    }
    near_ones(qc_span_of(low, n), near, sizeof near);
    return QC_FAIL(err, QC_USAGE, "word %zu, '%s', is in no kit: %s%s", place, shown,
                   near[0] == '\0' ? "nothing in the list of words looks like it" : "did it read ", near);
}

static qc_rc read_words(struct typed *t, qc_span text, struct qc_err *err)
{
    QC_TRY(qc_key_blank(&t->bytes, ROOM, err));
    for (size_t at = 0; at < text.n;) {
        size_t end = at;
        while (end < text.n && !is_blank(text.p[end]))
            end++;
        const qc_span token = qc_span_sub(text, at, end - at);
        at = end + 1;
        if (token.n == 0 || is_place(token))
            continue;
        const uint32_t index = vault_kit_find(token);
        if (index == VAULT_KIT_LIST)
            return unknown(token, t->count + 1, err);
        if (t->count < VAULT_KIT_BOTH)
            bits_set(qc_key_write(t->bytes), t->count, index);
        t->count++;
    }
    if (t->count != VAULT_KIT_ONE && t->count != VAULT_KIT_BOTH)
        return QC_FAIL(err, QC_USAGE, "these are %zu words: a share's kit has %d, a vault's %d", t->count,
                       VAULT_KIT_ONE, VAULT_KIT_BOTH);
    return QC_OK;
}

static qc_rc holds(struct typed *t, bool *ret, struct qc_err *err)
{
    const uint8_t *p = qc_key_write(t->bytes);
    uint8_t digest[32];
    QC_TRY(sum(digest, p, t->count, err));
    *ret = qc_ct_eq(digest, p + bytes_of(t->count) - sum_of(t->count), sum_of(t->count));
    return QC_OK;
}

static void swap(uint8_t *p, size_t i, size_t j)
{
    const uint32_t a = bits_get(p, i), b = bits_get(p, j);
    bits_set(p, i, b);
    bits_set(p, j, a);
}

/* Two words that stand in each other's place. 0, 0: no such pair makes it right. */
static qc_rc exchanged(struct typed *t, size_t ret[2], struct qc_err *err)
{
    uint8_t *p = qc_key_write(t->bytes);
    bool is = false;
    ret[0] = ret[1] = 0;
    for (size_t i = 0; i < t->count && !is; i++)
        for (size_t j = i + 1; j < t->count && !is; j++) {
            swap(p, i, j);
            QC_TRY(holds(t, &is, err));
            swap(p, i, j);
            if (is) {
                ret[0] = i + 1;
                ret[1] = j + 1;
            }
        }
    return QC_OK;
}

/* One word that another one in its place makes right. 0: none. */
static qc_rc mistaken(struct typed *t, size_t *ret, struct qc_err *err)
{
    uint8_t *p = qc_key_write(t->bytes);
    bool is = false;
    *ret = 0;
    for (size_t i = 0; i < t->count && !is; i++) {
        const uint32_t was = bits_get(p, i);
        for (uint32_t w = 0; w < VAULT_KIT_LIST && !is; w++) {
            bits_set(p, i, w);
            QC_TRY(holds(t, &is, err));
        }
        bits_set(p, i, was);
        if (is)
            *ret = i + 1;
    }
    return QC_OK;
}

/* All words are known, and together they are no kit: which mistake would explain it? */
static qc_rc diagnose(struct typed *t, struct qc_err *err)
{
    size_t pair[2], one = 0;
    QC_TRY(exchanged(t, pair, err));
    if (pair[0] != 0)
        return QC_FAIL(err, QC_USAGE,
                       "the checksum does not hold: words %zu and %zu stand in each other's place", pair[0],
                       pair[1]);
    QC_TRY(mistaken(t, &one, err));
    if (one != 0)
        return QC_FAIL(err, QC_USAGE,
                       "the checksum does not hold: word %zu is in the list, and not the one that was "
                       "printed",
                       one);
    return QC_FAIL(err, QC_USAGE,
                   "the checksum does not hold: more than one word is not as printed, or they are "
                   "not in order, or not of one kit");
}

static qc_rc parse(struct vault_kit *ret, struct typed *t, struct qc_err *err)
{
    QC_CLEANUP(vault_kit_done) struct vault_kit k = { 0 };
    const uint8_t *p = qc_key_write(t->bytes);
    size_t at = HEAD;
    if (p[0] >> 4 != VERSION)
        return QC_FAIL(err, p[0] >> 4 == 0 ? QC_FORMAT : QC_NEWER,
                       "the kit is of version %u, this program knows %d", p[0] >> 4, VERSION);
    k.shares = p[0] & 15;
    k.generation = (uint32_t)qc_get_be(p + 1, 2);
    if (k.shares < 1 || k.shares > VAULT_KIT_RECOVERY || (k.shares == 3) != (t->count == VAULT_KIT_BOTH) ||
        k.generation == 0)
        return QC_FAIL(err, QC_FORMAT, "kit: malformed");
    memcpy(k.vault, p + 3, VAULT_ID_BYTES);
    qc_key **const secrets[SECRETS] = { &k.seed[0], &k.seed[1], &k.W };
    for (unsigned i = 0; i < SECRETS; i++)
        if ((k.shares & 1U << i) != 0) {
            QC_TRY(qc_key_blank(secrets[i], VAULT_KEY_BYTES, err));
            memcpy(qc_key_write(*secrets[i]), p + at, VAULT_KEY_BYTES);
            qc_key_seal(*secrets[i]);
            at += VAULT_KEY_BYTES;
        }
    *ret = QC_STEAL(k);
    return QC_OK;
}

qc_rc vault_kit_decode(struct vault_kit *ret, qc_span text, struct qc_err *err)
{
    QC_CLEANUP(typed_done) struct typed t = { 0 };
    bool is = false;
    if (text.n > QC_VAULT_KIT_TEXT_MAX)
        return QC_FAIL(err, QC_USAGE, "a kit of more than %d bytes", QC_VAULT_KIT_TEXT_MAX);
    QC_TRY(read_words(&t, text, err));
    QC_TRY(holds(&t, &is, err));
    if (!is)
        return QC_FAIL(err, QC_USAGE, "the checksum of these words does not hold");
    return parse(ret, &t, err);
}

size_t vault_kit_strip(char *text, size_t n)
{
    size_t words = 0;
    for (size_t at = 0; at < n;) {
        const char *end = memchr(text + at, '\n', n - at);
        const size_t line = end == NULL ? n - at : (size_t)(end - text) - at + 1;
        if (text[at] != '{' && text[at] != '#') {
            memmove(text + words, text + at, line);
            words += line;
        }
        at += line;
    }
    return words;
}

qc_rc vault_kit_explain(qc_span text, struct qc_err *err)
{
    QC_CLEANUP(typed_done) struct typed t = { 0 };
    bool is = false;
    QC_TRY(read_words(&t, text, err));
    QC_TRY(holds(&t, &is, err));
    if (is)
        return QC_OK;
    return diagnose(&t, err);
}

/* --- of which vault --- */

qc_rc vault_kit_secret(qc_key **ret, const struct vault_kit *kit, unsigned i, struct qc_err *err)
{
    const struct vault_ids ids = vault_ids_of_vault(kit->vault);
    QC_CLEANUP(qc_prk_free) struct qc_prk *prk = NULL;
    QC_ASSERT(kit->seed[i - 1] != NULL);
    QC_TRY(vault_prk_new(&prk, kit->seed[i - 1], err));
    return vault_seed_share(ret, prk, i, &ids, kit->generation, err);
}

qc_rc vault_kit_check(const struct vault_kit *kit, const struct vault_record *record,
                      const struct vault_backup *B, struct qc_err *err)
{
    if (memcmp(kit->vault, record->vault, VAULT_ID_BYTES) != 0)
        return QC_FAIL(err, QC_USAGE,
                       "the kit is of another vault (%02x%02x%02x%02x..) than this one (%02x%02x%02x%02x..)",
                       kit->vault[0], kit->vault[1], kit->vault[2], kit->vault[3], record->vault[0],
                       record->vault[1], record->vault[2], record->vault[3]);
    for (unsigned i = 1; i <= 2; i++) {
        QC_CLEANUP(qc_key_free) qc_key *VS_i = NULL, *VS = NULL;
        struct qc_err why = { 0 };
        if (kit->seed[i - 1] == NULL)
            continue;
        QC_TRY(vault_kit_secret(&VS_i, kit, i, err));
        const qc_rc rc =
            vault_record_open(&VS, record, kit->vault, i == 1 ? VS_i : NULL, i == 2 ? VS_i : NULL, B, &why);
        if (rc == QC_INTEGRITY)
            return QC_FAIL(
                err, QC_USAGE,
                "the kit is of this vault, and not of its share %u as it is now: shares were replaced "
                "since it was printed",
                i);
        if (rc != QC_OK)
            *err = why;
        QC_TRY(rc);
    }
    return QC_OK;
}
