/* What clients' parts use of each other: client.c, bundles.c (many small files), names.c (moves, removals of
 * many versions). */
#pragma once
#include "catalogue.h"
#include "gateway.h"

/* -- in the program -------------------------------------------------------------------------------------- */

const struct gw_ref *client_vault(void);
qc_span client_path(unsigned path);
struct gw_entry client_entry(const struct put *p);
/* Which segment it lies in, for the oracle; under the catalogue's lock. */
qc_rc client_look_in_bundle(struct gw_engine *e, struct put *p, const struct gw_version_row *v,
                            struct qc_err *err);

/* -- clients --------------------------------------------------------------------------------------------- */

enum { PATIENCE_S = 200 };

struct request *client_ask_for(struct request q, uint64_t ns);
struct request *client_ask(struct request q);
/* What looks at all paths. */
struct request *client_ask_all(void (*run)(struct request *r, struct gw_engine *e));
/* Is it known what became of it? */
bool client_finished(const struct request *r, struct put *p);
/* The outcome is not known. hasty: who hung up asks soon. */
void client_find_out(struct put *p, bool hasty);
/* To its end, or until it is left open. */
void client_carry_out(struct put *p);
/* For how long somebody waits for the answer, who may hang up. */
uint64_t client_patience(bool *ret_hangs_up);
void client_counted(const struct put *p); /* it was acknowledged */

void client_bundle(void);
void client_move(void);
void client_erase(void);
void client_prune(void);
