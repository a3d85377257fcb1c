/* The configuration file qcloud.conf: sections and `key = value`. Layer 4; uses base,
 * net, qkd, vault.
 *
 *   # comment (also ;), whole lines only
 *   [vault]
 *   id = 32 hex digits
 *   share1 = /absolute/path | label:NAME:DIR           the directory DIR of a removable disk (home/disks.h)
 *   share2 = the same
 *   pad = yes | no; no when not given                  sizes of what is put are padded
 *   backup-to = file:///absolute/path | s3+https://..  the keeper of backup data, where the vault has one
 *   backup-credentials = /absolute/path | aws:PROFILE  its keys, where it is a bucket
 *   gateway = local | unix:/absolute/path | http://127.0.0.1:PORT | https://HOST[:PORT] |
 *             qkd-tls://HOST[:PORT]
 *   [gateway]
 *   idle = seconds, 1 .. 86400; 30 when not given      of the local one
 *   token-file = /absolute/path                        of one for many users
 *   ca = /absolute/path                                with https: who may vouch for it
 *   link = /absolute/path                              with http: the status socket of the qcloud-link there
 *   level = otp | qkd-tls | tls | plain                the least at which anything goes to it
 *   limit-rate = RATE | TIMETABLE                      at most so many bytes a second: net/rate.h
 *   [qkd]                                              with qkd-tls: see qkd/keyed.h
 *
 * Strict: an unknown section or key is refused with the nearest one, a key given twice is refused. Written
 * whole and durably; nothing in it is secret. */
#pragma once
#include "base/buf.h"
#include "base/ini.h"
#include "base/key.h"
#include "home/disks.h"
#include "home/places.h"
#include "qkd/keyed.h"

enum {
    CONF_ID_BYTES = 16,
    CONF_LEVEL_MAX = 16,
    CONF_IDLE_DEFAULT = 30,
    CONF_URL_MAX = QC_CLIENT_PATH_MAX + 8,
    CONF_KEEPER_MAX = 1024,
};

struct conf {
    bool has_vault;
    uint8_t vault[CONF_ID_BYTES];
    char share[2][QC_CLIENT_PATH_MAX]; /* of one on a disk: where that is now, or (absent) nowhere */
    char disk[2][DISK_PLACE_MAX];      /* label:NAME:DIR; empty: it has a path of its own */
    struct qc_err absent[2]; /* its disk was looked for, and is not there; rc QC_OK: no such thing */
    bool pad;
    char keeper[CONF_KEEPER_MAX];             /* empty: there is none */
    char keeper_credentials[CONF_KEEPER_MAX]; /* empty: not said */
    uint32_t idle_s;
    char gateway[CONF_URL_MAX];                                  /* empty: the user's own, on demand */
    char token_file[QC_CLIENT_PATH_MAX], ca[QC_CLIENT_PATH_MAX]; /* empty: not said */
    char link[QC_CLIENT_PATH_MAX], level[CONF_LEVEL_MAX];        /* as well */
    char limit_rate[NET_RATE_TEXT_MAX];                          /* as well */
    struct qkd_keyed qkd;                                        /* as well */
    unsigned line[QC_INI_KEYS_MAX]; /* of each key in the file, from 1; 0: the file does not say it */
};

/* What to run next where qcloud.conf or random.conf says what makes no sense. */
extern const char conf_correct[];

/* The least level of the way to the gateway, and whether that goes together with its address and its link.
 * QC_USAGE */
QC_MUST qc_rc conf_level(struct conf *c, qc_span v, struct qc_err *err);
QC_MUST qc_rc conf_way_check(const struct conf *c, struct qc_err *err);
/* KEY=VALUE of section [qkd]. QC_USAGE: with the nearest key */
QC_MUST qc_rc conf_qkd(struct conf *c, const char *given, struct qc_err *err);
/* Is section [qkd] there where the gateway's address wants it, and whole? QC_USAGE, QC_NOTCONF: with the key
 */
