"""The report of run.py: Markdown of the CSV's rows, and what is wrong with them."""
import statistics

# What the papers say. Figure 4 at 100 MB, "about"; one sample of 80 GB of the genome storage of 2021; section IV; Table 3, averages.
PAPER = {
    "fig4": {"fragment_s": 3.0, "rebuild_s": 2.0},
    "sample": {"store_s": 356, "restore_s": 502, "gb": 80, "samples": 100, "hours": 50},    # Mb/s
    "keys": {"80000.0": 37.5},                                                               # Gb/s
    "table3": {("TCP", "OTP", "clear"): 2.89, ("TCP", "OTP", "hidden"): 1.61, ("TCP", "plain", "clear"): 2.71, ("TCP", "plain", "hidden"): 2.83,
               ("UDP", "OTP", "clear"): 3.35, ("UDP", "OTP", "hidden"): 3.26, ("UDP", "plain", "clear"): 3.46, ("UDP", "plain", "hidden"): 3.39},
}
FASTER = 50
LINEAR = 0.9     # r^2 below this: what was measured lies on no line, and nothing is projected from it


def line_through(points):
    """Least squares: intercept, slope, r^2."""
    n = len(points)
    mx, my = (sum(p[i] for p in points) / n for i in (0, 1))
    xx, yy = (sum((p[i] - m) ** 2 for p in points) for i, m in ((0, mx), (1, my)))
    xy = sum((p[0] - mx) * (p[1] - my) for p in points)
    slope = xy / xx
    return my - slope * mx, slope, 1.0 if yy == 0 else xy * xy / (xx * yy)


def table(names, rows):
    yield "| " + " | ".join(names) + " |"
    yield "|" + "---|" * len(names)
    for row in rows:
        yield "| " + " | ".join(str(x) for x in row) + " |"
    yield ""


def ratio(r):
    return int(r["stored"]) / int(r["mb"]) / 1e6


def table1(rows):
    yield ("SM: copies that bear as many losses. Leak: all of the data, each node leaking with p; a part: something of it. Loss: each node damaged with q. "
           "Measured: drawn nodes over real encodings; the interval is of 99.99 %.")
    yield ""
    yield from table(["scheme", "k, n", "p", "q", "leak, formula", "measured", "a part", "loss, formula", "measured", "stored / data", "inside"],
                     [[r["scheme"], f"{r['k']}, {r['n']}", r["p"], r["q"], f"{float(r['leak_formula']):.6f}",
                       f"{float(r['leak_measured']):.6f} ± {float(r['leak_width']):.6f}", f"{float(r['part_formula']):.6f}", f"{float(r['loss_formula']):.6f}",
                       f"{float(r['loss_measured']):.6f} ± {float(r['loss_width']):.6f}", f"{float(r['storage']):.2f}", "yes" if r["inside"] == "1" else "NO"]
                      for r in rows])


def schemes(rows):
    mb = rows[0]["mb"]
    yield (f"{mb} MB in memory, one core, by processor time; restoring after as many losses as the scheme bears. The randomness that SS and XOR take is made in that "
           "time (AES-256 in counter mode). The paper's table has stars for confidentiality, availability and storage, and no times.")
    yield ""
    yield from table(["scheme", "k, n", "protect, ms", "MB/s", "restore, ms", "MB/s", "stored / data"],
                     [[r["scheme"], f"{r['k']}, {r['n']}", *(f(r) for x in ("protect_s", "restore_s")
                                                             for f in (lambda r, x=x: f"{float(r[x]) * 1000:.2f}", lambda r, x=x: f"{int(mb) / float(r[x]):.0f}")),
                       f"{float(r['storage']):.2f}"] for r in rows])


