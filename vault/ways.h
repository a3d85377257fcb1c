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
/* And of the way to the gateway itself, as the link there says (net/watch.h): before and after a call. */
#define VAULT_WAY_GATEWAY "(gateway)" /* in place of a cloud's name, which has no such bytes */
struct net_way;
void vault_ways_own(struct vault_ways *w, const struct net_way *way);
/* `CLOUD=WAY CLOUD=WAY`; nothing where nothing was said. QC_NOMEM, QC_LIMIT */
QC_MUST qc_rc vault_ways_print(struct vault_ways *w, qc_buf *ret, struct qc_err *err);
