/* What a command has used of the way to its gateway, and how it gives way to others of this machine. Part of
 * the program qcloud (layer 5); uses base, vault. */
#pragma once
#include "client.h"

/* "12 requests to the gateway: 1.5 MiB sent, 3.0 KiB received" */
void meter_note(struct client *c);
/* "requests", "sent", "received", into an object. QC_NOMEM */
QC_MUST qc_rc meter_json(const struct client *c, struct json_t *ret, struct qc_err *err);
/* The end of a command: told with --stats, and of one that is metered with -v; the summary of its result. */
void meter_end(struct client *c);
/* Those of a site are its command's. */
void meter_add(struct client *c, const struct client *site);
/* --nice: a lower priority for this thread, and for those that it begins from here on. */
void meter_give_way(struct client *c);
