#include "cmd_rebuild.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/file.h"
#include "cloud_args.h"
#include "cmd_audit.h"
#include "cmd_cloud.h"
#include "gateway/rebuild.h"
#include "http.h"
#include "print.h"
#include "qrng/qrng.h"
#include "snapshot_look.h"
#include "tell.h"

enum { KIT_BYTES = 256 }; /* GW_KIT_TEXT_MAX and a line's end, to the step of keys */

#define REBUILD                                                                                              \
    { "state", 0, "DIR", "the state directory, made if missing", false },                                    \
        { "config", 0, "FILE", "or a configuration, which names it", false },                                \
        { "cloud", 0, "NAME=URL", "a cloud; give all there were", true },                                    \
        { "cloud-credentials", 0, "NAME=FILE", "where a cloud's keys are, if not as before; or aws:PROFILE", \
          true },                                                                                            \
        { "kit", 0, "FILE", "the operator's kit, where too few clouds answer for the root key", false },     \
        { "catalogue", 0, "HEX", "refuse clouds of any other gateway than this", false },                    \
    {                                                                                                        \
        "json", 0, NULL, "the report as JSON", false                                                         \
    }

const struct qc_opt cmd_rebuild_options[] = {
    REBUILD,
    { "from-clouds", 0, NULL, "from what lies on the clouds: what a rebuild does anyway", false },
    { "verify-only", 0, NULL, "make it, check it, say what it would have, and leave everything as it is",
      false },
    { "accept-loss", 0, NULL, "end the log before a record that no cloud has readable", false },
    { 0 },
};
const struct qc_opt cmd_snapshot_restore_options[] = {
    REBUILD,
    { "dry-run", 0, NULL, "say what would come of it, and leave everything as it is", false },
    { "yes", 0, NULL, "do not ask", false },
    { 0 },
};

/* The kit holds the root key: into secret memory, and nowhere else (I5). *ret_n: bytes of text. */
static qc_rc kit_read(const char *file, qc_key **ret, size_t *ret_n, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    QC_CLEANUP(qc_key_free) qc_key *kit = NULL;
    QC_TRY(qc_open_at(&fd, AT_FDCWD, file, O_RDONLY | O_CLOEXEC, 0, err));
    QC_TRY(qc_key_blank(&kit, KIT_BYTES, err));
    QC_TRY(qc_read_full(qc_fd_get(&fd), qc_key_write(kit), KIT_BYTES, ret_n, err));
    qc_key_seal(kit);
    if (*ret_n == KIT_BYTES)
        return QC_FAIL(err, QC_FORMAT, "longer than an operator's kit");
    *ret = QC_STEAL(kit);
    return QC_OK;
}

/* What the log does not hold: known as of the last snapshot, or not at all. */
static void report_notes(const struct gw_rebuild_report *r)
{
    char when[QC_TIME_TEXT], hash[2 * GW_DIGEST_BYTES + 1];

    if (r->notes_s == 0) {
        printf("no snapshot: not known are which fragments had been found damaged, which keys are dead, when "
               "the clouds were scrubbed, and where the audit log ended\n");
        return;
    }
    qc_time_text(r->notes_s, when);
    printf("snapshot %" PRIu32 ".%" PRIu32 " of %s, after log object %" PRIu64
           "; what was found out later is not known\n",
           r->notes_incarnation, r->notes_serial, when, r->notes_sequence);
    printf("from it: %" PRIu64 " dead keys, to be deleted; %" PRIu64
           " fragments in doubt, to be read first%s\n",
           r->noted_dead, r->noted_doubts, r->notes_cut ? "; it had no room for all of them" : "");
    if (r->noted_refused > 0)
        printf("%" PRIu64 " keys that it calls dead have live fragments: not believed\n", r->noted_refused);
    if (r->audit_sequence > 0) {
        qc_hex(qc_span_of(r->audit_hash, sizeof r->audit_hash), hash);
        printf("the audit log had %" PRIu64 " lines then, and the hash %s\n", r->audit_sequence, hash);
    }
}

