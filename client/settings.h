/* What holds for a run: of option, environment, file and default, in this order, the first that says it.
 * Layer 5; uses base, home.
 *
 * Two kinds. Settings of the program: an option and a variable each; their values are checked by whoever
 * takes them, who names what said them (setting.by). And keys of qcloud.conf that a variable may say instead
 * of the file, each a place: a secret is never taken from the environment. A variable that is empty is not
 * set. */
#pragma once
#include "client.h"

/* Setting, name of its option, variable, default; in the order in which config show --origin tells them. */
#define SETTINGS(X)                                                                                          \
    X(VAULT, "vault", "QCLOUD_VAULT", "")                                                                    \
    X(CONFIG, "config", "QCLOUD_CONFIG", "")                                                                 \
    X(JSON, "json", "QCLOUD_JSON", "no")                                                                     \
    X(PROGRESS, "progress", "QCLOUD_PROGRESS", "auto")                                                       \
    X(LOG, "log", "QCLOUD_LOG", "normal")                                                                    \
    X(LOG_FILE, "log-file", "QCLOUD_LOG_FILE", "")                                                           \
    X(UNITS, "units", "QCLOUD_UNITS", "iec")                                                                 \
    X(COLOR, "color", NULL, "auto")

enum setting_id {
#define X(id, ...) SETTING_##id,
    SETTINGS(X)
#undef X
        SETTINGS_COUNT
};

enum origin { ORIGIN_OPTION, ORIGIN_ENVIRONMENT, ORIGIN_FILE, ORIGIN_DEFAULT };

struct setting {
    const char *name;  /* "units" */
    const char *value; /* borrowed from argv or the environment */
    enum origin origin;
    const char *by; /* "--units", "QCLOUD_UNITS"; of a default the option */
};

/* What holds of it; nothing is looked at. args: NULL before they were read. */
struct setting setting_of(const struct qc_args *args, enum setting_id id);
/* "option", "environment", "file", "default" */
const char *origin_text(enum origin o);
/* The value of a variable that is set and not empty, or NULL. */
const char *setting_variable(const char *name);
/* Is JSON asked for? By the words alone, for messages about words that cannot be read. */
bool setting_asks_json(int argc, char *const *argv);

/* All of them but vault and config, into c; the log's file is opened. plain: for a text that helps, which
 * comes whatever the environment says. QC_USAGE: a value that makes no sense, with what said it. */
QC_MUST qc_rc settings_take(struct client *c, const struct qc_args *args, bool plain, struct qc_err *err);
/* The vault that is meant, and where its configuration is: into c->places. all_sites: the command is about
 * the three vaults of sites. QC_USAGE; places_find's. */
QC_MUST qc_rc settings_places(struct client *c, const struct qc_args *args, bool all_sites,
                              struct qc_err *err);
/* conf_load, then what the environment says of its keys. QC_USAGE: with the variable; conf_load's. */
QC_MUST qc_rc settings_conf(struct client *c, struct conf *ret, struct qc_err *err);
/* The place of share store i (0, 1), as the environment says it and after a look at whether it can be one; or
 * otherwise. *ret is borrowed. QC_USAGE */
QC_MUST qc_rc setting_share(unsigned i, const char *otherwise, const char **ret, struct qc_err *err);
