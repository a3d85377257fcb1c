/* unit/cloud_credentials: whose file, which mode, which profile, which text; and that no refusal repeats a
 * byte of a secret, nor leaves one in memory that is not a qc_key. */
#include "credentials.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "qc_check.h"
#include "qc_tmpdir.h"

#define ACCESS "aws_access_key_id = AKID:user\n"
#define SECRET "aws_secret_access_key = CANARYwJalr/K7+bPx=\n"

static struct qc_tmpdir dir;

struct memory {
    const char *p;
    size_t n, step;
};

static qc_rc give(void *ctx, uint8_t *dst, size_t n, size_t *ret_got, struct qc_err *err)
{
    struct memory *m = ctx;
    size_t got = n < m->step ? n : m->step;
    (void)err;
    got = got > m->n ? m->n : got;
    memcpy(dst, m->p, got);
    m->p += got;
    m->n -= got;
    *ret_got = got;
    return QC_OK;
}

static qc_rc parse(struct cloud_credentials *ret, const char *text, size_t n, size_t step,
                   const char *profile, struct qc_err *err)
{
    struct memory m = { text, n, step };
    struct cloud_credentials_source from = { give, &m };
    return cloud_credentials_parse(ret, &from, profile, err);
}

/* A text that is taken, in one read and byte by byte. */
static void takes(const char *text, const char *profile, const char *access, const char *secret)
{
    for (size_t step = 1; step != 0; step = step == 1 ? 7 : step == 7 ? SIZE_MAX : 0) {
        struct qc_err err = { 0 };
        struct cloud_credentials c = { 0 };
        CHECK_OK(parse(&c, text, strlen(text), step, profile, &err));
        CHECK(strcmp(c.access, access) == 0);
        CHECK(c.secret_size == strlen(secret));
        CHECK(qc_span_eq(cloud_credentials_open(&c), qc_span_str(secret)));
        CHECK(qc_key_len(c.secret) % QC_KEY_STEP == 0 && qc_key_len(c.secret) - c.secret_size < QC_KEY_STEP);
        cloud_credentials_done(&c);
        CHECK(c.secret == NULL && c.access[0] == '\0' && c.secret_size == 0);
    }
}

/* A text that is refused with a word in the message, which never repeats the secret. */
static void refuses(const char *text, size_t n, const char *profile, qc_rc want, const char *word)
{
    struct qc_err err = { 0 };
    struct cloud_credentials c = { 0 };
    int64_t live = qc_alloc_live();
    qc_rc rc = parse(&c, text, n, SIZE_MAX, profile, &err);
    if (rc != want || strstr(err.msg, word) == NULL || strstr(err.msg, "CANARY") != NULL) {
        fprintf(stderr, "%.80s: %s: %s, expected %s: %s\n", text, qc_rc_name(rc), err.msg, qc_rc_name(want),
                word);
        exit(1);
    }
    CHECK(c.secret == NULL && c.access[0] == '\0' && c.secret_size == 0);
    CHECK(qc_alloc_live() == live);
}

static void test_taken(void)
{
    const char *secret = "CANARYwJalr/K7+bPx=";
    takes("[default]\n" ACCESS SECRET, NULL, "AKID:user", secret);
    takes("[any name]\n" SECRET ACCESS, NULL, "AKID:user", secret);
    takes("\n# c\n; c\n[x]\r\n" ACCESS SECRET "region = here\noutput=json", NULL, "AKID:user", secret);
    takes("[x]\nAWS_ACCESS_KEY_ID:AKID:user\nAws_Secret_Access_Key=  CANARYwJalr/K7+bPx=  ", NULL,
          "AKID:user", secret);
    takes("[x]\n  " ACCESS "  " SECRET, NULL, "AKID:user", secret);
    takes("[other]\naws_session_token = t\nnonsense\n[ mine ]\n" ACCESS SECRET
          "s3 =\n  max = 1\n  [x]\n[more]\n[more]\n",
          "mine", "AKID:user", secret);
    takes("[x]\naws_access_key_id=a\naws_secret_access_key=b", NULL, "a", "b");
}

struct refusal {
    const char *text, *profile;
    qc_rc rc;
    const char *word;
};

