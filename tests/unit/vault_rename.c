/* unit/vault_rename: a name becomes another with all its versions, and each version is of one name: whoever
 * moves, removes, puts or dies in between, and whatever a gateway makes of it. (I1, I2) */
#include "vault/share_store.h"
#include "vault_rig.h"

enum { SIZE = 5000, VERSIONS_MAX = 16 };
static const uint8_t NOTHING[VAULT_ID_BYTES];

/* "4c 3 2r 1r", as in unit/vault_versions; 0: stored under another name; "-": there is none. */
static void is_list(struct rig *r, const char *name, const char *want)
{
    QC_CLEANUP(vault_versions_done) struct vault_versions all = { 0 };
    struct vault_call call = rig_call(r);
    struct qc_err err = { 0 };
    char text[256] = "";
    size_t n = 0;
    const qc_rc rc = vault_versions(r->v, qc_span_str(name), &call, &all, &err);
    CHECK(rc == QC_OK || (rc == QC_NOTFOUND && strstr(err.msg, "moved") != NULL));
    CHECK(all.n <= VERSIONS_MAX && all.unknown == 0 && all.missing == 0);
    for (size_t i = 0; i < all.n; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%d%s%s", i > 0 ? " " : "", (int)all.v[i].number,
                              all.v[i].current ? "c" : "", all.v[i].removed ? "r" : "");
    if (strcmp(all.n == 0 ? "-" : text, want) != 0) {
        fprintf(stderr, "'%s' has %s, not %s\n", name, all.n == 0 ? "-" : text, want);
        exit(1);
    }
}

static qc_rc one_removed(void *ctx, const struct vault_removed *removed, struct qc_err *err)
{
    char *text = ctx;
    const size_t n = strlen(text);
    (void)err;
    CHECK(removed->known);
    snprintf(text + n, 256 - n, "%s%.*s", n > 0 ? " " : "", (int)removed->name.n, removed->name.p);
    return QC_OK;
}

static void is_trash(struct rig *r, const char *want)
{
    struct vault_call call = rig_call(r);
    struct qc_err err = { 0 };
    char text[256] = "";
    CHECK_OK(vault_trash(r->v, (qc_span){ 0 }, one_removed, text, &call, &err));
    if (strcmp(text, want) != 0) {
        fprintf(stderr, "the trash has '%s', not '%s'\n", text, want);
        exit(1);
    }
}

static qc_rc move(struct rig *r, const char *from, const char *to, const uint8_t *over, struct vault_move *m,
                  struct qc_err *err)
{
    struct vault_call call = rig_call(r);
    *m = (struct vault_move){ .from = qc_span_str(from), .to = qc_span_str(to), .over = over };
    QC_TRY(vault_move_many(r->v, m, 1, &call, err));
    *err = m->err;
    return m->rc;
}

static void moves(struct rig *r, const char *from, const char *to, uint64_t number)
{
    struct vault_move m;
    struct qc_err err = { 0 };
    CHECK_OK(move(r, from, to, NULL, &m, &err));
    CHECK(m.number == number && !m.open);
}

static void put(struct rig *r, const char *name, uint64_t salt)
{
    struct qc_err err = { 0 };
    CHECK_OK(rig_put(r, name, SIZE, salt, &err));
}

static qc_rc remove_it(struct rig *r, const char *name, struct qc_err *err)
{
    struct vault_call call = rig_call(r);
    struct vault_remove_result removed;
    return vault_remove(r->v, qc_span_str(name), &call, &removed, err);
}

static qc_rc get_which(struct rig *r, const char *name, const struct vault_which *which, uint64_t salt,
                       struct qc_err *err)
{
    struct rig_sink s = { .salt = salt, .size = SIZE };
    const struct vault_sink sink = {
        .begin = rig_sink_begin, .write = rig_sink_write, .finish = rig_sink_finish, .ctx = &s
    };
    struct vault_call call = rig_call(r);
    QC_CLEANUP(vault_got_done) struct vault_got got = { 0 };
    return vault_get_part(r->v, qc_span_str(name), &(struct vault_get_opts){ .which = which }, &sink, &call,
                          &got, err);
}

static qc_rc get_v(struct rig *r, const char *name, uint64_t number, uint64_t salt, struct qc_err *err)
{
    return get_which(r, name, &(struct vault_which){ .number = number }, salt, err);
}

