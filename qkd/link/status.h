/* What an end says of itself, for people and for Prometheus. Pure. */
#pragma once
#include "net/link_state.h"

/* Lines of `name      words`. QC_NOMEM, QC_LIMIT */
QC_MUST qc_rc link_status_text(const struct net_link_state *s, qc_buf *ret, struct qc_err *err);
/* Prometheus' text format, labelled with the link and the end. QC_NOMEM, QC_LIMIT */
QC_MUST qc_rc link_status_metrics(const struct net_link_state *s, qc_buf *ret, struct qc_err *err);
