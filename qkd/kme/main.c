/* qcloud-kme: a QKD network in one process, for trials, tests and planning. Layer 5; uses base, net, qrng.
 * Reads the command line, wires, prints; docs/qkd.md. */
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "admin.h"
#include "ask.h"
#include "base/alloc.h"
#include "base/db.h"
#include "base/file.h"
#include "base/log.h"
#include "base/program.h"
#include "base/time.h"
#include "doors.h"
#include "qrng/qrng.h"

enum { LOCK_BYTES = 2 * 1024 * 1024, TICK_MS = 100 };

/* -- what is said when something fails ------------------------------------------------------------------- */

/* 120 to 129 are this program's. */
static const struct qc_program_row rows[] = {
    { QC_USAGE, 0, 120, "nothing was done; no key was supplied.",
      "correct what line one names, then: qcloud-kme check --config FILE" },
    { QC_LOCKED, 0, 121,
      "nothing is wrong: another process has this directory, or listens where line one says.",
      "use that one, or end it" },
    { QC_AUTH, 0, 122, "no key was supplied.",
      "give the file that line one names to this user alone: chmod 600" },
    { QC_FORMAT, 0, 123, "no key was supplied.",
      "correct the file that line one names, then the same call again" },
    { QC_INTEGRITY, 0, 124, "keys that waited for their slaves may be gone; none was supplied twice.",
      "remove the state directory, and begin anew: pools and waiting keys are lost" },
    { QC_NOTCONF, 0, 126, "nothing was changed.",
      "start it: qcloud-kme serve --config FILE --state DIR; or name the state directory of the one that "
      "runs" },
    { QC_NOTFOUND, 0, 127, "nothing was changed.", "qcloud-kme status shows the names of links and nodes" },
    { QC_OK, 0, 125, "what was supplied was supplied once.", "correct the cause, then the same call again" },
};

/* -- commands -------------------------------------------------------------------------------------------- */

static const struct qc_opt serve_options[] = {
    { "config", 0, "FILE", "the network: nodes, links, KMEs, SAEs (JSON)", false },
    { "topology", 0, "NAME",
      "nodes and links, instead of the configuration's: point-to-point, metropolitan, tokyo, or a file",
      false },
    { "state", 0, "DIR", "what is kept across a restart; made if missing", false },
    { "ready-fd", 0, "N", "write \"ready\" to this descriptor once connections are taken", false },
    { 0 },
};
static const struct qc_opt check_options[] = {
    { "config", 0, "FILE", "the network", false },
    { "topology", 0, "NAME", "nodes and links, instead of the configuration's", false },
    { "links", 0, NULL, "show the links with their rates", false },
    { 0 },
};

static void network_free(struct kme_network **n)
{
    qc_free(*n);
    *n = NULL;
}

static qc_rc read_text(const char *path, const char *what, qc_buf *ret, struct qc_err *err)
{
    QC_TRY(qc_conf_read(path, what, KME_CONF_MAX, ret, err));
    if (ret->n > KME_CONF_MAX)
        return QC_FAIL(err, QC_USAGE, "%s %s has more than %d bytes", what, path, KME_CONF_MAX);
    return QC_OK;
}

/* A name is one of the ready topologies, beside the folder of this program; what has a slash is a path. */
static qc_rc topology_path(const char *name, char ret[PATH_MAX], struct qc_err *err)
{
    char self[PATH_MAX];
    const ssize_t got = readlink("/proc/self/exe", self, sizeof self - 1);
    const bool path = strchr(name, '/') != NULL;
    char *at = NULL;
    if (got < 0 && !path)
        return QC_FAIL_OS(err, "where this program lies");
    self[got < 0 ? 0 : got] = '\0';
    for (int up = 0; up < 2 && !path; up++) {
        at = strrchr(self, '/');
        if (at != NULL)
            *at = '\0';
    }
    const int n = path ? snprintf(ret, PATH_MAX, "%s", name)
                       : snprintf(ret, PATH_MAX, "%s/share/qcloud/topologies/%s.json", self, name);
    if (n < 0 || n >= PATH_MAX)
        return QC_FAIL(err, QC_USAGE, "--topology: the name is too long");
    if (access(ret, R_OK) != 0 && errno == ENOENT && !path)
        return QC_FAIL(err, QC_USAGE, "--topology: there is no '%s' among those that are installed (%s)",
                       name, ret);
    return QC_OK;
}

static qc_rc load(const struct qc_args *args, bool serve, struct kme_network **ret, struct qc_err *err)
{
    const char *conf = qc_args_value(args, "config", NULL), *name = qc_args_value(args, "topology", NULL);
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = KME_CONF_MAX + 1 };
    QC_CLEANUP(qc_buf_free) qc_buf topology = { .max = KME_CONF_MAX + 1 };
    QC_CLEANUP(network_free) struct kme_network *n = qc_alloc(sizeof *n);
    char path[PATH_MAX];
    if (n == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", sizeof *n);
    if (conf == NULL && (serve || name == NULL))
        return QC_FAIL(err, QC_USAGE, "--config FILE is needed");
    if (name != NULL) {
        QC_TRY(topology_path(name, path, err));
        QC_TRY(read_text(path, "topology", &topology, err));
    }
    if (conf != NULL)
        QC_TRY(read_text(conf, "configuration", &text, err));
    QC_TRY_AS(kme_network_parse(n, qc_buf_span(&topology), qc_buf_span(&text), err), err, "%s %s",
              conf != NULL ? "configuration" : "topology", conf != NULL ? conf : name);
    *ret = QC_STEAL(n);
    return QC_OK;
}

