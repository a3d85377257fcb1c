#include "base/screen.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { COLUMNS = 80, ROWS = 24, SLICE_MS = 200 };

static void size_of(FILE *to, struct qc_screen *ret)
{
    struct winsize size;
    const bool known = ioctl(fileno(to), TIOCGWINSZ, &size) == 0;
    ret->columns = known && size.ws_col > 0 ? size.ws_col : COLUMNS;
    ret->rows = known && size.ws_row > 0 ? size.ws_row : ROWS;
}

bool qc_screen_of(FILE *to, struct qc_screen *ret)
{
    const char *term = getenv("TERM");
    const int fd = fileno(to);
    if (fd < 0 || isatty(fd) != 1 || term == NULL || term[0] == '\0' || strcmp(term, "dumb") == 0)
        return false;
    if (ret != NULL)
        size_of(to, ret);
    return true;
}

/* Bytes of the first letters of a line: a letter ends where the next one begins. */
static size_t letters(qc_span line, size_t most)
{
    size_t i = 0, seen = 0;
    for (; i < line.n; i++) {
        seen += (line.p[i] & 0xC0) != 0x80;
        if (seen > most)
            break;
    }
    return i;
}

static size_t lines_of(qc_span text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n';
    return n + (text.n > 0 && text.p[text.n - 1] != '\n');
}

static qc_rc add_line(qc_span line, size_t columns, qc_buf *ret, struct qc_err *err)
{
    QC_TRY(qc_buf_add(ret, QC_LIT("\033[K"),
                      err)); /* behind a line that is full it would take its last letter */
    QC_TRY(qc_buf_add(ret, qc_span_sub(line, 0, letters(line, columns)), err));
    return qc_buf_add(ret, QC_LIT("\n"), err);
}

qc_rc qc_screen_frame(qc_span text, const struct qc_screen *s, qc_buf *ret, struct qc_err *err)
{
    const size_t all = lines_of(text);
    const size_t room = s->rows > 1 ? s->rows - 1 : 1; /* the cursor has the last row */
    const size_t shown = all <= room ? all : room - 1;
    QC_TRY(qc_buf_add(ret, QC_LIT("\033[?7l\033[H"), err)); /* no line goes on in the next row */
    for (size_t i = 0; i < shown; i++) {
        const uint8_t *end = memchr(text.p, '\n', text.n);
        const size_t n = end == NULL ? text.n : (size_t)(end - text.p);
        QC_TRY(add_line(qc_span_sub(text, 0, n), s->columns, ret, err));
        text = qc_span_from(text, end == NULL ? n : n + 1);
    }
    if (shown < all) {
        char more[64];
        (void)snprintf(more, sizeof more, "(%zu more lines)", all - shown);
        QC_TRY(add_line(qc_span_str(more), s->columns, ret, err));
    }
    return qc_buf_add(ret, QC_LIT("\033[J\033[?7h"), err);
}

bool qc_screen_draw(FILE *to, qc_span frame, const struct qc_screen *s, bool first)
{
    for (size_t i = 0; first && i < s->rows; i++)
        if (fputc('\n', to) == EOF)
            return false;
    return fwrite(frame.p, 1, frame.n, to) == frame.n && fflush(to) == 0;
}

qc_rc qc_screen_wait(FILE *to, const struct qc_screen *s, uint64_t ms, const struct qc_cancel *cancel,
                     struct qc_err *err)
{
    const uint64_t end = qc_now_ms() + ms;
    for (uint64_t now = qc_now_ms(); now < end; now = qc_now_ms()) {
        struct qc_screen is;
        QC_TRY(qc_go_on(QC_NO_DEADLINE, cancel, "waiting", err));
        (void)poll(NULL, 0, (int)(end - now < SLICE_MS ? end - now : SLICE_MS)); /* a signal ends it */
        if (to == NULL)
            continue;
        size_of(to, &is);
        if (is.columns != s->columns || is.rows != s->rows)
            return QC_OK;
    }
    return qc_go_on(QC_NO_DEADLINE, cancel, "waiting", err);
}
