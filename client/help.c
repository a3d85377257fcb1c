#include "help.h"

#include "messages.h"

enum { EXAMPLES = 5 };

struct help {
    const char *command;
    const char *examples[EXAMPLES];
    const char *codes;
};

static const struct help rows[] = {
    { "init",
      { "qcloud init --local --cloud file:///mnt/a --cloud file:///mnt/b --cloud file:///mnt/c",
        "qcloud init --gateway https://store.example.org:8440 --token-file qcloud.token",
        "qcloud init --join /media/usb/qcloud --take-over",
        "qcloud init --join /media/usb/qcloud --gateway https://store.example.org --token-file x.token",
        "qcloud init --from-kit scanned.txt --take-over" },
      "1 a cloud is not fit for use, 2 command line, 5 a place is in use, too little memory, or the gateway "
      "is "
      "away, 6 too few clouds, 7 no share store, 12 permission or token, 14 no space" },
    { "put",
      { "qcloud put scan.vcf", "qcloud put -r genomes archive/genomes",
        "tar c notes | qcloud put - notes.tar", "qcloud put --profile xor23 genome.vcf",
        "qcloud put --policy genomes genome.vcf" },
      "4 stored with a smaller margin, 5 try again, 6 too few clouds, 7 a share store is missing, 12 the "
      "passphrase or the token is wrong or missing, 14 no space or over quota" },
    { "get",
      { "qcloud get scan.vcf", "qcloud get -r archive/genomes restored", "qcloud get notes.tar - | tar x",
        "qcloud get --range 0-4095 scan.vcf head" },
      "3 not found, 5 the file exists or try again, 6 too few clouds, 7 no share store, 8 does not verify, "
      "12 the passphrase is wrong or missing" },
    { "cat",
      { "qcloud cat scan.vcf | head", "qcloud cat --range -4k scan.vcf", "qcloud cat part.1 part.2 >whole" },
      "as get; what was written before a failure is verified, and the beginning of what was asked for" },
    { "sync",
      { "qcloud sync ~/genomes archive/genomes/", "qcloud sync -n --delete ~/genomes archive/genomes/",
        "qcloud sync archive/genomes/ /srv/copy", "qcloud sync --exclude '*.tmp' ~/genomes" },
      "2 command line or too many deletions, 3 the source is not there, 4 all but what is named, 11 another "
      "sync of the two is running; else as put and get" },
    { "watch",
      { "qcloud watch ~/genomes archive/genomes/", "qcloud watch --both --delete ~/notes notes/",
        "qcloud watch --interval 10m --policy genomes ~/genomes" },
      "130 stopped (Ctrl-C, SIGTERM): the usual end; 2 command line, 11 another sync of the two is running, "
      "12 "
      "the passphrase or the token is wrong or missing, 8 does not verify; what goes by itself is waited "
      "out" },
    { "ls",
      { "qcloud ls -l archive/", "qcloud ls -l --depth 1", "qcloud ls -0 archive/ | xargs -0 qcloud stat",
        "qcloud ls --where rng=os" },
      "7 no share store, 8 does not verify" },
    { "stat",
      { "qcloud stat scan.vcf", "qcloud stat --json scan.vcf", "qcloud stat a b c",
        "qcloud stat --version 3 scan.vcf" },
      "3 not found, 8 does not verify; with --version and --at as get" },
    { "versions",
      { "qcloud versions scan.vcf", "qcloud get --version 2 scan.vcf old.vcf",
        "qcloud get --at '2026-01-02 03:04' scan.vcf old.vcf", "qcloud versions --restore 2 scan.vcf" },
      "3 no such name or version; 6, 7, 8 as the worst version; with --restore also those of put" },
    { "trash ls",
      { "qcloud trash ls", "qcloud trash ls archive/", "qcloud trash ls --json" },
      "7 no share store, 8 does not verify" },
    { "trash restore",
      { "qcloud trash restore scan.vcf", "qcloud trash restore -r lab/2024/", "qcloud versions scan.vcf" },
      "as put, and: 3 it is not in the trash, 5 it was stored again meanwhile, 8 does not verify" },
    { "trash empty",
      { "qcloud trash empty --dry-run", "qcloud trash empty --older-than 30d --yes",
        "qcloud trash empty archive/ --older-than 1y" },
      "2 nobody can be asked and there is no --yes, 6 too few clouds, 7 both share stores have to be there" },
    { "prune",
      { "qcloud prune --keep-last 3 --dry-run",
        "qcloud prune --keep-daily 7 --keep-weekly 5 --keep-monthly 12 --yes",
        "qcloud prune --keep-within 1y archive/" },
      "2 no rule, or nobody can be asked and there is no --yes, 4 a name was left alone, 6 too few clouds, 7 "
      "both "
      "share stores have to be there, 8 a version does not verify" },
    { "lock",
      { "qcloud lock scan.vcf --until 2036-12-31", "qcloud lock scan.vcf --version 2 --until 2036-12-31",
        "qcloud put --retain-until 2036-12-31 scan.vcf" },
      "2 a date that is none, or has passed, 3 not found, 6 too few clouds" },
    { "explain",
      { "qcloud explain scan.vcf", "qcloud explain --json scan.vcf", "qcloud explain a b c" },
      "3 not found, 7 no share store, 8 does not verify" },
    { "reseal",
      { "qcloud reseal scan.vcf", "qcloud reseal --where rng=os", "qcloud reseal --where rng=lab archive/" },
      "as put, and: 2 the policy is os, 3 not found, 5 it was changed meanwhile, 8 does not verify, 13 no "
      "source in health" },
    { "rng list",
      { "qcloud rng list", "qcloud rng list --json", "qcloud rng list -q" },
      "2 the configuration is wrong" },
    { "rng test",
      { "qcloud rng test", "qcloud rng test lab", "qcloud rng test --sample numbers.bin --entropy 7000",
        "qcloud rng test lab --battery rngtest --raw" },
      "13 a source failed its tests, or a sample did" },
    { "rng enable",
      { "qcloud rng enable lab", "qcloud rng enable --json lab", "qcloud rng enable -q lab" },
      "3 no such source, 13 it failed its tests, and stays shut off" },
    { "rng bench",
      { "qcloud rng bench lab", "qcloud rng bench lab --bytes 10M", "qcloud rng bench os --json" },
      "3 no such source, 13 it is not in health" },
    { "rng read",
      { "qcloud rng read lab --raw --bytes 1M >sample", "qcloud rng read os | base64",
        "qcloud rng read lab --bytes 4G | dieharder -a -g 200" },
      "3 no such source, 13 it is not in health" },
    { "completion",
      { "source <(qcloud completion bash)", "qcloud completion zsh >~/.zsh/functions/_qcloud",
        "qcloud completion fish >~/.config/fish/completions/qcloud.fish" },
      "2 another shell" },
    { "plan keys",
      { "qcloud plan keys --rate 80k --rekey-seconds 0.01 --encryptor 12G",
        "qcloud plan keys --rate 80k --cipher otp --bytes 80G",
        "qcloud plan keys --traffic 1G --rekey-bytes 64Mi --code 3,5",
        "qcloud plan keys --rate 49.5k --cipher otp --traffic 100k --stock 8G" },
      "2 command line" },
    { "completion words",
      { "qcloud completion words -- gateway cloud ''", "qcloud completion words -- put --",
        "qcloud completion words -- help c" },
      "nothing is printed for a line that makes no sense" },
    { "completion names",
      { "qcloud completion names objects archive/", "qcloud completion names clouds",
        "qcloud completion names -- objects gen get --vault lab" },
      "12 the vault opens with a passphrase alone" },
    { "limits",
      { "qcloud limits", "qcloud limits | grep VAULT", "qcloud limits | wc -l" },
      "1 standard output takes nothing" },
    { "version",
      { "qcloud version", "qcloud version --json", "qcloud --version" },
      "1 standard output takes nothing" },
    { "help",
      { "qcloud help", "qcloud help clouds", "qcloud help gateway cloud add", "qcloud help exit" },
      "2 there is no such command or page" },
    { "mv",
      { "qcloud mv draft.vcf scan.vcf", "qcloud mv a b c archive/", "qcloud mv -r lab/2025/ archive/2025/" },
      "2 the name is the old one, 3 not found, 4 not yet on all clouds, 5 the new name is taken, 6 too few "
      "clouds" },
    { "rm",
      { "qcloud rm scan.vcf", "qcloud rm -r lab/2024/", "qcloud rm --erase --yes scan.vcf",
        "qcloud rm --erase --certificate proof.cert scan.vcf", "qcloud rm -r --erase lab/2025/" },
      "2 -r or --erase without --yes, and nobody can be asked, 3 not found, 4 not yet on all clouds, or not "
      "all of "
      "it could be erased, 6 too few clouds, 7 a share store is missing, 11 another erasure is running, 12 "
      "kept until a date" },
    { "certificate verify",
      { "qcloud certificate verify proof.cert", "qcloud certificate verify --key 3d40..c80c proof.cert",
        "qcloud --json certificate verify proof.cert" },
      "2 there is neither a vault nor --key, 3 no such "
      "file, 8 it is no certificate, was altered, or is another vault's" },
    { "certificate ls",
      { "qcloud certificate ls", "qcloud --json certificate ls", "qcloud --site A certificate ls" },
      "8 one of the files is no certificate" },
    { "certificate key",
      { "qcloud certificate key", "qcloud certificate key >vault.key",
        "ssh archive 'qcloud certificate verify --key '$(qcloud certificate key)' proof.cert'" },
      "7 no share store, 12 the passphrase is wrong or missing" },
    { "verify",
      { "qcloud verify", "qcloud verify archive/ scan.vcf", "qcloud verify --sample 10 --report sample.json",
        "qcloud verify --against ~/genomes archive/genomes/", "qcloud verify --since 2026-11-01" },
      "3 nothing of a name, 4 all opens, but a part that a loss would need is missing, or the folder of "
      "--against "
      "is not what is stored; 6, 7, 8 as the worst object" },
    { "drill",
      { "qcloud drill", "qcloud drill --without-cloud paris --without-share 1 archive/",
        "qcloud drill --sample 20 --seed 7 --report drill.json" },
      "0 all came back; 6, 7, 8 as the worst object that would have been lost" },
    { "recover",
      { "qcloud recover --share 2", "qcloud recover --share 2 --to /media/new/qcloud",
        "qcloud recover --share 2 --only lab/today/", "qcloud recover --share 1 --from-kit -" },
      "4 some versions could not be rebuilt, 5 the place is in use, 7 the other share store is missing too" },
    { "kit print",
      { "qcloud kit print --share 1 --file sheet1.pdf", "qcloud kit print --share both --file codes.png",
        "qcloud kit print --share 2 --words | lpr", "qcloud kit print --share 1 --qr" },
      "2 the store keeps its shares, and has no seed, 5 the file exists, 7 the share store is not there" },
    { "kit restore",
      { "qcloud kit restore --words --share 2", "qcloud kit restore --file scanned.txt --take-over",
        "zbarimg -q --raw sheet.png | qcloud kit restore --qr --share 1" },
      "as recover where a vault is set up here, else as init --from-kit; 2 it is no kit, or another "
      "vault's" },
    { "kit verify",
      { "qcloud kit verify -", "qcloud kit verify scanned.txt",
        "zbarimg -q --raw sheet.png | qcloud kit verify -" },
      "2 they are no kit, or not this vault's; the message says which word is wrong, and how" },
    { "kit refresh",
      { "qcloud kit refresh", "qcloud kit refresh --backup-to file:///media/vault-keeper",
        "qcloud kit print --share 1 --file sheet1.pdf" },
      "4 some versions could not be refreshed, 7 a share store is not there, 11 another one is running, 12 "
      "one "
      "cannot be written" },
    { "tickets draw",
      { "qcloud tickets draw 100", "qcloud tickets draw 20 --json", "qcloud status" },
      "7 a share store is not there, 12 it cannot be written" },
    { "tickets cancel",
      { "qcloud tickets cancel", "qcloud tickets cancel --json", "qcloud tickets draw 10" },
      "7 share store 1 is not there" },
    { "passphrase",
      { "qcloud passphrase", "QCLOUD_NEW_PASSPHRASE_COMMAND='pass show qcloud' qcloud passphrase",
        "qcloud passphrase --share 2 --remove" },
      "4 one share store was changed and the other not, 7 none is there, 11 another one is running, 12 the "
      "passphrase "
      "is wrong or missing" },
    { "profiles",
      { "qcloud profiles", "qcloud profiles --size 80G --json", "qcloud put --profile xor23 genome.vcf" },
      "2 no such size" },
    { "site list",
      { "qcloud site list", "qcloud site list --json", "qcloud --site B init --local --cloud file:///mnt/b" },
      "4 one is away or not set up, 7 two are, 10 none is set up" },
    { "site rebuild",
      { "qcloud site rebuild", "qcloud site rebuild scan.vcf", "qcloud site rebuild --json" },
      "as put with --profile xor23, and: 3 not found, 8 no two sites confirm each other" },
    { "site remove",
      { "qcloud site remove C",
        "qcloud site remove C && qcloud --site C init --local --cloud "
        "file:///mnt/new && qcloud site rebuild",
        "qcloud site remove --json C" },
      "3 it is not set up" },
    { "status",
      { "qcloud status", "qcloud status --json", "qcloud status --watch --interval 60",
        "qcloud status --degraded-ok" },
      "0 all is there, 4 something is missing, 6 too few clouds, 7 both share stores are missing; with "
      "--watch "
      "130 "
      "(Ctrl-C), the usual end" },
    { "config show",
      { "qcloud config show", "qcloud config show --json", "qcloud config show -q" },
      "10 no vault" },
    { "config get",
      { "qcloud config get vault.share2", "qcloud config get gateway.idle",
        "qcloud config get --json vault.gateway" },
      "2 no such key, 3 the file does not say it, 10 no vault" },
    { "config set",
      { "qcloud config set vault.share2 /media/usb/qcloud", "qcloud config set gateway.idle 300",
        "qcloud config set vault.gateway https://store.example.org:8440" },
      "2 what comes out would be refused: nothing is changed; 10 no vault" },
    { "config check",
      { "qcloud config check", "qcloud config check -q", "qcloud config check --json" },
      "2 it would be refused, and the line; 10 no vault, or something is missing" },
    { "doctor",
      { "qcloud doctor", "qcloud doctor --fix", "qcloud doctor ~/Documents" },
      "0 all is as it should be, 4 something is to be looked at; else that of the worst that was found" },
    { "selftest",
      { "qcloud selftest", "qcloud selftest --json", "qcloud selftest -q" },
      "1 something is computed wrong, 13 the source of randomness failed its test" },
    { "bench",
      { "qcloud bench", "qcloud bench gateway --size 64k,16M --out speed.json",
        "qcloud bench peers --size 256M" },
      "1 a program beside it failed, 2, 5 it did not end, 6, 7, 10 no vault (local, paper and peers need "
      "none), 11 "
      "another bench of this vault runs, 14 no room, 130 interrupted: what was put is taken away" },
    { "gateway status",
      { "qcloud gateway status", "qcloud gateway status --json", "qcloud gateway status --watch" },
      "10 not set up, 11 it is locked; with --watch 130 (Ctrl-C), the usual end" },
    { "gateway repair",
      { "qcloud gateway repair", "qcloud gateway repair --deep --max-rate 20M",
        "qcloud gateway repair --adopt paris" },
      "4 something is left, 5 one is under way, 6 something cannot be read before clouds come back, 8 "
      "something is beyond repair" },
    { "gateway scrub",
      { "qcloud gateway scrub --wait", "qcloud gateway scrub --content",
        "qcloud gateway scrub --cloud paris --wait --json" },
      "3 no cloud of that name, 4 something was found, or a cloud could not be looked at" },
    { "gateway scrub start",
      { "qcloud gateway scrub start --wait", "qcloud gateway scrub start --content",
        "qcloud gateway scrub start --cloud paris --wait --json" },
      "3 no cloud of that name, 4 something was found, or a cloud could not be looked at" },
    { "gateway scrub status",
      { "qcloud gateway scrub status", "qcloud gateway scrub status --json",
        "qcloud gateway scrub status -q" },
      "4 something was found, or a cloud cannot be looked at" },
    { "gateway scrub pause",
      { "qcloud gateway scrub pause", "qcloud gateway scrub pause --cloud paris",
        "qcloud gateway scrub pause --json" },
      "3 no cloud of that name" },
    { "gateway scrub resume",
      { "qcloud gateway scrub resume", "qcloud gateway scrub resume --cloud paris",
        "qcloud gateway scrub resume --json" },
      "3 no cloud of that name" },
    { "gateway scrub rate",
      { "qcloud gateway scrub rate 20M", "qcloud gateway scrub rate off",
        "qcloud gateway scrub rate default" },
      "2 it is no rate" },
    { "gateway drill",
      { "qcloud gateway drill", "qcloud gateway drill --sample 100 --without-cloud paris",
        "qcloud gateway drill --without-cloud random --seed 7 --json" },
      "3 no cloud of that name or nothing stored, 6 or 8 something would have been lost" },
    { "gateway audit",
      { "qcloud gateway audit", "qcloud gateway audit --since 2026-01-31",
        "qcloud gateway audit --since 2026-01-31T12:00:00Z --json" },
      "3 the gateway keeps no audit log, 8 it is not what was written" },
    { "gateway selftest",
      { "qcloud gateway selftest", "qcloud gateway selftest --json", "qcloud gateway selftest -q" },
      "1 something is computed wrong, 13 the source of randomness failed its test" },
    { "gateway job ls",
      { "qcloud gateway job ls", "qcloud gateway job ls --json", "qcloud gateway job ls -q" },
      "10 not set up" },
    { "gateway job show",
      { "qcloud gateway job show repair", "qcloud gateway job show clouds --json",
        "qcloud gateway job show scrub" },
      "3 there is no such job, or there was none since the gateway was started" },
    { "gateway job cancel",
      { "qcloud gateway job cancel repair", "qcloud gateway job cancel clouds",
        "qcloud gateway job cancel drill" },
      "3 no such job is under way" },
    { "gateway job resume",
      { "qcloud gateway job resume clouds", "qcloud gateway job resume scrub",
        "qcloud gateway job resume --json clouds" },
      "2 it is begun anew instead, 3 there was no such job" },
    { "gateway link ls",
      { "qcloud gateway link ls", "qcloud gateway link ls --json", "qcloud gateway link ls -q" },
      "10 not set up" },
    { "gateway link test",
      { "qcloud gateway link test", "qcloud gateway link test paris",
        "qcloud gateway link test --json paris" },
      "3 no cloud of that name, or none is there, 5 it does not answer, 12 it refuses the keys" },
    { "gateway log level",
      { "qcloud gateway log level", "qcloud gateway log level debug",
        "qcloud gateway log level info --json" },
      "2 it is no level" },
    { "gateway debt ls",
      { "qcloud gateway debt ls", "qcloud gateway debt ls --json", "qcloud gateway debt ls -q" },
      "10 not set up" },
    { "gateway debt retry",
      { "qcloud gateway debt retry", "qcloud gateway debt retry --json", "qcloud gateway debt retry -q" },
      "10 not set up" },
    { "gateway snapshot",
      { "qcloud gateway snapshot", "qcloud gateway snapshot --json", "qcloud gateway snapshot -q" },
      "4 some cloud has not got its piece, 5 one is being made, 6 too few "
      "clouds" },
    { "gateway snapshot create",
      { "qcloud gateway snapshot create", "qcloud gateway snapshot create --json",
        "qcloud gateway snapshot create -q" },
      "4 some cloud has not got its piece, 5 one is being made, 6 too few "
      "clouds" },
    { "gateway snapshot ls",
      { "qcloud gateway snapshot ls", "qcloud gateway snapshot ls --json",
        "qcloud gateway snapshot ls | head -n 2" },
      "5 one is being made" },
    { "gateway snapshot verify",
      { "qcloud gateway snapshot verify", "qcloud gateway snapshot verify 1.7",
        "qcloud gateway snapshot verify --json" },
      "2 no generation, 3 no snapshot of that generation, 4 pieces are missing or damaged, 5 one is being "
      "made, 6 too few clouds, 8 one cannot be used" },
    { "gateway snapshot restore",
      { "qcloud gateway snapshot restore -n", "qcloud gateway snapshot restore --yes",
        "qcloud gateway snapshot restore 1.7 --cloud c1=file:///mnt/new" },
      "3 no such snapshot, 5 that one is older than the newest: what came since would be lost; else as "
      "gateway rebuild" },
    { "gateway rebuild",
      { "qcloud gateway rebuild", "qcloud gateway rebuild --cloud c1=file:///mnt/new",
        "qcloud gateway rebuild --kit kit.txt", "qcloud gateway rebuild --from-clouds --verify-only" },
      "4 --verify-only: something is missing on the clouds, 6 too few clouds for the root key, 11 the "
      "gateway is running, 8 does not verify" },
    { "gateway cloud ls",
      { "qcloud gateway cloud ls", "qcloud gateway cloud ls --json", "qcloud gateway cloud ls -q" },
      "10 not set up, 11 it is locked" },
    { "gateway cloud validate",
      { "qcloud gateway cloud validate paris", "qcloud gateway cloud validate --deep paris",
        "qcloud gateway cloud validate --json paris" },
      "1 the cloud is not fit for use, 3 no cloud of that name, 5 it does not answer, 12 it refuses the "
      "keys" },
    { "gateway cloud test",
      { "qcloud gateway cloud test paris", "qcloud gateway cloud test --json paris",
        "qcloud gateway cloud test -q paris" },
      "1 it is not the gateway's cloud, or gives back something else, 3 no cloud of that name, 5 it does not "
      "answer, 12 "
      "it refuses the keys, 14 it is full" },
    { "gateway cloud set",
      { "qcloud gateway cloud set paris --credentials ~/keys/paris",
        "qcloud gateway cloud set paris --credentials aws:backup",
        "qcloud gateway cloud set paris --credentials new.keys --untried" },
      "1 the cloud is not fit for use, 3 no cloud of that name, 5 it does not answer, 12 it refuses the "
      "keys" },
    { "gateway cloud add",
      { "qcloud gateway cloud add oslo=file:///mnt/oslo",
        "qcloud gateway cloud add paris=s3+https://s3.example.org/bucket --credentials paris.keys",
        "qcloud gateway cloud add oslo=file:///mnt/oslo --provider acme --region north --weight 50" },
      "1 the cloud is not fit for use, 5 another one is added or drained just now, 6 a cloud that must "
      "answer does not, 12 it refuses the keys" },
    { "gateway cloud drain",
      { "qcloud gateway cloud drain paris", "qcloud gateway cloud drain paris --to oslo --max-rate 20M --yes",
        "qcloud gateway cloud drain paris --cancel" },
      "3 no cloud of that name, 4 something is left there, 6 too few clouds would be left for new objects" },
    { "gateway cloud replace",
      { "qcloud gateway cloud replace paris oslo=file:///mnt/oslo",
        "qcloud gateway cloud replace paris oslo=s3+https://s3.example.org/bucket --credentials oslo.keys",
        "qcloud gateway cloud replace paris oslo=file:///mnt/oslo --prices prices.conf --yes" },
      "1 the new one is not fit for use, 3 no cloud of that name, 4 something is left on the old one, 6 a "
      "cloud that must answer does not" },
    { "gateway cloud retire",
      { "qcloud gateway cloud retire paris", "qcloud gateway cloud retire paris --gone",
        "qcloud gateway cloud retire paris --json" },
      "3 no cloud of that name, 5 something is left there: drain it first, 6 a cloud that must answer does "
      "not" },
    { "gateway cloud domain",
      { "qcloud gateway cloud domain provider", "qcloud gateway cloud domain cloud",
        "qcloud gateway cloud domain jurisdiction --json" },
      "5 objects have two pieces in one domain, 6 there are too few domains" },
    { "gateway plan exit",
      { "qcloud gateway plan exit paris", "qcloud gateway plan exit paris --prices prices.conf",
        "qcloud gateway plan exit paris --json" },
      "3 no cloud of that name" },
    { "gateway plan reprotect",
      { "qcloud gateway plan reprotect 4,7", "qcloud gateway plan reprotect 4,7 --prices prices.conf",
        "qcloud gateway plan reprotect 2,5 --max-rate 20M --json" },
      "2 no such code" },
    { "keys",
      { "qcloud keys", "qcloud keys --forecast", "qcloud keys --forecast --for 60 --json" },
      "10 nothing is keyed by QKD, 13 a link has no key, or nobody says" },
    { "gateway keys",
      { "qcloud gateway keys", "qcloud gateway keys --forecast", "qcloud gateway keys --json" },
      "10 nothing is keyed by QKD, 13 a link has no key, or nobody says" },
    { "plan exit",
      { "qcloud plan exit paris", "qcloud plan exit paris --prices prices.conf",
        "qcloud plan exit paris --json" },
      "3 no cloud of that name, 10 no vault" },
    { "plan reprotect",
      { "qcloud plan reprotect 4,7", "qcloud plan reprotect 4,7 --prices prices.conf",
        "qcloud plan reprotect 2,5 --max-rate 20M --json" },
      "2 no such code, 10 no vault" },
    { "gateway kit",
      { "qcloud gateway kit --out /media/safe/kit.txt", "qcloud gateway kit | lpr", "qcloud gateway kit -q" },
      "5 the file is there, 10, 11, 12" },
};

