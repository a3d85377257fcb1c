/* qcloud-gateway: the erasure-coding server and its operator's commands. Layer 5; uses base, qrng, gateway.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/db.h"
#include "base/file.h"
#include "base/harden.h"
#include "base/log.h"
#include "base/opt.h"
#include "base/program.h"
#include "calls.h"
#include "cloud_args.h"
#include "cmd_ask.h"
#include "cmd_audit.h"
#include "cmd_cloud.h"
#include "cmd_conf.h"
#include "cmd_drill.h"
#include "cmd_job.h"
#include "cmd_keys.h"
#include "link_report.h"
#include "log_level.h"
#include "cmd_move.h"
#include "cmd_plan.h"
#include "cmd_rebuild.h"
#include "cmd_repair.h"
#include "cmd_scrub.h"
#include "cmd_selftest.h"
#include "cmd_status.h"
#include "cmd_snapshot.h"
#include "cmd_sweep.h"
#include "cmd_tenant.h"
#include "help.h"
#include "print.h"
#include "gateway/rebuild.h"
#include "qrng/qrng.h"
#include "serve.h"
#include "status_watch.h"
#include "tell.h"
#include "tls_memory.h"

enum {
    /* G, keys below it, one B at a time per connection; a TLS key and the one that follows it; and for each
     * cloud its secret key, a signing key, and one of each while keys change: all handles of a cloud share
     * them (cloud/s3.h). */
    LOCK_BYTES = 288 * 1024 + QC_GW_CLOUDS_MAX * 4 * 4096,
    IDLE_MAX_S = 86400,
};

static const struct qc_opt serve_options[] = {
    { "config", 0, "FILE", "the configuration of a gateway for many users", false },
    { "state", 0, "DIR", "or the state directory of one for its own user alone; with it:", false },
    { "idle", 0, "SPAN", "leave after so long without a connection (0: never)", false },
    { "log-file", 0, "FILE", "append the log there instead of stderr", false },
    { "json-log", 0, NULL, "one JSON object per line of the log", false },
    { "ready-fd", 0, "N", "write \"ready\" to this descriptor once connections are taken", false },
    { 0 },
};
static const struct qc_opt init_options[] = {
    { "state", 0, "DIR", "the state directory, made if missing", false },
    { "config", 0, "FILE", "or a configuration, which names it", false },
    { "cloud", 0, "NAME=URL", "a cloud; give one for each", true },
    { "cloud-credentials", 0, "NAME=FILE", "where a cloud's keys are: a file of mode 0600, or aws:PROFILE",
      true },
    { "k", 0, "K", "fragments needed", false },
    { "n", 0, "N", "fragments written (default: the number of clouds)", false },
    { 0 },
};
static const struct qc_opt state_options[] = {
    CLOUD_ARGS_STATE,
    { "json", 0, NULL, "as JSON", false },
    { 0 },
};

static const struct qc_opt status_options[] = {
    CLOUD_ARGS_STATE,
    { "json", 0, NULL, "as JSON", false },
    STATUS_WATCH_OPTIONS,
    { 0 },
};

/* What --config takes the place of. */
static qc_rc take_config(const struct qc_args *args, struct serve_options *o, struct qc_err *err)
{
    static const char *const others[] = { "state", "idle", "log-file", "json-log" };
    static struct conf conf; /* 20 KiB of paths */
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (qc_args_flag(args, others[i]))
            return QC_FAIL(err, QC_USAGE, "--%s beside --config: the configuration says it", others[i]);
    QC_TRY(conf_load(o->config, &conf, err));
    o->conf = &conf;
    o->state = conf.state;
    o->log_file = conf.log_file[0] != '\0' ? conf.log_file : NULL;
    return QC_OK;
}

static qc_rc take_options(const struct qc_args *args, struct serve_options *o, struct qc_err *err)
{
    if (o->config != NULL)
        QC_TRY(take_config(args, o, err));
    else
        QC_TRY(cloud_args_state(args, &o->state, err));
    if (o->conf == NULL)
        o->log_file = qc_args_value(args, "log-file", NULL);
    QC_TRY(qc_args_span(args, "idle", 0, IDLE_MAX_S, &o->idle_s, err));
    return qc_ready_fd(args, &o->ready_fd, err);
}

