/* Text for people and for JSON out of bytes that anybody may have chosen. Part of the program qcloud (layer
 * 5); uses base. Pure functions. */
#pragma once
#include "base/buf.h"
#include "base/json.h"

/* Length of the UTF-8 sequence at p (1..4), or 0: not UTF-8, or n is 0. Overlong forms and surrogates are
 * refused. */
size_t text_utf8(const uint8_t *p, size_t n);
bool text_is_utf8(qc_span s);
/* Appends s with control characters, DEL, what turns the direction of writing, bytes that are not UTF-8,
 * backslashes and single quotes written \xHH, \\ and \', so that a name can neither move a terminal's cursor
 * nor end its quotes. QC_LIMIT, QC_NOMEM. */
QC_MUST qc_rc text_escape(qc_span s, qc_buf *ret, struct qc_err *err);
/* The same without the backslashes and quotes: for whole lines, in which names are escaped already. */
QC_MUST qc_rc text_harmless(qc_span s, qc_buf *ret, struct qc_err *err);
/* The same within single quotes. */
QC_MUST qc_rc text_quote(qc_span s, qc_buf *ret, struct qc_err *err);
/* Appends s, each byte that is no UTF-8 replaced by U+FFFD. */
QC_MUST qc_rc text_lossy(qc_span s, qc_buf *ret, struct qc_err *err);
/* "key": text with what is not UTF-8 replaced. QC_LIMIT, QC_NOMEM. */
QC_MUST qc_rc text_json(struct json_t *obj, const char *key, qc_span text, struct qc_err *err);
/* A sentence in lines of at most so many columns, each letter taken for one, broken at blanks; all but the
 * first are indented. A word that is longer stands alone. SIZE_MAX columns: as it is. */
QC_MUST qc_rc text_wrap(qc_span s, size_t columns, size_t indent, qc_buf *ret, struct qc_err *err);
/* A word for a shell: as it stands where that is safe, else in quotes. */
QC_MUST qc_rc text_shell(qc_span s, qc_buf *ret, struct qc_err *err);

enum { TEXT_SIZE = 24, TEXT_SPAN = 24 };
/* How sizes are written: by powers of 1024, of 1000, or as bytes. Once, before there are threads. */
enum text_units { TEXT_IEC, TEXT_SI, TEXT_RAW };
void text_units(enum text_units u);
/* "0 B", "17 B", "1.5 GiB": rounded down; or "1.6 GB", "1610612736 B". All sizes in texts for people. */
void text_size(uint64_t bytes, char out[TEXT_SIZE]);
/* The ending of a counted word: "" for one, else "s". */
const char *text_s(uint64_t n);
/* "0.4s", "12s", "3m18s", "2h05m". */
void text_span(uint64_t ms, char out[TEXT_SPAN]);
