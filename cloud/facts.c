/* Facts as words (FORMAT 10.2): writer and reader. */
#include "cloud/validate.h"

static const char *const words[CLOUD_FACT_COUNT] = {
#define X(name, word) [CLOUD_FACT_AT_##name] = word,
    CLOUD_FACTS(X)
#undef X
};

const char *cloud_fact_word(unsigned i)
{
    QC_ASSERT(i < CLOUD_FACT_COUNT);
    return words[i];
}

qc_rc cloud_facts_print(unsigned facts, qc_buf *ret, struct qc_err *err)
{
    const char *gap = "";
    QC_ASSERT(facts < 1U << CLOUD_FACT_COUNT);
    for (unsigned i = 0; i < CLOUD_FACT_COUNT; i++) {
        if ((facts >> i & 1) == 0)
            continue;
        QC_TRY(qc_buf_addf(ret, err, "%s%s", gap, words[i]));
        gap = " ";
    }
    return QC_OK;
}

static int word_find(qc_span word)
{
    for (int i = 0; i < CLOUD_FACT_COUNT; i++)
        if (qc_span_eq(word, qc_span_str(words[i])))
            return i;
    return -1;
}

qc_rc cloud_facts_parse(qc_span text, unsigned *ret, struct qc_err *err)
{
    unsigned facts = 0;
    while (text.n > 0) {
        const uint8_t *gap = memchr(text.p, ' ', text.n);
        size_t n = gap == NULL ? text.n : (size_t)(gap - text.p);
        int at = word_find(qc_span_sub(text, 0, n));
        if (at < 0 || (facts >> at & 1) != 0)
            return QC_FAIL(err, QC_FORMAT, "a word that names no fact about a cloud, or one twice");
        facts |= 1U << at;
        text = qc_span_from(text, gap == NULL ? n : n + 1);
        if (gap != NULL && text.n == 0)
            return QC_FAIL(err, QC_FORMAT, "a blank after the last fact about a cloud");
    }
    *ret = facts;
    return QC_OK;
}
