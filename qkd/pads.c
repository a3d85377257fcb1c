/* Pad blocks. Each change of the state file is durable before what it allows is done (qkd/pads.h has the
 * order; I4). */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/codec.h"
#include "base/crypto.h"
#include "base/fault.h"
#include "base/key.h"
#include "base/time.h"
#include "pads_side.h"

enum { BLOCKS_BEFORE = 2 }; /* of K2's stream, before the pad's: the key of K1's tag */

struct qkd_pads {
    struct qc_fd dir, lock;
    struct qc_secret k1; /* of the block that is open, as on the disk; wiped up to the window's end */
    struct pads_state state;
    struct pads_table table;
    struct pads_side *side;  /* reads the next block, erases the last one */
    struct qc_secret window; /* K4 from `at` rounded down on; wiped up to `at` */
    uint64_t number;         /* of the open block; 0: none */
    uint32_t at;             /* its next byte */
    bool broken;             /* what of the state is durable is not known */
    uint64_t burnt, lost;
};

static const char state_name[] = "pads.state";

static qc_rc write_state(struct qkd_pads *p, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { .max = PADS_STATE_MAX };
    QC_TRY(pads_state_print(&p->state, &text, err));
    const qc_span s = qc_buf_span(&text);
    const qc_rc rc = qc_file_write_atomic(qc_fd_get(&p->dir), state_name, &s, 1, 0600, err);
    p->broken |= rc != QC_OK;
    return rc;
}

static struct pad_entry *entry_of(struct qkd_pads *p, uint64_t number)
{
    for (uint32_t i = 0; i < p->state.count; i++)
        if (p->state.v[i].number == number)
            return &p->state.v[i];
    return NULL;
}

static qc_rc usable(const struct qkd_pads *p, struct qc_err *err)
{
    if (p->broken)
        return QC_FAIL(err, QC_FENCED, "the pool's state could not be written; open it anew");
    return QC_OK;
}

/* -- erasing --------------------------------------------------------------------------------------------- */

static void wipe_slot(struct pad_slot *s)
{
    if (s != NULL)
        qc_wipe(s, sizeof *s);
}

/* The block behind is gone: so is its entry, for good with the next change of the state. wait: until it is.
 */
static qc_rc settle_behind(struct qkd_pads *p, bool wait, struct qc_err *err)
{
    uint64_t number = 0;
    QC_TRY(pads_behind_end(p->side, wait, &number, err));
    if (number == 0)
        return QC_OK;
    QC_TRY(qc_fault(pads_gone, err));
    pads_state_drop(&p->state, (uint32_t)(entry_of(p, number) - p->state.v));
    return QC_OK;
}

/* Blocks that are SPENT in the durable state: their files, then their entries. */
static qc_rc forget_spent(struct qkd_pads *p, struct qc_err *err)
{
    char name[PAD_NAME];
    bool any = pads_behind(p->side) != 0;
    QC_TRY(settle_behind(p, true, err));
    for (uint32_t i = 0; i < p->state.count;) {
        if (p->state.v[i].state != PAD_SPENT) {
            i++;
            continue;
        }
        pads_name(p->state.v[i].number, name);
        QC_TRY(pads_erase(qc_fd_get(&p->dir), name, err));
        QC_TRY(qc_fault(pads_gone, err));
        pads_state_drop(&p->state, i);
        any = true;
    }
    return any ? write_state(p, err) : QC_OK;
}

static void close_window(struct qkd_pads *p)
{
    qc_wipe(p->window.p, p->window.n);
    if (p->k1.p != NULL) /* one that was never made has nothing in it */
        qc_wipe((uint8_t *)p->k1.p + p->at, p->state.block - p->at);
    p->number = 0;
    p->at = 0;
}

/* K4 and K2 of a block, now; the state says so once it is written. */
static void spend(struct qkd_pads *p, struct pad_entry *e)
{
    if (e->number == p->number)
        close_window(p);
    pads_ahead_drop(p->side, e->number);
    wipe_slot(pads_table_find(&p->table, e->number));
    e->state = PAD_SPENT;
}

