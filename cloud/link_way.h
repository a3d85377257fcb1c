/* From a URL that was taken apart already. Internal to cloud/. */
#pragma once
#include "cloud/link.h"
#include "url.h"

/* QC_USAGE: link without level, a level that nothing gives, either of a directory */
QC_MUST qc_rc cloud_way_from(const struct cloud_url *u, struct cloud_way *ret, struct qc_err *err);
