/* A vault whose backup data is with a keeper, for unit/vault_kept and unit/vault_keepers: two places, the
 * first of which is the keeper. */
#pragma once
#include <ftw.h>

#include "home/keeper.h"
#include "vault/backup.h"
#include "vault_rig.h"

enum { SIZE = 3000 };

struct kept {
    struct rig r;
    struct qc_tmpdir dir;
    char place[2][300];
    struct vault_keeper *keeper[2];
};

static inline void start(struct kept *k, struct qc_rand rand)
{
    struct qc_err err = { 0 };
    struct vault_op op = { .cancel = NULL };
    k->dir = qc_tmpdir_new();
    for (unsigned i = 0; i < 2; i++) {
        char url[320];
        snprintf(k->place[i], sizeof k->place[i], "%s/keeper%u", k->dir.path, i);
        snprintf(url, sizeof url, "file://%s", k->place[i]);
        CHECK_OK(home_keeper_check(url, NULL, &err));
        CHECK_OK(home_keeper_make(url, NULL, &op, &err));
        CHECK_OK(home_keeper_new(&k->keeper[i], url, NULL, &err));
    }
    rig_make_kept(&k->r, rand, RIG_STORED, k->keeper[0]);
}

static inline void done(struct kept *k)
{
    rig_done(&k->r);
    for (unsigned i = 0; i < 2; i++)
        home_keeper_free(&k->keeper[i]);
    qc_tmpdir_remove(&k->dir);
}

static inline void away(struct kept *k, bool is)
{
    char other[320];
    snprintf(other, sizeof other, "%s.away", k->place[0]);
    CHECK(rename(is ? k->place[0] : other, is ? other : k->place[0]) == 0);
}

static struct kept_seen {
    unsigned files, strange;
    char last[512];
} seen;

/* A file of backup data: 172 bytes, and a name of hexadecimal digits. */
static inline int see(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    const char *name = path + at->base;
    if (kind != FTW_F || name[0] == '.')
        return 0;
    seen.files++;
    seen.strange += st->st_size != VAULT_BACKUP_BYTES || strspn(name, "0123456789abcdef") != 64;
    if (strstr(path, name) != NULL && strncmp(name + 32, "00000000", 8) != 0)
        snprintf(seen.last, sizeof seen.last, "%s", path);
    return 0;
}

/* How many a keeper has, the vault's own among them. */
static inline unsigned has(const struct kept *k, unsigned i)
{
    memset(&seen, 0, sizeof seen);
    CHECK(nftw(k->place[i], see, 8, FTW_PHYS) == 0);
    CHECK(seen.strange == 0);
    return seen.files;
}

static inline void refresh(struct kept *k)
{
    struct qc_err err = { 0 };
    struct vault_call call = rig_call(&k->r);
    struct vault_refresh_result result = { 0 };
    CHECK_OK(vault_refresh(k->r.v, &call, &result, &err));
    CHECK(result.done && result.left == 0);
}
