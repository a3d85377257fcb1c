/* The keys of one cloud account, read from a file into secret memory. Internal to cloud/. Keeps I5, I7.
 * Files: credentials.c (which file, whose, its mode), credentials_ini.c (its text: FORMAT 10.1).
 *
 * What names the keys is a spec, which is no secret and may stand in argv, in files and in messages:
 *
 *   /absolute/file   a file of ours with mode 0600 or less; it has one profile, under any name
 *   aws:PROFILE      that profile of the AWS command's own file, ~/.aws/credentials. The home directory is
 * the one of the user database (getpwuid of the effective user), not $HOME: a daemon, a shell under sudo and
 * a test must all mean the same file. The AWS variables are not looked at.
 *
 * The text passes through secret memory only: no byte of it is ever in a qc_buf, on the stack or in a message
 * (messages name lines by their numbers). Blocking; no state: any thread. */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "base/key.h"
#include "base/limits.h"

struct cloud_credentials {
    char access[CLOUD_ACCESS_SIZE_MAX + 1]; /* the key's id: 1 .. CLOUD_ACCESS_SIZE_MAX bytes of 0x21 .. 0x7e,
                                               no '/' and no ',' among them; may have ':' (Swift) */
    qc_key *secret;     /* sealed; the secret, and zeros after it: qc_keys come in steps of QC_KEY_STEP */
    size_t secret_size; /* bytes of it that are the secret, 1 .. CLOUD_SECRET_SIZE_MAX, each 0x21 .. 0x7e */
};

/* Is it of one of the two forms? Looks at no file. QC_USAGE: no, and how it is written. */
QC_MUST qc_rc cloud_credentials_spec(const char *spec, struct qc_err *err);

/*
 * Read the keys that a spec names.
 *
 *   ret    the caller's, to be ended by cloud_credentials_done; untouched on failure
 *   spec   see above
 *
 * QC_USAGE     the spec is of neither form, the file's text is wrong (the line's number is told), or the
 *              profile has a session token: temporary keys end within hours, a gateway's clouds must not
 * QC_NOTFOUND  no such file, or no such profile in it
 * QC_AUTH      the file is not ours, or others may read or write it (the message says which bits)
 * QC_LIMIT     a file over CLOUD_CREDENTIALS_FILE_MAX, or a line over QC_KEY_MAX - 1
 * QC_NOMEM, QC_IO
 */
QC_MUST qc_rc cloud_credentials_read(struct cloud_credentials *ret, const char *spec, struct qc_err *err);

/* Wipe and free the secret; c is all zeros. */
void cloud_credentials_done(struct cloud_credentials *c);

/* The secret's bytes without the zeros after them, for a call expression as qc_key_open. */
qc_span cloud_credentials_open(const struct cloud_credentials *c);

/* Where the text comes from: up to n bytes to dst, 0 at its end. */
struct cloud_credentials_source {
    qc_rc (*read)(void *ctx, uint8_t *dst, size_t n, size_t *ret_got, struct qc_err *err);
    void *ctx;
};

/* The parser. profile NULL: the only one. Codes as cloud_credentials_read. Memory: one qc_key of
 * QC_KEY_MAX besides the result. */
QC_MUST qc_rc cloud_credentials_parse(struct cloud_credentials *ret,
                                      const struct cloud_credentials_source *from, const char *profile,
                                      struct qc_err *err);