static qc_rc log_to(const struct qc_args *args, struct qc_fd *ret, struct qc_err *err)
{
    const char *file = qc_args_value(args, "log-file", NULL);
    if (file != NULL)
        QC_TRY(qc_open_at(ret, AT_FDCWD, file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600,
                          err));
    qc_log_setup(file != NULL ? qc_fd_get(ret) : STDERR_FILENO, QC_LOG_INFO, qc_args_flag(args, "json-log"));
    return QC_OK;
}

static qc_rc cmd_serve(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd log = { 0 };
    struct serve_options o = { .ready_fd = -1, .log = &log };
    o.config = qc_args_value(args, "config", NULL);
    *(enum tell_about *)app = o.config != NULL ? TELL_CONF : TELL_SERVE;
    QC_TRY(take_options(args, &o, err));
    *(enum tell_about *)app = TELL_SERVE;
    QC_TRY(gw_engine_there(o.state, err)); /* first: where a mount is away, nothing is written beneath it */
    QC_TRY(o.conf != NULL ? serve_log(o.conf, &log, err) : log_to(args, &log, err));
    qc_rc rc = serve(&o, err);
    qc_log_setup(STDERR_FILENO, QC_LOG_WARN, false);
    return rc;
}

static qc_rc cmd_init(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct cloud_args clouds = { 0 };
    const char *state = NULL;
    uint64_t k = 0;
    uint64_t n = 0;
    QC_CLEANUP(qrng_close) struct qrng *q = NULL;
    *(enum tell_about *)app = TELL_INIT;
    QC_TRY(cloud_args_state(args, &state, err));
    QC_TRY(cloud_args_take(args, &clouds, err));
    QC_TRY(qc_args_u64(args, "k", false, 1, QC_EC_N_MAX, &k, err));
    QC_TRY(qc_args_u64(args, "n", false, 1, QC_EC_N_MAX, &n, err));
    QC_TRY(qrng_open("os", &q, err));
    const qc_rng rng = qrng_rng(q);
    const struct gw_engine_setup setup = { .clouds = clouds.v,
                                           .count = clouds.count,
                                           .k = (unsigned)k,
                                           .n = (unsigned)n,
                                           .validate = true,
                                           .told = cmd_cloud_told };
    return gw_engine_init(state, &setup, &rng, err);
}

static qc_rc open_engine(const struct qc_args *args, const qc_rng *rng, struct gw_engine **ret,
                         struct qc_err *err)
{
    const char *state = NULL;
    QC_TRY(cloud_args_state(args, &state, err));
    return gw_engine_open(ret, state, rng, err);
}

static const struct qc_opt kit_options[] = {
    CLOUD_ARGS_STATE,
    { "out", 0, "FILE", "write it to a new file of mode 0600 instead of printing it", false },
    { "json", 0, NULL, "as JSON", false },
    { 0 },
};

/* Durable, and never over something that stands there. */
static qc_rc kit_write(const char *file, const qc_span *parts, size_t count, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    char folder[QC_CLIENT_PATH_MAX];
    const char *slash = strrchr(file, '/');
    const char *name = slash == NULL ? file : slash + 1;
    const int n = slash == NULL ? 1 : slash == file ? 1 : (int)(slash - file);

    if (name[0] == '\0' || n >= (int)sizeof folder)
        return QC_FAIL(err, QC_USAGE, "--out %s names no file", file);
    snprintf(folder, sizeof folder, "%.*s", n, slash == NULL ? "." : file);
    QC_TRY_AS(qc_dir_open(&dir, folder, err), err, "%s", folder);
    QC_TRY_AS(qc_file_write_new(qc_fd_get(&dir), name, parts, count, 0600, err), err, "%s", file);
    return QC_OK;
}

/* The one place where the root key leaves: the operator asks for it, and it goes to stdout, or to a file of
 * his own, alone (I5). */
