/* fuzz/base_ini: any text is taken or refused; what is taken was said once, and keeps its limits. */
#include "base/ini.h"

#include <string.h>

#include "qc_fuzz.h"

enum { PATH = 32, KEYS = 3 };
struct got {
    uint64_t number;
    bool flag;
    char path[PATH];
    unsigned calls;
};

static qc_rc take_number(void *ctx, qc_span v, struct qc_err *err)
{
    struct got *g = ctx;
    g->calls++;
    return qc_ini_u64(v, 1, 1000, &g->number, err);
}

static qc_rc take_flag(void *ctx, qc_span v, struct qc_err *err)
{
    struct got *g = ctx;
    g->calls++;
    return qc_ini_bool(v, &g->flag, err);
}

static qc_rc take_path(void *ctx, qc_span v, struct qc_err *err)
{
    struct got *g = ctx;
    g->calls++;
    return qc_ini_path(v, g->path, sizeof g->path, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct qc_ini_key keys[KEYS] = {
        { "a", "number", true, take_number },
        { "a", "flag", false, take_flag },
        { "b", "path", false, take_path },
    };
    struct qc_ini ini = { .keys = keys, .count = KEYS };
    struct got g = { 0 };
    struct qc_err err = { 0 };
    if (qc_ini_parse(qc_span_of(data, size), 4096, &ini, &g, &err) != QC_OK)
        return 0;
    unsigned seen = 0;
    for (unsigned i = 0; i < KEYS; i++)
        seen += ini.line[i] != 0;
    QC_ASSERT(size <= 4096 && g.calls == seen);
    QC_ASSERT(ini.line[0] == 0 || (g.number >= 1 && g.number <= 1000));
    QC_ASSERT(ini.line[1] == 0 || ini.line[0] != 0);
    QC_ASSERT(ini.line[2] == 0 || (g.path[0] == '/' && strlen(g.path) < PATH));
    return 0;
}
