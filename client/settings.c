#include "settings.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/near.h"
#include "sites.h"
#include "text.h"

static const struct row {
    const char *option, *variable, *otherwise;
} rows[SETTINGS_COUNT] = {
#define X(id, option, variable, otherwise) { option, variable, otherwise },
    SETTINGS(X)
#undef X
};

const char *origin_text(enum origin o)
{
    static const char *const words[] = { "option", "environment", "file", "default" };
    return words[o];
}

const char *setting_variable(const char *name)
{
    return places_variable(name);
}

/* --quiet and --verbose are the log's level, and --json has no value. */
static bool by_flag(const struct qc_args *args, enum setting_id id, struct setting *ret)
{
    if (id == SETTING_JSON && qc_args_flag(args, "json")) {
        ret->value = "yes";
        ret->by = "--json";
        return true;
    }
    if (id != SETTING_LOG || (!qc_args_flag(args, "quiet") && !qc_args_flag(args, "verbose")))
        return false;
    ret->value = qc_args_flag(args, "verbose") ? "verbose" : "quiet";
    ret->by = qc_args_flag(args, "verbose") ? "--verbose" : "--quiet";
    return true;
}

static const char *const options[SETTINGS_COUNT] = {
#define X(id, option, ...) "--" option,
    SETTINGS(X)
#undef X
};

struct setting setting_of(const struct qc_args *args, enum setting_id id)
{
    const struct row *r = &rows[id];
    struct setting s = { .name = r->option, .origin = ORIGIN_OPTION, .by = options[id] };
    if (args != NULL && by_flag(args, id, &s))
        return s;
    s.value = args != NULL ? qc_args_value(args, r->option, NULL) : NULL;
    if (s.value != NULL)
        return s;
    s.value = r->variable != NULL ? setting_variable(r->variable) : NULL;
    if (s.value != NULL) {
        s.origin = ORIGIN_ENVIRONMENT;
        s.by = r->variable;
        return s;
    }
    s.value = r->otherwise;
    s.origin = ORIGIN_DEFAULT;
    return s;
}

/* -- of the program -------------------------------------------------------------------------------------- */

/* Which of some words it is; they are named where it is none. */
static qc_rc which(const struct setting *s, const char *const *words, size_t count, size_t *ret,
                   struct qc_err *err)
{
    char all[128] = "";
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(s->value, words[i]) == 0) {
            *ret = i;
            return QC_OK;
        }
        const int more = snprintf(all + n, sizeof all - n, "%s%s",
                                  i == 0          ? ""
                                  : i + 1 < count ? ", "
                                                  : " or ",
                                  words[i]);
        QC_ASSERT(more > 0 && n + (size_t)more < sizeof all);
        n += (size_t)more;
    }
    return QC_FAIL(err, QC_USAGE, "%s is %s, not '%.40s'", s->by, all, s->value);
}

/* yes or no, in a way that scripts have of saying it. */
static qc_rc is_yes(const struct setting *s, bool *ret, struct qc_err *err)
{
    static const char *const words[] = { "yes", "no", "1", "0" };
    size_t i = 0;
    QC_TRY(which(s, words, sizeof words / sizeof words[0], &i, err));
    *ret = i % 2 == 0;
    return QC_OK;
}

bool setting_asks_json(int argc, char *const *argv)
{
    struct qc_err none = { 0 };
    const struct setting s = setting_of(NULL, SETTING_JSON);
    bool yes = false;
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0)
            return true;
    return is_yes(&s, &yes, &none) == QC_OK && yes; /* what makes no sense is told when it is taken */
}

static qc_rc take_json(struct client *c, const struct setting *s, struct qc_err *err)
{
    return is_yes(s, &c->out.json, err);
}

static qc_rc take_progress(struct client *c, const struct setting *s, struct qc_err *err)
{
    static const char *const words[] = { "auto", "clouds", "plain", "none" };
    size_t i = 0;
    QC_TRY(which(s, words, sizeof words / sizeof words[0], &i, err));
    c->out.clouds = i == 1;
    c->out.progress = i == 3                                   ? OUT_PROGRESS_NONE
                      : i == 2 || (i == 1 && !c->out.terminal) ? OUT_PROGRESS_PLAIN
                                                               : OUT_PROGRESS_AUTO;
    return QC_OK;
}

