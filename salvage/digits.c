#include "digits.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

void digits_of(const char *name, char ret[DIGITS + 1])
{
    const char *end = NULL;
    size_t run = 0;

    for (const char *p = name; *p != '\0'; p++) {
        const bool is = (*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'f');
        run = is ? run + 1 : 0;
        if (run >= DIGITS)
            end = p + 1;
    }
    memset(ret, 0, DIGITS + 1);
    if (end != NULL)
        memcpy(ret, end - DIGITS, DIGITS);
}
