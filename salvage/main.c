/* qcloud-salvage: the program. */
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/harden.h"
#include "base/opt.h"
#include "out.h"
#include "passphrase.h"
#include "report.h"
#include "signals.h"

enum { SECRET_BYTES = 1024 * 1024 };

static const char help[] =
    "qcloud-salvage - files out of what is left of clouds and share stores\n"
    "\n"
    "Usage: qcloud-salvage --from DIR [--from DIR].. --share DIR [--share DIR] -o DIR\n"
    "       qcloud-salvage --from DIR [--from DIR].. --share DIR [--share DIR] --list\n"
    "\n"
    "Needs no gateway, no catalogue, no configuration and no network. Each DIR of --from holds copies of "
    "what "
    "lay on\n"
    "clouds: a cloud's own directory, the objects of a bucket by their keys, or any heap of them, also under "
    "other\n"
    "names. Nothing that is given is ever written to. Files are made new beneath --out; one that stands "
    "there already\n"
    "is left as it is. The same command again goes on where a run was broken off.\n"
    "\n"
    "  --from DIR       where copies are; once for each. A DIR without an option before it is one, too\n"
    "  --share DIR      a share store; one is enough where the log on the clouds is there, both are better\n"
    "  --kit FILE       the operator's kit: the root key, where too few clouds' identity objects are there\n"
    "  --recovery-kit FILE  the words of the recovery kit, of a vault that has one, where a share store is "
    "lost\n"
    "  --keeper DIR     the keeper's directory, of a vault of init --backup-to, where a share store is lost\n"
    "  --backup-data PATH  backup data: the keeper's directory, or files of it, once for each\n"
    "  --out DIR, -o    where the files go; made if it is missing\n"
    "  --list           say what could be had, by names and heads alone; read and write nothing else\n"
    "  --dry-run, -n    read, decrypt and verify everything, write nothing\n"
    "  --thorough       read every byte of every fragment, also of those that are not needed: all damage is "
    "found\n"
    "  --partial        write files with lost bytes as NAME.part, the lost ones as zeros, and say which\n"
    "  --deleted        the last version of removed files, too\n"
    "  --scratch DIR    where the index goes with --list and --dry-run; else TMPDIR, else /tmp\n"
    "  --no-input       ask for no passphrase\n"
    "  --progress       a line a second\n"
    "  --json           JSON lines on stdout\n"
    "  --quiet, -q      what is wrong with files, and nothing else\n"
    "  --version, --help\n"
    "\n"
    "A passphrase comes from QCLOUD_PASSPHRASE_FD, QCLOUD_PASSPHRASE_COMMAND, or the terminal.\n"
    "\n"
    "Each line of the table is a file (ok, present, older, partial, lost, conflict; readable in a list), or "
    "something\n"
    "damaged or missing in what was given.\n"
    "\n"
    "Examples:\n"
    "  qcloud-salvage --from /mnt/paris --from /mnt/osaka --from /mnt/quito --share /media/usb/qcloud -o "
    "files\n"
    "  qcloud-salvage --from all-objects/ --share /media/usb/qcloud --kit kit.txt -o files\n"
    "  qcloud-salvage --share share1 --share share2 --list --json /mnt/paris /mnt/osaka /mnt/quito\n"
    "\n"
    "Exit: 0 all files came, 2 usage, 4 all that is known came, but not all is known or is the newest, 6 "
    "bytes are lost:\n"
    "too few fragments, 7 too few shares, 8 damaged, 11 another run writes there, 12 passphrase or "
    "permission, 14 disk\n"
    "full, 130 interrupted. Guide: docs/salvage.md\n";

static qc_rc run_salvage(void *app, const struct qc_args *args, struct qc_err *err);

