#!/bin/bash
# How fast is it, and against what? Builds the release programs and measures them beside what this machine can do at all;
# JSON lines to --out (default build/bench/results.jsonl), a summary to the terminal. Exit 0: every floor is met; 1: one is
# missed; 2: it could not be measured.
#
# Usage: bench/run.sh --papers [WORDS] | [--quick] [--memory] [--small COUNT] [--trees COUNT] [--compare] [--clouds] [--slow] [--repair] [--links] [--xor23] [--unchanged] [--runs N] [--place DIR] [--out FILE]
#   (nothing)   kernels, the whole path five times, eight transfers at once: about 5 minutes, 25 GB of disk
#   --quick     a few seconds, to see that it runs: its figures say nothing and no floor is looked at
#   --memory    also an object of 10 GiB
#   --small     so many files of 4 KiB (default 500)
#   --trees     only this: so many files of 4 KiB put and fetched, three times, beside restic and rclone in turn
#   --compare   also rclone crypt, restic and cp with the same file (tools/setup --bench installs them)
#   --clouds    also five real S3 servers: the gateway's processor time beside theirs (tools/setup --clouds)
#   --slow      only this, of --clouds: one of the five takes 3 s for each request; gets and puts beside it
#   --repair    only this: one of five clouds is emptied, and filled again; with --clouds also on real S3 servers
#   --links     only this: what links keyed by QKD cost, at both levels
#   --papers    first, and only this: the papers' experiments; the words after it are those of bench/papers/run.py
#   --xor23     only this: store and restore among three sites behind links at otp, and with shares and pads on one disk; 3 GB of room
#   --unchanged only this: a second sync of 10,000 files of which none has changed, beside restic and rclone
#   --place     where the clouds lie (default build/): the disk that is measured
# bench/page.py RESULTS >docs/PERFORMANCE.md makes the page from the lines.
set -eu
cd "$(dirname "$0")/.."
built=${QC_BENCH_BUILT-} # bench/smoke names a build that is there
if [ -z "$built" ]; then
    built=$PWD/build/release
    tools/setup >&2
    case " $* " in *' --compare '* | *' --unchanged '*) tools/setup --bench >&2 ;; esac
    case " $* " in *' --clouds '* | *' --slow '*) tools/setup --clouds >&2 ;; esac
    if [ "${1-}" = --papers ]; then tools/setup --dev >&2; fi
    cmake --preset release >/dev/null
    cmake --build --preset release -- qcloud qcloud-gateway qc_bench_kernels qc_bench_otp_link qc_bench_qkd_tls qc_bench_xor23 qc_bench_xor23_disk \
        qc_bench_table1 qc_bench_schemes qc_bench_fig4 qc_bench_sample qc_bench_table3 >/dev/null
fi
if [ "${1-}" = --papers ]; then
    shift
    QC_BENCH_BUILT=$built exec /usr/bin/python3 -B bench/papers/run.py "$@"
fi
QC_BIN=$built/bin exec /usr/bin/python3 -B bench/run.py "$@"
