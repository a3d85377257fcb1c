"""What the measurements are held against: ceilings, ratios, floors. Shared by run.py (exit status) and page.py (the page).

A line of results is a dict with "kind": machine, kernel, path, peak, small, other, and those of s3.py and slow.py. Lines of kind path have one of
NAMES below and "run"; kernels measured for a run have its number as well, so that both sides of a ratio come from one minute.
"""
import statistics

# Of every GB of data an EC(3,5) put writes 5/3 GB.
SPREAD = 5 / 3

# name, floor, what it is held against
RATIOS = [
    ("put", 0.35, "fsynced sequential writes of the same disk, divided by 5/3"),
    ("get", 0.45, "1 / (1/GCM + 1/loopback TCP + 1/page-cache read)"),
    ("get_share_lost", 0.9, "get with both shares"),
    ("get_file", None, "as get, and 1/fsynced write: the file is durable when the command ends"),
]
PEAKS = [("client", 64), ("gateway", 256)]    # MiB
SLOW = 2.0      # gets beside a slow cloud: their 99th percentile beside that while all are well
UNCHANGED = 1.0                                 # seconds, on a machine where nothing else is at work
# level, figure, floor or limit, what it is held against
LINKS = [
    ("otp", "ratio", 0.8, "frames under one-time pad, beside 1 / (1/kernel + 1/TCP)"),
    ("qkd-tls", "ratio", 0.85, "TLS keyed by QKD, beside TLS by certificates"),
    ("qkd-tls", "rekey", 0.03, "what 100 new keys a second cost, as a part of 1"),
]
# figure, which member, floor, what it is held against
SITES = [
    ("store", "gbit_per_s", 4.0, "store among three sites behind links at otp, Gb/s of data"),
    ("restore", "gbit_per_s", 4.0, "restore from two of them, Gb/s of data"),
    ("disk", "ratio", 0.7, "store with shares and pads on one disk, beside what the disk can do of the same"),
]
REPAIR = 2.0    # times as long to fill an empty cloud again as to read k others


def serial(*rates):
    return 1 / sum(1 / r for r in rates)


def of_run(lines, run):
    """name -> median rate (GB/s) of one run: kernels and paths."""
    rates = {}
    for x in lines:
        if x.get("run") == run and x["kind"] in ("kernel", "path") and "gb_per_s" in x:
            rates.setdefault(x["name"], []).append(x["gb_per_s"])
    # Halves of one measurement (the disk before and after) took their time one after the other: the harmonic mean.
    return {name: statistics.harmonic_mean(v) for name, v in rates.items()}


def ceilings(r):
    get = serial(r["gcm_open"], r["tcp"], r["cache"])
    return {"put": r["disk"] / SPREAD, "get": get, "get_share_lost": r["get"], "get_file": serial(get, r["disk"])}


def ratios(lines):
    """name -> (median ratio, median rate, median ceiling, [ratio of each run])"""
    out = {}
    runs = sorted({x["run"] for x in lines if x["kind"] == "path"})
    table = [of_run(lines, run) for run in runs]
    for name, _, _ in RATIOS:
        rows = [(r[name], ceilings(r)[name]) for r in table if name in r]
        if rows:
            each = [rate / top for rate, top in rows]
            out[name] = (statistics.median(each), statistics.median(x for x, _ in rows), statistics.median(x for _, x in rows), each)
    return out


def peaks(lines):
    """program -> greatest MiB of all measurements"""
    out = {}
    for x in lines:
        if x["kind"] == "peak":
            for program, _ in PEAKS:
                out[program] = max(out.get(program, 0), x[program])
    return out


def link_verdict(x, prefix=""):
    """Of a median and the interval it lies in with 95 %: holds, missed, or open: the bound lies in it. prefix "clock_": by the clock."""
    bound = next(b for level, name, b, _ in LINKS if (level, name) == (x["level"], x["name"]))
    low, high = x[prefix + "low"], x[prefix + "high"]
    low, high = (-high, -low) if x["name"] == "rekey" else (low, high)
    bound = -bound if x["name"] == "rekey" else bound
    return "holds" if low >= bound else "missed" if high < bound else "open"


def verdicts(lines):
    """[(what, value, floor or limit, met)]"""
    rows = []
    got = ratios(lines)
    for name, floor, _ in RATIOS:
        if floor is not None and name in got:
            rows.append((name, got[name][0], floor, got[name][0] >= floor))
    for program, limit in PEAKS:
        if program in peaks(lines):
            rows.append((f"{program} MiB", peaks(lines)[program], limit, peaks(lines)[program] <= limit))
    for level, name, bound, what in LINKS:
        for x in lines:
            if x["kind"] == "link" and (x["level"], x["name"]) == (level, name):
                rows.append((what, x["of"], bound, link_verdict(x) == "holds"))
                rows.append((what + ", by the clock", x["by_clock"], bound, link_verdict(x, "clock_") == "holds"))
    for name, member, floor, what in SITES:
        rows += [(what, x[member], floor, x[member] >= floor) for x in lines if x["kind"] == "site" and x["name"] == name]
    for x in lines:
        if x["kind"] == "unchanged" and "cpu_s" in x:
            rows.append(("seconds of a sync of 10,000 files of which none has changed", x["seconds"], UNCHANGED, x["seconds"] <= UNCHANGED))
        elif x["kind"] == "slow_ratio":
            rows.append(("99 of 100 gets with a slow cloud, beside all well", x["p99"], SLOW, x["p99"] <= SLOW))
        elif x["kind"] == "repair_ratio":
            rows.append((f"repair ({x['name']}, {x['clouds']}, {x['segments']} segments), beside reading k clouds", x["to_read"], REPAIR, x["to_read"] <= REPAIR))
    return rows