/* clang-format off */
static const struct qc_opt options[] = {
    { "from",     0,   "DIR",  "copies of what lay on clouds", true },
    { "share",    0,   "DIR",  "a share store", true },
    { "kit",      0,   "FILE", "the operator's kit", false },
    { "recovery-kit", 0, "FILE", "the recovery kit's words", false },
    { "keeper",   0,   "DIR",  "the keeper of backup data", true },
    { "backup-data", 0, "PATH", "the same, or files of it", true },
    { "out",      'o', "DIR",  "where the files go", false },
    { "scratch",  0,   "DIR",  "where the index goes", false },
    { "list",     0,   NULL,   "say what could be had", false },
    { "dry-run",  'n', NULL,   "write nothing", false },
    { "thorough", 0,   NULL,   "read every byte", false },
    { "partial",  0,   NULL,   "files with holes, too", false },
    { "deleted",  0,   NULL,   "removed files, too", false },
    { "no-input", 0,   NULL,   "ask for no passphrase", false },
    { "progress", 0,   NULL,   "a line a second", false },
    { "json",     0,   NULL,   "JSON lines", false },
    { "quiet",    'q', NULL,   "what is wrong with files only", false },
    { 0 },
};
/* There is one command, and nobody writes its name. */
static const struct qc_cmd commands[] = {
    { "salvage", "DIRECTORY..", "files out of what is left", 0, SOURCES_MAX, 0, options, run_salvage },
    { 0 },
};
/* clang-format on */
static const struct qc_app app_table = {
    .name = "qcloud-salvage",
    .summary = "files out of what is left of clouds and share stores",
    .version = QC_VERSION,
    .cmds = commands,
};

/* All values of an option behind those that there are. */
static qc_rc take_all(const struct qc_args *args, const char *option, const char **ret, unsigned *count,
                      struct qc_err *err)
{
    const char *v = NULL;
    for (size_t i = 0; (v = qc_args_nth(args, option, i)) != NULL; i++) {
        if (*count == SOURCES_MAX)
            return QC_FAIL(err, QC_USAGE, "--%s: more than %d", option, SOURCES_MAX);
        ret[(*count)++] = v;
    }
    return QC_OK;
}

static qc_rc take_options(struct salvage *s, const struct qc_args *args, struct qc_err *err)
{
    struct options *o = &s->o;

    o->json = qc_args_flag(args, "json");
    o->quiet = qc_args_flag(args, "quiet");
    o->list = qc_args_flag(args, "list");
    o->dry_run = qc_args_flag(args, "dry-run");
    o->thorough = qc_args_flag(args, "thorough");
    o->partial = qc_args_flag(args, "partial");
    o->deleted = qc_args_flag(args, "deleted");
    o->no_input = qc_args_flag(args, "no-input");
    o->progress = qc_args_flag(args, "progress");
    o->out = qc_args_value(args, "out", NULL);
    o->kit = qc_args_value(args, "kit", NULL);
    o->recovery_kit = qc_args_value(args, "recovery-kit", NULL);
    o->scratch = qc_args_value(args, "scratch", NULL);
    o->share[0] = qc_args_nth(args, "share", 0);
    o->share[1] = qc_args_nth(args, "share", 1);
    QC_TRY(take_all(args, "keeper", o->backup, &o->backup_count, err));
    QC_TRY(take_all(args, "backup-data", o->backup, &o->backup_count, err));
    QC_TRY(take_all(args, "from", s->source, &s->source_count, err));
    if (s->source_count + (unsigned)args->argc > SOURCES_MAX)
        return QC_FAIL(err, QC_USAGE, "more than %d directories", SOURCES_MAX);
    if (s->source_count + (unsigned)args->argc == 0)
        return QC_FAIL(err, QC_USAGE, "no directory was given: --from DIR");
    if (o->share[0] == NULL || qc_args_nth(args, "share", 2) != NULL)
        return QC_FAIL(err, QC_USAGE, "one or two share stores are needed: --share DIR");
    if ((o->out == NULL) == (!o->list && !o->dry_run))
        return QC_FAIL(err, QC_USAGE, "one of -o DIR (--out), --list and --dry-run is needed");
    for (int i = 0; i < args->argc; i++)
        s->source[s->source_count++] = args->argv[i];
    return QC_OK;
}

/* -- the scratch directory of a run that writes no files --------------------------------------------------
 */

