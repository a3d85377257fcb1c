/* Snapshots of the catalogue on the clouds: the log packed, and notes beside it. Layer 4; uses base, cloud.
 * Keeps I1, I6. What they are for: docs/adr/0022; how they lie there: FORMAT 9.6; order: the head of
 * gateway/snapshot.c. */
#pragma once
#include "base/err.h"
#include "gateway/fan.h"

struct gw_engine;

struct gw_snapshot_conf {
    uint64_t every_s;     /* after the last one, if something was committed since; a day in any case */
    uint64_t log_objects; /* so many new ones are enough by themselves */
};
/* What holds where nothing else is said. */
extern const struct gw_snapshot_conf gw_snapshot_default;
/* Before requests are served; holds until the engine is closed. */
void gw_engine_snapshot_conf(struct gw_engine *e, const struct gw_snapshot_conf *conf);

struct gw_snapshot_view {
    int64_t taken_s;       /* wall clock of the newest that is whole; 0: there is none */
    uint64_t log_sequence; /* as of which it was; 0 likewise */
    uint64_t behind;       /* published log objects that are in no pack */
    uint64_t packs, bytes; /* on the clouds; bytes of log in them */
    int64_t tried_s;      /* wall clock of the last try that came to nothing since then, by this process .. */
    char why[GW_WHY_MAX]; /* .. and why; "": none did */
};
/* Reads a few rows; no cloud is asked. */
QC_MUST qc_rc gw_engine_snapshot_view(struct gw_engine *e, struct gw_snapshot_view *ret, struct qc_err *err);

/*
 * A snapshot now, whether due or not, to its end.
 * QC_QUORUM  too few clouds took or gave what they should; QC_TEMP: one is being made, or another gateway
 * keeps the store; QC_FENCED, QC_IO, QC_RANDOM, QC_NOMEM
 */
QC_MUST qc_rc gw_engine_snapshot(struct gw_engine *e, struct qc_err *err);
