/* kat/gateway_segment: five clouds under $TMPDIR with segments on them, and what the catalogue would know, as
 * JSON, for kat/gateway_segment.py, which reads them with the second reader. With the argument "keep" they
 * are left there. */
#include "base/codec.h"
#include "gw_rig.h"

static uint8_t bytes[QC_GW_SEGMENT_MAX];

static void print_hex(const char *name, const uint8_t *p, size_t n)
{
    char text[2 * GW_DIGEST_BYTES + 1];

    CHECK(n <= GW_DIGEST_BYTES);
    qc_hex(qc_span_of(p, n), text);
    printf("\"%s\":\"%s\",", name, text);
}

static void print_segment(struct rig *r, const struct gw_segment *s, const char *file)
{
    struct qc_err err = { 0 };

    printf("{");
    print_hex("object", s->object, sizeof s->object);
    print_hex("version", s->version, sizeof s->version);
    print_hex("salt", s->salt, sizeof s->salt);
    print_hex("digest", s->digest, sizeof s->digest);
    printf(
        "\"id\":%llu,\"seq\":%u,\"size\":%u,\"incarnation\":%u,\"k\":%u,\"n\":%u,\"file\":\"%s\",\"keys\":[",
        (unsigned long long)s->id, s->seq, s->size, s->incarnation, s->k, s->n, file);
    for (unsigned i = 0; i < s->n; i++) {
        char key[GW_NAME_SIZE];
        int at;
        CHECK_OK(gw_segment_key(r->store, s, i, &at, key, &err));
        printf("%s[%u,\"%s\"]", i == 0 ? "" : ",", gw_fan_id(r->fan, (unsigned)at), key);
    }
    printf("]}\n");
}

int main(int argc, char **argv)
{
    struct rig r = rig_new(qc_rand_start(), 5, 3, 5);
    const uint32_t sizes[] = { 1, 64, 191, 192, 5000, 1048512, 1048513, 2500000 };
    QC_CLEANUP(qc_key_free) qc_key *kit = NULL;
    struct qc_err err = { 0 };

    CHECK_OK(gw_kit_make(r.root, &kit, &err));
    printf("{\"dir\":\"%s\",\"kit\":\"%s\"}\n", r.dir.path, (const char *)qc_key_open(kit).p);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct gw_segment s = rig_segment(&r, sizes[i]);
        char file[320];
        s.attempt[2] = i % 2 == 0 ? 0 : 7;
        CHECK(rig_write(&r, &s, bytes, 60000).durable == 5);
        CHECK(snprintf(file, sizeof file, "%s/segment%zu", r.dir.path, i) > 0);
        FILE *f = fopen(file, "wb");
        CHECK(f != NULL && fwrite(bytes, 1, s.size, f) == s.size && fclose(f) == 0);
        print_segment(&r, &s, file);
    }
    if (argc == 2 && strcmp(argv[1], "keep") == 0)
        r.dir.path[0] = '\0';
    rig_done(&r);
    return 0;
}
