/* unit/vault_kit: the words of a kit are those that kat/kit_model.py makes, and back; every mistake of one
 * word is found and named by its kind: unknown, another one, exchanged, one too few or many; kits of another
 * vault, share or generation are refused. */
#include "base/codec.h"
#include "kit_words.h"
#include "qc_seed.h"
#include "vault/shares.h"
#include "vault_fix.h"

enum { WORD = VAULT_KIT_WORD_MAX + 1, LINE = 1024 };

static struct qc_err err;

/* The words of w with blanks between them, word `at` (from 1) replaced; 0: none. */
static void join(char out[LINE], const struct vault_kit_words *w, size_t at, const char *other)
{
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < w->count; i++) {
        char word[WORD] = { 0 };
        memcpy(word, qc_key_open(w->text).p + i * VAULT_KIT_WORD_MAX, VAULT_KIT_WORD_MAX);
        n += (size_t)snprintf(out + n, LINE - n, "%s%s", i == 0 ? "" : " ", at == i + 1 ? other : word);
    }
}

static void said(qc_rc rc, qc_rc code, const char *why)
{
    if (rc != code || strstr(err.msg, why) == NULL) {
        fprintf(stderr, "%s (%s), expected %s: %s\n", qc_rc_name(rc), err.msg, qc_rc_name(code), why);
        exit(1);
    }
    qc_err_clear(&err);
}

static void refused(const char *text, qc_rc code, const char *why)
{
    struct vault_kit none = { 0 };
    said(vault_kit_explain(qc_span_str(text), &err), code, why);
    CHECK_RC(vault_kit_decode(&none, qc_span_str(text), &err), code);
    CHECK(none.shares == 0 && none.seed[0] == NULL && none.seed[1] == NULL);
}

static qc_key *key_of(const char *hex)
{
    qc_key *k = NULL;
    if (strcmp(hex, "-") == 0)
        return NULL;
    CHECK_OK(qc_key_blank(&k, 32, &err));
    CHECK_OK(qc_hex_dec(qc_span_str(hex), qc_key_write(k), 32, &err));
    qc_key_seal(k);
    return k;
}

static void vector(char *line)
{
    QC_CLEANUP(vault_kit_done) struct vault_kit kit = { 0 }, back = { 0 };
    QC_CLEANUP(vault_kit_words_done) struct vault_kit_words w = { 0 };
    char text[LINE];
    kit.shares = (unsigned)strtoul(strsep(&line, " "), NULL, 10);
    kit.generation = (uint32_t)strtoul(strsep(&line, " "), NULL, 10);
    CHECK_OK(qc_hex_dec(qc_span_str(strsep(&line, " ")), kit.vault, sizeof kit.vault, &err));
    for (unsigned i = 0; i < 2; i++)
        kit.seed[i] = key_of(strsep(&line, " "));
    CHECK_OK(vault_kit_encode(&w, &kit, &err));
    join(text, &w, 0, NULL);
    CHECK(strcmp(text, line) == 0);
    CHECK_OK(vault_kit_decode(&back, qc_span_str(line), &err));
    CHECK(back.shares == kit.shares && back.generation == kit.generation);
    CHECK(memcmp(back.vault, kit.vault, sizeof kit.vault) == 0);
    for (unsigned i = 0; i < 2; i++)
        CHECK((back.seed[i] == NULL) == (kit.seed[i] == NULL) &&
              (kit.seed[i] == NULL || qc_key_same(back.seed[i], kit.seed[i])));
}

static void vectors(void)
{
    static char line[LINE + 256];
    unsigned count = 0;
    FILE *f = fopen(QC_TESTS_DIR "/kat/vault_kit.txt", "r");
    CHECK(f != NULL);
    for (; fgets(line, sizeof line, f) != NULL; count++) {
        line[strcspn(line, "\n")] = '\0';
        vector(line);
    }
    CHECK(fclose(f) == 0 && count == 8);
}

