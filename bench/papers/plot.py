"""Plots of the papers' experiments, by gnuplot: each as SVG for pages and PNG for the rest. The figures come from the CSV of run.py
as they are; what the papers say stands beside them where they say it."""
import os
import shutil
import subprocess

# The files of a plot come out the same each time they are made of the same figures: no date, no name of a machine inside.
TERMINALS = {"svg": "svg size 820,520 dynamic background rgb 'white' font 'sans,13'", "png": "pngcairo size 1640,1040 font 'sans,22' background rgb 'white'"}
INK = {"ours": "#1b6ca8", "second": "#d1721b", "paper": "#888888", "third": "#3a8f4d"}


def have_gnuplot():
    return shutil.which("gnuplot") is not None


def draw(out, name, title, commands):
    """The plot in both forms; their names."""
    made = []
    for kind, terminal in TERMINALS.items():
        path = os.path.join(out, f"{name}.{kind}")
        script = [f"set terminal {terminal}", f"set output '{path}'", f"set title '{title}'",
                  "set grid lc rgb '#dddddd'", "set key outside bottom center horizontal",
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
        "set logscale y", "set xlabel 'MB'", "set ylabel 'seconds'", "set format y '10^{%T}'", "set xrange [0:105]",
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
        *block("ours", ours), "set logscale y", "set yrange [0.001:10]", "set ylabel 'seconds'", "set format y '10^{%T}'", "set style data histogram",
        "set style histogram cluster gap 1", "set style fill solid 0.85 border -1", "set boxwidth 0.9",
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
    for what, title in (("leak", "leak"), ("loss", "loss")):
        commands, plots = [], []
        for scheme, ink, point in (("SM", INK["paper"], 4), ("SS", INK["third"], 6), ("EC", INK["ours"], 7)):
            points = [(float(r[f"{what}_formula"]), float(r[f"{what}_measured"]), float(r[f"{what}_width"])) for r in rows if r["scheme"] == scheme]
            points = [(f, m, max(m - w, m / 10), m + w) for f, m, w in points if f > 0 and m > 0]
            if not points:
                continue
            commands += block(scheme, points)
            plots.append(f"${scheme} using 1:2:3:4 with yerrorbars pt {point} ps 1.3 lw 1.5 lc rgb '{ink}' title '{scheme}'")
        made += draw(out, f"table1_{what}", f"Table I, {title}: drawn over real encodings, against the formula",
                     [*commands, "set logscale xy", "set xlabel 'by formula'", "set ylabel 'drawn, interval of 99.99 %'", "set format xy '10^{%T}'",
                      "plot " + ", ".join([f"x with lines dt 2 lc rgb '{INK['paper']}' title 'the same'", *plots])])
    return made