static qc_rc take_log(struct client *c, const struct setting *s, struct qc_err *err)
{
    static const char *const words[] = { "quiet", "normal", "verbose" };
    size_t i = 0;
    QC_TRY(which(s, words, sizeof words / sizeof words[0], &i, err));
    c->out.quiet = i == 0;
    c->out.verbose = i == 2;
    return QC_OK;
}

static qc_rc take_units(struct client *c, const struct setting *s, struct qc_err *err)
{
    static const char *const words[] = { "iec", "si", "raw" };
    size_t i = 0;
    QC_TRY(which(s, words, sizeof words / sizeof words[0], &i, err));
    text_units(c->out.json ? TEXT_IEC : (enum text_units)i); /* JSON is the same for all */
    return QC_OK;
}

static qc_rc take_color(struct client *c, const struct setting *s, struct qc_err *err)
{
    static const char *const words[] = { "auto", "always", "never" };
    const char *terminal = getenv("TERM");
    size_t i = 0;
    QC_TRY(which(s, words, sizeof words / sizeof words[0], &i, err));
    const bool can = c->out.terminal && terminal != NULL && terminal[0] != '\0' &&
                     strcmp(terminal, "dumb") != 0 && setting_variable("NO_COLOR") == NULL;
    c->out.color = i == 1 || (i == 0 && can);
    return QC_OK;
}

/* A file alone: what waits for a reader, or is a device, would stop the command, or lose what is said. */
static qc_rc take_log_file(struct client *c, const struct qc_args *args, bool plain, struct qc_err *err)
{
    const struct setting found = setting_of(args, SETTING_LOG_FILE), *s = &found;
    struct qc_err why = { 0 };
    struct stat st;
    if (s->origin == ORIGIN_DEFAULT || (plain && s->origin == ORIGIN_ENVIRONMENT))
        return QC_OK;
    qc_rc rc = qc_open_at(&c->log.file, AT_FDCWD, s->value,
                          O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_NONBLOCK, 0600, &why);
    if (rc == QC_OK && fstat(qc_fd_get(&c->log.file), &st) != 0)
        rc = QC_FAIL_OS(&why, "%s", s->value);
    if (rc == QC_OK && !S_ISREG(st.st_mode))
        rc = QC_FAIL(&why, QC_USAGE, "'%.200s' is no file", s->value);
    if (rc != QC_OK) {
        qc_fd_close(&c->log.file);
        return QC_FAIL(err, QC_USAGE, "%s: the file that messages go to cannot be written: %s", s->by,
                       why.msg);
    }
    c->log.path = s->value;
    c->out.log = &c->log;
    return QC_OK;
}

qc_rc settings_take(struct client *c, const struct qc_args *args, bool plain, struct qc_err *err)
{
    static qc_rc (*const takes[SETTINGS_COUNT])(struct client * c, const struct setting *s,
                                                struct qc_err *err) = {
        [SETTING_JSON] = take_json,   [SETTING_PROGRESS] = take_progress, [SETTING_LOG] = take_log,
        [SETTING_UNITS] = take_units, [SETTING_COLOR] = take_color,
    };
    QC_TRY(take_log_file(c, args, plain, err)); /* at first: it has what is wrong with the others */
    for (enum setting_id id = 0; id < SETTINGS_COUNT; id++) {
        const struct setting s = setting_of(args, id);
        if (takes[id] != NULL && !(plain && s.origin == ORIGIN_ENVIRONMENT))
            QC_TRY(takes[id](c, &s, err));
    }
    if (qc_args_flag(args, "quiet")) /* together with --verbose: errors, and their reasons */
        c->out.quiet = true;
    c->out.clouds = c->out.clouds || c->out.verbose;
    return QC_OK;
}

/* -- of the vault ---------------------------------------------------------------------------------------- */

/* What is about one vault says nothing of three. */
static qc_rc refuse_for_sites(const char *by, const struct client *c, struct qc_err *err)
{
    return QC_FAIL(err, QC_USAGE, "%s is about one vault, and '%s' is about all three sites", by,
                   c->out.command);
}

/* What is there and is no file would never be read to its end, or not at all. */
static qc_rc take_config(struct client *c, const struct setting *s, struct qc_err *err)
{
    struct stat st;
    QC_TRY(places_config(&c->places, s->value, err));
    if (stat(c->places.conf_file, &st) == 0 && !S_ISREG(st.st_mode))
        return QC_FAIL(err, QC_USAGE, "'%.200s' is no file", s->value);
    return QC_OK;
}

