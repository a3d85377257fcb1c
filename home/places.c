#include "home/places.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define VAULTS "vaults/"

static qc_rc copy(const char *from, char ret[QC_CLIENT_PATH_MAX], struct qc_err *err)
{
    size_t n = strlen(from);
    if (n >= QC_CLIENT_PATH_MAX)
        return QC_FAIL(err, QC_LIMIT, "a path of %zu bytes is longer than %d", n, QC_CLIENT_PATH_MAX - 1);
    memcpy(ret, from, n + 1);
    return QC_OK;
}

qc_rc places_join(const char *dir, const char *name, char ret[QC_CLIENT_PATH_MAX], struct qc_err *err)
{
    char path[QC_CLIENT_PATH_MAX];
    const char *slash = strcmp(dir, "/") == 0 ? "" : "/";
    int n = snprintf(path, sizeof path, "%s%s%s", dir, slash, name);
    if (n < 0 || n >= (int)sizeof path)
        return QC_FAIL(err, QC_LIMIT, "the path of '%s' is longer than %d bytes", name,
                       QC_CLIENT_PATH_MAX - 1);
    return copy(path, ret, err);
}

/* Drops empty and `.` components and resolves `..` by text; path is absolute. */
static void clean(char *path)
{
    char *to = path;
    const char *from = path;
    while (*from != '\0') {
        while (*from == '/')
            from++;
        size_t n = strcspn(from, "/");
        if (n == 2 && from[0] == '.' && from[1] == '.') {
            while (to > path && *--to != '/')
                continue;
        } else if (n > 0 && !(n == 1 && from[0] == '.')) {
            *to++ = '/';
            memmove(to, from, n);
            to += n;
        }
        from += n;
    }
    if (to == path)
        *to++ = '/';
    *to = '\0';
}

qc_rc places_absolute(const char *path, char ret[QC_CLIENT_PATH_MAX], struct qc_err *err)
{
    char all[QC_CLIENT_PATH_MAX];
    if (path[0] == '\0')
        return QC_FAIL(err, QC_USAGE, "an empty path");
    if (strlen(path) >= QC_CLIENT_PATH_MAX)
        return QC_FAIL(err, QC_USAGE, "a path of %zu bytes is longer than %d", strlen(path),
                       QC_CLIENT_PATH_MAX - 1);
    for (const char *c = path; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7F)
            return QC_FAIL(err, QC_USAGE,
                           "a path with a control character cannot stand in the configuration");
    if (path[strlen(path) - 1] == ' ')
        return QC_FAIL(err, QC_USAGE, "a path that ends in a blank cannot stand in the configuration");
    if (path[0] == '/') {
        QC_TRY(copy(path, all, err));
    } else {
        char cwd[QC_CLIENT_PATH_MAX];
        if (getcwd(cwd, sizeof cwd) == NULL)
            return QC_FAIL_OS(err, "the working directory");
        QC_TRY(places_join(cwd, path, all, err));
    }
    clean(all);
    return copy(all, ret, err);
}

bool places_within(const char *inner, const char *outer)
{
    size_t n = strlen(outer);
    if (strcmp(outer, "/") == 0)
        return true;
    return strncmp(inner, outer, n) == 0 && (inner[n] == '\0' || inner[n] == '/');
}

