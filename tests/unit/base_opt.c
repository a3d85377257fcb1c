/* unit/base_opt: options in any order, refusals that name the nearest, numbers, help from the rows. */
#include "base/opt.h"

#include "qc_check.h"

static const struct qc_opt globals[] = {
    { .name = "quiet", .letter = 'q', .help = "print errors only" },
    { .name = "verbose", .letter = 'v', .help = "tell more", .many = true },
    { .name = "jobs", .arg = "N", .help = "as a command has it" },
    { .name = NULL }
};
static const struct qc_opt put_options[] = {
    { .name = "recursive", .letter = 'r', .help = "directories, too" },
    { .name = "jobs", .letter = 'n', .arg = "N", .help = "transfers at once" },
    { .name = "label", .arg = "K=V", .help = "a label", .many = true },
    { .name = NULL }
};
static const struct qc_opt find_options[] = { { .name = "version", .arg = "V", .help = "an older one" },
                                              { .name = NULL } };
static const struct qc_opt scrub_options[] = {
    { .name = "cloud", .arg = "NAME", .help = "one" },
    { .name = "deep", .help = "all" },
    { .name = NULL },
};
static const struct qc_opt rate_options[] = {
    { .name = "cloud", .arg = "NAME", .help = "one" },
    { .name = NULL },
};
static const struct qc_cmd cmds[] = {
    { .name = "put",
      .args = "FILE NAME",
      .help = "store a file",
      .min = 1,
      .max = 2,
      .options = put_options },
    { .name = "cloud add", .args = "NAME URL", .help = "add a cloud", .min = 2, .max = 2 },
    { .name = "cloud list", .help = "list clouds", .max = 0 },
    { .name = "cloud key set", .args = "NAME", .help = "give a cloud a key", .min = 1, .max = 1 },
    { .name = "scrub", .help = "look", .options = scrub_options },
    { .name = "scrub rate", .args = "R", .help = "how fast", .min = 1, .max = 1, .options = rate_options },
    { .name = "find", .args = "[NAME]...", .help = "any number", .max = -1, .options = find_options },
    { .name = NULL }
};
static const struct qc_app app = { .name = "qcloud",
                                   .summary = "a test",
                                   .version = "0",
                                   .globals = globals,
                                   .cmds = cmds,
                                   .footer = "The end." };

static char words[32][64];
static char *argv[33];
static struct qc_args args;
static struct qc_err err;

/* Parse a command line, given as words with single blanks. */
static qc_rc parse(const char *line)
{
    int argc = 0;
    char copy[512];

    snprintf(copy, sizeof copy, "qcloud %s", line);
    char *rest = NULL;
    for (char *w = strtok_r(copy, " ", &rest); w != NULL; w = strtok_r(NULL, " ", &rest)) {
        snprintf(words[argc], sizeof words[argc], "%s", w);
        argv[argc] = words[argc];
        argc++;
    }
    argv[argc] = NULL;
    return qc_opt_parse(&args, &app, argc, argv, &err);
}

static void refused(const char *line, const char *text)
{
    CHECK(parse(line) == QC_USAGE);
    if (strstr(err.msg, text) == NULL) {
        fprintf(stderr, "%s: '%s' does not say '%s'\n", line, err.msg, text);
        exit(1);
    }
    qc_err_clear(&err);
}

