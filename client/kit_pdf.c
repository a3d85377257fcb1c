/* The sheet of a kit: libharu. Its fonts are those that every reader of PDF brings. */
#include <hpdf.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/codec.h"
#include "base/crypto.h"
#include "kit.h"

enum {
    COLUMNS = 4,
    LINE_MAX = 100,  /* letters of a line of text */
    NAME_MAX_ = 240, /* bytes of a line that is cut to fit */
    BLOCK = 16,      /* before what libharu is given: its size */
};
#define LEFT   50.0F
#define RIGHT  545.0F
#define CODE   142.0F /* points of a code's side: 50 mm */
#define GREY   0.38F
#define INDENT 14.0F

void kit_file_done(struct kit_file *f)
{
    qc_secret_free(&f->bytes);
    f->n = 0;
}

/* --- what libharu is given, and asks of us --- */

/* Words pass through its memory: it is wiped when it is given back. */
static void *give(HPDF_UINT n)
{
    uint8_t *p = qc_alloc((size_t)n + BLOCK);
    if (p == NULL)
        return NULL;
    const size_t size = n;
    memcpy(p, &size, sizeof size);
    return p + BLOCK;
}

static void take_back(void *given)
{
    if (given == NULL)
        return;
    uint8_t *p = (uint8_t *)given - BLOCK;
    size_t size;
    memcpy(&size, p, sizeof size);
    qc_wipe(p, size + BLOCK);
    qc_free(p);
}

/* It keeps the first error itself, and does nothing more after it. */
static void told(HPDF_STATUS error, HPDF_STATUS detail, void *ctx)
{
    (void)error;
    (void)detail;
    (void)ctx;
}

struct sheet {
    const struct kit_sheet *s;
    HPDF_Doc pdf;
    HPDF_Page page;
    HPDF_Font plain, bold, fixed;
    float y;        /* of the next line, from below */
    bool has_where; /* there is a code of where the vault is */
};

static void sheet_done(struct sheet *p)
{
    if (p->pdf != NULL)
        HPDF_Free(p->pdf);
}

/* --- lines --- */

/* What is no printable ASCII (of a cloud's URL, say) is shown as ?. */
static void put(struct sheet *p, HPDF_Font font, float size, float x, float y, const char *text)
{
    char line[NAME_MAX_];
    size_t n = 0;
    for (; text[n] != '\0' && n + 1 < sizeof line; n++)
        line[n] = text[n] >= ' ' && text[n] < 0x7f ? text[n] : '?';
    line[n] = '\0';
    HPDF_Page_BeginText(p->page);
    HPDF_Page_SetFontAndSize(p->page, font, size);
    HPDF_Page_TextOut(p->page, x, y, line);
    HPDF_Page_EndText(p->page);
    qc_wipe(line, sizeof line);
}

static void put_right(struct sheet *p, HPDF_Font font, float size, float y, const char *text)
{
    HPDF_Page_SetFontAndSize(p->page, font, size);
    put(p, font, size, RIGHT - HPDF_Page_TextWidth(p->page, text), y, text);
}

static void grey(struct sheet *p, float level)
{
    HPDF_Page_SetGrayFill(p->page, level);
    HPDF_Page_SetGrayStroke(p->page, level);
}

/* Text in lines of at most `width` points; y goes down. */
static void paragraph(struct sheet *p, HPDF_Font font, float size, float x, float width, const char *text)
{
    char line[NAME_MAX_];
    HPDF_Page_SetFontAndSize(p->page, font, size);
    while (*text != '\0') {
        const HPDF_UINT fits = HPDF_Font_MeasureText(font, (const HPDF_BYTE *)text, (HPDF_UINT)strlen(text),
                                                     width, size, 0, 0, HPDF_TRUE, NULL);
        const size_t n = fits == 0 ? strlen(text) : fits;
        snprintf(line, sizeof line, "%.*s", (int)n, text);
        put(p, font, size, x, p->y, line);
        p->y -= size * 1.32F;
        text += n;
        while (*text == ' ')
            text++;
        if (fits == 0)
            break;
    }
}

