/* What is fetched ahead of many gets: their entries by one request, and the bytes of small objects by
 * another. Layer 3. Nothing is believed for it: a get takes an answer from here as if the gateway had just
 * given it, and checks it likewise. One thread but for ahead_bytes, which changes nothing. */
#pragma once
#include "session.h"

struct ahead;
void ahead_free(struct ahead **a);

/* The answer for a path, once. false: it is not here. */
bool ahead_take(struct ahead *a, qc_span path, struct vault_gw_entry *ret);
/* N of a version, whole; empty: it is not here. Borrowed until the next vault_ahead. */
qc_span ahead_bytes(const struct ahead *a, const struct vault_ids *ids);