/* A version that has no number here, by its place in the list. */
static qc_rc get_at(struct rig *r, const char *name, size_t i, uint64_t salt, struct qc_err *err)
{
    QC_CLEANUP(vault_versions_done) struct vault_versions all = { 0 };
    struct vault_call call = rig_call(r);
    QC_TRY(vault_versions(r->v, qc_span_str(name), &call, &all, err));
    CHECK(i < all.n && all.v[i].number == 0);
    return get_which(r, name, &(struct vault_which){ .version = all.v[i].version }, salt, err);
}

/* The versions go with the object; numbers are those of changes of that name. */
static void history(struct rig *r)
{
    struct vault_move m;
    struct qc_err err = { 0 };
    for (uint64_t i = 1; i <= 3; i++)
        put(r, "x", i);
    moves(r, "x", "y", 1);
    is_list(r, "y", "1c 0 0");
    is_list(r, "x", "-");
    is_trash(r, "");
    CHECK_OK(rig_get(r, "y", SIZE, 3, &err));
    CHECK_OK(get_at(r, "y", 2, 1, &err));
    REFUSED(get_v(r, "y", 3, 1, &err), QC_NOTFOUND, "no version v3; there are v1");
    REFUSED(rig_get(r, "x", SIZE, 3, &err), QC_NOTFOUND, "it was removed");
    rig_whole(r, 1);
    put(r, "x", 9); /* another object, whose first version is the path's fifth change */
    put(r, "y", 4);
    is_list(r, "x", "5c");
    is_list(r, "y", "2c 1 0 0");
    put(r, "z", 7);
    CHECK_OK(remove_it(r, "z", &err));
    moves(r, "y", "z", 3); /* over a removal */
    is_list(r, "z", "3c 0 0 0 1r");
    CHECK_OK(get_at(r, "z", 3, 1, &err));
    CHECK_OK(get_v(r, "z", 1, 7, &err));
    put(r, "w", 8);
    REFUSED(move(r, "z", "w", NOTHING, &m, &err), QC_CONFLICT, "the new name 'w' is taken");
    moves(r, "z", "w", 2); /* over an object */
    is_list(r, "w", "2c 0 0 0 1");
    CHECK_OK(get_v(r, "w", 1, 8, &err));
    CHECK_OK(get_at(r, "w", 1, 3, &err));
    is_list(r, "z", "1r");
    is_trash(r, "z");
    moves(r, "w", "z", 5); /* and back */
    is_list(r, "z", "5c 0 0 0 1r");
    is_list(r, "w", "1r");
    is_trash(r, "w");
    put(r, "z", 5);
    CHECK_OK(remove_it(r, "z", &err));
    is_list(r, "z", "6r 5r 0r 0r 0r 1r");
    REFUSED(move(r, "z", "v", NULL, &m, &err), QC_NOTFOUND, "it was removed");
    REFUSED(move(r, "x", "x", NULL, &m, &err), QC_USAGE, "the new name is the old one");
    REFUSED(move(r, "x", "/", NULL, &m, &err), QC_USAGE, "");
    REFUSED(move(r, "nothing", "v", NULL, &m, &err), QC_NOTFOUND, "no object has this name");
    rig_whole(r, 1);
    CHECK(r->notes.n == 0);
}

/* -- others, meanwhile ----------------------------------------------------------------------------------- */

static struct rig *open_other(void *ctx)
{
    struct rig *other = ctx;
    struct qc_err err = { 0 };
    other->fake->before_commit = NULL;
    CHECK_OK(rig_open(other, &err));
    return other;
}

static void other_puts(void *ctx)
{
    struct rig *other = open_other(ctx);
    put(other, "m", 2);
    vault_close(&other->v);
}

static void other_removes(void *ctx)
{
    struct qc_err err = { 0 };
    struct rig *other = open_other(ctx);
    CHECK_OK(remove_it(other, "m", &err));
    vault_close(&other->v);
}

static void other_removes_o(void *ctx)
{
    struct qc_err err = { 0 };
    struct rig *other = open_other(ctx);
    CHECK_OK(remove_it(other, "o", &err));
    vault_close(&other->v);
}

static void other_takes(void *ctx)
{
    struct rig *other = open_other(ctx);
    put(other, "n", 6);
    vault_close(&other->v);
}

static void other_moves(void *ctx)
{
    struct rig *other = open_other(ctx);
    moves(other, "q", "s", 1);
    vault_close(&other->v);
}

