/* unit/qkd_plan: the papers' figures out of the planner's own formula, and back; numbers and options that
 * make no sense; what is written for people and for programs. */
#include "qkd/plan.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "qc_check.h"

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-9 * fabs(b);
}

/* -- the papers ------------------------------------------------------------------------------------------ */

/* Seed A, section IV: AES-256, 100 keys a second, 12 Gb/s each. */
static void check_paper(void)
{
    const double rates[][2] = {
        { 80e3, 37.5e9 }, { 49.5e3, 23.203125e9 }, { 25.6e3, 12e9 }, { 300e3, 140.625e9 }
    };
    struct qkd_plan p = { .rekey_s = 0.01, .encryptor_bps = 12e9 };
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        p.rate_bps = rates[i][0];
        struct qkd_budget b = qkd_budget_of(&p);
        CHECK(near(b.carries_bps, rates[i][1]) && near(b.per_key, 15e6) && b.key_bits == 256);
        CHECK(near(b.encryptors, rates[i][0] / 25.6e3));
        /* The same rule by bytes; and back: the traffic needs that rate. */
        const struct qkd_plan by_bytes = { .rate_bps = rates[i][0], .rekey_bytes = 15e6 };
        CHECK(near(qkd_budget_of(&by_bytes).carries_bps, rates[i][1]));
        p.traffic_bps = rates[i][1];
        b = qkd_budget_of(&p);
        CHECK(near(b.use_bps, rates[i][0]) && near(b.keys_per_s, rates[i][0] / 256));
        p.traffic_bps = 0;
    }
}

/* docs: a GiB or 64 MiB under a key; 80 GB by one-time pad over one link are 93 days. */
static void check_tables(void)
{
    struct qkd_plan p = { .rate_bps = 80e3 };
    CHECK(near(qkd_budget_of(&p).carries_bps, 80e3 / 256 * 8 * 1073741824.0));
    p.rekey_bytes = 67108864;
    CHECK(near(qkd_budget_of(&p).carries_bps, 167772160000.0));
    p = (struct qkd_plan){ .cipher = QKD_PAD, .rate_bps = 80e3, .bytes = 80e9 };
    struct qkd_budget b = qkd_budget_of(&p);
    CHECK(b.bytes_s > 92.5 * 86400 && b.bytes_s < 93.0 * 86400 && near(b.bytes_s, b.pad_bytes_s));
    CHECK(near(b.bytes_s, 8e6 * (1 + 44.0 / 65536)) && near(b.carries_bps, 80e3 / (1 + 44.0 / 65536)));
    /* A GiB as EC(3,5): 2.86 Gbit on each link, 9.9 h of 80 kb/s. */
    p = (struct qkd_plan){ .cipher = QKD_PAD, .rate_bps = 80e3, .bytes = 1073741824.0, .k = 3, .n = 5 };
    b = qkd_budget_of(&p);
    CHECK(b.bytes_s > 9.9 * 3600 && b.bytes_s < 9.96 * 3600);
    /* Small frames: as many bits for the tag as for the data. */
    p = (struct qkd_plan){ .cipher = QKD_PAD, .rate_bps = 88, .frame_bytes = 44 };
    CHECK(near(qkd_budget_of(&p).carries_bps, 44));
}

/* -- laws ------------------------------------------------------------------------------------------------ */

static void check_rules(void)
{
    /* The first of time and bytes counts. */
    struct qkd_plan p = { .rate_bps = 256e3, .rekey_s = 1, .rekey_bytes = 1e6, .encryptor_bps = 1e9 };
    CHECK(near(qkd_budget_of(&p).per_key, 1e6));
    p.rekey_bytes = 1e12;
    CHECK(near(qkd_budget_of(&p).per_key, 125e6));
    /* By time alone, and nobody says how fast a connection is: no bound, or nothing. */
    p = (struct qkd_plan){ .rate_bps = 256, .rekey_s = 1, .traffic_bps = 1e9 };
    struct qkd_budget b = qkd_budget_of(&p);
    CHECK(isinf(b.carries_bps) && isinf(b.per_key) && near(b.use_bps, 256) && isinf(b.stock_s));
    p.rate_bps = 255;
    CHECK(qkd_budget_of(&p).carries_bps == 0);
    /* A relayed key is authenticated hop by hop: half of what neighbours have. */
    p = (struct qkd_plan){ .rate_bps = 80e3, .rekey_bytes = 15e6, .hops = 2 };
    CHECK(near(qkd_budget_of(&p).carries_bps, 37.5e9 / 2));
    p.hops = 1;
    CHECK(near(qkd_budget_of(&p).carries_bps, 37.5e9));
    /* A code spreads the data. */
    p.k = 3;
    p.n = 5;
    CHECK(near(qkd_budget_of(&p).carries_bps, 3 * 37.5e9));
    /* Too much traffic: what key for how much data would do; then it does, exactly. */
    p = (struct qkd_plan){ .rate_bps = 80e3, .rekey_bytes = 15e6, .traffic_bps = 75e9 };
    b = qkd_budget_of(&p);
    CHECK(near(b.use_bps, 160e3) && near(b.would_do, 30e6));
    p.rekey_bytes = b.would_do;
    CHECK(near(qkd_budget_of(&p).use_bps, 80e3));
    p = (struct qkd_plan){ .cipher = QKD_AES_128, .rate_bps = 80e3, .rekey_bytes = 15e6 };
    CHECK(near(qkd_budget_of(&p).carries_bps, 75e9));
}