/* As a person types it: capitals, four letters, numbers before the words, lines. */
static void typed(const struct vault_kit *kit, const struct vault_kit_words *w)
{
    QC_CLEANUP(vault_kit_done) struct vault_kit back = { 0 };
    char text[2 * LINE];
    size_t n = 0;
    for (size_t i = 0; i < w->count; i++) {
        char word[WORD] = { 0 };
        memcpy(word, qc_key_open(w->text).p + i * VAULT_KIT_WORD_MAX, i % 3 == 0 ? 4 : VAULT_KIT_WORD_MAX);
        word[0] = (char)(word[0] - 'a' + 'A');
        n += (size_t)snprintf(text + n, sizeof text - n, "%zu%s %s%s", i + 1, i % 2 == 0 ? "." : "", word,
                              i % 4 == 3 ? "\r\n" : "\t ");
    }
    CHECK_OK(vault_kit_decode(&back, qc_span_str(text), &err));
    CHECK(back.shares == kit->shares && qc_key_same(back.seed[0], kit->seed[0]));
}

static void mistakes(const struct vault_kit_words *w, struct qc_rand *rand)
{
    char text[LINE], want[96], other[WORD] = { 0 };
    const char *const letters = (const char *)qc_key_open(w->text).p;
    for (unsigned round = 0; round < 3; round++) { /* another word of the list */
        const size_t at = 1 + (size_t)qc_rand_below(rand, w->count);
        size_t index = (size_t)qc_rand_below(rand, VAULT_KIT_LIST);
        if (memcmp(vault_kit_word[index], letters + (at - 1) * VAULT_KIT_WORD_MAX, VAULT_KIT_WORD_MAX) == 0)
            index = (index + 1) % VAULT_KIT_LIST;
        memcpy(other, vault_kit_word[index], VAULT_KIT_WORD_MAX);
        join(text, w, at, other);
        snprintf(want, sizeof want, "word %zu is in the list, and not the one", at);
        refused(text, QC_USAGE, want);
    }
    join(text, w, 7, "abandn");
    refused(text, QC_USAGE, "word 7, 'abandn', is in no kit: did it read 'abandon'");
    join(text, w, 40, "qqqqqqqqqq");
    refused(text, QC_USAGE, "word 40, 'qqqqqqqqqq', is in no kit: nothing in the list");
    join(text, w, 3, "z\xc3\xa4h"); /* what is no letter is not printed */
    refused(text, QC_USAGE, "word 3, 'z??h', is in no kit");
    join(text, w, 40, "");
    refused(text, QC_USAGE, w->count == 40 ? "these are 39 words" : "these are 63 words");
    join(text, w, 1, "zoo zoo zoo zoo");
    refused(text, QC_USAGE, w->count == 40 ? "these are 43 words" : "these are 67 words");
    join(text, w, 1, "zoo");
    memcpy(strrchr(text, ' '), " zoo", 5);
    refused(text, QC_USAGE, "more than one word is not as printed");
    refused("", QC_USAGE, "these are 0 words");
}

/* Two words in each other's place, wherever they are. */
static void exchanged(const struct vault_kit_words *w, struct qc_rand *rand)
{
    const size_t i = (size_t)qc_rand_below(rand, w->count - 1),
                 j = (size_t)qc_rand_between(rand, i + 1, w->count - 1);
    QC_CLEANUP(vault_kit_words_done) struct vault_kit_words x = { .count = w->count };
    char text[LINE], want[96];
    CHECK_OK(qc_key_blank(&x.text, w->count * VAULT_KIT_WORD_MAX, &err));
    uint8_t *p = qc_key_write(x.text);
    memcpy(p, qc_key_open(w->text).p, w->count * VAULT_KIT_WORD_MAX);
    memcpy(p + i * VAULT_KIT_WORD_MAX, qc_key_open(w->text).p + j * VAULT_KIT_WORD_MAX, VAULT_KIT_WORD_MAX);
    memcpy(p + j * VAULT_KIT_WORD_MAX, qc_key_open(w->text).p + i * VAULT_KIT_WORD_MAX, VAULT_KIT_WORD_MAX);
    qc_key_seal(x.text);
    if (memcmp(p + i * VAULT_KIT_WORD_MAX, p + j * VAULT_KIT_WORD_MAX, VAULT_KIT_WORD_MAX) == 0)
        return; /* the same word twice */
    join(text, &x, 0, NULL);
    snprintf(want, sizeof want, "words %zu and %zu stand in each other's place", i + 1, j + 1);
    refused(text, QC_USAGE, want);
}

