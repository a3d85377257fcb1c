/* fuzz/salvage_digits: any name of a file. What is found stands in it, and nothing is found that is no digit.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "digits.h"
#include "qc_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *name = malloc(size + 1), got[DIGITS + 1];

    QC_ASSERT(name != NULL);
    if (size > 0)
        memcpy(name, data, size);
    name[size] = '\0';
    digits_of(name, got);
    QC_ASSERT(strlen(got) == 0 || strlen(got) == DIGITS);
    QC_ASSERT(strspn(got, "0123456789abcdef") == strlen(got));
    QC_ASSERT(strstr(name, got) != NULL);
    free(name);
    return 0;
}