def fig4(rows):
    paper, largest = PAPER["fig4"], max(int(r["mb"]) for r in rows)
    yield "One core, by processor time; the least of the runs."
    yield ""
    yield from table(["panel", "code", "MB", "fragment, ms", "rebuild, ms", "stored / data"],
                     [[r["panel"], f"EC({r['k']},{r['n']})", r["mb"], *(f"{float(r[x]) * 1000:.2f}" for x in paper), f"{ratio(r):.4f}"]
                      for r in rows if r["panel"] in "ab"])
    for k, n in dict.fromkeys((r["k"], r["n"]) for r in rows if r["panel"] == "c"):
        ratios = [ratio(r) for r in rows if r["panel"] == "c" and (r["k"], r["n"]) == (k, n)]
        yield f"- panel c: EC({k},{n}) stores {min(ratios):.4f} to {max(ratios):.4f} times the file, 4 to {largest} MB"
    for x, name in (("fragment_s", "fragmenting"), ("rebuild_s", "rebuilding")):
        yield f"- {name} is linear in size, r^2 = {line_through([(int(r['mb']), float(r[x])) for r in rows if r['panel'] == 'a'])[2]:.4f}"
    if largest == 100:
        yield from ["", "At 100 MB the paper has about 3 s to fragment and about 2 s to rebuild:", ""]
        yield from table(["code", "fragment, times as fast", "rebuild"],
                         [[f"EC({r['k']},{r['n']})", *(f"{paper[x] / float(r[x]):.0f}" for x in paper)] for r in rows if r["panel"] == "b"])
    else:
        yield ""


def keys(rows):
    yield ("AES-256 with a new key 100 times a second, by encryptors of 12 Gb/s: 256 bits of key carry 120 Mb. The paper: 80 kb/s of an intercity network carry 37.5 Gb/s; "
           "for the 49.5 kb/s of a metropolitan network, 45 km across, it names no figure.")
    yield ""
    yield from table(["key, kb/s", "carries, Gb/s", "the paper", "by one-time pad, kb/s"],
                     [[f"{float(r['rate_bps']) / 1000:g}", f"{float(r['carries_bps']) / 1e9:g}", PAPER["keys"].get(r["rate_bps"], "-"),
                       f"{float(r['otp_carries_bps']) / 1000:.1f}"] for r in rows])


def projection(points):
    """Of 80 GB from a line through what was measured: seconds, r^2, and whether they were measured themselves. No seconds where there is no line."""
    most = PAPER["sample"]["gb"] * 1000
    a, b, r2 = line_through(points)
    return max(a, 0) + b * most if b > 0 and r2 >= LINEAR else None, r2, max(p[0] for p in points) >= most


def projected(title, series):
    """series: name, points, the paper's Mb/s or None"""
    paper = PAPER["sample"]
    yield title
    yield ""
    out = []
    for name, points, rate in series:
        seconds, r2, measured = projection(points)
        if seconds is None:
            out.append([name, "-", rate or "-", "-", "-", f"{r2:.4f}", "not projected: on no line"])
            continue
        out.append([name, f"{paper['gb'] * 8000 / seconds:.0f}", rate or "-", f"{seconds / 60:.1f} min", f"{seconds * paper['samples'] / 3600:.1f} h", f"{r2:.4f}",
                    "measured" if measured else f"projected from {max(p[0] for p in points)} MB"])
    yield from table([f"{paper['gb']} GB", "Mb/s", "the paper", "one sample", f"{paper['samples']} samples", "r^2 over size", ""], out)


def sample(rows):
    paper = PAPER["sample"]
    yield (f"Toshiba, ToMMo and partners, 2021: one sample of about {paper['gb']} GB stored in about 30 minutes ({paper['store_s']} Mb/s) and restored in about 21 "
           f"({paper['restore_s']} Mb/s), {paper['samples']} samples in about {paper['hours']} hours. Here in memory: data is shared by XOR into three files whose bytes each go through a "
           "frame under one-time pad, and comes back from two, every chunk and frame with its tag; one core shares and seals, another opens and restores, each by its processor time.")
    yield ""
    yield from table(["MB", "one-time pad", "share, s", "restore, s", "share, Mb/s", "restore, Mb/s"],
                     [[r["mb"], "yes" if r["otp"] == "1" else "no", *(f"{float(r[x]):.3f}" for x in ("store_s", "restore_s")),
                       *(f"{int(r['mb']) * 8 / float(r[x]):.0f}" for x in ("store_s", "restore_s"))] for r in rows])
    def points(otp, x):
        return [(int(r["mb"]), float(r[x])) for r in rows if r["otp"] == otp]
    yield from projected("From a line through these:", [
        ("share and seal", points("1", "store_s"), paper["store_s"]), ("open and restore", points("1", "restore_s"), paper["restore_s"]),
        ("share alone", points("0", "store_s"), None), ("restore alone", points("0", "restore_s"), None)])


