/* What a put does with tickets. Layer 3. tickets.c */
#pragma once
#include "session.h"
#include "vault/shares.h"

/* Store 2 is not there, and store 1 can be written: a put may take a ticket. */
bool tickets_may(struct vault *v);
/* One ticket, durably taken: nobody gets it again. QC_SHARES: none is left. */
QC_MUST qc_rc tickets_take(struct vault *v, struct vault_ticket *ret, struct qc_err *err);
/* Its put was committed under this number of its path. */
QC_MUST qc_rc tickets_used(struct vault *v, const uint8_t *object, const uint8_t *version,
                           const uint8_t path_tag[16], uint64_t number, struct qc_err *err);
/* Both stores are there and can be written: store 2 learns what its tickets were used for. What fails is a
 * note, and is tried again. */
void tickets_bring(struct vault *v, struct vault_notes *notes);
