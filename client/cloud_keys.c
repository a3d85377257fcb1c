#include "cloud_keys.h"

#define AWS_PREFIX "aws:"

void cloud_keys_done(struct cloud_keys *k)
{
    qc_buf_free(&k->words);
    k->count = 0;
}

qc_rc cloud_keys_place(const char *spec, char ret[QC_CLIENT_PATH_MAX], struct qc_err *err)
{
    if (strncmp(spec, AWS_PREFIX, strlen(AWS_PREFIX)) != 0)
        return places_absolute(spec, ret, err);
    if (strlen(spec) >= QC_CLIENT_PATH_MAX)
        return QC_FAIL(err, QC_LIMIT, "the name of a profile is too long");
    memcpy(ret, spec, strlen(spec) + 1);
    return QC_OK;
}

qc_rc cloud_keys_take(const struct qc_args *args, struct cloud_keys *ret, struct qc_err *err)
{
    const char *v = NULL;
    ret->words.max = (QC_CLIENT_PATH_MAX + 128) * VAULT_CLOUDS_MAX;
    for (size_t i = 0; (v = qc_args_nth(args, "cloud-credentials", i)) != NULL; i++) {
        char place[QC_CLIENT_PATH_MAX];
        const char *is = strchr(v, '=');
        if (i >= VAULT_CLOUDS_MAX)
            return QC_FAIL(err, QC_USAGE, "more than %d --cloud-credentials", VAULT_CLOUDS_MAX);
        /* Without a NAME= the text is not repeated: somebody may have put a key there. */
        if (is == NULL || is == v || is[1] == '\0' || is - v > 64)
            return QC_FAIL(err, QC_USAGE,
                           "--cloud-credentials takes NAME=FILE, or NAME=aws:PROFILE, once for each cloud");
        QC_TRY_AS(cloud_keys_place(is + 1, place, err), err, "--cloud-credentials %.*s", (int)(is - v), v);
        ret->at[i] = ret->words.n;
        QC_TRY(qc_buf_addf(&ret->words, err, "%.*s=%s", (int)(is - v), v, place));
        QC_TRY(qc_buf_add_zero(&ret->words, 1, err));
        ret->count++;
    }
    return QC_OK;
}

size_t cloud_keys_argv(const struct cloud_keys *k, const char **argv, size_t n)
{
    for (size_t i = 0; i < k->count; i++) {
        argv[n++] = "--cloud-credentials";
        argv[n++] = (const char *)k->words.p + k->at[i];
    }
    return n;
}

qc_rc cloud_keys_tell(struct client *c, const qc_buf *said, qc_buf *rest, struct qc_err *err)
{
    static const char lead[] = "cloud ";
    qc_span left = qc_buf_span(said);
    while (left.n > 0) {
        const uint8_t *end = memchr(left.p, '\n', left.n);
        size_t n = end == NULL ? left.n : (size_t)(end - left.p);
        qc_span line = qc_span_sub(left, 0, n);
        left = qc_span_from(left, end == NULL ? n : n + 1);
        if (line.n > sizeof lead && memcmp(line.p, lead, sizeof lead - 1) == 0) {
            out_warn(&c->out, MSG_W_CLOUD_LACKS, NULL, "%.*s", (int)(line.n < 400 ? line.n : 400),
                     (const char *)line.p);
            continue;
        }
        QC_TRY(qc_buf_add(rest, line, err));
        QC_TRY(qc_buf_add(rest, QC_LIT("\n"), err));
    }
    return QC_OK;
}