static const struct refusal refusals[] = {
    { "", NULL, QC_NOTFOUND, "no profile" },
    { "", "p", QC_NOTFOUND, "no profile [p]" },
    { "# nothing\n\n", NULL, QC_NOTFOUND, "no profile" },
    { ACCESS SECRET, NULL, QC_USAGE, "line 1: a profile such as [default]" },
    { ACCESS SECRET, "p", QC_USAGE, "line 1" },
    { "[a]\n" ACCESS, NULL, QC_USAGE, "no aws_secret_access_key" },
    { "[a]\n" SECRET, NULL, QC_USAGE, "no aws_access_key_id" },
    { "[a]\n", NULL, QC_USAGE, "no aws_access_key_id" },
    { "[a]\ncredential_process = x CANARY\n", NULL, QC_USAGE, "it has credential_process" },
    { "[a]\n" ACCESS SECRET "[b]\n", NULL, QC_USAGE, "line 4: a second profile" },
    { "[a]\n" ACCESS SECRET "[b]\n[a]\n", "a", QC_USAGE, "line 5: the profile begins a second time" },
    { "[a]\n" ACCESS SECRET, "b", QC_NOTFOUND, "no profile [b]" },
    { "[a]\n" ACCESS SECRET, "A", QC_NOTFOUND, "no profile [A]" },
    { "[a]\n" ACCESS SECRET SECRET, NULL, QC_USAGE, "line 4: aws_secret_access_key is given twice" },
    { "[a]\n" ACCESS SECRET "aws_session_token = CANARY\n", NULL, QC_USAGE, "temporary" },
    { "[a]\naws_session_token = \n", NULL, QC_USAGE, "no value" },
    { "[a]\n" ACCESS "aws_secret_access_key =\n  CANARY\n", NULL, QC_USAGE,
      "line 3: aws_secret_access_key: no value" },
    { "[a]\n" ACCESS SECRET "  CANARY\n", NULL, QC_USAGE, "line 4: a key that goes on" },
    { "[a]\n" ACCESS "aws_secret_access_key = CANARY b\n", NULL, QC_USAGE, "printable" },
    { "[a]\n" ACCESS "aws_secret_access_key = CANARY\xc3\xa9\n", NULL, QC_USAGE, "printable" },
    { "[a]\naws_access_key_id = CANARY/a\n", NULL, QC_USAGE, "exchanged" },
    { "[a]\nCANARYwJalr\n", NULL, QC_USAGE, "line 2: neither" },
    { "[a\n" ACCESS SECRET, NULL, QC_USAGE, "line 1: a profile begins" },
    { "[\n", NULL, QC_USAGE, "line 1" },
};

static void test_refused(void)
{
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        const struct refusal *r = &refusals[i];
        refuses(r->text, strlen(r->text), r->profile, r->rc, r->word);
    }
    static const char nul[] = "[a]\n" ACCESS "aws_secret_access_key = CANARY\0x\n";
    refuses(nul, sizeof nul - 1, NULL, QC_USAGE, "line 3: a NUL");

    /* Every shorter text is refused, until the secret has begun. */
    static const char whole[] = "[a]\n" ACCESS SECRET;
    size_t begun = (size_t)(strstr(whole, "CANARY") - whole);
    for (size_t n = 0; n <= begun; n++) {
        struct qc_err err = { 0 };
        struct cloud_credentials c = { 0 };
        CHECK(parse(&c, whole, n, SIZE_MAX, NULL, &err) != QC_OK);
        CHECK(c.secret == NULL);
    }
}

/* n bytes of a value after a name. */
static char *with_value(const char *head, size_t n, const char *tail)
{
    size_t room = strlen(head) + n + strlen(tail) + 1;
    char *text = malloc(room);
    CHECK(text != NULL);
    memcpy(text, head, strlen(head));
    memset(text + strlen(head), 'k', n);
    memcpy(text + strlen(head) + n, tail, strlen(tail) + 1);
    return text;
}

static void limit(const char *head, size_t n, const char *tail, qc_rc want)
{
    struct qc_err err = { 0 };
    struct cloud_credentials c = { 0 };
    char *text = with_value(head, n, tail);
    CHECK_RC(parse(&c, text, strlen(text), SIZE_MAX, NULL, &err), want);
    cloud_credentials_done(&c);
    free(text);
}

static void test_limits(void)
{
    const char *a = "[a]\n" SECRET "aws_access_key_id=", *s = "[a]\n" ACCESS "aws_secret_access_key=";
    limit(a, CLOUD_ACCESS_SIZE_MAX, "", QC_OK);
    limit(a, CLOUD_ACCESS_SIZE_MAX + 1, "", QC_USAGE);
    limit(s, CLOUD_SECRET_SIZE_MAX, "\n", QC_OK);
    limit(s, CLOUD_SECRET_SIZE_MAX + 1, "\n", QC_USAGE);
    limit("[a]\n" ACCESS SECRET, QC_KEY_MAX - 3, "=1\n", QC_OK); /* with the '=1' and the LF: QC_KEY_MAX */
    limit("[a]\n" ACCESS SECRET, QC_KEY_MAX - 2, "=1\n", QC_LIMIT);
    limit("[a]\n" ACCESS SECRET "#", QC_KEY_MAX, "", QC_LIMIT);

    size_t n = CLOUD_CREDENTIALS_FILE_MAX + 1;
    char *text = malloc(n);
    CHECK(text != NULL);
    memset(text, '\n', n);
    refuses(text, n, NULL, QC_LIMIT, "more than");
    refuses(text, n - 1, NULL, QC_NOTFOUND, "no profile");
    free(text);
}