#define RANGE_NOTE                                                                                           \
    "A range is as sure as the whole: a byte is given out once it is shown to be that byte of that "         \
    "version,\n"                                                                                             \
    "in its place, by the seal over the whole object, which names the tags of every chunk. What the range\n" \
    "does not touch is not read, and nothing is said of it: qcloud verify reads all. A range that is not\n"  \
    "all inside the object is refused with exit 2, and the object's size is said. Of a file that is\n"       \
    "padded, a range up to its end (A-, -N) lets gateway and clouds see where that is, to 1 MiB.\n"
/* What is to be said of some before the examples. */
static const struct {
    const char *command, *text;
} notes[] = {
    { "put",
      "A put of a file over 16 MiB that was killed or interrupted goes on where it was, by the same "
      "command,\n"
      "for 14 days, also after a boot: what the gateway has durably is not sent again. If the file has "
      "changed\n"
      "since, that is said, and all of it is sent: a version is never made of two. --restart sends all; rm "
      "of\n"
      "the name gives up what is stored of it. Standard input cannot go on. status says what waits.\n" },
    { "get", "A get that was killed or interrupted goes on where it was, by the same command: what NAME.part "
             "has is\n"
             "verified, and not fetched again. " RANGE_NOTE },
    { "cat", RANGE_NOTE },
    { "bench",
      "Figures are of what was run just now, beside whatever else ran. What it puts lies below "
      ".qcloud-bench/\n"
      "by random names and is removed and purged at the end, also after a Ctrl-C; after a kill, by the next\n"
      "bench. Nothing else below that prefix is touched.\n"
      "paper: the steps that papers have timed, beside their figures. peers: a file and a tree of small "
      "ones,\n"
      "beside restic, rclone and cp, where they are installed. Both use no vault of yours, but one of their "
      "own\n"
      "over five directories, in a folder of $TMPDIR, else /var/tmp: the disk that is measured. It is "
      "removed at\n"
      "the end, also after a Ctrl-C; after a kill, by the next one.\n" },
    { "doctor",
      "With DIR.. it names what gets that were killed left beneath these folders. --fix never removes what "
      "may\n"
      "hold a byte of anybody's: not NAME.part, not a put that can go on, not a lock's file.\n" },
};

