#include "base/scan.h"

void qc_scan_object(struct qc_scan *s, const char *why)
{
    if (s->bad == NULL)
        s->bad = why;
}

uint8_t qc_scan_peek(struct qc_scan *s)
{
    while (s->at < s->n &&
           (s->p[s->at] == ' ' || s->p[s->at] == '\t' || s->p[s->at] == '\n' || s->p[s->at] == '\r'))
        s->at++;
    return s->at < s->n ? s->p[s->at] : 0;
}

bool qc_scan_eat(struct qc_scan *s, uint8_t c)
{
    if (s->bad != NULL || qc_scan_peek(s) != c)
        return false;
    s->at++;
    return true;
}
