#include "gateway_opts.h"

const struct qc_opt kit_opts[] = {
    { "out", 0, "FILE", "write it to a new file of mode 0600 instead of printing it", false },
    { 0 },
};
#define REBUILD                                                                                              \
    { "cloud", 0, "NAME=URL", "a cloud that has moved", true },                                              \
        { "cloud-credentials", 0, "NAME=FILE", "where a cloud's keys are, if not as before; or aws:PROFILE", \
          true },                                                                                            \
    {                                                                                                        \
        "kit", 0, "FILE", "the operator's kit, where the clouds are too few", false                          \
    }
const struct qc_opt rebuild_opts[] = {
    REBUILD,
    { "from-clouds", 0, NULL, "from what lies on the clouds: what a rebuild does anyway", false },
    { "verify-only", 0, NULL, "make it, check it, say what it would have, and leave everything as it is",
      false },
    { 0 },
};
const struct qc_opt restore_opts[] = {
    REBUILD,
    { "dry-run", 'n', NULL, "say what would come of it, and leave everything as it is", false },
    { "yes", 0, NULL, "do not ask", false },
    { 0 },
};
const struct qc_opt validate_opts[] = {
    { "deep", 0, NULL, "more and larger objects: minutes instead of seconds", false },
    { 0 },
};
#define CLOUD_LABELS                                                                                         \
    { "weight", 0, "W", "how much of what is new it gets, 0 to 1000 (100: as others)", false },              \
        { "provider", 0, "LABEL", "who runs it", false },                                                    \
        { "region", 0, "LABEL", "where it stands", false },                                                  \
    {                                                                                                        \
        "jurisdiction", 0, "LABEL", "whose law holds there", false                                           \
    }
#define CLOUD_RATE                                                                                           \
    {                                                                                                        \
        "max-rate", 0, "BYTES", "at most so many bytes a second (k, M, G: powers of 1024)", false            \
    }
#define CLOUD_PRICES                                                                                         \
    {                                                                                                        \
        "prices", 0, "FILE", "a table of prices: docs/prices.md", false                                      \
    }
#define CLOUD_YES                                                                                            \
    {                                                                                                        \
        "yes", 0, NULL, "do not ask", false                                                                  \
    }
const struct qc_opt set_opts[] = {
    { "credentials", 0, "FILE", "where its keys are: a file of mode 0600, or aws:PROFILE", false },
    { "untried", 0, NULL, "also where the cloud does not answer now", false },
    { "url", 0, "URL", "it is there now: moved, or an empty place for what is gone (repair --adopt fills it)",
      false },
    CLOUD_LABELS,
    { 0 },
};
const struct qc_opt add_opts[] = {
    { "credentials", 0, "FILE", "where its keys are: a file of mode 0600, or aws:PROFILE", false },
    CLOUD_LABELS,
    { 0 },
};
const struct qc_opt drain_opts[] = {
    { "to", 0, "CLOUD", "where everything goes that can be there", false },
    { "cancel", 0, NULL, "use it again; what has moved stays where it is", false },
    CLOUD_RATE,
    CLOUD_PRICES,
    CLOUD_YES,
    { 0 },
};
const struct qc_opt replace_opts[] = {
    { "credentials", 0, "FILE", "where the new one's keys are: a file of mode 0600, or aws:PROFILE", false },
    CLOUD_LABELS,
    CLOUD_RATE,
    CLOUD_PRICES,
    CLOUD_YES,
    { 0 },
};
const struct qc_opt retire_opts[] = {
    { "gone", 0, NULL, "it will never answer again: what lies there is given up", false },
    { 0 },
};
const struct qc_opt plan_opts[] = { CLOUD_PRICES, { 0 } };
const struct qc_opt plan_code_opts[] = { CLOUD_PRICES, CLOUD_RATE, { 0 } };
const struct qc_opt repair_opts[] = {
    { "deep", 0, NULL, "read and verify everything, not only what is in doubt", false },
    { "dry-run", 0, NULL, "say what would be done; write to no cloud", false },
    { "max-rate", 0, "BYTES", "at most so many bytes a second (k, M, G: powers of 1024)", false },
    { "adopt", 0, "CLOUD", "fill a lost cloud again: whatever it had is given up", false },
    { "reprotect", 0, "K,N", "another code: any K of N clouds give everything; what is stored follows",
      false },
    { 0 },
};
const struct qc_opt scrub_opts[] = {
    { "content", 0, NULL, "read and verify everything, not only the clouds' listings", false },
    { "cloud", 0, "CLOUD", "one cloud alone", false },
    { "wait", 0, NULL, "until it is over", false },
    { 0 },
};
const struct qc_opt gateway_drill_opts[] = {
    { "without-cloud", 0, "CLOUD|random|none",
      "a cloud to do without (default: as many at random as may be lost)", true },
    { "sample", 0, "N", "try so many versions, drawn by lot (default: all)", false },
    { "seed", 0, "S", "draw as the drill did that named this seed", false },
    { 0 },
};
const struct qc_opt gateway_audit_opts[] = {
    { "since", 0, "TIME", "from then on: 2026-01-31, by this machine's clock, or 2026-01-31T12:00:00Z",
      false },
    { 0 },
};
const struct qc_opt scrub_pause_opts[] = {
    { "cloud", 0, "CLOUD", "one cloud alone", false },
    { 0 },
};