qc_rc settings_places(struct client *c, const struct qc_args *args, bool all_sites, struct qc_err *err)
{
    const struct setting vault = setting_of(args, SETTING_VAULT), config = setting_of(args, SETTING_CONFIG);
    const char *site = qc_args_value(args, "site", NULL);
    unsigned i = 0;
    QC_TRY(places_find(&c->places, err));
    if (vault.origin != ORIGIN_DEFAULT)
        QC_TRY_AS(places_vault(&c->places, vault.value, err), err, "%s", vault.by);
    if (vault.origin != ORIGIN_DEFAULT)
        c->vault_name = vault.value;
    if (vault.origin == ORIGIN_OPTION)
        msg_vault(vault.by, vault.value);
    if (site != NULL && all_sites)
        return QC_FAIL(err, QC_USAGE, "--site is one of the three sites, and '%s' is about all of them",
                       args->cmd->name);
    if (site != NULL) {
        QC_TRY_AS(site_parse(site, &i, err), err, "--site");
        QC_TRY(places_site(&c->places, site_letter(i), err));
        msg_vault("--site", site);
    }
    for (size_t key = 0; all_sites && conf_key(key) != NULL; key++)
        if (conf_variable(key) != NULL && setting_variable(conf_variable(key)) != NULL)
            return refuse_for_sites(conf_variable(key), c, err);
    if (config.origin == ORIGIN_DEFAULT)
        return QC_OK;
    if (all_sites)
        return refuse_for_sites(config.by, c, err);
    QC_TRY_AS(take_config(c, &config, err), err, "%s", config.by);
    if (config.origin == ORIGIN_OPTION)
        msg_vault(config.by, config.value);
    return QC_OK;
}

/* The name of a vault that is nearest to one that there is not. */
struct nearest {
    const char *meant;
    char name[QC_CLIENT_VAULT_MAX + 1];
    size_t distance;
};

static void consider(void *ctx, const char *name)
{
    struct nearest *n = ctx;
    const size_t d = qc_near_edits(qc_span_str(n->meant), qc_span_str(name));
    if (d * 2 > strlen(name) + 1 || (n->name[0] != '\0' && d >= n->distance))
        return;
    (void)snprintf(n->name, sizeof n->name, "%s", name);
    n->distance = d;
}

/* There is no file: is the vault's name one that was mistyped? */
static qc_rc no_such_vault(const struct client *c, struct qc_err *err)
{
    struct places all;
    struct nearest near = { .meant = c->vault_name };
    QC_TRY(places_find(&all, err));
    places_vaults(&all, consider, &near);
    return QC_FAIL(err, QC_NOTCONF, "no vault '%s' is set up for this user (%s does not exist)%s%s%s",
                   c->vault_name, c->places.conf_file, near.name[0] != '\0' ? "; did you mean '" : "",
                   near.name, near.name[0] != '\0' ? "'?" : "");
}

qc_rc settings_conf(struct client *c, struct conf *ret, struct qc_err *err)
{
    if (c->vault_name != NULL && access(c->places.conf_file, F_OK) != 0 && errno == ENOENT)
        return no_such_vault(c, err);
    QC_TRY(conf_load(&c->places, ret, err));
    if (!ret->has_vault)
        return QC_FAIL(err, QC_NOTCONF, "%s has no [vault]", c->places.conf_file);
    return conf_environment(ret, err);
}

qc_rc setting_share(unsigned i, const char *otherwise, const char **ret, struct qc_err *err)
{
    const char *variable = i == 0 ? "QCLOUD_SHARE1" : "QCLOUD_SHARE2", *value = setting_variable(variable);
    size_t key = 0;
    *ret = otherwise;
    if (value == NULL)
        return QC_OK;
    QC_CLEANUP(qc_free_ptr) struct conf *scratch = qc_alloc(sizeof *scratch);
    if (scratch == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for %s", variable);
    QC_TRY(conf_find(i == 0 ? "vault.share1" : "vault.share2", &key, err));
    QC_TRY_AS(conf_override(scratch, key, qc_span_str(value), err), err, "%s", variable);
    *ret = value;
    return QC_OK;
}
