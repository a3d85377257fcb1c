/* fuzz/net_link_state: what a link says of itself: refused, or means the same when it is written again. */
#include "net/link_state.h"
#include "qc_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct net_link_state s, again;
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = 2 * NET_LINK_STATE_MAX };
    struct qc_err err = { 0 };
    if (size > NET_LINK_STATE_MAX)
        return 0;
    const qc_rc rc = net_link_state_parse(&s, qc_span_of(data, size), &err);
    QC_ASSERT(rc == QC_OK || rc == QC_FORMAT || rc == QC_LIMIT);
    if (rc != QC_OK)
        return 0;
    QC_ASSERT(s.least <= s.level && s.now <= s.level && (s.now == NET_DOWN || s.now >= s.least));
    QC_ASSERT(net_link_state_print(&s, &text, &err) == QC_OK);
    QC_ASSERT(net_link_state_parse(&again, qc_buf_span(&text), &err) == QC_OK);
    QC_ASSERT(again.now == s.now && again.least == s.least && again.key_bytes == s.key_bytes);
    QC_ASSERT(strcmp(again.key_id, s.key_id) == 0 && strcmp(again.why, s.why) == 0);
    return 0;
}