static void heading(struct sheet *p, const char *text)
{
    p->y -= 6;
    put(p, p->bold, 11, LEFT, p->y, text);
    p->y -= 14;
}

static void rule(struct sheet *p)
{
    grey(p, 0.6F);
    HPDF_Page_SetLineWidth(p->page, 0.6F);
    HPDF_Page_MoveTo(p->page, LEFT, p->y);
    HPDF_Page_LineTo(p->page, RIGHT, p->y);
    HPDF_Page_Stroke(p->page);
    grey(p, 0);
    p->y -= 12;
}

/* --- parts of the page --- */

static void title(struct sheet *p)
{
    const struct vault_kit *kit = p->s->kit;
    char hex[2 * VAULT_ID_BYTES + 1], line[LINE_MAX];
    p->y = 782;
    put(p, p->bold, 25, LEFT, p->y, "qcloud recovery kit");
    put_right(p, p->bold, 17, p->y,
              kit->shares == 1                    ? "SHARE 1 of 2"
              : kit->shares == 2                  ? "SHARE 2 of 2"
              : kit->shares == VAULT_KIT_RECOVERY ? "RECOVERY KEY"
                                                  : "BOTH SHARES");
    p->y -= 21;
    qc_hex(qc_span_of(kit->vault, VAULT_ID_BYTES), hex);
    snprintf(line, sizeof line, "vault %.8s %.8s %.8s %.8s", hex, hex + 8, hex + 16, hex + 24);
    put(p, p->fixed, 10.5F, LEFT, p->y, line);
    snprintf(line, sizeof line, "generation %" PRIu32 ", printed %s", kit->generation, p->s->date);
    put_right(p, p->plain, 10.5F, p->y, line);
    p->y -= 12;
    rule(p);
}

static void what_it_is(struct sheet *p)
{
    const unsigned shares = p->s->kit->shares;
    char text[400];
    p->y += 4;
    heading(p, "What this sheet is");
    snprintf(text, sizeof text,
             "The %zu words below are the secret of %s of this vault. All shares of its objects come from "
             "it, those of "
             "objects that are stored later, too: with the words what is lost can be made again, at any "
             "time. Their "
             "order counts.",
             p->s->words->count,
             shares == 3   ? "both share stores"
             : shares == 1 ? "share store 1"
                           : "share store 2");
    if (shares == VAULT_KIT_RECOVERY)
        snprintf(
            text, sizeof text,
            "The %zu words below are the recovery key of this vault. Together with one of its two share "
            "stores "
            "they open everything, as both share stores do; without a share store they open nothing. They "
            "stay the same when shares are refreshed. Their order counts.",
            p->s->words->count);
    paragraph(p, p->plain, 9.5F, LEFT, RIGHT - LEFT, text);
}

static void words(struct sheet *p)
{
    const size_t count = p->s->words->count, rows = count / COLUMNS;
    const float step = rows > 10 ? 14.0F : 17.0F, height = (float)rows * step + 12,
                wide = (RIGHT - LEFT) / COLUMNS;
    char word[VAULT_KIT_WORD_MAX + 1], place[8];
    p->y -= 2;
    grey(p, 0.93F);
    HPDF_Page_Rectangle(p->page, LEFT, p->y - height, RIGHT - LEFT, height);
    HPDF_Page_Fill(p->page);
    for (size_t i = 0; i < count; i++) {
        const size_t column = i / rows;
        const float x = LEFT + 10 + (float)column * wide, y = p->y - 6 - step * (float)(i % rows) - step + 5;
        grey(p, GREY);
        snprintf(place, sizeof place, "%zu", i + 1);
        put(p, p->fixed, 9, i < 9 ? x + 5.4F : x, y, place); /* one digit's width */
        grey(p, 0);
        kit_word(p->s->words, i, word);
        put(p, p->fixed, 13, x + 18, y, word);
    }
    qc_wipe(word, sizeof word);
    p->y -= height + 16; /* white around the codes below */
}

