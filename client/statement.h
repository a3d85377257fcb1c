/* What qcloud protects and what it does not, in the words that init and status say. docs/THREATS.md has the
 * same. */
#pragma once

#define STATEMENT                                                                                            \
    "Your clouds and your gateway together cannot read anything, today or with a quantum computer, as far "  \
    "as AES-256 and SHA-256 hold. Whoever has one of your two share stores, with its passphrase if it has "  \
    "one, and also your gateway, or enough of your clouds (k of n where all are used), can read "            \
    "everything; whoever has both share stores and one cloud can read a part. Lose both share stores, or "   \
    "their passphrase, and nobody, you included, can read anything again. Sizes, times, numbers of files "   \
    "and the shape of folders are not hidden."

/* In their place with --recovery kit. */
#define STATEMENT_SEALED                                                                                     \
    "Your clouds and your gateway together cannot read anything, today or with a quantum computer, as far "  \
    "as AES-256 and SHA-256 hold; nor can they with one of your two share stores: what would open objects "  \
    "with it is sealed under the recovery kit. Whoever has that kit and a share store, and also your "       \
    "gateway or enough of your clouds, can read everything; whoever has both share stores and one cloud "    \
    "can read a part. While a share store is not there nothing can be read or listed without the kit. Lose " \
    "a share store and the kit, or both share stores, and nobody, you included, can read anything again. "   \
    "Sizes, times, numbers of files and the shape of folders are not hidden."

/* In their place with --backup-to. */
#define STATEMENT_KEPT                                                                                       \
    "Your clouds and your gateway together cannot read anything, today or with a quantum computer, as far "  \
    "as AES-256 and SHA-256 hold; nor can they with one of your two share stores, nor with the keeper: "     \
    "what would open objects with a share store is with the keeper alone. Whoever has the keeper's place "   \
    "and a share store, and also your gateway or enough of your clouds, can read everything; whoever has "   \
    "both share stores and one cloud can read a part. While a share store is not there nothing can be read " \
    "without the keeper, and while the keeper is not there nothing is stored. Lose a share store and the "   \
    "keeper, or both share stores, and nobody, you included, can read anything again. Sizes, times, "        \
    "numbers of files and the shape of folders are not hidden."

/* The right one of the three. */
static inline const char *client_statement(bool recovers, bool kept)
{
    return recovers ? STATEMENT_SEALED : kept ? STATEMENT_KEPT : STATEMENT;
}

/* What is otherwise with --mode derived. */
#define STATEMENT_DERIVED                                                                                    \
    "All shares come from two seeds, one in each share store: a copy of one stands for all objects, those "  \
    "stored later too, and the removal of one object's shares is not possible."
