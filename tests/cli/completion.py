#!/usr/bin/python3
"""Completion in the shells themselves: bash by its function, zsh and fish at a prompt's line; commands, options with their values,
files, and names of clouds and objects. Where nothing can be known there is silence, within the limit of time."""
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "system"))
from harness import BIN, Box, check, main  # noqa: E402

LIMIT = 60                      # seconds for anything that is waited for
ODD = "odd $name; (x).txt"      # no shell may make anything else of it
# What is typed, what must be told, and in which shells that is looked at; of names all that begin so.
CASES = [
    ("qcloud gat", ["gateway"]),
    ("qcloud gateway cloud dr", ["drain"]),
    ("qcloud put --wait ", ["full", "quorum"]),
    ("qcloud put --if", ["--if-absent"]),
    ("qcloud --progress p", ["plain"]),
    ("qcloud put fi", ["file one", "files/"]),
    ("qcloud init --share1 fi", ["files/"]),
    ("qcloud get gen", ["genomes/p1", "genomes/p2"]),
    ("qcloud rm genomes/p1 odd", [ODD]),
    ("qcloud get --force genomes/p", ["genomes/p1", "genomes/p2"]),
    ("qcloud gateway cloud retire ", ["c1", "c2", "c3"]),
    ("qcloud drill --without-cloud ", ["c1", "c2", "c3", "none", "random"]),
    ("qcloud rng test o", ["os"]),
    ("qcloud get nothing-like-this", []),
    ("qcloud --vault none get gen", []),  # that vault's names, and there is none
    ("qcloud nothing-like-this ", []),
    ("qcloud-gateway tenant t", ["token"]),
    ("qcloud-gateway serve --lo", ["--log-file"]),
    ("qcloud-gateway cloud domain r", ["region"]),
]


def env(box):
    # In the build with ASan: LeakSanitizer stops the program from a process of its own at the end, and a shell with job control stops
    # and continues it as well; once in many runs they waited for each other. Leaks of these commands show in the tests without a shell.
    asan = ":".join(filter(None, (os.environ.get("ASAN_OPTIONS"), "detect_leaks=0")))
    return box.env(ASAN_OPTIONS=asan, PATH=BIN + ":" + os.environ["PATH"], TERM="dumb", XDG_CONFIG_HOME=box.root, XDG_DATA_HOME=box.root)


def in_bash(box, line):
    driver = """source <(qcloud completion bash); source <(qcloud-gateway completion bash); COMP_WORDS=(); line=$1
        read -ra COMP_WORDS <<<"$line"; [[ $line != *' ' ]] || COMP_WORDS+=(''); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        call=$(complete -p "${COMP_WORDS[0]}"); call=${call#*-F }; "${call%% *}"; printf '%s\\n' "${COMPREPLY[@]}" """
    p = subprocess.run(["bash", "--norc", "-c", driver, "bash", line], env=env(box), cwd=box.work, capture_output=True, timeout=LIMIT)
    check(not p.stderr, f"bash, '{line}': {p.stderr.decode()}")
    found = [x for x in p.stdout.decode().split("\n") if x]
    # readline puts the slash behind a directory
    return sorted(x + "/" if os.path.isdir(os.path.join(box.work, x)) else x for x in found)


def in_fish(box, line):
    driver = "qcloud completion fish | source; qcloud-gateway completion fish | source; complete -C \"$argv[1]\""
    p = subprocess.run(["fish", "--no-config", "-c", driver, line], env=env(box), cwd=box.work, capture_output=True, timeout=LIMIT)
    check(not p.stderr, f"fish, '{line}': {p.stderr.decode()}")
    return sorted(x.split("\t")[0] for x in p.stdout.decode().split("\n") if x)


