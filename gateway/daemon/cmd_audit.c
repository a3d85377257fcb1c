#include "cmd_audit.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/codec.h"
#include "cloud_args.h"
#include "http.h"
#include "json.h"
#include "print.h"
#include "tell.h"

enum { HEADS_MAX = 7, HEX = 2 * QC_SHA256_BYTES + 1 }; /* and the one that is noted beside the log */

const struct qc_opt cmd_audit_verify_options[] = {
    { "state", 0, "DIR", "all files of that gateway, and the end that is noted there", false },
    { "config", 0, "FILE", "or a configuration, which names it", false },
    { "head", 0, "N:HASH", "line N must have this hash, as it was noted elsewhere", true },
    { "json", 0, NULL, "as JSON", false },
    { 0 },
};

/* A command throws nothing away. */
static const struct gw_audit_opts opts = { .rotate = QC_GW_AUDIT_ROTATE, .keep = 0 };

const struct gw_audit_opts *cmd_audit_of(const char *state)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    struct qc_err unused = { 0 };
    struct stat st;

    if (qc_dir_open(&dir, state, &unused) != QC_OK ||
        fstatat(qc_fd_get(&dir), GW_AUDIT_FILE, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return NULL;
    return &opts;
}

void cmd_audit_rebuild(const char *state, const struct gw_rebuild_report *r)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    struct qc_err unused = { 0 };
    struct gw_audit *log = NULL;
    char hex[2 * GW_ID_BYTES + 1];

    if (qc_dir_open(&dir, state, &unused) != QC_OK ||
        gw_audit_open(&log, qc_fd_get(&dir), &opts, &unused) != QC_OK)
        return;
    qc_hex(gw_id_span(&r->catalogue), hex);
    GW_AUDIT(log, "rebuild", QC_S("catalogue", hex), QC_U("incarnation", r->incarnation),
             QC_U("clouds", r->clouds), QC_U("reached", r->reached), QC_U("versions", r->versions),
             QC_U("tombstones", r->tombstones), QC_U("unreadable", r->unreadable));
    gw_audit_close(&log);
}

struct report {
    bool json;
    struct json_t *findings;
    struct qc_err err; /* of building it */
};

qc_rc cmd_audit_finding(struct json_t *list, const char *file, uint64_t line, const char *what,
                        struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;

    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(qc_json_set_str(o, "file", file, err));
    QC_TRY(json_count(o, "line", line, err));
    QC_TRY(qc_json_set_str(o, "what", what, err));
    return qc_json_append(list, &o, err);
}

static void tell(void *ctx, const char *file, uint64_t line, const char *what)
{
    struct report *r = ctx;

    if (!r->json)
        printf("%s:%" PRIu64 ": %s\n", file, line, what);
    else if (r->err.rc == QC_OK)
        qc_ignore(cmd_audit_finding(r->findings, file, line, what, &r->err),
                  "kept in r->err, and looked at in the end");
}

static qc_rc take_heads(const struct qc_args *args, struct gw_audit_head *v, unsigned *count,
                        struct qc_err *err)
{
    const char *text = NULL;

    for (size_t i = 0; (text = qc_args_nth(args, "head", i)) != NULL; i++) {
        qc_span s = qc_span_str(text);
        if (*count == HEADS_MAX)
            return QC_FAIL(err, QC_USAGE, "--head: at most %d", HEADS_MAX);
        struct gw_audit_head *h = &v[(*count)++];
        if (!qc_dec_take(&s, &h->sequence) || h->sequence == 0 || s.n != HEX || s.p[0] != ':')
            return QC_FAIL(err, QC_USAGE, "--head: N:HASH is needed, as this command prints it");
        QC_TRY_AS(qc_hex_dec(qc_span_from(s, 1), h->hash, sizeof h->hash, err), err, "--head");
    }
    return QC_OK;
}

qc_rc cmd_audit_check(struct gw_audit_check *c, const char *state, struct gw_audit_head *heads,
                      struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    QC_CLEANUP(qc_free_ptr) uint64_t *v = NULL;
    char name[GW_AUDIT_NAME_MAX];
    size_t count = 0;
    bool found = false;

    QC_TRY_AS(qc_dir_open(&dir, state, err), err, "%s", state);
    QC_TRY(gw_audit_tip_read(qc_fd_get(&dir), &heads[c->head_count], &found, err));
    c->head_count += found;
    c->whole = true;
    QC_TRY(gw_audit_files(qc_fd_get(&dir), &v, &count, err));
    for (size_t i = 0; i < count; i++) {
        gw_audit_name(v[i], name);
        QC_TRY(gw_audit_check_file(c, qc_fd_get(&dir), name, err));
    }
    QC_TRY(gw_audit_check_file(c, qc_fd_get(&dir), GW_AUDIT_FILE, err));
    gw_audit_check_end(c, GW_AUDIT_FILE);
    return QC_OK;
}

