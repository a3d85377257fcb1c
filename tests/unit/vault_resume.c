/* unit/vault_resume: a put goes on with what the gateway has and the record knows; what is of no use,
 * whatever the reason, is begun anew, and what is stored is the file that was read, never a mixture. */
#include "qc_watched.h"
#include "vault_rig.h"

#include <dirent.h>
#include <fcntl.h>

#define SEGMENT (UINT64_C(16) << 20)
#define SIZE    (2 * SEGMENT + 5) /* three segments, of which two are in the record */

enum { OTHER = 4 }; /* bytes that are no others' */

struct file {
    struct rig_pattern p;
    struct vault_source_id id;
    char anew[256];
    uint64_t from; /* what was told */
};

static struct file a_file(uint64_t salt)
{
    return (struct file){
        .p = { .size = SIZE, .salt = salt },
        .id = { .device = 1, .inode = 2, .size = SIZE, .mtime_s = 3, .mtime_ns = 4, .ctime_s = 5 }
    };
}

/* Bytes that repeat after a number that no chunk's is a multiple of: quick to make, and none stands where it
 * could stand in another's place. */
enum { PERIOD = 1000003, ROUNDS = 3 };
static uint8_t pattern[ROUNDS * PERIOD];

static const uint8_t *bytes_at(const struct rig_pattern *p)
{
    return pattern + (p->at + p->salt * 7919) % PERIOD;
}

static qc_rc read_fast(void *ctx, uint8_t *dst, size_t max, size_t *ret_got, struct qc_err *err)
{
    struct rig_pattern *p = ctx;
    (void)err;
    size_t n = max < PERIOD ? max : PERIOD;
    if (n > p->size - p->at)
        n = (size_t)(p->size - p->at);
    memcpy(dst, bytes_at(p), n);
    p->at += n;
    *ret_got = n;
    return QC_OK;
}

static qc_rc compare(void *ctx, qc_span bytes, struct qc_err *err)
{
    struct rig_pattern *p = ctx;
    (void)err;
    for (size_t done = 0; done < bytes.n;) {
        const size_t n = bytes.n - done < PERIOD ? bytes.n - done : PERIOD;
        CHECK(memcmp(bytes.p + done, bytes_at(p), n) == 0);
        p->at += n;
        done += n;
    }
    return QC_OK;
}

static void is_stored(struct rig *r, const char *name, const struct file *f)
{
    struct rig_pattern p = { .salt = f->p.salt };
    const struct vault_sink sink = { .write = compare, .ctx = &p };
    struct vault_call call = rig_call(r);
    struct qc_err err = { 0 };
    CHECK_OK(vault_get(r->v, qc_span_str(name), &sink, &call, NULL, &err));
    CHECK(p.at == f->p.size);
}

static qc_rc seek_to(void *ctx, uint64_t offset, struct qc_err *err)
{
    struct rig_pattern *p = ctx;
    (void)err;
    CHECK(offset <= p->size);
    p->at = offset;
    return QC_OK;
}

static void took_up(void *ctx, uint64_t durable, const char *why)
{
    struct file *f = ctx;
    CHECK((durable == 0) == (why != NULL));
    f->from = durable;
}

static qc_rc put(struct rig *r, const char *name, struct file *f, struct vault_put_result *ret,
                 struct qc_err *err)
{
    const struct vault_source source = { .read = read_fast,
                                         .unchanged = rig_unchanged,
                                         .id = &f->id,
                                         .seek = seek_to,
                                         .ctx = &f->p,
                                         .size = f->p.size,
                                         .has_mtime = true,
                                         .mtime_s = 1700000000,
                                         .mtime_ns = 5,
                                         .has_mode = true,
                                         .mode = 0640 };
    const struct vault_put_opts opts = { .took_up = took_up, .took_up_ctx = f };
    struct vault_call call = rig_call(r);
    f->p.at = f->from = 0;
    fake_forget(r->fake);
    const qc_rc rc = vault_put(r->v, qc_span_str(name), &source, &opts, &call, ret, err);
    memcpy(f->anew, ret->anew, sizeof(f->anew));
    return rc;
}

