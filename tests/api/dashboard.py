#!/usr/bin/python3
"""/dashboard, rendered and read in headless Chromium: it says what is there, at any width and in the dark, without script and from nowhere else.

Needs QC_BIN, the folder of qcloud-gateway; chromium (its package). QC_SHOTS names a folder that keeps the pictures.
"""
import contextlib
import html.parser
import os
import re
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
import zlib

from contract import Walk
from server import Failure, Guest, ManyUsers, check, parallel
from watch import Monitor


class Page(html.parser.HTMLParser):
    """Texts of elements by their id, rows of tables, and what the page would fetch."""

    def __init__(self, text):
        super().__init__()
        self.open, self.texts, self.rows, self.fetched, self.tags = [], {}, {}, [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        self.tags.add(tag)
        self.fetched += [a[k] for k in ("src", "href", "data", "action", "srcset", "poster") if k in a]
        self.fetched += ["style="] if "style" in a else []
        self.fetched += [k for k in a if k.startswith("on")]
        if tag == "tr":
            self.rows.setdefault(next((i for _, i in reversed(self.open) if i), ""), []).append([])
        if tag == "td":
            next(iter(reversed([r for r in self.rows.values()])))[-1].append("")
        if tag not in ("meta", "link", "br"):
            self.open.append((tag, a.get("id", "")))

    def handle_endtag(self, tag):
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        for _, i in self.open:
            if i:
                self.texts[i] = self.texts.get(i, "") + data
        if any(t == "td" for t, _ in self.open):
            list(self.rows.values())[-1][-1][-1] += data


def chromium(server, *args):
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as home:
        p = subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", f"--user-data-dir={home}",
                            "--virtual-time-budget=2000", *args, f"http://127.0.0.1:{server.monitor}/dashboard"],
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, env=dict(os.environ, HOME=home))
        check(p.returncode == 0, f"chromium {args}: exit {p.returncode}: {p.stderr.decode(errors='replace')[-2000:]}")
        return p.stdout.decode()


