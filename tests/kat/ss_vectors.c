/* kat/ss_vectors: ss/ gives the shares of tests/kat/ss_vectors.txt, which a second implementation agrees
 * with. */
#include "base/codec.h"
#include "qc_check.h"
#include "ss/shamir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHARES_MAX = 16, SIZE_MAX_HERE = 256 };

struct bytes {
    uint8_t p[SIZE_MAX_HERE];
    size_t n;
};

static struct bytes field_read(char **rest)
{
    const char *text = strsep(rest, " \n");
    CHECK(text != NULL && *text != '\0');
    struct bytes b = { .n = 0 };
    if (strcmp(text, "-") == 0)
        return b;
    b.n = strlen(text) / 2;
    CHECK(b.n <= sizeof b.p);
    struct qc_err err = { 0 };
    CHECK(qc_hex_dec(qc_span_str(text), b.p, b.n, &err) == QC_OK);
    return b;
}

static void line_check(char *line)
{
    char *rest = line;
    unsigned k = (unsigned)strtoul(strsep(&rest, " "), NULL, 10);
    unsigned n = (unsigned)strtoul(strsep(&rest, " "), NULL, 10);
    struct bytes points = field_read(&rest), secret = field_read(&rest), coeffs = field_read(&rest);
    CHECK(n <= SHARES_MAX && points.n == n);
    uint8_t y[SHARES_MAX][SIZE_MAX_HERE];
    uint8_t *share[SHARES_MAX];
    const uint8_t *given[SHARES_MAX];
    for (unsigned i = 0; i < n; i++)
        given[i] = share[i] = y[i];
    struct qc_err err = { 0 };
    CHECK(ss_split(k, n, points.p, qc_span_of(secret.p, secret.n), qc_span_of(coeffs.p, coeffs.n), share,
                   &err) == QC_OK);
    for (unsigned i = 0; i < n; i++) {
        struct bytes expected = field_read(&rest);
        CHECK(expected.n == secret.n && memcmp(expected.p, y[i], secret.n) == 0);
    }
    uint8_t out[SIZE_MAX_HERE];
    CHECK(ss_combine(k, points.p + n - k, given + n - k, secret.n, 0, out, &err) == QC_OK);
    CHECK(memcmp(out, secret.p, secret.n) == 0);
}

int main(void)
{
    FILE *f = fopen(QC_TESTS_DIR "/kat/ss_vectors.txt", "r");
    CHECK(f != NULL);
    static char line[65536];
    unsigned count = 0;
    while (fgets(line, sizeof line, f) != NULL)
        if (line[0] != '#') {
            line_check(line);
            count++;
        }
    CHECK(fclose(f) == 0);
    CHECK(count == 9);
    printf("%u vectors agree\n", count);
    return 0;
}
