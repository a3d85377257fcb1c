#include "help.h"

#include <string.h>

/* Which gateway is meant: one for its own user, one for many. */
#define STATE " --state /srv/gateway"
#define CONF  " --config /etc/qcloud/gateway.conf"
/* What a command comes to that finds nothing to work on, or somebody at work on it. */
#define PLACE  "10 not set up"
#define ALONE  PLACE ", 11 it is being served, or another command is at work"
#define ASKED  PLACE ", 11 another command is at work there"
#define SERVED "5 no gateway serves there, " PLACE

enum { EXAMPLES = 4 };

struct help {
    const char *command;
    const char *examples[EXAMPLES]; /* without the name of the program */
    const char *codes;
};

static const struct help rows[] = {
    { "serve",
      { "serve" CONF, "serve" STATE " --idle 30s",
        "serve" STATE " --log-file /var/log/gateway.log --json-log" },
      "2 the configuration is wrong, 8 the catalogue is damaged, 10 not set up, 11 it is being served, or "
      "another "
      "gateway took over, 14 the disk is full" },
    { "init",
      { "init" STATE " --cloud a=file:///mnt/a --cloud b=file:///mnt/b --cloud c=file:///mnt/c --k 2",
        "init" CONF " --cloud a=file:///mnt/a --cloud b=file:///mnt/b --cloud c=file:///mnt/c",
        "init" STATE " --cloud a=s3+https://s3.example.org/bucket --cloud-credentials a=a.keys --cloud "
        "b=file:///mnt/b" },
      "1 a cloud is not fit for use, 5 something is there already, 6 a cloud does not answer, 12 the keys "
      "are "
      "refused, 14 no space" },
    { "rebuild",
      { "rebuild --state /srv/new --cloud a=file:///mnt/a --cloud b=file:///mnt/b --cloud c=file:///mnt/c",
        "rebuild" CONF " --kit kit.txt --cloud a=file:///mnt/a",
        "rebuild" STATE " --verify-only --cloud a=file:///mnt/a --cloud b=file:///mnt/b" },
      "4 with --verify-only: something is missing on the clouds, 5 another rebuild came first, 6 too few "
      "clouds, 8 "
      "a record of the log is missing, or does not verify, 11 it is being served" },
    { "status",
      { "status" CONF, "status" STATE " --json", "status" CONF " --watch --interval 10s" },
      "4 not green, " ALONE "; with --watch 130 (Ctrl-C), the usual end" },
    { "repair",
      { "repair" CONF, "repair" STATE " --deep --max-rate 20M", "repair" STATE " --adopt paris",
        "repair" CONF " --reprotect 4,7" },
      "4 something is left, 5 the place of --adopt is not empty, 6 something cannot be read before clouds "
      "come back, "
      "8 something is beyond repair, " ALONE },
    { "scrub",
      { "scrub" CONF " --wait", "scrub" STATE " --content", "scrub" CONF " --cloud paris --wait --json" },
      "3 no cloud of that name, 4 something was found, or a cloud could not be looked at, " ASKED },
    { "scrub start",
      { "scrub start" CONF " --wait", "scrub start" STATE " --content",
        "scrub start" CONF " --cloud paris --wait --json" },
      "3 no cloud of that name, 4 something was found, or a cloud could not be looked at, " ASKED },
    { "scrub status",
      { "scrub status" CONF, "scrub status" CONF " --json", "scrub status" STATE },
      "4 something was found, or a cloud cannot be looked at, " ASKED },
    { "scrub pause",
      { "scrub pause" CONF, "scrub pause" CONF " --cloud paris", "scrub pause" STATE " --json" },
      "3 no cloud of that name, " ASKED },
    { "scrub resume",
      { "scrub resume" CONF, "scrub resume" CONF " --cloud paris", "scrub resume" STATE " --json" },
      "3 no cloud of that name, " ASKED },
    { "scrub rate",
      { "scrub rate 20M" CONF, "scrub rate off" CONF, "scrub rate default" STATE },
      "2 it is no rate, " ASKED },
    { "drill",
      { "drill" CONF, "drill --sample 1000 --without-cloud paris --without-cloud random" CONF,
        "drill --without-cloud none --seed 7 --json" STATE },
      "3 no cloud of that name or nothing stored, 6 or 8 something would have been lost, " ASKED },
    { "job ls", { "job ls" CONF, "job ls" CONF " --json", "job ls" STATE }, SERVED },
    { "job show",
      { "job show repair" CONF, "job show clouds" CONF " --json", "job show scrub" STATE },
      "3 there is no such job, or there was none since the gateway was started, " SERVED },
    { "job cancel",
      { "job cancel repair" CONF, "job cancel clouds" CONF, "job cancel drill" STATE },
      "3 no such job is under way, " SERVED },
    { "job resume",
      { "job resume clouds" CONF, "job resume scrub" CONF, "job resume clouds --json" STATE },
      "2 it is begun anew instead, 3 there was no such job, " SERVED },
    { "link ls", { "link ls" CONF, "link ls" CONF " --json", "link ls" STATE }, SERVED },
    { "link test",
      { "link test" CONF, "link test paris" CONF, "link test paris --json" STATE },
      "3 no cloud of that name, or none is there, 5 it does not answer, or no gateway serves, 10 not set up, "
      "12 it "
      "refuses the keys" },
    { "log level",
      { "log level" CONF, "log level debug" CONF, "log level info --json" STATE },
      "2 it is no level, " SERVED },
    { "debt ls", { "debt ls" CONF, "debt ls" CONF " --json", "debt ls" STATE }, ASKED },
    { "debt retry", { "debt retry" CONF, "debt retry" CONF " --json", "debt retry" STATE }, ASKED },
    { "snapshot",
      { "snapshot" CONF, "snapshot" CONF " --json", "snapshot" STATE },
      "4 some cloud has not got its piece, 5 one is being made, 6 too few clouds, " ASKED },
    { "snapshot create",
      { "snapshot create" CONF, "snapshot create" CONF " --json", "snapshot create" STATE },
      "4 some cloud has not got its piece, 5 one is being made, 6 too few clouds, " ASKED },
    { "snapshot ls",
      { "snapshot ls" CONF, "snapshot ls" CONF " --json", "snapshot ls" STATE },
      "5 one is being made, " ASKED },
    { "snapshot verify",
      { "snapshot verify" CONF, "snapshot verify 1.7" CONF, "snapshot verify --json" STATE },
      "2 no generation, 3 no snapshot of that generation, 4 pieces are missing or damaged, 5 one is being "
      "made, 6 "
      "too few clouds, 8 one cannot be used, " ASKED },
    { "snapshot restore",
      { "snapshot restore --dry-run" STATE " --cloud a=file:///mnt/a --cloud b=file:///mnt/b",
        "snapshot restore 1.7 --yes" STATE " --cloud a=file:///mnt/a --cloud b=file:///mnt/b",
        "snapshot restore --kit kit.txt" CONF " --cloud a=file:///mnt/a" },
      "2 nobody can be asked and there is no --yes, 3 no such snapshot, 5 that one is older than the newest: "
      "what "
      "came since would be lost; else as rebuild" },
    { "sweep",
      { "sweep --dry-run" CONF, "sweep" STATE, "sweep --json" CONF },
      "6 too few clouds, 10 not set up, 11 another gateway took over, or another command is at work there" },
    { "cloud ls", { "cloud ls" STATE, "cloud ls" STATE " --json", "cloud ls" CONF }, ALONE },
    { "cloud validate",
      { "cloud validate paris" CONF, "cloud validate --url file:///mnt/new",
        "cloud validate --deep --url s3+https://s3.example.org/bucket --credentials paris.keys" },
      "1 the cloud is not fit for use, 3 no cloud of that name, 5 it does not answer, 12 it refuses the "
      "keys" },
    { "cloud test",
      { "cloud test paris" CONF, "cloud test paris --json" CONF, "cloud test paris" STATE },
      "1 it is not the gateway's cloud, or gives back something else, 3 no cloud of that name, 5 it does not "
      "answer, 12 it refuses the keys, 14 it is full" },
    { "cloud set",
      { "cloud set paris --provider acme --region north" CONF, "cloud set paris --credentials new.keys" CONF,
        "cloud set paris --url file:///mnt/new" STATE, "cloud set paris --weight 50" STATE },
      "1 the cloud is not fit for use, 3 no cloud of that name, 5 it does not answer, 12 it refuses the "
      "keys" },
    { "cloud add",
      { "cloud add oslo=file:///mnt/oslo" STATE,
        "cloud add paris=s3+https://s3.example.org/bucket --credentials paris.keys" CONF,
        "cloud add oslo=file:///mnt/oslo --provider acme --region north --weight 50" CONF },
      "1 the cloud is not fit for use, 5 another one is added or drained just now, 6 a cloud that must "
      "answer does "
      "not, 12 it refuses the keys" },
    { "cloud drain",
      { "cloud drain paris" CONF, "cloud drain paris --to oslo --max-rate 20M --yes" CONF,
        "cloud drain paris --cancel" CONF },
      "2 nobody can be asked and there is no --yes, 3 no cloud of that name, 4 something is left there, 6 "
      "too few "
      "clouds would be left for new objects" },
    { "cloud replace",
      { "cloud replace paris oslo=file:///mnt/oslo" CONF,
        "cloud replace paris oslo=s3+https://s3.example.org/bucket --credentials oslo.keys" CONF,
        "cloud replace paris oslo=file:///mnt/oslo --prices prices.conf --yes" STATE },
      "1 the new one is not fit for use, 2 nobody can be asked and there is no --yes, 3 no cloud of that "
      "name, 4 "
      "something is left on the old one, 6 a cloud that must answer does not" },
    { "cloud retire",
      { "cloud retire paris" CONF, "cloud retire paris --gone" CONF, "cloud retire paris --json" STATE },
      "3 no cloud of that name, 5 something is left there: drain it first, 6 a cloud that must answer does "
      "not" },
    { "cloud domain",
      { "cloud domain provider" CONF, "cloud domain cloud" CONF, "cloud domain jurisdiction --json" STATE },
      "5 objects have two pieces in one domain, 6 there are too few domains" },
    { "plan exit",
      { "plan exit paris" CONF, "plan exit paris --prices prices.conf" CONF, "plan exit paris --json" STATE },
      "3 no cloud of that name, " ASKED },
    { "plan reprotect",
      { "plan reprotect 4,7" CONF, "plan reprotect 4,7 --prices prices.conf" CONF,
        "plan reprotect 2,5 --max-rate 20M --json" STATE },
      "2 no such code, " ASKED },
    { "plan keys",
      { "plan keys --rate 80k --rekey-seconds 0.01 --encryptor 12G",
        "plan keys --rate 80k --cipher otp --bytes 80G",
        "plan keys --traffic 1G --rekey-bytes 64Mi --code 3,5" },
      "2 command line" },
    { "keys",
      { "keys" CONF, "keys --forecast" CONF, "keys --forecast --for 60 --json" STATE },
      "10 nothing is keyed by QKD, 13 a link has no key, or nobody says" },
    { "kit",
      { "kit --out /media/safe/kit.txt" STATE, "kit" STATE " | lpr", "kit --out /media/safe/kit.txt" CONF },
      "5 the file is there, " ALONE },
    { "tenant add",
      { "tenant add ann --token-file ann.token" CONF,
        "tenant add ann --token-file ann.token --quota 200G --objects 1000000" CONF,
        "tenant add lab --token-file lab.token --uploads 8 --requests 4" STATE },
      "5 the name or the file is taken, or no gateway answers, 6 too few clouds, " ASKED },
    { "tenant ls", { "tenant ls" CONF, "tenant ls" CONF " --json", "tenant ls" STATE }, ASKED },
    { "tenant quota",
      { "tenant quota ann --quota 2T" CONF, "tenant quota ann --quota none --objects 1000000" CONF,
        "tenant quota ann --requests 4" STATE },
      "2 no limit is given, 3 no such tenant, 6 too few clouds, " ASKED },
    { "tenant token",
      { "tenant token ann --token-file new.token" CONF,
        "tenant token ann --token-file /media/usb/ann.token" CONF,
        "tenant token lab --token-file lab.token" STATE },
      "3 no such tenant, 5 the file is there, 6 too few clouds, " ASKED },
    { "tenant disable",
      { "tenant disable ann" CONF, "tenant disable ann" STATE, "tenant disable lab" CONF },
      "3 no such tenant, 6 too few clouds, " ASKED },
    { "tenant enable",
      { "tenant enable ann" CONF, "tenant enable ann" STATE, "tenant enable lab" CONF },
      "3 no such tenant, 6 too few clouds, " ASKED },
    { "audit",
      { "audit" CONF, "audit --since 2026-01-31" CONF, "audit --since 2026-01-31T12:00:00Z --json" CONF },
      "3 the gateway keeps no audit log, 8 it is not what was written" },
    { "audit verify",
      { "audit verify" CONF, "audit verify --json" CONF, "audit verify copy-1.log copy-2.log" },
      "3 the gateway keeps no audit log, 8 it is not what was written" },
    { "selftest",
      { "selftest", "selftest --json", "selftest" CONF },
      "1 something is computed wrong, 13 the source of randomness failed its test; with a gateway, 10 not "
      "set up" },
    { "config check",
      { "config check" CONF, "config check --config new.conf",
        "config check --config new.conf && systemctl reload qcloud-gateway.service" },
      "2 it would be refused, and the line; 10 something that it names is not there" },
    { "config show",
      { "config show" CONF, "config show --config new.conf", "config show" CONF " | grep rate" },
      "2 it would be refused, and the line; 10 it names no state directory" },
    { "completion",
      { "completion bash >/etc/bash_completion.d/qcloud-gateway",
        "completion zsh >~/.zsh/functions/_qcloud-gateway",
        "completion fish >~/.config/fish/completions/qcloud-gateway.fish" },
      "2 another shell" },
    { "completion words",
      { "completion words -- cloud ''", "completion words -- serve --", "completion words -- job show c" },
      "nothing is printed for a line that makes no sense" },
    { "version",
      { "version", "version | cut -d' ' -f2", "version && qcloud version" },
      "1 standard output takes nothing" },
};