static void check_accepted(void)
{
    uint64_t n = 4;

    CHECK_OK(parse("put a -r b --jobs=3 -q"));
    CHECK(args.cmd == &cmds[0] && args.argc == 2 && strcmp(args.argv[0], "a") == 0 &&
          strcmp(args.argv[1], "b") == 0);
    CHECK(qc_args_flag(&args, "recursive") && qc_args_flag(&args, "quiet") &&
          !qc_args_flag(&args, "verbose"));
    CHECK_OK(qc_args_u64(&args, "jobs", false, 1, 8, &n, &err));
    CHECK(n == 3);
    CHECK_RC(qc_args_u64(&args, "jobs", false, 4, 8, &n, &err), QC_USAGE);
    CHECK_OK(parse("-q put -rn5 a --label x --label=y"));
    CHECK(strcmp(qc_args_value(&args, "jobs", ""), "5") == 0);
    CHECK(strcmp(qc_args_nth(&args, "label", 1), "y") == 0 && qc_args_nth(&args, "label", 2) == NULL);
    CHECK_OK(parse("put -n 7 -- -r"));
    CHECK(args.argc == 1 && strcmp(args.argv[0], "-r") == 0 && !qc_args_flag(&args, "recursive"));
    CHECK_OK(parse("put -"));
    CHECK(args.argc == 1);
    CHECK_OK(parse("-vvv cloud -q add x y"));
    CHECK(args.cmd == &cmds[1] && args.argc == 2 && args.given_count == 4);
    CHECK_OK(parse("cloud list"));
    CHECK_OK(parse("cloud -v key -q set x"));
    CHECK(args.cmd == &cmds[3] && args.argc == 1 && args.given_count == 2 && strcmp(args.argv[0], "x") == 0);
    CHECK_OK(parse("cloud key -h"));
    CHECK_OK(parse("scrub --cloud x --deep -v"));
    CHECK(args.cmd == &cmds[4] && args.argc == 0 && strcmp(qc_args_value(&args, "cloud", ""), "x") == 0);
    CHECK_OK(parse("scrub --cloud x -v rate 5"));
    CHECK(args.cmd == &cmds[5] && args.argc == 1 && args.given[0].opt == rate_options);
    CHECK_OK(parse("find a b c d e"));
    CHECK(args.argc == 5);
    CHECK_OK(parse("put --help"));
    CHECK(args.cmd == &cmds[0] && qc_args_flag(&args, "help"));
    CHECK_OK(parse("-h"));
    CHECK(args.cmd == NULL && qc_args_flag(&args, "help"));
    CHECK_OK(parse("cloud -h"));
    CHECK_OK(parse("--version"));
    CHECK(qc_args_version(&args));
    CHECK_OK(parse("put --version")); /* of the program, and no argument is missed */
    CHECK(qc_args_version(&args));
    CHECK_OK(parse("find --version 3 x")); /* a command's own, with a value */
    CHECK(!qc_args_version(&args) && strcmp(qc_args_value(&args, "version", ""), "3") == 0 && args.argc == 1);
    refused("find --version", "--version needs a value: V");
    CHECK_OK(parse(""));
    CHECK(args.cmd == NULL && args.given_count == 0);
    n = 9;
    CHECK_OK(qc_args_u64(&args, "jobs", false, 1, 8, &n, &err));
    CHECK(n == 9); /* not given: as it was */
}

/* An option of every command, of which one has a row of its own, that says more. */
static void check_own_row(void)
{
    QC_CLEANUP(qc_buf_free) qc_buf own = { .max = 4096 };
    QC_CLEANUP(qc_buf_free) qc_buf other = { .max = 4096 };
    const char *text = NULL;
    CHECK_OK(parse("--jobs 3 put a"));
    CHECK(strcmp(qc_args_value(&args, "jobs", ""), "3") == 0);
    CHECK_OK(parse("put a --jobs 4"));
    CHECK(strcmp(qc_args_value(&args, "jobs", ""), "4") == 0);
    CHECK_OK(qc_opt_help(&app, qc_opt_find(&app, "put"), &own, &err));
    CHECK_OK(qc_buf_cstr(&own, &text, &err));
    CHECK(strstr(text, "transfers at once") != NULL && strstr(text, "as a command has it") == NULL);
    CHECK_OK(qc_opt_help(&app, qc_opt_find(&app, "cloud list"), &other, &err));
    CHECK_OK(qc_buf_cstr(&other, &text, &err));
    CHECK(strstr(text, "as a command has it") != NULL);
}

static void check_refused(void)
{
    refused("putt a", "did you mean 'put'");
    refused("put a --recursiv", "--recursive");
    refused("--quite", "--quiet");
    refused("scrub --deep rate 5", "unknown option --deep");
    refused("scrub --cloud x rate --cloud y 5", "given twice");
    refused("scrub x", "expected none");
    refused("put a -x", "-x");
    refused("put a --jobs", "needs a value");
    refused("put a -n", "needs a value");
    refused("put a -r=yes", "-=");
    refused("put a --recursive=yes", "takes no value");
    refused("put a -n 1 -n 2", "twice");
    refused("--jobs 1 put a --jobs 2", "twice"); /* whichever table has it */
    refused("put", "0 arguments");
    refused("put a b c", "'c'");
    refused("cloud list x", "one argument too many");
    refused("cloud", "another word");
    refused("cloud key", "'cloud key' needs another word");
    refused("cloud key burn", "cloud key burn");
    refused("cloud key set", "0 arguments");
    refused("cloud key set a b", "'b'");
    refused("cloud abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefg x", "cloud abc");
    refused("cloud burn", "cloud burn");
}

