"""Plots of the papers' experiments, by gnuplot: each as SVG for pages and PNG for the rest. The figures come from the CSV of run.py
as they are; what the papers say stands beside them where they say it."""
import os
import shutil
import subprocess

import report

# The files of a plot come out the same each time they are made of the same figures: no date, no name of a machine inside.
TERMINALS = {"svg": "svg size 820,520 dynamic background rgb 'white' font 'sans,13'", "png": "pngcairo size 1640,1040 font 'sans,22' background rgb 'white'"}
INK = {"ours": "#1b6ca8", "second": "#d1721b", "paper": "#888888", "third": "#3a8f4d"}
BARS = ["set style data histogram", "set style histogram cluster gap 1", "set style fill solid 0.85 border -1", "set boxwidth 0.9"]


def have_gnuplot():
    return shutil.which("gnuplot") is not None


def draw(out, name, title, commands):
    """The plot in both forms; their names."""
    made = []
    for kind, terminal in TERMINALS.items():
        path = os.path.join(out, f"{name}.{kind}")
        script = [f"set terminal {terminal}", f"set output '{path}'", f"set title '{title}'",
                  "set grid lt 1 lw 1 lc rgb '#dddddd'", "set key outside top center horizontal samplen 2",
                  "set border 3", "set tics nomirror", *commands, "set output"]
        done = subprocess.run(["gnuplot"], input="\n".join(script) + "\n", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
        if done.returncode != 0 or not os.path.exists(path) or os.path.getsize(path) == 0:
            raise RuntimeError(f"gnuplot, {name}: {done.stderr.strip()}")
        made.append(os.path.basename(path))
    return made


def block(name, rows):
    return [f"${name} << EOD", *(" ".join(str(x) for x in row) for row in rows), "EOD"]


def fig4a(out, rows, paper):
    """Times over size; the paper's two figures at 100 MB."""
    ours = [(r["mb"], r["fragment_s"], r["rebuild_s"]) for r in rows if r["panel"] == "a"]
    code = next(f"EC({r['k']},{r['n']})" for r in rows if r["panel"] == "a")
    return draw(out, "fig4a", f"Figure 4a: {code} in memory, over the size of the file", [
        *block("ours", ours), *block("paper", [(100, paper["fragment_s"], paper["rebuild_s"])]),
        "set logscale y", "set yrange [0.0001:10]", "set xlabel 'MB'", "set ylabel 'seconds'", "set format y '10^{%T}'", "set xrange [0:105]",
        f"plot $ours using 1:2 with linespoints pt 7 lw 2 lc rgb '{INK['ours']}' title 'fragment', "
        f"$ours using 1:3 with linespoints pt 5 lw 2 lc rgb '{INK['second']}' title 'rebuild', "
        f"$paper using 1:2 with points pt 6 ps 2 lw 2 lc rgb '{INK['ours']}' title 'fragment, the paper (about)', "
        f"$paper using 1:3 with points pt 4 ps 2 lw 2 lc rgb '{INK['second']}' title 'rebuild, the paper (about)'"])


def fig4b(out, rows, paper):
    """Times of the codes at the largest size, beside the paper's."""
    ours = [(f"\"EC({r['k']},{r['n']})\"", r["fragment_s"], r["rebuild_s"]) for r in rows if r["panel"] == "b"]
    mb = next(r["mb"] for r in rows if r["panel"] == "b")
    ours.append(('"the paper, about, 100 MB"', paper["fragment_s"], paper["rebuild_s"]))
    return draw(out, "fig4b", f"Figure 4b: codes in memory, {mb} MB", [
        *block("ours", ours), "set logscale y", "set yrange [0.001:10]", "set ylabel 'seconds'", "set format y '10^{%T}'", *BARS,
        f"plot $ours using 2:xtic(1) lc rgb '{INK['ours']}' title 'fragment', $ours using 3 lc rgb '{INK['second']}' title 'rebuild'"])


def fig4c(out, rows):
    """What is stored for each byte, over size; n/k as a line."""
    codes = list(dict.fromkeys((r["k"], r["n"]) for r in rows if r["panel"] == "c"))
    commands, plots = [], []
    for i, (k, n) in enumerate(codes):
        ink = list(INK.values())[[0, 1, 3][i % 3]]
        commands += block(f"code{i}", [(r["mb"], int(r["stored"]) / int(r["mb"]) / 1e6) for r in rows if r["panel"] == "c" and (r["k"], r["n"]) == (k, n)])
        point = ("pt 7 ps 1.6", "pt 6 ps 2.4 lw 2", "pt 2 ps 1.4 lw 2")[i % 3]  # two codes may lie on one line
        plots += [f"$code{i} using 1:2 with points {point} lc rgb '{ink}' title 'EC({k},{n})'",
                  f"{n}.0/{k} with lines dt 2 lc rgb '{ink}' title 'n/k = {int(n) / int(k):.2f}'"]
    return draw(out, "fig4c", "Figure 4c: bytes stored for each byte of the file",
                [*commands, "set xlabel 'MB'", "set ylabel 'stored / data'", "set xrange [0:*]", "set yrange [1:2]", "plot " + ", ".join(plots)])


def table1(out, rows):
    """Drawn against computed, both on logarithmic scales: on the diagonal they are the same. A rate of zero cannot be shown."""
    made = []
    for what in ("leak", "loss"):
        commands, plots = [], []
        for scheme, ink, point in (("SM", INK["paper"], 4), ("SS", INK["third"], 6), ("EC", INK["ours"], 7)):
            points = [(float(r[f"{what}_formula"]), float(r[f"{what}_measured"]), float(r[f"{what}_width"])) for r in rows if r["scheme"] == scheme]
            points = [(f, m, max(m - w, m / 10), m + w) for f, m, w in points if f > 0 and m > 0]
            if not points:
                continue
            commands += block(scheme, points)
            plots.append(f"${scheme} using 1:2:3:4 with yerrorbars pt {point} ps 1.3 lw 1.5 lc rgb '{ink}' title '{scheme}'")
        made += draw(out, f"table1_{what}", f"Table I, {what}: drawn over real encodings, against the formula",
                     [*commands, "set logscale xy", "set xlabel 'by formula'", "set ylabel 'drawn, interval of 99.99 %'", "set format xy '10^{%T}'",
                      "plot " + ", ".join([f"x with lines dt 2 lc rgb '{INK['paper']}' title 'the same'", *plots])])
    return made


def schemes(out, rows):
    """Rates of the three schemes, and of XOR where it is, over the codes."""
    inks = {"SM": INK["paper"], "SS": INK["third"], "EC": INK["ours"], "XOR": INK["second"]}
    codes = list(dict.fromkeys((r["k"], r["n"]) for r in rows))
    made = []
    for x, title in (("protect", "protecting"), ("restore", "restoring")):
        rate = {(r["scheme"], r["k"], r["n"]): int(r["mb"]) / float(r[f"{x}_s"]) for r in rows}
        data = [(f'"({k},{n})"', *(rate.get((s, k, n), "NaN") for s in inks)) for k, n in codes]
        made += draw(out, f"schemes_{x}", f"Table I, time: {title} {rows[0]['mb']} MB in memory, one core",
                     [*block("ours", data), "set logscale y", "set yrange [10:100000]", "set ylabel 'MB/s of data'", "set format y '10^{%T}'",
                      "set xlabel 'k, n'", *BARS,
                      "plot " + ", ".join(f"$ours using {i + 2}{':xtic(1)' if i == 0 else ''} lc rgb '{ink}' title '{s}'" for i, (s, ink) in enumerate(inks.items()))])
    return made


def keys(out, rows, paper):
    """The line that the planner draws, the two rates on it, and the paper's point."""
    points = [(float(r["rate_bps"]) / 1000, float(r["carries_bps"]) / 1e9) for r in rows]
    said = [(float(rate) / 1000, gbit) for rate, gbit in paper.items()]
    a, b, _ = report.line_through(points)
    return draw(out, "keys", "Section IV: what key from QKD carries by AES-256 with 100 keys a second, 12 Gb/s each", [
        *block("ours", points), *block("paper", said), "set xlabel 'key, kb/s'", "set ylabel 'Gb/s'", "set xrange [0:100]", "set yrange [0:50]",
        f"plot {a} + {b} * x with lines lw 2 lc rgb '{INK['ours']}' title 'the planner', $ours using 1:2 with points pt 7 ps 1.6 lc rgb '{INK['ours']}' title 'qcloud plan keys', "
        f"$paper using 1:2 with points pt 6 ps 3 lw 2 lc rgb '{INK['second']}' title 'the paper'"])


def sample(out, rows, paper):
    """Seconds over size, measured, up to the 80 GB that they are projected to; the paper's two."""
    commands, plots = [], []
    for x, name, ink, point in (("store_s", "share and seal", INK["ours"], 7), ("restore_s", "open and restore", INK["second"], 5)):
        points = [(int(r["mb"]) / 1000, float(r[x])) for r in rows if r["otp"] == "1"]
        a, b, _ = report.line_through(points)
        commands += [*block(x, points), *block(f"p{x}", [(paper["gb"], paper["gb"] * 8000 / paper[x])])]
        plots += [f"${x} using 1:2 with points pt {point} ps 1.6 lc rgb '{ink}' title '{name}, measured'",
                  f"{max(a, 0)} + {b} * x with lines dt 2 lw 2 lc rgb '{ink}' title 'projected'",
                  f"$p{x} using 1:2 with points pt {point - 1} ps 2.4 lw 2 lc rgb '{ink}' title 'the paper'"]
    return draw(out, "sample", "One sample: shared by XOR under one-time pad, and restored", [
        *commands, "set logscale xy", f"set xrange [{min(int(r['mb']) for r in rows) / 2000}:{2 * paper['gb']}]", "set xlabel 'GB'", "set ylabel 'seconds (ours: of one core)'",
        "set format xy '10^{%T}'", "plot " + ", ".join(plots)])


def table3(out, rows, paper):
    """Gb/s by processor time of the frames of the paper's size and of the largest, beside the paper's."""
    kinds = {}
    for (p, c, h, frame), _, cpu in report.table3_medians(rows):
        kinds.setdefault((p, c, h), [None, None])[frame > 1470] = cpu
    data = [(f'"{p} {c}\\n{h}"', paper.get((p, c, h), "NaN"), *("NaN" if v is None else v for v in both)) for (p, c, h), both in kinds.items()]
    return draw(out, "table3", "Table 3: one-time pad and plain over TCP and UDP, headers in clear and hidden", [
        *block("ours", data), "set logscale y", "set yrange [1:100]", "set ylabel 'Gb/s (ours: by processor time)'", *BARS, "set bmargin 4",
        f"plot $ours using 2:xtic(1) lc rgb '{INK['paper']}' title 'the paper', $ours using 3 lc rgb '{INK['ours']}' title '1,470 bytes', "
        f"$ours using 4 lc rgb '{INK['second']}' title 'the largest'"])


def programs(out, rows):
    """MB/s of the profiles at the largest size."""
    mb = max(int(r["mb"]) for r in rows)
    data = [(r["profile"], *(mb / float(r[f"{x}_s"]) for x in ("put", "get"))) for r in rows if int(r["mb"]) == mb]
    return draw(out, "programs", f"The profiles by the real programs, {mb} MB, by the clock", [
        *block("ours", data), "set yrange [0:*]", "set ylabel 'MB/s'", *BARS,
        f"plot $ours using 2:xtic(1) lc rgb '{INK['ours']}' title 'put', $ours using 3 lc rgb '{INK['second']}' title 'get'"])


def all_of(out, rows, paper):
    """The names of each experiment's plots."""
    return {"table1": table1(out, rows["table1"]), "schemes": schemes(out, rows["schemes"]),
            "fig4": fig4a(out, rows["fig4"], paper["fig4"]) + fig4b(out, rows["fig4"], paper["fig4"]) + fig4c(out, rows["fig4"]),
            "keys": keys(out, rows["keys"], paper["keys"]), "sample": sample(out, rows["sample"], paper["sample"]),
            "table3": table3(out, rows["table3"], paper["table3"]), "programs": programs(out, rows["programs"])}