/* It fails, at a segment (0: at the commit), in a way that may pass: what is durable waits. */
static void fails(struct rig *r, const char *name, struct file *f, uint32_t segment)
{
    struct qc_err err = { 0 };
    struct vault_put_result res;
    r->fake->refuse = segment;
    r->fake->fail = segment == 0 ? FAKE_COMMIT : FAKE_NONE;
    r->fake->fail_nth = 1;
    r->fake->fail_rc = QC_QUORUM;
    r->fake->fail_effect = false;
    CHECK_RC(put(r, name, f, &res, &err), QC_QUORUM);
    CHECK(res.waits && res.kept >= SEGMENT && rig_leftovers(r) == 1);
}

/* And then it is stored, with so many bytes that were not sent again; 0: for this reason. */
static void ends(struct rig *r, const char *name, struct file *f, uint64_t kept, const char *why)
{
    struct qc_err err = { 0 };
    struct vault_put_result res;
    CHECK_OK(put(r, name, f, &res, &err));
    if (res.kept != kept || strcmp(f->anew, why) != 0)
        fprintf(stderr, "%s: %llu bytes were kept (%s)\n", name, (unsigned long long)res.kept, f->anew);
    CHECK(res.kept == kept && f->from == kept && strcmp(f->anew, why) == 0);
    CHECK(rig_leftovers(r) == 0);
    if (kept > 0 || f->p.salt == OTHER) /* where two could have been mixed */
        is_stored(r, name, f);
}

static void goes_on(struct rig *r)
{
    struct file f = a_file(1);
    fails(r, "a", &f, 1);
    fails(r, "a", &f, 1); /* in the run that goes on, too */
    ends(r, "a", &f, SEGMENT, "");
    fails(r, "a", &f, 0); /* the next version: all is durable, and the commit may be on its way */
    ends(r, "a", &f, 2 * SEGMENT, "");
    struct file other = a_file(7); /* another name's is not touched */
    fails(r, "a", &f, 2);
    struct qc_err err = { 0 };
    struct vault_put_result res;
    CHECK_OK(put(r, "b", &other, &res, &err));
    CHECK(res.kept == 0 && res.anew[0] == '\0' && rig_leftovers(r) == 1);
    ends(r, "a", &f, 2 * SEGMENT, "");
}

/* What may have to be sent again is one segment: the next one's bytes do not go out before its own are out.
 * They do before it is answered. */
static void one_by_one(struct rig *r)
{
    struct file f = a_file(11);
    f.p.size = f.id.size = 4 * SEGMENT + 5;
    r->fake->watches = true;
    ends(r, "o", &f, 0, "");
    CHECK(r->fake->began == 5);
    r->fake->watches = false;
}

/* Another put of the name was there meanwhile, and a removal: the put goes on under the next number. */
static void overtaken(struct rig *r)
{
    struct file f = a_file(2);
    struct qc_err err = { 0 };
    struct vault_call call = rig_call(r);
    struct vault_remove_result removed;
    fails(r, "c", &f, 2);
    vault_close(&r->v);
    char mine[400], away[400]; /* another machine's journal is its own */
    snprintf(mine, sizeof(mine), "%s/state", r->dir.path);
    snprintf(away, sizeof(away), "%s/away", r->dir.path);
    CHECK(rename(mine, away) == 0);
    CHECK_OK(rig_open(r, &err));
    CHECK_OK(rig_put(r, "c", 10, 3, &err));
    CHECK_OK(vault_remove(r->v, qc_span_str("c"), &call, &removed, &err));
    CHECK_OK(rig_put(r, "c", 10, 4, &err));
    vault_close(&r->v);
    qc_tree_remove(mine);
    CHECK(rename(away, mine) == 0);
    CHECK_OK(rig_open(r, &err));
    ends(r, "c", &f, 2 * SEGMENT, "");
    struct vault_stat st = { 0 };
    CHECK_OK(vault_stat(r->v, qc_span_str("c"), &call, &st, &err));
    CHECK(st.number == 4);
    vault_stat_done(&st);
}

