/* fuzz/daemon_body: any body as an entry, a path, members of a bundle; any text as a Range. What is accepted
 * keeps its limits. */
#include <string.h>

#include "json.h"
#include "members.h"
#include "qc_fuzz.h"

static void as_entry(qc_span in)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_json_free) struct json_t *o = NULL;
    QC_CLEANUP(json_entry_in_done) struct json_entry_in entry = { 0 };
    if (qc_json_parse(&o, in, &err) != QC_OK || !qc_json_is_object(o))
        return;
    if (json_entry_parse(&entry, o, &err) != QC_OK)
        return;
    QC_ASSERT(entry.e.path.n >= 1 && entry.e.path.n <= QC_GW_PATH_MAX);
    QC_ASSERT(entry.e.private_part.n <= QC_GW_PRIVATE_MAX);
    QC_ASSERT(entry.e.kind == GW_ENTRY_FILE);
    QC_ASSERT(entry.e.size < UINT64_C(1) << 53);
}

static void as_members(qc_span in)
{
    static struct gw_upload_member v[QC_GW_MEMBERS_MAX];
    struct qc_err err = { 0 };
    unsigned count = 0;
    size_t bytes = 0;
    if (members_read(in, v, &count, &err) != QC_OK)
        return;
    QC_ASSERT(count >= 1 && count <= QC_GW_MEMBERS_MAX);
    for (unsigned i = 0; i < count; i++) {
        const struct gw_entry *e = &v[i].entry;
        QC_ASSERT(e->kind == GW_ENTRY_FILE && e->path.n >= 1 && e->path.n <= QC_GW_PATH_MAX);
        QC_ASSERT(e->private_part.n <= QC_GW_PRIVATE_MAX && v[i].backup.n <= QC_GW_BACKUP_MAX);
        QC_ASSERT((v[i].start | e->number | e->sequence | e->size) < UINT64_C(1) << 53);
        bytes += 16 + 4 * 8 + 2 * 16 + 2 * 32 + 3 * 4 + e->path.n + e->private_part.n + v[i].backup.n;
    }
    QC_ASSERT(bytes == in.n);
}

static void as_range(qc_span in)
{
    char text[256];
    struct qc_err err = { 0 };
    uint64_t from = 0;
    uint64_t to = 0;
    bool partial = false;
    const uint64_t size = in.n > 0 ? in.p[0] : 0;
    size_t n = in.n < sizeof text ? in.n : sizeof text - 1;
    if (n > 0)
        memcpy(text, in.p, n);
    text[n] = '\0';
    if (range_parse(text, size, &from, &to, &partial, &err) == QC_OK)
        QC_ASSERT(from < to && to <= size && partial);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    as_entry(qc_span_of(data, size));
    as_members(qc_span_of(data, size));
    as_range(qc_span_of(data, size));
    return 0;
}