static qc_rc cmd_kit(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(qrng_close) struct qrng *q = NULL;
    QC_CLEANUP(gw_engine_close) struct gw_engine *e = NULL;
    QC_CLEANUP(qc_key_free) qc_key *kit = NULL;
    *(enum tell_about *)app = TELL_STATUS;
    QC_TRY(qrng_open("os", &q, err));
    const qc_rng rng = qrng_rng(q);
    QC_TRY(open_engine(args, &rng, &e, err));
    QC_TRY(gw_engine_kit(e, &kit, err));
    const size_t n =
        strnlen((const char *)qc_key_open(kit).p, qc_key_open(kit).n); /* padded to the step of keys */
    const qc_span parts[] = { qc_span_sub(qc_key_open(kit), 0, n), QC_LIT("\n") };
    const char *file = qc_args_value(args, "out", NULL);
    return file == NULL ? qc_write_all(STDOUT_FILENO, parts, 2, err) : kit_write(file, parts, 2, err);
}

static qc_rc cmd_version(void *app, const struct qc_args *args, struct qc_err *err)
{
    (void)app;
    (void)args;
    (void)err;
    printf("qcloud-gateway " QC_VERSION "\n");
    return QC_OK;
}

static qc_rc cmd_completion(void *app, const struct qc_args *args, struct qc_err *err);
static qc_rc cmd_completion_words(void *app, const struct qc_args *args, struct qc_err *err);

