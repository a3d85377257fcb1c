/* Which clouds fail together: directories on one device. */
#include "client.h"

#include <sys/stat.h>

enum { NO_DEVICE = 0 };

/* NO_DEVICE: not a directory, or not there now; then nothing is known of it. */
static uint64_t device_of(const char *url)
{
    char dir[QC_CLIENT_PATH_MAX];
    struct stat st;
    if (!places_directory_of(url, dir) || stat(dir, &st) != 0)
        return NO_DEVICE;
    return (uint64_t)st.st_dev;
}

static qc_rc tell_group(struct client *c, const struct cloud_place *places, const uint64_t *devices,
                        size_t count, size_t first, struct qc_err *err)
{
    QC_CLEANUP(qc_buf_free) qc_buf names = { .max = QC_CLIENT_TEXT_MAX };
    size_t together = 0;
    for (size_t i = first; i < count; i++) {
        if (devices[i] != devices[first])
            continue;
        QC_TRY(qc_buf_addf(&names, err, "%s%s", together > 0 ? ", " : "", places[i].name));
        together++;
    }
    if (together == count)
        out_warn(&c->out, MSG_W_CLOUDS_DEVICE, NULL,
                 "all %zu clouds lie on one device: a failed disk loses them all", count);
    else if (together > 1)
        out_warn(&c->out, MSG_W_CLOUDS_DEVICE, NULL, "%zu clouds lie on one device: %.*s", together,
                 (int)names.n, (const char *)names.p);
    return QC_OK;
}

/* Clouds on the device of the first of them; one, where that is not known. */
static unsigned how_many(const uint64_t *devices, size_t first, size_t count)
{
    unsigned n = 0;
    for (size_t i = first; i < count; i++)
        n += i == first || (devices[first] != NO_DEVICE && devices[i] == devices[first]);
    return n;
}

qc_rc client_warn_clouds(struct client *c, const struct cloud_place *places, size_t count,
                         unsigned *ret_domains, unsigned *ret_crowd, struct qc_err *err)
{
    uint64_t devices[VAULT_CLOUDS_MAX];
    unsigned domains = 0, crowd = 0;
    QC_ASSERT(count <= VAULT_CLOUDS_MAX);
    for (size_t i = 0; i < count; i++)
        devices[i] = device_of(places[i].url);
    for (size_t i = 0; i < count; i++) {
        bool seen = false;
        for (size_t j = 0; j < i && devices[i] != NO_DEVICE; j++)
            seen = seen || devices[j] == devices[i];
        domains += !seen;
        const unsigned together = how_many(devices, i, count);
        crowd = together > crowd ? together : crowd;
        if (count > 1 && !seen && devices[i] != NO_DEVICE)
            QC_TRY(tell_group(c, places, devices, count, i, err));
    }
    *ret_domains = domains;
    *ret_crowd = crowd;
    return QC_OK;
}

qc_rc client_warn_descriptor(struct client *c, const struct vault_descriptor *d, struct qc_err *err)
{
    struct cloud_place places[VAULT_CLOUDS_MAX];
    unsigned domains = 0, crowd = 0;
    for (size_t i = 0; i < d->cloud_count; i++)
        places[i] = (struct cloud_place){ d->clouds[i].name, d->clouds[i].url };
    return client_warn_clouds(c, places, d->cloud_count, &domains, &crowd, err);
}
