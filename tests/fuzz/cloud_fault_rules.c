/* fuzz/cloud_fault_rules: any text as the rules of bad clouds. */
#include "cloud_fault.h"
#include "qc_fuzz.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    QC_ASSERT(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    struct fault_rules rules = { .count = 77 };
    struct qc_err err = { 0 };
    qc_rc rc = fault_rules_parse(text, "a", &rules, &err);
    QC_ASSERT(rc == QC_OK ? rules.count <= CLOUD_FAULT_RULES_MAX : rc == QC_USAGE && rules.count == 77);
    free(text);
    return 0;
}
