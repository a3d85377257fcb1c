/* Which level and which keys from QKD carried a put to its clouds, as the gateway says with each segment that
 * is durable (FORMAT 11.2). Layer 3; uses base, net. Keeps I7: what it says is a record, nothing is decided
 * by it. Any thread. */
#pragma once
#include "base/buf.h"
#include "base/json.h"

struct vault_ways; /* opaque */
QC_MUST qc_rc vault_ways_new(struct vault_ways **ret, struct qc_err *err);
void vault_ways_free(struct vault_ways **w);
/* "ways" of an answer, where it has them; w NULL: only looked at. QC_FORMAT */
QC_MUST qc_rc vault_ways_take(struct vault_ways *w, const struct json_t *answer, struct qc_err *err);
/* `CLOUD=WAY CLOUD=WAY`; nothing where nothing was said. QC_NOMEM, QC_LIMIT */
QC_MUST qc_rc vault_ways_print(struct vault_ways *w, qc_buf *ret, struct qc_err *err);
