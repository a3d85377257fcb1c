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

/* What is due: keys drawn ahead, a handshake, closing the old connection. QC_TIMEOUT: the other end does not
 * move. */
QC_MUST qc_rc rekey_turn(struct link *l, struct qc_err *err);
/* The other end's records: names of keys, whether it has ours, a handshake, its last in a connection.
 * QC_FORMAT: nobody waits for that; and those of net_psk_next_step */
QC_MUST qc_rc rekey_ahead(struct link *l, qc_span s, struct qc_err *err);
QC_MUST qc_rc rekey_have(struct link *l, qc_span s, struct qc_err *err);
QC_MUST qc_rc rekey_shake(struct link *l, qc_span s, struct qc_err *err);
QC_MUST qc_rc rekey_moved(struct link *l, qc_span s, struct qc_err *err);
/* All of the old connection was written: goodbye. */
QC_MUST qc_rc rekey_written(struct link *l, struct qc_err *err);
/* The other end said goodbye. *ret_goes_on false: for good. */
QC_MUST qc_rc rekey_goodbye(struct link *l, bool *ret_goes_on, struct qc_err *err);
/* A session is over: keys that nobody used. */
void rekey_drop(struct link *l);
/* A key from QKD is in use. */
void rekey_note(struct link *l, const struct link_line *line);
/* What is read from and written to now; NULL: the old connection's goodbye has to go first. */
struct link_line *rekey_from(struct link *l);
struct link_line *rekey_to_now(struct link *l);
/* Of the newest key that was agreed on. */
const struct link_line *rekey_newest(const struct link *l);
/* May the key be used for the stream? QC_TEMP: too old, and no other came in time. At the level otp it may
 * while there is pad: the frames do not rest on it. */
QC_MUST qc_rc rekey_age(struct link *l, bool *ret_young, struct qc_err *err);
