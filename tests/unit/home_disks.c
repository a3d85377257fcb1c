/* unit/home_disks: a disk is found by its label, and only where its own file system is mounted, on its own.
 */
#include "home/disks.h"

#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "qc_check.h"

static char root[64], labels[96], table[96], device[96], other[96];
static const struct disk_view view = { .by_label = labels, .mounts = table };

static void path_of(char ret[96], const char *name)
{
    snprintf(ret, 96, "%s/%s", root, name);
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    CHECK(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void set_up(void)
{
    char link[96 + 16];
    const char *dir = getenv("TMPDIR");
    snprintf(root, sizeof root, "%.30s/qc-disks-XXXXXX", dir != NULL ? dir : "/tmp");
    CHECK(mkdtemp(root) != NULL);
    path_of(labels, "by-label");
    path_of(table, "mountinfo");
    path_of(device, "sdb1");
    path_of(other, "sdc1");
    CHECK(mkdir(labels, 0700) == 0);
    write_file(device, "");
    write_file(other, "");
    snprintf(link, sizeof link, "%s/BACKUP", labels);
    CHECK(symlink("../sdb1", link) == 0);
    snprintf(link, sizeof link, "%s/my\\x20disk\\x2f1", labels);
    CHECK(symlink("../sdb1", link) == 0);
}

/* A table of mounts; @ becomes a, & b. */
static void mounted(const char *text, const char *a, const char *b)
{
    FILE *f = fopen(table, "w");
    CHECK(f != NULL && fputs("20 1 8:1 / / rw - ext4 /dev/none rw\n", f) >= 0);
    for (const char *p = text; *p != '\0'; p++)
        CHECK((*p == '@' ? fputs(a, f) : *p == '&' ? fputs(b, f) : fputc(*p, f)) >= 0);
    CHECK(fclose(f) == 0);
}

static void found_at(const char *place, const char *want)
{
    struct qc_err err = { 0 };
    char got[QC_CLIENT_PATH_MAX] = "";
    CHECK_OK(disk_check(place, &err));
    CHECK_OK(disk_find(&view, place, got, &err));
    if (strcmp(got, want) != 0)
        fprintf(stderr, "%s: %s, not %s\n", place, got, want);
    CHECK(strcmp(got, want) == 0);
}

static void not_there(const char *place, const char *words)
{
    struct qc_err err = { 0 };
    char got[QC_CLIENT_PATH_MAX] = "as before";
    CHECK(disk_find(&view, place, got, &err) == QC_SHARES);
    if (strstr(err.msg, words) == NULL)
        fprintf(stderr, "%s: %s\n", place, err.msg);
    CHECK(strstr(err.msg, words) != NULL && strcmp(got, "as before") == 0);
}

static void check_found(void)
{
    mounted("30 20 8:17 / /media/a\\040b rw,nosuid shared:5 master:1 - vfat @ rw\n", device, other);
    found_at("label:BACKUP:qcloud/share2", "/media/a b/qcloud/share2");
    found_at("label:my disk/1:q", "/media/a b/q");
    /* without optional words; the source by another path */
    mounted("30 20 8:17 / /media/b rw - vfat @/../sdb1/../sdb1 rw\n", labels, other);
    not_there("label:BACKUP:q", "not mounted"); /* sdb1/.. is no directory */
    mounted("30 20 8:17 / /media/b rw - vfat @/../sdb1 rw\n", labels, other);
    found_at("label:BACKUP:q", "/media/b/q");
    /* the first of two places; the last line has no end */
    mounted("30 20 8:17 / /one rw - vfat @ rw\n31 20 8:17 / /two rw - vfat @ rw", device, other);
    found_at("label:BACKUP:q", "/one/q");
    mounted("30 20 8:17 / / rw - vfat @ rw\n", device, other);
    found_at("label:BACKUP:q", "/q");
}

/* What any user mounts, with the device's name for a source, is not the disk, also where it stands first. */
static void check_fuse(void)
{
    static const char *const kinds[] = { "fuse", "fuse.sshfs", "fuseblk" };
    char lines[160];
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        snprintf(lines, sizeof lines, "30 20 0:44 / /home/eve/m rw - %s @ rw\n", kinds[i]);
        mounted(lines, device, other);
        not_there("label:BACKUP:q", "not mounted");
        snprintf(lines, sizeof lines,
                 "30 20 0:44 / /home/eve/m rw - %s @ rw\n31 20 0:45 / /media/b rw - btrfs @ rw\n", kinds[i]);
        mounted(lines, device, other);
        found_at("label:BACKUP:q", "/media/b/q");
    }
}

/* The first device of the machine's, if it has one: its number goes before all sources. */
static void check_number(void)
{
    char link[96 + 16], lines[400];
    glob_t all = { 0 };
    struct stat st;
    if (glob("/dev/[a-z]*", 0, NULL, &all) != 0)
        return;
    size_t i = 0;
    while (i < all.gl_pathc && (lstat(all.gl_pathv[i], &st) != 0 || !S_ISBLK(st.st_mode)))
        i++;
    if (i < all.gl_pathc) {
        const char *node = all.gl_pathv[i];
        snprintf(link, sizeof link, "%s/NODE", labels);
        CHECK(symlink(node, link) == 0);
        snprintf(lines, sizeof lines,
                 "30 20 0:44 / /first rw - btrfs @ rw\n31 20 %u:%u / /second rw - ext4 /dev/root rw\n",
                 major(st.st_rdev), minor(st.st_rdev));
        mounted(lines, node, other);
        found_at("label:NODE:q", "/second/q");
        mounted("30 20 0:44 / /first rw - btrfs @ rw\n", node, other);
        found_at("label:NODE:q", "/first/q");
        mounted("30 20 4000:7 / /first rw - ext4 @ rw\n", node, other);
        not_there("label:NODE:q", "not mounted");
    }
    globfree(&all);
}

static void check_not(void)
{
    mounted("", device, other);
    not_there("label:BACKUP:q", "the disk BACKUP is plugged in (/");
    not_there("label:OTHER:q", "the disk OTHER is not plugged in");
    not_there("label:backup:q", "the disk backup is not plugged in");
    not_there("label:..:q", "not mounted"); /* a directory is no disk that is mounted */
    mounted("30 20 8:33 / /media/c rw - vfat & rw\n", device, other); /* another disk */
    not_there("label:BACKUP:q", "not mounted");
    mounted("30 20 8:17 /sub /media/c rw - vfat @ rw\n", device, other); /* a part of it */
    not_there("label:BACKUP:q", "not mounted");
    mounted("30 20 8:17 / /m rw - vfat @ rw\n31 30 8:33 / /m rw - vfat & rw\n", device, other); /* covered */
    not_there("label:BACKUP:q", "not mounted");
    write_file(table, "\n \n30\n30 20 8:17 / /m\n30 20 8:17 / /m rw x y - vfat\n- - - - - - - - -\n");
    not_there("label:BACKUP:q", "not mounted");
}

static void check_places(void)
{
    static const char *const bad[] = { "label:",       "label:A",      "label::d",
                                       "label:A:",     "label:A:/d",   "label:A:d/",
                                       "label:A:a//b", "label:A:..",   "label:A:a/../b",
                                       "label:A:.",    "label:A:a\tb", "label:A\n:d",
                                       "label:A:d ",   "/media/a",     "" };
    struct qc_err err = { 0 };
    char path[QC_CLIENT_PATH_MAX], longest[DISK_PLACE_MAX + 8];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        qc_err_clear(&err);
        CHECK(disk_check(bad[i], &err) == QC_USAGE);
    }
    memset(longest, 'x', sizeof longest);
    memcpy(longest, "label:A:", 8);
    longest[DISK_PLACE_MAX - 1] = '\0';
    CHECK_OK(disk_check(longest, &err));
    disk_nowhere(longest, path);
    CHECK(strlen(path) > DISK_PLACE_MAX - 8);
    longest[DISK_PLACE_MAX - 1] = 'x';
    longest[DISK_PLACE_MAX] = '\0';
    CHECK(disk_check(longest, &err) == QC_USAGE);
    disk_nowhere("label:A b:c/d", path);
    CHECK(strcmp(path, "/dev/disk/by-label/A b/c/d") == 0);
    CHECK(disk_is("label:") && !disk_is("/label:A:b") && !disk_is("Label:A:b"));
}

