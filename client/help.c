#include "help.h"

enum { EXAMPLES = 3 };

struct help {
    const char *command;
    const char *examples[EXAMPLES];
    const char *codes;
};

/* clang-format off */
static const struct help rows[] = {
    { "init", { "qcloud init --local --cloud file:///mnt/a --cloud file:///mnt/b --cloud file:///mnt/c",
                "qcloud init --local --k 3 --cloud paris=file:///mnt/a ... --share2 /media/usb/qcloud",
                "qcloud init --join /media/usb/qcloud --take-over" },
      "2 command line, 5 a place is in use, 6 too few clouds, 7 no share store, 12 permission, 14 no space" },
    { "put", { "qcloud put scan.vcf", "qcloud put -r genomes archive/genomes", "tar c notes | qcloud put - notes.tar" },
      "4 stored with a smaller margin, 5 try again, 6 too few clouds, 7 a share store is missing, 14 no space" },
    { "get", { "qcloud get scan.vcf", "qcloud get -r archive/genomes restored", "qcloud get notes.tar - | tar x" },
      "3 not found, 5 the file exists or try again, 6 too few clouds, 7 no share store, 8 does not verify" },
    { "ls", { "qcloud ls", "qcloud ls -l archive/", "qcloud ls -0 archive/ | xargs -0 qcloud stat" }, "7, 8" },
    { "stat", { "qcloud stat scan.vcf", "qcloud stat --json scan.vcf", "qcloud stat a b c" }, "3 not found, 8 does not verify" },
    { "rm", { "qcloud rm scan.vcf", "qcloud rm a b c", "qcloud rm -- -odd-name" },
      "3 not found, 4 not yet on all clouds, 6 too few clouds, 7 a share store is missing" },
    { "verify", { "qcloud verify", "qcloud verify archive/", "qcloud verify --json scan.vcf" },
      "4 all opens, but a part that a loss would need is missing; 6, 7, 8 as the worst object" },
    { "recover", { "qcloud recover --share 2", "qcloud recover --share 2 --to /media/new/qcloud", "qcloud recover --share 1 --json" },
      "4 some versions could not be rebuilt, 5 the place is in use, 7 the other share store is missing too" },
    { "status", { "qcloud status", "qcloud status --json", "qcloud status --degraded-ok" },
      "0 all is there, 4 something is missing, 6 too few clouds, 7 both share stores are missing" },
    { "gateway status", { "qcloud gateway status", "qcloud gateway status --json", "qcloud gateway status -q" }, "10, 11" },
    { "gateway rebuild", { "qcloud gateway rebuild", "qcloud gateway rebuild --cloud c1=file:///mnt/new", "qcloud gateway rebuild --kit kit.txt" },
      "6 too few clouds for the root key, 11 the gateway is running, 8 does not verify" },
    { "gateway kit", { "qcloud gateway kit > /media/safe/kit.txt", "qcloud gateway kit | lpr", "qcloud gateway kit -q" }, "10, 11, 12" },
};
/* clang-format on */

static const struct help *find(const char *command)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i].command, command) == 0)
            return &rows[i];
    return NULL;
}

size_t help_count(const char *command)
{
    const struct help *h = find(command);
    size_t n = 0;
    while (h != NULL && n < EXAMPLES && h->examples[n] != NULL)
        n++;
    return n;
}

qc_rc help_examples(const char *command, qc_buf *ret, struct qc_err *err)
{
    const struct help *h = find(command);
    if (h == NULL)
        return QC_OK;
    QC_TRY(qc_buf_add_str(ret, "\nExamples:\n", err));
    for (size_t i = 0; i < help_count(command); i++)
        QC_TRY(qc_buf_addf(ret, err, "  %s\n", h->examples[i]));
    return qc_buf_addf(ret, err, "\nExit codes: 0 ok, %s.\n", h->codes);
}
