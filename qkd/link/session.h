/* What the files of a session share. */
#pragma once
#include "link.h"
#include "wire.h"

/* A record, into what goes out. */
QC_MUST qc_rc session_put(struct link *l, enum link_kind kind, qc_span s, struct qc_err *err);
/* Bytes of key for a pad block: its check key, K2 and K1. */
enum { SESSION_CHECK = 32, SESSION_K2 = 32 };
uint32_t session_block_bytes(const struct link *l);

/* -- jobs (jobs.c) -- */

QC_MUST qc_rc job_start(struct link *l, struct link_job *j, struct qc_err *err);
void job_join(struct link_job *j);
/* And what it brought. */
void job_drop(struct link_job *j);

/* -- a new key while the link is in use (rekey.c): FORMAT 14.2 -- */

/* What is due: another connection, moving to it, closing the old one. QC_TIMEOUT: the other end does not
 * move. */
QC_MUST qc_rc rekey_turn(struct link *l, struct qc_err *err);
/* To a connection that the other end made. */
QC_MUST qc_rc rekey_to(struct link *l, struct link_line *line, struct qc_err *err);
/* The other end's last record in a connection came. QC_FORMAT: it moves already */
QC_MUST qc_rc rekey_moved(struct link *l, struct qc_err *err);
/* What is read from and written to now; NULL: what follows is not there yet. */
struct link_line *rekey_from(struct link *l);
struct link_line *rekey_to_now(struct link *l);
/* May the key be used for the stream? QC_TEMP: too old, and no other came in time. At the level otp it may
 * while there is pad: the frames do not rest on it. */
QC_MUST qc_rc rekey_age(struct link *l, bool *ret_young, struct qc_err *err);