static void of_no_use(struct rig *r)
{
    static const char changed[] = "the file has changed since, or is another one";
    static const char bytes[] = "the file has other bytes than those that are stored";
    struct file f = a_file(3), g = a_file(OTHER);
    for (unsigned i = 0; i < 3; i++) {
        fails(r, "d", &f, 2);
        struct file other = f;
        const bool device = i == 2;
        other.id.inode += i == 0;
        other.id.ctime_ns += i == 1;
        other.id.device += device; /* that may have another number after a boot: then all is compared */
        ends(r, "d", &other, device ? 2 * SEGMENT : 0, device ? "" : changed);
    }
    fails(r, "d", &f, 2); /* as if nobody had changed it, and the bytes are others */
    ends(r, "d", &g, 0, bytes);
    fails(r, "d", &f, 1);
    fails(r, "d", &f, 1);
    r->fake->upload[r->fake->uploads - 1].run = 0; /* the gateway forgot runs: a copy of it came back */
    ends(r, "d", &f, 0, "the gateway is older than what it was sent");
    fails(r, "d", &f, 2);
    r->fake->upload[r->fake->uploads - 1].state = VAULT_UPLOAD_CANCELLED;
    ends(r, "d", &f, 0, "the gateway has none of it any more");
}

static void record_of(struct rig *r, char *ret, size_t size)
{
    char dir[400];
    ret[0] = '\0';
    snprintf(dir, sizeof(dir), "%s/journal", r->state);
    DIR *d = opendir(dir);
    CHECK(d != NULL);
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d))
        if (strstr(e->d_name, ".resume") != NULL)
            snprintf(ret, size, "%s/%s", dir, e->d_name);
    CHECK(closedir(d) == 0 && ret[0] != '\0');
}

/* Each place of the record: what is behind a damage does not count, and nothing that is wrong is believed. */
static void damaged(struct rig *r)
{
    static const struct {
        int64_t at; /* from the end, if negative */
        uint64_t kept;
        bool cut;
    } cases[] = { { 10, 0, false }, { 30, 0, false }, { 110, 0, false }, { 103, 0, true },
                  { -1, 1, true },  { -1, 1, false }, { -549, 0, false } };
    struct file f = a_file(5);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char path[700];
        struct stat st;
        uint8_t b = 0;
        struct qc_err err = { 0 };
        struct vault_put_result res;
        fails(r, "e", &f, 2);
        record_of(r, path, sizeof(path));
        CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
        const off_t at = cases[i].at < 0 ? st.st_size + cases[i].at : cases[i].at;
        const int fd = open(path, O_RDWR);
        CHECK(fd >= 0);
        if (cases[i].cut)
            CHECK(ftruncate(fd, at) == 0);
        else {
            CHECK(pread(fd, &b, 1, at) == 1);
            b ^= 1;
            CHECK(pwrite(fd, &b, 1, at) == 1);
        }
        CHECK(close(fd) == 0);
        CHECK_OK(put(r, "e", &f, &res, &err));
        if (res.kept != cases[i].kept * SEGMENT)
            fprintf(stderr, "case %zu: %llu bytes were kept (%s)\n", i, (unsigned long long)res.kept,
                    res.anew);
        CHECK(res.kept == cases[i].kept * SEGMENT && rig_leftovers(r) == 0);
        if (res.kept > 0)
            is_stored(r, "e", &f);
    }
}

static uint64_t wide(uint64_t n)
{
    return n + SEGMENT + SEGMENT / 2;
}

