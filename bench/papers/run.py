#!/usr/bin/python3
"""The papers' experiments again, as far as kernels alone make them: Table I and figure 4 of the core paper (PAPERS A12, A14).

bench/papers/run.py [--out DIR] [--quick]: writes table1.csv, fig4.csv and report.md, each with machine, command and date, and plots
as SVG and PNG. --again makes report and plots anew from the CSV that is there: what was measured is not measured again.
QC_BENCH_BUILT names the build directory (a release build). Exit 1: something is not as the report says that it must be."""
import argparse
import csv
import os
import platform
import subprocess
import sys
import time

import plot

HERE = os.path.dirname(os.path.abspath(__file__))
BUILT = os.environ.get("QC_BENCH_BUILT", os.path.join(HERE, "..", "..", "build", "release"))
PAPER = {"fragment_s": 3.0, "rebuild_s": 2.0}   # at 100 MB, "about"
FASTER = 50
SEED = "1"


def cpu():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        for line in f:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def head(command):
    return [f"machine: {cpu()}, {len(os.sched_getaffinity(0))} cores, Linux {platform.release().split('-')[0]}, load {os.getloadavg()[0]:.1f}",
            f"command: {' '.join(command)}", f"date: {time.strftime('%Y-%m-%d', time.gmtime())}"]


def run(out, name, *args):
    """The program's rows; its CSV beside what ran it. QC_SEED is the run's, or 1."""
    seed = os.environ.get("QC_SEED", SEED)
    done = subprocess.run([os.path.join(BUILT, "bench", f"bench_{name}"), *args], stdout=subprocess.PIPE, text=True, timeout=600,
                          env={**os.environ, "QC_SEED": seed}, check=False)
    if done.returncode not in (0, 1) or not done.stdout:
        sys.exit(f"bench_{name} failed: {done.returncode}")
    top = head([f"QC_SEED={seed}", f"bench_{name}", *args])
    with open(os.path.join(out, f"{name}.csv"), "w", encoding="utf-8") as f:
        f.write("".join(f"# {line}\n" for line in top) + done.stdout)
    return top, list(csv.DictReader(done.stdout.splitlines()))


def again(out, name):
    """What run wrote before."""
    with open(os.path.join(out, f"{name}.csv"), encoding="utf-8") as f:
        lines = f.read().splitlines()
    return [line[2:] for line in lines if line.startswith("# ")], list(csv.DictReader(line for line in lines if not line.startswith("# ")))


def r_squared(points):
    n = len(points)
    mx, my = (sum(p[i] for p in points) / n for i in (0, 1))
    xx, yy = (sum((p[i] - m) ** 2 for p in points) for i, m in ((0, mx), (1, my)))
    xy = sum((p[0] - mx) * (p[1] - my) for p in points)
    return xy * xy / (xx * yy)


def table(names, rows):
    yield "| " + " | ".join(names) + " |"
    yield "|" + "---|" * len(names)
    for row in rows:
        yield "| " + " | ".join(str(x) for x in row) + " |"
    yield ""


def table1(top, rows):
    yield from ["## Table I: leak and loss", *(f"- {line}" for line in top), ""]
    yield ("SM: copies that bear as many losses. Leak: all of the data, each node leaking with p; a part: something of it. Loss: each node damaged with q. "
           "Measured: drawn nodes over real encodings; the interval is of 99.99 %.")
    yield ""
    yield from table(["scheme", "k, n", "p", "q", "leak, formula", "measured", "a part", "loss, formula", "measured", "stored / data", "inside"],
                     [[r["scheme"], f"{r['k']}, {r['n']}", r["p"], r["q"], f"{float(r['leak_formula']):.6f}",
                       f"{float(r['leak_measured']):.6f} ± {float(r['leak_width']):.6f}", f"{float(r['part_formula']):.6f}", f"{float(r['loss_formula']):.6f}",
                       f"{float(r['loss_measured']):.6f} ± {float(r['loss_width']):.6f}", f"{float(r['storage']):.2f}", "yes" if r["inside"] == "1" else "NO"]
                      for r in rows])


