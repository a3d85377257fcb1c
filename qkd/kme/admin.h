/* The operator's doors: a UNIX socket in the state directory, of mode 0600, for everything; and by
 * configuration a port on loopback for a page that shows and changes nothing. Part of qcloud-kme. A thread
 * for each. */
#pragma once
#include "operator.h"

#define KME_SOCKET "qcloud-kme.sock"

struct kme_admin; /* opaque */

/* Open when it returns. page: its port 0: no page. QC_LOCKED: the port is in use; QC_IO, QC_NOMEM, QC_TEMP */
QC_MUST qc_rc kme_admin_open(struct kme_admin **ret, struct kme *k, const struct net_address *page,
                             struct qc_err *err);
void kme_admin_close(struct kme_admin **a);
