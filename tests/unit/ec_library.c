/* unit/ec_library: what the installed library could be: absent, of another version, with another matrix. Its
 * functions are replaced by this program's own. */
#include "ec/coder.h"
#include "qc_check.h"

#include <liberasurecode/erasurecode.h>
#include <liberasurecode/erasurecode_backend.h>
#include <string.h>

static struct {
    bool absent;
    uint32_t version;
    int created; /* what creation answers */
    unsigned wrong_row;
    int encode_rc;
    unsigned destroyed;
} fake;

/* Cauchy, but for one coefficient where the test says so. */
static int fake_encode(void *desc, char **data, char **parity, int size)
{
    static const uint8_t row[2][3] = { { 244, 142, 1 }, { 71, 167, 122 } };
    (void)desc;
    for (unsigned i = 0; i < 2; i++)
        for (int b = 0; b < size; b++)
            parity[i][b] = b < 3 && data[b][b] == 1 ? (char)(row[i][b] ^ (i + 1 == fake.wrong_row)) : 0;
    return fake.encode_rc;
}

int liberasurecode_backend_available(const ec_backend_id_t id)
{
    CHECK(id == EC_BACKEND_ISA_L_RS_CAUCHY);
    return !fake.absent;
}

uint32_t liberasurecode_get_version(void); /* the header declares it without a prototype */
uint32_t liberasurecode_get_version(void)
{
    return fake.version;
}

int liberasurecode_instance_create(const ec_backend_id_t id, struct ec_args *args)
{
    CHECK(id == EC_BACKEND_ISA_L_RS_CAUCHY && args->k == 3 && args->m == 2);
    return fake.created;
}

int liberasurecode_instance_destroy(int desc)
{
    CHECK(desc == fake.created);
    fake.destroyed++;
    return 0;
}

ec_backend_t liberasurecode_backend_instance_get_by_desc(int desc)
{
    static struct ec_backend_op_stubs ops = { .encode = fake_encode };
    static struct ec_backend instance = { .common.ops = &ops };
    CHECK(desc == fake.created);
    instance.idesc = desc;
    return &instance;
}

static void refused(qc_rc want, const char *text)
{
    struct qc_err err = { 0 };
    const struct ec_coder *c = NULL;
    CHECK(ec_coder_get(3, 2, &c, &err) == want && c == NULL);
    CHECK(strstr(err.msg, text) != NULL);
}

int main(void)
{
    fake.version = LIBERASURECODE_VERSION;
    fake.created = 1;
    fake.absent = true;
    refused(QC_NOTCONF, "install the package libisal2");
    fake.absent = false;
    fake.version = LIBERASURECODE_VERSION + 256;
    refused(QC_NOTCONF, "is version");
    fake.version = LIBERASURECODE_VERSION;
    fake.created = -EBACKENDINITERR;
    refused(QC_NOTCONF, "refuses EC(3,5)");
    fake.created = -ENOMEM;
    refused(QC_NOMEM, "no memory");
    fake.created = 1;
    fake.encode_rc = -1;
    refused(QC_NOMEM, "could not encode");
    fake.encode_rc = 0;
    fake.wrong_row = 2;
    refused(QC_NOTCONF, "in row 4, column 0 of the matrix for k = 3, expected 71");
    CHECK(fake.destroyed == 2); /* those that were refused after creation */

    fake.wrong_row = 0; /* nothing was kept of the refusals */
    struct qc_err err = { 0 };
    const struct ec_coder *c = NULL;
    CHECK_OK(ec_coder_get(3, 2, &c, &err));
    CHECK(c != NULL && fake.destroyed == 2);
    const struct ec_coder *none = NULL;
    fake.absent = true;
    CHECK_OK(ec_coder_get(3, 0, &none, &err)); /* no parity needs no library */
    return 0;
}
