/* unit/gateway_blame: what a read finds missing or damaged is told under the request's id, looked at again,
 * and lowers the margin that the catalogue shows; what was acknowledged stays as it was said. (I2) */
#include <dirent.h>

#include "gw_engine_rig.h"

static const char request[] = "00112233445566778899aabbccddeeff";

/* The first fragment file of a cloud, found below f/. */
static void fragment_of(const struct erig *r, unsigned cloud, char *ret, size_t size)
{
    char command[700], dir[320];
    erig_cloud(r, cloud, "", dir, sizeof dir);
    CHECK(snprintf(command, sizeof command, "find '%s/f' -type f | sort | head -n 1", dir) > 0);
    FILE *f = popen(command, "r");
    CHECK(f != NULL && fgets(ret, (int)size, f) != NULL);
    CHECK(pclose(f) == 0);
    ret[strcspn(ret, "\n")] = 0;
}

static void read_all(struct erig *r, const struct erig_put *p)
{
    const struct gw_version_ids ids = { .vault = r->vault, .object = p->object, .version = p->version };
    struct gw_reader *reader = NULL;
    struct qc_err err = { 0 };
    static uint8_t got[1 << 20], want[1 << 20];
    uint64_t size;
    size_t n = 0;

    CHECK_OK(gw_reader_open(r->e, &ids, request, &reader, &size, &err));
    CHECK(size <= sizeof got && p->segments == 1);
    for (uint64_t off = 0; off < size; off += n)
        CHECK_OK(gw_reader_read(reader, off, size, got + off, sizeof got - off, &n, &err));
    gw_reader_close(&reader);
    erig_bytes(p, 0, want);
    CHECK(memcmp(got, want, size) == 0);
}

static int margin_of(struct erig *r, const struct erig_put *p, int *acked)
{
    struct qc_err err = { 0 };
    struct gw_entry_row row;
    CHECK_OK(gw_entry_get(r->e, OWN(r->vault), qc_span_str(p->path), &row, &err));
    const int margin = row.margin;
    *acked = row.acked_margin;
    gw_entry_row_done(&row);
    return margin;
}

static void tidy(struct erig *r)
{
    struct qc_err err = { 0 };
    bool more = false;
    CHECK_OK(gw_engine_tidy(r->e, &more, &err));
}

static void settle(struct erig *r)
{
    for (unsigned i = 0; i < 3; i++)
        tidy(r);
}

/* Every fragment of the version is broken in turn until k are left: some reads ask the broken one, and tell.
 */
static void broken(bool missing)
{
    struct erig r;
    struct qc_err err = { 0 };
    struct gw_receipt receipt;
    struct gw_request told;
    unsigned faults = 0;
    int acked = 0;

    erig_new(&r, 5, 3, 5);
    const struct erig_put p = erig_prepare(5, "\1file", 1, 1, 300000);
    CHECK_OK(erig_put(&r, &p, &receipt, &err));
    read_all(&r, &p);
    CHECK_OK(gw_request_get(r.e, GW_OWNER, request, &told, &err));
    CHECK(told.count == 0 && told.rc == QC_OK); /* nothing went wrong, and that is an answer */
    CHECK_RC(gw_request_get(r.e, GW_OWNER, "ffffffffffffffff", &told, &err), QC_NOTFOUND);
    CHECK(margin_of(&r, &p, &acked) == 2 && acked == 2);
    for (unsigned cloud = 0; cloud < 2; cloud++) {
        char path[400];
        fragment_of(&r, cloud, path, sizeof path);
        if (missing) {
            CHECK(unlink(path) == 0);
        } else {
            FILE *f = fopen(path, "r+b");
            CHECK(f != NULL && fseek(f, 5000, SEEK_SET) == 0 && fputc('!', f) != EOF && fputc('?', f) != EOF);
            CHECK(fclose(f) == 0);
        }
    }
    read_all(&r, &p);
    CHECK_OK(gw_request_get(r.e, GW_OWNER, request, &told, &err));
    for (unsigned i = 0; i < told.count; i++) {
        CHECK(told.faults[i].kind == (missing ? GW_FAULT_MISSING : GW_FAULT_DAMAGED));
        CHECK(told.faults[i].cloud_id <= 2 && told.faults[i].key[0] == 'f');
        faults++;
    }
    tidy(&r); /* what was read is looked at again, and remembered */
    /* A read asks k of n, data fragments first: those two clouds may hold parity, which nobody asked for. */
    CHECK(margin_of(&r, &p, &acked) == 2 - (int)faults && acked == 2);
    struct gw_status s;
    CHECK_OK(gw_engine_status(r.e, &s, &err));
    uint64_t counted = 0;
    for (unsigned i = 0; i < s.cloud_count; i++)
        counted += s.read_faults[i][missing ? GW_FAULT_MISSING : GW_FAULT_DAMAGED];
    CHECK(counted == faults && s.debts == 0);
    gw_engine_close(&r.e);
    erig_open(&r);
    CHECK(margin_of(&r, &p, &acked) == 2 - (int)faults && acked == 2);
    read_all(&r, &p);
    settle(&r); /* what is known to be gone is rebuilt by itself */
    CHECK(margin_of(&r, &p, &acked) == 2 && acked == 2);
    read_all(&r, &p);
    erig_done(&r);
}