static void code(struct sheet *p, const struct kit_code *c, float x)
{
    const float module = CODE / (float)c->width;
    const uint8_t *dark = c->dark.p;
    for (unsigned row = 0; row < c->width; row++)
        for (unsigned at = 0; at < c->width; at++) {
            unsigned run = 0; /* one rectangle for dark neighbours: fine lines between them would show */
            while (at + run < c->width && (dark[row * c->width + at + run] & 1) != 0)
                run++;
            if (run == 0)
                continue;
            HPDF_Page_Rectangle(p->page, x + module * (float)at, p->y - module * (float)(row + 1),
                                module * (float)run, module);
            at += run;
        }
    HPDF_Page_Fill(p->page);
}

/* A line that has no blanks, in as many rows as it takes above the line `end`. False: there was no room. */
static bool broken(struct sheet *p, float size, float x, float end, const char *text)
{
    char row[NAME_MAX_];
    size_t left = strlen(text);
    HPDF_Page_SetFontAndSize(p->page, p->plain, size);
    while (left > 0 && p->y > end) {
        HPDF_UINT fits = HPDF_Font_MeasureText(p->plain, (const HPDF_BYTE *)text, (HPDF_UINT)left, RIGHT - x,
                                               size, 0, 0, HPDF_FALSE, NULL);
        if (fits == 0 || fits >= sizeof row)
            fits = sizeof row - 1;
        const size_t n = fits < left ? fits : left;
        snprintf(row, sizeof row, "%.*s", (int)n, text);
        put(p, p->plain, size, x, p->y, row);
        p->y -= size * 1.2F;
        text += n;
        left -= n;
    }
    return left == 0;
}

/* One cloud: its name, and beside or beneath it its URL. */
static bool place(struct sheet *p, float x, float end, const struct vault_cloud *cloud)
{
    const float size = 7;
    char name[NAME_MAX_];
    snprintf(name, sizeof name, "%s", cloud->name);
    put(p, p->bold, size, x, p->y, name);
    HPDF_Page_SetFontAndSize(p->page, p->bold, size);
    const float wide = HPDF_Page_TextWidth(p->page, name) + 4;
    if (wide > (RIGHT - x) / 3)
        p->y -= size * 1.2F;
    const bool whole = broken(p, size, wide > (RIGHT - x) / 3 ? x + INDENT : x + wide, end, cloud->url);
    p->y -= 1.5F;
    return whole;
}

/* Beside the codes: where the vault is, in letters. What does not fit is counted, and not cut. */
static void places(struct sheet *p, float x)
{
    const struct vault_descriptor *d = p->s->d;
    char line[NAME_MAX_];
    const float below = p->y, end = below - CODE + 8;
    size_t told = 0;
    put(p, p->bold, 9.5F, x, p->y - 8, "Where the vault is");
    p->y -= 22;
    if (d->url != NULL) {
        put(p, p->plain, 8, x, p->y, "at the gateway");
        p->y -= 11;
        (void)broken(p, 8, x, end, d->url);
    } else {
        snprintf(line, sizeof line, "%zu clouds, any %u of %u are enough:", d->cloud_count, d->k, d->n);
        put(p, p->plain, 8, x, p->y, line);
        p->y -= 11;
    }
    while (told < d->cloud_count && p->y > end && place(p, x, end, &d->clouds[told]))
        told++;
    if (told < d->cloud_count) {
        snprintf(line, sizeof line, "and %zu more: write them down", d->cloud_count - told);
        put(p, p->bold, 7, x, end - 8, line);
    }
    p->y = below;
}