static void check_limits(void)
{
    struct qc_err err = { 0 };
    char got[QC_CLIENT_PATH_MAX], place[DISK_PLACE_MAX];
    char *line = malloc(QC_HOME_MOUNTS_MAX + 1);
    CHECK(line != NULL);
    memset(line, 'm', QC_HOME_MOUNTS_MAX);
    line[QC_HOME_MOUNTS_MAX] = '\0';
    write_file(table, line);
    CHECK(disk_find(&view, "label:BACKUP:q", got, &err) == QC_LIMIT);
    /* a mount point that leaves no room for the directory */
    memset(line, 'm', PATH_MAX);
    snprintf(line + 3500, 600, " rw - vfat %s rw\n", device);
    memcpy(line, "30 20 8:17 / /", 14);
    write_file(table, line);
    memset(place, 'x', sizeof place);
    memcpy(place, "label:BACKUP:", 13);
    place[sizeof place - 1] = '\0';
    qc_err_clear(&err);
    CHECK(disk_find(&view, place, got, &err) == QC_LIMIT);
    CHECK_OK(disk_find(&view, "label:BACKUP:q", got, &err));
    free(line);
    CHECK(unlink(table) == 0);
    qc_err_clear(&err);
    CHECK(disk_find(&view, "label:BACKUP:q", got, &err) == QC_NOTFOUND); /* no /proc */
}

static void tear_down(void)
{
    char command[160];
    snprintf(command, sizeof command, "rm -r '%s'", root);
    CHECK(system(command) == 0);
}

int main(void)
{
    set_up();
    check_found();
    check_fuse();
    check_number();
    check_not();
    check_places();
    check_limits();
    tear_down();
    return 0;
}
