/* unit/client_text: names that anybody may have chosen come out harmless and unambiguous. */
#include "text.h"

#include "qc_check.h"

static void escaped(const char *in, size_t n, const char *want)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = 256 };
    const char *got = NULL;
    CHECK_OK(text_escape(qc_span_of(in, n), &b, &err));
    CHECK_OK(qc_buf_cstr(&b, &got, &err));
    if (strcmp(got, want) != 0)
        fprintf(stderr, "got %s, want %s\n", got, want);
    CHECK(strcmp(got, want) == 0);
}

static void check_escape(void)
{
    escaped("genome.vcf", 10, "genome.vcf");
    escaped("G\xC3\xA9nome", 7, "G\xC3\xA9nome");
    escaped("a\nb\x1b[31m", 8, "a\\x0ab\\x1b[31m");
    escaped("it's \\", 6, "it\\'s \\\\");
    escaped("\xC2\x9B"
            "31m",
            5, "\\xc2\\x9b31m"); /* a control sequence to some terminals */
    escaped("\xFF\xC3", 2, "\\xff\\xc3");
    escaped("\xED\xA0\x80", 3, "\\xed\\xa0\\x80"); /* a surrogate */
    escaped("\xC0\xAF", 2, "\\xc0\\xaf");          /* overlong */
    escaped("\xF0\x9F\x92\xBE", 4, "\xF0\x9F\x92\xBE");
    escaped("\x7F", 1, "\\x7f");
    escaped("a\xE2\x80\xAE"
            "b\xE2\x81\xA6\xE2\x80\xA9",
            11,
            "a\\xe2\\x80\\xaeb\\xe2\\x81\\xa6\xE2\x80\xA9"); /* written backwards; a mere paragraph's end */
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf line = { .max = 64 };
    CHECK_OK(text_harmless(QC_LIT("it's \\n\n\x1b[1m"), &line, &err));
    CHECK(qc_span_eq(qc_buf_span(&line), QC_LIT("it's \\n\\x0a\\x1b[1m")));
}

static void check_utf8(void)
{
    CHECK(text_is_utf8(QC_LIT("")) && text_is_utf8(QC_LIT("plain")));
    CHECK(!text_is_utf8(QC_LIT("a\x80")) && !text_is_utf8(QC_LIT("\xF4\x90\x80\x80")));
    CHECK(text_utf8((const uint8_t *)"\xE2\x82", 2) == 0); /* cut */
    CHECK(text_utf8((const uint8_t *)"\xE2\x82\xAC", 3) == 3);
}

static void shell(const char *in, const char *want)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = 256 };
    const char *got = NULL;
    CHECK_OK(text_shell(qc_span_str(in), &b, &err));
    CHECK_OK(qc_buf_cstr(&b, &got, &err));
    CHECK(strcmp(got, want) == 0);
}

/* A suggested command must be one word per word: what a real shell makes of it is what went in. */
static void check_round_trip(const char *in)
{
    struct qc_err err = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = 1024 };
    const char *command = NULL;
    CHECK_OK(qc_buf_add_str(&b, "exec bash -c 'printf %s \"$0\"' ", &err));
    CHECK_OK(text_shell(qc_span_str(in), &b, &err));
    CHECK_OK(qc_buf_cstr(&b, &command, &err));
    int ends[2];
    CHECK(pipe(ends) == 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        dup2(ends[1], 1);
        close(ends[0]);
        execl("/bin/bash", "bash", "-c", command, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    char got[256];
    size_t n = 0;
    ssize_t more;
    while ((more = read(ends[0], got + n, sizeof got - n)) > 0)
        n += (size_t)more;
    CHECK(more == 0);
    close(ends[0]);
    CHECK(waitpid(pid, NULL, 0) == pid);
    CHECK(n == strlen(in) && memcmp(got, in, n) == 0);
}

static void check_shell(void)
{
    shell("plain/name-1.vcf", "plain/name-1.vcf");
    shell("two words", "'two words'");
    shell("a\nb", "$'a\\x0ab'");
    check_round_trip("two words; rm -rf $HOME `x`");
    check_round_trip("it's");
    check_round_trip("back\\slash");
    check_round_trip("back\\slash and ' quote");
    check_round_trip("new\nline");
    check_round_trip("\xFFnot utf-8");
}

static void check_sizes(void)
{
    char s[TEXT_SIZE];
    text_size(0, s);
    CHECK(strcmp(s, "0 B") == 0);
    text_size(1023, s);
    CHECK(strcmp(s, "1023 B") == 0);
    text_size(1536, s);
    CHECK(strcmp(s, "1.5 KiB") == 0);
    text_size((UINT64_C(1) << 30) - 1, s);
    CHECK(strcmp(s, "1023.9 MiB") == 0);
    text_size(UINT64_MAX, s);
    CHECK(strcmp(s, "15.9 EiB") == 0);
    text_units(TEXT_SI);
    text_size(999, s);
    CHECK(strcmp(s, "999 B") == 0);
    text_size(1999, s);
    CHECK(strcmp(s, "1.9 kB") == 0);
    text_size(UINT64_MAX, s);
    CHECK(strcmp(s, "18.4 EB") == 0);
    text_units(TEXT_RAW);
    text_size(1536, s);
    CHECK(strcmp(s, "1536 B") == 0);
    text_size(UINT64_MAX, s);
    CHECK(strcmp(s, "18446744073709551615 B") == 0);
    text_units(TEXT_IEC);
    char t[TEXT_SPAN];
    text_span(450, t);
    CHECK(strcmp(t, "0.4s") == 0);
    text_span(198000, t);
    CHECK(strcmp(t, "3m18s") == 0);
    text_span(7500000, t);
    CHECK(strcmp(t, "2h05m") == 0);
}

static void check_wrap(const char *in, size_t columns, const char *want)
{
    QC_CLEANUP(qc_buf_free) qc_buf b = { .max = 256 };
    struct qc_err err = { 0 };
    CHECK_OK(text_wrap(qc_span_str(in), columns, 2, &b, &err));
    if (!qc_span_eq(qc_buf_span(&b), qc_span_str(want)))
        fprintf(stderr, "%zu: %.*s\n", columns, (int)b.n, (const char *)b.p);
    CHECK(qc_span_eq(qc_buf_span(&b), qc_span_str(want)));
}

int main(void)
{
    check_wrap("", 10, "");
    check_wrap("one two three", SIZE_MAX, "one two three");
    check_wrap("one two three", 13, "one two three");
    check_wrap("one two three", 12, "one two\n  three");
    check_wrap("one two three", 7, "one two\n  three");
    check_wrap("one two three", 6, "one\n  two\n  three");
    check_wrap("  onetwothree 4", 6, "  onetwothree\n  4");
    check_wrap("a  b  c", 5, "a  b\n  c"); /* what is aligned stays so within a line */
    check_wrap("k\xc3\xa4se k\xc3\xa4se", 9, "k\xc3\xa4se k\xc3\xa4se");
    check_wrap("k\xc3\xa4se k\xc3\xa4se", 8, "k\xc3\xa4se\n  k\xc3\xa4se");
    check_escape();
    check_utf8();
    check_shell();
    check_sizes();
    return 0;
}
