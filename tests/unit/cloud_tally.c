/* unit/cloud_tally: every call of a handle is counted once, with its bytes, and every code has a class. */
#include "cloud/tally.h"

#include "base/cleanup.h"
#include "cloud/cloud.h"
#include "qc_expect.h"
#include "qc_tmpdir.h"

#include <stdio.h>
#include <string.h>

static const struct cloud_op forever = { .deadline = { 0 } };
static struct cloud_tally tally;

static uint64_t took(enum cloud_call c)
{
    return qc_hist_total(&tally.took[c]);
}

static uint64_t failed(enum cloud_call c)
{
    uint64_t n = 0;

    for (unsigned t = 0; t < CLOUD_TROUBLE_COUNT; t++)
        n += qc_count(&tally.failed[c][t]);
    return n;
}

static qc_rc nothing(void *ctx, const struct cloud_item *item, struct qc_err *e)
{
    (void)ctx;
    (void)item;
    (void)e;
    return QC_OK;
}

static void calls(struct cloud *c)
{
    struct cloud_page page;
    struct cloud_space space;
    const qc_span parts[] = { QC_LIT("three"), QC_LIT("parts") };
    uint64_t size;
    uint8_t b[64];
    size_t got;

    OK(cloud_put(c, "a/b", parts, 2, CLOUD_REPLACE, &forever, &err));
    FAILS(QC_CONFLICT, cloud_put(c, "a/b", parts, 1, CLOUD_NEW, &forever, &err));
    OK(cloud_get(c, "a/b", (struct cloud_range){ 2, sizeof b }, b, &got, &forever, &err));
    FAILS(QC_NOTFOUND, cloud_get(c, "a/c", (struct cloud_range){ 0, 4 }, b, &got, &forever, &err));
    OK(cloud_head(c, "a/b", &size, &forever, &err));
    FAILS(QC_NOTFOUND, cloud_head(c, "a/c", &size, &forever, &err));
    OK(cloud_list(c, &(struct cloud_list_query){ "", "", 10 }, nothing, NULL, &page, &forever, &err));
    OK(cloud_space(c, &space, &forever, &err));
    OK(cloud_alive(c, &forever, &err));
    OK(cloud_delete(c, "a/b", &forever, &err));
    /* what was never sent is no request */
    const struct qc_cancel stop = { .set = true };
    const struct cloud_op stopped = { .cancel = &stop };
    FAILS(QC_CANCELLED, cloud_head(c, "a/b", &size, &stopped, &err));
}

static void counted(void)
{
    static const unsigned want[CLOUD_CALL_COUNT][2] = {
        [CLOUD_CALL_PUT] = { 2, 1 },    [CLOUD_CALL_GET] = { 2, 1 },  [CLOUD_CALL_HEAD] = { 2, 1 },
        [CLOUD_CALL_DELETE] = { 1, 0 }, [CLOUD_CALL_LIST] = { 1, 0 }, [CLOUD_CALL_SPACE] = { 1, 0 },
        [CLOUD_CALL_ALIVE] = { 1, 0 },  [CLOUD_CALL_OPEN] = { 2, 1 },
    };

    for (unsigned i = 0; i < CLOUD_CALL_COUNT; i++) {
        QC_ASSERT(took((enum cloud_call)i) == want[i][0]);
        QC_ASSERT(failed((enum cloud_call)i) == want[i][1]);
    }
    QC_ASSERT(qc_count(&tally.failed[CLOUD_CALL_PUT][CLOUD_TROUBLE_CONFLICT]) == 1);
    QC_ASSERT(qc_count(&tally.failed[CLOUD_CALL_HEAD][CLOUD_TROUBLE_ABSENT]) == 1);
    QC_ASSERT(qc_count(&tally.sent) == 10 && qc_count(&tally.received) == 8);
}

/* Names are labels: words of their own. */
static void names(void)
{
    for (unsigned i = 0; i < CLOUD_CALL_COUNT; i++)
        for (unsigned j = 0; j < i; j++)
            QC_ASSERT(strcmp(cloud_call_name((enum cloud_call)i), cloud_call_name((enum cloud_call)j)) != 0);
    for (unsigned rc = 1; rc < QC_RC_COUNT; rc++)
        QC_ASSERT(strlen(cloud_trouble_name(cloud_trouble_of((qc_rc)rc))) > 1);
    QC_ASSERT(cloud_trouble_of(QC_TEMP) == CLOUD_TROUBLE_AWAY);
    QC_ASSERT(cloud_trouble_of(QC_QUORUM) == CLOUD_TROUBLE_OTHER);
    cloud_tally_note(NULL, CLOUD_CALL_GET, 0, QC_IO);
}

int main(void)
{
    char url[512];
    struct cloud *c = NULL;
    const struct cloud_opts opts = { .name = "t", .tally = &tally };

    QC_CLEANUP(qc_tmpdir_remove) struct qc_tmpdir tmp = qc_tmpdir_new();

    (void)snprintf(url, sizeof url, "file://%s", tmp.path);
    FAILS(QC_NOTFOUND, cloud_open_opts(&c, url, &opts, &err));
    OK(cloud_create(url, &err));
    OK(cloud_open_opts(&c, url, &opts, &err));
    calls(c);
    counted();
    cloud_close(&c);
    names();
    return 0;
}
