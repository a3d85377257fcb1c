/* Entries of the fake gateway that move, and several at once: a part of tests/unit/fake_gw.c, which includes
 * it. */
#pragma once

static qc_rc fake_entry_some(struct vault_gw *gw, const uint8_t *vault, const qc_span *paths, size_t count,
                             const struct vault_gw_some *take, const struct vault_op *op, struct qc_err *err)
{
    for (size_t i = 0; i < count; i++) {
        QC_CLEANUP(vault_gw_entry_done) struct vault_gw_entry e = { 0 };
        struct qc_err why = { 0 };
        const qc_rc rc = fake_entry_get(gw, vault, paths[i], &e, op, &why);
        if (rc == QC_NOTFOUND)
            continue;
        if (rc != QC_OK) {
            *err = why;
            return rc;
        }
        QC_TRY(take->fn(take->ctx, &e, err));
    }
    return QC_OK;
}

/* Both of one, as f->move_lies wants it: 1: the tombstone alone; 2: the entry alone; 3: said, and not done;
 * 4: the other way round in the chain. */
static void move_one(struct fake *f, struct vault_gw_move *m)
{
    const struct fake_entry *from = fake_find(f, m->away->path), *to = fake_find(f, m->entry->path);
    struct vault_gw_receipt r;
    m->rc = QC_OK;
    if (from == NULL || from->e.kind != VAULT_ENTRY_FILE)
        m->rc = QC_FAIL(&m->err, QC_NOTFOUND, "fake: nothing is there");
    else if (from->e.number + 1 != m->away->number || memcmp(from->e.version, m->entry->version, 16) != 0 ||
             (to == NULL ? 0 : to->e.number) + 1 != m->entry->number)
        m->rc = QC_FAIL(&m->err, QC_CONFLICT, "fake: another number");
    if (m->rc != QC_OK)
        return;
    if (f->move_lies < 2)
        write_entry(f, m->away);
    if (f->move_lies != 1 && f->move_lies != 3)
        write_entry(f, m->entry);
    if (f->move_lies == 4)
        write_entry(f, m->away);
    CHECK(upload_of(f, m->put_key) == NULL);
    struct fake_upload *u = upload_new(f, m->put_key);
    u->state = VAULT_UPLOAD_LIVE;
    receipt_of(f, m->entry->number, &u->receipt);
    r = u->receipt;
    m->number = r.number;
    m->chain = r.chain;
    m->record_copies = r.record_copies;
    m->clouds = r.clouds;
}

static qc_rc moves_now(struct vault_gw *gw, struct vault_gw_move *moves, size_t count,
                       const struct vault_op *op, struct qc_err *err)
{
    ENTER(FAKE_MOVE);
    for (size_t i = 0; i < count; i++)
        move_one(f, &moves[i]);
    LEAVE(FAKE_MOVE);
}

static qc_rc fake_entries_move(struct vault_gw *gw, const uint8_t *vault, struct vault_gw_move *moves,
                               size_t count, const struct vault_op *op, struct qc_err *err)
{
    struct fake *f = of(gw);
    (void)vault;
    if (f->before_commit != NULL)
        f->before_commit(f->before_ctx);
    return moves_now(gw, moves, count, op, err);
}