static void padded_by(struct rig *r, uint64_t (*pad)(uint64_t n))
{
    struct qc_err err = { 0 };
    vault_close(&r->v);
    r->pad = pad;
    CHECK_OK(rig_open(r, &err));
}

/* It goes on behind zeros as behind bytes; and where all of D is there, only if something is to follow. */
static void padded(struct rig *r)
{
    static const char was[] = "it was padded, and is not to be now";
    struct file f = a_file(6), whole = a_file(8);
    padded_by(r, wide);
    fails(r, "f", &f, 2); /* D's last bytes and zeros */
    ends(r, "f", &f, 2 * SEGMENT, "");
    fails(r, "f", &f, 3); /* zeros alone */
    fails(r, "f", &f, 3);
    ends(r, "f", &f, SIZE, "");
    fails(r, "f", &f, 0);
    padded_by(r, NULL); /* it is not to be padded any more */
    ends(r, "f", &f, 0, was);
    fails(r, "f", &f, 2);
    padded_by(r, wide);
    ends(r, "f", &f, 2 * SEGMENT, "");

    whole.p.size = whole.id.size = 2 * SEGMENT;
    for (uint32_t at = 2; at < 4; at++) {
        fails(r, "g", &whole, at);
        ends(r, "g", &whole, 2 * SEGMENT, "");
    }
    fails(r, "g", &whole, 2);
    padded_by(r, NULL);
    ends(r, "g", &whole, 0, was);
    is_stored(r, "g", &whole);
}

static uint64_t one_class(uint64_t n)
{
    return n <= 4 * SEGMENT ? 4 * SEGMENT : n;
}

static struct file of_size(uint64_t salt, uint64_t size)
{
    struct file f = a_file(salt);
    f.p.size = f.id.size = size;
    return f;
}

/* Two sizes of one class, broken off wherever a gateway may want it: it is told the same of both, which is as
 * many as were sealed: where more follow, one or two beyond the one that failed. */
static void one_of_a_class(struct rig *r)
{
    static const uint64_t size[] = { SEGMENT + 5, 3 * SEGMENT + 7 };
    padded_by(r, one_class);
    for (uint32_t at = 1; at < 5; at++) { /* the last: its commit */
        const struct fake_upload *u[2] = { NULL, NULL };
        for (size_t i = 0; i < 2; i++) {
            struct file f = of_size(9 + i, size[i]);
            fails(r, "h", &f, at % 4);
            const uint64_t there = (at < 4 ? at : 3) * SEGMENT;
            ends(r, "h", &f, there < size[i] ? there : size[i], "");
            u[i] = &r->fake->upload[r->fake->uploads - 1];
            CHECK(u[i]->asked >= (at < 4 ? at : 3) && u[i]->asked <= 3);
        }
        CHECK(u[0] != u[1] && u[0]->run == u[1]->run && u[0]->size == u[1]->size);
        CHECK(u[0]->last == u[1]->last && (at < 3 || u[0]->asked == u[1]->asked));
        for (uint32_t i = 0; i < u[0]->last; i++)
            CHECK(u[0]->seg[i].n == u[1]->seg[i].n);
    }
    struct file f = of_size(9, size[0]), other = of_size(OTHER, size[0]);
    fails(r, "h", &f, 3); /* the last segment that is there is of zeros, which prove no file */
    ends(r, "h", &other, 0, "the file has other bytes than those that are stored");
}

int main(void)
{
    struct rig r;
    rig_new(&r, qc_rand_start());
    qc_rand_fill(&r.rand, pattern, PERIOD);
    for (size_t i = 1; i < ROUNDS; i++)
        memcpy(pattern + i * PERIOD, pattern, PERIOD);
    goes_on(&r);
    one_by_one(&r);
    overtaken(&r);
    if (qc_threads_alone) { /* what follows is about records and sizes */
        rig_done(&r);
        return 0;
    }
    of_no_use(&r);
    damaged(&r);
    padded(&r);
    one_of_a_class(&r);
    rig_done(&r);
    return 0;
}
