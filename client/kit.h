/* Recovery kits on paper: the sheet, and what is read of one. Part of the program qcloud (layer 5); uses
 * base, vault. Words are in locked memory here; what the libraries make of them on the way to a file is wiped
 * where they let us (I5): it is to stand on paper anyway. */
#pragma once
#include "base/secret.h"
#include "client.h"
#include "vault/kit.h"

extern const struct qc_opt kit_print_opts[], kit_restore_opts[];

/* --- printing --- */

/* What a sheet says. Borrowed. */
struct kit_sheet {
    const struct vault_kit *kit;
    const struct vault_kit_words *words;
    const struct vault_descriptor *d;
    qc_span where;    /* d as JSON text */
    const char *date; /* of printing */
};

/* A file's bytes. */
struct kit_file {
    struct qc_secret bytes;
    size_t n;
};
void kit_file_done(struct kit_file *f);

/* One A4 page. QC_NOMEM;  QC_LIMIT  a code would be too large to print */
QC_MUST qc_rc kit_pdf(const struct kit_sheet *s, struct kit_file *ret, struct qc_err *err);
/* The codes alone. */
QC_MUST qc_rc kit_png(const struct kit_sheet *s, struct kit_file *ret, struct qc_err *err);
/* The codes in blocks of UTF-8, two modules to a character; colour: black on white whatever the terminal's
 * own colours are, else for one that writes white on black. */
QC_MUST qc_rc kit_blocks(const struct kit_sheet *s, bool colour, struct kit_file *ret, struct qc_err *err);

/* A QR code: width modules in a row; bit 0 of each byte: dark. */
struct kit_code {
    struct qc_secret dark;
    unsigned width; /* 0: there is none */
};
void kit_code_done(struct kit_code *c);
/* The words in capitals, with blanks between them. */
QC_MUST qc_rc kit_code_words(const struct vault_kit_words *words, struct kit_code *ret, struct qc_err *err);
/* Where the vault is; width 0 where that is too long for a code that a printer and a camera get right. */
QC_MUST qc_rc kit_code_where(qc_span where, struct kit_code *ret, struct qc_err *err);

/* Word i (from 0), with a zero behind it; in locked memory of the caller's. */
void kit_word(const struct vault_kit_words *words, size_t i, char out[VAULT_KIT_WORD_MAX + 1]);

/* --- reading --- */

struct kit_given {
    struct vault_kit kit;
    struct vault_descriptor d;
    bool has_d; /* it says where the vault is */
};
void kit_given_done(struct kit_given *g);
/*
 * The kit in a file, or "-": of standard input, which says what to type where it is a terminal. Lines that
 * begin with # are passed over; one that begins with { is the descriptor; all others are words. QC_USAGE: it
 * is no kit, and why.
 */
QC_MUST qc_rc kit_read(struct client *c, const char *file, struct kit_given *ret, struct qc_err *err);
/* --recovery-kit, where it was given, into c->W. QC_USAGE: it is another kit, or another vault's. */
QC_MUST qc_rc kit_take_recovery(struct client *c, const struct qc_args *args, struct qc_err *err);
/* Where the command line says that a kit is read: --from-kit, or the options of kit restore; NULL: nowhere.
 */
const char *kit_place(const struct qc_args *args);
/* That kit, where there is one. *ret_given: it is one of shares; that of a recovery key goes to c->W. */
QC_MUST qc_rc kit_take(struct client *c, const struct qc_args *args, struct kit_given *ret, bool *ret_given,
                       struct qc_err *err);