static qc_rc codes(struct sheet *p, struct qc_err *err)
{
    QC_CLEANUP(kit_code_done) struct kit_code secret = { 0 }, where = { 0 };
    const float second = LEFT + CODE + 24;
    QC_TRY(kit_code_words(p->s->words, &secret, err));
    QC_TRY(kit_code_where(p->s->where, &where, err));
    code(p, &secret, LEFT);
    p->has_where = where.width > 0;
    if (p->has_where)
        code(p, &where, second);
    places(p, p->has_where ? second + CODE + 18 : second);
    p->y -= CODE + 10;
    put(p, p->bold, 8, LEFT, p->y, "the words: SECRET");
    if (p->has_where)
        put(p, p->plain, 8, second, p->y, "where the vault is: not secret");
    p->y -= 10;
    return QC_OK;
}

static void step(struct sheet *p, const char *when, const char *command)
{
    put(p, p->plain, 9.5F, LEFT, p->y, when);
    put(p, p->fixed, 8.5F, LEFT + 208, p->y, command);
    p->y -= 13.5F;
}

static void what_to_do(struct sheet *p)
{
    const unsigned shares = p->s->kit->shares;
    const bool local = p->s->d->url == NULL;
    const char *gateway = local ? "--take-over" : "--gateway URL --token-file FILE";
    char when[LINE_MAX], line[LINE_MAX], text[480];
    heading(p, "What to do");
    for (unsigned i = 1; i <= 2; i++)
        if (shares != VAULT_KIT_RECOVERY && (shares & i) != 0) {
            snprintf(when, sizeof when, "Share store %u is lost, the other is there:", i);
            snprintf(line, sizeof line, "qcloud recover --share %u --from-kit -", i);
            step(p, when, line);
        }
    if (shares == VAULT_KIT_RECOVERY)
        step(p, "A share store is lost (N: 1 or 2), the other is there:",
             "qcloud recover --share N --from-kit -");
    snprintf(line, sizeof line, "qcloud init --join DIR --from-kit - %s", gateway);
    step(p, "The machine is lost, a share store is there:", line);
    snprintf(line, sizeof line, "qcloud init --from-kit - %s", gateway);
    if (shares == VAULT_KIT_RECOVERY)
        step(p, "To read, before a lost share store is made anew:", "qcloud --recovery-kit - get NAME FILE");
    else
        step(p, "Both share stores are lost:", line);
    snprintf(
        text, sizeof text,
        "These commands ask for the words; four letters of each are enough. Or scan %s into a file%s, and "
        "name it "
        "instead of -.%s \"qcloud kit verify -\" says whether words are this kit's, and where a mistake is.",
        p->has_where ? "both codes" : "the code", p->has_where ? ", one after the other" : "",
        !local         ? ""
        : p->has_where ? " Words alone do not say where the vault is: add --cloud NAME=URL for each cloud."
                       : " To the last one add --cloud NAME=URL for each cloud.");
    paragraph(p, p->plain, 8.5F, LEFT, RIGHT - LEFT, text);
}

static void warnings(struct sheet *p)
{
    const struct vault_kit *kit = p->s->kit;
    const struct vault_descriptor *d = p->s->d;
    char text[640];
    const float top = p->y - 2;
    p->y -= 17;
    put(p, p->bold, 10, LEFT + 10, p->y, "Keep it like the key to a safe");
    p->y -= 13;
    if (kit->shares == 3)
        snprintf(text, sizeof text,
                 "Both local shares stand here. Whoever reads these words and gets into the gateway, or into "
                 "%u of your %u "
                 "clouds, can read everything in this vault, now and later; one cloud is enough for a part. "
                 "Without any "
                 "of them the sheet opens nothing.",
                 d->k, d->n);
    else
        snprintf(text, sizeof text,
                 "Whoever reads these words and gets into the gateway, or into %u of your %u clouds, can "
                 "read everything in "
                 "this vault, now and later. Without them, or without the other share and a cloud, the sheet "
                 "opens nothing. "
                 "Keep it apart from share %u, its sheet, and the keys to the clouds.",
                 d->k, d->n, 3 - kit->shares);
    if (kit->shares == VAULT_KIT_RECOVERY)
        snprintf(
            text, sizeof text,
            "Whoever reads these words, has one of the share stores and gets into the gateway, or into %u of "
            "your "
            "%u clouds, can read everything in this vault. Keep it apart from both share stores. A copy of "
            "it "
            "cannot be called back: a new vault is what helps then. When this sheet is lost, print it again "
            "while both share stores are there: from then on each loss may be final.",
            d->k, d->n);
    paragraph(p, p->plain, 9, LEFT + 10, RIGHT - LEFT - 20, text);
    snprintf(text, sizeof text,
             "A passphrase of a share store does not protect the sheet. Printers and copiers may remember "
             "pages. Losing the sheet loses no data while %s.",
             kit->shares == VAULT_KIT_RECOVERY ? "both share stores are there" : "a share store is left");
    paragraph(p, p->plain, 9, LEFT + 10, RIGHT - LEFT - 20, text);
    HPDF_Page_SetLineWidth(p->page, 1.2F);
    HPDF_Page_Rectangle(p->page, LEFT, p->y + 2, RIGHT - LEFT, top - p->y - 2);
    HPDF_Page_Stroke(p->page);
}

