/* unit/client_progress: I8, no progress says 100 % before the end. */
#include "progress.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "qc_check.h"

static const struct vault_clouds *bar_clouds; /* what the next ones are given */
static uint64_t bar_sealed;

static int percent(uint64_t done, uint64_t total)
{
    struct vault_progress at = { .done = done, .total = total };
    return progress_percent(&at);
}

static void check_percent(void)
{
    CHECK(percent(0, 10) == 0 && percent(5, 10) == 50 && percent(9, 10) == 90);
    CHECK(percent(10, 10) == 99 && percent(11, 10) == 99 && percent(0, 0) == 99);
    CHECK(percent(UINT64_MAX - 2, UINT64_MAX - 1) == 99);
    CHECK(percent(999, 1000) == 99 && percent(1, 1000) == 0);
    CHECK(percent(7, VAULT_SIZE_UNKNOWN) == -1);
    for (uint64_t i = 0; i <= 1000; i++)
        CHECK(percent(i, 1000) <= 99 && (uint64_t)percent(i, 1000) <= i / 10);
}

static void check_shown(bool terminal, bool json, const char *must, const char *must_not)
{
    char *text = NULL;
    size_t n = 0;
    struct out o;
    struct progress p;
    struct vault_progress at = {
        .done = 1024, .total = 1024, .sent = 2048, .sealed = 1024, .finishing = true, .clouds = bar_clouds
    };
    out_init(&o, "put", MSG_PUT);
    o.talk = o.json_to = open_memstream(&text, &n);
    o.terminal = terminal;
    o.json = json;
    CHECK(o.talk != NULL);
    progress_begin(&p, &o, QC_LIT("a\x1b.vcf"), "durable", true);
    p.shown_ms -= 60000; /* the last line was a minute ago */
    progress_tell(&p, &at);
    progress_end(&p);
    fclose(o.talk);
    CHECK(must == NULL ? n == 0 : strstr(text, must) != NULL);
    CHECK(n == 0 || strstr(text, must_not) == NULL);
    CHECK(n == 0 || strstr(text, "100") == NULL);
    free(text);
}

/* A put that talks to a terminal of so many columns; its other end. */
static int on_terminal(struct out *o, unsigned short columns)
{
    const struct winsize size = { .ws_row = 24, .ws_col = columns };
    const int master = posix_openpt(O_RDWR | O_NOCTTY);
    CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    const int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    CHECK(slave >= 0 && ioctl(slave, TIOCSWINSZ, &size) == 0);
    out_init(o, "put", MSG_PUT);
    o->talk = fdopen(slave, "w");
    o->terminal = true;
    CHECK(o->talk != NULL);
    return master;
}

/* A bar on a terminal of so many columns never wraps, and says the per cent whatever has no room. */
static void check_narrow(unsigned short columns, const char *label, uint64_t total, const char *want)
{
    char text[512] = "";
    struct out o;
    struct progress p;
    struct vault_progress at = {
        .done = UINT64_C(3) << 29, .total = total, .sealed = bar_sealed, .clouds = bar_clouds
    };
    const int master = on_terminal(&o, columns);
    progress_begin(&p, &o, qc_span_str(label), "durable", true);
    p.shown_ms -= 60000;
    progress_tell(&p, &at);
    const ssize_t n = read(master, text, sizeof text - 1);
    CHECK(n > 0 && (size_t)n < sizeof text);
    text[n] = '\0';
    if (strcmp(text, want) != 0)
        fprintf(stderr, "%u columns: %s, not %s\n", columns, text + 1, want + 1);
    CHECK(strcmp(text, want) == 0);
    fclose(o.talk);
    close(master);
}

static void says(const struct vault_clouds *c, const char *want)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = 512 };
    struct qc_err err = { 0 };
    CHECK_OK(progress_clouds_text(c, false, &text, &err));
    if (!qc_span_eq(qc_buf_span(&text), qc_span_str(want)))
        fprintf(stderr, "%.*s, not %s\n", (int)text.n, (const char *)text.p, want);
    CHECK(qc_span_eq(qc_buf_span(&text), qc_span_str(want)));
}

