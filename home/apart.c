/* Is a keeper's place one of its own? Who has a cloud, a share store or the gateway shall not have it with
 * that. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cloud/cloud.h"
#include "home/keeper.h"
#include "home/places.h"

/* Without symbolic links, as far as it is there. False: longer than a path can be. */
static bool real_place(const char *path, char ret[PATH_MAX])
{
    char at[PATH_MAX], real[PATH_MAX];
    size_t n = strlen(path);
    if (n == 0 || n >= sizeof at)
        return false;
    memcpy(at, path, n + 1);
    while (realpath(at, real) == NULL) {
        while (n > 0 && at[n - 1] == '/')
            n--;
        while (n > 0 && at[n - 1] != '/')
            n--;
        if (n == 0)
            return false;
        at[n] = '\0';
    }
    const char *rest = path + n;
    const int len = snprintf(ret, PATH_MAX, "%s%s%s", strcmp(real, "/") == 0 ? "" : real,
                             rest[0] == '\0' || rest[0] == '/' ? "" : "/", rest);
    return len > 0 && len < PATH_MAX;
}

/* Is inner outer, or within it, by its name or as what is there: one directory can be mounted twice. */
static bool lies_in(const char *inner, const char *outer)
{
    char in[PATH_MAX], out[PATH_MAX];
    struct stat is, above;
    if (!real_place(inner, in) || !real_place(outer, out))
        return places_within(inner, outer);
    if (places_within(in, out))
        return true;
    if (stat(out, &is) != 0)
        return false;
    for (char *slash = strrchr(in, '/'); slash != NULL && in[0] != '\0'; slash = strrchr(in, '/')) {
        if (stat(in, &above) == 0 && above.st_dev == is.st_dev && above.st_ino == is.st_ino)
            return true;
        *slash = '\0';
    }
    return false;
}

static bool are_one(const char *a, const char *b)
{
    return lies_in(a, b) || lies_in(b, a);
}

qc_rc home_keeper_apart(const char *keeper, const struct vault_cloud *clouds, size_t count,
                        const char *const share[2], struct qc_err *err)
{
    char dir[QC_CLIENT_PATH_MAX], cloud[QC_CLIENT_PATH_MAX];
    const bool is_dir = places_directory_of(keeper, dir);
    for (size_t i = 0; i < count; i++)
        if (strcmp(clouds[i].url, keeper) == 0 || cloud_same_bucket(clouds[i].url, keeper) ||
            (is_dir && places_directory_of(clouds[i].url, cloud) && are_one(dir, cloud)))
            return QC_FAIL(err, QC_USAGE,
                           "the keeper's place %.200s is a cloud of the vault: the gateway would have backup "
                           "data after all",
                           keeper);
    for (unsigned s = 0; s < 2 && is_dir; s++)
        if (share[s] != NULL && are_one(dir, share[s]))
            return QC_FAIL(err, QC_USAGE,
                           "the keeper's place %.200s and share store %u are one place: whoever has it and "
                           "the gateway would open everything",
                           keeper, s + 1);
    return QC_OK;
}

qc_rc home_keeper_off_gateway(const char *keeper, const char *gateway, struct qc_err *err)
{
    char dir[QC_CLIENT_PATH_MAX];
    if (places_directory_of(keeper, dir) && are_one(dir, gateway))
        return QC_FAIL(err, QC_USAGE,
                       "the keeper's place %.200s and the gateway's state are one place: the gateway would "
                       "have backup data after all",
                       keeper);
    return QC_OK;
}