/* For a pen. */
static void notes(struct sheet *p)
{
    p->y -= 26;
    grey(p, GREY);
    put(p, p->plain, 9, LEFT, p->y, "Kept at ..............................................................");
    put(p, p->plain, 9, LEFT + 260, p->y, "Checked with qcloud kit verify on ...........................");
    grey(p, 0);
}

static qc_rc draw(struct sheet *p, struct qc_err *err)
{
    title(p);
    what_it_is(p);
    words(p);
    QC_TRY(codes(p, err));
    what_to_do(p);
    warnings(p);
    notes(p);
    return QC_OK;
}

static qc_rc save(struct sheet *p, struct kit_file *ret, struct qc_err *err)
{
    QC_CLEANUP(kit_file_done) struct kit_file f = { 0 };
    if (HPDF_SaveToStream(p->pdf) != HPDF_OK)
        return QC_FAIL(err, QC_NOMEM, "the page: error %lu of the PDF library", HPDF_GetError(p->pdf));
    HPDF_UINT32 n = HPDF_GetStreamSize(p->pdf);
    QC_TRY(qc_secret_new_data(&f.bytes, n, err));
    if (HPDF_ResetStream(p->pdf) != HPDF_OK || HPDF_ReadFromStream(p->pdf, f.bytes.p, &n) != HPDF_OK)
        return QC_FAIL(err, QC_NOMEM, "the page: error %lu of the PDF library", HPDF_GetError(p->pdf));
    f.n = n;
    *ret = QC_STEAL(f);
    return QC_OK;
}

qc_rc kit_pdf(const struct kit_sheet *s, struct kit_file *ret, struct qc_err *err)
{
    QC_CLEANUP(sheet_done) struct sheet p = { .s = s };
    p.pdf = HPDF_NewEx(told, give, take_back, 0, NULL);
    if (p.pdf == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a page");
    p.page = HPDF_AddPage(p.pdf);
    p.plain = HPDF_GetFont(p.pdf, "Helvetica", NULL);
    p.bold = HPDF_GetFont(p.pdf, "Helvetica-Bold", NULL);
    p.fixed = HPDF_GetFont(p.pdf, "Courier-Bold", NULL);
    if (p.page == NULL || p.plain == NULL || p.bold == NULL || p.fixed == NULL)
        return QC_FAIL(err, QC_NOMEM, "no memory for a page");
    HPDF_Page_SetSize(p.page, HPDF_PAGE_SIZE_A4, HPDF_PAGE_PORTRAIT);
    HPDF_SetInfoAttr(p.pdf, HPDF_INFO_TITLE, "qcloud recovery kit");
    HPDF_SetInfoAttr(p.pdf, HPDF_INFO_CREATOR, "qcloud");
    QC_TRY(draw(&p, err));
    if (HPDF_GetError(p.pdf) != HPDF_OK)
        return QC_FAIL(err, QC_NOMEM, "the page: error %lu of the PDF library", HPDF_GetError(p.pdf));
    return save(&p, ret, err);
}
