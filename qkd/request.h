/* One request to a KME: what is sent, and the answer in secret memory. Internal to qkd/. */
#pragma once
#include "breaker.h"
#include "net/client.h"
#include "qkd/client.h"
#include "seen.h"

enum qkd_call { QKD_STATUS, QKD_ENC, QKD_DEC, QKD_CALLS };

/* How keys are asked for: tried once, then remembered. */
enum qkd_way { QKD_WAY_UNKNOWN, QKD_WAY_POST, QKD_WAY_GET };

enum { QKD_PATH_ROOM = 3 * QKD_NAME_MAX + 64 };

struct qkd_client {
    struct net_client *net;
    struct qkd_conf conf;                                    /* strings are owned, below */
    char *strings;                                           /* all of them, one behind the other */
    char *strings_at;                                        /* where the next one goes */
    struct qkd_extension extensions[2 * QKD_EXTENSIONS_MAX]; /* must, then might */
    const char *more[QKD_SAES_MAX];
    char path[QKD_CALLS][QKD_PATH_ROOM];
    enum qkd_way way[QKD_CALLS];
    struct qkd_status status;
    bool has_status;
    struct qkd_breaker breaker;
    uint64_t probe_ms; /* when its status may be asked for while the circuit is open */
    bool misled;       /* that said that there are keys, and none came since */
    struct qkd_seen seen;
    struct qkd_counts counts; /* but what the breaker knows */
    uint64_t jitter;
};

struct qkd_ask {
    enum qkd_call call;
    bool get;      /* GET instead of POST */
    size_t number; /* keys */
    uint32_t bits;
    const struct qkd_id *ids; /* of QKD_DEC: number of them */
};

struct qkd_answer {
    int status; /* 0: none came */
    enum net_reach reach;
    struct qc_secret body;
    size_t n; /* bytes of it */
};

void qkd_answer_done(struct qkd_answer *a);

/* The path of each call, of the peer's name. QC_USAGE: it cannot stand in one. */
QC_MUST qc_rc qkd_paths(struct qkd_client *c, struct qc_err *err);
/* Can this be said by GET? */
bool qkd_may_get(const struct qkd_client *c, const struct qkd_ask *ask);
/*
 * QC_OK: an answer of whatever status. Else what net_request says, and ret->reach how far it came; an answer
 * that is too large is QC_FORMAT.
 */
QC_MUST qc_rc qkd_send(struct qkd_client *c, const struct qkd_ask *ask, const struct qkd_op *op,
                       struct qkd_answer *ret, struct qc_err *err);
