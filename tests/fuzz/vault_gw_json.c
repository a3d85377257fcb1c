/* fuzz/vault_gw_json: a gateway's answer of any bytes, read as each kind of answer. Output is untouched on
 * failure. */
#include "gw_json.h"
#include "ways.h"
#include "qc_fuzz.h"

static void as_error(qc_span in)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(vault_gw_entry_done) struct vault_gw_entry current = { 0 };
    for (int status = 400; status <= 507; status += 107) {
        qc_rc rc = gw_json_error(status, in, &current, &err);
        QC_ASSERT(rc != QC_OK && rc != QC_DEGRADED);
        vault_gw_entry_done(&current);
    }
}

static void as_entry(const struct json_t *root)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(vault_gw_entry_done) struct vault_gw_entry e = { 0 }, again = { 0 };
    QC_CLEANUP(qc_json_free) struct json_t *out = NULL;
    if (gw_json_entry(&e, root, &err) != QC_OK) {
        QC_ASSERT(e.path.p == NULL && e.priv.p == NULL);
        return;
    }
    if (gw_json_entry_build(&out, &e.e, &err) != QC_OK)
        return;
    QC_ASSERT(gw_json_entry(&again, out, &err) == QC_OK);
    QC_ASSERT(again.e.number == e.e.number && qc_span_eq(again.e.path, e.e.path));
}

static void as_ways(const struct json_t *root)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(vault_ways_free) struct vault_ways *w = NULL;
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_VAULT_WAYS_TEXT_MAX };
    if (vault_ways_new(&w, &err) != QC_OK)
        return;
    qc_ignore(vault_ways_take(w, root, &err), "any answer will do");
    QC_ASSERT(vault_ways_print(w, &text, &err) == QC_OK); /* it has room for whatever was taken */
    for (size_t i = 0; i < text.n; i++)
        QC_ASSERT(text.p[i] >= 0x20 && text.p[i] <= 0x7e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct vault_gw_receipt receipt;
    static struct vault_gw_info info;
    static struct vault_gw_faults faults;
    struct qc_err err = { 0 };
    struct vault_head head = { 0 };
    enum vault_upload_state state = VAULT_UPLOAD_UNKNOWN;
    QC_CLEANUP(qc_json_free) struct json_t *root = NULL;
    as_error(qc_span_of(data, size));
    if (qc_json_parse(&root, qc_span_of(data, size), &err) != QC_OK || !qc_json_is_object(root))
        return 0;
    as_entry(root);
    as_ways(root);
    qc_ignore(gw_json_head(&head, root, &err), "any answer will do");
    qc_ignore(gw_json_receipt(&receipt, root, &err), "any answer will do");
    qc_ignore(gw_json_info(&info, root, &err), "any answer will do");
    qc_ignore(gw_json_faults(&faults, root, &err), "any answer will do");
    qc_ignore(gw_json_upload(&state, &receipt, root, &err), "any answer will do");
    return 0;
}
