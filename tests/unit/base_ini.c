/* unit/base_ini: a configuration is taken strictly, line by line, and every refusal says where. */
#include "base/ini.h"

#include <stdlib.h>
#include <string.h>

#include "base/near.h"
#include "qc_check.h"

struct got {
    uint64_t number;
    bool flag;
    char path[16];
    unsigned calls;
};

static qc_rc take_number(void *ctx, qc_span v, struct qc_err *err)
{
    struct got *g = ctx;
    g->calls++;
    return qc_ini_u64(v, 5, 70, &g->number, err);
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

static const struct qc_ini_key keys[] = {
    { "one", "number", true, take_number },
    { "one", "flag", false, take_flag },
    { "two", "path", false, take_path },
};

static qc_rc parse(const char *text, struct qc_ini *ini, struct got *g, struct qc_err *err)
{
    *ini = (struct qc_ini){ .keys = keys, .count = 3 };
    *g = (struct got){ 0 };
    return qc_ini_parse(qc_span_str(text), 4096, ini, g, err);
}

static void refused(const char *text, qc_rc want, const char *words)
{
    struct qc_err err = { 0 };
    struct qc_ini ini;
    struct got g;
    const qc_rc rc = parse(text, &ini, &g, &err);
    if (rc != want || strstr(err.msg, words) == NULL)
        fprintf(stderr, "%s: %s: %s\n", text, qc_rc_name(rc), err.msg);
    CHECK(rc == want && strstr(err.msg, words) != NULL);
}

static void check_good(void)
{
    struct qc_err err = { 0 };
    struct qc_ini ini;
    struct got g;
    CHECK_OK(parse("", &ini, &g, &err));
    CHECK(g.calls == 0 && ini.line[0] == 0 && ini.line[1] == 0 && ini.line[2] == 0);
    CHECK_OK(parse("# c\n ; d\r\n[two]\n\tpath =  /a = b \r\n[ one ]\nflag=yes\nnumber=70", &ini, &g, &err));
    CHECK(g.calls == 3 && g.flag && g.number == 70 && strcmp(g.path, "/a = b") == 0);
    CHECK(ini.line[0] == 7 && ini.line[1] == 6 && ini.line[2] == 4);
    CHECK_OK(parse("[two]\npath=/12345678901234\n[one]\nnumber=5\nflag = no\n[two]\n", &ini, &g, &err));
    CHECK(strlen(g.path) == 15 && g.number == 5 && !g.flag);
    CHECK_OK(parse("[two]\npath=/p\n", &ini, &g, &err)); /* what [one] needs is not asked for */
}

static void check_refusals(void)
{
    refused("[ona]\n", QC_USAGE, "line 1: unknown section 'ona'; the nearest is 'one'");
    refused("[zzzzzzzz]\n", QC_USAGE, "line 1: unknown section 'zzzzzzzz'");
    refused("[\x1b[2J]\n", QC_USAGE, "'?[2J'");
    refused("[one]\nnumbr = 9\n", QC_USAGE, "line 2: unknown key 'numbr'; the nearest is 'number'");
    refused("[one]\npath = /x\n", QC_USAGE, "line 2: unknown key 'path'");
    refused("number = 9\n", QC_USAGE, "line 1: a section such as [one] must come first");
    refused("[one\n", QC_USAGE, "line 1: a section is written [name]");
    refused("[\n", QC_USAGE, "line 1: a section is written [name]");
    refused("[one]\nnumber\n", QC_USAGE, "line 2: neither [section] nor key = value");
    refused("[one]\nnumber = 9\n\nnumber = 9\n", QC_USAGE, "line 4: 'number' is given twice");
    refused("[one]\nnumber = 4\n", QC_USAGE, "line 2: 'number': a number from 5 to 70");
    refused("[one]\nnumber = 71\n", QC_USAGE, "from 5 to 70");
    refused("[one]\nnumber = 9x\n", QC_USAGE, "from 5 to 70");
    refused("[one]\nnumber =\n", QC_USAGE, "from 5 to 70");
    refused("[one]\nnumber = 00000000000000000000000000009\n", QC_USAGE, "from 5 to 70");
    refused("[one]\nflag = true\n", QC_USAGE, "yes or no");
    refused("[two]\npath = a\n", QC_USAGE, "an absolute path");
    refused("[two]\npath =\n", QC_USAGE, "an absolute path");
    refused("[two]\npath = /123456789012345\n", QC_USAGE, "longer than 15 bytes");
    refused("[two]\npath = /a\x01\n", QC_USAGE, "line 2: 'path': a control character");
    refused("[two]\npath = /a\x7f\n", QC_USAGE, "control character");
    refused("[one]\nflag = yes\n", QC_NOTCONF, "section [one]: 'number' is missing");
}

/* A NUL is no end, and no way around a check. */
static void check_bytes(void)
{
    struct qc_err err = { 0 };
    struct qc_ini ini = { .keys = keys, .count = 3 };
    struct got g = { 0 };
    CHECK_RC(qc_ini_parse(QC_LIT("[two]\npath = /a\0b\n"), 4096, &ini, &g, &err), QC_USAGE);
    CHECK_RC(qc_ini_parse(QC_LIT("[two]\npath\0 = /a\n"), 4096, &ini, &g, &err), QC_USAGE);
    CHECK_RC(qc_ini_parse(QC_LIT("[one]\n"), 5, &ini, &g, &err), QC_LIMIT);
    CHECK_OK(qc_ini_parse(QC_LIT("[one]\n"), 6, &ini, &g, &err));
}

static void check_near(void)
{
    static const char *const words[] = { "share1", "gateway", "id" };
    char longer[40] = "gateway";
    CHECK(qc_near_word(QC_LIT("gatway"), words, 3) == words[1]);
    CHECK(qc_near_word(QC_LIT("ib"), words, 3) == words[2]);
    CHECK(qc_near_word(QC_LIT("completely"), words, 3) == NULL);
    CHECK(qc_near_word(QC_LIT(""), words, 3) == NULL);
    memset(longer + 7, 'y', 32);
    CHECK(qc_near_word(qc_span_of(longer, 39), words, 3) == NULL);
    CHECK(qc_near_edits(QC_LIT("abc"), QC_LIT("abc")) == 0);
    CHECK(qc_near_edits(QC_LIT("kitten"), QC_LIT("sitting")) == 3);
    CHECK(qc_near_edits(QC_LIT("statsu"), QC_LIT("status")) == 1 &&
          qc_near_edits(QC_LIT("ba"), QC_LIT("ab")) == 1);
    CHECK(qc_near_edits(QC_LIT("ca"), QC_LIT("abc")) == 3); /* no letter is touched twice */
    CHECK(qc_near_edits(QC_LIT("tsatus"), QC_LIT("status")) == 1 &&
          qc_near_edits(QC_LIT("sttaus"), QC_LIT("status")) == 1);
    CHECK(qc_near_edits(QC_LIT(""), QC_LIT("four")) == 4 && qc_near_edits(QC_LIT("four"), QC_LIT("")) == 4);
    CHECK(qc_near_edits(qc_span_of(longer, 39), qc_span_of(longer, 32)) == 0);
}

int main(void)
{
    check_good();
    check_refusals();
    check_bytes();
    check_near();
    return 0;
}
