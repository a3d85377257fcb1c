/* Examples and exit codes for the help of each command. Part of the program qcloud (layer 5); uses base,
 * messages. */
#pragma once
#include "base/buf.h"
#include "base/opt.h"

/* Words that help takes besides commands: pages made of tables, and those of topics.h. */
#define HELP_TOPICS "choosing|clouds|commands|config|errors|exit|kits|policies|randomness|salvage|sites"

#define HELP_FOOTER                                                                                          \
    "Places: QCLOUD_HOME (one directory), else the XDG directories; QCLOUD_GATEWAY, QCLOUD_SHARE1 and\n"     \
    "QCLOUD_SHARE2 win over qcloud.conf (qcloud config show --origin).\n"                                    \
    "Passphrase of the share stores: QCLOUD_PASSPHRASE_COMMAND (the first line that it prints) or\n"         \
    "QCLOUD_PASSPHRASE_FD (a line to read there), else asked at the terminal.\n"                             \
    "Token for a gateway of many users: QCLOUD_TOKEN_FILE, QCLOUD_TOKEN_COMMAND, else token-file in\n"       \
    "qcloud.conf; never in the environment itself.\n"                                                        \
    "Exit codes: 0 ok, 1 other, 2 command line, 3 not found, 4 done but degraded, 5 try again, 6 too few\n"  \
    "clouds, 7 too few share stores, 8 does not verify, 10 not set up, 11 locked, 12 permission or\n"        \
    "passphrase, 13 randomness, 14 no space or over quota, 130 interrupted.\n"

struct client;
/* The table of commands (main.c). */
extern const struct qc_app app_table;
/* Text for people, or for a shell: needs nothing, and is never JSON. */
bool help_is_text(const struct qc_cmd *cmd);
/* The help of the program (cmd NULL) or of one command, as a page. */
QC_MUST qc_rc help_print(struct client *c, const struct qc_cmd *cmd, struct qc_err *err);
/* Appends the command's examples and exit codes; nothing for a name without a row. */
QC_MUST qc_rc help_examples(const char *command, qc_buf *ret, struct qc_err *err);
/* The pages docs/errors/README.md and docs/commands.md, from the tables; appended. */
QC_MUST qc_rc help_errors(qc_buf *ret, struct qc_err *err);
QC_MUST qc_rc help_commands(const struct qc_app *app, qc_buf *ret, struct qc_err *err);
