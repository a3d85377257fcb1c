#include "tls_memory.h"

#include <gnutls/gnutls.h>
#include <malloc.h>
#include <stdlib.h>

#include "base/key.h"

static void wipe(void *p)
{
    if (p != NULL)
        qc_wipe(p, malloc_usable_size(p));
    free(p);
}

void tls_memory_wipes(void)
{
#undef gnutls_free /* a macro over the variable */
    gnutls_free = wipe;
}
