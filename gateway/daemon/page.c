#include "page.h"

#include <stdarg.h>

void page_line(struct page *p, const char *fmt, ...)
{
    va_list args;

    if (p->rc != QC_OK)
        return;
    va_start(args, fmt);
    p->rc = qc_buf_addv(p->to, p->err, fmt, args);
    va_end(args);
}

void page_text(struct page *p, const char *text)
{
    for (; *text != '\0' && p->rc == QC_OK; text++) {
        const unsigned char c = (unsigned char)*text;
        if (c == '<' || c == '>' || c == '&' || c == '"' || c == '\'')
            page_line(p, "&#%u;", c);
        else if (c >= 0x20 && c != 0x7f)
            page_line(p, "%c", c);
    }
}
