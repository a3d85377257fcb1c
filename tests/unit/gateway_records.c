/* unit/gateway_records: a copy of a log object that is owed counts as paid when it was read back right, and
 * only then. (I1, D9) */
#include "gw_repair_rig.h"
#include "records.h"

/* One object is put while the fifth cloud is away; it is back, with these faults, when the copy is paid. */
static void owe_one(struct erig *r, const char *faults)
{
    struct qc_err err = { 0 };
    struct gw_receipt receipt;
    const struct erig_put p = erig_prepare(1, "\1alpha", 1, 1, 700);

    erig_new(r, 5, 3, 5);
    erig_lose(r, 4);
    CHECK_OK(erig_put(r, &p, &receipt, &err));
    gw_engine_close(&r->e);
    erig_find(r, 4);
    CHECK(setenv("QC_CLOUD_FAULTS", faults, 1) == 0);
    erig_open(r);
}

static void end(struct erig *r)
{
    CHECK(unsetenv("QC_CLOUD_FAULTS") == 0);
    erig_done(r);
}

static enum gw_paid pay(struct erig *r, uint64_t *ret_left)
{
    struct qc_err err = { 0 };
    enum gw_paid paid;
    uint64_t sequence;

    CHECK_OK(gw_record_debt(r->e, 4, 0, &sequence, &err));
    CHECK(sequence != 0);
    CHECK_OK(gw_record_pay(r->e, 4, sequence, &paid, &err));
    CHECK_OK(gw_record_debt(r->e, 4, 0, ret_left, &err));
    return paid;
}

struct row {
    const char *faults;
    enum gw_paid paid;
    unsigned copies; /* more files under l/ than before */
};

int main(void)
{
    static const struct row rows[] = {
        { "c9=any:flip", GW_PAID, 1 },
        /* Somebody else of us replaced a rotten copy between the put, which found it, and the look. */
        { "c5=put:after:conflict@1-1", GW_PAID, 1 },
        { "c5=put:fail:temporary", GW_PAID_NOT, 0 },
        { "c5=put:drop", GW_PAID_NOT, 0 },
        { "c5=put:flip", GW_PAID_NOT, 1 },
        { "c5=put:after:temporary", GW_PAID_NOT, 1 },
        { "c1=get:fail:temporary;c2=get:fail:temporary;c3=get:fail:temporary;c4=get:fail:temporary",
          GW_PAID_NO_SOURCE, 0 },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct erig r;
        uint64_t left;
        owe_one(&r, rows[i].faults);
        const unsigned before = rrig_files(&r, 4, "/l/");
        CHECK(pay(&r, &left) == rows[i].paid);
        CHECK((left == 0) == (rows[i].paid == GW_PAID));
        CHECK(rrig_files(&r, 4, "/l/") == before + rows[i].copies);
        end(&r);
    }
    return 0;
}
