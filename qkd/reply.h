/* Answers of a KME that hold no secret: status and error (tables 9 and 13). Internal to qkd/. Pure. Keeps I7.
 */
#pragma once
#include "qkd/client.h"

/* QC_FORMAT with the member that is missing, of another type or out of range; *ret is as it was then.
 * QC_NOMEM
 */
QC_MUST qc_rc qkd_reply_status(struct qkd_status *ret, qc_span text, struct qc_err *err);

/* What an error says, for a message: visible ASCII, cut; "" where it says nothing that parses. */
void qkd_reply_cite(qc_span text, char ret[QKD_CITE_MAX + 1]);