static void check_stock(void)
{
    struct qkd_plan p = {
        .rate_bps = 80e3, .rekey_bytes = 15e6, .traffic_bps = 75e9, .stock_bits = 8e6, .bytes = 1e12
    };
    struct qkd_budget b = qkd_budget_of(&p);
    CHECK(near(b.stock_s, 100) && near(b.stock_bytes, 8e6 / 256 * 15e6) && near(b.refill_s, 100));
    /* 1 TB: 17 Mbit of key, 8 of them there. The line would take 107 s. */
    CHECK(near(b.bytes_s, (1e12 / 15e6 * 256 - 8e6) / 80e3));
    p.stock_bits = 1e9;
    CHECK(near(qkd_budget_of(&p).bytes_s, 8e12 / 75e9));
    p.rate_bps = 0; /* the quantum link is cut */
    p.stock_bits = 16e6;
    b = qkd_budget_of(&p);
    CHECK(near(b.stock_s, 100) && isinf(b.refill_s) && isinf(b.bytes_s) && b.carries_bps == 0);
    p.traffic_bps = 1e9;
    p.rate_bps = 80e3;
    CHECK(isinf(qkd_budget_of(&p).stock_s));
}

/* -- options --------------------------------------------------------------------------------------------- */

static void check_numbers(void)
{
    static const struct {
        const char *text;
        double v;
    } good[] = { { "1", 1 },
                 { "49.5k", 49500 },
                 { "12G", 12e9 },
                 { "0.01", 0.01 },
                 { "1Gi", 1073741824 },
                 { "64Mi", 67108864 },
                 { "1.5Ki", 1536 },
                 { "2P", 2e15 },
                 { "0.001k", 1 },
                 { "1000P", 1e18 },
                 { "00000000000000000001", 1 } };
    static const char *const bad[] = { "",
                                       "k",
                                       "-1",
                                       "+1",
                                       " 1",
                                       "1 ",
                                       "1.",
                                       ".5",
                                       "1..2",
                                       "1.2.3",
                                       "1e3",
                                       "0x1",
                                       "nan",
                                       "inf",
                                       "1K",
                                       "1ki",
                                       "1kk",
                                       "1GiB",
                                       "1Gb/s",
                                       "0",
                                       "0.0",
                                       "0k",
                                       "1001P",
                                       "1000Pi",
                                       "1,5",
                                       "999999999999999999999",
                                       "0.00000000000000000000000001",
                                       "1Q" };
    struct qc_err err = { 0 };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        double v = 0;
        CHECK_OK(qkd_plan_number(good[i].text, "rate", &v, &err));
        CHECK(near(v, good[i].v));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        double v = -7;
        CHECK(qkd_plan_number(bad[i], "rate", &v, &err) == QC_USAGE);
        CHECK(v == -7 && strncmp(err.msg, "--rate: ", 8) == 0);
    }
}

static const struct qc_opt options[] = { QKD_PLAN_OPTIONS, { 0 } };
static qc_rc none(void *app, const struct qc_args *args, struct qc_err *err)
{
    (void)app;
    (void)args;
    (void)err;
    return QC_OK;
}
static const struct qc_cmd cmds[] = { { "plan", "", "", 0, 0, 0, options, none }, { 0 } };
static const struct qc_app app = { .name = "x", .summary = "", .version = "1", .cmds = cmds };

/* words are split at blanks. */
static qc_rc take(const char *words, struct qkd_plan *ret, struct qc_err *why)
{
    struct qc_err err = { 0 };
    static char text[256];
    char *argv[24] = { (char[]){ "x" }, (char[]){ "plan" } };
    int argc = 2;
    struct qc_args args = { 0 };
    snprintf(text, sizeof text, "%s", words);
    for (char *w = text; *w != '\0' && argc < 24;) {
        char *end = strchrnul(w, ' ');
        argv[argc++] = w;
        w = end + (*end == ' ');
        *end = '\0';
    }
    CHECK_OK(qc_opt_parse(&args, &app, argc, argv, &err));
    return qkd_plan_take(&args, ret, why);
}