/* A cloud that is away lowers nothing for good: it is unknown, and back again when it is back. */
static void away(void)
{
    struct erig r;
    struct qc_err err = { 0 };
    struct gw_receipt receipt;
    int acked;

    erig_new(&r, 5, 3, 5);
    const struct erig_put p = erig_prepare(5, "\1file", 1, 1, 300000);
    CHECK_OK(erig_put(&r, &p, &receipt, &err));
    erig_lose(&r, 0);
    erig_lose(&r, 1);
    read_all(&r, &p);
    settle(&r);
    erig_find(&r, 0);
    erig_find(&r, 1);
    usleep(1100 * 1000);
    settle(&r);
    struct gw_status s;
    CHECK_OK(gw_engine_status(r.e, &s, &err));
    CHECK(s.margin_count == 1 && s.margins[0].margin == 2 && s.margins[0].versions == 1);
    CHECK(margin_of(&r, &p, &acked) == 2 && acked == 2);
    erig_done(&r);
}

/* A fragment that was missing for a moment, on a cloud that is away when it is looked at again: nobody knows.
 */
static void for_a_moment(void)
{
    struct erig r;
    struct qc_err err = { 0 };
    struct gw_receipt receipt;
    struct gw_status s;
    unsigned cloud = 0;
    int acked;

    erig_new(&r, 5, 3, 5);
    const struct erig_put p = erig_prepare(5, "\1file", 1, 1, 300000);
    CHECK_OK(erig_put(&r, &p, &receipt, &err));
    for (bool told = false; !told; cloud++) {
        char path[400], aside[420];
        CHECK(cloud < 5);
        fragment_of(&r, cloud, path, sizeof path);
        CHECK(snprintf(aside, sizeof aside, "%s/aside", r.dir.path) > 0);
        CHECK(rename(path, aside) == 0);
        read_all(&r, &p);
        CHECK_OK(gw_engine_status(r.e, &s, &err));
        told = s.read_faults[cloud][GW_FAULT_MISSING] > 0;
        char dir[320], identity[340], kept[360];
        erig_cloud(&r, cloud, "", dir, sizeof dir);
        CHECK(snprintf(identity, sizeof identity, "%s/i", dir) > 0);
        CHECK(snprintf(kept, sizeof kept, "%s/identity", r.dir.path) > 0);
        if (told)
            CHECK(rename(identity, kept) == 0);
        settle(&r);
        if (told)
            CHECK(rename(kept, identity) == 0);
        CHECK(rename(aside, path) == 0);
    }
    usleep(1100 * 1000);
    settle(&r);
    CHECK_OK(gw_engine_status(r.e, &s, &err));
    CHECK(margin_of(&r, &p, &acked) == 2 && acked == 2);
    erig_done(&r);
}

int main(void)
{
    for_a_moment();
    broken(true);
    broken(false);
    away();
    return 0;
}