QC_MUST qc_rc conf_qkd_check(const struct conf *c, struct qc_err *err);
/* Do backup-to and backup-credentials make sense? Looks at nothing. QC_USAGE */
QC_MUST qc_rc conf_keeper_check(const struct conf *c, struct qc_err *err);
/* The keeper (home/keeper.h), for vault_conf; *ret stays NULL where there is none. QC_NOMEM */
struct vault_keeper;
QC_MUST qc_rc conf_keeper(const struct conf *c, struct vault_keeper **ret, struct qc_err *err);
/* How a gateway for many users is reached, by all of the above; borrowed from c, and token. */
struct vault_gw_remote;
void conf_remote(const struct conf *c, const qc_key *token, struct vault_gw_remote *ret);

/* QC_USAGE: with the line's number; QC_NOTCONF: a key is missing that a vault needs. A text without [vault]
 * is fine: has_vault is false. */
QC_MUST qc_rc conf_parse(qc_span text, struct conf *ret, struct qc_err *err);
/* Appends the text; the values must be legal (asserted). */
QC_MUST qc_rc conf_print(const struct conf *c, qc_buf *ret, struct qc_err *err);
/* Of share store i (0, 1), for vault_conf: its disk, and why it is not there. Borrowed; or NULL. */
const char *conf_named(const struct conf *c, unsigned i);
const char *conf_absent(const struct conf *c, unsigned i);
/* Look for the disks of share stores: share and absent follow. A disk that is not there is no failure. */
void conf_find_disks(struct conf *c);
/* With the disks of share stores looked for. QC_NOTCONF: there is no file; QC_AUTH; QC_LIMIT; conf_parse's.
 */
QC_MUST qc_rc conf_load(const struct places *p, struct conf *ret, struct qc_err *err);
/* The keys that there are, "vault.share1" and so on, in the order in which they are printed: the one with
 * this number, or NULL. */
const char *conf_key(size_t i);
/* What key i says, appended; *ret_said: it stands in the file, or follows from what does. */
QC_MUST qc_rc conf_value(const struct conf *c, size_t i, qc_buf *ret, bool *ret_said, struct qc_err *err);
/* Key i says value, and not what the file says: for an environment. conf_check is to follow, and
 * conf_find_disks. QC_USAGE: no such value can be */
QC_MUST qc_rc conf_override(struct conf *c, size_t i, qc_span value, struct qc_err *err);
/* The variable of the environment that may say key i, a place, instead of the file; or NULL. */
const char *conf_variable(size_t i);
/* What these say holds, as if the file said it; disks are looked for anew then. QC_USAGE, QC_NOTCONF: with
 * the variable, of a value that cannot be, alone or beside the other keys. */
QC_MUST qc_rc conf_environment(struct conf *c, struct qc_err *err);
/* Do its keys make sense together? Looks at nothing. QC_USAGE, QC_NOTCONF */
QC_MUST qc_rc conf_check(const struct conf *c, struct qc_err *err);
/* The number of a key. QC_USAGE: there is none such, with the nearest. */
QC_MUST qc_rc conf_find(const char *key, size_t *ret, struct qc_err *err);
/*
 * text with key i set to value, appended to ret: its line is replaced, or one is added to its section, or the
 * section at the end. Comments and all else stay as they are. QC_USAGE: what comes out would be refused, or
 * the value has more than one line.
 */
QC_MUST qc_rc conf_set(qc_span text, size_t i, qc_span value, qc_buf *ret, struct qc_err *err);
/* The same of backup-to and backup-credentials (NULL: none), both of which are replaced. */
QC_MUST qc_rc conf_set_keeper(qc_span text, const char *url, const char *credentials, qc_buf *ret,
                              struct qc_err *err);
/* The file as it is, appended; conf_load's errors but those of parsing. */
QC_MUST qc_rc conf_text(const struct places *p, qc_buf *ret, struct qc_err *err);
/* Replaces the file by text, durably, and makes its directory. The name that it has is that of places. */
QC_MUST qc_rc conf_save_text(const struct places *p, qc_span text, struct qc_err *err);
/* Replaces the file durably, and makes its directory. */
QC_MUST qc_rc conf_save(const struct places *p, const struct conf *c, struct qc_err *err);