static void check_options(void)
{
    static const char *const bad[] = {
        "",
        "--stock 8G",
        "--bytes 8G",
        "--cipher otp",
        "--rate 0",
        "--rate 80k --cipher des",
        "--rate 80k --code 5,3",
        "--rate 80k --code 3",
        "--rate 80k --code 3,99",
        "--rate 80k --hops 0",
        "--rate 80k --hops 65",
        "--rate 80k --cipher otp --rekey-bytes 1M",
        "--rate 80k --cipher otp --rekey-seconds 1",
        "--rate 80k --frame 1k",
        "--rate 80k --cipher otp --frame 65Ki",
        "--rate 80k --cipher otp --frame 0.5",
        "--rate 80k --encryptor 12G",
        "--rate 80k --rekey-bytes 1M --encryptor 12G",
        "--rate 80k --rekey-seconds 0.0000001",
        "--rate 80k --rekey-bytes 0.1",
    };
    struct qkd_plan p = { .n = 77 };
    struct qc_err err = { 0 };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_RC(take(bad[i], &p, &err), QC_USAGE);
        CHECK(p.n == 77);
    }
    CHECK_OK(
        take("--rate 49.5k --rekey-seconds 0.01 --encryptor 12G --code 3,5 --hops 3 --bytes 80G", &p, &err));
    CHECK(near(p.rate_bps, 49.5e3) && near(p.rekey_s, 0.01) && near(p.encryptor_bps, 12e9) && p.k == 3 &&
          p.n == 5 && p.hops == 3 && near(p.bytes, 80e9) && p.cipher == QKD_AES_256);
    CHECK_OK(take("--cipher otp --stock 8G --bytes 1G", &p, &err));
    CHECK(p.cipher == QKD_PAD && p.rate_bps == 0);
}

/* -- what is written ------------------------------------------------------------------------------------- */

static const char *text_of(const char *words)
{
    static char ret[4096];
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = sizeof ret - 1 };
    struct qkd_plan p = { 0 };
    struct qc_err err = { 0 };
    CHECK_OK(take(words, &p, &err));
    CHECK_OK(qkd_plan_text(&p, &b, &err));
    snprintf(ret, sizeof ret, "%.*s", (int)b.n, (const char *)b.p);
    return ret;
}

static void check_text(void)
{
    static const struct {
        const char *words, *says;
    } rows[] = {
        { "--rate 80k --rekey-seconds 0.01 --encryptor 12G",
          "a key of 256 bits for each 15 MB, each 0.01 s at 12 Gb/s" },
        { "--rate 80k --rekey-seconds 0.01 --encryptor 12G",
          "carries       37.5 Gb/s, 405 TB a day; 3.125 encryptors" },
        { "--rate 49.5k --rekey-bytes 15M", "carries       23.2 Gb/s" },
        { "--rate 20k --rekey-seconds 0.01 --encryptor 12G",
          "0.7812 encryptors at their full rate: not one" },
        { "--rate 80k --bytes 80G",
          "one-time pad  the same key would carry 79.9 kb/s, 863 MB a day: 80 GB in 93 days" },
        { "--rate 80k --cipher otp --bytes 80G", "data          80 GB in 93 days" },
        { "--rate 80k --rekey-bytes 15M --traffic 75G",
          "80 kb/s more than there are; a key for each 30 MB would do" },
        { "--rate 80k --rekey-bytes 15M --traffic 30G",
          "needs 64 kb/s of key for each link, 250 keys a second: 16 kb/s are left" },
        { "--rate 255 --rekey-seconds 1", "carries       nothing: one connection alone takes 256 b/s" },
        { "--rate 80k --hops 2", "over 2 quantum links: a key takes 512 bits of each" },
        { "--rate 80k --code 3,5 --rekey-bytes 15M",
          "113 Gb/s, 1.22 PB a day; 37.5 Gb/s on each of 5 links" },
        { "--stock 8M --bytes 1T --cipher otp", "there is not so much key, and there never will be" },
        { "--rate 80k --rekey-bytes 15M --traffic 75G --stock 8M",
          "at this traffic it lasts 100 s; full again in 100 s" },
        { "--rate 80k --rekey-bytes 15M --traffic 1G --stock 8M", "it lasts for ever" },
        { "--rate 1000P --rekey-bytes 1000P --bytes 1", "E" },
        { "--rate 0.001 --cipher otp --bytes 1000P", "years" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *text = text_of(rows[i].words);
        if (strstr(text, rows[i].says) == NULL)
            fprintf(stderr, "%s\n%s", rows[i].words, text);
        CHECK(strstr(text, rows[i].says) != NULL);
    }
}

static double member(const struct json_t *j, const char *name)
{
    struct qc_err err = { 0 };
    double v = -1;
    CHECK_OK(qc_json_real(j, name, 0, 1e300, &v, &err));
    return v;
}

static void check_json(void)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    struct qkd_plan p = { 0 };
    struct qc_err err = { 0 };
    CHECK_OK(take("--rate 80k --rekey-seconds 0.01 --encryptor 12G --bytes 80G --stock 1M --traffic 1G", &p,
                  &err));
    CHECK_OK(qc_json_new_obj(&j, &err));
    CHECK_OK(qkd_plan_json(&p, j, &err));
    CHECK(near(member(j, "carries_bps"), 37.5e9) && near(member(j, "encryptors"), 3.125) &&
          near(member(j, "needs_bps"), 256e3 / 120));
    CHECK(qc_json_given(j, "stock_lasts_s") && !qc_json_has(j, "stock_lasts_s")); /* null: never out */
    CHECK(!qc_json_given(j, "k") && !qc_json_given(j, "bytes_per_key_would_do"));
}

int main(void)
{
    check_paper();
    check_tables();
    check_rules();
    check_stock();
    check_numbers();
    check_options();
    check_text();
    check_json();
    return 0;
}
