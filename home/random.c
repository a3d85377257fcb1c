#include "home/random.h"

#include "base/file.h"
#include "home/conf.h"
#include "home/kme_source.h"

/* Nothing appended: there is no such file. */
static qc_rc read_text(const struct places *p, qc_buf *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd dir = { 0 };
    struct qc_err why = { 0 };
    qc_rc rc = qc_dir_open(&dir, p->conf_dir, &why);
    if (rc == QC_OK)
        rc = qc_file_read(qc_fd_get(&dir), "random.conf", QC_QRNG_CONF_MAX, ret, &why);
    if (rc == QC_NOTFOUND)
        return QC_OK;
    if (rc != QC_OK)
        *err = why;
    return rc;
}

qc_rc home_random_conf(const struct places *p, struct qrng_conf *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { 0 };
    qrng_conf_init(ret);
    QC_TRY_AS(read_text(p, &text, err), err, "%s/random.conf", p->conf_dir);
    if (text.n == 0)
        return QC_OK;
    const qc_rc rc = qrng_conf_parse(qc_buf_span(&text), ret, err);
    if (rc == QC_USAGE || rc == QC_NOTCONF)
        err->next = conf_correct;
    QC_TRY_AS(rc, err, "%s/random.conf", p->conf_dir);
    for (size_t i = 0; i < ret->count; i++)
        if (ret->source[i].kind == QRNG_KIND_KME)
            ret->source[i].maker = &kme_maker;
    return places_join(p->state, "random", ret->alarms, err);
}