class Zsh:
    """A zsh at a terminal. What its widgets would add is written down by a compadd of our own."""

    def __init__(self, box):
        self.said = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(box.work)
            os.execvpe("zsh", ["zsh", "-f", "-i"], env(box))
        # The lines are short: a terminal would break long ones.
        for line in ("PS1='> ' PROMPT_EOL_MARK=", "autoload -U compinit; compinit -u -D", "source <(qcloud completion zsh)",
                     "source <(qcloud-gateway completion zsh)", "zstyle ':completion:*' list-grouped false",
                     "compadd() { local -a hits; builtin compadd -O hits \"$@\"; print -rl -- $hits >>told; builtin compadd \"$@\" }",
                     "print -r re''ady"):
            os.write(self.fd, line.encode() + b"\n")
        self.expect(b"ready")

    def expect(self, text):
        end = time.monotonic() + LIMIT
        while text not in self.said:
            check(time.monotonic() < end, f"zsh: '{text}' did not come: {self.said}")
            if select.select([self.fd], [], [], 0.05)[0]:
                self.said += os.read(self.fd, 65536)

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)

    def complete(self, box, line, mark=[0]):
        """The words; then the line is given up, and a command says when all is over."""
        told = os.path.join(box.work, "told")
        if os.path.exists(told):
            os.unlink(told)
        mark[0] += 1
        os.write(self.fd, line.encode() + b"\t\x15print -r do''ne%d\n" % mark[0])
        self.expect(b"done%d" % mark[0])
        if not os.path.exists(told):
            return []
        with open(told, encoding="utf-8") as f:
            words = {x.replace("\\ ", " ") for x in f.read().split("\n") if x}  # files are added as they are typed
        os.unlink(told)
        return sorted(x + "/" if os.path.isdir(os.path.join(box.work, x)) else x for x in words)


def becomes(name, shell, line, want):
    """On a busy machine the limit of time may pass before there is an answer, and there is less then: the user would press again."""
    end = time.monotonic() + LIMIT
    while (got := shell(line)) != sorted(want):
        check(time.monotonic() < end, f"{name}, '{line}': {got}, expected {sorted(want)}")


def silent(box):
    """A passphrase that a command would give is not asked for; nor is anybody; and a gateway that hangs costs a third of a second."""
    asked = os.path.join(box.root, "asked")
    box.extra["QCLOUD_PASSPHRASE_COMMAND"] = f"touch {asked}; echo secret words for this"
    box.expect(0, "passphrase", env={"QCLOUD_NEW_PASSPHRASE_COMMAND": "echo secret words for this"})
    if os.path.exists(asked):
        os.unlink(asked)
    for shell in (in_bash, in_fish):
        check(shell(box, "qcloud get gen") == [], f"{shell.__name__}: names without a passphrase")
    check(not os.path.exists(asked), "the command that gives the passphrase was run")
    gateways = list(box.processes())
    for pid in gateways:
        os.kill(pid, signal.SIGSTOP)
    try:
        check(gateways, "no gateway that could hang")
        for shell in (in_bash, in_fish):
            began = time.monotonic()
            check(shell(box, "qcloud gateway cloud retire ") == [], f"{shell.__name__}: names from a gateway that hangs")
            check(time.monotonic() - began < 20, f"{shell.__name__}: it waited for a gateway that hangs")
    finally:
        for pid in gateways:
            os.kill(pid, signal.SIGCONT)
    shutil.rmtree(box.home)
    for shell in (in_bash, in_fish):
        check(shell(box, "qcloud get gen") == [], f"{shell.__name__}: names without a vault")
        check(shell(box, "qcloud gat") == ["gateway"], f"{shell.__name__}: commands without a vault")


def test():
    for shell in ("bash", "zsh", "fish"):
        check(shutil.which(shell), f"there is no {shell}: tools/setup --dev")
    with Box(k=2, n=3) as box:
        box.init("--no-passphrase")
        box.write("file one", b"x")
        os.mkdir(os.path.join(box.work, "files"))
        for name in ("genomes/p1", "genomes/p2", ODD, "with\nline"):
            box.expect(0, "put", os.path.join(box.work, "file one"), name)
        zsh = Zsh(box)
        try:
            for line, want in CASES:
                becomes("bash", lambda x: in_bash(box, x), line, want)
                becomes("fish", lambda x: in_fish(box, x), line, want)
                becomes("zsh", lambda x: zsh.complete(box, x), line, want)
        finally:
            zsh.close()
        silent(box)
    print(f"completion: {len(CASES)} lines in three shells")


main(test)