static void other_moves_and_puts(void *ctx)
{
    struct rig *other = open_other(ctx);
    moves(other, "q2", "s2", 1);
    put(other, "q2", 4);
    vault_close(&other->v);
}

static void object_of(struct rig *r, const char *name, uint8_t ret[VAULT_ID_BYTES])
{
    QC_CLEANUP(vault_stat_done) struct vault_stat s = { 0 };
    struct vault_call call = rig_call(r);
    struct qc_err err = { 0 };
    CHECK_OK(vault_stat(r->v, qc_span_str(name), &call, &s, &err));
    memcpy(ret, s.object, VAULT_ID_BYTES);
}

/* Neither store has noted what was before this sequence. */
static void no_shift(struct rig *r, const char *name, uint64_t sequence)
{
    uint8_t object[VAULT_ID_BYTES];
    struct qc_err err = { 0 };
    object_of(r, name, object);
    vault_close(&r->v);
    for (int i = 0; i < 2; i++) {
        struct vault_store *s = NULL;
        uint64_t before = 0;
        CHECK_OK(
            vault_store_open(&s, r->share[i], VAULT_STORE_READ, &(struct vault_store_expect){ 0 }, &err));
        REFUSED(vault_store_shift_get(s, object, sequence, &before, &err), QC_NOTFOUND, "");
        vault_store_close(&s);
    }
    CHECK_OK(rig_open(r, &err));
}

static void shift(struct rig *r, const char *name, uint64_t sequence, uint64_t before)
{
    uint8_t object[VAULT_ID_BYTES];
    struct vault_store *s = NULL;
    struct qc_err err = { 0 };
    object_of(r, name, object);
    vault_close(&r->v);
    CHECK_OK(vault_store_open(&s, r->share[0], VAULT_STORE_WRITE, &(struct vault_store_expect){ 0 }, &err));
    CHECK_OK(vault_store_shift_put(s, object, sequence, before, &err));
    vault_store_close(&s);
    CHECK_OK(rig_open(r, &err));
}

/* A put is under way when its object leaves the name, free or taken anew: what it has noted for the number
 * that it wanted there says nothing of the version that the new name has under the same sequence. */
static void left_behind(struct rig *r)
{
    struct rig other = rig_other(r, 1000099);
    struct qc_err err = { 0 };
    r->fake->before_ctx = &other;
    for (uint64_t i = 1; i <= 5; i++)
        put(r, "q", i);
    r->fake->before_commit = other_moves;
    REFUSED(rig_put(r, "q", SIZE, 6, &err), QC_CONFLICT, "moved to another name meanwhile");
    no_shift(r, "s", 6);
    put(r, "s", 7);
    is_list(r, "s", "2c 1 0 0 0 0");
    for (uint64_t i = 1; i <= 5; i++)
        put(r, "q2", i);
    r->fake->before_commit = other_moves_and_puts;
    REFUSED(rig_put(r, "q2", SIZE, 6, &err), QC_CONFLICT, "moved to another name meanwhile");
    is_list(r, "q2", "7c");
    no_shift(r, "s2", 6);
    put(r, "s2", 7);
    CHECK(rig_leftovers(r) == 0);
    vault_notes_done(&r->notes);
    for (uint64_t before = 0; before <= 9; before += 3) { /* as programs before this one left it */
        shift(r, "s2", 6, before);
        is_list(r, "s2", "2c 1 0 0 0 0");
    }
    CHECK(r->notes.n == 0);
}

static void overtaken(struct rig *r)
{
    QC_CLEANUP(vault_stat_done) struct vault_stat s = { 0 };
    struct vault_call call = rig_call(r);
    struct vault_move m;
    struct qc_err err = { 0 };
    struct rig other = rig_other(r, 1000003);
    r->fake->before_ctx = &other;
    put(r, "m", 1);
    CHECK_OK(vault_stat(r->v, QC_LIT("m"), &call, &s, &err));
    r->fake->before_commit = other_puts; /* the one that is there then is moved */
    moves(r, "m", "n", 1);
    is_list(r, "n", "1c 0");
    moves(r, "n", "m", 4);
    m = (struct vault_move){ .from = QC_LIT("m"), .to = QC_LIT("n"), .version = s.version };
    CHECK_OK(vault_move_many(r->v, &m, 1, &call, &err));
    CHECK(m.rc == QC_CONFLICT); /* it is not the version that was meant */
    r->fake->before_commit = other_takes;
    REFUSED(move(r, "m", "n", NOTHING, &m, &err), QC_CONFLICT, "the new name 'n' is taken");
    CHECK_OK(remove_it(r, "n", &err));
    r->fake->before_commit = other_removes;
    REFUSED(move(r, "m", "n", NULL, &m, &err), QC_NOTFOUND, "removed, or moved");
    is_list(r, "m", "4r 0r"); /* its own note of a move did not come to be */
    is_trash(r, "m n w z");
    /* A put that is under way when its name is moved has no name to go to. */
    put(r, "q", 1);
    r->fake->before_commit = other_moves;
    REFUSED(rig_put(r, "q", SIZE, 2, &err), QC_CONFLICT, "moved to another name meanwhile");
    is_list(r, "s", "1c");
    is_list(r, "q", "-");
    put(r, "q", 3);
    is_list(r, "q", "3c");
    CHECK(rig_leftovers(r) == 0);
    vault_notes_done(&r->notes);
}

