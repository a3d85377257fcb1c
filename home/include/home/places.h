/* Where the configuration, the state and the default share stores of this user live. Layer 4; uses base.
 *
 *   QCLOUD_HOME=H     H/qcloud.conf, H/state, H/data
 *   otherwise         $XDG_CONFIG_HOME/qcloud/qcloud.conf (~/.config), $XDG_STATE_HOME/qcloud
 * (~/.local/state), $XDG_DATA_HOME/qcloud (~/.local/share); relative values are ignored, as the standard says
 *
 * A vault of a name has folders of its own beneath each of these, vaults/NAME, and in them all that the one
 * without a name has (docs/adr/0081). The gateway's state is in <state>/gateway (mode 0700). */
#pragma once
#include "base/buf.h"

struct places {
    char conf_dir[QC_CLIENT_PATH_MAX];
    char conf_file[QC_CLIENT_PATH_MAX];
    char state[QC_CLIENT_PATH_MAX];
    char gateway[QC_CLIENT_PATH_MAX];
    char data[QC_CLIENT_PATH_MAX];
};

/* From the environment. QC_NOTCONF: neither QCLOUD_HOME nor HOME is set; QC_LIMIT: a path is too long. */
QC_MUST qc_rc places_find(struct places *ret, struct qc_err *err);
/* Those that QCLOUD_HOME=home says. QC_USAGE, QC_LIMIT: places_absolute's. */
QC_MUST qc_rc places_beneath(const char *home, struct places *ret, struct qc_err *err);
/* Those of the vault of a name: vaults/NAME beneath each. QC_USAGE: no such name can be; QC_LIMIT. */
QC_MUST qc_rc places_vault(struct places *p, const char *name, struct qc_err *err);
/* The names of the vaults that there are, each handed to fn, in no order; p: the places without a name. What
 * is no vault's folder is passed over, and so is a folder that cannot be read. */
void places_vaults(const struct places *p, void (*fn)(void *ctx, const char *name), void *ctx);
/* With the configuration in this file; all else stays where it is. QC_USAGE: a path that ends in a folder, or
 * places_absolute's; QC_LIMIT. */
QC_MUST qc_rc places_config(struct places *p, const char *file, struct qc_err *err);
/* places_find, then the vault and the configuration that QCLOUD_VAULT and QCLOUD_CONFIG name. Errors of these
 * three: with the variable. */
QC_MUST qc_rc places_by_environment(struct places *ret, struct qc_err *err);
/* The value of a variable of the environment that is set and not empty, or NULL. */
const char *places_variable(const char *name);
/* Removes folders that are empty: of the gateway, the state and the configuration, those of a vault or site
 * with the folders that were made for them. */
void places_unmake(const struct places *p);
/* Those of a site of the profile xor23: sites/A beneath each. QC_LIMIT. */
QC_MUST qc_rc places_site(struct places *p, char letter, struct qc_err *err);
/* path, made absolute against the working directory and without empty, `.` and `..` components; it need not
 * exist. QC_USAGE: empty, with a control character or a blank at its end (the configuration is text);
 * QC_LIMIT. */
QC_MUST qc_rc places_absolute(const char *path, char ret[QC_CLIENT_PATH_MAX], struct qc_err *err);
/* A path below dir: dir/name. QC_LIMIT. */
QC_MUST qc_rc places_join(const char *dir, const char *name, char ret[QC_CLIENT_PATH_MAX],
                          struct qc_err *err);
/* The directory of a file:// URL. False: another kind of cloud, or too long. */
bool places_directory_of(const char *url, char ret[QC_CLIENT_PATH_MAX]);
/* inner is outer itself or lies below it; both absolute and clean. */
bool places_within(const char *inner, const char *outer);
/* The device that holds path, or the nearest directory above it that exists. QC_AUTH, QC_IO. */
QC_MUST qc_rc places_device(const char *path, uint64_t *ret, struct qc_err *err);
