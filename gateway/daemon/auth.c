#include "auth.h"

#include <string.h>
#include <strings.h>

#include "base/token.h"

static qc_rc parse(const char *text, uint8_t ret[QC_SHA256_BYTES], struct qc_err *err)
{
    static const char scheme[] = "Bearer";

    if (strncasecmp(text, scheme, sizeof scheme - 1) == 0 && text[sizeof scheme - 1] == ' ') {
        const char *token = text + sizeof scheme - 1;
        token += strspn(token, " ");
        if (qc_token_ok(qc_span_str(token)))
            return qc_token_hash(qc_span_str(token), ret, err);
    }
    return QC_FAIL(err, QC_AUTH, "Authorization: Bearer and a token of this gateway are needed");
}

qc_rc auth_parse(char *text, uint8_t ret[QC_SHA256_BYTES], struct qc_err *err)
{
    const qc_rc rc = parse(text, ret, err);
    qc_wipe(text, strlen(text));
    return rc;
}
