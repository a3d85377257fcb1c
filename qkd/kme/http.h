/* A request's body comes whole, one answer goes back. Part of qcloud-kme; over libmicrohttpd. Keeps I5: keys
 * stay in secret memory until they are sent. */
#pragma once
#include <microhttpd.h>

#include "supply.h"

struct kme_call {
    struct MHD_Connection *connection; /* for its query and its certificate */
    const char *url, *method;
    qc_span body;
    bool too_large; /* the body: what came of it is cut */
};

struct kme_http {
    /* QC_OK: *ret is an answer. Anything else is a failure of ours: logged, and told as 503. */
    qc_rc (*run)(void *cls, const struct kme_call *c, struct kme_answer *ret, struct qc_err *err);
    void *cls;
};

/* For MHD_start_daemon; cls: a struct kme_http. */
enum MHD_Result kme_http_handle(void *cls, struct MHD_Connection *c, const char *url, const char *method,
                                const char *version, const char *data, size_t *size, void **state);
/* For MHD_OPTION_NOTIFY_COMPLETED. */
void kme_http_completed(void *cls, struct MHD_Connection *c, void **state,
                        enum MHD_RequestTerminationCode why);
