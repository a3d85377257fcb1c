/* Keys that a key manager (KME) delivered, each with its key_ID. Layer 2; uses base. Keeps I5.
 *
 * Thousands of keys fill a pad: they lie in one block of secret memory, not in a locked page each. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/key.h"
#include "base/secret.h"

/* As the KME wrote it; compared as qkd_id_same does. */
struct qkd_id {
    char text[QKD_ID_MAX + 1];
};

enum qkd_id_syntax {
    QKD_ID_UUID,   /* RFC 4122's text form: 36 characters */
    QKD_ID_OPAQUE, /* 1..QKD_ID_MAX of A-Z a-z 0-9 . _ : - */
};

/* Has it that form? */
bool qkd_id_ok(qc_span text, enum qkd_id_syntax syntax);
/* Letters of either case are the same. */
bool qkd_id_same(const struct qkd_id *a, const struct qkd_id *b);

/* count keys of `bytes` bytes each. {0} is empty. */
struct qkd_keys {
    size_t count, bytes;
    struct qkd_id *ids; /* count of them, owned */
    struct qc_secret secret;
};

/* Wipes and frees; *k is empty. */
void qkd_keys_done(struct qkd_keys *k);
/* The bytes of key i < count (asserted): inside the call expression that uses them; never stored. */
qc_span qkd_keys_open(const struct qkd_keys *k, size_t i);
/* Key i as a qc_key; wiped where it was. Its length is one that a qc_key has (base/key.h; asserted). QC_NOMEM
 */
QC_MUST qc_rc qkd_keys_take(struct qkd_keys *k, size_t i, qc_key **ret, struct qc_err *err);
