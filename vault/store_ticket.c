/* Tickets of a share store: shares of the other store for versions that are yet to be put. FORMAT 7.2. */
#include "base/codec.h"
#include "store.h"
#include "vault/kdf.h"

enum { IDS = 2 * VAULT_ID_BYTES, NAME = 80, SPENT_TEXT = 16 + 8 };
#define TICKET "ticket/" /* object, version */
#define SPENT  "spent-/" /* the same; as long */
#define FRONT  (sizeof(TICKET) - 1)
_Static_assert(sizeof(TICKET) == sizeof(SPENT) && FRONT + 2 * IDS + 1 <= NAME, "names of items");

static const uint8_t nonce_zero[QC_GCM_NONCE];
/* enc("ticket") */
static const uint8_t ticket_aad[] = { 0, 0, 0, 0, 0, 0, 0, 6, 't', 'i', 'c', 'k', 'e', 't' };

void vault_ticket_done(struct vault_ticket *t)
{
    qc_key_free(&t->share);
}

static void name_of(char out[NAME], const char *kind, const uint8_t *object, const uint8_t *version)
{
    uint8_t ids[IDS];
    memcpy(ids, object, VAULT_ID_BYTES);
    memcpy(ids + VAULT_ID_BYTES, version, VAULT_ID_BYTES);
    memcpy(out, kind, FRONT);
    qc_hex(qc_span_of(ids, sizeof(ids)), out + FRONT);
}

static qc_rc ids_of(uint8_t *object, uint8_t *version, const char *name, struct qc_err *err)
{
    uint8_t ids[IDS];
    QC_TRY(qc_hex_dec(qc_span_str(name + FRONT), ids, sizeof(ids), err));
    memcpy(object, ids, VAULT_ID_BYTES);
    memcpy(version, ids + VAULT_ID_BYTES, VAULT_ID_BYTES);
    return QC_OK;
}

static qc_rc ticket_key(qc_key **ret, const struct vault_store *s, const struct vault_ticket *t,
                        const uint8_t *salt, struct qc_err *err)
{
    const qc_span parts[] = { qc_span_of(s->id, VAULT_ID_BYTES), qc_span_of(t->object, VAULT_ID_BYTES),
                              qc_span_of(t->version, VAULT_ID_BYTES), qc_span_of(salt, STORE_SALT) };
    return vault_kdf(ret, s->prk, "ticket", parts, sizeof(parts) / sizeof(parts[0]), 32, err);
}

static qc_rc add_one(struct vault_store *s, const struct vault_ticket *t, const qc_rng *rng,
                     struct qc_err *err)
{
    QC_CLEANUP(qc_key_free) qc_key *key = NULL;
    uint8_t out[STORE_SEALED];
    char name[NAME];
    QC_TRY(qc_rng_fill(rng, out, STORE_SALT, err));
    QC_TRY(ticket_key(&key, s, t, out, err));
    QC_TRY(qc_gcm_seal(&(struct qc_gcm){ qc_key_open(key), nonce_zero,
                                         qc_span_of(ticket_aad, sizeof(ticket_aad)) },
                       qc_key_open(t->share), out + STORE_SALT, out + STORE_SALT + 32, err));
    name_of(name, TICKET, t->object, t->version);
    return store_item_put(s, name, qc_span_of(out, sizeof(out)), err);
}

static qc_rc add(struct vault_store *s, const struct vault_ticket *tickets, size_t count, const qc_rng *rng,
                 struct qc_err *err)
{
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(store_want_write(s, err));
    QC_TRY(qc_tx_begin(&tx, s->db, err));
    for (size_t i = 0; i < count; i++)
        QC_TRY(add_one(s, &tickets[i], rng, err));
    return qc_tx_commit(&tx, err);
}

qc_rc vault_store_tickets_add(struct vault_store *s, const struct vault_ticket *tickets, size_t count,
                              const qc_rng *rng, struct qc_err *err)
{
    return store_said(s, add(s, tickets, count, rng, err), err);
}

/* The name of the first item of a kind behind `at`, into it. */
static qc_rc next_name(struct vault_store *s, const char *kind, char at[NAME], bool *ret_row,
                       struct qc_err *err)
{
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *walk = NULL;
    char end[FRONT + 1];
    memcpy(end, kind, sizeof(end));
    end[FRONT - 1]++; /* what follows all names of this kind */
    QC_TRY(qc_db_prepare(s->db,
                         "SELECT name FROM item WHERE name > ?1 AND name >= ?2 AND name < ?3"
                         " AND length(CAST(name AS BLOB)) = ?4 ORDER BY name LIMIT 1",
                         &walk, err));
    QC_TRY(QC_BIND(walk, err, QC_VT(qc_span_str(at)), QC_VT(qc_span_str(kind)), QC_VT(qc_span_str(end)),
                   QC_VI(FRONT + 2 * IDS)));
    QC_TRY(qc_stmt_step(walk, ret_row, err));
    if (*ret_row) {
        const qc_span name = qc_col_span(walk, 0);
        QC_ASSERT(name.n < NAME); /* the query says so */
        memcpy(at, name.p, name.n);
        at[name.n] = '\0';
    }
    return QC_OK;
}

