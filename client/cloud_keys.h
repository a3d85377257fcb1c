/* Where the keys of the clouds are: --cloud-credentials NAME=FILE, handed on to qcloud-gateway; and what it
 * says of the clouds it has looked at. Part of the program qcloud (layer 5); uses base, client. No key passes
 * through here. */
#pragma once
#include "client.h"

struct cloud_keys {
    qc_buf words;                /* NAME=/absolute/file or NAME=aws:PROFILE, each with its NUL; owned */
    size_t at[VAULT_CLOUDS_MAX]; /* offsets into words */
    size_t count;
};

/* QC_USAGE: not of that form, or too many. *ret is empty before. */
QC_MUST qc_rc cloud_keys_take(const struct qc_args *args, struct cloud_keys *ret, struct qc_err *err);
void cloud_keys_done(struct cloud_keys *k);
/* NAME's file as an absolute path; aws:PROFILE stays as it is. QC_USAGE, QC_LIMIT. */
QC_MUST qc_rc cloud_keys_place(const char *spec, char ret[QC_CLIENT_PATH_MAX], struct qc_err *err);
/* Append the options to an argument list of n words; the new n, at most 2 * VAULT_CLOUDS_MAX more. */
size_t cloud_keys_argv(const struct cloud_keys *k, const char **argv, size_t n);

/* Lines of qcloud-gateway: those that speak of a cloud are told as warnings, the rest is appended to rest. */
QC_MUST qc_rc cloud_keys_tell(struct client *c, const qc_buf *said, qc_buf *rest, struct qc_err *err);
