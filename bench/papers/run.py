#!/usr/bin/python3
"""The papers' experiments again: CSV, plots and a report, the papers' figures beside ours.

bench/papers/run.py [--out DIR] [--quick] [--only NAME,..] [--size MB]: measures, and writes for each experiment NAME.csv with machine,
command and date, plots as SVG and PNG by gnuplot, and report.md over all of them. --only measures these, and takes the CSV that is there
for the others; --again measures nothing. --size is that of the largest sample that is really shared and restored (default 512).
QC_BENCH_BUILT names the build directory (a release build); bench/run.sh --papers makes one. Exit 1: something is not as the report says
that it must be. Seconds of --quick say nothing."""
import argparse
import csv
import io
import json
import os
import platform
import subprocess
import sys
import time

import plot
import report

HERE = os.path.dirname(os.path.abspath(__file__))
BUILT = os.path.abspath(os.environ.get("QC_BENCH_BUILT", os.path.join(HERE, "..", "..", "build", "release")))
SEED = os.environ.get("QC_SEED", "1")


def first(path, key):
    with open(path, encoding="utf-8") as f:
        return next((line.split(":", 1)[1].strip() for line in f if line.startswith(key)), "")


def head(command):
    gib = round(int(first("/proc/meminfo", "MemTotal").split()[0]) / (1 << 20))
    return [f"machine: {first('/proc/cpuinfo', 'model name') or platform.machine()}, {len(os.sched_getaffinity(0))} cores, {gib} GiB, "
            f"Linux {platform.release().split('-')[0]}, load {os.getloadavg()[0]:.1f}",
            f"command: {command}", f"date: {time.strftime('%Y-%m-%d', time.gmtime())}"]


def program(name, *args):
    """The CSV of one of our programs."""
    done = subprocess.run([os.path.join(BUILT, "bench", f"bench_{name}"), *args], stdout=subprocess.PIPE, text=True, timeout=36000,
                          env={**os.environ, "QC_SEED": SEED}, check=False)
    if done.returncode not in (0, 1) or not done.stdout:
        sys.exit(f"bench_{name} failed: {done.returncode}")
    return f"QC_SEED={SEED} bench_{name} {' '.join(args)}", done.stdout


def as_csv(names, rows):
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(names)
    out.writerows(rows)
    return text.getvalue()


# What is measured: each gives the command, as it is told, and CSV.
def table1(o):
    return program("table1", "--trials", "100000" if o.quick else "1000000")


def schemes(o):
    return program("schemes", "--mb", *(("1", "--runs", "1") if o.quick else ("32", "--runs", "7")))


def fig4(o):
    return program("fig4", "--largest", *(("16", "--runs", "1") if o.quick else ("100", "--runs", "15")))


def keys(_):
    """The planner's answers to the rates of section IV."""
    rule = ["--rekey-seconds", "0.01", "--encryptor", "12G"]
    rows = []
    for rate in ("80k", "49.5k"):
        done = subprocess.run([os.path.join(BUILT, "bin", "qcloud"), "plan", "keys", "--rate", rate, *rule, "--json"], stdout=subprocess.PIPE,
                              text=True, timeout=60, check=True)
        item = next(j for j in map(json.loads, done.stdout.splitlines()) if j["type"] == "item")
        rows.append([item["rate_bps"], item["rekey_s"], item["encryptor_bps"], item["carries_bps"], item["otp_carries_bps"]])
    return f"qcloud plan keys --rate 80k (49.5k) {' '.join(rule)} --json", as_csv(("rate_bps", "rekey_s", "encryptor_bps", "carries_bps", "otp_carries_bps"), rows)


def sample(o):
    largest = 8 if o.quick else o.size
    return program("sample", *(str(mb) for mb in sorted({max(1, largest * part // 8) for part in (1, 2, 4, 6, 8)})))


def table3(o):
    return program("table3", "--mb", *(("4", "--runs", "1") if o.quick else ("256", "--runs", "5")))


def programs(o):
    os.environ["QC_BIN"] = os.path.join(BUILT, "bin")
    import programs as real     # after QC_BIN
    sizes, rounds = ((2, 4), 1) if o.quick else ((32, 64, 128, 256), 3)
    return (f"qcloud put and get --profile {', '.join(real.PROFILES)}, {', '.join(map(str, sizes))} MB, the least of {rounds}",
            as_csv(real.NAMES, real.rows(sizes, rounds)))


EXPERIMENTS = {f.__name__: f for f in (table1, schemes, fig4, keys, sample, table3, programs)}


def read(out, name):
    """Head and rows of a CSV of ours."""
    with open(os.path.join(out, f"{name}.csv"), encoding="utf-8") as f:
        lines = f.read().splitlines()
    return [line[2:] for line in lines if line.startswith("# ")], list(csv.DictReader(line for line in lines if not line.startswith("# ")))


def measure(o, name):
    print(f"{name} ..", file=sys.stderr)
    began = head("")
    command, text = EXPERIMENTS[name](o)
    began[1] += command
    with open(os.path.join(o.out, f"{name}.csv"), "w", encoding="utf-8") as f:
        f.write("".join(f"# {line.rstrip()}\n" for line in began) + text)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--out", default="papers")
    p.add_argument("--quick", action="store_true", help="that all of it runs: few draws, small files")
    p.add_argument("--only", default=",".join(EXPERIMENTS), help="measure these; the others' CSV is in DIR")
    p.add_argument("--again", action="store_true", help="report and plots from the CSV in DIR")
    p.add_argument("--size", type=int, default=512, help="MB of the largest sample that is shared and restored, up to 80000")
    p.add_argument("--no-plots", action="store_true", help="without gnuplot")
    o = p.parse_args()
    unknown = set(o.only.split(",")) - set(EXPERIMENTS)
    if unknown or not 8 <= o.size <= 80000:
        p.error(f"--only is of {', '.join(EXPERIMENTS)}; --size is 8 to 80000")
    if not o.no_plots and not plot.have_gnuplot():
        sys.exit("gnuplot is not there: tools/setup --dev, or --no-plots")
    os.makedirs(o.out, exist_ok=True)
    for name in () if o.again else o.only.split(","):
        measure(o, name)
    data = {name: read(o.out, name) for name in EXPERIMENTS}
    plots = {} if o.no_plots else plot.all_of(o.out, {name: rows for name, (_, rows) in data.items()}, report.PAPER)
    with open(os.path.join(o.out, "report.md"), "w", encoding="utf-8") as f:
        f.write("\n".join(report.page(data, plots)) + "\n")
    wrong = report.wrong({name: rows for name, (_, rows) in data.items()}, o.quick)
    for line in wrong:
        print(line, file=sys.stderr)
    print(os.path.join(o.out, "report.md"))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