/* QC_INTEGRITY: it is damaged, and no use to anybody. */
static qc_rc open_ticket(struct vault_ticket *ret, struct vault_store *s, const char *name,
                         struct qc_err *err)
{
    QC_CLEANUP(vault_ticket_done) struct vault_ticket t = { 0 };
    QC_CLEANUP(qc_buf_free) qc_buf sealed = { .max = QC_VAULT_ITEM_MAX };
    QC_CLEANUP(qc_key_free) qc_key *key = NULL, *share = NULL;
    if (ids_of(t.object, t.version, name, err) != QC_OK)
        return QC_FAIL(err, QC_INTEGRITY, "ticket: its name is damaged");
    QC_TRY(store_item_get(s, name, &sealed, err));
    if (sealed.n != STORE_SEALED)
        return QC_FAIL(err, QC_INTEGRITY, "ticket: %zu bytes, %d expected", sealed.n, STORE_SEALED);
    QC_TRY(ticket_key(&key, s, &t, sealed.p, err));
    QC_TRY(qc_key_blank(&share, 32, err));
    QC_TRY(qc_gcm_open(
        &(struct qc_gcm){ qc_key_open(key), nonce_zero, qc_span_of(ticket_aad, sizeof(ticket_aad)) },
        qc_span_of(sealed.p + STORE_SALT, 32), sealed.p + STORE_SALT + 32, qc_key_write(share), err));
    qc_key_seal(share);
    t.share = QC_STEAL(share);
    *ret = QC_STEAL(t);
    return QC_OK;
}

/* The next one behind `name` that is whole. A damaged one is passed over, and goes. */
static qc_rc take_next(struct vault_store *s, char name[NAME], struct vault_ticket *ret, bool *ret_found,
                       struct qc_err *err)
{
    for (;;) {
        struct qc_err why = { 0 };
        QC_TRY(next_name(s, TICKET, name, ret_found, err));
        if (!*ret_found)
            return QC_OK;
        const qc_rc rc = open_ticket(ret, s, name, &why);
        if (rc != QC_OK && rc != QC_INTEGRITY) {
            *err = why;
            return rc;
        }
        QC_TRY(store_item_drop(s, name, err));
        if (rc == QC_OK)
            return QC_OK;
    }
}

static void drop_taken(struct vault_ticket *t, size_t n)
{
    for (size_t i = 0; i < n; i++)
        vault_ticket_done(&t[i]);
}

/* I4: that the tickets are gone is durable before their versions are used. */
static qc_rc take(struct vault_store *s, struct vault_ticket *ret, size_t want, size_t *ret_got,
                  struct qc_err *err)
{
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    char name[NAME] = "", spent[NAME];
    bool found = true;
    *ret_got = 0;
    QC_TRY(store_want_write(s, err));
    QC_TRY(qc_tx_begin(&tx, s->db, err));
    while (*ret_got < want) {
        struct vault_ticket *t = &ret[*ret_got];
        QC_TRY(take_next(s, name, t, &found, err));
        if (!found)
            break;
        ++*ret_got;
        name_of(spent, SPENT, t->object, t->version);
        QC_TRY(store_text_put(s, spent, (qc_span){ 0 }, err));
    }
    return qc_tx_commit(&tx, err);
}

qc_rc vault_store_tickets_take(struct vault_store *s, struct vault_ticket *ret, size_t want, size_t *ret_got,
                               struct qc_err *err)
{
    const qc_rc rc = take(s, ret, want, ret_got, err);
    if (rc != QC_OK)
        drop_taken(ret, *ret_got);
    return store_said(s, rc, err);
}

qc_rc vault_store_ticket_take(struct vault_store *s, struct vault_ticket *ret, struct qc_err *err)
{
    size_t got = 0;
    QC_TRY(vault_store_tickets_take(s, ret, 1, &got, err));
    return got == 1 ? QC_OK : store_said(s, QC_FAIL(err, QC_NOTFOUND, "has no ticket left"), err);
}

static qc_rc give_back(struct vault_store *s, const struct vault_ticket *tickets, size_t count,
                       const qc_rng *rng, struct qc_err *err)
{
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    char name[NAME];
    QC_TRY(qc_tx_begin(&tx, s->db, err));
    for (size_t i = 0; i < count; i++) {
        name_of(name, SPENT, tickets[i].object, tickets[i].version);
        QC_TRY(store_item_drop(s, name, err));
        QC_TRY(add_one(s, &tickets[i], rng, err));
    }
    return qc_tx_commit(&tx, err);
}