/* How a put fares on each cloud: in words, in a bar as far as there is room, in JSON. */
static void check_clouds(void)
{
    struct vault_clouds c = { .count = 5 };
    for (size_t i = 0; i < c.count; i++)
        (void)snprintf(c.v[i].name, sizeof c.v[i].name, "c%zu", i);
    c.v[1].state = VAULT_CLOUD_WRITING;
    says(&c, "5/5 clouds");
    static const struct {
        uint64_t tries;
        const char *text;
    } rows[] = { { 1, "2nd" },   { 2, "3rd" },   { 3, "4th" },  { 10, "11th" },
                 { 11, "12th" }, { 12, "13th" }, { 20, "21st" } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char want[64];
        c.v[3].state = VAULT_CLOUD_RETRYING;
        c.v[3].tries = rows[i].tries;
        (void)snprintf(want, sizeof want, "4/5 clouds (c3: retrying, %s)", rows[i].text);
        says(&c, want);
    }
    c.v[3].tries = 2;
    c.v[0].state = VAULT_CLOUD_FAILED;
    says(&c, "3/5 clouds (c0: failed; c3: retrying, 3rd)");
    bar_clouds = &c;
    const uint64_t gib = UINT64_C(1) << 30;
    check_narrow(
        100, "genome.vcf", 2 * gib,
        "\rgenome.vcf   75 %  1.5/2.0 GiB durable  0 B/s  3/5 clouds (c0: failed; c3: retrying, 3rd)\033[K");
    check_narrow(70, "genome.vcf", 2 * gib,
                 "\rgenome.vcf   75 %  1.5/2.0 GiB durable  0 B/s  3/5 clouds\033[K");
    check_narrow(50, "genome.vcf", 2 * gib, "\rgenome.vcf   75 %  1.5/2.0 GiB durable  0 B/s\033[K");
    check_shown(false, true, "\"clouds\":[{\"name\":\"c0\",\"state\":\"failed\"", "\r");
    bar_clouds = NULL;
}

/* A line of a put of which nothing more became durable for 40 s, on a terminal of so many columns. */
static void check_stalled(unsigned short columns, struct vault_gw_waits *waits, const char *want)
{
    struct out o;
    struct progress p;
    char text[512] = "";
    const struct vault_progress at = { .done = UINT64_C(3) << 29,
                                       .total = UINT64_C(1) << 31,
                                       .clouds = bar_clouds };
    const int master = on_terminal(&o, columns);
    o.waits = waits;
    progress_begin(&p, &o, QC_LIT("genome.vcf"), "durable", true);
    p.moved = at.done;
    p.moved_ms = p.started_ms -= 40000;
    p.shown_ms -= 60000;
    progress_tell(&p, &at);
    const ssize_t n = read(master, text, sizeof text - 1);
    CHECK(n > 0 && (size_t)n < sizeof text);
    if (strcmp(text, want) != 0)
        fprintf(stderr, "%u columns: %s, not %s\n", columns, text + 1, want + 1);
    CHECK(strcmp(text, want) == 0);
    struct vault_progress more = at; /* and then something does */
    more.done++;
    p.shown_ms -= 60000;
    progress_tell(&p, &more);
    CHECK(p.moved_ms > p.started_ms && read(master, text, sizeof text - 1) > 0 &&
          strstr(text, "stalled") == NULL);
    fclose(o.talk);
    close(master);
}