static void check_numbers(void)
{
    static const struct {
        const char *text;
        bool units, good;
        uint64_t v;
    } rows[] = { { "0", false, true, 0 },
                 { "18446744073709551615", false, true, UINT64_MAX },
                 { "18446744073709551616", 0, 0, 0 },
                 { "4k", true, true, 4096 },
                 { "4K", true, true, 4096 },
                 { "2G", true, true, UINT64_C(2) << 30 },
                 { "4k", false, false, 0 },
                 { "99999999P", true, false, 0 },
                 { "", false, false, 0 },
                 { "-1", false, false, 0 },
                 { "+1", false, false, 0 },
                 { " 1", false, false, 0 },
                 { "1kk", true, false, 0 },
                 { "0x10", false, false, 0 } };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t v = 77;

        CHECK_RC(qc_parse_u64(rows[i].text, "x", rows[i].units, &v, &err), rows[i].good ? QC_OK : QC_USAGE);
        CHECK(v == (rows[i].good ? rows[i].v : 77));
    }
}

static void check_spans(void)
{
    static const struct {
        const char *text;
        uint64_t s; /* 0: refused */
    } rows[] = { { "40", 40 },
                 { "40s", 40 },
                 { "10m", 600 },
                 { "2h", 7200 },
                 { "1d", 86400 },
                 { "", 0 },
                 { "s", 0 },
                 { "10 m", 0 },
                 { "1.5h", 0 },
                 { "10min", 0 },
                 { "1h30m", 0 },
                 { "-1s", 0 },
                 { "4k", 0 },
                 { "1D", 0 },
                 { "18446744073709551615m", 0 },
                 { "00000000000000000000000000001", 0 } };
    uint64_t s = 77;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        s = 77;
        CHECK_RC(qc_parse_span(rows[i].text, "--x", &s, &err), rows[i].s != 0 ? QC_OK : QC_USAGE);
        CHECK(s == (rows[i].s != 0 ? rows[i].s : 77));
    }
    CHECK_OK(parse("put a --jobs 2m"));
    CHECK_OK(qc_args_span(&args, "jobs", 60, 7200, &s, &err));
    CHECK(s == 120);
    CHECK_OK(qc_args_span(&args, "label", 60, 7200, &s, &err));
    CHECK(s == 120);
    CHECK(qc_args_span(&args, "jobs", 121, 7200, &s, &err) == QC_USAGE);
    CHECK(strcmp(err.msg, "--jobs is 2m, expected 121s to 2h") == 0);
    CHECK(qc_args_span(&args, "jobs", 0, 60, &s, &err) == QC_USAGE);
    CHECK(strcmp(err.msg, "--jobs is 2m, expected 0s to 1m") == 0);
}

static void check_codes(void)
{
    static const char *const bad[] = {
        "",     "4",    ",7",  "4,",   "4,7,9", "0,7",  "7,4",
        "4,33", "4k,7", "4;7", "-4,7", "4, 7",  "4,x7", "12345678901234567,20"
    };
    uint64_t k = 77, n = 77;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_RC(qc_parse_code(bad[i], "--code", 32, &k, &n, &err), QC_USAGE);
    CHECK(k == 77 && n == 77);
    CHECK_OK(qc_parse_code("4,7", "--code", 32, &k, &n, &err));
    CHECK(k == 4 && n == 7);
    CHECK_OK(qc_parse_code("32,32", "--code", 32, &k, &n, &err));
    CHECK(k == 32 && n == 32);
}

static void check_help(void)
{
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = 65536 };
    const char *text = NULL;

    CHECK_OK(qc_opt_help(&app, NULL, &b, &err));
    CHECK_OK(qc_buf_cstr(&b, &text, &err));
    for (const struct qc_cmd *c = cmds; c->name != NULL; c++)
        CHECK(strstr(text, c->name) != NULL && strstr(text, c->help) != NULL);
    CHECK(strstr(text, "-v, --verbose") != NULL && strstr(text, "The end.") != NULL);
    qc_buf_clear(&b);
    CHECK_OK(qc_opt_help(&app, &cmds[0], &b, &err));
    CHECK_OK(qc_buf_cstr(&b, &text, &err));
    CHECK(strstr(text, "-n, --jobs N") != NULL && strstr(text, "may be repeated") != NULL);
    CHECK(strstr(text, "Usage: qcloud put [OPTIONS] FILE NAME\n") != NULL);
    qc_buf_clear(&b);
    CHECK_OK(qc_limits_print(&b, &err));
    CHECK_OK(qc_buf_cstr(&b, &text, &err));
    CHECK(strstr(text, "QC_ERR_MSG_MAX") != NULL && strstr(text, "QC_FILE_READ_MAX") != NULL);
    CHECK(qc_opt_find(&app, "cloud add") == &cmds[1] && qc_opt_find(&app, "cloud") == NULL);
}

int main(void)
{
    check_accepted();
    check_own_row();
    check_refused();
    check_numbers();
    check_spans();
    check_codes();
    check_help();
    return 0;
}
