#include "credentials.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

#define AWS_PREFIX "aws:"
#define AWS_FILE   "/.aws/credentials"

void cloud_credentials_done(struct cloud_credentials *c)
{
    qc_key_free(&c->secret);
    *c = (struct cloud_credentials){ 0 };
}

qc_span cloud_credentials_open(const struct cloud_credentials *c)
{
    return qc_span_sub(qc_key_open(c->secret), 0, c->secret_size);
}

/* A profile stands between brackets on one line, and in messages. */
static bool profile_ok(const char *s)
{
    size_t n = strnlen(s, CLOUD_PROFILE_SIZE_MAX + 1);
    if (n == 0 || n > CLOUD_PROFILE_SIZE_MAX || s[0] == ' ' || s[n - 1] == ' ')
        return false;
    for (size_t i = 0; i < n; i++)
        if (s[i] < 0x20 || s[i] > 0x7e || s[i] == '[' || s[i] == ']')
            return false;
    return true;
}

qc_rc cloud_credentials_spec(const char *spec, struct qc_err *err)
{
    size_t n = strnlen(spec, CLOUD_SPEC_SIZE_MAX + 1);
    if (n > CLOUD_SPEC_SIZE_MAX)
        return QC_FAIL(err, QC_USAGE, "credentials: a name longer than %d bytes", CLOUD_SPEC_SIZE_MAX);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)spec[i] < 0x20 || spec[i] == 0x7f)
            return QC_FAIL(err, QC_USAGE, "credentials: a control character in the name of the file");
    bool aws = strncmp(spec, AWS_PREFIX, strlen(AWS_PREFIX)) == 0;
    if (aws && profile_ok(spec + strlen(AWS_PREFIX)))
        return QC_OK;
    if (!aws && spec[0] == '/' && spec[1] != '\0')
        return QC_OK;
    /* What was given is not repeated: somebody may have put a key there. */
    return QC_FAIL(err, QC_USAGE,
                   "credentials are named by the absolute path of a file of mode 0600, or by aws:PROFILE "
                   "for a profile of ~/.aws/credentials");
}

/* The file of a spec, and the profile in it: NULL for the default. */
static qc_rc locate(const char *spec, char path[CLOUD_SPEC_SIZE_MAX + 1], const char **ret_profile,
                    struct qc_err *err)
{
    QC_TRY(cloud_credentials_spec(spec, err));
    if (spec[0] == '/') {
        memcpy(path, spec, strlen(spec) + 1);
        *ret_profile = NULL;
        return QC_OK;
    }
    struct passwd who;
    struct passwd *found = NULL;
    char text[CLOUD_PASSWD_SIZE_MAX];
    int e = getpwuid_r(geteuid(), &who, text, sizeof text, &found);
    if (e != 0)
        return QC_FAIL_ERRNO(err, e, "the home directory of user %lu", (unsigned long)geteuid());
    if (found == NULL || who.pw_dir == NULL || who.pw_dir[0] != '/')
        return QC_FAIL(err, QC_NOTFOUND, "user %lu has no home directory, so there is no ~" AWS_FILE,
                       (unsigned long)geteuid());
    int n = snprintf(path, CLOUD_SPEC_SIZE_MAX + 1, "%s%s", who.pw_dir, AWS_FILE);
    if (n < 0 || n > CLOUD_SPEC_SIZE_MAX)
        return QC_FAIL(err, QC_LIMIT, "the home directory's name is too long");
    *ret_profile = spec + strlen(AWS_PREFIX);
    return QC_OK;
}

static qc_rc read_fd(void *ctx, uint8_t *dst, size_t n, size_t *ret_got, struct qc_err *err)
{
    const struct qc_fd *fd = ctx;
    return qc_read_full(qc_fd_get(fd), dst, n, ret_got, err);
}

static qc_rc read_file(struct cloud_credentials *ret, const char *path, const char *profile,
                       struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    /* O_NONBLOCK: the open of a pipe must not wait for a writer. A link is followed: people keep ~/.aws
     * elsewhere, and what is checked is the file itself. */
    QC_TRY(qc_open_at(&fd, AT_FDCWD, path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0, err));
    QC_TRY_AS(qc_file_private(qc_fd_get(&fd), err), err, "%s", path);
    struct cloud_credentials_source from = { read_fd, &fd };
    QC_TRY_AS(cloud_credentials_parse(ret, &from, profile, err), err, "%s", path);
    return QC_OK;
}

qc_rc cloud_credentials_read(struct cloud_credentials *ret, const char *spec, struct qc_err *err)
{
    char path[CLOUD_SPEC_SIZE_MAX + 1];
    const char *profile = NULL;
    QC_TRY(locate(spec, path, &profile, err));
    QC_TRY_AS(read_file(ret, path, profile, err), err, "credentials");
    return QC_OK;
}