static void report_text(const struct gw_rebuild_report *r)
{
    printf("incarnation %" PRIu32 " of the gateway, from %u of %u clouds (%u are needed)\n", r->incarnation,
           r->reached, r->clouds, r->needed);
    printf("%" PRIu64 " log objects up to %" PRIu64 "; %" PRIu64 " beyond the cut are void\n", r->log_objects,
           r->log_sequence, r->log_beyond);
    if (r->log_packed > 0)
        printf("%" PRIu64 " of them from snapshots\n", r->log_packed);
    if (r->log_restored > 0)
        printf("%" PRIu64 " of these were on no cloud any more: they were put back\n", r->log_restored);
    printf("%" PRIu64 " tenants, %" PRIu64 " vaults, %" PRIu64 " names, %" PRIu64 " versions, %" PRIu64
           " removed, %" PRIu64 " bytes\n",
           r->tenants, r->vaults, r->entries, r->versions, r->tombstones, r->bytes);
    printf("fragments: %" PRIu64 " of %" PRIu64 " found, %" PRIu64 " missing, %" PRIu64
           " on clouds that did not answer\n",
           r->fragments_found, r->fragments_expected, r->fragments_missing, r->fragments_unheard);
    printf("%" PRIu64 " fragments without a record (never acknowledged, kept), %" PRIu64
           " foreign objects (not touched)\n",
           r->unknown, r->foreign);
    if (r->unreadable > 0)
        printf("%" PRIu64 " versions have too few fragments on the clouds that answered\n", r->unreadable);
    report_notes(r);
}

static qc_rc report_json(const struct gw_rebuild_report *r, struct qc_err *err)
{
    const struct {
        const char *name;
        uint64_t v;
    } rows[] = { { "incarnation", r->incarnation },
                 { "clouds", r->clouds },
                 { "reached", r->reached },
                 { "needed", r->needed },
                 { "log_objects", r->log_objects },
                 { "log_sequence", r->log_sequence },
                 { "log_beyond", r->log_beyond },
                 { "tenants", r->tenants },
                 { "vaults", r->vaults },
                 { "entries", r->entries },
                 { "versions", r->versions },
                 { "tombstones", r->tombstones },
                 { "bytes", r->bytes },
                 { "fragments_expected", r->fragments_expected },
                 { "fragments_found", r->fragments_found },
                 { "fragments_missing", r->fragments_missing },
                 { "fragments_unheard", r->fragments_unheard },
                 { "unknown", r->unknown },
                 { "foreign", r->foreign },
                 { "unreadable", r->unreadable },
                 { "log_packed", r->log_packed },
                 { "log_restored", r->log_restored },
                 { "snapshot_time", (uint64_t)r->notes_s },
                 { "snapshot_log", r->notes_sequence },
                 { "snapshot_incarnation", r->notes_incarnation },
                 { "snapshot_serial", r->notes_serial },
                 { "snapshot_cut", r->notes_cut },
                 { "noted_dead", r->noted_dead },
                 { "noted_doubts", r->noted_doubts },
                 { "noted_refused", r->noted_refused },
                 { "audit_lines", r->audit_sequence } };
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(qc_json_set_hex(o, "catalogue", gw_id_span(&r->catalogue), err));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        QC_TRY(qc_json_set_int(o, rows[i].name, (int64_t)rows[i].v, err));
    return print_json(o, HTTP_BODY_MAX, err);
}

static qc_rc take_catalogue(const char *text, struct gw_id *ret, struct qc_err *err)
{
    struct qc_err why = { 0 };
    if (qc_hex_dec(qc_span_str(text), ret->b, GW_ID_BYTES, &why) != QC_OK)
        return QC_FAIL(err, QC_USAGE, "--catalogue: %s", why.msg);
    return QC_OK;
}

/* -- commands -------------------------------------------------------------------------------------------- */

struct rebuilding {
    struct cloud_args clouds;
    struct gw_id catalogue;
    const char *state;
    qc_key *kit;
    struct qrng *q;
    qc_rng rng;
    struct gw_rebuild_setup setup;
};

static void rebuilding_done(struct rebuilding *r)
{
    qc_key_free(&r->kit);
    qrng_close(&r->q);
}

static qc_rc take_rebuilding(const struct qc_args *args, struct rebuilding *r, struct qc_err *err)
{
    const char *meant = qc_args_value(args, "catalogue", NULL);
    const char *file = qc_args_value(args, "kit", NULL);
    size_t kit_n = 0;

    QC_TRY(cloud_args_state(args, &r->state, err));
    QC_TRY(cloud_args_take(args, &r->clouds, err));
    if (meant != NULL)
        QC_TRY(take_catalogue(meant, &r->catalogue, err));
    if (file != NULL)
        QC_TRY_AS(kit_read(file, &r->kit, &kit_n, err), err, "--kit");
    QC_TRY(qrng_open("os", &r->q, err));
    r->rng = qrng_rng(r->q);
    r->setup = (struct gw_rebuild_setup){
        .clouds = r->clouds.v,
        .count = r->clouds.count,
        .kit = r->kit != NULL ? qc_span_sub(qc_key_open(r->kit), 0, kit_n) : (qc_span){ 0 },
        .validate = true,
        .told = cmd_cloud_told,
        .catalogue = meant != NULL ? &r->catalogue : NULL,
    };
    return QC_OK;
}

