#!/usr/bin/python3
"""A put that is killed goes on where it was: by the same command, over restarts of the gateway and its death at every step, without the bytes
that are durable being sent again; what is in flight when it dies, one segment at most, is all that goes twice, by the gateway's own count. The
object is the file, to the second reader as well, with an epoch for each run. A file that was changed meanwhile is begun anew and said to be, never
mixed. A get that is killed goes on, too, and fetches no more than a segment twice. With QC_FULL=1: 100 random instants of a put and 100 of a get of 2 GiB. The seed is printed."""
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "reader"))
sys.dont_write_bytecode = True
import qcloud_reader as reader                                  # noqa: E402
from harness import FULL, GATEWAY, Box, check, main, seeded     # noqa: E402

MIB = 1 << 20
SEGMENT = 16 * MIB
AT_ONCE = 1                     # segments of which a part is on its way at a time
ROOM = 64 * 1024                # of JSON, headers and tag tables
SENT = "qcloud_http_sent_bytes_total"
OPENING = MIB + 256 * 1024
SIZE = 3 * SEGMENT + 12345      # four segments
KILLS, INSTANTS = 100, 4
GIB2 = 2 << 30


class Vault(Box):
    def gateway(self, script=None):
        """By hand, so that it stays when clients die, and only it has the script."""
        self.stop()
        r, w = os.pipe()
        env = self.env(**({"QC_FAULT": script} if script else {}))
        self.serving = subprocess.Popen([GATEWAY, "serve", "--state", self.state, "--idle", "3600", "--ready-fd", str(w)], pass_fds=(w,), env=env,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(w)
        with os.fdopen(r, "rb") as f:
            f.read(5)
        self.looks = 0          # bytes of its answers that `counted` got

    def counted(self, name):
        """One of the gateway's own counts; of what it has sent, but for the looks at its counts."""
        s = socket.socket(socket.AF_UNIX)
        here = os.open(self.state, os.O_PATH)
        try:
            s.connect(f"/proc/self/fd/{here}/gateway.sock")
            s.sendall(b"GET /metrics HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n")
            text = b"".join(iter(lambda: s.recv(65536), b"")).split(b"\r\n\r\n", 1)[1]
        finally:
            os.close(here)
            s.close()
        count = int(re.search(rb"^%s (\d+)$" % name.encode(), text, re.M).group(1))
        looks, self.looks = self.looks, self.looks + len(text)
        return count - looks if name == SENT else count

    def quiet(self, name="qcloud_http_received_bytes_total"):
        """Bytes of requests' bodies that this gateway has read, or of answers' bodies that it has sent. What dead clients have left in
        sockets is read: the count stands still."""
        was, now = -1, self.counted(name)
        end = time.monotonic() + 60
        while now != was:
            check(time.monotonic() < end, f"{name} does not stand still: {was}, then {now}")
            time.sleep(0.02)
            was, now = now, self.counted(name)
        return now

    def sent(self):
        return self.quiet(SENT)

    def die(self, *args, script=None, after=None):
        """A command that is killed at a point, or after some time. False: it came to its end before that."""
        p = self.start(*args, env={"QC_FAULT": script} if script else {})
        if after is not None:
            try:
                p.wait(timeout=after)
            except subprocess.TimeoutExpired:
                p.kill()
        _, err = p.communicate(timeout=120)
        check(p.returncode in (-9, 0), f"{args} {script}: exit {p.returncode}\n{err.decode()}")
        return p.returncode == -9

    def put(self, path, name, *more):
        """To its end: its line."""
        p = self.expect(0, "put", "--json", *more, path, name)
        check("W0408" not in p.stdout.decode(), f"a put that went on, or was begun anew, warns of what was before: {p.stdout.decode()}")
        return next(line for line in map(json.loads, p.stdout.splitlines()) if line["type"] == "item")

    def same(self, path, name):
        out = os.path.join(self.work, "out")
        self.expect(0, "get", "--force", name, out)
        check(subprocess.run(["cmp", path, out], check=False).returncode == 0, f"{name} is not {path}")
        os.unlink(out)

    def waiting(self):
        return sorted(f for f in self.journal() if f.endswith(".resume"))


def at_points(box, rng):
    """Where the client dies, and what is there then: segments that the next put does not send again, at least and at most."""
    path = box.write("a", rng.randbytes(SIZE))
    cases = (("client_segment:kill:1", 0, 0), ("client_segment:kill:3", 0, 2), ("client_sent:kill:1", 3, 3), ("client_receipt:kill:1", 4, 4),
             ("client_stored1:kill:1", 4, 4))
    for i, (script, least, most) in enumerate(cases):
        name = f"a{i}"
        check(box.die("put", path, name, script=script), f"{script}: not killed")
        it = box.put(path, name)
        kept = it["kept"] // SEGMENT + (it["kept"] == SIZE)
        check(least <= kept <= most, f"{script}: {it['kept']} bytes kept")
        check(it["kept"] == SIZE or it["kept"] % SEGMENT == 0, f"{script}: {it['kept']} bytes are no segments")
        check((it["sent"] == 0) == (kept == 4) and it["sent"] <= it["stored"] - it["kept"], f"{script}: {it}")
        check(it["number"] == 1 and not box.journal(), f"{script}: number {it['number']}, journal {box.journal()}")
        box.same(path, name)
    return path


def again_and_again(box, rng, path):
    """Killed in each run, the gateway started anew in between, or dead at the steps of going on. Bytes that went twice are counted there."""
    before = box.quiet()
    check(box.die("put", path, "b", script="client_segment:kill:3"), "not killed")
    check(len(box.waiting()) == 1, "nothing to go on with")
    check("1 interrupted put that the same put goes on with" in box.expect((0, 4), "status").stdout.decode(), "status does not say it")
    box.expect(0, "put", box.write("other", b"other"), "other")         # another command that writes leaves it alone
    check(len(box.waiting()) == 1, "another put gave it up")
    check(box.die("put", path, "b", script="client_resumed:kill:1"), "not killed when it went on")
    received = box.quiet() - before
    for point in ("resume_row", "resume_done"):
        box.gateway(f"{point}:kill:1")
        p = box.run("--timeout", "3", "put", path, "b", env={"QC_FAULT": "client_segment:kill:1"})
        check(p.returncode in (-9, 0), f"{point}: exit {p.returncode}\n{p.stderr.decode()}")
        check(box.serving.wait() == -9, f"{point}: the gateway did not die")
    box.gateway()
    before = box.quiet()
    it = box.put(path, "b")
    check(it["kept"] >= SEGMENT, f"{it}")
    received += box.quiet() - before
    check(received <= it["stored"] + AT_ONCE * SEGMENT + ROOM, f"{received} bytes were sent for {it['stored']}")
    box.same(path, "b")
    return received - it["stored"]


def at_instants(box, rng, path, size, instants, span, name):
    """Killed at random instants, each time gone on, until it was killed so often. How many bytes each death made go twice."""
    twice, kills, done, runs, kept = [], 0, 0, 0, 0
    while kills < instants:
        before, had = box.quiet(), kept
        killed = box.die("put", path, f"{name}{done}", after=rng.random() * span)
        kills, runs = kills + killed, runs + 1
        if killed:
            got = box.quiet() - before
            killed, kept = look(box, path, f"{name}{done}")
            twice.append(max(0, got - max(0, kept - had) - ROOM))
            check(twice[-1] <= AT_ONCE * SEGMENT + ROOM, f"{twice[-1]} bytes of {got} went for nothing ({had} -> {kept})")
        if not killed:
            box.same(path, f"{name}{done}")
            if size > SIZE:     # its room is wanted
                box.expect(0, "rm", "--erase", "--yes", f"{name}{done}")
            done, kept, span = done + 1, 0, span * (0.6 if size == SIZE else 0.95)      # it was not killed: sooner, then
    check(box.put(path, f"{name}{done}")["size"] == size, "the last one")
    box.same(path, f"{name}{done}")
    return twice, runs, done + 1


def look(box, path, name):
    """After a death: is there something to go on with, and how many bytes of N has the gateway? The put goes on, to find out, and dies."""
    p = box.start("put", "--json", path, name, env={"QC_FAULT": "client_resumed:kill:1"})
    out, err = p.communicate(timeout=120)
    check(p.returncode in (-9, 0), f"exit {p.returncode}\n{err.decode()}")
    if p.returncode == -9:
        return True, durable(box)
    it = next(line for line in map(json.loads, out.splitlines()) if line["type"] == "item")
    check(it["kept"] in (0, it["size"]), f"{it}")       # nothing was durable; or all of it, and committed
    return False, it["stored"] if it["kept"] or it["number"] > 1 else 0         # > 1: it had come to its end, and died before it said so


def durable(box):
    """Bytes of the one upload that waits, by the catalogue."""
    with contextlib.closing(sqlite3.connect(f"file:{box.state}/catalogue.db?mode=ro", uri=True)) as db:
        return db.execute("SELECT COALESCE(SUM(s.size), 0) FROM segment s JOIN request r ON r.version_no=s.version_no WHERE r.state=1").fetchone()[0]


def changed(box, path):
    """Its bytes, its size, its times, another file of the same bytes: begun anew, and said; never mixed."""
    def append():
        with open(path, "ab") as f:
            f.write(b"x")

    def cut():
        os.truncate(path, os.path.getsize(path) - 1)

    def flip():
        st = os.stat(path)
        with open(path, "r+b") as f:
            f.seek(SEGMENT // 2)
            b = f.read(1)
            f.seek(SEGMENT // 2)
            f.write(bytes([b[0] ^ 1]))
        os.utime(path, ns=(st.st_atime_ns, st.st_mtime_ns))             # its ctime tells

    def other():
        shutil.copy2(path, path + ".new")
        os.rename(path + ".new", path)

    for i, change in enumerate((append, cut, flip, other) if FULL else (flip, other)):
        check(box.die("put", path, f"c{i}", script="client_segment:kill:3"), "not killed")
        change()
        it = box.put(path, f"c{i}")
        check(it["kept"] == 0 and it["anew"] == "the file has changed since, or is another one", f"{change.__name__}: {it}")
        check(not box.journal(), "a journal is left")
        box.same(path, f"c{i}")


def given_up(box, path):
    """By --restart, by rm of the name, by an upload that the gateway does not know any more; and standard input never goes on."""
    check(box.die("put", path, "d", script="client_segment:kill:3"), "not killed")
    it = box.put(path, "d", "--restart")
    check(it["kept"] == 0 and "anew" not in it and not box.journal(), f"{it}")
    check(box.die("put", path, "e", script="client_segment:kill:3"), "not killed")
    box.expect(3, "rm", "e")
    check(not box.journal(), "rm leaves the journal")
    with open(path, "rb") as f:
        p = box.start("put", "-", "f", stdin=f, env={"QC_FAULT": "client_sent:kill:1"})
        p.communicate(timeout=120)
    check(p.returncode == -9 and not box.waiting() and len(box.journal()) == 1, "standard input can go on?")
    box.expect(0, "put", path, "f")
    check(not box.journal(), "a journal is left")


def second_reader(box, path, name):
    """It opens what went on; how many epochs it has."""
    vault = reader.Vault(reader.Archive(box.clouds), box.stores)
    obj = vault.open(next(e for n, e in vault.entries() if n == name))
    with open(path, "rb") as f:
        check(b"".join(obj.data()) == f.read(), "the second reader sees something else")
    return len(obj.t.salts)


def interrupted(box, path):
    """Ctrl-C: it says what stays, in JSON as in words, and the command that JSON says goes on."""
    err = ctrl_c(box, 3, "put", path, "g")[1]
    check(b"stay stored, unseen: the same command goes on from there" in err, err.decode())
    lines = list(map(json.loads, ctrl_c(box, 1, "put", "--json", path, "g")[0].splitlines()))
    item = next(line for line in lines if line["type"] == "item")
    check(item["kept"] in (SEGMENT, 2 * SEGMENT, 3 * SEGMENT) and item["next"] == lines[-1]["next"] == [["qcloud", "put", "--json", path, "g"]], f"{lines}")
    said = box.expect(0, "put", path, "g").stderr.decode()
    check(re.search(r"going on with 'g': (16|32|48)\.0 MiB of it are stored", said), said)
    box.same(path, "g")


def ctrl_c(box, segment, *words):
    """At its n-th segment. What it said on either stream."""
    p = box.start(*words, env={"QC_FAULT": f"client_segment:stop:{segment}"})
    end = time.monotonic() + 60
    while open(f"/proc/{p.pid}/stat", "rb").read().rsplit(b")", 1)[1].split()[0] != b"T":
        check(time.monotonic() < end, "it does not stop")
        time.sleep(0.005)
    box.quiet()
    p.send_signal(signal.SIGINT)
    p.send_signal(signal.SIGCONT)
    out, err = p.communicate(timeout=120)
    check(p.returncode == 130, f"exit {p.returncode}\n{err.decode()}")
    return out, err


def gets(box, rng, path, name, instants, span):
    """Killed at random instants, each time gone on. How many bytes each death made come twice, but for those that it takes to open an
    object: its ends, the first chunk, the tags."""
    out, size = os.path.join(box.work, "got"), os.path.getsize(path)
    twice, had, done = [], 0, 0
    while len(twice) < instants:
        before = box.sent()
        killed = box.die("get", name, out, after=rng.random() * span)
        if not killed or os.path.exists(out):       # renamed already
            check(subprocess.run(["cmp", path, out], check=False).returncode == 0, "a get that was killed before is wrong")
            os.unlink(out)
            had, done = 0, done + 1
            continue
        have = os.path.getsize(out + ".part") if os.path.exists(out + ".part") else 0
        twice.append(max(0, box.sent() - before - (have - had) - OPENING))
        check(twice[-1] <= AT_ONCE * SEGMENT, f"{twice[-1]} bytes came for nothing ({had} -> {have} of {size})")
        had = have
    box.expect(0, "get", "--force", name, out)
    check(subprocess.run(["cmp", path, out], check=False).returncode == 0, "it is wrong in the end")
    os.unlink(out)
    return twice, done


def get_counts(box, path, name):
    """How far a get is that goes on: of the whole, from where it was."""
    out, size = os.path.join(box.work, "counted"), os.path.getsize(path)
    check(box.die("get", name, out, script="client_wrote:kill:21"), "not killed")
    had = os.path.getsize(out + ".part")
    check(had == 20 * MIB, f"{had} bytes are left")
    lines = list(map(json.loads, box.expect(0, "get", "--json", "--limit-rate", "20M", name, out).stdout.splitlines()))
    told = [line for line in lines if line["type"] == "progress"]
    check(told and all(had <= line["done"] <= line["total"] == size for line in told), f"{told}")
    check(next(line for line in lines if line["type"] == "item")["kept"] == had, f"{lines}")
    os.unlink(out)


def large(box, rng):
    path = os.path.join(box.work, "large")
    with open(path, "wb") as f:
        for _ in range(GIB2 // (8 * MIB)):
            f.write(rng.randbytes(8 * MIB))
    t0 = time.monotonic()
    box.expect(0, "put", path, "whole")
    took = time.monotonic() - t0
    twice, runs, objects = at_instants(box, rng, path, GIB2, KILLS, took / 12, "large")
    print(f"2 GiB: {KILLS} kills in {runs} puts of {objects} objects; sent again: {sum(twice) / len(twice) / MIB:.1f} MiB a kill, at most {max(twice) / MIB:.1f}", flush=True)
    t0 = time.monotonic()
    box.expect(0, "get", "whole", os.path.join(box.work, "got"))
    took = time.monotonic() - t0
    os.unlink(os.path.join(box.work, "got"))
    twice, done = gets(box, rng, path, "whole", KILLS, took / 4)
    print(f"2 GiB: {KILLS} kills of gets, {done} came to their end in between; fetched again: {sum(twice) / len(twice) / MIB:.1f} MiB a kill, "
          f"at most {max(twice) / MIB:.1f}", flush=True)


def test():
    rng = seeded("resume")
    with Vault(k=2, n=3) as box:
        box.init()
        box.state = next(d for d, _, names in os.walk(box.home) if "catalogue.db" in names)
        box.gateway()
        path = at_points(box, rng)
        again = again_and_again(box, rng, path)
        twice, runs, objects = at_instants(box, rng, path, SIZE, INSTANTS, 0.4, "i")
        again_got, _ = gets(box, rng, path, "b", INSTANTS, 0.3)
        get_counts(box, path, "b")
        interrupted(box, path)
        given_up(box, path)
        epochs = second_reader(box, path, b"b")
        print(f"killed four times: {again / MIB:.1f} MiB went twice, {epochs} epochs; {INSTANTS} kills at random instants in {runs} puts of {objects} "
              f"objects: {max(twice) / MIB:.1f} MiB at most went twice; {INSTANTS} kills of gets: {max(again_got) / MIB:.1f} MiB at most came twice")
        changed(box, path)
        box.expect(0, "verify")
        if FULL:
            large(box, rng)


main(test)
