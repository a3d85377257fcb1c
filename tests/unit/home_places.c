/* unit/home_places: where things live, from the environment. */
#include "home/places.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "qc_check.h"

static void absolute(const char *in, const char *want)
{
    struct qc_err err = { 0 };
    char got[QC_CLIENT_PATH_MAX];
    CHECK_OK(places_absolute(in, got, &err));
    if (strcmp(got, want) != 0)
        fprintf(stderr, "%s: got %s, want %s\n", in, got, want);
    CHECK(strcmp(got, want) == 0);
}

static void check_absolute(void)
{
    struct qc_err err = { 0 };
    char got[QC_CLIENT_PATH_MAX] = "before";
    char long_one[QC_CLIENT_PATH_MAX + 8];
    absolute("/", "/");
    absolute("//a///b/", "/a/b");
    absolute("/a/./b/../c", "/a/c");
    absolute("/../..", "/");
    absolute("/a/..", "/");
    absolute("/..a/b..", "/..a/b..");
    CHECK(chdir("/usr") == 0);
    absolute("share/../lib", "/usr/lib");
    absolute("..", "/");
    CHECK_RC(places_absolute("", got, &err), QC_USAGE);
    CHECK_RC(places_absolute("/a\nb", got, &err), QC_USAGE);
    CHECK_RC(places_absolute("/a ", got, &err), QC_USAGE);
    memset(long_one, 'a', sizeof long_one);
    long_one[0] = '/';
    long_one[sizeof long_one - 1] = '\0';
    CHECK_RC(places_absolute(long_one, got, &err), QC_USAGE);
    CHECK_RC(places_absolute(long_one + 1, got, &err), QC_USAGE);
    CHECK_RC(places_absolute(long_one + 9, got, &err), QC_LIMIT); /* only with what stands before it */
    CHECK(strcmp(got, "before") == 0);
}

static void check_find(void)
{
    struct qc_err err = { 0 };
    static struct places p;
    CHECK(setenv("QCLOUD_HOME", "/tmp/q", 1) == 0);
    CHECK_OK(places_find(&p, &err));
    CHECK(strcmp(p.conf_file, "/tmp/q/qcloud.conf") == 0 && strcmp(p.gateway, "/tmp/q/state/gateway") == 0 &&
          strcmp(p.data, "/tmp/q/data") == 0);
    CHECK(unsetenv("QCLOUD_HOME") == 0 && setenv("HOME", "/home/u", 1) == 0);
    CHECK(unsetenv("XDG_CONFIG_HOME") == 0 && unsetenv("XDG_DATA_HOME") == 0);
    CHECK(setenv("XDG_STATE_HOME", "relative", 1) == 0); /* ignored */
    CHECK_OK(places_find(&p, &err));
    CHECK(strcmp(p.conf_file, "/home/u/.config/qcloud/qcloud.conf") == 0);
    CHECK(strcmp(p.state, "/home/u/.local/state/qcloud") == 0);
    CHECK(strcmp(p.data, "/home/u/.local/share/qcloud") == 0);
    CHECK(setenv("XDG_STATE_HOME", "/s", 1) == 0);
    CHECK_OK(places_find(&p, &err));
    CHECK(strcmp(p.gateway, "/s/qcloud/gateway") == 0);
    CHECK_OK(places_site(&p, 'B', &err));
    CHECK(strcmp(p.conf_file, "/home/u/.config/qcloud/sites/B/qcloud.conf") == 0);
    CHECK(strcmp(p.gateway, "/s/qcloud/sites/B/gateway") == 0);
    CHECK(strcmp(p.data, "/home/u/.local/share/qcloud/sites/B") == 0);
    CHECK(unsetenv("HOME") == 0);
    CHECK_RC(places_find(&p, &err), QC_NOTCONF);
}

static void no_vault(const char *name)
{
    static struct places p;
    struct qc_err err = { 0 };
    CHECK_OK(places_beneath("/q", &p, &err));
    CHECK_RC(places_vault(&p, name, &err), QC_USAGE);
    CHECK(strcmp(p.conf_file, "/q/qcloud.conf") == 0 && strcmp(p.state, "/q/state") == 0);
}