/* clang-format off */
static const struct qc_cmd commands[] = {
    { "serve",   "", "serve a state directory",                  0, 0, 0, serve_options,   cmd_serve },
    { "init",    "", "make a gateway over new clouds",              0, 0, 0, init_options,    cmd_init },
    { "rebuild", "", "make the catalogue anew from the clouds", 0, 0, 0, cmd_rebuild_options, cmd_rebuild },
    { "status",  "", "clouds, margins, debts (nobody may serve, but with --watch)", 0, 0, 0,
      status_options, cmd_status },
    { "repair",  "", "find and rebuild what is missing or damaged on the clouds", 0, 0, 0, cmd_repair_options,
      cmd_repair },
    { "scrub",   "", "look whether the clouds have what they should", 0, 0, 0, cmd_scrub_options, cmd_scrub },
    { "scrub start", "", "the same", 0, 0, 0, cmd_scrub_options, cmd_scrub },
    { "scrub status", "", "how passes stand, what was found, what was set by hand", 0, 0, 0, cmd_ask_options,
      cmd_scrub_status },
    { "scrub pause", "", "no pass goes on or begins until it is resumed, or for 24 hours", 0, 0, 0,
      cmd_scrub_pause_options, cmd_scrub_pause },
    { "scrub resume", "", "passes go on where they were", 0, 0, 0, cmd_scrub_pause_options,
      cmd_scrub_resume },
    { "scrub rate", "BYTES|off|default",
      "bytes a second that passes read, from now on; default: as configured", 1, 1, 0, cmd_ask_options,
      cmd_scrub_rate },
    { "drill", "", "rehearse a loss of clouds: read all without them, into nothing", 0, 0, 0,
      cmd_drill_options, cmd_drill },
    { "job ls", "", "long works that are under way, or were the last of their kind", 0, 0, 0, cmd_ask_options,
      cmd_job_ls },
    { "job show", "repair|clouds|drill|scrub", "one of them, with its report", 1, 1, 0, cmd_ask_options,
      cmd_job_show },
    { "job cancel", "repair|clouds|drill|scrub", "it stops where that is safe; what was done stays", 1, 1, 0,
      cmd_ask_options, cmd_job_cancel },
    { "job resume", "clouds|scrub", "what can go on does, now", 1, 1, 0, cmd_ask_options, cmd_job_resume },
    { "link ls", "", "what protects the ways to the clouds, and what their links say", 0, 0, 0,
      cmd_ask_options, cmd_link_ls },
    { "link test", "[CLOUD]", "a connection is opened anew, and asked for something small", 0, 1, 0,
      cmd_ask_options, cmd_link_test },
    { "log level", "[debug|info|warn|error]", "what the gateway that serves logs, until it starts again", 0,
      1, 0, cmd_ask_options, cmd_log_level },
    { "debt ls", "", "what clouds are owed, since when, and how it is paid", 0, 0, 0, cmd_ask_options,
      cmd_debt_ls },
    { "debt retry", "", "clouds that did not take what they are owed are tried again now", 0, 0, 0,
      cmd_ask_options, cmd_debt_retry },
    { "snapshot", "", "as snapshot create", 0, 0, 0, cmd_snapshot_options, cmd_snapshot_create },
    { "snapshot create", "", "keep the catalogue on the clouds, now; say what lies where", 0, 0, 0,
      cmd_snapshot_options, cmd_snapshot_create },
    { "snapshot ls", "", "snapshots of the catalogue: of when, how large, on which clouds", 0, 0, 0,
      cmd_snapshot_options, cmd_snapshot_ls },
    { "snapshot verify", "[GENERATION]", "fetch them and make a catalogue of them, to see whether they hold",
      0, 1, 0, cmd_snapshot_options, cmd_snapshot_verify },
    { "snapshot restore", "[GENERATION] --cloud NAME=URL",
      "the catalogue anew, from a snapshot and all that came after it", 0, 1, 0,
      cmd_snapshot_restore_options, cmd_snapshot_restore },
    { "sweep", "", "delete what puts that were given up, and repairs, left on the clouds", 0, 0, 0,
      cmd_sweep_options, cmd_sweep },
    { "cloud ls", "", "clouds, whose keys open them, what was shown of them", 0, 0, 0, state_options,
      cmd_cloud_ls },
    { "cloud validate", "CLOUD | --url URL", "is a cloud fit for use?", 0, 1, 0, cmd_cloud_validate_options,
      cmd_cloud_validate },
    { "cloud test", "CLOUD",
      "is it there? one small object goes there, comes back and goes; validate is the whole trial",
      1, 1, 0, cmd_ask_options, cmd_cloud_test },
    { "cloud set", "CLOUD", "labels and weight of a cloud; or it, or its keys, are elsewhere now", 1, 1, 0,
      cmd_cloud_set_options, cmd_cloud_set },
    { "cloud add", "[NAME=]URL", "one more cloud: validated, then used", 1, 1, 0,
      cmd_cloud_add_options, cmd_cloud_add },
    { "cloud drain", "CLOUD", "everything on a cloud goes elsewhere", 1, 1, 0,
      cmd_cloud_drain_options, cmd_cloud_drain },
    { "cloud replace", "CLOUD [NEWNAME=]URL", "a new cloud gets what an old one has", 2, 2, 0,
      cmd_cloud_replace_options, cmd_cloud_replace },
    { "cloud retire", "CLOUD", "a drained cloud goes for good", 1, 1, 0,
      cmd_cloud_retire_options, cmd_cloud_retire },
    { "cloud domain", "cloud|provider|region|jurisdiction", "what fails together", 1, 1, 0,
      cmd_cloud_domain_options, cmd_cloud_domain },
    { "plan exit", "CLOUD", "what it takes to leave a cloud: bytes, requests, time, cost", 1, 1, 0,
      cmd_plan_exit_options, cmd_plan_exit },
    { "plan reprotect", "K,N", "what it takes to give what is stored another code; nothing is begun", 1, 1, 0,
      cmd_plan_reprotect_options, cmd_plan_reprotect },
    { "plan keys", "", "what key from QKD carries, and what some traffic needs", 0, 0, 0,
      cmd_plan_keys_options, cmd_plan_keys },
    { "keys", "", "what key there is for each way that is keyed by QKD, and how long it lasts", 0, 0, 0,
      cmd_keys_options, cmd_keys },
    { "kit",     "", "the operator's kit: the root key",            0, 0, 0, kit_options,     cmd_kit },
    { "tenant add", "NAME --token-file FILE", "let somebody in", 1, 1, 0,
      cmd_tenant_add_options, cmd_tenant_add },
    { "tenant ls", "", "tenants, what they have and may have", 0, 0, 0,
      cmd_tenant_ls_options, cmd_tenant_ls },
    { "tenant quota", "TENANT", "how much a tenant may have", 1, 1, 0,
      cmd_tenant_quota_options, cmd_tenant_quota },
    { "tenant token", "TENANT --token-file FILE", "another token instead of the old one", 1, 1, 0,
      cmd_tenant_token_options, cmd_tenant_token },
    { "tenant disable", "TENANT", "let a tenant in no more; what it has stays", 1, 1, 0,
      cmd_tenant_options, cmd_tenant_disable },
    { "tenant enable", "TENANT", "let a tenant in again", 1, 1, 0,
      cmd_tenant_options, cmd_tenant_enable },
    { "audit", "", "what was done here, from the audit log, which is verified as it is read", 0, 0, 0,
      cmd_audit_options, cmd_audit },
    { "audit verify", "[FILE]...", "is the audit log what was written?", 0, QC_OPT_ARGS_MAX, 0,
      cmd_audit_verify_options, cmd_audit_verify },
    { "selftest", "",
      "does this program compute what it should: codes, hashes, encryption, randomness", 0, 0, 0,
      cmd_selftest_options, cmd_selftest },
    { "config check", "--config FILE", "can it be used?", 0, 0, 0,
      cmd_conf_options, cmd_conf_check },
    { "config show", "--config FILE", "all that it says, what is as it comes included", 0, 0, 0,
      cmd_conf_options, cmd_conf_show },
    { "completion", "bash|zsh|fish", "the script by which a shell completes commands and options", 1, 1, 0,
      NULL, cmd_completion },
    { "completion words", "WORD...", "what may come next on a command line: those scripts ask", 0, -1, 0,
      NULL, cmd_completion_words },
    { "version", "", "print the version",                           0, 0, 0, NULL,            cmd_version },
    { 0 },
};
/* clang-format on */