static const struct help *find(const char *command)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i].command, command) == 0)
            return &rows[i];
    return NULL;
}

static size_t count_of(const char *command)
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
    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++)
        if (strcmp(notes[i].command, command) == 0)
            QC_TRY(qc_buf_addf(ret, err, "\n%s", notes[i].text));
    QC_TRY(qc_buf_add_str(ret, "\nExamples:\n", err));
    for (size_t i = 0; i < count_of(command); i++)
        QC_TRY(qc_buf_addf(ret, err, "  %s\n", h->examples[i]));
    return qc_buf_addf(ret, err, "\nExit codes: 0 ok, %s.\n", h->codes);
}

static qc_rc error_row(const char *code, const char *when, const struct msg *m, qc_buf *ret,
                       struct qc_err *err)
{
    static const struct msg_about words = {
        .name = { (const uint8_t *)"NAME", 4 }, .share = "N", .scrub = "scrub", .drill = "drill", .dir = "DIR"
    };
    QC_TRY(qc_buf_addf(ret, err, "| %s | %s | %s | ", code, when, m->data));
    QC_TRY(msg_next_text(m, &words, " - or: ", ret, err));
    return qc_buf_add_str(ret, " |\n", err);
}

qc_rc help_errors(qc_buf *ret, struct qc_err *err)
{
    char code[MSG_CODE];
    QC_TRY(qc_buf_add_str(ret,
                          "# Messages\n\n"
                          "Every message has three parts: what happened, what it means for the data, what to "
                          "run next. Its code is `E`, "
                          "the exit status, and the case; warnings begin with `W`. The codes 50 and above "
                          "are those of `qcloud-gateway`. "
                          "This page is printed by `qcloud help errors`.\n\n"
                          "| code | when | what it means for the data | next |\n|---|---|---|---|\n",
                          err));
    for (size_t i = 0; i < msg_rows(); i++) {
        qc_rc rc = QC_OK;
        const struct msg *m = msg_row(i, &rc);
        msg_code(m, rc, code);
        QC_TRY(error_row(code, qc_rc_text(rc), m, ret, err));
    }
    for (int w = 0; w < MSG_WARNINGS; w++) {
        const struct msg *m = msg_warning((enum msg_warning)w);
        msg_warning_code(m, code);
        QC_TRY(error_row(code, msg_warning_when((enum msg_warning)w), m, ret, err));
    }
    return QC_OK;
}

qc_rc help_commands(const struct qc_app *app, qc_buf *ret, struct qc_err *err)
{
    QC_TRY(qc_buf_add_str(
        ret,
        "# Commands\n\nThis page is printed by `qcloud help commands`. The lines that `--json` "
        "writes are described in `docs/schema/`, a JSON Schema for each command.\n\n```\n",
        err));
    QC_TRY(qc_opt_help(app, NULL, ret, err));
    QC_TRY(qc_buf_add_str(ret, "```\n", err));
    for (const struct qc_cmd *c = app->cmds; c->name != NULL; c++) {
        QC_TRY(qc_buf_addf(ret, err, "\n## qcloud %s\n\n```\n", c->name));
        QC_TRY(qc_opt_help(app, c, ret, err));
        QC_TRY(help_examples(c->name, ret, err));
        QC_TRY(qc_buf_add_str(ret, "```\n", err));
    }
    return QC_OK;
}
