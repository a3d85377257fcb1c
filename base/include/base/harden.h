/* The first call of every main(). Layer 0; uses libsodium. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct qc_harden_opts {
    size_t lock_bytes; /* secret memory that the program expects to need; the trial locks as much */
    bool must_lock;    /* fail where it cannot be locked; else only say so */
};

/*
 * sodium_init; no core dumps (RLIMIT_CORE 0), not dumpable or traceable by the same user (PR_SET_DUMPABLE 0;
 * I5); SIGPIPE and SIGXFSZ ignored; umask 077; a trial lock of lock_bytes. *ret_locked: the trial succeeded.
 * libsodium hands out memory that it could not lock without a word, so only this tells. QC_AUTH when
 * must_lock and it failed, with the limit in the message; QC_GENERAL when a call fails.
 */
QC_MUST qc_rc qc_process_harden(const struct qc_harden_opts *opts, bool *ret_locked, struct qc_err *err);
