"""What the system tests share: a vault of directory clouds in a temporary folder, driven only through the programs.

A Box owns its folder and ends only processes that work beneath it. Nothing here talks to a network.
"""
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

BIN = os.environ.get("QC_BIN", "")
QCLOUD = os.path.join(BIN, "qcloud")
GATEWAY = os.path.join(BIN, "qcloud-gateway")
FULL = os.environ.get("QC_FULL") == "1"


def part_of(usual):
    """The part that QC_FULL=1 takes of what would last for hours; QC_PART=0.1, or =1 for all, says another one. It is printed."""
    part = float(os.environ.get("QC_PART") or usual) if FULL else 1
    if FULL:
        print(f"a part of {part} of all: QC_PART=1 takes all of it", flush=True)
    return part


class Failure(Exception):
    pass


def check(condition, text):
    if not condition:
        raise Failure(text)


def seeded(name):
    """A generator whose seed is printed, and can be given again by QC_SEED."""
    seed = int(os.environ.get("QC_SEED") or time.time_ns() % (1 << 32))
    print(f"{name}: QC_SEED={seed}", flush=True)
    return random.Random(seed)


class Box:
    def __init__(self, k=3, n=5, keep=False, root=None, at=None):
        """at: this very directory, which is made."""
        if at:
            os.mkdir(at)
        self.root = at or tempfile.mkdtemp(prefix="qcloud-test-", dir=root or os.environ.get("QC_TMP"))
        self.k, self.n, self.keep = k, n, keep
        self.extra = {}         # variables of every program
        self.home = os.path.join(self.root, "home")
        self.clouds = [os.path.join(self.root, f"cloud{i}") for i in range(1, n + 1)]
        self.stores = [os.path.join(self.root, f"share{i}") for i in (1, 2)]
        self.work = os.path.join(self.root, "work")
        os.mkdir(self.work)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        if not self.keep:
            shutil.rmtree(self.root, ignore_errors=True)

    # ------------------------------------------------------------ programs
    def env(self, **extra):
        e = {k: v for k, v in os.environ.items() if not k.startswith("QCLOUD")}
        e.update(QCLOUD_HOME=self.home, HOME=self.root, LC_ALL="C.UTF-8", **{**self.extra, **extra})
        return e

    def start(self, *args, env=None, wrap=(), program=QCLOUD, **kw):
        """wrap: words before the command, a debugger's say."""
        return subprocess.Popen([*wrap, program, *map(os.fspath, args)], env=self.env(**(env or {})), stdin=kw.pop("stdin", subprocess.DEVNULL),
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kw)

    def run(self, *args, env=None, timeout=120, input=None):
        p = subprocess.run([QCLOUD, *map(os.fspath, args)], env=self.env(**(env or {})), timeout=timeout, input=input,
                           stdin=subprocess.DEVNULL if input is None else None, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return p

    def expect(self, code, *args, **kw):
        p = self.run(*args, **kw)
        codes = code if isinstance(code, tuple) else (code,)
        check(p.returncode in codes, f"qcloud {' '.join(map(str, args))}: exit {p.returncode}, expected {code}\n"
                                     f"{p.stdout.decode(errors='replace')[-2000:]}{p.stderr.decode(errors='replace')[-4000:]}")
        return p

    def init(self, *extra):
        clouds = [a for i, c in enumerate(self.clouds, 1) for a in ("--cloud", f"c{i}=file://{c}")]
        return self.expect(0, "init", "--local", *clouds, "--k", str(self.k), "--share1", self.stores[0], "--share2", self.stores[1], *extra)

    # ------------------------------------------------------------ processes
    def processes(self, program=b"qcloud-gateway"):
        """Processes of ours that name this box on their command line or in their environment."""
        mark = os.fsencode(self.root)
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    argv = f.read().split(b"\0")
                if os.path.basename(argv[0]) == program and any(mark in a for a in argv):
                    yield int(pid)

    def stop(self, sig=signal.SIGKILL, programs=(b"qcloud-gateway",)):
        pids = [pid for program in programs for pid in self.processes(program)]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sig)
        end = time.monotonic() + 120
        while any(self.alive(pid) for pid in pids):
            check(time.monotonic() < end, "a gateway does not end")
            time.sleep(0.005)

    @staticmethod
    def alive(pid):
        """A process lives, and holds its locks, as long as one of its threads does: its first may be dead before the others."""
        try:
            with open(f"/proc/{pid}/stat", "rb") as f:
                if f.read().rsplit(b")", 1)[1].split()[0] not in (b"Z", b"X"):
                    return True
            return len(os.listdir(f"/proc/{pid}/task")) > 1
        except OSError:
            return False

    def journal(self):
        """The puts that are under way, or were left open: the next writing command settles these."""
        folder = os.path.join(self.home, "state", "journal")
        return set(os.listdir(folder)) if os.path.isdir(folder) else set()

    # ------------------------------------------------------------ files and losses
    def write(self, name, data):
        path = os.path.join(self.work, name)
        with open(path, "wb") as f:
            f.write(data)
        return path

    def put_all(self, data):
        """Each of {name: bytes}; all clouds are there."""
        for name, d in data.items():
            self.expect(0, "put", self.write("in", d), name)

    def write_tree(self, data):
        """A folder with these files, and no others; its path."""
        tree = os.path.join(self.work, "tree")
        shutil.rmtree(tree, ignore_errors=True)
        for name, d in data.items():
            path = os.path.join(tree, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as f:
                f.write(d)
        return tree

    def put_tree(self, data):
        """The same as a tree, in one command: small files are put together."""
        tree = self.write_tree(data)
        self.expect(0, "put", "-r", tree, "/")
        shutil.rmtree(tree)

    def get(self, name, code=0, **kw):
        """The object's bytes, or None where nothing was (and may have been) written."""
        out = os.path.join(self.work, "out")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(out)
        p = self.expect(code, "get", name, out, **kw)
        if not os.path.exists(out):
            check(p.returncode != 0, f"get {name}: exit 0 and no file")
            left = [f for f in os.listdir(self.work) if f.startswith("out")]
            stays = ["out.part"] if b"'out.part' stays, with " in p.stderr else []      # and the next get goes on from there
            check(left == stays, f"get {name}: left {left} behind, and said {stays}")
            return None
        check(p.returncode == 0, f"get {name}: exit {p.returncode} and a file under the final name")
        with open(out, "rb") as f:
            return f.read()

    def get_all(self, code=0):
        """All objects at once. -> {name: bytes}"""
        out = os.path.join(self.work, "all")
        self.expect(code, "get", "-r", "", out)
        got = {}
        for path in files(out):
            with open(path, "rb") as f:
                got[os.path.relpath(path, out)] = f.read()
        shutil.rmtree(out)
        return got

    @contextlib.contextmanager
    def lost(self, *paths):
        """These directories are gone inside the block, and back, bit for bit, after it."""
        moved = []
        self.stop()
        for p in paths:
            os.rename(p, p + ".away")
            moved.append(p)
        try:
            yield
        finally:
            self.stop()
            for p in moved:
                if os.path.exists(p):
                    shutil.rmtree(p)
                os.rename(p + ".away", p)


class Known:
    """What one user knows of each name: what was acknowledged (acked: name -> bytes), and what got no answer, in the order in which it was
    asked for (maybe: name -> list of bytes; None: a removal). That is there as a whole or not, and may come to be later, until something
    says how it ended; what was seen once is never undone."""

    def __init__(self):
        self.acked, self.maybe = {}, {}

    def is_now(self, name, data):
        """Acknowledged, or seen: nothing that was asked for before it comes after it."""
        self.acked[name] = data
        if data is None:
            del self.acked[name]

    def acknowledge(self, name, data):
        self.is_now(name, data)
        self.maybe.pop(name, None)

    def unanswered(self, name, data, err=None):
        """err: what a command said that came to its end. A put that is not said to be open will never be."""
        if data is None or err is None or any(c in err for c in (b"E0516", b"E0517", b"E1103", b"E13006")):
            self.maybe.setdefault(name, []).append(data)

    def may_be(self, name):
        return [self.acked.get(name), *self.maybe.get(name, [])]

    def saw(self, name, got, settled):
        """got is one of may_be(name). settled: no put was open any more when it was looked for."""
        rest = self.maybe.pop(name, [])
        if got != self.acked.get(name):
            rest = rest[rest.index(got) + 1:]
            self.is_now(name, got)
        rest = [d for d in rest if d is None or not settled]
        if rest:
            self.maybe[name] = rest


def small_files(rng, count=9):
    """{name: bytes} of files that are put together."""
    return {f"small {i % 2}/{i}": rng.randbytes(rng.choice((0, 1, 500, 4096, 30_000))) for i in range(count)}


def flip(path, offset, bit):
    with open(path, "r+b") as f:
        f.seek(offset)
        b = f.read(1)[0]
        f.seek(offset)
        f.write(bytes([b ^ (1 << bit)]))


def files(top):
    for d, _, names in os.walk(top):
        for n in sorted(names):
            yield os.path.join(d, n)


def second_reader(box, data):
    """The gateway stops. The second reader sees these objects and no trouble, and each cloud has as many fragments as any other."""
    box.stop(signal.SIGTERM)
    read_again(box.clouds, [(box.stores, data)])


def read_again(clouds, vaults):
    """By the second reader: (share stores, objects) of each vault on these clouds, while no gateway runs."""
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "reader"))
    import qcloud_reader as reader
    archive = reader.Archive(clouds)
    for stores, data in vaults:
        vault = reader.Vault(archive, stores)
        opened = {name.decode(): vault.open(e) for name, e in vault.entries()}
        got = {name: b"".join(o.data()) for name, o in opened.items() if not o.folder}
        check(got == data, "the second reader sees something else")
    check(not archive.trouble, f"trouble: {archive.trouble}")
    counts = {sum(1 for _ in files(os.path.join(c, "f"))) for c in clouds}
    check(len(counts) == 1, f"clouds with different numbers of fragments: {counts}")


def main(test):
    check(os.access(QCLOUD, os.X_OK) and os.access(GATEWAY, os.X_OK), "QC_BIN must name the folder of the programs")
    try:
        test()
    except Failure as e:
        print(f"FAILED: {e}", file=sys.stderr)
        sys.exit(1)