def pixels(path):
    """(width, height, rows of RGB) of an 8-bit PNG without interlace."""
    with open(path, "rb") as f:
        b = f.read()
    at, data, head = 8, b"", None
    while at < len(b):
        n, kind = struct.unpack(">I4s", b[at:at + 8])
        if kind == b"IHDR":
            head = struct.unpack(">IIBBBBB", b[at + 8:at + 8 + n])
        if kind == b"IDAT":
            data += b[at + 8:at + 8 + n]
        at += 12 + n
    w, h, depth, colour, _, _, interlace = head
    check(depth == 8 and colour in (2, 6) and interlace == 0, f"a picture of another kind: {head}")
    step, raw, rows, before = (3 if colour == 2 else 4), zlib.decompress(data), [], None
    size = w * step
    for y in range(h):
        kind, row = raw[y * (size + 1)], bytearray(raw[y * (size + 1) + 1:(y + 1) * (size + 1)])
        before = before or bytearray(size)
        for x in range(size) if kind else ():
            left, up, corner = (row[x - step] if x >= step else 0), before[x], (before[x - step] if x >= step else 0)
            if kind == 4:
                p = left + up - corner
                d = [abs(p - left), abs(p - up), abs(p - corner)]
                guess = (left, up, corner)[d.index(min(d))]
            else:
                guess = (0, left, up, (left + up) // 2)[kind]
            row[x] = (row[x] + guess) & 255
        rows.append(row)
        before = row
    return w, h, step, rows


def shot(server, name, width, height, *args):
    """(share of dark pixels, rightmost column with something on it) of a picture."""
    folder = os.environ.get("QC_SHOTS") or server.root
    path = os.path.join(folder, name + ".png")
    chromium(server, f"--window-size={width},{height}", "--hide-scrollbars", f"--screenshot={path}", *args)
    w, h, step, rows = pixels(path)
    check((w, h) == (width, height), f"{name}: {w} x {h}")
    dark = sum(sum(row[x:x + 3]) < 240 for row in rows[::8] for x in range(0, w * step, 8 * step)) / ((h + 7) // 8 * ((w + 7) // 8))
    return dark


def read(server, well):
    text = chromium(server, "--dump-dom")
    page = Page(text)
    check(not page.tags & {"script", "img", "iframe", "object", "embed", "form", "input", "style", "svg", "video", "audio"}, f"elements: {page.tags}")
    check(page.fetched == ["/dashboard/style.css"], f"it fetches {page.fetched}")
    rows = page.rows["clouds"][1:]
    check(len(rows) == 5 and [r[0] for r in rows] == ["c1", "c2", "c3", "c4", "c5"], f"clouds: {rows}")
    check([("\u2713 well" in r[1], "(ok)" in r[1]) for r in rows] == [(w, w) for w in well], f"states: {rows}")
    check(all(re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ|never", r[3]) for r in rows), f"times: {rows}")
    check(len(re.findall("<time datetime", text)) >= 4, "times of observations")
    for bad in ("ann", server.root, "file:", str(server.port), server.tokens["ann"]):
        check(bad not in text, f"{bad} is on the page")
    return page, text


def days_ago(n):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - n * 86400))[:11]


def scrub(server):
    """What was not looked at for too long is told, with the time and the command; looking makes it green. Nothing begins by itself here."""
    server.stop()
    with open(server.config, "a", encoding="ascii") as f:
        f.write("[scrub]\npresence-hours = 0\ncontent-days = 0\n")
    now = int(time.time())
    with contextlib.closing(sqlite3.connect(os.path.join(server.state, "catalogue.db"))) as db:
        db.execute("UPDATE version SET created=?", (now - 100 * 86400,))
        db.execute("UPDATE scrub SET began=?", (now - 100 * 86400,))
        db.execute("UPDATE scrub SET last_began=?, last_ended=? WHERE cloud_id=(SELECT cloud_id FROM cloud WHERE name='c2')", (now - 61 * 86400, now - 86400))
        db.execute("UPDATE scrub SET last_began=?, last_ended=? WHERE depth=1 AND cloud_id=(SELECT cloud_id FROM cloud WHERE name='c4')", (now - 86400, now - 86400))
        check(db.execute("SELECT COUNT(*) FROM scrub").fetchone() == (10,), "a row for each depth of each cloud")
        db.commit()
    server.start()
    page, _ = read(server, [True] * 5)
    rows = {r[0]: r[1:] for r in page.rows["scrub"][1:]}
    check(all(x.startswith("! look " + days_ago(61)) for x in rows["c2"][:2]), f"c2: {rows}")
    check(rows["c1"][:2] == ["! look never"] * 2 and rows["c4"][0].startswith(days_ago(1)) and rows["c4"][1] == "! look never", f"c1, c4: {rows}")
    for text in ("what clouds list was not compared lately: of 4 of 5 clouds, c1 never, since " + days_ago(100),
                 "what lies on clouds was not read and verified lately: of 5 of 5 clouds, c1 never, since " + days_ago(100),
                 "qcloud-gateway scrub --content --wait"):
        check(text in page.texts["findings"], f"no '{text}': {page.texts['findings']}")
    m = Monitor(server).request("GET", "/metrics").body.decode()
    check([x[-1] for x in m.splitlines() if x.startswith("qcloud_cloud_scrub_late{")].count("1") == 9 and '\nqcloud_verdict{level="look"} 1\n' in m, "metrics")
    check("there was no drill, and something is stored since " + days_ago(100) in page.texts["findings"] and "none yet" in page.texts["drill"], page.texts)
    server.run("scrub", "--content", "--wait", "--config", server.config)
    server.run("drill", "--without-cloud", "c1", "--without-cloud", "c5", "--config", server.config)
    deadline = time.monotonic() + 60                        # of observations: WATCH_COUNTS_MS
    while "findings" in page.texts:
        check(time.monotonic() < deadline, f"after a scrub: {page.texts['findings']}")
        time.sleep(1)
        page = Page(Monitor(server).request("GET", "/dashboard").body.decode())
    check("1 of 1 versions came back, of 1; without c1, c5." in page.texts["drill"], page.texts["drill"])
    m = Monitor(server).request("GET", "/metrics").body.decode()
    for line in ("qcloud_drill_failed 0", "qcloud_drill_versions 1", "qcloud_drill_versions_back 1", "qcloud_drill_clouds_withheld 2", 'qcloud_verdict{level="well"} 1'):
        check(f"\n{line}\n" in m, f"no '{line}' in /metrics")
    p = subprocess.run(["promtool", "check", "metrics"], input=m.encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    check(p.returncode == 0 and p.stdout == b"", f"promtool: {p.returncode} {p.stdout.decode(errors='replace')}")
    check(all(x.startswith(days_ago(0)[:8]) for r in page.rows["scrub"][1:] for x in r[1:3]), f"after a scrub: {page.rows['scrub']}")


def main():
    began = time.monotonic()
    with ManyUsers() as server:
        server.add("ann")
        try:
            ann = Walk(Guest(server, "ann"), 1)
            ann.vaults()
            ann.put(ann.path(), 1, b"x" * 100000)
            a = Monitor(server).request("GET", "/dashboard")
            check("script-src" not in a.headers["Content-Security-Policy"] and a.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'"), "policy")
            page, text = read(server, [True] * 5)
            check(page.texts["least"] == "2" and page.rows["margins"][1:] == [["2 clouds", "1"]], f"margins {page.rows['margins']}")
            check("everything is as it should be" in text and "findings" not in page.texts, "all is well")
            check(page.rows["figures"][:2] == [["1"], ["1"]], f"figures {page.rows['figures']}")
            check("needs a newer program (PUT /v1/vaults/{})." in page.texts["problem"], f"the last failure: {page.texts['problem']}")
            light, narrow, dark = parallel([lambda: shot(server, "wide", 1200, 1100), lambda: shot(server, "narrow", 390, 1600),
                                            lambda: shot(server, "dark", 1200, 1100, "--blink-settings=preferredColorScheme=0")])
            check(light < 0.2 and narrow < 0.25 and dark > 0.8, f"shares of dark: {light:.2f} wide, {narrow:.2f} narrow, {dark:.2f} in the dark")
            with server.away(0, 1):
                page, text = read(server, [False, False, True, True, True])
                check(page.texts["least"] == "0" and "something below is not safe" in text, "two clouds away")
                check("versions that bear no further loss: 1." in page.texts["findings"] and page.texts["findings"].count("cloud c") == 2
                      and "are needed to write" in page.texts["findings"] and "qcloud-gateway repair" in page.texts["findings"], page.texts["findings"])
                if os.environ.get("QC_SHOTS"):
                    shot(server, "bad", 1200, 1300)
                    shot(server, "bad_narrow", 390, 2400)
            scrub(server)
        except BaseException:
            print(server.tail(), file=sys.stderr)
            raise
        server.stop()
    print(f"dashboard: rendered and read ({time.monotonic() - began:.1f} s)")


if __name__ == "__main__":
    try:
        main()
    except Failure as e:
        print(f"FAILED: {e}", file=sys.stderr)
        sys.exit(1)
