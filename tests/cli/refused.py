#!/usr/bin/python3
"""cli/refused: command lines and configurations that make no sense, some hundred of them (refused.txt): each ends with exit 2 or 10,
or the one that its row names, in three lines: what is wrong, by the name of the option or key; that nothing was done; what to run
next. Nothing goes to stdout, nothing is left behind, no program crashes, and none waits for anything.

    refused.py             all rows
    refused.py -v WORD     the rows that have WORD, with what the programs said"""
import concurrent.futures
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "system"))
from harness import Box, seeded  # noqa: E402

BIN = os.environ["QC_BIN"]
LEAST = 300             # rows that there must be
LIMIT = 60              # seconds for one program; none of them waits for anything
SAID_MAX = 2000         # bytes of a message, however long what it is about
VAULT = "[vault]\nid = 000102030405060708090a0b0c0d0e0f\nshare1 = {d}/s1\nshare2 = {d}/s2\ngateway = local\n"
LINK = {"link": "L", "me": "SAE-A", "peer": "SAE-B", "level": "otp", "listen": "127.0.0.1:1", "to": "127.0.0.1:2", "state": "/s", "status": "/t",
        "kme": {"url": "https://localhost:3", "ca": "/ca", "cert": "/cert", "key": "/key"}}
KME = {"nodes": ["A", "B"], "links": [{"id": "AB", "a": "A", "b": "B", "rate_bps": 1000, "cap_bits": 1000000}],
       "kmes": [{"id": "KME-A", "node": "A", "listen": "127.0.0.1:1", "cert": "/c", "key": "/k", "client_ca": "/ca"}], "saes": [{"id": "SAE-A", "node": "A"}]}
# How a kind of row becomes files and a command: the configuration's name, what makes it, the command that looks at it.
CONFS = {
    "qcloud.conf": ("home/qcloud.conf", ["qcloud", "config", "check"]),
    "random.conf": ("home/random.conf", ["qcloud", "config", "check"]),
    "gateway.conf": ("gateway.conf", ["qcloud-gateway", "config", "check", "--config", "{d}/gateway.conf"]),
    "link.json": ("link.json", ["qcloud-link", "check", "--config", "{d}/link.json"]),
    "kme.json": ("kme.json", ["qcloud-kme", "check", "--config", "{d}/kme.json"]),
}


def repeated(text):
    """{X*N} is N times X."""
    return re.sub(r"\{([^{}]+)\*(\d+)\}", lambda m: m[1] * int(m[2]), text)


def unescaped(text):
    raw = repeated(text).encode()
    return re.sub(rb"\\(x[0-9a-f]{2}|.)", lambda m: {b"n": b"\n", b"t": b"\t", b"\\": b"\\"}.get(m[1]) or bytes([int(m[1][1:], 16)]), raw)


class Row:
    def __init__(self, number, kind, line):
        self.number, self.kind, self.env = number, kind, {}
        code, words, text = (line + " ").split(" | ", 2)
        self.code, self.words, self.text = int(code), [w.strip() for w in words.split(";") if w.strip()], text.strip(" ")

    def json(self, base):
        """member = JSON sets a member, a.b = JSON one below; -member takes one away; anything else is the whole text."""
        whole = json.loads(json.dumps(base))
        for part in repeated(self.text).split(" ;; "):
            m = re.fullmatch(r"(-?)([\w.]+)(?: = (.*))?", part)
            if m is None or (m[1] == "") != (m[3] is not None):
                return unescaped(self.text)
            *way, last = m[2].split(".")
            at = whole
            for step in way:
                at = at[int(step) if step.isdigit() else step]
            if m[1]:
                del at[last]
            else:
                at[int(last) if last.isdigit() else last] = json.loads(m[3])
        return json.dumps(whole).encode()

    def prepare(self, d):
        """The command, and the files that it wants."""
        files, vault = {}, VAULT.replace("{d}", d).encode()
        if self.kind[0] != "run":
            path, command = CONFS[self.kind[0]]
            if path == "home/random.conf":
                files[os.path.join(d, "home", "qcloud.conf")] = vault
            text = self.json({"link.json": LINK, "kme.json": KME}[self.kind[0]]) if path.endswith(".json") else unescaped(self.text)
            if path == "home/qcloud.conf":
                text = text.replace(b"{vault}", VAULT.encode())
            files[os.path.join(d, path)] = text.replace(b"{d}", d.encode())
            return [w.replace("{d}", d).encode() for w in command], files
        if "set-up" in self.kind:
            files[os.path.join(d, "home", "qcloud.conf")] = vault
        words = [unescaped(w).replace(b"{d}", d.encode()).replace(b"''", b"") for w in repeated(self.text).split()]
        while words and re.match(rb"[A-Z][A-Z0-9_]*=", words[0]):
            name, value = words.pop(0).split(b"=", 1)
            self.env[name.decode()] = value
        return [self.kind[1].encode()] + [w.replace(b"\x1f", b" ") for w in words], files


def write(path, text):
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    with open(path, "wb") as f:
        f.write(text)
    os.chmod(path, 0o600)


