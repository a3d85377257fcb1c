#!/usr/bin/python3
"""cli/screens: what a user sees at a terminal, as tmux draws it: bars, Ctrl-C, prompts, listings and messages, wide and in 40 columns,
in UTF-8 and in the C locale. The screens are kept in screens.txt, with # for each number that differs from run to run; somebody
looked at each of them. The codes of errors and warnings have a colour, nothing else has, and with NO_COLOR nothing: words say all.

    screens.py              compares
    screens.py --write      keeps what there is now: look at it, then at the difference to what was
    screens.py --show       prints the screens"""
import difflib
import os
import re
import shlex
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "system"))
from harness import QCLOUD, Box, check  # noqa: E402

LIMIT = 60              # seconds for anything that is waited for
KEPT = os.path.join(HERE, "screens.txt")
LONG = "Genome der Familie Müller-Lüdenscheidt, zweite Lieferung.vcf"
PASS = "correct horse battery staple"
LEAD = r"qcloud: (?:warning )?[EW]\d{4,5}"
# As tmux writes it: bold, red or yellow, and then as before.
COLOURED = re.compile(r"\x1b\[1m\x1b\[3([13])m(" + LEAD + r")\x1b\[0m(?:\x1b\[39m\x1b\[49m)?")


class Tmux:
    """A server of its own, a window for each screen."""
    def __init__(self, box):
        self.box = box
        self.socket = os.path.join(box.root, "tmux")
        self.config = os.path.join(box.root, "tmux.conf")
        with open(self.config, "w", encoding="utf-8") as f:
            f.write("set -g status off\nset -g history-limit 2000\nset -g default-terminal screen-256color\nset -s escape-time 0\nset -s exit-empty off\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], stderr=subprocess.DEVNULL, check=False)

    def run(self, *words):
        env = {**self.box.env(), "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
        env.pop("TMUX", None)
        return subprocess.run(["tmux", "-u", "-S", self.socket, "-f", self.config, *words], env=env, check=True, capture_output=True, timeout=LIMIT).stdout.decode()


class Screen:
    """A command in a window of so many columns; its exit status is said when it is over."""
    def __init__(self, tmux, name, columns, *words, **env):
        self.tmux, self.name, self.said = tmux, name, ""
        self.plain, self.drawn = "NO_COLOR" in env, "--watch" in words
        self.whole = ["-J"] if columns >= 80 else []    # where lines wrap is told of narrow ones alone: places are not of one length
        settings = " ".join(f"{k}={shlex.quote(v)}" for k, v in {"QCLOUD_HOME": tmux.box.home, "LC_ALL": "C.UTF-8", **env}.items())
        shell = f"trap : INT; cd {shlex.quote(tmux.box.work)}; env {settings} {shlex.join([QCLOUD, *words])}; echo; echo \"[exit $?]\"; read -r x"
        # the exit status of the command, not of the empty line before it
        shell = shell.replace("; echo; echo \"[exit $?]\"", "; s=$?; echo; echo \"[exit $s]\"")
        tmux.run("new-session", "-d", "-s", name, "-x", str(columns), "-y", "40", "sh", "-c", shell)

    def look(self):
        said = self.tmux.run("capture-pane", "-p", "-e", *self.whole, "-S", "-", "-t", self.name)
        self.said = said if self.plain else COLOURED.sub(lambda m: m[2] if (m[1] == "3") == ("warning" in m[2]) else m[0], said)
        check("\x1b[" not in self.said, f"{self.name}: a colour: {self.said!r}")
        return self.said

    def until(self, pattern):
        end = time.monotonic() + LIMIT
        while not re.search(pattern, self.look()):
            check(time.monotonic() < end, f"{self.name}: '{pattern}' did not come:\n{self.said}")
            time.sleep(0.05)
        return self.said

    def leads(self):
        """Each code has its colour, or none has. What is drawn again and again has none: its lines are cut by letters."""
        said = self.tmux.run("capture-pane", "-p", "-e", *self.whole, "-S", "-", "-t", self.name)
        coloured, all_ = len(COLOURED.findall(said)), len(re.findall(LEAD, said))
        check(coloured == (0 if self.plain else all_) or self.drawn, f"{self.name}: {coloured} of {all_} codes have a colour: {said!r}")

    def type(self, text):
        self.tmux.run("send-keys", "-t", self.name, "-l", text + "\n")

    def key(self, name):
        self.tmux.run("send-keys", "-t", self.name, name)

    def end(self, code=0):
        self.until(r"\[exit \d+\]")
        self.leads()
        check(f"[exit {code}]" in self.said, f"{self.name}: exit {code} was expected:\n{self.said}")
        self.tmux.run("kill-session", "-t", self.name)
        return self.said


def masked(text, box):
    """Numbers that differ from run to run, and where the box lies."""
    text = text.replace(box.root, "/BOX").rstrip("\n") + "\n"
    text = re.sub(r"\b[0-9a-f]{32}\b", "#ID", text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}", "#TIME", text)
    text = re.sub(r"\d+(\.\d+)? [KMGT]?i?B/s", "# B/s", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "#TIME", text)
    text = re.sub(r"free [\d.]+ \w+", "free #", text)
    text = re.sub(r"  ETA \w+", "", text)    # only after some seconds
    text = re.sub(r"(?<=durable), [\d.]+( \w+)? sealed", "", text)     # only while something is on its way
    text = re.sub(r"\d+(\.\d)? [KM]iB of it", "# MiB of it", text)
    text = re.sub(r"about [\d.]+ MiB|[\d.]+ MiB;|\d+ (requests|fragments)", lambda m: re.sub(r"[\d.]+", "#", m[0]), text)
    text = re.sub(r" +\d+ %  \S+/", "   # %  #/", text)
    text = re.sub(r"(?m)^\.\.\S+   # %", "..#   # %", text)   # how much of a name there is room for, hangs on the figures
    text = re.sub(r"\w+: interrupted", "#: interrupted", text)
    kept = [line.rstrip() for line in text.split("\n")[:-1]]
    # How much an interrupted put has stored, maybe nothing, hangs on the moment: cli/resume looks at it.
    return "".join(line + "\n" for line in kept if "of it stay stored" not in line and "of it are stored" not in line)


def bar(screen):
    """The screen while the bar stands somewhere in the middle."""
    return screen.until(r"[1-9]\d? %")


def narrow(screen):
    """Doctor breaks its lines itself, between words; what is to be run stays whole."""
    screen.whole = ["-J"]       # as they were written
    lines = screen.end(4).rstrip().split("\n")
    wide = [x for x in lines if len(x) > 40 and "next: " not in x and max(map(len, x.split())) < 30]
    check(not wide and sum(x.startswith("    ") for x in lines) > 5, f"doctor in 40 columns: {wide}\n" + "\n".join(lines))


def watched(tmux, box):
    """status --watch: never wider nor higher than the terminal, whose size may change; it tells what is lost, and what comes back."""
    s = Screen(tmux, "watched", 40, "status", "--watch", "--interval", "1", NO_COLOR="1")
    tmux.run("resize-window", "-t", "watched", "-x", "40", "-y", "14")
    s.whole = ["-J"]            # a row that goes on in the next one would be one
    for store, words in ((None, "ok        budget 1"), (box.stores[1], "degraded  budget 0"), (None, "ok        budget 1")):
        with box.lost(*([store] if store else [])):
            s.until(r"(?m)^\d\d:\d\d:\d\d  " + words)
            s.until(r"\(\d+ more lines\)")
            wide = [x for x in tmux.run("capture-pane", "-p", "-J", "-t", "watched").rstrip().split("\n") if len(x) > 40]
            check(not wide, f"wider than the terminal: {wide}")
    tmux.run("resize-window", "-t", "watched", "-x", "100", "-y", "60")
    s.until("verdict: green(.*\n)+.*price:")
    s.until("steals it, with\n")    # a line that is full, to its last letter
    s.key("C-c")
    s.end(130)


def stands_still(screen):
    """The number of its program, which has come to the point where it stops."""
    shell = int(screen.tmux.run("list-panes", "-t", screen.name, "-F", "#{pane_pid}"))
    end = time.monotonic() + LIMIT
    while True:
        with open(f"/proc/{shell}/task/{shell}/children", encoding="ascii") as f:
            children = f.read().split()
        for pid in children:
            with open(f"/proc/{pid}/stat", "rb") as f:
                if f.read().rsplit(b")", 1)[1].split()[0] == b"T":
                    return int(pid)
        check(time.monotonic() < end, "no program came to the point where it stops")
        time.sleep(0.05)


def take(box, tmux):
    """All screens, by name."""
    kept = {}

    def keep(name, text):
        kept[name] = masked(text, box)

    def run(name, columns, *words, code=0, **env):
        keep(name, Screen(tmux, name, columns, *words, **env).end(code))

    clouds = [w for i, c in enumerate(box.clouds, 1) for w in ("--cloud", f"c{i}=file://{c}")]
    s = Screen(tmux, "init", 100, "init", "--local", *clouds, "--k", "3", "--share1", box.stores[0], "--share2", box.stores[1], "--memory", "64")
    for prompt in (r"^Passphrase.*: *$", "once more: *$"):
        s.until("(?m)" + prompt)
        s.type(PASS)
    keep("init", s.end())
    with open(os.path.join(box.work, LONG), "wb") as f:
        f.write(os.urandom(1 << 20) * 40)
    slow = {"QC_FAULT": "client_segment:pause_ms:1500,client_wrote:pause_ms:80"}
    known = {"QCLOUD_PASSPHRASE_COMMAND": f"echo {PASS}"}

    s = Screen(tmux, "put", 100, "put", LONG, "genome.vcf", **slow)
    s.until("(?m)[Pp]assphrase.*: *$")
    s.type(PASS)
    keep("put, the bar", bar(s))
    keep("put", s.end())

    s = Screen(tmux, "wrong", 100, "ls")
    s.until(r"(?m)share stores: *$")
    s.type("a wrong one")
    s.until(r"locked\): *\n")
    s.type("")
    s.until(r"another one .*locked\): *\n")
    s.type("")
    keep("a wrong passphrase", s.end(12))
    box.expect(0, "passphrase", "--remove", env=known)     # each try of it takes 64 MiB and a while
    # It stands still at its second segment while the key is pressed: no race against the last one. The bar is as it happens.
    s = Screen(tmux, "interrupted", 100, "put", LONG, "second.vcf", QC_FAULT="client_segment:stop:2")
    pid = stands_still(s)
    s.key("C-c")
    s.until(r"\^C")
    os.kill(pid, signal.SIGCONT)
    s.end(130)
    s.said = s.said[s.said.index("qcloud: stopping"):]
    keep("put, Ctrl-C", s.said)
    run("put goes on", 100, "put", LONG, "second.vcf")

    s = Screen(tmux, "get40", 40, "get", "genome.vcf", LONG + " again", **slow)
    keep("get in 40 columns, the bar", bar(s))
    keep("get in 40 columns", s.end())
    run("ls", 100, "ls")
    run("ls -l", 100, "ls", "-l")
    run("ls -l in 40 columns", 40, "ls", "-l")
    run("status", 100, "status")
    run("a file that is not there in 40 columns, NO_COLOR", 40, "put", "none", code=3, NO_COLOR="1")
    run("a name in UTF-8", 100, "stat", "Größe \u4e2d.vcf", code=3)
    run("a name in UTF-8, C locale", 100, "stat", "Größe \u4e2d.vcf", code=3, LC_ALL="C")
    narrow(Screen(tmux, "doctor40", 40, "doctor"))
    watched(tmux, box)
    wide = Screen(tmux, "stat40", 40, "stat", "genome.vcf")
    wide.whole = ["-J"]
    check(max(map(len, wide.end().split("\n"))) <= 40, f"stat in 40 columns:\n{wide.said}")
    run("explain in 40 columns", 40, "explain", "genome.vcf")
    run("versions in 40 columns", 40, "versions", "genome.vcf")
    run("versions of what is not there", 100, "versions", "none", code=3)
    run("a wrong call in 40 columns", 40, "put", "--if-absnet", "f", code=2)
    s = Screen(tmux, "rm", 60, "rm", "-r", "second.vcf")
    s.until(r"(?m)\? *.*$")
    s.type("no")
    keep("rm -r, a question", s.end(130))
    run("help in 60 columns", 60, "help", "ls")
    s = Screen(tmux, "drain", 100, "gateway", "cloud", "drain", "c1")
    s.until(r"(?m)\? *.*$")
    time.sleep(0.2)
    s.type("no")
    keep("drain, a question", s.end(130))
    return kept


def main():
    with Box(k=3, n=5, root="/tmp") as box, Tmux(box) as tmux:
        kept = take(box, tmux)
    text = "".join(f"== {name}\n{screen}" for name, screen in kept.items())
    if "--show" in sys.argv:
        print(text)
    elif "--write" in sys.argv:
        with open(KEPT, "w", encoding="utf-8") as f:
            f.write(text)
    else:
        with open(KEPT, encoding="utf-8") as f:
            was = f.read()
        lines = list(difflib.unified_diff(was.splitlines(), text.splitlines(), "screens.txt", "now", lineterm=""))
        check(not lines, "the screens are not what they were:\n" + "\n".join(lines))
        print(f"screens: {len(kept)} as they were")


main()
