#include "cmd_repair.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/program.h"
#include "cloud_args.h"
#include "cmd_audit.h"
#include "cmd_move.h"
#include "json.h"
#include "print.h"
#include "qrng/qrng.h"
#include "repair_report.h"
#include "tell.h"

const struct qc_opt cmd_repair_options[] = {
    CLOUD_ARGS_STATE,
    { "deep", 0, NULL, "read and verify everything, not only what is in doubt", false },
    { "dry-run", 0, NULL, "say what would be done; write to no cloud", false },
    { "max-rate", 0, "BYTES", "read and write at most so much in a second (k, M, G: powers of 1024)", false },
    { "adopt", 0, "NAME", "fill a lost cloud again: whatever it had is given up", false },
    { "reprotect", 0, "K,N", "another code: any K of N clouds give everything; what is stored follows",
      false },
    { "json", 0, NULL, "the report as JSON", false },
    { 0 },
};

/* A line on a terminal, written over again and again. */
static void show(void *ctx, const struct gw_repair_report *now)
{
    const bool *terminal = ctx;
    if (!*terminal)
        return;
    (void)fprintf(stderr,
                  "\r\033[Krepair: %s: %" PRIu64 " of %" PRIu64 " segments, %" PRIu64 " MiB read, %" PRIu64
                  " MiB written",
                  gw_repair_phase_name(now->phase), now->segments_done, now->segments, now->read_bytes >> 20,
                  now->written_bytes >> 20);
    if (now->phase == GW_REPAIR_DONE)
        (void)fprintf(stderr, "\r\033[K");
}

static qc_rc print_line(void *ctx, const char *line, struct qc_err *err)
{
    (void)ctx;
    (void)err;
    printf("%s\n", line);
    return QC_OK;
}

static qc_rc print_repair(struct gw_engine *e, const struct gw_repair_report *r, bool as_json,
                          struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    if (!as_json)
        return repair_report_lines(e, r, print_line, NULL, err);
    QC_TRY(repair_report_json(&o, e, r, err));
    return print_json(o, HTTP_BODY_MAX, err);
}

static qc_rc run(struct gw_engine *e, const struct gw_repair_ask *ask, bool as_json, struct qc_err *err)
{
    QC_CLEANUP(qc_free_ptr) struct gw_repair_report *r = qc_alloc(sizeof *r);
    if (r == NULL)
        return QC_FAIL(err, QC_NOMEM, "repair");
    const qc_rc rc = gw_engine_repair(e, ask, r, err);
    GW_AUDIT(gw_engine_audit(e), "repair_ended", QC_S("rc", qc_rc_name(rc)), QC_U("deep", ask->deep),
             QC_U("dry_run", ask->dry_run), QC_U("written", r->written_bytes));
    if (rc != QC_OK && rc != QC_CANCELLED)
        return rc;
    qc_err_clear(err);
    QC_TRY(print_repair(e, r, as_json, err));
    return gw_repair_verdict(r, err);
}

qc_rc cmd_repair(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(qrng_close) struct qrng *q = NULL;
    QC_CLEANUP(gw_engine_close) struct gw_engine *e = NULL;
    bool terminal = isatty(STDERR_FILENO) == 1;
    struct gw_repair_ask ask = { .deep = qc_args_flag(args, "deep"),
                                 .dry_run = qc_args_flag(args, "dry-run"),
                                 .adopt = qc_args_value(args, "adopt", NULL),
                                 .cancel = qc_stop(),
                                 .tell = show,
                                 .ctx = &terminal };
    const char *state = NULL;
    if (qc_args_value(args, "reprotect", NULL) != NULL)
        return cmd_reprotect(app, args, err);
    *(enum tell_about *)app = TELL_REPAIR;
    QC_TRY(cloud_args_state(args, &state, err));
    QC_TRY(qc_args_u64(args, "max-rate", true, QC_GW_REPAIR_RATE_MIN, INT64_MAX, &ask.rate, err));
    if (ask.dry_run && ask.adopt != NULL)
        return QC_FAIL(err, QC_USAGE, "--adopt writes to the cloud: not with --dry-run");
    QC_TRY(qc_stop_catch(err));
    QC_TRY(qrng_open("os", &q, err));
    const qc_rng rng = qrng_rng(q);
    QC_TRY(gw_engine_open_audited(&e, state, &rng, cmd_audit_of(state), err));
    return run(e, &ask, qc_args_flag(args, "json"), err);
}
