#!/usr/bin/python3
"""I5: keys of clouds and passphrases are in no argument list, environment, log, message, file of ours or object on a cloud; in memory they
are in locked pages that no core dump holds, and nowhere else. Everything that the programs start with, say, write and keep in memory is
searched for them, raw, hex and base64, while both work and after they have ended. The search is first tried on planted canaries, which
it must find, in each of those places."""
import base64
import contextlib
import ctypes
import mmap
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
from clouds import Clouds                                       # noqa: E402
from harness import GATEWAY, QCLOUD, Box, Failure, check, files, main    # noqa: E402
from s3_ask import ask                                          # noqa: E402

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "api"))
from server import Guest, ManyUsers                             # noqa: E402
from users import User                                          # noqa: E402

W = 8           # bytes: a stretch of 2 W - 1 of a secret holds one of these pieces


def pieces(secret):
    return {secret[i:i + W] for i in range(0, len(secret) - W + 1, W)}


def forms(secret):
    """A secret as it is, in hex, and in base64 at each offset."""
    yield secret
    yield secret.hex().encode()
    yield secret.hex().upper().encode()
    for lead in range(3):
        text = base64.b64encode(bytes(lead) + secret)[4 if lead else 0:].rstrip(b"=")[:-1]
        yield text
        yield text.replace(b"+", b"-").replace(b"/", b"_")


class Search:
    def __init__(self, wanted):
        """wanted: {name: secret bytes}"""
        self.raw = [(name, p) for name, s in wanted.items() for p in pieces(s)]
        self.all = [(name, p) for name, s in wanted.items() for p in sorted(set().union(*(pieces(f) for f in forms(s))))]

    def hits(self, data):
        return {name for name, p in self.all if p in data}

    def raw_hits(self, data):
        """Enough for memory, where nobody has a reason to write a secret as text, and of which there is much."""
        return {name for name, p in self.raw if p in data}

    def clean(self, what, data):
        found = self.hits(data)
        check(not found, f"{what} holds {sorted(found)}")
        return len(data)

    def files(self, top, but=()):
        size = 0
        for path in files(top):
            if path in but or not os.path.isfile(path):
                continue
            with contextlib.suppress(FileNotFoundError), open(path, "rb") as f:
                size += self.clean(path, f.read())
                self.clean(f"the name {path}", os.fsencode(path))
        return size


# ---------------------------------------------------------------- processes
def maps(pid):
    """(start, end, flags) of what a process may read."""
    with open(f"/proc/{pid}/smaps", encoding="ascii", errors="replace") as f:
        start = end = 0
        perms = ""
        for line in f:
            head = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+)", line)
            if head:
                start, end, perms = int(head[1], 16), int(head[2], 16), head[3]
            elif line.startswith("VmFlags:") and perms.startswith("r"):
                yield start, end, set(line.split()[1:])


def memory(pid):
    """All of its memory that can be read: (start, flags, bytes). The secret pages may be without any right while nobody uses them."""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for start, end, flags in maps(pid):
            with contextlib.suppress(OSError, OverflowError, ValueError):
                mem.seek(start)
                yield start, flags, mem.read(end - start)


LOCKED = {"lo", "dd"}           # mlock, and MADV_DONTDUMP


def hidden(pid):
    """Does the system keep us from looking? Programs that must not be dumped show their memory to root alone."""
    try:
        open(f"/proc/{pid}/mem", "rb").close()
        return False
    except PermissionError:
        check(os.geteuid() != 0, "root may not look at a process")
        return True


def look_at_memory(search, pid, what):
    """Secrets stand in locked pages that no dump holds, or nowhere. Returns the names of those that were seen there."""
    seen, size = set(), 0
    for start, flags, data in memory(pid):
        size += len(data)
        found = search.raw_hits(data)
        seen |= found
        check(not found or LOCKED <= flags, f"{what}: {sorted(found)} in ordinary memory at {start:#x} ({sorted(flags)})")
    check(size > 1 << 20, f"{what}: only {size} bytes of memory were seen")
    return seen


def look_until_clean(search, pid, what):
    """Who has an answer is a step ahead of the thread that gave it, and that wipes and ends afterwards: on a busy machine seconds ahead."""
    until = time.monotonic() + 120
    while True:
        try:
            with stopped(pid):
                look_at_memory(search, pid, what)
            return
        except Failure:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def look_at_start(search, pid, what):
    for name in ("cmdline", "environ"):
        with open(f"/proc/{pid}/{name}", "rb") as f:
            search.clean(f"{name} of {what}", f.read())


@contextlib.contextmanager
def stopped(pid):
    os.kill(pid, signal.SIGSTOP)
    try:
        end = time.monotonic() + 120
        while True:
            with open(f"/proc/{pid}/stat", "rb") as f:
                if f.read().rsplit(b")", 1)[1].split()[0] == b"T":
                    break
            check(time.monotonic() < end, "a process does not stop")
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


