/* unit/vault_ways: what a gateway says of its ways: added up over segments, in the order of clouds; all that
 * makes no sense is refused. */
#include "ways.h"

#include "base/limits.h"
#include "qc_check.h"

static struct qc_err err;

static qc_rc take(struct vault_ways *w, const char *text)
{
    QC_CLEANUP(qc_json_free) struct json_t *j = NULL;
    CHECK_OK(qc_json_parse(&j, qc_span_str(text), &err));
    return vault_ways_take(w, j, &err);
}

static void prints(struct vault_ways *w, const char *want)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = 1024 };
    CHECK_OK(vault_ways_print(w, &text, &err));
    CHECK(qc_span_eq(qc_buf_span(&text), qc_span_str(want)));
}

#define WAY(cloud, level, keys, first, last, from, to)                                                       \
    "{\"cloud\":\"" cloud "\",\"level\":\"" level "\",\"keys\":" keys ",\"first\":\"" first                  \
    "\",\"last\":\"" last "\",\"pad_first\":" from ",\"pad_last\":" to "}"
#define WAYS(list) "{\"ways\":[" list "]}"

static void refused(const char *text)
{
    QC_CLEANUP(vault_ways_free) struct vault_ways *w = NULL;
    CHECK_OK(vault_ways_new(&w, &err));
    CHECK_RC(take(w, text), QC_FORMAT);
    CHECK_RC(take(NULL, text), QC_FORMAT);
    prints(w, "");
}

static void sums(void)
{
    QC_CLEANUP(vault_ways_free) struct vault_ways *w = NULL;
    CHECK_OK(vault_ways_new(&w, &err));
    CHECK_OK(take(w, "{}")); /* a gateway that does not know them */
    CHECK_OK(take(w, WAYS("")));
    prints(w, "");
    CHECK_OK(
        take(w, WAYS(WAY("c5", "otp", "1", "k", "k", "3", "4") "," WAY("c4", "tls", "0", "", "", "0", "0"))));
    CHECK_OK(take(NULL, WAYS(WAY("c6", "tls", "0", "", "", "0", "0"))));
    prints(w, "c4=tls c5=otp,key=k,pad=3-4");
    CHECK_OK(take(w, WAYS(WAY("c5", "qkd-tls", "2", "k", "l", "0", "0"))));
    prints(w, "c4=tls c5=qkd-tls,keys=2,first=k,last=l,pad=3-4");
}

int main(void)
{
    sums();
    refused("{\"ways\":1}");
    refused(WAYS("1"));
    refused(WAYS("{}"));
    refused(WAYS(WAY("", "tls", "0", "", "", "0", "0")));
    refused(WAYS(WAY("c", "down", "0", "", "", "0", "0")));
    refused(WAYS(WAY("c", "tls", "-1", "", "", "0", "0")));
    refused(WAYS(WAY("c", "tls", "1", "", "", "0", "0")));   /* which? */
    refused(WAYS(WAY("c", "tls", "0", "k", "k", "0", "0"))); /* none, and its name */
    refused(WAYS(WAY("c", "otp", "1", "k", "k", "4", "3")));
    refused(WAYS(WAY("c", "otp", "1", "k", "k", "0", "3")));
    refused(WAYS(WAY("c=d", "tls", "0", "", "", "0", "0")));
    refused(WAYS(WAY("c d", "tls", "0", "", "", "0", "0")));
    refused(WAYS(WAY("c", "qkd-tls", "1", "k,l", "k", "0", "0")));
    refused(WAYS(WAY("c", "qkd-tls", "1", "\\u0007", "k", "0", "0")));
    refused(WAYS(WAY("0123456789012345678901234567890123456789012345678901234567890123", "tls", "0", "", "",
                     "0", "0")));
    QC_CLEANUP(qc_buf_free) qc_buf many = { .max = 1024 };
    CHECK_OK(qc_buf_addf(&many, &err, "{\"ways\":[0"));
    for (unsigned i = 0; i < QC_VAULT_WAYS_MAX; i++)
        CHECK_OK(qc_buf_addf(&many, &err, ",0"));
    CHECK_OK(qc_buf_addf(&many, &err, "]}%c", '\0'));
    refused((const char *)many.p);
    return 0;
}
