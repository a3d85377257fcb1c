/* A question before what cannot simply be taken back. Part of the program qcloud (layer 5); uses client. */
#pragma once
#include "client.h"

/* Asks at the terminal: y is yes. QC_CANCELLED: no; nothing is what was done then ("nothing was removed").
 * QC_USAGE: nobody can be asked; instead says what to give ("--yes"). */
QC_MUST qc_rc client_agree(struct client *c, const char *question, const char *instead, const char *nothing,
                           struct qc_err *err);
/* The same without a question: can somebody be asked? */
QC_MUST qc_rc client_agree_can(const struct client *c, const char *instead, struct qc_err *err);
