#include "members.h"

#include <inttypes.h>

enum { COUNT_LOG2 = 53 }; /* as of counts in JSON */

static uint64_t count(qc_rd *rd)
{
    const uint64_t v = qc_rd_be(rd, 8);
    if (v >> COUNT_LOG2 != 0)
        qc_rd_fail(rd);
    return v;
}

static qc_span part(qc_rd *rd, size_t most)
{
    const uint64_t n = qc_rd_be(rd, 4);
    if (n > most)
        qc_rd_fail(rd);
    return qc_rd_bytes(rd, n);
}

static bool member_read(qc_rd *rd, struct gw_upload_member *ret)
{
    struct gw_upload_member m = { .entry.kind = GW_ENTRY_FILE };
    qc_rd_copy(rd, m.put_key.b, sizeof m.put_key.b);
    m.start = count(rd);
    m.entry.number = count(rd);
    m.entry.sequence = count(rd);
    m.entry.size = count(rd);
    qc_rd_copy(rd, m.entry.object.b, sizeof m.entry.object.b);
    qc_rd_copy(rd, m.entry.version.b, sizeof m.entry.version.b);
    qc_rd_copy(rd, m.entry.m, sizeof m.entry.m);
    qc_rd_copy(rd, m.entry.seal, sizeof m.entry.seal);
    m.entry.path = part(rd, QC_GW_PATH_MAX);
    m.entry.private_part = part(rd, QC_GW_PRIVATE_MAX);
    m.backup = part(rd, QC_GW_BACKUP_MAX);
    if (!qc_rd_ok(rd) || m.entry.path.n == 0)
        return false;
    *ret = m;
    return true;
}

qc_rc members_read(qc_span body, struct gw_upload_member *v, unsigned *ret_count, struct qc_err *err)
{
    qc_rd rd = { .s = body };
    unsigned n = 0;
    do {
        if (n == QC_GW_MEMBERS_MAX)
            return QC_FAIL(err, QC_FORMAT, "more than %d members", QC_GW_MEMBERS_MAX);
        if (!member_read(&rd, &v[n]))
            return QC_FAIL(err, QC_FORMAT, "member %u: cut off, or a size that none may have", n);
        n++;
    } while (qc_rd_left(&rd) > 0);
    *ret_count = n;
    return QC_OK;
}
