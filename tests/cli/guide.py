#!/usr/bin/python3
"""cli/guide: the commands of docs/guide run as they stand, and say what the pages show.

    guide.py [PAGE]                         all pages but the one that needs S3 clouds; or one
    guide.py --s3 PAGE URL FILE [URL FILE]..  a page whose clouds are s3+https://..: these, with their files of keys

In a ```console block, a line "$ COMMAND" runs in one shell for the page; "# exit N" after it is the status that it must have, else 0.
What follows is its output: each line must come; "..." stands for anything. A comment
<!-- test: COMMAND --> prepares what the page speaks of; "new machine" is a home folder in which nothing is.
/mnt, /media and /tmp of the page lie in a folder of the test's own."""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

SOURCE = os.environ["QC_SOURCE"]
GUIDE = os.path.join(SOURCE, "docs", "guide")
NEEDS_S3 = "hospital.md"
TIMEOUT_S = 300


def fail(text):
    print("FAILED:", text, file=sys.stderr)
    sys.exit(1)


class Step:
    def __init__(self, command, code=0):
        self.command, self.code, self.shown = command, code, []


def steps_of(page):
    """What a page runs, in order."""
    steps, inside = [], False
    for line in open(os.path.join(GUIDE, page), encoding="utf-8"):
        line = line.rstrip("\n")
        hidden = re.fullmatch(r"<!-- test: (.*) -->", line)
        if hidden:
            steps.append(Step(hidden[1]))
            steps[-1].shown = ["..."]
        elif line.startswith("```"):
            inside = line == "```console"
        elif inside and line.startswith("$ "):
            code = re.search(r"\s+# exit (\d+)$", line)
            steps.append(Step(re.sub(r"\s+# exit \d+$", "", line[2:]), int(code[1]) if code else 0))
        elif inside and steps:
            steps[-1].shown.append(line)
    if not steps:
        fail(f"{page} runs nothing")
    return steps


class Machine:
    """Where a page runs: a home folder, and the folders that it names, all in one that goes away."""

    def __init__(self, replace):
        self.top = tempfile.mkdtemp(prefix="qc-guide-")
        self.replace, self.homes = replace, 0
        for name in ("mnt", "media", "tmp"):
            os.mkdir(os.path.join(self.top, name))
        self.new_home()

    def new_home(self):
        self.end_gateways()
        self.homes += 1
        self.home = os.path.join(self.top, f"home{self.homes}")
        os.mkdir(self.home)

    def local(self, text):
        text = re.sub(r"(?<![\w./])((?:file://)?)/(mnt|media|tmp)/", lambda m: f"{m[1]}{self.top}/{m[2]}/", text)
        for old, new in self.replace:
            text = text.replace(old, new)
        return text

    def run(self, command):
        env = {"HOME": self.home, "PATH": os.environ["QC_BIN"] + ":/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                env[name] = os.environ[name]
        run = subprocess.run(["bash", "-c", self.local(command)], cwd=self.home, env=env, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=TIMEOUT_S)
        said = (run.stderr + run.stdout).decode("utf-8", "replace")
        return run.returncode, said.replace(self.top, "")

    def end_gateways(self):
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                words = open(f"/proc/{pid}/cmdline", "rb").read().split(b"\0")
            except OSError:
                continue
            if any(w.startswith(self.top.encode() + b"/") and w.endswith(b"/gateway") for w in words):
                os.kill(int(pid), signal.SIGTERM)

    def close(self):
        self.end_gateways()
        shutil.rmtree(self.top, ignore_errors=True)


def is_shown(shown, said):
    """Each line that is shown was said, on one of the two streams."""
    for line in shown:
        parts = [re.escape(part) for part in line.strip().split("...")]
        if not re.search("^.*" + ".*".join(parts) + ".*$" if "..." in line else "^\\s*" + parts[0] + "\\s*$", said, re.MULTILINE):
            return False
    return True


def run_page(page, replace=(), prepare=None):
    machine = Machine(replace)
    try:
        if prepare:
            prepare(machine)
        for step in steps_of(page):
            if step.command == "new machine":
                machine.new_home()
                continue
            code, said = machine.run(step.command)
            if code != step.code:
                fail(f"{page}: $ {step.command}\nexit {code}, not {step.code}:\n{said}")
            if not is_shown(step.shown, said):
                fail(f"{page}: $ {step.command}\nsaid\n{said}and the page shows\n" + "\n".join(step.shown))
        print(f"{page}: {len(steps_of(page))} commands")
    finally:
        machine.close()


def on_s3(page, pairs):
    """The page's clouds, in the order of their first mention, are those that run here."""
    text = open(os.path.join(GUIDE, page), encoding="utf-8").read()
    named = list(dict.fromkeys(re.findall(r"(\w+)=(s3\+https://\S+)", text)))
    if len(named) * 2 != len(pairs):
        fail(f"{page} names {len(named)} clouds, and {len(pairs) // 2} are here")
    urls, files = pairs[0::2], pairs[1::2]

    def prepare(machine):
        os.mkdir(os.path.join(machine.home, "keys"))
        for (cloud, _), file in zip(named, files):
            copy = os.path.join(machine.home, "keys", cloud)
            shutil.copyfile(file, copy)
            os.chmod(copy, 0o600)

    run_page(page, [(f"{cloud}={url} ", f"'{cloud}={here}' ") for (cloud, url), here in zip(named, urls)], prepare)


def main(args):
    if args[:1] == ["--s3"]:
        return on_s3(args[1], args[2:])
    pages = sorted(p for p in os.listdir(GUIDE) if p not in ("README.md", NEEDS_S3))
    index = open(os.path.join(GUIDE, "README.md"), encoding="utf-8").read()
    for page in pages:
        if f"]({page})" not in index:
            fail(f"docs/guide/README.md does not name {page}")
    for page in args or pages:
        run_page(page)


main(sys.argv[1:])
