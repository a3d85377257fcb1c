/* The codes of a kit as a picture: libpng. The words' code above, and below it where the vault is. */
#include <png.h>

#include "kit.h"

enum { MODULE = 8, QUIET = 4 }; /* pixels of a module; modules of white around a code */

static unsigned side(const struct kit_code *c)
{
    return c->width == 0 ? 0 : (c->width + 2 * QUIET) * MODULE;
}

static void draw(uint8_t *pixel, unsigned row_bytes, const struct kit_code *c)
{
    const uint8_t *dark = c->dark.p;
    for (unsigned y = 0; y < c->width * MODULE; y++)
        for (unsigned x = 0; x < c->width * MODULE; x++)
            if ((dark[(y / MODULE) * c->width + x / MODULE] & 1) != 0)
                pixel[(size_t)(y + QUIET * MODULE) * row_bytes + QUIET * MODULE + x] = 0;
}

qc_rc kit_png(const struct kit_sheet *s, struct kit_file *ret, struct qc_err *err)
{
    QC_CLEANUP(kit_code_done) struct kit_code words = { 0 }, where = { 0 };
    QC_CLEANUP(qc_secret_free) struct qc_secret pixels = { 0 };
    QC_CLEANUP(kit_file_done) struct kit_file f = { 0 };
    QC_TRY(kit_code_words(s->words, &words, err));
    QC_TRY(kit_code_where(s->where, &where, err));
    const unsigned width = side(&words) > side(&where) ? side(&words) : side(&where);
    const unsigned height = side(&words) + side(&where);
    const size_t n = (size_t)width * height;
    QC_TRY(qc_secret_new_data(&pixels, n, err));
    memset(pixels.p, 0xff, n);
    draw(pixels.p, width, &words);
    draw((uint8_t *)pixels.p + (size_t)side(&words) * width, width, &where);
    png_image image = {
        .version = PNG_IMAGE_VERSION, .width = width, .height = height, .format = PNG_FORMAT_GRAY
    };
    png_alloc_size_t room = PNG_IMAGE_PNG_SIZE_MAX(image);
    QC_TRY(qc_secret_new_data(&f.bytes, room, err));
    if (png_image_write_to_memory(&image, f.bytes.p, &room, 0, pixels.p, (png_int_32)width, NULL) == 0)
        return QC_FAIL(err, QC_GENERAL, "the picture: %s", image.message);
    f.n = room;
    *ret = QC_STEAL(f);
    return QC_OK;
}
