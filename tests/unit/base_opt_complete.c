/* unit/base_opt_complete: what may come next on a command line, by the tables; and the shells' scripts. */
#include "base/opt.h"

#include "qc_check.h"

static const struct qc_opt globals[] = { { "quiet", 'q', NULL, "errors only", false },
                                         { "site", 0, "A|B|C", "there", false },
                                         { 0 } };
static const struct qc_opt put_options[] = { { "recursive", 'r', NULL, "a tree", false },
                                             { "wait", 0, "full|quorum", "for what", false },
                                             { "without", 0, "CLOUD|random", "not there", true },
                                             { "from", 'f', "FILE", "a file", false },
                                             { "label", 0, "K=V", "a label", true },
                                             { 0 } };
static const struct qc_cmd cmds[] = { { "put", "FILE [NAME] | FILE... PREFIX/ | -r DIR [PREFIX] | - NAME",
                                        "store", 1, -1, 0, put_options, NULL },
                                      { "make", "--label K=V --from FILE DIR | [a|b|FILE]...", "make", 0, -1,
                                        0, put_options, NULL },
                                      { "cloud", "NAME", "one cloud", 1, 1, 0, NULL, NULL },
                                      { "cloud add", "CLOUD URL", "add it", 2, 2, 0, NULL, NULL },
                                      { "cloud key set", "CLOUD", "its key", 1, 1, 0, NULL, NULL },
                                      { "help", "[COMMAND|errors]", "help", 0, 1, 0, NULL, NULL },
                                      { "none", NULL, "takes nothing", 0, 0, 0, NULL, NULL },
                                      { 0 } };
static const struct qc_named named[] = {
    { "NAME", ":objects" }, { "PREFIX", ":objects" }, { "CLOUD", ":clouds" }, { 0 }
};
static const struct qc_app app = { .name = "qc-x", .globals = globals, .cmds = cmds, .named = named };

static struct qc_err err;

/* The line, its words with single blanks; what is typed is after the last one. want: lines, one blank between
 * them, without the help. */
static void completes(const char *line, const char *want)
{
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = 65536 }, words = { .max = 65536 };
    char copy[256];
    const char *list[32];
    int count = 0;
    snprintf(copy, sizeof copy, "%s", line);
    list[count++] = copy;
    for (char *c = copy; *c != '\0'; c++)
        if (*c == ' ') {
            *c = '\0';
            list[count++] = c + 1;
        }
    CHECK_OK(qc_opt_complete(&app, list, count, &b, &err));
    bool help = false;
    for (size_t i = 0; i < b.n; i++) {
        help = b.p[i] != '\n' && (help || b.p[i] == '\t');
        if (!help)
            CHECK_OK(qc_buf_addf(&words, &err, "%c", b.p[i] == '\n' ? ' ' : b.p[i]));
    }
    if (!qc_span_eq(qc_buf_span(&words), qc_span_str(want))) {
        fprintf(stderr, "'%s': '%.*s', not '%s'\n", line, (int)words.n, (const char *)words.p, want);
        exit(1);
    }
}

static void check_words(void)
{
    completes("", "put make cloud help none ");
    completes("c", "cloud ");
    completes("-q c", "cloud ");
    completes("x", "");
    completes("cloud ", "add key :objects "); /* a command, and the beginning of others */
    completes("cloud a", "add :objects ");
    completes("cloud key ", "set ");
    completes("cloud key set ", ":clouds ");
    completes("cloud add ", ":clouds ");
    completes("cloud add x ", "");
    completes("cloud burn ", "");
    completes("x ", "");
    completes("cloud key burn ", "");
    completes("help ", "put make cloud help none errors ");
    completes("none ", "");
}

static void check_arguments(void)
{
    completes("put ", ":file ");
    completes("put a", ":file ");
    completes("put a ", ":objects :file ");
    completes("put -r a b c ", ":file ");
    completes("make ", ":dir a b :file ");
    completes("make b b ", "a b :file ");
    completes("put -- -", ":file ");
    completes("put - ", ":objects :file ");
}

static void check_options(void)
{
    completes("-", "--quiet --site --help --version ");
    completes("put --", "--recursive --wait --without --from --label --quiet --site --help --version ");
    completes("put a --wi", "--without ");
    completes("put --wait ", "full quorum ");
    completes("put --wait q", "quorum ");
    completes("put --wait = q", "quorum ");
    completes("put --wait =", "full quorum ");
    completes("put --wait=", "--wait=full --wait=quorum ");
    completes("put --wait=q", "--wait=quorum ");
    completes("put --nothing=", "");
    completes("put --quiet=", "");
    completes("put --without ", ":clouds random ");
    completes("put --from ", ":file ");
    completes("put -f ", ":file ");
    completes("put -rf ", ":file ");
    completes("put -fx ", ":file "); /* the first argument */
    completes("put --label ", "");
    completes("--site ", "A B C ");
    completes("put --wrong --wait ", "full quorum "); /* what is wrong before does not keep it from helping */
    completes("none --", "--quiet --site --help --version ");
}

/* A line that is longer than any that a person types. */
static void check_limit(void)
{
    static const char *words[QC_OPT_COMPLETE_MAX + 1];
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = 65536 };
    for (int i = 0; i <= QC_OPT_COMPLETE_MAX; i++)
        words[i] = "put";
    CHECK_OK(qc_opt_complete(&app, words, QC_OPT_COMPLETE_MAX + 1, &b, &err));
    CHECK(b.n == 0);
    CHECK_OK(qc_opt_complete(&app, words, 0, &b, &err));
    CHECK(b.n == 0);
    CHECK_OK(qc_opt_complete(&app, words, QC_OPT_COMPLETE_MAX, &b, &err));
    CHECK(b.n > 0);
    qc_buf small = { .max = 3 };
    CHECK_RC(qc_opt_complete(&app, words, 1, &small, &err), QC_LIMIT);
    qc_buf_free(&small);
}

static void check_said(void)
{
    static const char *const line[] = { "put", "one", "--wait", "=", "full", "--nonsense", "-r", "two" };
    struct qc_args said;

    qc_opt_said(&app, line, sizeof line / sizeof line[0], &said);
    CHECK(strcmp(qc_args_value(&said, "wait", ""), "full") == 0 && said.argc == 0 && said.argv == NULL);
    qc_opt_said(&app, line, QC_OPT_COMPLETE_MAX + 1, &said);
    CHECK(said.given_count == 0);
    qc_opt_said(&app, line, 0, &said);
    CHECK(said.given_count == 0);
}

static void check_scripts(void)
{
    static const char *const shells[] = { "bash", "zsh", "fish" };
    for (size_t i = 0; i < 3; i++) {
        QC_CLEANUP(qc_buf_free) qc_buf b = { .max = 65536 };
        const char *text = NULL;
        CHECK_OK(qc_opt_completion(&app, shells[i], &b, &err));
        CHECK_OK(qc_buf_cstr(&b, &text, &err));
        CHECK(strstr(text, "_qc_x") != NULL && strstr(text, "qc-x completion words -- ") != NULL);
        CHECK(strstr(text, "@P@") == NULL && strstr(text, "@F@") == NULL);
        CHECK(strstr(text, "timeout 0.3 qc-x completion names") != NULL);
    }
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = 65536 };
    CHECK_RC(qc_opt_completion(&app, "csh", &b, &err), QC_USAGE);
    CHECK(b.n == 0);
}

int main(void)
{
    check_words();
    check_arguments();
    check_options();
    check_limit();
    check_said();
    check_scripts();
    return 0;
}
