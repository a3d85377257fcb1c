/* Members of a bundle as bytes. Part of qcloud-gateway; FORMAT 5.3. */
#pragma once
#include "base/buf.h"
#include "gateway/engine.h"

/*
 * All members that the body has, checked for sizes, into v, which has room for QC_GW_MEMBERS_MAX; what
 * they point to lies in the body. QC_FORMAT: cut off, too many or none, a size that none may have.
 */
QC_MUST qc_rc members_read(qc_span body, struct gw_upload_member *v, unsigned *ret_count, struct qc_err *err);
