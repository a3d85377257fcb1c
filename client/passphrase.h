/* Where the passphrases of share stores come from: QCLOUD_PASSPHRASE_FD, QCLOUD_PASSPHRASE_COMMAND, the
 * terminal. Part of the program qcloud (layer 5); uses base, vault, secret. Values are never taken from the
 * environment itself. */
#pragma once
#include "client.h"
#include "secret.h"

/* struct vault_passes.ask, for c (a struct client): the environment's source once, else the terminal, unless
 * c->no_input or c->no_prompt say that nobody is to be asked. */
QC_MUST qc_rc client_ask_pass(void *ctx, const struct vault_pass_ask *ask, struct vault_pass **ret,
                              struct qc_err *err);

/* --memory, before anything is done: its bounds, and no other option says that there is no passphrase.
 * QC_USAGE */
QC_MUST qc_rc client_check_lock(const struct qc_args *args, struct qc_err *err);

/*
 * What the stores of a new vault are wrapped under. {0}, with a note: --no-passphrase, no source and nobody
 * to ask, or the user typed none. The passphrase belongs to c->passes. QC_USAGE: two different ones were
 * typed, three times.
 */
QC_MUST qc_rc client_first_lock(struct client *c, const struct qc_args *args, struct vault_lock *ret,
                                struct qc_err *err);

/* The passphrase that replaces others: QCLOUD_NEW_PASSPHRASE_FD or _COMMAND, the terminal, else the one of
 * QCLOUD_PASSPHRASE_FD or _COMMAND. QC_NOPASS: none. */
QC_MUST qc_rc client_next_lock(struct client *c, const struct qc_args *args, struct vault_lock *ret,
                               struct qc_err *err);
