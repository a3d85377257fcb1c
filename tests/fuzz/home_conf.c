/* fuzz/home_conf: any text is taken or refused, as qcloud.conf and as policies.conf; what is taken of the
 * former comes back the same after printing. */
#include "home/conf.h"
#include "home/policy.h"

#include "qc_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct conf c;
    static struct conf again;
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_CLIENT_CONF_MAX };
    struct policy policy = { .name = "before" };
    const qc_rc rc = policy_parse(qc_span_of(data, size), "lab", &policy, &err);
    QC_ASSERT(strcmp(policy.name, rc == QC_OK ? "lab" : "before") == 0);
    if (conf_parse(qc_span_of(data, size), &c, &err) != QC_OK)
        return 0;
    QC_ASSERT(conf_print(&c, &text, &err) == QC_OK);
    QC_ASSERT(conf_parse(qc_buf_span(&text), &again, &err) == QC_OK);
    QC_ASSERT(again.has_vault == c.has_vault && (again.idle_s == c.idle_s || c.gateway[0] != '\0'));
    QC_ASSERT(strcmp(again.gateway, c.gateway) == 0 || !c.has_vault);
    QC_ASSERT(strcmp(again.token_file, c.token_file) == 0 && strcmp(again.ca, c.ca) == 0);
    QC_ASSERT(memcmp(again.vault, c.vault, sizeof c.vault) == 0 || !c.has_vault);
    QC_ASSERT(strcmp(again.share[0], c.share[0]) == 0 && strcmp(again.share[1], c.share[1]) == 0);
    return 0;
}