/* K4 and K2 are wiped: then the state, then K1. */
static qc_rc settle_spent(struct qkd_pads *p, bool any, struct qc_err *err)
{
    if (!any)
        return QC_OK;
    QC_TRY(qc_fault(pads_k2, err));
    QC_TRY(write_state(p, err));
    QC_TRY(qc_fault(pads_spent, err));
    return forget_spent(p, err);
}

/* All blocks below a number. */
static qc_rc spend_below(struct qkd_pads *p, uint64_t below, struct qc_err *err)
{
    bool any = false;
    for (uint32_t i = 0; i < p->state.count && p->state.v[i].number < below; i++, any = true)
        spend(p, &p->state.v[i]);
    return settle_spent(p, any, err);
}

static bool is_among(uint64_t number, const uint64_t *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (numbers[i] == number)
            return true;
    return false;
}

qc_rc qkd_pads_keep(struct qkd_pads *p, const uint64_t *numbers, size_t count, struct qc_err *err)
{
    bool any = false;
    QC_TRY(usable(p, err));
    for (uint32_t i = 0; i < p->state.count; i++)
        if (!is_among(p->state.v[i].number, numbers, count)) {
            spend(p, &p->state.v[i]);
            any = true;
        }
    return settle_spent(p, any, err);
}

qc_rc qkd_pads_skip(struct qkd_pads *p, uint64_t next, struct qc_err *err)
{
    QC_TRY(usable(p, err));
    if (next <= p->state.next)
        return QC_OK;
    p->state.next = next;
    return write_state(p, err);
}

qc_rc qkd_pads_burn(struct qkd_pads *p, uint64_t below, struct qc_err *err)
{
    QC_TRY(usable(p, err));
    return spend_below(p, below, err);
}

/* -- opening --------------------------------------------------------------------------------------------- */

void qkd_pads_close(struct qkd_pads **p)
{
    if (*p == NULL)
        return;
    pads_side_free(&(*p)->side);
    qc_secret_free(&(*p)->window);
    qc_secret_free(&(*p)->k1);
    pads_table_close(&(*p)->table);
    qc_fd_close(&(*p)->lock);
    qc_fd_close(&(*p)->dir);
    qc_free(*p);
    *p = NULL;
}

static qc_rc read_state(struct qkd_pads *p, uint32_t block, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf text = { 0 };
    const qc_rc rc = qc_file_read(qc_fd_get(&p->dir), state_name, PADS_STATE_MAX, &text, err);
    if (rc == QC_NOTFOUND) {
        p->state = (struct pads_state){ .block = block, .next = 1 };
        return QC_OK;
    }
    QC_TRY(rc);
    QC_TRY(pads_state_parse(&p->state, qc_buf_span(&text), err));
    if (p->state.block != block)
        return QC_FAIL(err, QC_USAGE, "pad blocks have %u bytes here, not %u", (unsigned)p->state.block,
                       (unsigned)block);
    return QC_OK;
}