static qc_rc check_files(struct gw_audit_check *c, const struct qc_args *args, struct qc_err *err)
{
    for (int i = 0; i < args->argc; i++)
        QC_TRY(gw_audit_check_file(c, AT_FDCWD, args->argv[i], err));
    gw_audit_check_end(c, args->argv[args->argc - 1]);
    return QC_OK;
}

static void print_text(const struct gw_audit_check *c)
{
    char first[QC_TIME_TEXT], last[QC_TIME_TEXT], hex[HEX];

    if (c->lines == 0) {
        printf("no line\n");
        return;
    }
    qc_time_text(c->first_s, first);
    qc_time_text(c->last_s, last);
    qc_hex(qc_span_of(c->hash, sizeof c->hash), hex);
    printf("%" PRIu64 " lines, %" PRIu64 " (%s) to %" PRIu64 " (%s)\n", c->lines, c->first, first, c->last,
           last);
    if (c->torn > 0)
        printf("%" PRIu64 " lines were cut off by a crash, and the log says so\n", c->torn);
    if (c->first > 1)
        printf("lines before %" PRIu64 " were not looked at\n", c->first);
    printf("to note elsewhere, for --head: %" PRIu64 ":%s\n", c->last, hex);
}

qc_rc cmd_audit_report(struct json_t **ret, const struct gw_audit_check *c, struct json_t **findings,
                       struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    char head[32 + HEX] = "", hex[HEX];

    qc_hex(qc_span_of(c->hash, sizeof c->hash), hex);
    if (c->lines > 0)
        (void)snprintf(head, sizeof head, "%" PRIu64 ":%s", c->last, hex);
    QC_TRY(qc_json_new_obj(&o, err));
    QC_TRY(json_count(o, "lines", c->lines, err));
    QC_TRY(json_count(o, "first", c->first, err));
    QC_TRY(json_count(o, "last", c->last, err));
    QC_TRY(json_count(o, "torn", c->torn, err));
    QC_TRY(qc_json_set_str(o, "head", head, err));
    QC_TRY(qc_json_set(o, "findings", findings, err));
    *ret = QC_STEAL(o);
    return QC_OK;
}

static qc_rc print_findings(const struct gw_audit_check *c, struct report *r, struct qc_err *err)
{
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;

    if (r->err.rc != QC_OK) {
        *err = r->err;
        return r->err.rc;
    }
    QC_TRY(cmd_audit_report(&o, c, &r->findings, err));
    return print_json(o, HTTP_ANSWER_MAX, err);
}

qc_rc cmd_audit_verdict(const struct gw_audit_check *c, struct qc_err *err)
{
    if (c->findings > 0)
        return QC_FAIL(err, QC_INTEGRITY, "the audit log is not what was written: %" PRIu64 " findings",
                       c->findings);
    return QC_OK;
}

static void report_done(struct report *r)
{
    qc_json_free(&r->findings);
}

qc_rc cmd_audit_verify(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct gw_audit_head heads[HEADS_MAX + 1] = { 0 };
    QC_CLEANUP(report_done) struct report r = { .json = qc_args_flag(args, "json") };
    struct gw_audit_check c = { .tell = tell, .ctx = &r, .heads = heads };
    const char *state = NULL;

    *(enum tell_about *)app = TELL_AUDIT;
    if (args->argc == 0)
        QC_TRY(cloud_args_state(args, &state, err));
    else if (qc_args_flag(args, "state") || qc_args_flag(args, "config"))
        return QC_FAIL(err, QC_USAGE, "either files, or the gateway whose files are meant");
    QC_TRY(qc_json_new_arr(&r.findings, err));
    QC_TRY(take_heads(args, heads, &c.head_count, err));
    QC_TRY(state != NULL ? cmd_audit_check(&c, state, heads, err) : check_files(&c, args, err));
    if (r.json)
        QC_TRY(print_findings(&c, &r, err));
    else
        print_text(&c);
    return cmd_audit_verdict(&c, err);
}
