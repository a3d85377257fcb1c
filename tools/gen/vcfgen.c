/* vcfgen: writes a variant file (VCF 4.2) of realistic size and make-up to stdout, the same bytes for the
 * same arguments on every machine (integers only, no clock, no locale). Stands alone: the tests and the quick
 * start need big human-like data that no package ships.
 *
 *   vcfgen [RECORDS [SEED]]          3,000,000 records (default) come to some 430 MB
 *
 * Records are spread over the contigs of GRCh38 by length. Along a contig each step is uniform between about
 * 0 and twice the mean distance, and at least 1.03 bases, so positions ascend strictly. 85 % single bases, 8
 * % deletions, 7 % insertions of 1 to 12 bases; 90 % have an identifier; a third is homozygous.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VCFGEN_RECORDS     3000000U
#define VCFGEN_RECORDS_MAX 100000000U
#define VCFGEN_SEED        UINT64_C(88172645463325252)
#define VCFGEN_LINE_MAX    512U /* the longest record is below 300 bytes */
#define VCFGEN_OUT_MAX     (1U << 20)
#define VCFGEN_FRACTION    20 /* bits behind the point of a position in fixed point */

static const struct contig {
    const char *name;
    uint32_t size;
} contigs[] = {
    { "chr1", 248956422 },  { "chr2", 242193529 },  { "chr3", 198295559 },  { "chr4", 190214555 },
    { "chr5", 181538259 },  { "chr6", 170805979 },  { "chr7", 159345973 },  { "chr8", 145138636 },
    { "chr9", 138394717 },  { "chr10", 133797422 }, { "chr11", 135086622 }, { "chr12", 133275309 },
    { "chr13", 114364328 }, { "chr14", 107043718 }, { "chr15", 101991189 }, { "chr16", 90338345 },
    { "chr17", 83257441 },  { "chr18", 80373285 },  { "chr19", 58617616 },  { "chr20", 64444167 },
    { "chr21", 46709983 },  { "chr22", 50818468 },  { "chrX", 156040895 },  { "chrY", 57227415 },
};
#define CONTIGS (sizeof contigs / sizeof contigs[0])

struct out {
    uint64_t state; /* of the generator, never 0 */
    char *p;        /* VCFGEN_OUT_MAX bytes */
    size_t n;
    bool failed;
};

static uint64_t draw(struct out *o)
{
    o->state ^= o->state << 13;
    o->state ^= o->state >> 7;
    o->state ^= o->state << 17;
    return o->state;
}

static uint32_t below(struct out *o, uint32_t limit)
{
    return (uint32_t)((draw(o) >> 32) % limit);
}

static void flush(struct out *o)
{
    if (fwrite(o->p, 1, o->n, stdout) != o->n)
        o->failed = true;
    o->n = 0;
}

static void text(struct out *o, const char *s)
{
    size_t n = strlen(s);
    memcpy(o->p + o->n, s, n);
    o->n += n;
}