/* What a process before this one left behind: burnt where it was open, lost where a half of it is missing. */
static qc_rc settle(struct qkd_pads *p, struct qc_err *err)
{
    bool any = false;
    for (uint32_t i = 0; i < p->state.count; i++) {
        struct pad_entry *e = &p->state.v[i];
        char name[PAD_NAME];
        pads_name(e->number, name);
        struct pad_slot *k2 = pads_table_find(&p->table, e->number);
        const bool whole = k2 != NULL && faccessat(qc_fd_get(&p->dir), name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
        if (e->state == PAD_READY && whole)
            continue;
        wipe_slot(k2);
        p->burnt += e->state == PAD_OPEN;
        p->lost += e->state == PAD_READY;
        e->state = PAD_SPENT;
        any = true;
    }
    for (unsigned i = 0; i < QKD_PADS_MAX; i++)
        if (p->table.v[i].number != 0 && entry_of(p, p->table.v[i].number) == NULL)
            wipe_slot(&p->table.v[i]);
    if (!any)
        return QC_OK;
    QC_TRY(write_state(p, err));
    return forget_spent(p, err);
}

/* seg-<number>.k1, and nothing of the state's. */
static bool is_orphan(struct qkd_pads *p, const char *name)
{
    uint64_t number = 0;
    char again[PAD_NAME];
    qc_span s = qc_span_str(name);
    if (s.n <= 4 || strncmp(name, "seg-", 4) != 0)
        return false;
    s = qc_span_from(s, 4);
    if (!qc_dec_take(&s, &number))
        return false;
    pads_name(number, again);
    return strcmp(name, again) == 0 && entry_of(p, number) == NULL;
}

static qc_rc erase_orphans(struct qkd_pads *p, struct qc_err *err)
{
    QC_CLEANUP(qc_fd_close) struct qc_fd fd = { 0 };
    QC_TRY(qc_open_at(&fd, qc_fd_get(&p->dir), ".", O_RDONLY | O_DIRECTORY, 0, err));
    QC_CLEANUP(qc_list_close) DIR *d = fdopendir(qc_fd_get(&fd));
    if (d == NULL)
        return QC_FAIL_OS(err, "listing a pool of pad");
    fd = (struct qc_fd){ 0 }; /* d owns it now */
    for (errno = 0;; errno = 0) {
        const struct dirent *e = readdir(d);
        if (e == NULL)
            break;
        if (is_orphan(p, e->d_name))
            QC_TRY(pads_erase(qc_fd_get(&p->dir), e->d_name, err));
    }
    if (errno != 0)
        return QC_FAIL_OS(err, "listing a pool of pad");
    return qc_tmp_sweep(qc_fd_get(&p->dir), err);
}

qc_rc qkd_pads_open(struct qkd_pads **ret, const struct qkd_pads_opts *o, struct qc_err *err)
{
    QC_CLEANUP(qkd_pads_close) struct qkd_pads *p = qc_alloc(sizeof *p);
    if (p == NULL)
        return QC_FAIL(err, QC_NOMEM, "%zu bytes", sizeof *p);
    if (o->block % QKD_PAD_WINDOW != 0 || o->block < QKD_PAD_BLOCK_MIN || o->block > QKD_PAD_BLOCK_MAX)
        return QC_FAIL(err, QC_USAGE, "a pad block has a multiple of %d bytes, %d at most", QKD_PAD_WINDOW,
                       QKD_PAD_BLOCK_MAX);
    QC_TRY_AS(qc_dir_make_path(o->dir, 0700, err), err, "pool %s", o->dir);
    QC_TRY_AS(qc_dir_open(&p->dir, o->dir, err), err, "pool %s", o->dir);
    QC_TRY_AS(qc_lock_file(&p->lock, qc_fd_get(&p->dir), "pads.lock", err), err, "pool %s", o->dir);
    QC_TRY_AS(read_state(p, o->block, err), err, "pool %s", o->dir);
    QC_TRY(pads_table_open(&p->table, o->table, err));
    QC_TRY(qc_secret_new(&p->window, QKD_PAD_WINDOW, err));
    QC_TRY(pads_side_new(&p->side, qc_fd_get(&p->dir), o->block, err));
    QC_TRY_AS(settle(p, err), err, "pool %s", o->dir);
    QC_TRY_AS(forget_spent(p, err), err, "pool %s", o->dir);
    QC_TRY_AS(erase_orphans(p, err), err, "pool %s", o->dir);
    *ret = QC_STEAL(p);
    return QC_OK;
}

/* -- filling --------------------------------------------------------------------------------------------- */

static qc_rc fill(struct qkd_pads *p, const uint8_t *k0, struct qc_err *err)
{
    char name[PAD_NAME];
    uint8_t tag[QC_TAG];
    const uint64_t number = p->state.next;
    const qc_span k1 = qc_span_of(k0 + PAD_K2, p->state.block);
    struct pad_slot *slot = pads_table_find(&p->table, 0);
    if (p->state.count == QKD_PADS_MAX || slot == NULL)
        return QC_FAIL(err, QC_LIMIT, "the pool has %d pad blocks", QKD_PADS_MAX);
    QC_TRY(pads_tag(k0, k1, tag, err));
    pads_name(number, name);
    const qc_span parts[] = { k1, qc_span_of(tag, sizeof tag) };
    QC_TRY(qc_file_write_atomic(qc_fd_get(&p->dir), name, parts, 2, 0600, err));
    memcpy(slot->k2, k0, PAD_K2);
    slot->number = number;
    p->state.v[p->state.count++] = (struct pad_entry){ .number = number, .state = PAD_READY };
    p->state.next = number + 1;
    qc_rc rc = qc_fault(pads_k1, err);
    if (rc == QC_OK)
        rc = write_state(p, err);
    if (rc != QC_OK) { /* it may be durable or not: it is nothing to anybody without K2 */
        wipe_slot(slot);
        p->broken = true;
        return rc;
    }
    return qc_fault(pads_ready, err);
}

qc_rc qkd_pads_fill(struct qkd_pads *p, uint8_t *k0, uint64_t *ret_number, struct qc_err *err)
{
    qc_rc rc = usable(p, err);
    if (rc == QC_OK)
        rc = fill(p, k0, err);
    qc_wipe(k0, PAD_K2 + p->state.block);
    if (rc == QC_OK)
        *ret_number = p->state.next - 1;
    return rc;
}

/* -- taking ---------------------------------------------------------------------------------------------- */

/* NULL: there is none. */
static struct pad_entry *first_ready(struct qkd_pads *p)
{
    for (uint32_t i = 0; i < p->state.count; i++)
        if (p->state.v[i].state == PAD_READY)
            return &p->state.v[i];
    return NULL;
}

/* The next READY block becomes OPEN. */
static qc_rc open_next(struct qkd_pads *p, struct qc_err *err)
{
    struct pad_entry *e = first_ready(p);
    if (e == NULL)
        return QC_FAIL(err, QC_TEMP, "no pad is left");
    const struct pad_slot *slot = pads_table_find(&p->table, e->number);
    QC_ASSERT(slot != NULL);
    qc_rc rc = QC_OK;
    if (!pads_ahead_take(p->side, e->number, &p->k1))
        rc = pads_load(qc_fd_get(&p->dir), slot, p->state.block, &p->k1, err);
    if (rc == QC_INTEGRITY || rc == QC_NOTFOUND) {
        struct qc_err why = *err;
        p->lost++;
        QC_TRY(spend_below(p, e->number + 1, err));
        return QC_FAIL(err, QC_INTEGRITY, "%s", why.msg);
    }
    QC_TRY(rc);
    QC_TRY(qc_fault(pads_opening, err));
    e->state = PAD_OPEN;
    QC_TRY(write_state(p, err));
    p->number = e->number;
    p->at = 0;
    return qc_fault(pads_opened, err);
}

/* K4 of the window that begins at p->at: K1 xor K2's stream. */
static qc_rc make_window(struct qkd_pads *p, struct qc_err *err)
{
    const struct pad_slot *slot = pads_table_find(&p->table, p->number);
    QC_ASSERT(slot != NULL && p->at % QKD_PAD_WINDOW == 0);
    uint8_t *from = (uint8_t *)p->k1.p + p->at;
    memcpy(p->window.p, from, QKD_PAD_WINDOW);
    QC_TRY(qc_aes256_ctr_xor(qc_span_of(slot->k2, PAD_K2), BLOCKS_BEFORE + p->at / 16, p->window.p,
                             QKD_PAD_WINDOW, err));
    qc_wipe(from, QKD_PAD_WINDOW);
    return QC_OK;
}

/* What an earlier call failed to erase is erased first; what is erased now is waited for where there is
 * nothing else to do. */
static qc_rc next_block(struct qkd_pads *p, struct qc_err *err)
{
    bool left = first_ready(p) == NULL;
    for (uint32_t i = 0; i < p->state.count; i++)
        left |= p->state.v[i].state == PAD_SPENT && p->state.v[i].number != pads_behind(p->side);
    QC_TRY(left ? forget_spent(p, err) : settle_behind(p, false, err));
    return open_next(p, err);
}

/* While this block is taken, the next one is read. */
static qc_rc look_ahead(struct qkd_pads *p, struct qc_err *err)
{
    const struct pad_entry *e = first_ready(p);
    return e == NULL ? QC_OK : pads_ahead_begin(p->side, pads_table_find(&p->table, e->number), err);
}

/* K4 and K2 are wiped; K1 is erased while the next block is taken from, one behind at most. Until the state
 * says SPENT, with the next OPEN, it says OPEN of this one: a start burns it, which erases what is left.
 * Where there is no next one it says so now. */
static qc_rc end_block(struct qkd_pads *p, struct qc_err *err)
{
    struct pad_entry *e = entry_of(p, p->number);
    const uint64_t number = e->number;
    spend(p, e);
    QC_TRY(qc_fault(pads_k2, err));
    if (first_ready(p) == NULL) {
        QC_TRY(write_state(p, err));
        QC_TRY(qc_fault(pads_spent, err));
    }
    QC_TRY(settle_behind(p, true, err));
    return pads_behind_begin(p->side, number, err);
}

static qc_rc take(struct qkd_pads *p, uint8_t *room, size_t max, struct qkd_pad_at *ret, struct qc_err *err)
{
    if (p->number == 0)
        QC_TRY(next_block(p, err));
    if (p->at % QKD_PAD_WINDOW == 0) {
        QC_TRY(look_ahead(p, err));
        QC_TRY(make_window(p, err));
    }
    uint8_t *from = (uint8_t *)p->window.p + p->at % QKD_PAD_WINDOW;
    const size_t left = QKD_PAD_WINDOW - p->at % QKD_PAD_WINDOW, n = max < left ? max : left;
    const struct qkd_pad_at at = { .block = p->number, .offset = p->at, .n = (uint32_t)n };
    memcpy(room, from, n);
    qc_wipe(from, n);
    p->at += (uint32_t)n;
    qc_rc rc = qc_fault(pads_taken, err);
    if (rc == QC_OK && p->at == p->state.block)
        rc = end_block(p, err);
    if (rc != QC_OK) {
        qc_wipe(room, n);
        return rc;
    }
    *ret = at;
    return QC_OK;
}

qc_rc qkd_pads_take(struct qkd_pads *p, uint8_t *room, size_t max, struct qkd_pad_at *ret, struct qc_err *err)
{
    QC_ASSERT(max > 0);
    QC_TRY(usable(p, err));
    return take(p, room, max, ret, err);
}

size_t qkd_pads_list(const struct qkd_pads *p, uint64_t *room)
{
    size_t n = 0;
    for (uint32_t i = 0; i < p->state.count; i++)
        if (p->state.v[i].state != PAD_SPENT)
            room[n++] = p->state.v[i].number;
    return n;
}

/* K1 is written once, as the block is filled. */
uint64_t qkd_pads_old(const struct qkd_pads *p, uint64_t max_s)
{
    const int64_t before = qc_wall_s() - (int64_t)max_s;
    uint64_t below = 0;
    for (uint32_t i = 0; i < p->state.count; i++) {
        char name[PAD_NAME];
        struct stat st;
        if (p->state.v[i].state == PAD_SPENT)
            continue;
        pads_name(p->state.v[i].number, name);
        if (fstatat(qc_fd_get(&p->dir), name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_mtim.tv_sec < before)
            below = p->state.v[i].number + 1;
    }
    return below;
}

bool qkd_pads_at(const struct qkd_pads *p, uint64_t *ret_block, uint32_t *ret_offset)
{
    uint64_t numbers[QKD_PADS_MAX];
    const bool is = p->number != 0 || qkd_pads_list(p, numbers) > 0;
    if (is) {
        *ret_block = p->number != 0 ? p->number : numbers[0];
        *ret_offset = p->number != 0 ? p->at : 0;
    }
    return is;
}

void qkd_pads_counts(const struct qkd_pads *p, struct qkd_pads_counts *ret)
{
    struct qkd_pads_counts c = { .burnt = p->burnt,
                                 .lost = p->lost,
                                 .next = p->state.next,
                                 .locked = p->table.locked && p->window.locked };
    for (uint32_t i = 0; i < p->state.count; i++)
        c.ready += p->state.v[i].state == PAD_READY;
    c.bytes = c.ready * p->state.block + (p->number != 0 ? p->state.block - p->at : 0);
    *ret = c;
}
