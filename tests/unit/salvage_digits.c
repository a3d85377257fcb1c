/* unit/salvage_digits: the digits of an object's name, whatever a copy has made of its slashes. */
#include "digits.h"

#include "qc_check.h"

#define D "00112233445566778899aabbccddeeff"

static void digits(const char *name, const char *want)
{
    char got[DIGITS + 1];

    memset(got, 'x', sizeof got);
    digits_of(name, got);
    if (strcmp(got, want) != 0)
        fprintf(stderr, "%s: got '%s', want '%s'\n", name, got, want);
    CHECK(strcmp(got, want) == 0);
}

int main(void)
{
    digits(D, D);
    digits("f_00_" D, D);
    digits("f%2F00%2f" D ".bin", D);
    digits("copy of " D " (1)", D);
    digits("0" D, D); /* the last 32 of a longer run */
    digits(D D, D);
    digits("ffffffffffffffffffffffffffffffff-" D, D); /* the last of several runs */
    digits(D "-0123", D);
    digits("", "");
    digits("cloud", "");
    digits("0112233445566778899aabbccddeeff", ""); /* 31 */
    digits("00112233445566778899AABBCCDDEEFF", "");
    digits("00112233445566778-899aabbccddeeff", "");
    return 0;
}