/* Numbers that leave some out were so at the old name. */
static void shifted(struct rig *r)
{
    struct rig other = rig_other(r, 1000033);
    struct qc_err err = { 0 };
    CHECK_OK(remove_it(r, "m", &err) == QC_NOTFOUND ? QC_OK : QC_GENERAL);
    qc_err_clear(&err);
    r->fake->before_ctx = &other;
    put(r, "m", 1);
    put(r, "m", 2);
    r->fake->before_commit = other_removes;
    put(r, "m", 3); /* 6 7, a removal, 9; then what was removed */
    is_list(r, "m", "9c 7 6 4r 0r");
    moves(r, "m", "o", 1);
    is_list(r, "o", "1c 0 0");
    is_list(r, "m", "4r 0r");
    r->fake->before_commit = other_removes_o;
    put(r, "o", 4);
    is_list(r, "o", "3c 1 0 0");
    moves(r, "o", "p", 1);
    is_list(r, "p", "1c 0 0 0");
    is_list(r, "o", "-");
    CHECK_OK(get_at(r, "p", 2, 2, &err));
}

/* -- what comes to nothing, and what is not told --------------------------------------------------------- */

static void fails_next(struct rig *r, qc_rc rc, bool effect)
{
    r->fake->fail = FAKE_MOVE;
    r->fake->fail_nth = 1;
    r->fake->fail_rc = rc;
    r->fake->fail_effect = effect;
}

static void failures(struct rig *r)
{
    struct vault_move m;
    struct qc_err err = { 0 };
    put(r, "f", 1);
    fails_next(r, QC_QUORUM, false);
    REFUSED(move(r, "f", "g", NULL, &m, &err), QC_QUORUM, "fake: injected");
    CHECK(!m.open);
    is_list(r, "f", "1c");
    CHECK_OK(remove_it(r, "f", &err)); /* under the number that the move would have had */
    is_list(r, "f", "1r");
    put(r, "f", 2);
    r->fake->fail = FAKE_ENTRY_REMOVE;
    r->fake->fail_nth = 1;
    r->fake->fail_rc = QC_QUORUM;
    r->fake->fail_effect = false;
    CHECK(remove_it(r, "f", &err) == QC_QUORUM);
    qc_err_clear(&err);
    fails_next(r, QC_TEMP, true); /* the answer is lost */
    moves(r, "f", "g", 1);
    is_list(r, "g", "1c");
    is_list(r, "f", "1r");
    CHECK_OK(rig_get(r, "g", SIZE, 2, &err));
    CHECK(rig_leftovers(r) == 0);
}

static void fails_remove(struct rig *r)
{
    r->fake->fail = FAKE_ENTRY_REMOVE;
    r->fake->fail_nth = 1;
    r->fake->fail_rc = QC_TEMP;
    r->fake->fail_effect = true;
}