static qc_rc cmd_serve(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(network_free) struct kme_network *net = NULL;
    QC_CLEANUP(qrng_close) struct qrng *q = NULL;
    QC_CLEANUP(kme_close) struct kme *k = NULL;
    QC_CLEANUP(kme_doors_close) struct kme_doors *doors = NULL;
    QC_CLEANUP(kme_admin_close) struct kme_admin *admin = NULL;
    const char *state = qc_args_value(args, "state", NULL);
    int ready = -1;
    (void)app;
    if (state == NULL)
        return QC_FAIL(err, QC_USAGE, "--state DIR is needed");
    QC_TRY(qc_ready_fd(args, &ready, err));
    QC_TRY(load(args, true, &net, err));
    qc_log_setup(STDERR_FILENO, QC_LOG_INFO, false);
    QC_TRY(qc_stop_catch(err));
    QC_TRY(qrng_open("os", &q, err));
    const qc_rng rng = qrng_rng(q);
    qc_db_wipes(); /* I5: keys wait in kme.db */
    QC_TRY(kme_open(&k, state, net, &rng, err));
    QC_TRY(kme_doors_open(&doors, k, net, err));
    QC_TRY(kme_admin_open(&admin, k, &net->page, err));
    QC_TRY(qc_ready_tell(ready, err));
    QC_LOG(QC_LOG_INFO, "the network runs", QC_U("nodes", net->nodes), QC_U("links", net->links),
           QC_U("kmes", net->doors));
    while (!qc_cancel_is(qc_stop())) {
        QC_TRY(kme_tick(k, err));
        nanosleep(&(struct timespec){ .tv_nsec = TICK_MS * 1000000L }, NULL); /* a signal ends it */
    }
    kme_admin_close(&admin);
    kme_doors_close(&doors);
    return kme_settle(k, err);
}

static qc_rc cmd_check(void *app, const struct qc_args *args, struct qc_err *err)
{
    QC_CLEANUP(network_free) struct kme_network *n = NULL;
    (void)app;
    QC_TRY(load(args, false, &n, err));
    for (unsigned i = 0; i < n->links && qc_args_flag(args, "links"); i++) {
        const struct kme_link *l = &n->link[i];
        printf("%s: %s - %s, %" PRIu64 " bit/s", l->id, n->node[l->a], n->node[l->b], l->rate);
        if (l->km > 0)
            printf(", %g km", l->km);
        if (l->qber > 0)
            printf(", errors %.2f %%", l->qber * 100);
        putchar('\n');
    }
    printf("%u nodes, %u links, %u KMEs, %u SAEs\n", n->nodes, n->links, n->doors, n->saes);
    return QC_OK;
}

/* clang-format off */
static const struct qc_cmd commands[] = {
    { "serve", "", "run the network", 0, 0, 0, serve_options, cmd_serve },
    { "check", "", "look at a configuration", 0, 0, 0, check_options, cmd_check },
    { "status", "", "links with their pools and rates", 0, 0, 0, ask_json_options, ask_status },
    { "link cut", "LINK", "it makes no key; its pool stays", 1, 1, 0, ask_json_options, ask_fault },
    { "link restore", "LINK", "as the configuration has it", 1, 1, 0, ask_json_options, ask_fault },
    { "link rate", "LINK BPS", "it makes so many bits/s", 2, 2, 0, ask_json_options, ask_fault },
    { "link empty", "LINK", "its pool has nothing", 1, 1, 0, ask_json_options, ask_fault },
    { "link qber", "LINK RATE", "its rate of errors, as 0.03", 2, 2, 0, ask_json_options, ask_fault },
    { "node seize", "NODE", "a stranger has it: no key goes through", 1, 1, 0, ask_json_options, ask_fault },
    { "node release", "NODE", "it is ours again", 1, 1, 0, ask_json_options, ask_fault },
    { "node exposed", "NODE", "the keys that it has seen", 1, 1, 0, ask_json_options, ask_exposed },
    { 0 },
};
/* clang-format on */
static const struct qc_app app_table = {
    .name = "qcloud-kme",
    .summary = "a QKD network in one process, with key managers by ETSI GS QKD 014, for trials",
    .version = QC_VERSION,
    .cmds = commands,
    .footer = "Keys are drawn here, and no photon is sent: nothing of this is as secret as a QKD network is. "
              "docs/qkd.md\n",
};

int main(int argc, char **argv)
{
    const struct qc_program p = {
        .app = &app_table, .rows = rows, .lock_bytes = LOCK_BYTES, .lock_wanted = "serve"
    };
    return qc_program_main(&p, argc, argv);
}