static qc_rc tell_report(const struct qc_args *args, const struct gw_rebuild_report *report, bool changed,
                         struct qc_err *err)
{
    if (qc_args_flag(args, "json"))
        return report_json(report, err);
    if (!changed)
        printf("nothing was changed; a catalogue made from the clouds now would be:\n");
    report_text(report);
    return QC_OK;
}

/* It could be made. Would everything that it names be there? */
static qc_rc judge(const struct gw_rebuild_report *r, struct qc_err *err)
{
    if (r->unreadable == 0 && r->fragments_missing == 0)
        return QC_OK;
    return QC_FAIL(err, QC_DEGRADED,
                   "the catalogue can be made; %" PRIu64 " fragments are missing on the clouds, and %" PRIu64
                   " versions have too few",
                   r->fragments_missing, r->unreadable);
}

qc_rc cmd_rebuild(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(rebuilding_done) struct rebuilding r = { 0 };
    struct gw_rebuild_report report = { 0 };
    *(enum tell_about *)app = TELL_REBUILD;
    QC_TRY(take_rebuilding(args, &r, err));
    r.setup.accept_loss = qc_args_flag(args, "accept-loss");
    r.setup.verify_only = qc_args_flag(args, "verify-only");
    QC_TRY(gw_rebuild(r.state, &r.setup, &r.rng, &report, err));
    if (!r.setup.verify_only)
        cmd_audit_rebuild(r.state, &report);
    QC_TRY(tell_report(args, &report, !r.setup.verify_only, err));
    return r.setup.verify_only ? judge(&report, err) : QC_OK;
}

/* What is newer in the log is never given up: a snapshot is where it begins, not where it ends (ADR 84). */
static qc_rc may_restore(const char *generation, const struct gw_rebuild_report *r, struct qc_err *err)
{
    if (r->notes_s == 0)
        return QC_FAIL(err, QC_NOTFOUND, "there is no snapshot on these clouds that can be used");
    if (generation == NULL)
        return QC_OK;
    if (r->asked == 0)
        return QC_FAIL(err, QC_NOTFOUND, "there is no snapshot %s on these clouds", generation);
    if (r->asked < r->notes_sequence)
        return QC_FAIL(err, QC_CONFLICT,
                       "snapshot %s ends at log object %" PRIu64
                       ", and the log on the clouds goes on to %" PRIu64
                       ": a catalogue as of then would lose what was acknowledged since",
                       generation, r->asked, r->log_sequence);
    return QC_OK;
}

static void say_plan(const char *state, const struct gw_rebuild_report *r, FILE *to)
{
    char when[QC_TIME_TEXT];

    qc_time_text(r->notes_s, when);
    (void)fprintf(to,
                  "the catalogue in %s is set aside, and made anew from snapshot %" PRIu32 ".%" PRIu32
                  " of %s and the %" PRIu64 " log objects after it: %" PRIu64 " names, %" PRIu64
                  " versions. A gateway that serves these clouds elsewhere is shut out.\n",
                  state, r->notes_incarnation, r->notes_serial, when, r->log_sequence - r->notes_sequence,
                  r->entries, r->versions);
}

static qc_rc agree(const struct qc_args *args, struct qc_err *err)
{
    char line[16] = "";
    if (qc_args_flag(args, "yes"))
        return QC_OK;
    if (isatty(STDIN_FILENO) != 1)
        return QC_FAIL(err, QC_USAGE, "nobody can be asked whether this is wanted: --yes");
    (void)fprintf(stderr, "Go on? [y/N] ");
    if (fgets(line, sizeof line, stdin) == NULL || (line[0] != 'y' && line[0] != 'Y'))
        return QC_FAIL(err, QC_CANCELLED, "nothing was changed");
    return QC_OK;
}

qc_rc cmd_snapshot_restore(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(rebuilding_done) struct rebuilding r = { 0 };
    struct gw_rebuild_report report = { 0 };
    const char *generation = args->argc > 0 ? args->argv[0] : NULL;
    *(enum tell_about *)app = TELL_RESTORE;
    QC_TRY(take_rebuilding(args, &r, err));
    if (generation != NULL)
        QC_TRY(snapshot_generation(generation, &r.setup.snapshot_incarnation, &r.setup.snapshot_serial, err));
    r.setup.verify_only = true;
    QC_TRY(gw_rebuild(r.state, &r.setup, &r.rng, &report, err));
    QC_TRY(may_restore(generation, &report, err));
    say_plan(r.state, &report, stderr);
    if (qc_args_flag(args, "dry-run"))
        return tell_report(args, &report, false, err);
    QC_TRY(agree(args, err));
    r.setup.verify_only = false;
    QC_TRY(gw_rebuild(r.state, &r.setup, &r.rng, &report, err));
    cmd_audit_rebuild(r.state, &report);
    return tell_report(args, &report, true, err);
}