static void number(struct out *o, uint64_t v)
{
    char digits[20];
    size_t n = sizeof digits;
    do {
        digits[--n] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    memcpy(o->p + o->n, digits + n, sizeof digits - n);
    o->n += sizeof digits - n;
}

/* v thousandths as a decimal with three places. */
static void thousandths(struct out *o, uint32_t v)
{
    number(o, v / 1000);
    o->p[o->n++] = '.';
    for (uint32_t unit = 100; unit > 0; unit /= 10)
        o->p[o->n++] = (char)('0' + v / unit % 10);
}

static void bases(struct out *o, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        o->p[o->n++] = "ACGT"[below(o, 4)];
}

static void header(struct out *o)
{
    text(o, "##fileformat=VCFv4.2\n##source=qcloud-vcfgen\n##reference=GRCh38\n"
            "##FILTER=<ID=PASS,Description=\"All filters passed\">\n"
            "##FILTER=<ID=LowQual,Description=\"Low quality\">\n"
            "##INFO=<ID=AC,Number=A,Type=Integer,Description=\"Allele count\">\n"
            "##INFO=<ID=AF,Number=A,Type=Float,Description=\"Allele frequency\">\n"
            "##INFO=<ID=AN,Number=1,Type=Integer,Description=\"Alleles called\">\n"
            "##INFO=<ID=DP,Number=1,Type=Integer,Description=\"Depth\">\n"
            "##INFO=<ID=FS,Number=1,Type=Float,Description=\"Strand bias, Fisher\">\n"
            "##INFO=<ID=MQ,Number=1,Type=Float,Description=\"Mapping quality\">\n"
            "##INFO=<ID=QD,Number=1,Type=Float,Description=\"Quality by depth\">\n"
            "##INFO=<ID=SOR,Number=1,Type=Float,Description=\"Strand odds ratio\">\n");
    text(o, "##FORMAT=<ID=GT,Number=1,Type=String,Description=\"Genotype\">\n"
            "##FORMAT=<ID=AD,Number=R,Type=Integer,Description=\"Allelic depths\">\n"
            "##FORMAT=<ID=DP,Number=1,Type=Integer,Description=\"Depth\">\n"
            "##FORMAT=<ID=GQ,Number=1,Type=Integer,Description=\"Genotype quality\">\n"
            "##FORMAT=<ID=PL,Number=G,Type=Integer,Description=\"Genotype likelihoods\">\n");
    for (size_t i = 0; i < CONTIGS; i++) {
        text(o, "##contig=<ID=");
        text(o, contigs[i].name);
        text(o, ",length=");
        number(o, contigs[i].size);
        text(o, ">\n");
    }
    text(o, "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tSAMPLE\n");
}

static void alleles(struct out *o)
{
    uint32_t kind = below(o, 100);
    if (kind < 85) {
        uint32_t ref = below(o, 4);
        o->p[o->n++] = "ACGT"[ref];
        o->p[o->n++] = '\t';
        o->p[o->n++] = "ACGT"[(ref + 1 + below(o, 3)) % 4];
        return;
    }
    char first = "ACGT"[below(o, 4)];
    o->p[o->n++] = first;
    if (kind < 93)
        bases(o, 1 + below(o, 12));
    o->p[o->n++] = '\t';
    o->p[o->n++] = first;
    if (kind >= 93)
        bases(o, 1 + below(o, 12));
}

static void sample(struct out *o, bool homozygous, uint32_t depth)
{
    uint32_t alt = homozygous ? depth - below(o, 2) : depth / 3 + below(o, depth / 3 + 1);
    uint32_t quality = 20 + below(o, 80);
    text(o, "\tGT:AD:DP:GQ:PL\t");
    text(o, homozygous ? "1/1:" : "0/1:");
    number(o, depth - alt);
    text(o, ",");
    number(o, alt);
    text(o, ":");
    number(o, depth);
    text(o, ":");
    number(o, quality);
    text(o, ":");
    number(o, homozygous ? 30 * (uint64_t)depth + below(o, 30) : 10 * (uint64_t)alt + below(o, 20));
    text(o, ",");
    number(o, homozygous ? quality : 0);
    text(o, ",");
    number(o, homozygous ? 0 : 12 * (uint64_t)(depth - alt) + below(o, 20));
    text(o, "\n");
}

static void record(struct out *o, const char *contig, uint64_t position)
{
    bool homozygous = below(o, 3) == 0;
    uint32_t depth = 10 + below(o, 50);
    text(o, contig);
    text(o, "\t");
    number(o, position);
    if (below(o, 10) < 9) {
        text(o, "\trs");
        number(o, 1 + below(o, 2000000000));
    } else {
        text(o, "\t.");
    }
    text(o, "\t");
    alleles(o);
    text(o, "\t");
    thousandths(o, 30000 + below(o, 2970000));
    text(o, below(o, 100) < 95 ? "\tPASS\tAC=" : "\tLowQual\tAC=");
    text(o, homozygous ? "2;AF=1.000;AN=2;DP=" : "1;AF=0.500;AN=2;DP=");
    number(o, depth);
    text(o, ";FS=");
    thousandths(o, below(o, 60000));
    text(o, ";MQ=");
    thousandths(o, 40000 + below(o, 20000));
    text(o, ";QD=");
    thousandths(o, below(o, 35000));
    text(o, ";SOR=");
    thousandths(o, below(o, 4000));
    sample(o, homozygous, depth);
}

static void records(struct out *o, uint64_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < CONTIGS; i++)
        sum += contigs[i].size;
    for (size_t i = 0; i < CONTIGS && !o->failed; i++) {
        uint64_t here = count * contigs[i].size / sum;
        if (here == 0)
            continue;
        uint64_t spacing = ((uint64_t)contigs[i].size << VCFGEN_FRACTION) / here;
        uint64_t least = (UINT64_C(103) << VCFGEN_FRACTION) / 100;
        uint64_t at = UINT64_C(1) << VCFGEN_FRACTION;
        for (uint64_t r = 0; r < here && !o->failed; r++) {
            uint64_t step = spacing / 10005 * 10 * (1 + below(o, 2000));
            at += step < least ? least : step;
            if (at >> VCFGEN_FRACTION > contigs[i].size - 13)
                break; /* room for the longest deletion */
            record(o, contigs[i].name, at >> VCFGEN_FRACTION);
            if (o->n > VCFGEN_OUT_MAX - VCFGEN_LINE_MAX)
                flush(o);
        }
    }
}

static bool argument(const char *s, uint64_t max, uint64_t *ret)
{
    char *end = NULL;
    errno = 0;
    unsigned long long v = strtoull(s, &end, 10);
    if (errno != 0 || *s < '0' || *s > '9' || *end != '\0' || v == 0 || v > max)
        return false;
    *ret = v;
    return true;
}

int main(int argc, char **argv)
{
    uint64_t count = VCFGEN_RECORDS;
    struct out o = { .state = VCFGEN_SEED };
    if (argc > 3 || (argc > 1 && !argument(argv[1], VCFGEN_RECORDS_MAX, &count)) ||
        (argc > 2 && !argument(argv[2], UINT64_MAX, &o.state))) {
        fputs("usage: vcfgen [RECORDS (1..100000000) [SEED (1..)]] > FILE\n", stderr);
        return 2;
    }
    o.p = malloc(VCFGEN_OUT_MAX);
    if (o.p == NULL) {
        fputs("vcfgen: out of memory\n", stderr);
        return 5;
    }
    header(&o);
    records(&o, count);
    flush(&o);
    free(o.p);
    if (o.failed || fflush(stdout) != 0) {
        fprintf(stderr, "vcfgen: cannot write: %s\n", strerror(errno));
        return 1;
    }
    return 0;
}
