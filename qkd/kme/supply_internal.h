/* What supply.c and operator.c share. Part of qcloud-kme. */
#pragma once
#include "base/thread.h"
#include "make.h"
#include "supply.h"

struct kme {
    pthread_mutex_t lock; /* guards all that follows */
    struct kme_network *net;
    struct kme_store *store;
    struct kme_streams streams;
    qc_rng rng;
    uint64_t seen_ms;    /* until when the links' yield is in their pools */
    uint64_t written_ms; /* when the pools were written down last */
    uint64_t reaped_ms;  /* when what had expired was erased last */
    uint64_t supplied;   /* keys since the start; one for several slaves counts once */
    int64_t since_s;     /* the start, by the wall clock */
};

/* Under the lock: the links' yield since the last look. */
void kme_catch_up(struct kme *k);

/* What a page says of the network. Under the lock, caught up. */
typedef qc_rc kme_printer(struct kme *k, qc_buf *to, struct qc_err *err);
/* Such a page as an answer. type: of its text, static. */
QC_MUST qc_rc kme_answer_print(struct kme *k, const char *type, kme_printer *print, struct kme_answer *ret,
                               struct qc_err *err);
