/* The three sites of the profiles xor23, shamir and mirror: each is a vault of its own, with its own
 * configuration, gateway and share stores, beneath those of the user's (places_site). Part of the program
 * qcloud (layer 5); uses base, qrng, vault. */
#pragma once
#include "client.h"
#include "qrng/bulk.h"
#include "vault/xor23_sites.h"

/* {0} is none open. Sessions are borrowed by `s`. */
struct sites {
    struct client *of;                    /* the command's own, whose randomness and passphrases they use */
    struct client *site[SS_XOR23_SHARES]; /* NULL: not set up */
    struct vault *reader[SS_XOR23_SHARES];
    struct vault_xor23_sites s, readers;
    struct qrng_bulk *bulk;
    uint64_t given; /* by bulk, before this object */
    qc_rng bulk_rng;
    bool told; /* that a site's share is wrong or lacks */
};
void sites_done(struct sites *s);

/* 'A' */
char site_letter(unsigned i);
/* "A", "B" or "C" into 0..2. QC_USAGE. */
QC_MUST qc_rc site_parse(const char *word, unsigned *ret, struct qc_err *err);

/* A client in the vault of a site, with what it has of the command that asks: nothing is read or opened yet.
 * QC_NOMEM, QC_LIMIT */
QC_MUST qc_rc site_new(struct client *c, unsigned i, struct client **ret, struct qc_err *err);
void site_free(struct client **c);

/*
 * Open what there is; a site that is not there is told as a warning. The command's messages become those of
 * shares (class).
 * QC_NOTCONF  none is set up;  QC_USAGE  one is wrongly so;  QC_CANCELLED, QC_NOMEM, QC_PASSPHRASE
 */
QC_MUST qc_rc sites_open(struct client *c, enum msg_class class, struct sites *ret, struct qc_err *err);
/* Second sessions, for renewals. */
QC_MUST qc_rc sites_open_readers(struct sites *s, struct qc_err *err);

/* Tell each site's notes of the last operation, and forget them. True: some that --strict counts. */
bool sites_tell_notes(struct sites *s, qc_rc rc, qc_span name);
/* One object of a run; as client_object. */
bool sites_object(struct sites *s, qc_rc rc, qc_span name, const struct qc_err *why, qc_rc *worst);

QC_MUST qc_rc sites_put(struct sites *s, const struct vault_source *source, qc_span name,
                        const struct vault_put_opts *opts, struct qc_err *err);
/* New shares at all sites; sites_open_readers before it. */
QC_MUST qc_rc sites_renew(struct sites *s, qc_span name, struct qc_err *err);
/* file: where it goes, for the message; NULL: standard output. */
QC_MUST qc_rc sites_get(struct sites *s, qc_span name, const struct vault_sink *sink, const char *file,
                        struct qc_err *err);

/* The sites that a get found silent or wrong, as warnings. */
void sites_tell_report(struct sites *s, qc_span name, const struct vault_xor23_got *g);

/* A name of the listing; what: of the first site that has it, its size that of the data, to the byte above;
 * sites: bits of those that have it. Borrowed for the call. */
typedef qc_rc (*sites_list_fn)(void *ctx, const struct vault_stat *what, unsigned sites, struct qc_err *err);
/* All names below a prefix (as in vault_list) at any site, in byte order. */
QC_MUST qc_rc sites_list(struct sites *s, qc_span prefix, sites_list_fn fn, void *ctx, struct qc_err *err);

/* ls, stat, explain, rm, verify with a --profile of three sites. */
QC_MUST qc_rc shared_ls(struct client *c, const struct qc_args *args, struct qc_err *err);
QC_MUST qc_rc shared_stat(struct client *c, const struct qc_args *args, struct qc_err *err);
QC_MUST qc_rc shared_explain(struct client *c, const struct qc_args *args, struct qc_err *err);
QC_MUST qc_rc shared_rm(struct client *c, const struct qc_args *args, struct qc_err *err);
QC_MUST qc_rc shared_verify(struct client *c, const struct qc_args *args, struct qc_err *err);