def ratio(r):
    return int(r["stored"]) / int(r["mb"]) / 1e6


def fig4(top, rows, largest):
    yield from ["## Figure 4: erasure coding in memory", *(f"- {line}" for line in top), ""]
    yield from table(["panel", "code", "MB", "fragment, ms", "rebuild, ms", "stored / data"],
                     [[r["panel"], f"EC({r['k']},{r['n']})", r["mb"], *(f"{float(r[x]) * 1000:.2f}" for x in PAPER), f"{ratio(r):.4f}"]
                      for r in rows if r["panel"] != "c"])
    for code in dict.fromkeys((r["k"], r["n"]) for r in rows):
        stored = [(ratio(r), r["mb"]) for r in rows if r["panel"] == "c" and (r["k"], r["n"]) == code]
        yield f"- panel c: EC({code[0]},{code[1]}) stores {min(stored)[0]:.4f} to {max(stored)[0]:.4f} times the file, 4 to {largest} MB"
    for x in PAPER:
        points = [(float(r["mb"]), float(r[x])) for r in rows if r["panel"] == "a"]
        yield f"- {'fragmenting' if x == 'fragment_s' else 'rebuilding'} is linear in size, r^2 = {r_squared(points):.4f}"
    if largest == 100 and any(r["panel"] == "b" for r in rows):
        yield from ["", "At 100 MB the paper has about 3 s to fragment and about 2 s to rebuild:", ""]
        yield from table(["code", "fragment, times as fast", "rebuild"],
                         [[f"EC({r['k']},{r['n']})", *(f"{PAPER[x] / float(r[x]):.0f}" for x in PAPER)] for r in rows if r["panel"] == "b"])


def shown(names):
    """A line of the report for each plot that is an SVG."""
    for name in names:
        if name.endswith(".svg"):
            yield from ["", f"![{name[:-4]}]({name})"]
    if names:
        yield ""


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--out", default="papers")
    p.add_argument("--quick", action="store_true", help="that all of it runs: few draws, small files")
    p.add_argument("--again", action="store_true", help="report and plots from the CSV in DIR")
    p.add_argument("--no-plots", action="store_true", help="without gnuplot")
    o = p.parse_args()
    os.makedirs(o.out, exist_ok=True)
    largest = 16 if o.quick else 100
    if o.again:
        (top1, rows1), (top4, rows4) = again(o.out, "table1"), again(o.out, "fig4")
        largest = max(int(r["mb"]) for r in rows4)
    else:
        top1, rows1 = run(o.out, "table1", "--trials", "100000" if o.quick else "1000000")
        top4, rows4 = run(o.out, "fig4", "--largest", str(largest), "--runs", "1" if o.quick else "15")
    plots1, plots4 = [], []
    if not o.no_plots:
        if not plot.have_gnuplot():
            sys.exit("gnuplot is not there: tools/setup --dev, or --no-plots")
        plots1 = plot.table1(o.out, rows1)
        plots4 = plot.fig4a(o.out, rows4, PAPER) + plot.fig4b(o.out, rows4, PAPER) + plot.fig4c(o.out, rows4)
    with open(os.path.join(o.out, "report.md"), "w", encoding="utf-8") as f:
        print("# The papers' experiments, run again", "", "Made by `bench/papers/run.py`, never by hand.", "", *table1(top1, rows1), *shown(plots1), *fig4(top4, rows4, largest), *shown(plots4), sep="\n", file=f)
    wrong = [f"{r['scheme']}({r['k']},{r['n']}) p={r['p']} q={r['q']} lies outside of its interval" for r in rows1 if r["inside"] != "1"]
    wrong += [f"EC({r['k']},{r['n']}), {r['mb']} MB: more than twice the file is stored" for r in rows4 if ratio(r) > 2]
    if not o.quick and largest == 100:
        wrong += [f"EC({r['k']},{r['n']}): {x} is not {FASTER} times as fast" for r in rows4 if r["panel"] == "b" for x in PAPER
                  if float(r[x]) * FASTER > PAPER[x]]
    for line in wrong:
        print(line, file=sys.stderr)
    print(os.path.join(o.out, "report.md"))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
