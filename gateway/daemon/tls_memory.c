#include "tls_memory.h"

#include <gnutls/gnutls.h>

#include "base/alloc.h"

void tls_memory_wipes(void)
{
#undef gnutls_free /* a macro over the variable */
    gnutls_free = qc_free_wiped;
}
