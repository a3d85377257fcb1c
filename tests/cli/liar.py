#!/usr/bin/python3
"""qcloud at a gateway for many users that lies: a door between the two gives other answers, one lie at a time. Each command ends with an error, in
time and within its memory; nothing of an answer moves the terminal, and the token goes to nobody else."""
import itertools
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import threading

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "system"))
sys.path.insert(0, os.path.join(TOP, "tests", "cli"))
from doors import PATIENCE_S, Door  # noqa: E402
from harness import QCLOUD, Failure, check, main  # noqa: E402
from users import User, api, said  # noqa: E402

AT_ONCE = 16
SANITIZED = os.environ.get("QC_SANITIZED") == "1"       # which take more memory
ESCAPE = "\x1b[31m\x07\r\nE0000 all is well\u202e"


# ---------------------------------------------------------------- lies
def answer(body, status="200 OK", headers=""):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(data)}\r\n\r\n".encode() + data


def endless(head, piece):
    return lambda: itertools.chain([head], itertools.repeat(piece))


def error(name, status):
    return answer({"error": {"id": name, "message": ESCAPE, "retry": False}}, status)


def any_call(elsewhere):
    """(name, answer) that no call may believe."""
    http1 = b"HTTP/1.1 200 OK\r\n"
    for code in (301, 302, 307, 308):
        yield f"go elsewhere: {code}", answer(b"", f"{code} X", f"Location: {elsewhere}/v1/health\r\n")
    yield "no HTTP", bytes(range(256)) * 64
    yield "no bytes", b""
    yield "HTTP/0.9", b'{"ok":true}'
    yield "headers without an end", endless(http1, b"X: " + b"y" * 60000 + b"\r\n")
    yield "a header without an end", endless(http1 + b"X: ", b"y" * 60000)
    yield "a body without an end", endless(http1 + b"\r\n", b" " * 60000)
    yield "chunks without an end", endless(http1 + b"Transfer-Encoding: chunked\r\n\r\n", b"ffff\r\n" + b"[" * 65535 + b"\r\n")
    yield "a chunk of any size", http1 + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\n{}"
    yield "two lengths", http1 + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"
    yield "a body longer than any", http1 + b"Content-Length: 9223372036854775807\r\n\r\n{}"
    yield "a length below nothing", http1 + b"Content-Length: -1\r\n\r\n{}"
    yield "continue, for ever", endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100)
    yield "zip", answer(b"\x1f\x8b\x08" + bytes(100), headers="Content-Encoding: gzip\r\n")
    yield "later, much later", answer({"error": {"id": "temporary", "message": "x", "retry": True}}, "503 X", "Retry-After: 999999999999999999999\r\n")
    yield "no status", b"HTTP/1.1 banana\r\nContent-Length: 2\r\n\r\n{}"
    yield "a refusal without an end", endless(b"HTTP/1.1 401 X\r\n\r\n", b"x" * 60000)
    for code in ("099", "204", "206", "299", "418", "600", "999"):
        yield f"status {code}", answer(b"", code + " X")
    for name, code in (("auth", "403 X"), ("format", "400 X"), ("no such id", "500 X"), ("ok", "400 X"), ("degraded", "500 X"), ("", "404 X")):
        yield f"error {name} as {code}", error(name, code)
    for text in (b"", b"null", b"[]", b"7", b'"x"', b"{}", b"{", b"[" * 60000, b'{"a":' * 30000, b'{"k":1e999}', b'{"k":1,"k":2}', b'{"error":7}', b"\xff\xfe{\x00}\x00",
                 b'{"catalogue":"\\u0000"}', b"<html>" * 1000):
        yield f"text {text[:20]}", answer(text)


def lies(elsewhere, status):
    """(name, answer, path of the call, commands). status: what is true."""
    turns = itertools.cycle((("init",), ("status",), ("ls",)))
    for name, text in any_call(elsewhere):
        yield name, text, ".*", next(turns)
    for change in ({"k": 0}, {"k": 33, "n": 33}, {"k": 3, "n": 2}, {"k": "2"}, {"k": None}, {"n": 1 << 70}, {"n": -1}, {"clouds": 5}, {"clouds": {}}):
        yield f"status {change}", answer(status | change), "/v1/status", ("init", "status")
    for change in ({"catalogue": "00"}, {"catalogue": 5}):
        yield f"status {change}", answer(status | change), "/v1/status", ("init",)
    for change in ({"objects": -1}, {"bytes": 1.5}, {"debts": 1 << 64}, {"limits": None}, {"limits": {"bytes": -1}}, {"limits": {"bytes": []}}, {"clouds": [5]}, {"clouds": status["clouds"] * 1000},
                   {"clouds": [{"name": 5, "state": "ok"}]}, {"clouds": [{"name": "x"}]}, {"margins": "x"}, {"margins": [{}]}):
        yield f"status {change}", answer(status | change), "/v1/status", ("status",)