static const struct qc_app app = {
    .name = "qcloud-gateway",
    .summary = "the erasure-coding server of qcloud: codes sealed objects onto several clouds",
    .version = QC_VERSION,
    .cmds = commands,
};

static qc_rc cmd_completion(void *about, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = HTTP_BODY_MAX };
    (void)about;
    QC_TRY(qc_opt_completion(&app, args->argv[0], &text, err));
    printf("%.*s", (int)text.n, (const char *)text.p);
    return QC_OK;
}

static qc_rc cmd_completion_words(void *about, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = HTTP_BODY_MAX };
    (void)about;
    QC_TRY(qc_opt_complete(&app, args->argv, args->argc, &text, err));
    printf("%.*s", (int)text.n, (const char *)text.p);
    return QC_OK;
}

static qc_rc run(int argc, char **argv, enum tell_about *about, struct qc_err *err)
{
    struct qc_args args = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf help = { .max = HTTP_BODY_MAX };
    bool locked = false;
    QC_TRY(qc_process_harden(&(struct qc_harden_opts){ .lock_bytes = LOCK_BYTES }, &locked, err));
    tls_memory_wipes();
    QC_TRY(qc_opt_parse(&args, &app, argc, argv, err));
    if (qc_args_version(&args))
        return cmd_version(about, &args, err);
    if (args.cmd == NULL || qc_args_flag(&args, "help")) {
        QC_TRY(help_text(&app, args.cmd, &help, err));
        fprintf(args.cmd == NULL && !qc_args_flag(&args, "help") ? stderr : stdout, "%.*s", (int)help.n,
                (const char *)help.p);
        if (args.cmd == NULL && !qc_args_flag(&args, "help"))
            return QC_FAIL(err, QC_USAGE, "no command was given");
        return QC_OK;
    }
    if (!locked)
        QC_LOG_MSG(QC_LOG_WARN, "secrets cannot be locked in memory: raise the limit (ulimit -l)");
    return args.cmd->run(about, &args, err);
}

int main(int argc, char **argv)
{
    struct qc_err err = { 0 };
    enum tell_about about = TELL_CALL;
    qc_db_in_program();
    if (run(argc, argv, &about, &err) != QC_OK)
        return tell_error(about, &err);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr,
                "qcloud-gateway: E0150 stdout cannot be written\n   data: nothing was changed by that.\n"
                "   next: the same call again, with room for its output\n");
        return 1;
    }
    return 0;
}