static const char program_footer[] =
    "\nExamples:\n"
    "  qcloud-gateway init --state DIR --cloud a=file:///mnt/a --cloud b=file:///mnt/b --cloud "
    "c=file:///mnt/c\n"
    "  qcloud-gateway serve --state DIR --idle 30\n"
    "  qcloud-gateway serve --config /etc/qcloud/gateway.conf\n"
    "  qcloud-gateway tenant add ann --quota 200G --token-file ann.token --state DIR\n"
    "  qcloud-gateway rebuild --state NEWDIR --cloud a=file:///mnt/a --cloud b=file:///mnt/b\n"
    "  qcloud-gateway repair --state DIR --deep --max-rate 20M\n"
    "Exit: 0 ok, 1 other, 2 usage, 4 something is left, 5 try again, 6 too few clouds, 8 damaged, "
    "10 not set up, 11 "
    "locked or\n"
    "another gateway took over, 12 permission, 13 randomness, 14 full.\n";

static qc_rc add_row(const struct qc_app *app, const struct help *h, qc_buf *ret, struct qc_err *err)
{
    QC_TRY(qc_buf_add_str(ret, "\nExamples:\n", err));
    for (size_t i = 0; i < EXAMPLES && h->examples[i] != NULL; i++)
        QC_TRY(qc_buf_addf(ret, err, "  %s %s\n", app->name, h->examples[i]));
    return qc_buf_addf(ret, err, "\nExit codes: 0 ok, %s.\n", h->codes);
}

qc_rc help_text(const struct qc_app *app, const struct qc_cmd *cmd, qc_buf *ret, struct qc_err *err)
{
    QC_TRY(qc_opt_help(app, cmd, ret, err));
    if (cmd == NULL)
        return qc_buf_add_str(ret, program_footer, err);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i].command, cmd->name) == 0)
            return add_row(app, &rows[i], ret, err);
    return QC_OK;
}