class Places:
    """A directory for each thread that runs rows, made anew where a row has left something: most leave it as it was."""
    mine = threading.local()
    one_at_a_time = threading.Lock()    # in the vault: two jobs of one kind would hide each other

    @classmethod
    def get(cls):
        if getattr(cls.mine, "d", None) is None:
            cls.mine.d = d = tempfile.mkdtemp()
            write(os.path.join(d, "f"), b"x\n")
            os.mkdir(os.path.join(d, "dir"))
            os.mkfifo(os.path.join(d, "fifo"))
            os.symlink("loop", os.path.join(d, "loop"))
        return cls.mine.d

    @classmethod
    def clear(cls, made, d, clean):
        """What the row brought, and, unless that is all there was, everything."""
        for path in made:
            os.unlink(path)
        if not clean or made:
            shutil.rmtree(os.path.join(d, "home"), ignore_errors=True)
        if not clean:
            shutil.rmtree(d, ignore_errors=True)
            cls.mine.d = None


def listed(d):
    return {os.path.join(where, x) for where, folders, files in os.walk(d) for x in folders + files}


def wrong_with(row, p, before, after):
    said = p.stderr.decode(errors="surrogateescape")
    if p.returncode != row.code:
        return f"exit {p.returncode}, expected {row.code}"
    lines = said.split("\n")
    first = next((i for i, x in enumerate(lines) if re.match(r"[a-z-]+: E\d{4,5} .", x)), None)
    if first is None or not re.match(r" +data: .", (lines + ["", ""])[first + 1]) or not re.match(r" +next: .", (lines + ["", "", ""])[first + 2]):
        return "no message in three lines"
    lacks = [w for w in row.words if w not in said]
    if lacks:
        return f"the message lacks {lacks}"
    if p.stdout:
        return f"stdout: {p.stdout[:200]}"
    if any(b < 0x20 and b != 0x0a or b == 0x7f for b in p.stderr):
        return "a control character goes to the terminal"
    if len(p.stderr) > SAID_MAX:
        return f"a message of {len(p.stderr)} bytes"
    return f"it left {after ^ before}" if before != after else None


def run(row, box):
    """What is wrong with it, or None; and what was said. box: with a vault, for rows that want one."""
    d = Places.get()
    env = {"PATH": os.environ["PATH"], "QCLOUD_HOME": os.path.join(d, "home"), "LC_ALL": "C.UTF-8", "HOME": d, "TMPDIR": d,
           **{k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}}
    command, files = row.prepare(d)
    if "vault" in row.kind:
        env["QCLOUD_HOME"] = box.home
    env |= row.env
    for path, text in files.items():
        write(path, text)
    before = listed(d)
    try:
        with Places.one_at_a_time if "vault" in row.kind else contextlib.nullcontext():
            p = subprocess.run([os.path.join(BIN.encode(), command[0]), *command[1:]], env=env, cwd=d, stdin=subprocess.DEVNULL, capture_output=True,
                               timeout=LIMIT, check=False, close_fds=False)
        wrong, said = wrong_with(row, p, before, listed(d)), p.stderr.decode(errors="replace")
    except subprocess.TimeoutExpired:
        wrong, said = "it does not end", ""
    Places.clear(files, d, wrong is None)
    return wrong, said


def rows():
    kind = None
    with open(os.path.join(HERE, "refused.txt"), encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            line = line.rstrip("\n")
            if line.startswith("== "):
                kind = line[3:].split()
            elif line and not line.startswith("#"):
                yield Row(number, kind, line)


def main():
    loud = len(sys.argv) == 3 and sys.argv[1] == "-v"
    chosen = [r for r in rows() if not loud or sys.argv[2] in " ".join([*r.kind, r.text])]
    if not loud and os.environ.get("QC_SANITIZED") == "1" and os.environ.get("QC_FULL") != "1":  # each takes three times as long there
        chosen = sorted(seeded("refused").sample(chosen, LEAST), key=lambda r: r.number)
    tempfile.tempdir = tempfile.mkdtemp(prefix="qc-refused-")
    try:
        judge(chosen, loud)
    finally:
        shutil.rmtree(tempfile.tempdir, ignore_errors=True)


def judge(chosen, loud):
    bad = 0
    with Box(k=1, n=1) as box, concurrent.futures.ThreadPoolExecutor(2) as pool:
        if any("vault" in r.kind for r in chosen):
            box.init()
        for row, (what, said) in zip(chosen, pool.map(lambda r: run(r, box), chosen)):
            bad += what is not None
            if what is not None or loud:
                print(f"refused.txt:{row.number}: {' '.join(row.kind)}: {row.text[:150]}\n    {what or 'as it should be'}\n" +
                      "".join(f"  | {x[:300]}\n" for x in said.splitlines()[:12]))
    if not loud and len(chosen) < LEAST:
        raise SystemExit(f"FAILED: {len(chosen)} rows, expected {LEAST} at least")
    if bad:
        raise SystemExit(f"FAILED: {bad} of {len(chosen)} rows")
    print(f"refused: {len(chosen)} rows")


main()