qc_rc vault_store_tickets_return(struct vault_store *s, const struct vault_ticket *tickets, size_t count,
                                 const qc_rng *rng, struct qc_err *err)
{
    return count == 0 ? QC_OK : store_said(s, give_back(s, tickets, count, rng, err), err);
}

static qc_rc count(struct vault_store *s, uint64_t *ret, struct qc_err *err)
{
    QC_CLEANUP(qc_stmt_free) struct qc_stmt *q = NULL;
    bool row = false;
    QC_TRY(qc_db_prepare(s->db, "SELECT count(*) FROM item WHERE name >= '" TICKET "' AND name < 'ticket0'",
                         &q, err));
    QC_TRY(qc_stmt_bind(q, NULL, 0, err));
    QC_TRY(qc_stmt_step(q, &row, err));
    return row ? qc_col_u64(q, 0, ret, err) : QC_OK;
}

qc_rc vault_store_tickets_count(struct vault_store *s, uint64_t *ret, struct qc_err *err)
{
    return store_said(s, count(s, ret, err), err);
}

/* Tickets go, without being used: whole or damaged. */
static qc_rc void_some(struct vault_store *s, size_t max, size_t *ret_n, struct qc_err *err)
{
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    char name[NAME] = "";
    bool row = true;
    size_t n = 0;
    QC_TRY(store_want_write(s, err));
    QC_TRY(qc_tx_begin(&tx, s->db, err));
    while (n < max) {
        QC_TRY(next_name(s, TICKET, name, &row, err));
        if (!row)
            break;
        QC_TRY(store_item_drop(s, name, err));
        n++;
    }
    *ret_n = n;
    return qc_tx_commit(&tx, err);
}

qc_rc vault_store_tickets_void(struct vault_store *s, size_t max, size_t *ret_n, struct qc_err *err)
{
    return store_said(s, void_some(s, max, ret_n, err), err);
}

static qc_rc spent_put(struct vault_store *s, const struct vault_spent *spent, struct qc_err *err)
{
    uint8_t text[SPENT_TEXT];
    char name[NAME];
    name_of(name, SPENT, spent->object, spent->version);
    memcpy(text, spent->path_tag, sizeof(spent->path_tag));
    qc_put_be(text + sizeof(spent->path_tag), spent->number, 8);
    return store_text_put(s, name, qc_span_of(text, sizeof(text)), err);
}

qc_rc vault_store_spent_put(struct vault_store *s, const struct vault_spent *spent, struct qc_err *err)
{
    return store_said(s, spent_put(s, spent, err), err);
}

static qc_rc spent_put_many(struct vault_store *s, const struct vault_spent *spent, size_t count,
                            struct qc_err *err)
{
    QC_CLEANUP(qc_tx_end) struct qc_tx tx = { 0 };
    QC_TRY(qc_tx_begin(&tx, s->db, err));
    for (size_t i = 0; i < count; i++)
        QC_TRY(spent_put(s, &spent[i], err));
    return qc_tx_commit(&tx, err);
}

qc_rc vault_store_spent_put_many(struct vault_store *s, const struct vault_spent *spent, size_t count,
                                 struct qc_err *err)
{
    return store_said(s, spent_put_many(s, spent, count, err), err);
}

static qc_rc spent_next(struct vault_store *s, struct vault_spent *at, bool *ret_found, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = QC_VAULT_ITEM_MAX };
    struct vault_spent next = { 0 };
    char name[NAME] = "";
    if (at->begun)
        name_of(name, SPENT, at->object, at->version);
    QC_TRY(next_name(s, SPENT, name, ret_found, err));
    if (!*ret_found)
        return QC_OK;
    QC_TRY(ids_of(next.object, next.version, name, err));
    QC_TRY(store_text_get(s, name, &text, err));
    if (text.n == SPENT_TEXT) {
        memcpy(next.path_tag, text.p, sizeof(next.path_tag));
        next.number = qc_get_be(text.p + sizeof(next.path_tag), 8);
    }
    next.begun = true;
    *at = next;
    return QC_OK;
}

qc_rc vault_store_spent_next(struct vault_store *s, struct vault_spent *at, bool *ret_found,
                             struct qc_err *err)
{
    return store_said(s, spent_next(s, at, ret_found, err), err);
}

qc_rc vault_store_spent_drop(struct vault_store *s, const struct vault_spent *spent, struct qc_err *err)
{
    char name[NAME];
    name_of(name, SPENT, spent->object, spent->version);
    return store_said(s, store_item_drop(s, name, err), err);
}