static void check_vaults(void)
{
    struct qc_err err = { 0 };
    static struct places p;
    char most[QC_CLIENT_VAULT_MAX + 2];
    CHECK_OK(places_beneath("/q", &p, &err));
    CHECK_OK(places_vault(&p, "Work_2.b-c", &err));
    CHECK(strcmp(p.conf_file, "/q/vaults/Work_2.b-c/qcloud.conf") == 0);
    CHECK(strcmp(p.gateway, "/q/state/vaults/Work_2.b-c/gateway") == 0);
    CHECK(strcmp(p.data, "/q/data/vaults/Work_2.b-c") == 0);
    CHECK_OK(places_site(&p, 'A', &err)); /* of that vault */
    CHECK(strcmp(p.conf_file, "/q/vaults/Work_2.b-c/sites/A/qcloud.conf") == 0);
    memset(most, 'a', sizeof most);
    most[QC_CLIENT_VAULT_MAX + 1] = '\0';
    no_vault(most);
    most[QC_CLIENT_VAULT_MAX] = '\0';
    CHECK_OK(places_vault(&p, most, &err));
    static const char *const bad[] = { "", ".", "..", ".a", "-a", "a/b", "/a", "a b", "a\n", "\xC3\xA4" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        no_vault(bad[i]);
}

static void count(void *ctx, const char *name)
{
    char *all = ctx;
    const size_t n = strlen(all);
    (void)snprintf(all + n, 64 - n, "%s;", name);
}

/* A vault is a folder with a configuration. */
static void check_there(void)
{
    struct qc_err err = { 0 };
    static struct places p, one;
    char dir[] = "/tmp/qc-places-XXXXXX", all[64] = "";
    CHECK(mkdtemp(dir) != NULL);
    CHECK_OK(places_beneath(dir, &p, &err));
    places_vaults(&p, count, all);
    CHECK(all[0] == '\0');
    one = p;
    CHECK_OK(places_vault(&one, "half", &err));
    CHECK_OK(qc_dir_make_path(one.conf_dir, 0700, &err));
    one = p;
    CHECK_OK(places_vault(&one, "lab", &err));
    CHECK_OK(qc_dir_make_path(one.conf_dir, 0700, &err));
    const int fd = open(one.conf_file, O_WRONLY | O_CREAT, 0600);
    CHECK(fd >= 0 && close(fd) == 0);
    places_vaults(&p, count, all);
    CHECK(strcmp(all, "lab;") == 0);
    CHECK(unlink(one.conf_file) == 0);
    places_unmake(&one);
    CHECK_OK(places_beneath(dir, &one, &err));
    CHECK_OK(places_vault(&one, "half", &err));
    places_unmake(&one);
    CHECK(access(dir, F_OK) != 0);
}

static void check_environment(void)
{
    struct qc_err err = { 0 };
    static struct places p;
    CHECK(setenv("QCLOUD_HOME", "/q", 1) == 0 && setenv("QCLOUD_VAULT", "", 1) == 0);
    CHECK_OK(places_by_environment(&p, &err));
    CHECK(strcmp(p.conf_file, "/q/qcloud.conf") == 0);
    CHECK(setenv("QCLOUD_VAULT", "lab", 1) == 0 && setenv("QCLOUD_CONFIG", "/x/c", 1) == 0);
    CHECK_OK(places_by_environment(&p, &err));
    CHECK(strcmp(p.conf_file, "/x/c") == 0 && strcmp(p.state, "/q/state/vaults/lab") == 0);
    CHECK(setenv("QCLOUD_VAULT", "a/b", 1) == 0);
    CHECK(places_by_environment(&p, &err) == QC_USAGE);
    CHECK(strstr(err.msg, "QCLOUD_VAULT: ") != NULL && strcmp(p.conf_file, "/x/c") == 0);
    CHECK(unsetenv("QCLOUD_VAULT") == 0 && unsetenv("QCLOUD_CONFIG") == 0 && unsetenv("QCLOUD_HOME") == 0);
}

static void check_config(void)
{
    struct qc_err err = { 0 };
    static struct places p;
    CHECK_OK(places_beneath("/q", &p, &err));
    CHECK_OK(places_config(&p, "/etc/../x/my.conf", &err));
    CHECK(strcmp(p.conf_file, "/x/my.conf") == 0);
    CHECK(strcmp(p.conf_dir, "/q") == 0 && strcmp(p.gateway, "/q/state/gateway") == 0);
    CHECK_RC(places_config(&p, "", &err), QC_USAGE);
    CHECK_RC(places_config(&p, "/x/", &err), QC_USAGE);
    CHECK_RC(places_config(&p, "/x/..", &err), QC_USAGE);
    char longest[3 + QC_FILE_NAME_MAX + 2] = "/x/";
    memset(longest + 3, 'n', QC_FILE_NAME_MAX + 1);
    CHECK_RC(places_config(&p, longest, &err), QC_USAGE);
    CHECK(strcmp(p.conf_file, "/x/my.conf") == 0);
}

/* What was made for a vault goes, to the folder of all of them; what has something in it stays. */
static void check_unmake(void)
{
    struct qc_err err = { 0 };
    static struct places p;
    char dir[] = "/tmp/qc-places-XXXXXX", home[64], beside[64];
    CHECK(mkdtemp(dir) != NULL);
    (void)snprintf(home, sizeof home, "%s/q", dir);
    (void)snprintf(beside, sizeof beside, "%s/q/state/vaults/b", dir);
    CHECK_OK(places_beneath(home, &p, &err));
    CHECK_OK(places_vault(&p, "a", &err));
    CHECK_OK(places_site(&p, 'C', &err));
    CHECK_OK(qc_dir_make_path(p.gateway, 0700, &err));
    CHECK(mkdir(beside, 0700) == 0);
    places_unmake(&p);
    CHECK(access(p.gateway, F_OK) != 0 && access(beside, F_OK) == 0);
    CHECK_OK(qc_dir_make_path(p.gateway, 0700, &err));
    CHECK(rmdir(beside) == 0);
    places_unmake(&p);
    CHECK(access(home, F_OK) != 0 && rmdir(dir) == 0); /* to the last one, and no further */
}

static void check_others(void)
{
    struct qc_err err = { 0 };
    uint64_t a = 0;
    uint64_t b = 0;
    CHECK(places_within("/a/b", "/a") && places_within("/a", "/a") && places_within("/a", "/"));
    CHECK(!places_within("/ab", "/a") && !places_within("/a", "/a/b"));
    CHECK_OK(places_device("/proc/none/such", &a, &err));
    CHECK_OK(places_device("/proc", &b, &err));
    CHECK(a == b);
    CHECK_OK(places_device("/none/such", &b, &err));
    CHECK(a != b);
}

int main(void)
{
    check_absolute();
    check_find();
    check_vaults();
    check_there();
    check_environment();
    check_config();
    check_unmake();
    check_others();
    return 0;
}