# ---------------------------------------------------------------- the search finds what is there
HOLDER = "import os, sys, mmap; keep = bytes.fromhex(sys.stdin.readline()); print('ready', flush=True); sys.stdin.readline()"


def test_search(top):
    """Canaries in each place that is searched later."""
    canary = os.urandom(30)
    search = Search({"canary": canary})

    def finds(what, looking):
        try:
            looking()
        except Failure as e:
            check("canary" in str(e), f"{what}: {e}")
            return
        check(False, f"the search does not find a canary in {what}")

    for i, form in enumerate((canary, canary.hex().encode(), canary.hex().upper().encode(), base64.b64encode(canary), b"x" + base64.b64encode(b"y" + canary),
                              base64.urlsafe_b64encode(b"yy" + canary), canary[9:8 + 2 * W])):
        folder = os.path.join(top, f"canary{i}")
        os.mkdir(folder)
        with open(os.path.join(folder, "file"), "wb") as f:
            f.write(b"some text " + form + b" and more")
        finds(f"a file ({i})", lambda folder=folder: search.files(folder))
        shutil.rmtree(folder)
    folder = os.path.join(top, canary.hex())
    os.mkdir(folder)
    open(os.path.join(folder, "x"), "wb").close()
    finds("the name of a file", lambda: search.files(folder))
    shutil.rmtree(folder)
    for argv, env in (([canary.hex()], {}), ([], {"X": canary.hex()})):
        p = subprocess.Popen([sys.executable, "-c", "input()", *argv], env={**os.environ, **env}, stdin=subprocess.PIPE)
        end = time.monotonic() + 120
        while b"input()" not in open(f"/proc/{p.pid}/cmdline", "rb").read():      # until it has begun
            check(time.monotonic() < end, "a process does not begin")
        finds("an argument list" if argv else "an environment", lambda p=p: look_at_start(search, p.pid, "a process"))
        p.communicate(b"\n")
    p = subprocess.Popen([sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    p.stdin.write(canary.hex().encode() + b"\n")
    p.stdin.flush()
    p.stdout.readline()
    finds("memory", lambda: look_at_memory(search, p.pid, "a process"))
    p.communicate(b"\n")
    # Locked and kept out of dumps: seen, and no reason to complain.
    libc = ctypes.CDLL(None, use_errno=True)
    page = mmap.mmap(-1, mmap.PAGESIZE)
    at = ctypes.addressof(ctypes.c_char.from_buffer(page))
    check(libc.mlock(ctypes.c_void_p(at), mmap.PAGESIZE) == 0 and libc.madvise(ctypes.c_void_p(at), mmap.PAGESIZE, 16) == 0, "mlock")
    page[:len(canary)] = canary
    flags = [f for start, f, data in memory(os.getpid()) if start <= at < start + len(data)]
    check(flags and LOCKED <= flags[0], f"a locked page is not seen as such: {flags}")


# ---------------------------------------------------------------- the programs
SHIM = """#!/bin/sh
# What the gateway is started with, before it starts.
{{ tr '\\0' '\\n' < /proc/$$/cmdline; tr '\\0' '\\n' < /proc/$$/environ; }} > {log}/start.$$
exec {gateway} "$@"
"""


class Programs:
    """qcloud and a qcloud-gateway that notes its arguments and environment, over one S3 bucket, one by SigV2, and a directory."""

    def __init__(self, box, clouds):
        self.box, self.said = box, []
        self.bin, self.starts = os.path.join(box.root, "bin"), os.path.join(box.root, "starts")
        os.mkdir(self.bin)
        os.mkdir(self.starts)
        shutil.copy(QCLOUD, self.bin)
        shim = os.path.join(self.bin, "qcloud-gateway")
        with open(shim, "w", encoding="ascii") as f:
            f.write(SHIM.format(log=self.starts, gateway=GATEWAY))
        os.chmod(shim, 0o755)
        self.keys = []
        for n in (1, 2):
            self.keys.append(box.write(f"keys{n}", open(clouds[n].credentials, "rb").read()))
            os.chmod(self.keys[-1], 0o600)
        self.phrase = base64.urlsafe_b64encode(os.urandom(24)).decode()
        self.phrase_file = box.write("phrase", self.phrase.encode() + b"\n")
        self.log = os.path.join(box.root, "log")
        self.env = box.env(QCLOUD_PASSPHRASE_COMMAND=f"cat {self.phrase_file}", QCLOUD_LOG_FILE=self.log)
        self.own = {*self.keys, self.phrase_file}

    def start(self, *args, **kw):
        return subprocess.Popen([os.path.join(self.bin, "qcloud"), *args], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kw)

    def run(self, code, *args):
        p = self.start(*args, stdin=subprocess.DEVNULL)
        out, err = p.communicate(timeout=120)
        self.said += [out, err]
        check(p.returncode == code, f"{args}: exit {p.returncode}: {err.decode()}")


def passes(programs, clouds):
    """The whole life of a vault, quick."""
    box = programs.box
    places = ["--cloud", f"one={clouds[1].url}", "--cloud-credentials", f"one={programs.keys[0]}",
              "--cloud", f"two={clouds[2].v2_url}", "--cloud-credentials", f"two={programs.keys[1]}", "--cloud", f"disk=file://{box.clouds[0]}"]
    programs.run(0, "init", "--local", *places, "--share1", box.stores[0], "--share2", box.stores[1], "--memory", "64")
    programs.run(0, "put", box.write("a", os.urandom(3 << 20)), "a")
    programs.run(0, "get", "-f", "a", os.path.join(box.work, "b"))
    programs.run(0, "-v", "--json", "status")
    programs.run(0, "gateway", "cloud", "ls")
    programs.run(0, "gateway", "cloud", "validate", "one")
    programs.run(12, "gateway", "cloud", "set", "one", "--credentials", programs.keys[1])
    programs.run(0, "gateway", "rebuild")
    os.chmod(programs.keys[0], 0o644)
    programs.run(12, "gateway", "cloud", "validate", "one")
    os.chmod(programs.keys[0], 0o600)


def at_work(programs, search):
    """Both programs stand still in the middle of a put, with all that they need in memory."""
    box = programs.box
    p = programs.start("put", "-", "long", stdin=subprocess.PIPE)
    feeder = threading.Thread(target=feed, args=(p.stdin, 20 << 20), daemon=True)
    feeder.start()
    gateway = wait_for_gateway(box)
    feeder.join(60)
    seen = set()
    for pid, what in ((p.pid, "qcloud"), (gateway, "qcloud-gateway")):
        if hidden(pid):
            seen |= {"key 1", "key 2"}
            continue
        with stopped(pid):
            look_at_start(search, pid, what)
            seen |= look_at_memory(search, pid, what)
    p.stdin.close()
    out, err = p.stdout.read(), p.stderr.read()
    programs.said += [out, err]
    check(p.wait(60) == 0, f"put: {err.decode()}")
    check({"key 1", "key 2"} <= seen, f"the keys were not seen where they should be: {seen}")    # or the look at memory shows nothing
    return gateway


def feed(pipe, size):
    piece = os.urandom(1 << 20)
    for _ in range(size >> 20):
        pipe.write(piece)
    pipe.flush()


def wait_for_gateway(box):
    end = time.monotonic() + 60
    while True:
        for pid in box.processes():
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{pid}/exe") == os.path.realpath(GATEWAY):
                    return pid
        check(time.monotonic() < end, "no gateway")
        time.sleep(0.02)


def tokens():
    """A gateway for many users: what opens it stands in the users' own files, and nowhere where it runs once it has been looked at."""
    with ManyUsers(3, 2, tls=True) as server:
        first = server.add("ann")           # sixteen bytes that all tokens begin with, and 64 that are secret
        wrong = first[:-32] + os.urandom(16).hex()
        path = os.path.join(server.root, "ann.second")
        answers = [Guest(server, "ann", way).request("GET", "/v1/vaults") for way in ("socket", "port") for _ in range(20)]
        check(all(a.status == 200 for a in answers), f"{answers[0]}")
        server.tokens["ann"] = wrong
        answers += [Guest(server, "ann", way).request("GET", "/v1/vaults") for way in ("socket", "port")]
        check(answers[-1].status == 401, f"{answers[-1]}")
        server.run("tenant", "token", "ann", "--token-file", path, "--state", server.state)
        with open(path, encoding="ascii") as f:
            server.tokens["ann"] = f.read().strip()
        kept = [server.door("port") for _ in range(8)]      # connections that stay, after an answer: each has memory of its own
        for door in kept:
            door.request("GET", "/v1/vaults", headers=Guest(server, "ann").headers())
            answer = door.getresponse()
            check(answer.status == 200 and answer.read() is not None, "the new token")
        search = Search({"token": first[-64:].encode(), "wrong token": wrong[-32:].encode(), "new token": server.tokens["ann"][-64:].encode()})
        for a in answers:
            search.clean("an answer", a.body + repr(list(a.headers.items())).encode())
        pid = server.process.pid
        look_at_start(search, pid, "qcloud-gateway serve")
        if not hidden(pid):
            look_until_clean(search, pid, "a gateway for many users")
        for door in kept:
            door.close()
        said = users_token(server, path)
        size = search.files(server.root, {path, os.path.join(server.root, "ann.token")})
        print(f"3 tokens; {size >> 10} KiB of files, {len(answers) + len(kept)} answers, {said} outputs, and the gateway's memory: none holds one")


def stack_pointers(pid):
    for task in os.listdir(f"/proc/{pid}/task"):
        words, end = [], time.monotonic() + 120
        while len(words) < 3:               # "running": it has not seen the signal yet
            check(time.monotonic() < end, "a thread does not stop")
            with open(f"/proc/{pid}/task/{task}/syscall", encoding="ascii") as f:
                words = f.read().split()
        yield int(words[-2], 16)


def no_copy(pid, token):
    """The token is in locked memory, and in no other but stacks: the dynamic linker puts registers aside there, in which a library was copying
    a request."""
    pieces, kept = {token[i:i + 16] for i in range(16, len(token) - 15)}, 0
    stacks = list(stack_pointers(pid))
    for start, flags, data in memory(pid):
        if any(p in data for p in pieces) and not any(start <= sp < start + len(data) for sp in stacks):
            check(LOCKED <= flags, f"qcloud keeps the token in ordinary memory at {start:#x} ({sorted(flags)})")
            kept += 1
    check(kept > 0, "the token was not seen where it should be")


def users_token(server, token_file):
    """The same of the user's program, which sends it: from its file, and from a command. How many outputs were looked at."""
    search = Search({"token": server.tokens["ann"][-64:].encode()})
    with User(server, "ann", f"https://localhost:{server.port}", "--ca", server.cert) as user:
        user.token = token_file
        said = [said_by(user.init("-v"))]
        user.write("a", os.urandom(1 << 20))
        said += [said_by(user.expect(0, "-v", "--json", *command)) for command in (("put", os.path.join(user.work, "a")), ("status",), ("gateway", "status"))]
        with open(token_file, "rb") as f:       # what is wrong is not told either
            broken = user.write("broken", f.read()[:-2])
        os.chmod(broken, 0o600)
        said.append(said_by(user.expect(12, "-v", "ls", env={"QCLOUD_TOKEN_FILE": broken})))
        os.unlink(broken)
        for env in ({}, {"QCLOUD_TOKEN_COMMAND": f"cat {token_file}"}):
            p = user.start("-v", "put", "-", "long", stdin=subprocess.PIPE, env=env)
            feed(p.stdin, 1 << 20)
            time.sleep(1)                       # until it waits, between requests: a header of one that is under way is the library's
            look_at_start(search, p.pid, "qcloud")
            if not hidden(p.pid):
                with stopped(p.pid):
                    no_copy(p.pid, server.tokens["ann"].encode())
            feed(p.stdin, 19 << 20)
            if env:
                no_core(p.pid, server.root)     # it goes as it stands, with all that it needs in memory
            out = p.communicate(timeout=60)
            check(p.returncode == (-signal.SIGABRT if env else 0), f"put: exit {p.returncode}: {out[1].decode()}")
            said += out
        check(search.files(user.root) > 1 << 20, "the user's files were not looked at")
    for i, text in enumerate(said):
        search.clean(f"output {i}", text)
    return len(said)


def said_by(p):
    return p.stdout + p.stderr


def no_core(pid, top):
    """Not even where somebody who may do so lifts the limit: the process says that it must not be dumped."""
    check(resource.prlimit(pid, resource.RLIMIT_CORE) == (0, 0), "a program may write a core file")
    with contextlib.suppress(PermissionError):
        resource.prlimit(pid, resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    os.kill(pid, signal.SIGABRT)
    end = time.monotonic() + 120
    while Box.alive(pid):
        check(time.monotonic() < end, "a program does not end")
        time.sleep(0.01)
    cores = [f for f in files(top) if os.path.basename(f).startswith("core")]
    check(not cores, f"there are core files: {cores}")


def test():
    with Clouds(2) as clouds, Box(k=2, n=3) as box:
        test_search(box.root)
        programs = Programs(box, clouds)
        wanted = {"key 1": clouds[1].keys()[1].encode(), "key 2": clouds[2].keys()[1].encode(), "passphrase": programs.phrase.encode()}
        search = Search(wanted)
        passes(programs, clouds)
        gateway = at_work(programs, search)
        for i, text in enumerate(programs.said):
            search.clean(f"output {i}", text)
        no_core(gateway, box.root)
        size = search.files(box.root, programs.own)
        check(os.path.getsize(programs.log) > 1000, "the log of messages has nothing to look at")
        starts = os.listdir(programs.starts)
        check(len(starts) >= 8, f"only {len(starts)} starts of the gateway were noted")
        for n in (1, 2):
            for key in clouds.list(n):
                size += search.clean(f"object {key} of cloud {n}", ask(clouds[n], "GET", key))
        print(f"{len(wanted)} secrets; {size >> 20} MiB of files and objects, {len(starts)} starts of the gateway, {len(programs.said)} outputs: none holds one")
        box.stop()
    tokens()


main(test)
