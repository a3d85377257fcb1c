#include "cloud/tally.h"

#include "base/time.h"

const char *cloud_call_name(enum cloud_call c)
{
    static const char *const names[] = {
#define X(name, text) [CLOUD_CALL_##name] = (text),
        CLOUD_CALLS_TABLE(X)
#undef X
    };

    QC_ASSERT((unsigned)c < CLOUD_CALL_COUNT);
    return names[c];
}

const char *cloud_trouble_name(enum cloud_trouble t)
{
    static const char *const names[] = {
#define X(name, text) [CLOUD_TROUBLE_##name] = (text),
        CLOUD_TROUBLES_TABLE(X)
#undef X
    };

    QC_ASSERT((unsigned)t < CLOUD_TROUBLE_COUNT);
    return names[t];
}

enum cloud_trouble cloud_trouble_of(qc_rc rc)
{
    static const unsigned char of[QC_RC_COUNT] = {
        /* one more than the class; 0: other */
        [QC_NOTFOUND] = 1 + CLOUD_TROUBLE_ABSENT,
        [QC_TIMEOUT] = 1 + CLOUD_TROUBLE_TIMEOUT,
        [QC_CANCELLED] = 1 + CLOUD_TROUBLE_CANCELLED,
        [QC_TEMP] = 1 + CLOUD_TROUBLE_AWAY,
        [QC_AUTH] = 1 + CLOUD_TROUBLE_AUTH,
        [QC_FULL] = 1 + CLOUD_TROUBLE_FULL,
        [QC_QUOTA] = 1 + CLOUD_TROUBLE_FULL,
        [QC_LIMIT] = 1 + CLOUD_TROUBLE_FULL,
        [QC_CONFLICT] = 1 + CLOUD_TROUBLE_CONFLICT,
        [QC_INTEGRITY] = 1 + CLOUD_TROUBLE_DAMAGED,
        [QC_FORMAT] = 1 + CLOUD_TROUBLE_DAMAGED,
        [QC_NEWER] = 1 + CLOUD_TROUBLE_DAMAGED,
        [QC_IO] = 1 + CLOUD_TROUBLE_IO,
    };

    QC_ASSERT((unsigned)rc < QC_RC_COUNT && rc != QC_OK);
    return of[rc] == 0 ? CLOUD_TROUBLE_OTHER : (enum cloud_trouble)(of[rc] - 1);
}

void cloud_tally_note(struct cloud_tally *t, enum cloud_call c, uint64_t began_ns, qc_rc rc)
{
    if (t == NULL)
        return;
    qc_hist_note(&t->took[c], (qc_now_ns() - began_ns) / 1000);
    if (rc != QC_OK)
        qc_count_add(&t->failed[c][cloud_trouble_of(rc)], 1);
}
