/* ct/qkd_base64: a key's text becomes a key, and time tells nothing of it. */
#include "container.h"

#include <string.h>
#include <valgrind/memcheck.h>

#include "qc_check.h"

int main(void)
{
    char text[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    uint8_t out[32];
    VALGRIND_MAKE_MEM_UNDEFINED(text, sizeof text - 2); /* the padding follows from the length */
    bool good = qkd_base64((const uint8_t *)text, sizeof text - 1, out, sizeof out);
    VALGRIND_MAKE_MEM_DEFINED(&good, sizeof good);
    VALGRIND_MAKE_MEM_DEFINED(out, sizeof out);
    CHECK(good);
    for (size_t i = 0; i < sizeof out; i++)
        CHECK(out[i] == i);
    return 0;
}