static unsigned hex_value(char c)
{
    return c >= '0' && c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a') + 10U;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

bool places_directory_of(const char *url, char ret[QC_CLIENT_PATH_MAX])
{
    static const char lead[] = "file://";
    size_t n = 0;
    if (strncmp(url, lead, sizeof lead - 1) != 0)
        return false;
    for (const char *p = url + sizeof lead - 1; *p != '\0' && *p != '?'; p++) {
        if (n + 1 == QC_CLIENT_PATH_MAX)
            return false;
        bool coded = p[0] == '%' && is_hex(p[1]) && is_hex(p[2]);
        ret[n++] = coded ? (char)(hex_value(p[1]) << 4 | hex_value(p[2])) : *p;
        p += coded ? 2 : 0;
    }
    ret[n] = '\0';
    return n > 0;
}

qc_rc places_device(const char *path, uint64_t *ret, struct qc_err *err)
{
    char at[QC_CLIENT_PATH_MAX];
    struct stat st;
    QC_TRY(places_absolute(path, at, err));
    while (stat(at, &st) != 0) {
        if ((errno != ENOENT && errno != ENOTDIR) || strcmp(at, "/") == 0)
            return QC_FAIL_OS(err, "%s", at);
        char *slash = strrchr(at, '/');
        QC_ASSERT(slash != NULL);
        slash[slash == at ? 1 : 0] = '\0';
    }
    *ret = (uint64_t)st.st_dev;
    return QC_OK;
}

/* $variable/qcloud, or ~/otherwise/qcloud. */
static qc_rc xdg(const char *variable, const char *otherwise, char ret[QC_CLIENT_PATH_MAX],
                 struct qc_err *err)
{
    const char *base = getenv(variable);
    char dir[QC_CLIENT_PATH_MAX];
    if (base != NULL && base[0] == '/') {
        QC_TRY_AS(places_absolute(base, dir, err), err, "%s", variable);
        return places_join(dir, "qcloud", ret, err);
    }
    const char *home = getenv("HOME");
    if (home == NULL || home[0] != '/')
        return QC_FAIL(err, QC_NOTCONF, "neither QCLOUD_HOME nor HOME says where the configuration lives");
    QC_TRY_AS(places_absolute(home, dir, err), err, "HOME");
    QC_TRY(places_join(dir, otherwise, dir, err));
    return places_join(dir, "qcloud", ret, err);
}

static qc_rc name_files(struct places *p, struct qc_err *err)
{
    QC_TRY(places_join(p->conf_dir, "qcloud.conf", p->conf_file, err));
    return places_join(p->state, "gateway", p->gateway, err);
}

static qc_rc go_below(struct places *p, const char *folder, struct qc_err *err)
{
    QC_TRY(places_join(p->conf_dir, folder, p->conf_dir, err));
    QC_TRY(places_join(p->state, folder, p->state, err));
    QC_TRY(places_join(p->data, folder, p->data, err));
    return name_files(p, err);
}

qc_rc places_site(struct places *p, char letter, struct qc_err *err)
{
    const char site[] = { 's', 'i', 't', 'e', 's', '/', letter, '\0' };
    return go_below(p, site, err);
}

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

static bool is_vault_name(const char *name)
{
    size_t n = 0;
    while (is_name_byte(name[n]))
        n++;
    return n > 0 && n <= QC_CLIENT_VAULT_MAX && name[n] == '\0' && name[0] != '.' && name[0] != '-';
}

void places_vaults(const struct places *p, void (*fn)(void *ctx, const char *name), void *ctx)
{
    char folder[QC_CLIENT_PATH_MAX], file[QC_CLIENT_PATH_MAX];
    struct qc_err none = { 0 };
    DIR *dir = places_join(p->conf_dir, "vaults", folder, &none) == QC_OK ? opendir(folder) : NULL;
    if (dir == NULL)
        return;
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        if (is_vault_name(e->d_name) && places_join(folder, e->d_name, file, &none) == QC_OK &&
            places_join(file, "qcloud.conf", file, &none) == QC_OK && access(file, F_OK) == 0)
            fn(ctx, e->d_name);
    }
    closedir(dir);
}

qc_rc places_vault(struct places *p, const char *name, struct qc_err *err)
{
    char folder[sizeof VAULTS + QC_CLIENT_VAULT_MAX] = VAULTS;
    if (!is_vault_name(name))
        return QC_FAIL(err, QC_USAGE,
                       "a vault's name is 1 to %d of a-z, A-Z, 0-9, '.', '_' and '-', the first of them no "
                       "'.' or '-', and not '%.80s'",
                       QC_CLIENT_VAULT_MAX, name);
    memcpy(folder + sizeof VAULTS - 1, name, strlen(name) + 1);
    return go_below(p, folder, err);
}

