/* unit/client_progress: I8, no progress says 100 % before the end. */
#include "progress.h"

#include "qc_check.h"

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
    struct vault_progress at = { .done = 1024, .total = 1024, .sent = 2048, .finishing = true };
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

int main(void)
{
    check_percent();
    check_shown(true, false, " 99 %", "a\x1b");
    check_shown(false, false, NULL, "");
    check_shown(false, true, "\"percent\":99", "\r");
    return 0;
}
