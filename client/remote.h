/* A gateway for many users: where it is, the token, the first contact. Part of the program qcloud (layer 5).
 */
#pragma once
#include "client.h"

/* Is the vault's gateway one for many users? */
bool remote_is(const struct client *c);

/* Of init: the gateway that --gateway, else the environment, says; NULL: one's own, or none is said.
 * Borrowed. */
const char *remote_meant(const struct qc_args *args);
/* Of init: the options gateway, token-file, ca, link and level into c->conf. QC_USAGE. */
QC_MUST qc_rc remote_take(struct client *c, const struct qc_args *args, struct qc_err *err);

/*
 * A connection, whose token the gateway has taken.
 * QC_AUTH  the token, or its file, is missing or wrong; the certificate does not verify;  QC_TEMP, QC_TIMEOUT
 * the gateway is away;  QC_USAGE  two sources of the token
 */
QC_MUST qc_rc remote_gateway(struct client *c, const struct vault_op *op, struct vault_gw **ret,
                             struct qc_err *err);

/* The gateway does not know the vault: under this token. QC_AUTH. */
QC_MUST qc_rc remote_no_vault(struct qc_err *err);

/* The commands of a gateway's operator end here. QC_USAGE. */
QC_MUST qc_rc remote_refuse(const struct client *c, const char *command, struct qc_err *err);