/* A file of the test's directory with a text and a mode. */
static void file(char path[512], const char *name, const char *text, mode_t mode)
{
    CHECK(snprintf(path, 512, "%s/%s", dir.path, name) < 512);
    FILE *f = fopen(path, "w");
    CHECK(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0 && chmod(path, mode) == 0);
}

static void reads(const char *spec, qc_rc want, const char *word)
{
    struct qc_err err = { 0 };
    struct cloud_credentials c = { 0 };
    qc_rc rc = cloud_credentials_read(&c, spec, &err);
    if (rc != want || strstr(err.msg, word) == NULL || strstr(err.msg, "CANARY") != NULL) {
        fprintf(stderr, "%.80s: %s: %s, expected %s: %s\n", spec, qc_rc_name(rc), err.msg, qc_rc_name(want),
                word);
        exit(1);
    }
    CHECK(rc != QC_OK ? c.secret == NULL : strcmp(c.access, "AKID:user") == 0);
    cloud_credentials_done(&c);
}

static void test_files(void)
{
    char path[512];
    static const mode_t good[] = { 0600, 0400, 0700 };
    static const mode_t bad[] = { 0640, 0604, 0620, 0602, 0610, 0601, 0644, 0666 };

    CHECK(qc_rc_exit(QC_AUTH) == 12);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        file(path, "keys", "[a]\n" ACCESS SECRET, good[i]);
        reads(path, QC_OK, "");
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char bits[16];
        file(path, "keys", "[a]\n" ACCESS SECRET, bad[i]);
        snprintf(bits, sizeof bits, "(bits %03o)", (unsigned)bad[i] & 077);
        reads(path, QC_AUTH, bits);
        snprintf(bits, sizeof bits, "mode %04o", (unsigned)bad[i]);
        reads(path, QC_AUTH, bits);
    }
    file(path, "keys", "[a]\n" ACCESS, 0600);
    reads(path, QC_USAGE, path); /* a message names the file */
    if (geteuid() == 0) {
        file(path, "keys", "[a]\n" ACCESS SECRET, 0600);
        CHECK(chown(path, 1, (gid_t)-1) == 0);
        reads(path, QC_AUTH, "belongs to user 1, expected 0");
    }
    reads(dir.path, QC_USAGE, "not a file");
    CHECK(snprintf(path, sizeof path, "%s/absent", dir.path) < (int)sizeof path);
    reads(path, QC_NOTFOUND, path);
    CHECK(snprintf(path, sizeof path, "%s/pipe", dir.path) < (int)sizeof path && mkfifo(path, 0600) == 0);
    reads(path, QC_USAGE, "not a file"); /* at once: nobody writes to it */

    char link[600];
    file(path, "target", "[a]\n" ACCESS SECRET, 0600);
    CHECK(snprintf(link, sizeof link, "%s/link", dir.path) < (int)sizeof link && symlink(path, link) == 0);
    reads(link, QC_OK, "");
    CHECK(chmod(path, 0644) == 0);
    reads(link, QC_AUTH, "0644");
}

static void test_specs(void)
{
    struct qc_err err = { 0 };
    char longest[CLOUD_SPEC_SIZE_MAX + 2];
    memset(longest, 'a', sizeof longest);
    longest[0] = '/';
    longest[sizeof longest - 1] = '\0';

    static const char *const good[] = { "/f", "/a b", "aws:default", "aws:two words" };
    static const char *const bad[] = { "",       "/",      "f",        "./f",  "~/f",   "aws:",     "aws:a]",
                                       "aws: a", "aws:a ", "aws:a\nb", "/f\n", "AWS:a", "file:///f" };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        CHECK_OK(cloud_credentials_spec(good[i], &err));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_RC(cloud_credentials_spec(bad[i], &err), QC_USAGE);
    CHECK_RC(cloud_credentials_spec(longest, &err), QC_USAGE);
    longest[CLOUD_SPEC_SIZE_MAX] = '\0';
    CHECK_OK(cloud_credentials_spec(longest, &err));
    reads("CANARYsecret", QC_USAGE, "absolute path"); /* somebody gave the key itself: it is not repeated */

    /* The home directory is the user database's, whatever the environment says. */
    char home[512];
    CHECK(snprintf(home, sizeof home, "%s/.aws", dir.path) < (int)sizeof home && mkdir(home, 0700) == 0);
    file(home, ".aws/credentials", "[no-such-profile-of-a-test]\n" ACCESS SECRET, 0600);
    CHECK(setenv("HOME", dir.path, 1) == 0 && setenv("AWS_SHARED_CREDENTIALS_FILE", home, 1) == 0);
    reads("aws:no-such-profile-of-a-test", QC_NOTFOUND,
          getpwuid(geteuid())->pw_dir); /* cppcheck-suppress getpwuidCalled ; one thread */
}

int main(void)
{
    dir = qc_tmpdir_new();
    test_taken();
    test_refused();
    test_limits();
    test_files();
    test_specs();
    qc_tmpdir_remove(&dir);
    return 0;
}