struct scratch {
    char path[QC_SALVAGE_PATH_MAX];
};

static void scratch_done(struct scratch *d)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    struct qc_err why = { 0 };

    if (d->path[0] == '\0' || qc_dir_open(&fd, d->path, &why) != QC_OK)
        return;
    (void)unlinkat(qc_fd_get(&fd), "index.db", 0);
    (void)unlinkat(qc_fd_get(&fd), "index.db-journal", 0);
    (void)rmdir(d->path);
}

static qc_rc scratch_make(struct scratch *d, const char *where, struct qc_err *err)
{
    const char *top = where != NULL ? where : getenv("TMPDIR");

    if (top == NULL || top[0] == '\0')
        top = "/tmp";
    if (snprintf(d->path, sizeof d->path, "%s/qcloud-salvage-XXXXXX", top) >= (int)sizeof d->path ||
        mkdtemp(d->path) == NULL) {
        const int e = errno;
        d->path[0] = '\0';
        return QC_FAIL_ERRNO(err, e, "scratch directory in %s", top);
    }
    return QC_OK;
}

/* -- a run ----------------------------------------------------------------------------------------------- */

static void close_out(struct out **o)
{
    out_close(o);
}

static qc_rc run_salvage(void *app, const struct qc_args *args, struct qc_err *err)
{
    struct salvage *s = app;
    QC_CLEANUP(scratch_done) struct scratch scratch = { 0 };
    QC_CLEANUP(close_out) struct out *out = NULL;

    QC_TRY(take_options(s, args, err));
    report_start(s);
    s->passes = passphrase_source(&s->o);
    if (s->o.out != NULL)
        QC_TRY(out_open(&out, s->o.out, err));
    else
        QC_TRY(scratch_make(&scratch, s->o.scratch, err));
    const qc_rc rc = salvage_run(s, out, out != NULL ? out_scratch(out) : scratch.path, err);
    index_close(&s->ix); /* before its directory goes */
    return rc;
}

static bool has(int argc, char **argv, const char *option)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], option) == 0)
            return true;
    return false;
}

/* The command line with the name of the command, which nobody writes. */
static qc_rc parse(struct qc_args *ret, int argc, char **argv, char ***ret_words, struct qc_err *err)
{
    static char name[] = "salvage";
    char **words = qc_alloc((size_t)(argc + 2) * sizeof *words);

    if (words == NULL)
        return QC_FAIL(err, QC_NOMEM, "arguments");
    *ret_words = words;
    words[0] = argv[0];
    words[1] = name;
    for (int i = 1; i < argc; i++)
        words[i + 1] = argv[i];
    return qc_opt_parse(ret, &app_table, argc + 1, words, err);
}

static qc_rc run(struct salvage *s, int argc, char **argv, char ***words, struct qc_err *err)
{
    struct qc_args args = { 0 };
    bool locked = false;

    QC_TRY(qc_process_harden(&(struct qc_harden_opts){ .lock_bytes = SECRET_BYTES }, &locked, err));
    QC_TRY(signals_install(err));
    s->cancel = signals_cancel();
    QC_TRY(parse(&args, argc, argv, words, err));
    if (!locked)
        report_note(s, "secrets cannot be locked in memory: raise the limit (ulimit -l)");
    return run_salvage(s, &args, err);
}

int main(int argc, char **argv)
{
    static struct salvage s; /* tables of sources and clouds: too much for a stack's comfort */
    struct qc_err err = { 0 };
    char **words = NULL;

    if (has(argc, argv, "--help") || has(argc, argv, "-h") || has(argc, argv, "--version")) {
        fputs(has(argc, argv, "--version") ? "qcloud-salvage " QC_VERSION "\n" : help, stdout);
        return fflush(stdout) == 0 ? 0 : 1;
    }
    s.o.json = has(argc, argv, "--json");
    const qc_rc rc = run(&s, argc, argv, &words, &err);
    const int status = report_end(&s, rc, &err);
    salvage_done(&s);
    qc_free(words);
    return status;
}
