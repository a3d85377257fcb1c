#include "agree.h"

#include <unistd.h>

qc_rc client_agree_can(const struct client *c, const char *instead, struct qc_err *err)
{
    if (c->no_input || c->out.json || isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1)
        return QC_FAIL(err, QC_USAGE, "nobody can be asked whether this is wanted: %s", instead);
    return QC_OK;
}

qc_rc client_agree(struct client *c, const char *question, const char *instead, const char *nothing,
                   struct qc_err *err)
{
    char line[16] = "";
    QC_TRY(client_agree_can(c, instead, err));
    fprintf(c->out.talk, "%s", question);
    if (fgets(line, sizeof line, stdin) == NULL || (line[0] != 'y' && line[0] != 'Y'))
        return QC_FAIL(err, QC_CANCELLED, "%s", nothing);
    return QC_OK;
}
