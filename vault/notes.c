#include "vault/op.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

void vault_notes_done(struct vault_notes *notes)
{
    qc_free(notes->v);
    *notes = (struct vault_notes){ 0 };
}

static struct vault_note *same(struct vault_notes *notes, const struct vault_note *note)
{
    for (size_t i = 0; i < notes->n; i++) {
        struct vault_note *v = &notes->v[i];
        bool other = note->kind == VAULT_NOTE_CLOUD && strcmp(v->text, note->text) != 0;
        if (v->kind == note->kind && v->share == note->share && strcmp(v->cloud, note->cloud) == 0 && !other)
            return v;
    }
    return NULL;
}

void vault_notes_add(struct vault_notes *notes, const struct vault_note *note)
{
    if (notes == NULL)
        return;
    struct vault_note *known = note->kind == VAULT_NOTE_SKIPPED ? NULL : same(notes, note);
    if (known != NULL) {
        known->count += note->count;
        return;
    }
    if (notes->n == notes->cap && notes->cap < QC_VAULT_NOTES_MAX) {
        size_t cap = notes->cap == 0 ? 8 : notes->cap * 2;
        if (cap > QC_VAULT_NOTES_MAX)
            cap = QC_VAULT_NOTES_MAX;
        struct vault_note *v = qc_realloc(notes->v, cap * sizeof(*v));
        if (v != NULL) {
            notes->v = v;
            notes->cap = cap;
        }
    }
    if (notes->n == notes->cap)
        notes->dropped++;
    else
        notes->v[notes->n++] = *note;
}

void vault_note(struct vault_notes *notes, enum vault_note_kind kind, unsigned share, qc_rc rc,
                const char *fmt, ...)
{
    struct vault_note note = { .kind = kind, .share = share, .rc = rc };
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(note.text, sizeof(note.text), fmt, ap);
    va_end(ap);
    vault_notes_add(notes, &note);
}
