/* unit/qkd_reply: a KME's status and errors; each member missing, of another type, out of range. And the
 * breaker, and the memory of key_IDs. */
#include "reply.h"

#include <stdio.h>

#include "breaker.h"
#include "qc_check.h"
#include "seen.h"

static const char *const members[][2] = {
    { "source_KME_ID", "\"KME-A\"" },
    { "target_KME_ID", "\"KME-B\"" },
    { "master_SAE_ID", "\"SAE-A\"" },
    { "slave_SAE_ID", "\"SAE-B\"" },
    { "key_size", "256" },
    { "stored_key_count", "25000" },
    { "max_key_count", "100000" },
    { "max_key_per_request", "128" },
    { "max_key_size", "1024" },
    { "min_key_size", "64" },
    { "max_SAE_ID_count", "0" },
};
enum { MEMBERS = sizeof members / sizeof *members };

/* The status, with member i's value, or (NULL) without it. */
static qc_rc parse(size_t i, const char *value, struct qkd_status *ret, struct qc_err *err)
{
    char text[2048] = "{\"status_extension\":{\"x\":[]}";
    for (size_t m = 0; m < MEMBERS; m++) {
        const char *v = m == i ? value : members[m][1];
        const size_t n = strlen(text);
        if (v != NULL)
            snprintf(text + n, sizeof text - n, ",\"%s\":%s", members[m][0], v);
    }
    strncat(text, "}",
            sizeof text - strlen(text) - 1); /* NOLINT(bugprone-not-null-terminated-result): it is */
    return qkd_reply_status(ret, qc_span_str(text), err);
}

static void check_status(void)
{
    static const char *const wrong[] = { "\"\"", "\"x\"", "1.0", "-1",   "null",
                                         "{}",   "[256]", "1e3", "true", "7" };
    struct qkd_status s = { 0 }, none = { 0 };
    struct qc_err err = { 0 };
    CHECK_OK(parse(MEMBERS, NULL, &s, &err));
    CHECK(strcmp(s.source_kme, "KME-A") == 0 && strcmp(s.slave, "SAE-B") == 0 && s.key_bits == 256 &&
          s.stored == 25000 && s.capacity == 100000 && s.per_request == 128 && s.min_bits == 64 &&
          s.max_bits == 1024 && s.more_saes == 0);
    for (size_t m = 0; m < MEMBERS; m++) {
        CHECK(parse(m, NULL, &none, &err) == QC_FORMAT && strstr(err.msg, members[m][0]) != NULL);
        for (size_t w = 0; w < sizeof wrong / sizeof *wrong; w++) {
            const bool name = members[m][1][0] == '"', count = m == 5 || m == 6 || m == 7 || m == 10;
            if ((name && strcmp(wrong[w], "\"x\"") == 0) || (count && strcmp(wrong[w], "7") == 0))
                continue;
            CHECK_RC(parse(m, wrong[w], &none, &err), QC_FORMAT);
        }
    }
    CHECK(none.source_kme[0] == '\0' && none.per_request == 0);
    CHECK_RC(parse(7, "0", &none, &err), QC_FORMAT);
    CHECK_RC(parse(4, "32", &none, &err), QC_FORMAT);   /* less than the least */
    CHECK_RC(parse(4, "2048", &none, &err), QC_FORMAT); /* more than the most */
    CHECK_RC(parse(4, "260", &none, &err), QC_FORMAT);  /* no multiple of 8 */
    CHECK_RC(parse(5, "99999999999999999999", &none, &err), QC_FORMAT);
    CHECK_OK(parse(5, "200000", &s, &err)); /* more than there can be: some KMEs say so */
    CHECK(s.stored == 200000);
    CHECK_OK(parse(7, "1000000", &s, &err));
    CHECK(s.per_request == QKD_BATCH_MAX);
    static const char *const no_object[] = { "", "[]", "7", "{", "{\"a\":1,\"a\":1}" };
    for (size_t i = 0; i < sizeof no_object / sizeof *no_object; i++)
        CHECK_RC(qkd_reply_status(&none, qc_span_str(no_object[i]), &err), QC_FORMAT);
}

static void check_cite(void)
{
    char cite[QKD_CITE_MAX + 1];
    char text[1000] = "{\"message\":\"";
    qkd_reply_cite(qc_span_str("{\"message\":\"size\\nshall \\u00e9\",\"details\":[]}"), cite);
    CHECK(strcmp(cite, "size?shall ??") == 0);
    qkd_reply_cite(qc_span_str("<html>"), cite);
    CHECK(cite[0] == '\0');
    qkd_reply_cite(qc_span_str("{\"message\":{}}"), cite);
    CHECK(cite[0] == '\0');
    qkd_reply_cite((qc_span){ 0 }, cite);
    CHECK(cite[0] == '\0');
    memset(text + 12, 'a', 900);
    memcpy(text + 912, "\"}", 3);
    qkd_reply_cite(qc_span_str(text), cite);
    CHECK(strlen(cite) == QKD_CITE_MAX);
}

static void check_breaker(void)
{
    struct qkd_breaker b = { 0 };
    for (unsigned i = 1; i < QKD_BREAK_AFTER; i++) {
        qkd_breaker_failed(&b, 1000);
        CHECK(qkd_breaker_left(&b, 1000) == 0);
    }
    uint64_t now = 1000, rest = QKD_BREAK_MS;
    for (unsigned i = 0; i < 10; i++) { /* one more failure after each rest: twice as long, to a limit */
        qkd_breaker_failed(&b, now);
        CHECK(qkd_breaker_left(&b, now) == rest && qkd_breaker_left(&b, now + rest - 1) == 1);
        now += rest;
        CHECK(qkd_breaker_left(&b, now) == 0);
        rest = 2 * rest < QKD_BREAK_MOST_MS ? 2 * rest : QKD_BREAK_MOST_MS;
    }
    qkd_breaker_failed(&b, now);
    qkd_breaker_again(&b); /* it looks well: one may ask, and if it is not, the rest goes on growing */
    CHECK(qkd_breaker_left(&b, now) == 0);
    qkd_breaker_failed(&b, now);
    CHECK(qkd_breaker_left(&b, now) == QKD_BREAK_MOST_MS);
    qkd_breaker_answered(&b);
    qkd_breaker_failed(&b, now);
    CHECK(qkd_breaker_left(&b, now) == 0 && b.in_row == 1);
}

static struct qkd_id id_of(unsigned i, bool upper)
{
    struct qkd_id id = { 0 };
    snprintf(id.text, sizeof id.text,
             upper ? "550E8400-E29B-41D4-A716-%012X" : "550e8400-e29b-41d4-a716-%012x", i);
    return id;
}

static void check_seen(void)
{
    QC_CLEANUP(qkd_seen_done) struct qkd_seen s = { 0 };
    struct qc_err err = { 0 };
    const unsigned many = 3 * QKD_SEEN;
    for (unsigned i = 0; i < many; i++) {
        const struct qkd_id id = id_of(i, false);
        CHECK(!qkd_seen_has(&s, &id));
        CHECK_OK(qkd_seen_add(&s, &id, &err));
        CHECK(qkd_seen_has(&s, &id));
    }
    for (unsigned i = many - QKD_SEEN; i < many; i++) {
        const struct qkd_id id = id_of(i, i % 2 == 0);
        CHECK(qkd_seen_has(&s, &id));
    }
}

int main(void)
{
    check_status();
    check_cite();
    check_breaker();
    check_seen();
    return 0;
}
