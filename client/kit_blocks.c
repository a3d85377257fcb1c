/* The codes of a kit on a terminal: two modules, one above the other, to a character. */
#include <stdio.h>

#include "kit.h"

enum {
    QUIET = 4,      /* modules of white around a code */
    BLOCK_BYTES = 3 /* of a character, at most */
};

/* Is that module white? Whatever lies outside is. */
static bool is_white(const struct kit_code *c, unsigned x, unsigned y)
{
    const uint8_t *dark = c->dark.p;
    if (x < QUIET || y < QUIET || x >= QUIET + c->width || y >= QUIET + c->width)
        return true;
    return (dark[(y - QUIET) * c->width + x - QUIET] & 1) == 0;
}

/* White is what is written: the usual terminal writes light on dark, and with colour every one does. */
static const char *block(bool upper, bool lower)
{
    return upper ? lower ? "\xe2\x96\x88" : "\xe2\x96\x80" : lower ? "\xe2\x96\x84" : " ";
}

static size_t room_of(const struct kit_code *c)
{
    const size_t side = c->width + 2 * QUIET;
    return c->width == 0 ? 0 : (side + 1) / 2 * (side * BLOCK_BYTES + 32);
}

static void draw(struct kit_file *f, size_t room, const struct kit_code *c, bool colour)
{
    char *const out = f->bytes.p;
    const unsigned side = c->width == 0 ? 0 : c->width + 2 * QUIET;
    for (unsigned y = 0; y < side; y += 2) {
        f->n += (size_t)snprintf(out + f->n, room - f->n, "%s", colour ? "\033[97;40m" : "");
        for (unsigned x = 0; x < side; x++)
            f->n += (size_t)snprintf(out + f->n, room - f->n, "%s",
                                     block(is_white(c, x, y), y + 1 < side && is_white(c, x, y + 1)));
        f->n += (size_t)snprintf(out + f->n, room - f->n, "%s\n", colour ? "\033[0m" : "");
    }
}

qc_rc kit_blocks(const struct kit_sheet *s, bool colour, struct kit_file *ret, struct qc_err *err)
{
    QC_CLEANUP(kit_code_done) struct kit_code words = { 0 }, where = { 0 };
    QC_CLEANUP(kit_file_done) struct kit_file f = { 0 };
    QC_TRY(kit_code_words(s->words, &words, err));
    QC_TRY(kit_code_where(s->where, &where, err));
    const size_t room = room_of(&words) + room_of(&where) + 1;
    QC_TRY(qc_secret_new_data(&f.bytes, room, err));
    draw(&f, room, &words, colour);
    draw(&f, room, &where, colour);
    QC_ASSERT(f.n < room);
    *ret = QC_STEAL(f);
    return QC_OK;
}
