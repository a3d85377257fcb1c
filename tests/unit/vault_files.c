/* unit/vault_files: files as source and target; the sorter; the journal's file. */
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "journal.h"
#include "qc_check.h"
#include "qc_seed.h"
#include "qc_tmpdir.h"
#include "sorter.h"
#include "vault/sink_file.h"
#include "vault/source_file.h"

static char work[256];

static const char *in_work(const char *name)
{
    static char path[2][600];
    static int turn;
    turn = 1 - turn;
    snprintf(path[turn], sizeof(path[turn]), "%s/%s", work, name);
    return path[turn];
}

static bool holds(const char *name, const char *want)
{
    char got[64] = "";
    int fd = open(in_work(name), O_RDONLY);
    if (fd < 0)
        return want == NULL;
    ssize_t n = read(fd, got, sizeof(got) - 1);
    close(fd);
    return want != NULL && n == (ssize_t)strlen(want) && strcmp(got, want) == 0;
}

static void write_file(const char *name, const char *text)
{
    int fd = open(in_work(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

/* Four at once: two get their names together, one finds its name taken meanwhile, one did not come to its
 * end. */
static void sinks(void)
{
    static const char *const names[] = { "many1", "many2", "many3", "many4" };
    struct vault_sink_file *f[4] = { NULL };
    struct vault_sink_outcome outcomes[4] = { 0 };
    struct vault_stat what = { .has_mode = true, .mode = 0640, .has_mtime = true, .mtime_s = 1234567890 };
    struct qc_err err = { 0 };
    struct stat st;
    for (unsigned i = 0; i < 4; i++) {
        CHECK_OK(vault_sink_file_new(&f[i], in_work(names[i]), false, &err));
        vault_sink_file_later(f[i]);
        const struct vault_sink *s = vault_sink_file_sink(f[i]);
        CHECK_OK(s->begin(s->ctx, &what, &err));
        CHECK_OK(s->write(s->ctx, QC_LIT("bytes"), &err));
        if (i < 3)
            CHECK_OK(s->finish(s->ctx, &err));
        CHECK(stat(in_work(names[i]), &st) != 0);
    }
    int taken = open(in_work(names[1]), O_CREAT | O_WRONLY, 0600);
    CHECK(taken >= 0 && close(taken) == 0);
    vault_sink_files_finish(f, outcomes, 4);
    CHECK(outcomes[0].rc == QC_OK && outcomes[1].rc != QC_OK && outcomes[2].rc == QC_OK);
    for (unsigned i = 0; i < 4; i++)
        vault_sink_file_free(&f[i]);
    CHECK(stat(in_work(names[2]), &st) == 0 && st.st_size == 5 && (st.st_mode & 07777) == 0640 &&
          st.st_mtime == 1234567890);
    CHECK(stat(in_work(names[1]), &st) == 0 && st.st_size == 0);
    CHECK(stat(in_work(names[3]), &st) != 0);
    for (unsigned i = 0; i < 4; i++) {
        char part[64];
        snprintf(part, sizeof(part), "%s.part", names[i]);
        CHECK(stat(in_work(part), &st) != 0);
        (void)unlink(in_work(names[i]));
    }
}

static void sink(void)
{
    struct qc_err err = { 0 };
    struct vault_sink_file *f = NULL, *second = NULL;
    struct vault_stat st = {
        .has_mtime = true, .mtime_s = 1500000000, .mtime_ns = 7, .has_mode = true, .mode = 04751
    };
    struct stat got;
    CHECK_OK(vault_sink_file_new(&f, in_work("out"), false, &err));
    const struct vault_sink *s = vault_sink_file_sink(f);
    CHECK(holds("out.part", NULL)); /* nothing is made before the first verified byte */
    CHECK_OK(s->begin(s->ctx, &st, &err));
    CHECK_OK(s->write(s->ctx, QC_LIT("hello "), &err));
    CHECK(holds("out", NULL) && holds("out.part", "hello "));
    CHECK_OK(vault_sink_file_new(&second, in_work("out"), false, &err));
    const struct vault_sink *other = vault_sink_file_sink(second);
    CHECK_RC(other->begin(other->ctx, &st, &err), QC_LOCKED); /* another get writes it */
    vault_sink_file_free(&second);
    CHECK_OK(s->write(s->ctx, QC_LIT("world"), &err));
    CHECK_OK(s->finish(s->ctx, &err));
    CHECK(holds("out", "hello world") && holds("out.part", NULL));
    CHECK(stat(in_work("out"), &got) == 0 && got.st_mtim.tv_sec == 1500000000 && got.st_mtim.tv_nsec == 7);
    CHECK((got.st_mode & 07777) == 0751); /* no set-id bit */
    vault_sink_file_free(&f);
    CHECK_RC(vault_sink_file_new(&f, in_work("out"), false, &err), QC_CONFLICT);
    /* A stale part of a killed get is replaced; one that is given up leaves nothing, and the old file stays.
     */
    write_file("out.part", "stale and longer than what comes");
    CHECK_OK(vault_sink_file_new(&f, in_work("out"), true, &err));
    s = vault_sink_file_sink(f);
    CHECK_OK(s->begin(s->ctx, &st, &err));
    CHECK_OK(s->write(s->ctx, QC_LIT("half"), &err));
    vault_sink_file_free(&f);
    CHECK(holds("out", "hello world") && holds("out.part", NULL));
    /* A file of the user that happens to have the name stays: ours have the mode 0600 while they are parts.
     */
    write_file("out.part", "not of a get");
    CHECK(chmod(in_work("out.part"), 0644) == 0);
    CHECK_OK(vault_sink_file_new(&f, in_work("out"), true, &err));
    s = vault_sink_file_sink(f);
    CHECK_RC(s->begin(s->ctx, &st, &err), QC_CONFLICT);
    vault_sink_file_free(&f);
    CHECK(holds("out", "hello world") && holds("out.part", "not of a get"));
    CHECK(unlink(in_work("out.part")) == 0);
    /* Not through a symbolic link. */
    CHECK(symlink(in_work("out"), in_work("link.part")) == 0);
    CHECK_OK(vault_sink_file_new(&f, in_work("link"), true, &err));
    s = vault_sink_file_sink(f);
    qc_rc rc = s->begin(s->ctx, &st, &err);
    CHECK(rc != QC_OK && holds("out", "hello world"));
    vault_sink_file_free(&f);
    qc_err_clear(&err);
    /* The part is taken away before the end: that is no "not found". */
    CHECK_OK(vault_sink_file_new(&f, in_work("taken"), true, &err));
    s = vault_sink_file_sink(f);
    CHECK_OK(s->begin(s->ctx, &st, &err));
    CHECK(unlink(in_work("taken.part")) == 0);
    CHECK_RC(s->finish(s->ctx, &err), QC_IO);
    vault_sink_file_free(&f);
    /* What is no file is not replaced, even by force. */
    CHECK(mkfifo(in_work("pipe"), 0600) == 0);
    CHECK_RC(vault_sink_file_new(&f, in_work("pipe"), true, &err), QC_USAGE);
    CHECK_RC(vault_sink_file_new(&f, in_work("dir/"), true, &err), QC_USAGE);
    CHECK_RC(vault_sink_file_new(&f, in_work("none/out"), true, &err), QC_NOTFOUND);
}

/* Somebody else's file has the name of the part when all has come: nothing of it is renamed or removed. */
static void part_taken(bool link, bool ends)
{
    struct qc_err err = { 0 };
    struct vault_sink_file *f = NULL;
    const struct vault_stat st = { .has_mode = true, .mode = link ? S_IFLNK | 0777 : S_IFREG | 0600 };
    CHECK_OK(vault_sink_file_new(&f, in_work("x"), true, &err));
    vault_sink_file_links(f);
    const struct vault_sink *s = vault_sink_file_sink(f);
    CHECK_OK(s->begin(s->ctx, &st, &err));
    CHECK_OK(s->write(s->ctx, QC_LIT("of x"), &err));
    write_file("x.part.part", "of x.part");
    CHECK(rename(in_work("x.part.part"), in_work("x.part")) == 0);
    if (ends)
        CHECK_RC(s->finish(s->ctx, &err), QC_CONFLICT);
    vault_sink_file_free(&f);
    struct stat none;
    CHECK(lstat(in_work("x"), &none) != 0 && holds("x.part", "of x.part"));
    CHECK(unlink(in_work("x.part")) == 0);
    CHECK(vault_sink_file_beside(QC_LIT("x.part")) && vault_sink_file_beside(QC_LIT("x.part-link")));
    CHECK(!vault_sink_file_beside(QC_LIT("x.parts")) && !vault_sink_file_beside(QC_LIT("part")));
}

/* A directory that cannot be looked at: none of its files counts as safe. */
static void unsafe(void)
{
    struct vault_sink_file *f[QC_VAULT_BUNDLE_LEAST] = { NULL };
    struct vault_sink_outcome outcomes[QC_VAULT_BUNDLE_LEAST] = { 0 };
    const struct vault_stat st = { 0 };
    struct qc_err err = { 0 };
    char name[16];
    CHECK(mkdir(in_work("unsafe"), 0700) == 0);
    const int dir = open(in_work("unsafe"), O_RDONLY | O_DIRECTORY);
    for (unsigned i = 0; i < QC_VAULT_BUNDLE_LEAST; i++) {
        snprintf(name, sizeof(name), "%u", i);
        CHECK_OK(vault_sink_file_in(&f[i], dir, name, false, &err));
        vault_sink_file_later(f[i]);
        const struct vault_sink *s = vault_sink_file_sink(f[i]);
        CHECK_OK(s->begin(s->ctx, &st, &err));
        CHECK_OK(s->finish(s->ctx, &err));
    }
    CHECK(close(dir) == 0);
    vault_sink_files_finish(f, outcomes, QC_VAULT_BUNDLE_LEAST);
    for (unsigned i = 0; i < QC_VAULT_BUNDLE_LEAST; i++) {
        CHECK(outcomes[i].rc != QC_OK && strstr(outcomes[i].why.msg, "rename") == NULL);
        vault_sink_file_free(&f[i]);
    }
}

/* A link's whole way: out of one, into another. */
static qc_rc link_with(const char *target, size_t n, bool links, const char *name, struct qc_err *err)
{
    QC_CLEANUP(vault_sink_file_free) struct vault_sink_file *f = NULL;
    const struct vault_stat st = {
        .has_mtime = true, .mtime_s = 1500000000, .mtime_ns = 7, .has_mode = true, .mode = S_IFLNK | 0777
    };
    QC_TRY(vault_sink_file_new(&f, in_work(name), true, err));
    if (links)
        vault_sink_file_links(f);
    const struct vault_sink *s = vault_sink_file_sink(f);
    QC_TRY(s->begin(s->ctx, &st, err));
    QC_TRY(s->write(s->ctx, qc_span_of(target, n), err));
    return s->finish(s->ctx, err);
}

static bool leads(const char *name, const char *want)
{
    char got[QC_VAULT_LINK_MAX + 2];
    const ssize_t n = readlink(in_work(name), got, sizeof got - 1);
    struct stat st;
    return n == (ssize_t)strlen(want) && memcmp(got, want, (size_t)n) == 0 &&
           lstat(in_work(name), &st) == 0 && st.st_mtim.tv_sec == 1500000000 && st.st_mtim.tv_nsec == 7;
}

static void links(void)
{
    static char longest[QC_VAULT_LINK_MAX + 2];
    struct qc_err err = { 0 };
    struct vault_source_file *f = NULL;
    uint8_t got[8];
    size_t n = 0;
    memset(longest, 'x', sizeof longest - 1);
    write_file("precious", "stays");
    CHECK_OK(link_with("precious", 8, true, "l", &err));
    CHECK(leads("l", "precious") && holds("l.part", NULL));
    CHECK(symlink("elsewhere", in_work("l.part-link")) == 0); /* of one that was killed */
    CHECK_OK(link_with("nowhere", 7, true, "l", &err));       /* the link is replaced, not what it leads to */
    CHECK(leads("l", "nowhere") && holds("precious", "stays"));
    write_file("l.part-link", "a file of the user's");
    CHECK(link_with("other", 5, true, "l", &err) != QC_OK);
    CHECK(leads("l", "nowhere") && holds("l.part-link", "a file of the user's"));
    CHECK(unlink(in_work("l.part-link")) == 0);
    CHECK_OK(link_with("text", 4, false, "plain", &err)); /* not asked for: a file that has its target */
    CHECK(holds("plain", "text"));
    CHECK_OK(link_with("f", 1, true, "plain", &err)); /* in a file's place */
    CHECK(leads("plain", "f"));
    CHECK_RC(link_with("a\0b", 3, true, "bad", &err), QC_FORMAT);
    CHECK_RC(link_with("", 0, true, "bad", &err), QC_LIMIT);
    CHECK_RC(link_with(longest, QC_VAULT_LINK_MAX + 1, true, "bad", &err), QC_LIMIT);
    CHECK(access(in_work("bad"), F_OK) != 0 && holds("bad.part", NULL) &&
          readlink(in_work("bad"), (char *)got, 8) < 0);
    CHECK_OK(link_with(longest, QC_VAULT_LINK_MAX, true, "long", &err));

    CHECK_OK(vault_source_link_open(&f, AT_FDCWD, in_work("l"), &err));
    const struct vault_source *s = vault_source_file_source(f);
    CHECK(s->size == 7 && s->has_mode && s->mode == (S_IFLNK | 0777) && s->mtime_ns == 7);
    CHECK_OK(s->read(s->ctx, got, 4, &n, &err));
    CHECK(n == 4 && memcmp(got, "nowh", 4) == 0);
    CHECK_OK(s->read(s->ctx, got, 8, &n, &err));
    CHECK(n == 3 && memcmp(got, "ere", 3) == 0);
    CHECK_OK(s->read(s->ctx, got, 8, &n, &err));
    CHECK(n == 0);
    CHECK_OK(s->unchanged(s->ctx, 7, &err));
    CHECK(unlink(in_work("l")) == 0 && symlink("nowhere", in_work("l")) == 0);
    CHECK_RC(s->unchanged(s->ctx, 7, &err), QC_CHANGED);
    vault_source_file_free(&f);
    CHECK_RC(vault_source_link_open(&f, AT_FDCWD, in_work("precious"), &err), QC_CHANGED);
    CHECK_RC(vault_source_link_open(&f, AT_FDCWD, in_work("none"), &err), QC_NOTFOUND);
}

/* Zeros in between and at the end take no room, and are there all the same, wherever pieces begin. */
static void sparse(void)
{
    enum { BYTES = 32 * QC_VAULT_HOLE };
    static uint8_t want[BYTES], got[BYTES + 1];
    QC_CLEANUP(vault_sink_file_free) struct vault_sink_file *f = NULL;
    struct qc_err err = { 0 };
    const struct vault_stat what = { 0 };
    struct stat st;
    want[0] = want[5 * QC_VAULT_HOLE + 7] = 9;
    CHECK_OK(vault_sink_file_new(&f, in_work("sparse"), true, &err));
    vault_sink_file_sparse(f);
    const struct vault_sink *s = vault_sink_file_sink(f);
    CHECK_OK(s->begin(s->ctx, &what, &err));
    CHECK_OK(s->write(s->ctx, qc_span_of(want, 1), &err)); /* what follows begins where no hole can */
    CHECK_OK(s->write(s->ctx, qc_span_of(want + 1, BYTES / 2), &err));
    CHECK_OK(s->write(s->ctx, qc_span_of(want + 1 + BYTES / 2, BYTES / 2 - 1), &err));
    CHECK_OK(s->finish(s->ctx, &err));
    CHECK(stat(in_work("sparse"), &st) == 0 && st.st_size == BYTES);
    CHECK(st.st_blocks * 512 <= 6 * QC_VAULT_HOLE);
    const int fd = open(in_work("sparse"), O_RDONLY);
    CHECK(read(fd, got, sizeof got) == BYTES && memcmp(got, want, BYTES) == 0 && close(fd) == 0);
}

static void told(void *ctx, const char *part, uint64_t kept)
{
    CHECK(strcmp(part, "left.part") == 0);
    *(uint64_t *)ctx = kept;
}

/* What an earlier get left is found, read, kept as far as one says, and gone on with; or stays as it was. */
static void left(void)
{
    struct qc_err err = { 0 };
    struct vault_stat st = { .has_mode = true, .mode = 0640 };
    struct vault_sink_file *f = NULL, *second = NULL;
    uint64_t bytes = 7, kept = 99;
    uint8_t piece[4];
    CHECK_OK(vault_sink_file_new(&f, in_work("left"), false, &err));
    const struct vault_sink *s = vault_sink_file_sink(f);
    CHECK_OK(s->left->find(s->ctx, &bytes, &err));
    CHECK(bytes == 0 && holds("left.part", NULL));
    vault_sink_file_free(&f);
    write_file("left.part", "0123456789");
    CHECK_OK(vault_sink_file_new(&f, in_work("left"), false, &err));
    s = vault_sink_file_sink(f);
    vault_sink_file_tell(f, told, &kept);
    CHECK_OK(s->left->find(s->ctx, &bytes, &err));
    CHECK_OK(s->left->read(s->ctx, 3, piece, 4, &err));
    CHECK(bytes == 10 && memcmp(piece, "3456", 4) == 0);
    CHECK_RC(s->left->read(s->ctx, 8, piece, 4, &err), QC_IO); /* it has become shorter */
    CHECK_OK(vault_sink_file_new(&second, in_work("left"), false, &err));
    const struct vault_sink *other = vault_sink_file_sink(second);
    CHECK_RC(other->left->find(other->ctx, &bytes, &err), QC_LOCKED); /* who holds it goes on with it */
    vault_sink_file_free(&second);
    CHECK(holds("left.part", "0123456789"));
    CHECK_OK(s->begin(s->ctx, &st, &err));
    CHECK_OK(s->left->keep(s->ctx, 4, &err));
    CHECK(kept == 4 && holds("left.part", "0123"));
    CHECK_OK(s->write(s->ctx, QC_LIT("new"), &err));
    CHECK(vault_sink_file_leave(f, &bytes) == NULL); /* too little for a file that stays */
    CHECK_OK(s->finish(s->ctx, &err));
    vault_sink_file_free(&f);
    CHECK(holds("left", "0123new") && holds("left.part", NULL));
    /* Large enough, and given up before anything of it was looked at: it stays as it was. */
    write_file("left.part", "large");
    CHECK(truncate(in_work("left.part"), QC_VAULT_LEFT_MIN) == 0);
    CHECK_OK(vault_sink_file_new(&f, in_work("left"), true, &err));
    s = vault_sink_file_sink(f);
    CHECK_OK(s->left->find(s->ctx, &bytes, &err));
    CHECK(strcmp(vault_sink_file_leave(f, &bytes), "left.part") == 0 && bytes == QC_VAULT_LEFT_MIN);
    vault_sink_file_free(&f);
    CHECK(holds("left", "0123new") && access(in_work("left.part"), F_OK) == 0);
    /* Begun anew, it has nothing that could stay. */
    CHECK_OK(vault_sink_file_new(&f, in_work("left"), true, &err));
    s = vault_sink_file_sink(f);
    CHECK_OK(s->left->find(s->ctx, &bytes, &err));
    CHECK_OK(s->begin(s->ctx, &st, &err));
    CHECK_OK(s->left->keep(s->ctx, 0, &err));
    CHECK(vault_sink_file_leave(f, &bytes) == NULL);
    vault_sink_file_free(&f);
    CHECK(holds("left.part", NULL));
    /* The user's own file of that name. */
    write_file("left.part", "mine");
    CHECK(chmod(in_work("left.part"), 0644) == 0);
    CHECK_OK(vault_sink_file_new(&f, in_work("left"), true, &err));
    s = vault_sink_file_sink(f);
    CHECK_RC(s->left->find(s->ctx, &bytes, &err), QC_CONFLICT);
    vault_sink_file_free(&f);
    CHECK(holds("left.part", "mine") && unlink(in_work("left.part")) == 0);
}

/* Pieces that pass the page cache by and pieces that cannot, in any order: one file. */
static void pages(struct qc_rand *rand)
{
    enum { MIB = 1 << 20, MOST = 6 };
    struct qc_err err = { 0 };
    struct vault_stat st = { 0 };
    QC_CLEANUP(qc_pages_free) struct qc_pages memory = { 0 };
    uint8_t *want = malloc(MOST * MIB), *got = malloc(MOST * MIB + 1);
    CHECK(want != NULL && got != NULL);
    CHECK_OK(qc_pages_new(&memory, 2 * MIB, &err));
    for (unsigned round = 0; round < 20; round++) {
        QC_CLEANUP(vault_sink_file_free) struct vault_sink_file *f = NULL;
        size_t total = 0;
        CHECK_OK(vault_sink_file_new(&f, in_work("pages"), true, &err));
        const struct vault_sink *s = vault_sink_file_sink(f);
        CHECK_OK(s->begin(s->ctx, &st, &err));
        for (unsigned i = 0; i < MOST; i++) {
            const bool whole = qc_rand_below(rand, 4) > 0;
            const size_t n = whole ? MIB : (size_t)qc_rand_below(rand, MIB);
            uint8_t *p = memory.p + (qc_rand_below(rand, 4) > 0 ? 0 : 64);
            qc_rand_fill(rand, p, n);
            memcpy(want + total, p, n);
            total += n;
            CHECK_OK(s->write(s->ctx, qc_span_of(p, n), &err));
        }
        CHECK_OK(s->finish(s->ctx, &err));
        int fd = open(in_work("pages"), O_RDONLY);
        CHECK(fd >= 0 && read(fd, got, MOST * MIB + 1) == (ssize_t)total);
        CHECK(memcmp(got, want, total) == 0);
        close(fd);
    }
    free(want);
    free(got);
}

static void source(void)
{
    struct qc_err err = { 0 };
    struct vault_source_file *f = NULL;
    uint8_t bytes[64];
    size_t n = 0;
    write_file("in", "content");
    CHECK_OK(vault_source_file_open(&f, AT_FDCWD, in_work("in"), true, &err));
    const struct vault_source *s = vault_source_file_source(f);
    CHECK(s->size == 7 && s->has_mtime && s->has_mode && s->mode == 0600);
    CHECK_OK(s->read(s->ctx, bytes, sizeof(bytes), &n, &err));
    CHECK(n == 7);
    CHECK_OK(s->unchanged(s->ctx, 7, &err));
    CHECK_RC(s->unchanged(s->ctx, 6, &err), QC_CHANGED);
    int fd = open(in_work("in"), O_WRONLY);
    CHECK(fd >= 0 && pwrite(fd, "C", 1, 0) == 1);
    close(fd);
    CHECK_RC(s->unchanged(s->ctx, 7, &err), QC_CHANGED);
    vault_source_file_free(&f);
    CHECK_RC(vault_source_file_open(&f, AT_FDCWD, in_work("nothing"), true, &err), QC_NOTFOUND);
    CHECK_RC(vault_source_file_open(&f, AT_FDCWD, work, true, &err), QC_USAGE);
    CHECK(mkfifo(in_work("fifo"), 0600) == 0);
    CHECK_RC(vault_source_file_open(&f, AT_FDCWD, in_work("fifo"), true, &err),
             QC_USAGE); /* and does not hang */
    CHECK_RC(vault_source_file_open(&f, AT_FDCWD, "/dev/null", true, &err), QC_USAGE);
    /* One that grows faster than it is read would never end. */
    CHECK_OK(vault_source_file_open(&f, AT_FDCWD, in_work("in"), true, &err));
    s = vault_source_file_source(f);
    write_file("in", "content and more");
    CHECK_RC(s->read(s->ctx, bytes, sizeof(bytes), &n, &err), QC_CHANGED);
    vault_source_file_free(&f);
    CHECK_OK(
        vault_source_file_open(&f, AT_FDCWD, "/proc/version", true, &err)); /* regular, they say, and empty */
    s = vault_source_file_source(f);
    CHECK(s->read(s->ctx, bytes, sizeof(bytes), &n, &err) == QC_CHANGED && err.next != NULL);
    qc_err_clear(&err);
    vault_source_file_free(&f);
}

struct sorted {
    uint64_t n;
    char last[64];
};

static qc_rc in_order(void *ctx, qc_span key, qc_span value, struct qc_err *err)
{
    struct sorted *s = ctx;
    char text[64] = "";
    (void)err;
    CHECK(key.n < sizeof(text) && value.n == 8 && qc_get_be(value.p, 8) == key.n);
    memcpy(text, key.p, key.n);
    CHECK(strcmp(text, s->last) >= 0);
    memcpy(s->last, text, sizeof(text));
    s->n++;
    return QC_OK;
}

static void sorting(struct qc_rand *rand)
{
    for (size_t memory = 500; memory <= 500000; memory *= 10) {
        struct qc_err err = { 0 };
        struct sorter *s = NULL;
        struct sorted out = { 0 };
        CHECK_OK(sorter_new(&s, work, &err));
        sorter_set_memory(s, memory);
        for (unsigned i = 0; i < 3000; i++) {
            char key[64];
            uint8_t value[8];
            int n = snprintf(key, sizeof(key), "%llx",
                             (unsigned long long)qc_rand_u64(rand) >> qc_rand_below(rand, 60));
            qc_put_be(value, (uint64_t)n, 8);
            qc_rc rc = sorter_add(s, qc_span_str(key), qc_span_of(value, 8), &err);
            if (rc == QC_LIMIT && memory == 500)
                break; /* more runs than a listing may have */
            CHECK(rc == QC_OK);
        }
        if (memory > 500) {
            CHECK_OK(sorter_walk(s, in_order, &out, &err));
            CHECK(out.n == 3000);
        }
        sorter_free(&s);
    }
}

/* Of many: whole, or no byte of it counts. */
static void journal_of_many(struct qc_rand *rand)
{
    static struct journal_bundle put, got;
    static uint8_t bytes[JOURNAL_BUNDLE_MAX + 1];
    struct qc_err err = { 0 };
    struct journal j = { 0 };
    char file[600];
    qc_rand_fill(rand, put.put_key, 16);
    qc_rand_fill(rand, put.vault, 16);
    put.count = 3;
    for (size_t i = 0; i < put.count; i++) {
        put.v[i] = (struct journal_put){ .sequence = i + 1, .number = 7 * i + 1 };
        qc_rand_fill(rand, put.v[i].put_key, 16);
        qc_rand_fill(rand, put.v[i].object, 16);
        memcpy(put.v[i].vault, put.vault, 16);
    }
    CHECK_OK(journal_begin_bundle(&j, in_work("state"), &put, &err));
    snprintf(file, sizeof(file), "%s/state/journal/%s", work, j.name);
    int fd = open(file, O_RDWR);
    const ssize_t size = read(fd, bytes, sizeof(bytes));
    close(fd);
    CHECK(size == JOURNAL_BUNDLE_HEAD + 3 * JOURNAL_BUNDLE_ROW + 32);
    CHECK_OK(journal_parse_bundle(&got, qc_span_of(bytes, (size_t)size), &err));
    CHECK(memcmp(&got, &put, sizeof(got)) == 0);
    for (size_t i = 0; i < (size_t)size; i++) {
        bytes[i] ^= 1;
        CHECK_RC(journal_parse_bundle(&got, qc_span_of(bytes, (size_t)size), &err), QC_FORMAT);
        bytes[i] ^= 1;
        CHECK_RC(journal_parse_bundle(&got, qc_span_of(bytes, i), &err), QC_FORMAT);
    }
    CHECK_RC(journal_parse_bundle(&got, qc_span_of(bytes, (size_t)size + 1), &err), QC_FORMAT);
    CHECK_OK(journal_end(&j, &err));
}

static void journal(struct qc_rand *rand)
{
    struct qc_err err = { 0 };
    struct journal j = { 0 };
    struct journal_put put = { .sequence = 3, .number = 9 }, got = { 0 };
    uint8_t bytes[2 * JOURNAL_SLOT + 1];
    uint32_t turn = 0;
    uint64_t n = 0, waiting = 0;
    char file[600];
    qc_rand_fill(rand, put.put_key, 16);
    CHECK_OK(journal_begin(&j, in_work("state"), &put, &err));
    snprintf(file, sizeof(file), "%s/state/journal/%s", work, j.name);
    CHECK_OK(journal_count(in_work("state"), &n, &waiting, &err));
    CHECK(n == 0); /* it is held */
    for (uint64_t sequence = 4; sequence < 8; sequence++) {
        put.sequence = sequence;
        put.number = 10 + sequence;
        CHECK_OK(journal_update(&j, &put, &err));
        int fd = open(file, O_RDWR);
        ssize_t size = read(fd, bytes, sizeof(bytes));
        CHECK(size == 2 * JOURNAL_SLOT);
        CHECK_OK(journal_parse(&got, &turn, qc_span_of(bytes, (size_t)size), &err));
        CHECK(memcmp(&got, &put, sizeof(got)) == 0);
        for (size_t i = 0; i < 2 * JOURNAL_SLOT;
             i++) { /* torn: this slot or the one before, never a mixture */
            bytes[i] ^= 1;
            CHECK_OK(journal_parse(&got, &turn, qc_span_of(bytes, (size_t)size), &err));
            CHECK(got.sequence == sequence || got.sequence == sequence - 1);
            CHECK(got.number == (got.sequence == 3 ? 9 : 10 + got.sequence));
            bytes[i] ^= 1;
        }
        close(fd);
    }
    journal_close(&j);
    CHECK_OK(journal_count(in_work("state"), &n, &waiting, &err));
    CHECK(n == 1);
}

int main(void)
{
    struct qc_tmpdir dir = qc_tmpdir_new();
    struct qc_rand rand = qc_rand_start();
    snprintf(work, sizeof(work), "%.200s", dir.path);
    sink();
    sinks();
    for (unsigned i = 0; i < 4; i++)
        part_taken(i & 1, i & 2);
    unsafe();
    left();
    links();
    sparse();
    pages(&rand);
    source();
    sorting(&rand);
    journal_of_many(&rand);
    journal(&rand);
    qc_tmpdir_remove(&dir);
    return 0;
}
