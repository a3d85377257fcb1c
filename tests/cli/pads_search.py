#!/usr/bin/python3
"""Pad at rest, searched for: a disk's raw image (ext4 on a loop device, its journal too) and the process's memory hold nothing of what was used.
The pad is computed here by the openssl command. Without the right to mount, the files of the directory are searched."""
import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "system"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import check  # noqa: E402
from qkd_client import memory_of  # noqa: E402

HOLD = os.path.join(os.environ["QC_BIN"], os.pardir, "tests", "pads_hold")
FULL = os.environ.get("QC_FULL") == "1"
BLOCK, BLOCKS = (1048576, 64) if FULL else (65536, 5)
SANITIZED = os.environ.get("QC_SANITIZED", "0") not in ("", "0")


def run(*words, stdin=None):
    return subprocess.run(words, input=stdin, capture_output=True, timeout=120, check=True).stdout


class Key:
    """K0 of a block, and what becomes of it."""
    def __init__(self):
        self.k0 = os.urandom(32 + BLOCK)
        self.k2, self.k1 = self.k0[:32], self.k0[32:]
        self.k4 = run("openssl", "enc", "-aes-256-ctr", "-K", self.k2.hex(), "-iv", "%032x" % 2, stdin=self.k1)
        tag_key = run("openssl", "enc", "-aes-256-ctr", "-K", self.k2.hex(), "-iv", "0" * 32, stdin=bytes(32))
        self.tag = bytes.fromhex(run("openssl", "mac", "-macopt", "hexkey:" + tag_key.hex(), "Poly1305", stdin=self.k1).decode().strip())


def windows(data):
    return {data[i:i + 16] for i in range(0, len(data) - 15, 8)}


class Image:
    """All windows of it, but of pages of zeros."""
    def __init__(self, *parts):
        self.chunks = set()
        for part in parts:
            for at in range(0, len(part), 65536):
                page = part[at:at + 65536 + 8]
                if page.count(0) < len(page):
                    self.chunks |= windows(page)

    def has(self, data):
        return not self.chunks.isdisjoint(windows(data))


@contextlib.contextmanager
def disk(folder):
    """-> a directory, and a function that gives its disk's image."""
    image, place = os.path.join(folder, "image"), os.path.join(folder, "disk")
    os.mkdir(place)
    with open(image, "wb") as f:
        f.truncate((BLOCKS * BLOCK * 2 + 8 * 2 ** 20) // 4096 * 4096)
    mounted = shutil.which("mkfs.ext4") is not None and os.geteuid() == 0
    if mounted:
        run("mkfs.ext4", "-q", "-F", image)
        mounted = subprocess.run(["mount", "-o", "loop", image, place], capture_output=True, timeout=60, check=False).returncode == 0
    state = {"mounted": mounted}

    def look():
        if mounted:
            if state["mounted"]:
                os.sync()
                run("blockdev", "--flushbufs", run("findmnt", "-no", "SOURCE", place).decode().strip())
            with open(image, "rb") as f:
                return Image(f.read())
        parts = []
        for at, _, names in os.walk(place):
            for name in names:
                with open(os.path.join(at, name), "rb") as f:
                    parts.append(f.read())
        return Image(*parts)

    def away():
        if state["mounted"]:
            run("umount", place)
            state["mounted"] = False
    try:
        print("a raw image" if mounted else "no loop mounts here: files only", flush=True)
        yield os.path.join(place, "pool"), look, away
    finally:
        if state["mounted"]:
            subprocess.run(["umount", "-l", place], timeout=60, check=False)


class Hold:
    def __init__(self, pool):
        r, self.keys = os.pipe()
        self.p = subprocess.Popen(["/bin/sh", "-c", f'exec "$0" "$1" "$2" 3<&{r}', HOLD, pool, str(BLOCK)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, pass_fds=[r])
        os.close(r)

    def say(self, line):
        self.p.stdin.write(line + "\n")
        self.p.stdin.flush()
        return self.hear()

    def hear(self):
        answer = self.p.stdout.readline()
        check(answer.startswith("ok "), "it ended: " + answer)
        return answer.split()[1:]

    def fill(self, key):
        self.p.stdin.write("fill\n")
        self.p.stdin.flush()
        with open(self.keys, "wb", closefd=False, buffering=0) as f:
            rest = memoryview(key.k0)
            while rest:
                rest = rest[f.write(rest):]
        return int(self.hear()[0])

    def memory(self):
        return Image(*memory_of(self.p.pid))


def sha(data):
    return hashlib.sha256(data).hexdigest()


def scenario(folder):
    with disk(folder) as (pool, look, away):
        keys = [Key() for _ in range(BLOCKS)]
        h = Hold(pool)
        for i, k in enumerate(keys):
            check(h.fill(k) == i + 1, "numbers")
        with open(os.path.join(pool, "seg-1.k1"), "rb") as f:
            check(f.read() == keys[0].k1 + keys[0].tag, "K1 and its tag, as openssl computes them")
        image = look()
        check(all(image.has(k.k1) for k in keys), "the search finds what is there")
        check(not any(image.has(k.k2) or image.has(k.k4) for k in keys), "the disk has K1 alone")
        check(h.say("counts")[:2] == [str(BLOCKS), str(BLOCKS * BLOCK)], "counts")

        for k in keys[:2]:                          # spent
            check(h.say(f"take {BLOCK}") == [sha(k.k4)], "the pad")
        half = BLOCK // 2
        check(h.say(f"take {half}") == [sha(keys[2].k4[:half])], "half of the third")
        if not SANITIZED:                           # what is freed there stays
            memory = h.memory()
            check(memory.has(keys[3].k2) and memory.has(keys[2].k2), "the search finds K2 of what can still be taken")
            for i, k in enumerate(keys):
                if i != 3:                      # the next one is read ahead (ADR 51)
                    check(not memory.has(k.k1), f"K1 of block {i + 1} is in memory")
                check(i >= 2 or not memory.has(k.k2), f"K2 of block {i + 1} is in memory")
                check(i == 2 or not memory.has(k.k4), f"pad of block {i + 1} is in memory")
            check(not memory.has(keys[2].k4[:half]), "pad that was taken is in memory")
        image = look()
        check(not any(image.has(k.k1) for k in keys[:2]), "K1 of what is spent is on the disk")
        check(not any(image.has(k.k2) or image.has(k.k4) for k in keys), "K2 or pad is on the disk")
        if not SANITIZED:
            h.say(f"hold {half - 8}")
            check(h.memory().has(keys[2].k4[half:]), "the search finds pad that is held")

        h.p.kill()
        h.p.wait()
        os.close(h.keys)
        image = look()
        check(not any(image.has(k.k2) or image.has(k.k4) for k in keys), "after kill -9 too")
        check(all(image.has(k.k1) for k in keys[3:]), "orphans, until the next start")
        h = Hold(pool)
        lost = BLOCKS - 3
        check(h.say("counts")[:4] == ["0", "0", "1", str(lost)], "without K2 all is lost")
        h.p.stdin.close()
        check(h.p.wait(60) == 0, "it ends well")
        os.close(h.keys)
        for _ in range(2):
            image = look()
            check(not any(image.has(part) for k in keys for part in (k.k1, k.k2, k.k4)), "something is left on the disk")
            away()


if __name__ == "__main__":
    where = tempfile.mkdtemp(prefix="qcloud-test-")
    try:
        scenario(where)
    finally:
        shutil.rmtree(where, ignore_errors=True)