static const char *disputed(struct rig *r, const char *name)
{
    static char text[64];
    QC_CLEANUP(vault_versions_done) struct vault_versions all = { 0 };
    struct vault_call call = rig_call(r);
    struct qc_err err = { 0 };
    size_t n = 0;
    CHECK_OK(vault_versions(r->v, qc_span_str(name), &call, &all, &err));
    CHECK(all.n <= VERSIONS_MAX);
    for (size_t i = 0; i < all.n; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s ", all.v[i].disputed ? "yes" : "no");
    return text;
}

/* A move comes to nothing, or nobody knows; then the name is removed, and that is cut off before it settles:
 * by another machine, by a gateway whose answer is lost. What was removed is found, whatever was noted. */
static void refused_then_removed(struct rig *r)
{
    struct vault_move m;
    struct qc_err err = { 0 };
    put(r, "k", 1);
    put(r, "k", 2);
    fails_next(r, QC_QUORUM, false);
    REFUSED(move(r, "k", "l", NULL, &m, &err), QC_QUORUM, "fake: injected");
    CHECK(!m.open);
    fails_remove(r);
    CHECK(remove_it(r, "k", &err) == QC_TEMP); /* it is done */
    qc_err_clear(&err);
    is_list(r, "k", "2r 1r"); /* the refused move has left no note */
    CHECK(strcmp(disputed(r, "k"), "no no ") == 0);
    put(r, "k", 3);
    r->fake->move_lies = 3;
    REFUSED(move(r, "k", "l", NULL, &m, &err), QC_INTEGRITY, "receipt"); /* nobody knows: its notes stay */
    CHECK(m.open);
    r->fake->move_lies = 0;
    fails_remove(r);
    CHECK(remove_it(r, "k", &err) == QC_TEMP);
    qc_err_clear(&err);
    is_list(r, "k", "4r 2r 1r");
    CHECK_OK(get_v(r, "k", 4, 3, &err));
    CHECK(strcmp(disputed(r, "k"), "yes no no ") == 0);
    is_trash(r, "k");
}

static void settled(struct rig *r, const char *name, uint64_t want)
{
    QC_CLEANUP(vault_versions_done) struct vault_versions all = { 0 };
    struct vault_call call = rig_call(r);
    struct qc_err err = { 0 };
    uint64_t done = 0;
    CHECK_OK(vault_versions(r->v, qc_span_str(name), &call, &all, &err));
    CHECK_OK(vault_settle_disputes(r->v, qc_span_str(name), &all, &call, &done, &err));
    CHECK(done == want);
}

/* A removal that came to nothing, and a move that came to be, of which the stores were not told any more. */
static void moved_in_dispute(struct rig *r, const char *from, const char *to)
{
    struct vault_move m;
    struct qc_err err = { 0 };
    put(r, from, 1);
    put(r, from, 2);
    fails_remove(r);
    r->fake->fail_effect = false;
    CHECK(remove_it(r, from, &err) == QC_TEMP);
    qc_err_clear(&err);
    r->fake->fail = FAKE_CHAIN;
    r->fake->fail_nth = 1;
    r->fake->fail_rc = QC_TEMP;
    CHECK(move(r, from, to, NULL, &m, &err) == QC_TEMP && m.open);
    qc_err_clear(&err);
    vault_notes_done(&r->notes);
    CHECK(strcmp(disputed(r, from), "yes yes ") == 0);
}

static void other_moves_on(void *ctx)
{
    struct rig *other = open_other(ctx);
    other->fake->before_list = NULL;
    moves(other, "there", "and on", 1);
    vault_close(&other->v);
}

/* When the second look begins: that one shows no name that is there. */
static void other_puts_there(void *ctx)
{
    struct rig *other = ctx;
    if (other->fake->lists != 2)
        return;
    open_other(ctx);
    other->fake->before_list = NULL;
    put(other, "there4", 3);
    vault_close(&other->v);
}

/* The new name is shown in neither look, by a gateway that leaves it out or because it is removed first and
 * there then: that is no removal of the old one's object. */
static void not_shown(struct rig *r, struct rig *other)
{
    QC_CLEANUP(vault_versions_done) struct vault_versions all = { 0 };
    struct vault_call call = rig_call(r);
    struct qc_err err = { 0 };
    uint64_t done = 0;
    moved_in_dispute(r, "here3", "there3");
    CHECK_OK(vault_versions(r->v, QC_LIT("here3"), &call, &all, &err));
    for (unsigned lists = 1; lists <= 2; lists++) {
        r->fake->hide_lists = lists;
        REFUSED(vault_settle_disputes(r->v, QC_LIT("here3"), &all, &call, &done, &err), QC_INTEGRITY,
                "entries were left out");
        CHECK(r->fake->hide_lists == 0);
    }
    settled(r, "here3", 1);
    is_list(r, "here3", "-");
    is_list(r, "there3", "1c 0");
    moved_in_dispute(r, "here4", "there4");
    CHECK_OK(remove_it(r, "there4", &err));
    r->fake->before_ctx = other;
    r->fake->before_list = other_puts_there;
    r->fake->lists = 0;
    settled(r, "here4", 0);
    CHECK(r->fake->before_list == NULL && strcmp(disputed(r, "here4"), "yes yes ") == 0);
    settled(r, "here4", 1);
    is_list(r, "here4", "-");
    is_list(r, "there4", "3c 1r 0r");
}

/* The gateway shows half of a move whose answer was lost, and its numbers add up. By the stores' word it was
 * a move: nothing of it is the old name's to purge, and all of it is there when the gateway shows it (ADR
 * 76). */
static void half_shown(struct rig *r)
{
    struct vault_move m;
    struct qc_err err = { 0 };
    put(r, "half", 1);
    put(r, "half", 2);
    r->fake->fail = FAKE_CHAIN;
    r->fake->fail_nth = 1;
    r->fake->fail_rc = QC_TEMP;
    CHECK(move(r, "half", "whole", NULL, &m, &err) == QC_TEMP && m.open);
    qc_err_clear(&err);
    vault_notes_done(&r->notes);
    r->fake->entries--; /* the new name's, which came last, and its seal */
    r->fake->commits--;
    CHECK_OK(rig_open(r, &err));
    is_list(r, "half", "-"); /* it was moved to another name, it says */
    r->fake->entries++;
    r->fake->commits++;
    CHECK_OK(rig_open(r, &err));
    is_list(r, "half", "-");
    is_list(r, "whole", "1c 0");
    CHECK_OK(get_v(r, "whole", 1, 2, &err));
}

/* What both notes say is settled by what other names list: by the new name, by what became of that one, or as
 * a removal where none does. Never while the object is on its way to another name. */
static void disputes(struct rig *r)
{
    struct qc_err err = { 0 };
    struct rig other = rig_other(r, 1000159);
    settled(r, "k", 1); /* of refused_then_removed */
    CHECK(strcmp(disputed(r, "k"), "no no no ") == 0);
    is_list(r, "k", "4r 2r 1r");
    settled(r, "k", 0);
    moved_in_dispute(r, "here", "there");
    r->fake->before_ctx = &other;
    r->fake->before_list = other_moves_on;
    settled(r, "here", 0);
    CHECK(strcmp(disputed(r, "here"), "yes yes ") == 0);
    settled(r, "here", 1);
    is_list(r, "here", "-");
    is_list(r, "and on", "1c 0");
    moved_in_dispute(r, "here1", "there1");
    CHECK_OK(remove_it(r, "there1", &err));
    settled(r, "here1", 1);
    is_list(r, "here1", "-");
    is_list(r, "there1", "1r 0r");
    moved_in_dispute(r, "here2", "there2");
    put(r, "there2", 3);
    CHECK_OK(remove_it(r, "there2", &err));
    is_list(r, "here2", "-"); /* it went on there */
    is_list(r, "there2", "2r 1r 0r");
    not_shown(r, &other);
}

static void other_moves_too(void *ctx)
{
    struct rig *other = open_other(ctx);
    moves(other, "t", "u", 1);
    vault_close(&other->v);
}

/* Two move one name at once, in one second: who is refused leaves the other's notes alone. */
static void two_at_once(struct rig *r)
{
    struct vault_move m;
    struct qc_err err = { 0 };
    struct rig other = rig_other(r, 1000121);
    r->fake->before_ctx = &other;
    put(r, "t", 1);
    put(r, "t", 2);
    CHECK_OK(remove_it(r, "t", &err));
    put(r, "t", 3);
    r->fake->before_commit = other_moves_too;
    REFUSED(move(r, "t", "u2", NULL, &m, &err), QC_NOTFOUND, "removed, or moved");
    is_list(r, "t", "2r 1r");
    is_list(r, "u", "1c");
}

/* A gateway that does half of it, or none, and says that it did: nothing of that is told as done. */
static void hostile(struct rig *r)
{
    struct fake_image *image = fake_save(r->fake);
    struct qc_err err = { 0 };
    for (int lies = 1; lies <= 4; lies++) {
        struct vault_move m;
        r->fake->move_lies = lies;
        REFUSED(move(r, "g", "h", NULL, &m, &err), QC_INTEGRITY, lies == 4 ? "vault head" : "receipt");
        CHECK(m.open);
        r->fake->move_lies = 0;
        fake_restore(r->fake, image);
        CHECK_OK(rig_open(r, &err));
        is_list(r, "g", "1c");
    }
    moves(r, "g", "h", 1);
    fake_restore(r->fake, image); /* it shows the old name again */
    REFUSED(rig_get(r, "g", SIZE, 2, &err), QC_INTEGRITY, "older than this client has seen");
    REFUSED(rig_get(r, "h", SIZE, 2, &err), QC_INTEGRITY, "older than this client has seen");
    fake_image_free(&image);
}

/* Many by one request, each with its own outcome; no name twice. */
static void many(struct rig *r)
{
    struct vault_move m[VERSIONS_MAX];
    char from[VERSIONS_MAX][16], to[VERSIONS_MAX][16];
    struct vault_call call = rig_call(r);
    struct qc_err err = { 0 };
    for (unsigned i = 0; i < VERSIONS_MAX; i++) {
        snprintf(from[i], sizeof(from[i]), "dir/%u", i);
        snprintf(to[i], sizeof(to[i]), "other/%u", i);
        if (i != 7)
            put(r, from[i], i);
        m[i] = (struct vault_move){ .from = qc_span_str(from[i]), .to = qc_span_str(to[i]), .over = NOTHING };
    }
    const uint64_t asked = r->fake->calls[FAKE_MOVE];
    CHECK_OK(vault_move_many(r->v, m, VERSIONS_MAX, &call, &err));
    for (unsigned i = 0; i < VERSIONS_MAX; i++) {
        CHECK(m[i].rc == (i == 7 ? QC_NOTFOUND : QC_OK));
        is_list(r, i == 7 ? "x" : to[i], i == 7 ? "5c" : "1c");
    }
    CHECK(r->fake->calls[FAKE_MOVE] == asked + 1);
    m[0] = (struct vault_move){ .from = QC_LIT("other/0"), .to = QC_LIT("twice"), .over = NOTHING };
    m[1] = (struct vault_move){ .from = QC_LIT("other/2"), .to = QC_LIT("twice"), .over = NOTHING };
    m[2] = (struct vault_move){ .from = QC_LIT("other/2"), .to = QC_LIT("other/two"), .over = NOTHING };
    CHECK_OK(vault_move_many(r->v, m, 3, &call, &err)); /* no other goes with the one that is wrong */
    CHECK(m[0].rc == QC_OK && m[1].rc == QC_USAGE && strstr(m[1].err.msg, "twice") != NULL &&
          m[2].rc == QC_OK);
    is_list(r, "twice", "1c");
    is_list(r, "other/two", "1c");
    REFUSED(vault_move_many(r->v, m, 0, &call, &err), QC_USAGE, "0 moves");
    REFUSED(vault_move_many(r->v, m, QC_VAULT_CALL_FILES + 1, &call, &err), QC_USAGE, "257 moves");
}

/* Not with one store, nor with one that cannot be written; and with one made anew from the other. */
static void one_store(struct rig *r)
{
    struct vault_recover_result result;
    struct vault_call call = rig_call(r);
    struct vault_move m;
    struct qc_err err = { 0 };
    moves(r, "other/1", "other/one", 1);
    const uint64_t asked = r->fake->calls[FAKE_MOVE];
    vault_close(&r->v);
    rig_lose(r, "share2");
    CHECK_OK(rig_open(r, &err));
    REFUSED(move(r, "other/one", "other/1", NULL, &m, &err), QC_SHARES, "");
    CHECK(r->fake->calls[FAKE_MOVE] == asked);
    is_list(r, "p", "1c 0 0 0");
    CHECK_OK(vault_recover(r->v, 2, r->share[1], &call, &result, &err));
    vault_close(&r->v);
    rig_lose(r, "share1");
    CHECK_OK(rig_open(r, &err));
    is_list(r, "p", "1c 0 0 0");
    is_list(r, "o", "-");
    is_list(r, "other/1", "-");
    is_list(r, "m", "4r 0r");
    vault_notes_done(&r->notes);
}

int main(void)
{
    struct rig r;
    rig_new(&r, qc_rand_start());
    history(&r);
    overtaken(&r);
    shifted(&r);
    failures(&r);
    many(&r);
    one_store(&r);
    rig_done(&r);
    rig_new(&r, qc_rand_start());
    left_behind(&r);
    refused_then_removed(&r);
    disputes(&r);
    half_shown(&r);
    two_at_once(&r);
    put(&r, "g", 2);
    hostile(&r);
    rig_done(&r);
    return 0;
}