/* Kits held against a vault: its own two, both at once, and those of others. */
static void which(struct qc_rand *rand)
{
    const qc_rng rng = qc_rand_rng(rand);
    QC_CLEANUP(vault_secret_done) struct vault_secret secret = { 0 };
    QC_CLEANUP(vault_kit_done) struct vault_kit kit = { .shares = 3, .generation = 1 };
    QC_CLEANUP(qc_key_free) qc_key *VS1 = NULL, *VS2 = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf record = { .max = 4096 }, backup = { .max = QC_VAULT_BACKUP_MAX };
    QC_CLEANUP(vault_record_done) struct vault_record r = { 0 };
    QC_CLEANUP(vault_backup_done) struct vault_backup B = { 0 };
    qc_rand_fill(rand, kit.vault, sizeof kit.vault);
    CHECK_OK(qc_key_new(&kit.seed[0], 32, &rng, &err));
    CHECK_OK(qc_key_new(&kit.seed[1], 32, &rng, &err));
    CHECK_OK(vault_kit_secret(&VS1, &kit, 1, &err));
    CHECK_OK(vault_kit_secret(&VS2, &kit, 2, &err));
    CHECK_OK(vault_secret_draw_with(&secret, VS1, VS2, &rng, &err));
    CHECK_OK(vault_record_make(&record, &backup, &secret, kit.vault, 1, &err));
    CHECK_OK(vault_record_parse(&r, qc_buf_span(&record), &err));
    CHECK_OK(vault_backup_parse(&B, qc_buf_span(&backup), &err));
    CHECK_OK(vault_kit_check(&kit, &r, &B, &err));
    kit.generation = 2;
    said(vault_kit_check(&kit, &r, &B, &err), QC_USAGE, "share 1 as it is now");
    kit.generation = 1;
    kit.vault[3] ^= 1;
    said(vault_kit_check(&kit, &r, &B, &err), QC_USAGE, "of another vault");
    kit.vault[3] ^= 1;
    qc_key *swapped = kit.seed[0];
    kit.seed[0] = kit.seed[1];
    kit.seed[1] = swapped;
    said(vault_kit_check(&kit, &r, &B, &err), QC_USAGE, "share 1 as it is now");
}

int main(void)
{
    struct qc_rand rand = qc_rand_start();
    const qc_rng rng = qc_rand_rng(&rand);
    vectors();
    for (unsigned shares = 1; shares <= 3; shares += 2) {
        QC_CLEANUP(vault_kit_done) struct vault_kit kit = { .shares = shares, .generation = 1 };
        QC_CLEANUP(vault_kit_words_done) struct vault_kit_words w = { 0 };
        qc_rand_fill(&rand, kit.vault, sizeof kit.vault);
        CHECK_OK(qc_key_new(&kit.seed[0], 32, &rng, &err));
        if (shares == 3)
            CHECK_OK(qc_key_new(&kit.seed[1], 32, &rng, &err));
        CHECK_OK(vault_kit_encode(&w, &kit, &err));
        typed(&kit, &w);
        mistakes(&w, &rand);
        exchanged(&w, &rand);
    }
    which(&rand);
    return 0;
}
