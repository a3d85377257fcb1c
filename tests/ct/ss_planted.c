/* ct/ss_planted: a branch on a secret byte, planted here, must be found; else ct/ proves nothing. ctest
 * passes it when valgrind complains. */
#include "qc_check.h"

#include <stdint.h>
#include <valgrind/memcheck.h>

int main(void)
{
    volatile uint8_t secret = 0x5a;
    VALGRIND_MAKE_MEM_UNDEFINED(&secret, 1);
    if ((secret & 1U) != 0) /* guards a call, so that no compiler makes a select of it */
        puts("odd");
    return 0;
}
