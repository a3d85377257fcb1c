/* What the files of the audit log share. */
#pragma once
#include "gateway/audit.h"

#define GW_AUDIT_TIP "audit.tip"

/* `SEQUENCE HASH`, and an end of the line. */
enum { GW_AUDIT_TIP_MAX = 20 + 1 + 2 * QC_SHA256_BYTES + 1 };
