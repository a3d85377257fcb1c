/* What is said, kept for a while. */
#include <stdlib.h>

#include "out.h"

qc_rc out_hold(struct out *o, size_t columns, struct out_held *h, struct qc_err *err)
{
    QC_ASSERT(o->held == NULL);
    *h = (struct out_held){ .data = o->data, .talk = o->talk, .color = o->color, .columns = columns };
    FILE *const data = open_memstream(&h->text[0], &h->n[0]);
    FILE *const talk = open_memstream(&h->text[1], &h->n[1]);
    if (data != NULL && talk != NULL) {
        o->held = h;
        o->color = false; /* a line is cut by its letters */
        o->data = data;
        o->talk = talk;
        return QC_OK;
    }
    if (data != NULL)
        fclose(data);
    if (talk != NULL)
        fclose(talk);
    free(h->text[0]);
    free(h->text[1]);
    return QC_FAIL(err, QC_NOMEM, "no memory for what is said");
}

qc_rc out_release(struct out *o, qc_buf *ret, struct qc_err *err)
{
    struct out_held *h = o->held;
    const bool data = fclose(o->data) == 0, talk = fclose(o->talk) == 0;
    qc_rc rc = QC_OK;
    if (!data || !talk)
        rc = QC_FAIL(err, QC_NOMEM, "no memory for what is said");
    o->held = NULL;
    o->color = h->color;
    o->data = h->data;
    o->talk = h->talk;
    for (size_t i = 0; i < 2; i++) {
        if (rc == QC_OK)
            rc = qc_buf_add(ret, qc_span_of(h->text[i], h->n[i]), err);
        free(h->text[i]); /* of open_memstream */
    }
    return rc;
}
