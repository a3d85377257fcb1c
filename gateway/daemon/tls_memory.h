/* What GnuTLS had decrypted is overwritten before its memory is given back: a request has a token in it (I5),
 * and of that the daemon sees, and overwrites, microhttpd's copy alone. Layer 5; uses base, GnuTLS. */
#pragma once

/* Before the first connection. Takes as long as overwriting does, of 16 KiB for a record at most. */
void tls_memory_wipes(void);
