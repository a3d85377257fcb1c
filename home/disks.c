#include "home/disks.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/file.h"

static const char lead[] = "label:";
static const char by_label[] = "/dev/disk/by-label", mounts[] = "/proc/self/mountinfo";
enum { LEAD = sizeof lead - 1 };

struct mount {
    qc_span device, root, point, kind, source; /* "8:17", ..; of the text, with its escapes */
};

bool disk_is(const char *place)
{
    return strncmp(place, lead, LEAD) == 0;
}

/* NAME, and where DIR begins. */
static qc_span name_of(const char *place, const char **ret_dir)
{
    const char *name = place + LEAD, *end = strchr(name, ':');
    QC_ASSERT(end != NULL); /* disk_check */
    *ret_dir = end + 1;
    return qc_span_of(name, (size_t)(end - name));
}

static bool has_control(const char *s)
{
    for (; *s != '\0'; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            return true;
    return false;
}

/* a/b/c: no empty component, no `.`, no `..`. */
static bool is_beneath(const char *dir)
{
    for (const char *at = dir;; at++) {
        const size_t n = strcspn(at, "/");
        if (n == 0 || (n == 1 && at[0] == '.') || (n == 2 && at[0] == '.' && at[1] == '.'))
            return false;
        at += n;
        if (*at == '\0')
            return at[-1] != ' ';
    }
}

qc_rc disk_check(const char *place, struct qc_err *err)
{
    const char *end = disk_is(place) ? strchr(place + LEAD, ':') : NULL;
    if (end == NULL || end == place + LEAD)
        return QC_FAIL(err, QC_USAGE,
                       "'%.80s': a place on a removable disk is label:NAME:DIR, with the disk's name and a "
                       "directory on it",
                       place);
    if (strlen(place) >= DISK_PLACE_MAX || has_control(place))
        return QC_FAIL(err, QC_USAGE, "'%.80s': longer than %d bytes, or with a control character", place,
                       DISK_PLACE_MAX - 1);
    if (!is_beneath(end + 1))
        return QC_FAIL(err, QC_USAGE,
                       "'%.80s': '%.80s' is no directory beneath the disk's own, such as qcloud/share2",
                       place, end + 1);
    return QC_OK;
}

void disk_nowhere(const char *place, char ret[QC_CLIENT_PATH_MAX])
{
    const char *dir = NULL;
    const qc_span name = name_of(place, &dir);
    const int n =
        snprintf(ret, QC_CLIENT_PATH_MAX, "%s/%.*s/%s", by_label, (int)name.n, (const char *)name.p, dir);
    QC_ASSERT(n > 0 && n < QC_CLIENT_PATH_MAX);
}

/* As udev writes a label: what is no letter, digit, #+-.:=@_ or beyond ASCII becomes \xNN. */
static qc_rc add_encoded(qc_buf *ret, qc_span name, struct qc_err *err)
{
    for (size_t i = 0; i < name.n; i++) {
        const char c = (char)name.p[i];
        const bool bare = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          strchr("#+-.:=@_", c) != NULL || (c & 0x80) != 0;
        QC_TRY(qc_buf_addf(ret, err, bare ? "%c" : "\\x%02x", (unsigned char)c));
    }
    return QC_OK;
}

/* The device, by its path without links. QC_SHARES: there is none of that name. */
static qc_rc find_device(const struct disk_view *view, qc_span name, char ret[PATH_MAX], struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf link = { .max = QC_CLIENT_PATH_MAX };
    const char *path = NULL;
    QC_TRY(qc_buf_addf(&link, err, "%s/", view->by_label));
    QC_TRY(add_encoded(&link, name, err));
    QC_TRY(qc_buf_cstr(&link, &path, err));
    if (realpath(path, ret) != NULL)
        return QC_OK;
    if (errno != ENOENT && errno != ENOTDIR)
        return QC_FAIL_OS(err, "%s", path);
    return QC_FAIL(err, QC_SHARES, "the disk %.*s is not plugged in", (int)name.n, (const char *)name.p);
}

/* The next word of a line, and the blank behind it. */
static qc_span take_word(qc_span *line)
{
    const uint8_t *end = line->n > 0 ? memchr(line->p, ' ', line->n) : NULL;
    const qc_span word = qc_span_of(line->p, end != NULL ? (size_t)(end - line->p) : line->n);
    const size_t gone = word.n + (end != NULL);
    *line = qc_span_of(line->p + gone, line->n - gone);
    return word;
}

/* proc(5): number, parent, device, root, point, options, words, "-", kind, source, options. */
static bool take_mount(qc_span line, struct mount *ret)
{
    struct mount m;
    (void)take_word(&line);
    (void)take_word(&line);
    m.device = take_word(&line);
    m.root = take_word(&line);
    m.point = take_word(&line);
    while (line.n > 0 && !qc_span_eq(take_word(&line), QC_LIT("-")))
        ;
    m.kind = take_word(&line);
    m.source = take_word(&line);
    *ret = m;
    return m.point.n > 0 && m.source.n > 0;
}

/* \040 and the like are one byte. False: longer than a path. */
static bool unescape(qc_span s, char ret[PATH_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (n + 1 >= PATH_MAX)
            return false;
        const uint8_t *d = s.p + i;
        const bool coded = d[0] == '\\' && i + 3 < s.n && d[1] >= '0' && d[1] <= '3' && d[2] >= '0' &&
                           d[2] <= '7' && d[3] >= '0' && d[3] <= '7';
        const unsigned one =
            coded ? (d[1] - 48U) << 6 | (d[2] - 48U) << 3 | (d[3] - 48U) : d[0]; /* 48: the digit zero */
        ret[n++] = (char)(uint8_t)one;
        i += coded ? 3 : 0;
    }
    ret[n] = '\0';
    return true;
}

/* How a mount is found to be of a device. */
struct sought {
    const char *device;
    char number[32];
    bool numbered, by_source;
};

/* Any user mounts by FUSE, and gives its source what name he likes. What is on a device there (fuseblk, which
 * root alone mounts) is found by the number. */
static bool any_user_mounts(qc_span kind)
{
    static const char fuse[] = "fuse";
    return kind.n >= sizeof fuse - 1 && memcmp(kind.p, fuse, sizeof fuse - 1) == 0;
}

/* Is m all of that device's file system? */
static bool is_of(const struct mount *m, const struct sought *s)
{
    char source[PATH_MAX], real[PATH_MAX];
    if (!qc_span_eq(m->root, QC_LIT("/")))
        return false;
    if (!s->by_source)
        return qc_span_eq(m->device, qc_span_str(s->number));
    if (any_user_mounts(m->kind) || (s->numbered && (m->device.n < 2 || memcmp(m->device.p, "0:", 2) != 0)))
        return false; /* a number that is no device's is what btrfs shows; another device's is another's */
    return unescape(m->source, source) && source[0] == '/' && realpath(source, real) != NULL &&
           strcmp(real, s->device) == 0;
}

/* Of several mounts at one place the last one is seen; of several places the first one is taken. */
static bool find_sought(qc_span text, const struct sought *s, qc_span *ret)
{
    bool found = false;
    while (text.n > 0) {
        const uint8_t *end = memchr(text.p, '\n', text.n);
        const qc_span line = qc_span_of(text.p, end != NULL ? (size_t)(end - text.p) : text.n);
        const size_t gone = line.n + (end != NULL);
        struct mount m;
        text = qc_span_of(text.p + gone, text.n - gone);
        if (!take_mount(line, &m))
            continue;
        const bool here = found && qc_span_eq(m.point, *ret);
        if (is_of(&m, s) && !found) {
            found = true;
            *ret = m.point;
        } else if (here && !is_of(&m, s)) {
            found = false; /* something else lies over it */
        }
    }
    return found;
}

/* By the device's number, which the kernel alone says, anywhere in the table; only then by the source. */
static bool find_mount(qc_span text, const char *device, qc_span *ret)
{
    struct sought s = { .device = device };
    struct stat st;
    s.numbered = stat(device, &st) == 0 && S_ISBLK(st.st_mode);
    if (s.numbered) {
        (void)snprintf(s.number, sizeof s.number, "%u:%u", major(st.st_rdev), minor(st.st_rdev));
        if (find_sought(text, &s, ret))
            return true;
    }
    s.by_source = true;
    return find_sought(text, &s, ret);
}

qc_rc disk_find(const struct disk_view *view, const char *place, char ret[QC_CLIENT_PATH_MAX],
                struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_HOME_MOUNTS_MAX };
    const struct disk_view real = { .by_label = view != NULL ? view->by_label : by_label,
                                    .mounts = view != NULL ? view->mounts : mounts };
    char device[PATH_MAX], point[PATH_MAX];
    const char *dir = NULL;
    const qc_span name = name_of(place, &dir);
    qc_span at = { 0 };
    QC_TRY(find_device(&real, name, device, err));
    QC_TRY(qc_path_read(real.mounts, 0, QC_HOME_MOUNTS_MAX, &text, err));
    if (text.n == QC_HOME_MOUNTS_MAX)
        return QC_FAIL(err, QC_LIMIT, "%s: over %d bytes of mounts", real.mounts, QC_HOME_MOUNTS_MAX);
    if (!find_mount(qc_buf_span(&text), device, &at))
        return QC_FAIL(err, QC_SHARES, "the disk %.*s is plugged in (%.200s), and not mounted", (int)name.n,
                       (const char *)name.p, device);
    if (!unescape(at, point) || strlen(point) + 1 + strlen(dir) >= QC_CLIENT_PATH_MAX)
        return QC_FAIL(err, QC_LIMIT, "the place where the disk %.*s is mounted is too long", (int)name.n,
                       (const char *)name.p);
    (void)snprintf(ret, QC_CLIENT_PATH_MAX, "%s/%s", strcmp(point, "/") == 0 ? "" : point, dir);
    return QC_OK;
}
