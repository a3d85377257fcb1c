/* unit/client_status: the budget that status tells is no more than what is left, while what is stored gets
 * another code, or lacks something, and a cloud does not answer, too. (I1) */
#include "status.h"

#include "qc_check.h"
#include "remote.h"

/* Whose budget it is makes no difference. */
bool remote_is(const struct client *c)
{
    (void)c;
    return true;
}

/* What the worst version bears by the catalogue; of seven clouds so many answer, so many are gone. */
static int64_t data_of(int k, int n, int margin, int64_t other_code, int64_t owed_here, int64_t ok,
                       int64_t lost)
{
    char text[128];
    struct status s = { .k = k,
                        .n = n,
                        .clouds_all = 7,
                        .clouds_ok = ok,
                        .clouds_lost = lost,
                        .other_code = other_code,
                        .owed_here = owed_here };
    struct qc_err err = { 0 };
    int64_t ret = -99;

    CHECK(snprintf(text, sizeof text, "{\"margins\":[{\"margin\":%d,\"versions\":4}]}", margin) > 0);
    CHECK_OK(qc_json_parse(&s.gateway, qc_span_str(text), &err));
    CHECK_OK(status_data_margin(&s, &ret, &err));
    qc_json_free(&s.gateway);
    return ret;
}

static int64_t data(int k, int n, int margin, int64_t other_code, int64_t ok, int64_t lost)
{
    return data_of(k, n, margin, other_code, 0, ok, lost);
}

/* The worst comes first, whatever it was that was looked at first. */
static void order(void)
{
    static const char *const said[][2] = { { "look", "a" }, { "act", "b" }, { "look", "c" }, { "act", "d" } };
    static const char *const told[] = { "b", "d", "a", "c" };
    struct status s = { 0 };
    struct qc_err err = { 0 };
    CHECK_OK(qc_json_new_arr(&s.reasons, &err));
    for (size_t i = 0; i < 4; i++)
        CHECK_OK(status_reason(&s, said[i][0], "", &err, "%s", said[i][1]));
    for (size_t i = 0; i < 4; i++) {
        const char *what = NULL;
        CHECK_OK(qc_json_str(qc_json_at(s.reasons, i), "what", &what, &err));
        CHECK(strcmp(what, told[i]) == 0);
    }
    qc_json_free(&s.reasons);
}

int main(void)
{
    order();
    CHECK(data(3, 5, 2, 0, 7, 0) == 2);
    CHECK(data(3, 5, 2, 0, 6, 0) == 1);
    /* (3,5) became (4,7): something has two of five to lose still, and one of them may be the silent one. */
    CHECK(data(4, 7, 2, 9, 7, 0) == 2);
    CHECK(data(4, 7, 2, 9, 6, 0) == 1);
    CHECK(data(4, 7, 2, 1, 5, 0) == 0);
    CHECK(data(4, 7, 1, 1, 6, 1) == 1); /* one that is gone is in the margin */
    CHECK(data(4, 7, 3, 0, 6, 0) == 2); /* it is done */
    /* (4,7) became (3,5) */
    CHECK(data(3, 5, 2, 9, 6, 0) == 1);
    /* It lacks one on the silent cloud, or on another one: then both are missing. */
    CHECK(data_of(3, 5, 1, 0, 0, 6, 0) == 1);
    CHECK(data_of(3, 5, 1, 0, 4, 6, 0) == 0);
    CHECK(data_of(3, 5, 1, 0, 4, 7, 0) == 1);
    CHECK(data_of(3, 5, 1, 0, 4, 6, 1) == 1);
    return 0;
}