/* What is waited for stands in place of a time that nobody knows; where it is not known, nothing does. */
static void check_stalls(void)
{
    struct vault_gw_waits waits;
    struct vault_clouds c = { .count = 2, .v = { { .name = "c1" }, { .name = "aws-fra" } } };
    vault_gw_waits_init(&waits);
    check_stalled(100, &waits, "\rgenome.vcf   75 %  1.5/2.0 GiB durable  0 B/s\033[K");
    c.v[1].state = VAULT_CLOUD_RETRYING;
    c.v[1].tries = 2;
    (void)snprintf(c.v[1].why, sizeof c.v[1].why, "HTTP 503");
    bar_clouds = &c;
    check_stalled(
        140, &waits,
        "\rgenome.vcf   75 %  1.5/2.0 GiB durable  0 B/s  stalled 40s: cloud aws-fra: HTTP 503  1/2 clouds "
        "(aws-fra: retrying, 3rd)\033[K");
    (void)snprintf(waits.why, sizeof waits.why, "link hospital-a: key stock empty, 0 bits of \xc3\xa4 keys");
    check_stalled(
        200, &waits,
        "\rgenome.vcf   75 %  1.5/2.0 GiB durable  0 B/s  stalled 40s: link hospital-a: key stock empty, 0 "
        "bits of \xc3\xa4 keys  1/2 clouds (aws-fra: retrying, 3rd)\033[K");
    check_stalled(80, &waits,
                  "\r..me.vcf   75 %  1.5/2.0 GiB durable  stalled 40s: link hospital-a: key stock e\033[K");
    check_stalled(50, &waits, "\rgenome.vcf   75 %  stalled 40s: link hospital-a:\033[K");
    check_stalled(40, &waits, "\r..   75 %  stalled 40s: link hospital-a\033[K");
    check_stalled(24, &waits, "\r..   75 %  stalled 40s:\033[K");
    bar_clouds = NULL;
}

int main(void)
{
    const uint64_t gib = UINT64_C(1) << 30;
    check_narrow(80, "genome.vcf", 2 * gib, "\rgenome.vcf   75 %  1.5/2.0 GiB durable  0 B/s\033[K");
    check_narrow(45, "genome.vcf", 2 * gib, "\rgenome.vcf   75 %  1.5/2.0 GiB durable\033[K");
    check_narrow(37, "genome.vcf", 2 * gib, "\r..me.vcf   75 %  1.5/2.0 GiB durable\033[K");
    check_narrow(30, "genome.vcf", 2 * gib, "\rgenome.vcf   75 %\033[K");
    check_narrow(12, "genome.vcf", 2 * gib, "\r..cf   75 %\033[K");
    check_narrow(30, "k\xc3\xa4se-\xc3\xa4\x1b.vcf", 2 * gib, "\rk\xc3\xa4se-\xc3\xa4\\x1b.vcf   75 %\033[K");
    check_narrow(20, "k\xc3\xa4se-\xc3\xa4\x1b.vcf", 2 * gib, "\r..-\xc3\xa4\\x1b.vcf   75 %\033[K");
    check_narrow(30, "genome.vcf", VAULT_SIZE_UNKNOWN, "\rgenome.vcf  1.5 GiB/? durable\033[K");
    bar_sealed = gib + (gib >> 1); /* no more than is durable: not told */
    check_narrow(80, "genome.vcf", 2 * gib, "\rgenome.vcf   75 %  1.5/2.0 GiB durable  0 B/s\033[K");
    bar_sealed = 2 * gib - (gib >> 2);
    check_narrow(80, "genome.vcf", 2 * gib,
                 "\rgenome.vcf   75 %  1.5/2.0 GiB durable, 1.7 sealed  0 B/s\033[K");
    check_narrow(55, "genome.vcf", 2 * gib, "\rgenome.vcf   75 %  1.5/2.0 GiB durable  0 B/s\033[K");
    check_clouds();
    check_stalls();
    check_percent();
    check_shown(true, false, " 99 %", "a\x1b");
    check_shown(false, false, NULL, "");
    check_shown(false, true, "\"percent\":99", "\r");
    check_shown(false, true, "\"sealed\":1024", "\r");
    return 0;
}