def programs(rows):
    paper = PAPER["sample"]
    yield ("The real programs on this machine, by the clock; in brackets the processor time of the command and of all gateways. The place of all clouds is one disk, or its cache; "
           "the load above is the machine's other work. Each put is durable when it returns.")
    yield ""
    yield from table(["profile", "MB", "put, s", "get, s", "put, MB/s", "get, MB/s", "stored / data"],
                     [[r["profile"], r["mb"], *(f"{float(r[x + '_s']):.2f} ({float(r[x + '_cpu_s']):.2f})" for x in ("put", "get")),
                       *(f"{int(r['mb']) / float(r[x + '_s']):.0f}" for x in ("put", "get")), f"{ratio(r):.2f}"] for r in rows])
    series = []
    for profile in dict.fromkeys(r["profile"] for r in rows):
        for x, at in (("put", "store_s"), ("get", "restore_s")):
            series.append((f"{profile}, {x}", [(int(r["mb"]), float(r[f"{x}_s"])) for r in rows if r["profile"] == profile], paper[at] if profile == "xor23" else None))
    yield from projected("From a line through these:", series)


def table3_medians(rows):
    """By kind of way and of frame: medians over the runs of Gb/s by the clock and by processor time."""
    kinds = dict.fromkeys((r["protocol"], r["cipher"], r["headers"], int(r["frame"])) for r in rows)
    for kind in kinds:
        mine = [r for r in rows if (r["protocol"], r["cipher"], r["headers"], int(r["frame"])) == kind]
        yield kind, *(statistics.median(float(r[x]) for r in mine) for x in ("gbit_per_s", "gbit_per_cpu_s"))


def table3(rows):
    yield ("Frames of FORMAT 14.1 over loopback, a thread and a core for each end, pads in memory; medians of the runs. By the clock, in which the machine's other work is, and by the "
           "processor time of the end that used more: what the clock says where nobody else is. The paper measured between machines, with packets of 1,470 and 1,454 bytes; "
           "the larger frames are what qcloud-link sends over TCP, and the largest that UDP takes. Over UDP no program of ours sends.")
    yield ""
    small = {1470, 1454}
    yield from table(["protocol", "", "headers", "frame, bytes", "Gb/s by the clock", "by processor time", "the paper"],
                     [[p, c, h, f"{frame:,}", f"{clock:.2f}", f"{cpu:.2f}", PAPER["table3"].get((p, c, h), "-") if frame in small else "-"]
                      for (p, c, h, frame), clock, cpu in table3_medians(rows)])


TITLES = {
    "table1": ("Table I: leak and loss", table1), "schemes": ("Table I: time and storage", schemes), "fig4": ("Figure 4: erasure coding in memory", fig4),
    "keys": ("Section IV: what key from QKD carries", keys), "sample": ("One sample: sharing by XOR under one-time pad", sample),
    "table3": ("Table 3: one-time pad over TCP and UDP", table3), "programs": ("The profiles, by the real programs", programs),
}


def shown(names):
    """A line for each plot that is an SVG."""
    for name in names:
        if name.endswith(".svg"):
            yield from [f"![{name[:-4]}]({name})", ""]


def page(data, plots):
    yield from ["# The papers' experiments, run again", "", "Made by `bench/papers/run.py` (`bench/run.sh --papers` builds what it wants), never by hand. Each part names the machine, the load when it "
                "began, the command and the date.", ""]
    for name, (title, tell) in TITLES.items():
        top, rows = data[name]
        yield from [f"## {title}", *(f"- {line}" for line in top), "", *tell(rows), *shown(plots.get(name, []))]


def wrong(rows, quick):
    """What must hold and does not; seconds of a quick run say nothing."""
    out = [f"{r['scheme']}({r['k']},{r['n']}) p={r['p']} q={r['q']} lies outside of its interval" for r in rows["table1"] if r["inside"] != "1"]
    out += [f"EC({r['k']},{r['n']}), {r['mb']} MB: more than twice the file is stored" for r in rows["fig4"] if ratio(r) > 2]
    out += [f"{r['rate_bps']} bit/s of key: {r['carries_bps']} is not the paper's" for r in rows["keys"]
            if float(r["carries_bps"]) != 1e9 * PAPER["keys"].get(r["rate_bps"], float(r["carries_bps"]) / 1e9)]
    if not quick:
        out += [f"EC({r['k']},{r['n']}): {x} is not {FASTER} times as fast" for r in rows["fig4"] if r["panel"] == "b" and r["mb"] == "100" for x in PAPER["fig4"]
                if float(r[x]) * FASTER > PAPER["fig4"][x]]
    return out