def told(status):
    """What is not false, and shown: as text, whatever it holds."""
    yield "names that are not names", answer(status | {"clouds": [{"name": ESCAPE, "state": ESCAPE, "url": ESCAPE, "error": ESCAPE} for _ in status["clouds"]]})


# ---------------------------------------------------------------- commands
def clean(p, what):
    text = p.stdout + p.stderr
    check(not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", text), f"{what}: bytes for a terminal: {text[:600]!r}")
    check(b"\nE0000" not in text and "\u202e".encode() not in text, f"{what}: a line of the gateway's: {text[:600]!r}")
    check(p.returncode in range(15), f"{what}: exit {p.returncode}: {text[-2000:]!r}")


class Victim:
    """Machines of one user, each at a door of its own."""

    def __init__(self, user):
        self.user, self.count, self.lock = user, 0, threading.Lock()

    def machine(self, url):
        with self.lock:
            self.count += 1
            home = os.path.join(self.user.root, f"home{self.count}")
        shutil.copytree(self.user.home, home)
        path = os.path.join(home, "qcloud.conf")
        with open(path, encoding="utf-8") as f:
            text = f.read()
        with open(path, "w", encoding="utf-8") as f:
            f.write(re.sub("\ngateway = .*", "\ngateway = " + url, text))
        return home

    def run(self, url, command):
        if command == "init":
            with self.lock:
                self.count += 1
                home = os.path.join(self.user.root, f"new{self.count}")
            args = ("init", "--gateway", url, "--token-file", self.user.token, "--no-passphrase", "--share1", home + ".share1", "--share2", home + ".share2")
        else:
            home, args = self.machine(url), {"get": ("get", "kept", "-"), "put": ("put", os.path.join(self.user.work, "kept"), "new")}.get(command, (command,))
        return home, subprocess.run([QCLOUD, *args], env=self.user.env() | {"QCLOUD_HOME": home}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE, timeout=PATIENCE_S)


def one(server, victim, lie):
    name, text, path, commands = lie
    for command in commands:
        with Door(server.port, path, text) as door:
            home, p = victim.run(door.url, command)
            what = f"{name}: {command}"
            clean(p, what)
            check(door.lied > 0, f"{what}: the lie was not heard")
            check(p.returncode != 0, f"{what}: believed: {said(p)}")
            check(server.tokens["ann"][-64:] not in said(p), f"{what}: the token is told")
            check(command != "init" or not os.path.exists(os.path.join(home, "qcloud.conf")), f"{what}: a configuration was written")


def later_lies(server, victim):
    """After a true greeting: whatever a call says instead, no command says that it went well."""
    paths = ("/v1/vaults/[0-9a-f]*$", ".*/chain", ".*/entries", ".*/uploads", ".*/objects/.*", ".*/(segments|commit)")
    texts = (b"{}", b'{"head":{"count":9007199254740991,"hash":"' + b"A" * 43 + b'"},"seals":[],"more":true,"entries":[]}', b"\x00" * 1000)
    for path, text in itertools.product(paths, texts):
        for command in ("get", "put"):
            with Door(server.port, path, answer(text)) as door:
                p = victim.run(door.url, command)[1]
                what = f"{path} says {text[:20]!r}: {command}"
                clean(p, what)
                check(p.returncode != 0 or door.lied == 0, f"{what}: believed: {said(p)}")
                check(p.stdout in (b"", KEPT) or command != "get", f"{what}: wrong bytes")


KEPT = b"kept " * 1000


def run():
    with api.ManyUsers(n=3, k=2) as server, Door(server.port) as honest, Door(server.port) as elsewhere:
        try:
            with User(server, "ann", honest.url) as user:
                user.init()
                user.write("kept", KEPT)
                user.expect(0, "put", os.path.join(user.work, "kept"), "kept")
                victim = Victim(user)
                status = api.Guest(server, "ann").request("GET", "/v1/status").json()
                jobs = [lambda lie=lie: one(server, victim, lie) for lie in lies(elsewhere.url, status)]
                jobs.append(lambda: later_lies(server, victim))
                for name, text in told(status):
                    with Door(server.port, "/v1/status", text) as door:
                        p = victim.run(door.url, "status")[1]
                        clean(p, name)
                        check(b"all is well" in p.stdout, f"{name}: not shown: {said(p)}")
                turns = iter(jobs)
                lock = threading.Lock()

                def some():
                    while True:
                        with lock:
                            job = next(turns, None)
                        if job is None:
                            return
                        job()

                api.parallel([some] * AT_ONCE)
                most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
                check(SANITIZED or most <= 64 << 10, f"a command took {most} KiB of memory")
                check(elsewhere.asked == 0, "a request went where a lie sent it")
                check(user.get("kept") == KEPT, "what was stored, after all lies")
            server.stop()
        except (Failure, api.Failure):
            print(server.tail(), file=sys.stderr)
            raise
    print(f"{len(jobs)} lies: none believed; {most >> 10} MiB of memory at most")


main(run)