qc_rc places_config(struct places *p, const char *file, struct qc_err *err)
{
    const size_t n = strlen(file);
    if (n > 0 && file[n - 1] == '/')
        return QC_FAIL(err, QC_USAGE, "a file is needed, and '%.200s' is a folder", file);
    char path[QC_CLIENT_PATH_MAX];
    QC_TRY(places_absolute(file, path, err));
    const char *name = strrchr(path, '/') + 1; /* it is absolute */
    if (name[0] == '\0' || strlen(name) > QC_FILE_NAME_MAX)
        return QC_FAIL(err, QC_USAGE, "'%.80s' cannot be the name of a file", file);
    return copy(path, p->conf_file, err);
}

/* Removes path, where nothing lies in it, and then the folder of all vaults or sites that it was in, and the
 * one above that. */
static bool unmake(const char *path)
{
    char at[QC_CLIENT_PATH_MAX];
    bool was_all = false;
    (void)snprintf(at, sizeof at, "%s", path);
    for (;;) {
        if (rmdir(at) != 0 && errno != ENOENT)
            return false; /* something lies there, or it is not ours to remove */
        char *slash = strrchr(at, '/');
        if (slash == NULL || slash == at)
            return true;
        *slash = '\0';
        const char *name = strrchr(at, '/');
        const bool is_all = name != NULL && (strcmp(name, "/vaults") == 0 || strcmp(name, "/sites") == 0);
        if (!is_all && !was_all)
            return true;
        was_all = is_all;
    }
}

void places_unmake(const struct places *p)
{
    const char *const dirs[] = { p->gateway, p->state, p->conf_dir };
    for (size_t i = 0; i < sizeof dirs / sizeof dirs[0]; i++)
        if (!unmake(dirs[i]))
            return;
}

qc_rc places_beneath(const char *home, struct places *ret, struct qc_err *err)
{
    struct places p = { .state = "" };
    QC_TRY(places_absolute(home, p.conf_dir, err));
    QC_TRY(places_join(p.conf_dir, "state", p.state, err));
    QC_TRY(places_join(p.conf_dir, "data", p.data, err));
    QC_TRY(name_files(&p, err));
    *ret = p;
    return QC_OK;
}

qc_rc places_find(struct places *ret, struct qc_err *err)
{
    struct places p = { .state = "" };
    const char *home = getenv("QCLOUD_HOME");
    if (home != NULL && home[0] != '\0') {
        QC_TRY_AS(places_beneath(home, ret, err), err, "QCLOUD_HOME");
        return QC_OK;
    }
    QC_TRY(xdg("XDG_CONFIG_HOME", ".config", p.conf_dir, err));
    QC_TRY(xdg("XDG_STATE_HOME", ".local/state", p.state, err));
    QC_TRY(xdg("XDG_DATA_HOME", ".local/share", p.data, err));
    QC_TRY(name_files(&p, err));
    *ret = p;
    return QC_OK;
}

const char *places_variable(const char *name)
{
    const char *v = getenv(name);
    return v == NULL || v[0] == '\0' ? NULL : v;
}

qc_rc places_by_environment(struct places *ret, struct qc_err *err)
{
    const char *vault = places_variable("QCLOUD_VAULT"), *config = places_variable("QCLOUD_CONFIG");
    struct places p;
    QC_TRY(places_find(&p, err));
    if (vault != NULL)
        QC_TRY_AS(places_vault(&p, vault, err), err, "QCLOUD_VAULT");
    if (config != NULL)
        QC_TRY_AS(places_config(&p, config, err), err, "QCLOUD_CONFIG");
    *ret = p;
    return QC_OK;
}
