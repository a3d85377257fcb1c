#!/usr/bin/python3
"""qcloud-salvage opens what was stored when nothing is left but directories and share stores: the gateway's state and the
configuration are gone, the program runs alone in an empty root without environment and network. From every three of five
clouds with both shares, from one share with the operator's kit, from a heap of files without names; all planted damage is in
the table, and every other byte comes back; what was given is not touched; a run that was killed is gone on with."""
import base64
import contextlib
import hashlib
import itertools
import json
import os
import resource
import shutil
import signal
import struct
import subprocess
import time

import jsonschema

from harness import BIN, Box, check, files, flip, main, seeded, small_files

SALVAGE = os.path.join(BIN, "qcloud-salvage")
NAMES = {b"empty": 0, b"one": 1, b"a/small": 4095, b"a/\xff\xfe not utf-8": 70001, "ü\n x/\U0001f40b".encode(): (1 << 20) + 1,
         b"a/b/large": (17 << 20) + 9, b"twice": 300000, b"twice/below": 1234, b"l" * 300: 77}
PASSPHRASE = "a passphrase \u2603"


SCHEMA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "schema", "salvage.json")
seen, largest = set(), 0
attribute = None        # of a file, as it was stored


def closed(schema):
    """As a writer must obey it: the named fields only."""
    if isinstance(schema, dict):
        out = {k: closed(v) for k, v in schema.items()}
        return {**out, "additionalProperties": False} if isinstance(out.get("properties"), dict) and "required" in out else out
    return [closed(s) for s in schema] if isinstance(schema, list) else schema


with open(SCHEMA, encoding="utf-8") as schema:
    LINES = jsonschema.Draft202012Validator(closed(json.load(schema)))


def check_lines(lines):
    for line in lines:
        check(LINES.is_valid(line), f"docs/schema/salvage.json does not describe {line}")
        seen.add(line.get("kind", line["type"]))


class Jail:
    """A directory that is the root of the file system for the program, with nothing in it but what is put there."""

    def __init__(self, top):
        self.top = top
        os.mkdir(top)
        os.mkdir(os.path.join(top, "tmp"))
        shutil.copy(SALVAGE, os.path.join(top, "salvage"))
        self.wrap = [shutil.which("unshare") or "", "-n", shutil.which("chroot", path="/usr/sbin:/sbin:/usr/bin:/bin") or "", top]
        self.alone = os.geteuid() == 0 and all(self.wrap) and subprocess.run(
            [*self.wrap, "/salvage", "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0

    def path(self, name):
        return os.path.join(self.top, name)

    def inside(self, name):
        return "/" + name if self.alone else self.path(name)

    def words(self, args):
        start = [*self.wrap, "/salvage"] if self.alone else [self.path("salvage")]
        return ["env", "-i", *start, *args]

    def run(self, code, clouds, shares, *options, out="out", **how):
        """The lines of --json, and the files that came, by name."""
        shutil.rmtree(self.path(out), ignore_errors=True)
        return self.again(code, clouds, shares, *options, out=out, **how)

    def args(self, clouds, shares, options, out):
        where = [] if "--list" in options or "--dry-run" in options else ["--out", self.inside(out)]
        return [a for s in shares for a in ("--share", self.inside(s))] + [*where, "--json", *options, *map(self.inside, clouds)]

    def again(self, code, clouds, shares, *options, out="out", pass_fds=(), env=(), largest_file=None):
        global largest
        words = self.words(self.args(clouds, shares, options, out))
        words[2:2] = env
        if largest_file:
            words[:0] = ["prlimit", f"--fsize={largest_file}"]
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        p = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=pass_fds)
        text, errors = p.communicate(timeout=120)
        after = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        largest = max(largest, after if after > before else 0)
        check(p.returncode == code, f"salvage {clouds} {shares} {options}: exit {p.returncode}, expected {code}\n"
                                    f"{text.decode()[-3000:]}{errors.decode()}")
        lines = [json.loads(line) for line in text.splitlines()]
        check_lines(lines)
        check(lines[-1]["type"] in ("result", "error") and lines[-1]["exit"] == code, f"the last line: {lines[-1:]}")
        return lines, tree(self.path(out)) if os.path.isdir(self.path(out)) else {}


def tree(top):
    top = os.fsencode(top)
    return {os.path.relpath(p, top): open(p, "rb").read() for p in files(top)}


def fingerprint(top):
    """Everything that a writer would change."""
    rows = []
    for p in sorted(files(top)):
        st = os.stat(p)
        rows.append((p, st.st_size, st.st_mtime_ns, st.st_ino, hashlib.sha256(open(p, "rb").read()).digest()))
    return rows


def rows(lines, kind):
    return [x for x in lines if x.get("kind") == kind]


def state_of(lines, name):
    return next(x for x in rows(lines, "file") if x["name"] == name)


def bytes_of(row, key):
    """The exact bytes of a name."""
    if key + "_b64" in row:
        b = row[key + "_b64"]
        return base64.urlsafe_b64decode(b + "=" * (-len(b) % 4))
    return row.get(key, "").encode()


def expect_all(got, data, lines, why):
    """Every object, under its name or, where the file system does not take that, under the one that the table says."""
    where = {bytes_of(x, "name"): bytes_of(x, "as") for x in rows(lines, "file")}
    for name, d in data.items():
        at = name if name in got else where.get(name, name)
        check(got.get(at) == d, f"{why}: {name!r} differs, or is not there")
    check(len(got) == len(data), f"{why}: {len(got)} files for {len(data)} objects: {sorted(got)}")


def check_static():
    with open(SALVAGE, "rb") as f:
        elf = f.read()
    at, size, count = struct.unpack_from("<Q", elf, 32)[0], *struct.unpack_from("<HH", elf, 54)
    for i in range(count):
        kind, _, offset, _, _, length = struct.unpack_from("<IIQQQQ", elf, at + i * size)
        check(kind != 3, "the program asks for a loader: it is not static")
        if kind == 2:
            tags = struct.iter_unpack("<QQ", elf[offset:offset + length])
            check(all(tag != 1 for tag, _ in tags), "the program needs a shared library")


# ------------------------------------------------------------ what is stored
def fill(box, rng):
    box.init("--mode", rng.choice(("stored", "derived")))
    data = {name: rng.randbytes(size) for name, size in NAMES.items()}
    box.expect(0, "put", box.write("in", rng.randbytes(5000)), "twice")
    global attribute
    one = box.write("with an attribute", data[b"one"])
    with contextlib.suppress(OSError):          # where the file system has them
        os.setxattr(one, "user.a", b"kept")
        attribute = b"kept"
    for i, (name, d) in enumerate(data.items()):
        box.expect(0, "put", *(("--pad",) if i % 2 else ()), one if name == b"one" else box.write("in", d), os.fsdecode(name))
    small = small_files(rng)
    box.put_tree(small)
    data |= {os.fsencode(n): d for n, d in small.items()}
    box.expect(0, "put", box.write("in", b"gone"), "taken")
    for old, new in ((b"empty", b"moved one"), (os.fsencode(next(iter(small))), b"small 0/moved"), (b"twice/below", b"taken")):
        box.expect(0, "mv", "--force", os.fsdecode(old), os.fsdecode(new))
        data[new] = data.pop(old)
    box.expect(0, "put", box.write("in", b"gone"), "removed")
    box.expect(0, "rm", "removed")
    kit = box.expect(0, "gateway", "kit").stdout
    box.stop(15)
    return data, kit


def move_to_jail(box, jail, kit):
    for i, c in enumerate(box.clouds, 1):
        os.rename(c, jail.path(f"c{i}"))
    for i, s in enumerate(box.stores, 1):
        os.rename(s, jail.path(f"s{i}"))
    shutil.rmtree(box.home)             # state, catalogue, configuration, root key
    with open(jail.path("kit"), "wb") as f:
        f.write(kit)


ALL = [f"c{i}" for i in range(1, 6)]


# ------------------------------------------------------------ scenarios
def every_three(jail, data, rng):
    for clouds in itertools.combinations(ALL, 3):
        lines, got = jail.run(0, clouds, ("s1", "s2"))
        expect_all(got, data, lines, f"{clouds}")
        check(not rows(lines, "damaged") and not rows(lines, "missing"), f"{clouds}: damage where there is none: {lines}")
        check(lines[-1]["files"]["deleted"] == 1, "the removed object is not counted")
        check(attribute in (None, os.getxattr(jail.path("out/one"), "user.a")), "an extended attribute")
    lines, got = jail.run(0, ALL, ("s1",), "--deleted")
    expect_all(got, {**data, b"removed": b"gone"}, lines, "--deleted")
    lines, _ = jail.run(0, rng.sample(ALL, 3), ("s2",), "--list")
    check(len(rows(lines, "file")) == len(data) and all(x["state"] == "readable" for x in rows(lines, "file")), "--list")
    lines, _ = jail.run(0, ALL, ("s1", "s2"), "--dry-run", "--thorough")
    check(all(x["state"] == "readable" and x["fragments"] == 5 for x in rows(lines, "file")), "--dry-run")
    lines, got = jail.run(6, rng.sample(ALL, 2), ("s1", "s2"))
    check(not got, "two clouds of five: something came")
    lines, got = jail.run(6, rng.sample(ALL, 2), ("s1", "s2"), "--kit", jail.inside("kit"))
    # A small file may lie in one data piece of its bundle whole: then that is all it takes.
    check(all(b"small " in name and data[name] == d for name, d in got.items()), f"two clouds of five, with the kit: {sorted(got)}")
    check(lines[-1]["files"]["lost"] == len(data) - len(got), f"two clouds of five, with the kit: {sorted(got)}, {lines[-1]}")
    print(f"from every three clouds: {len(data)} files each", flush=True)


def one_share_and_kit(jail, data, rng):
    for share in ("s1", "s2"):
        three = rng.sample(ALL, 3)
        copies = [f"{c}k" for c in three]
        for c, k in zip(three, copies):
            shutil.copytree(jail.path(c), jail.path(k))
            os.unlink(os.path.join(jail.path(k), "i", "cloud"))
        _, got = jail.run(6, copies, (share,))
        check(not got, "without a root key something came")
        lines, got = jail.run(0, copies, (share,), "--kit", jail.inside("kit"))
        expect_all(got, data, lines, f"{share} and the kit")
        for k in copies:
            shutil.rmtree(jail.path(k))
    print("from one share with the operator's kit: all", flush=True)


def heap(jail, data, rng):
    os.mkdir(jail.path("heap"))
    for i, p in enumerate(p for c in rng.sample(ALL, 3) for p in files(jail.path(c))):
        shutil.copy(p, jail.path(f"heap/object {i}.bin"))
    lines, got = jail.run(0, ["heap"], ("s1", "s2"))
    expect_all(got, data, lines, "a heap without names")
    shutil.rmtree(jail.path("heap"))
    print("from a heap of files whose names are lost: all", flush=True)


def fragments(top):
    return [p for p in sorted(files(os.path.join(top, "f")))]


def head(path):
    with open(path, "rb") as f:
        h = f.read(136)
    return {"object": h[32:48], "version": h[48:64], "segment": int.from_bytes(h[64:72], "big"), "index": h[78],
            "payload": int.from_bytes(h[120:128], "big")}


@contextlib.contextmanager
def copies(jail):
    names = [f"{c}d" for c in ALL]
    for c, d in zip(ALL, names):
        shutil.copytree(jail.path(c), jail.path(d))
    yield names
    for d in names:
        shutil.rmtree(jail.path(d))


def plant(jail, names, rng):
    """Damage of each kind, within what the code bears: {path: what}, {(cloud, path) that is missing}."""
    planted, gone = {}, set()
    spread = {}                         # segment -> how many fragments of it are hurt
    for d in names:
        for p in fragments(jail.path(d)):
            spread.setdefault(head(p)["segment"], 0)

    taken = set()

    def victim(d):
        p = rng.choice([p for p in fragments(jail.path(d)) if p not in taken and spread[head(p)["segment"]] < 2])
        spread[head(p)["segment"]] += 1
        taken.add(p)
        return p

    def hurt(p, what):
        planted[p] = what
        if what == "payload":
            flip(p, 136 + rng.randrange(head(p)["payload"]), rng.randrange(8))
        elif what == "head":
            flip(p, rng.choice((1, 33, 70, 80, 100)), rng.randrange(8))
        elif what == "end":
            flip(p, os.path.getsize(p) - 1 - rng.randrange(200), rng.randrange(8))
        elif what == "tail":
            os.truncate(p, os.path.getsize(p) - 1 - rng.randrange(100))
        elif what == "empty":
            os.truncate(p, 0)
        elif what == "longer":
            with open(p, "ab") as f:
                f.write(b"more")

    for d in names:
        for what in rng.sample(("payload", "head", "end", "tail", "empty", "longer"), 2):
            with contextlib.suppress(IndexError):           # all of this cloud's segments are hurt enough
                hurt(victim(d), what)
    with contextlib.suppress(IndexError):
        p = victim(names[0])
        gone.add(os.path.relpath(p, jail.path(names[0])))
        os.unlink(p)
    with contextlib.suppress(IndexError):                   # one lies in the place of the other, and is found there
        a, b = victim(names[1]), victim(names[1])
        os.rename(a, b)
        planted[b] = "in the place of another"
    logs = [sorted(files(os.path.join(jail.path(d), "l"))) for d in names]
    flip(logs[2][0], 60, 3)
    planted[logs[2][0]] = "log"
    gone.add(os.path.relpath(logs[3][-1], jail.path(names[3])))
    os.unlink(logs[3][-1])
    identity = os.path.join(jail.path(names[4]), "i", "cloud")
    flip(identity, 50, 1)
    planted[identity] = "identity"
    root = next(files(os.path.join(jail.path(names[4]), "r")))
    flip(root, 60, 1)
    planted[root] = "root"
    return planted, gone


def damage(jail, data, rng):
    with copies(jail) as names:
        planted, gone = plant(jail, names, rng)
        before = [fingerprint(jail.path(d)) for d in (*names, "s1", "s2")]
        lines, got = jail.run(0, names, ("s1", "s2"), "--thorough")
        expect_all(got, data, lines, "planted damage")
        found = {os.path.relpath(os.path.join(x["directory"], x["path"]), jail.inside("")) for x in rows(lines, "damaged")}
        want = {os.path.relpath(p, jail.top) for p in planted}
        check(found == want, f"damage in the table: {sorted(found ^ want)} differ; planted {planted}\n{rows(lines, 'damaged')}")
        missing = {x["path"] for x in rows(lines, "missing")}
        check(gone == missing, f"missing in the table: {missing}, taken away: {gone}")
        check(before == [fingerprint(jail.path(d)) for d in (*names, "s1", "s2")], "something that was given was changed")
        print(f"{len(planted)} planted damages and {len(gone)} losses, all in the table; every file whole", flush=True)


def beyond_repair(jail, data, rng):
    """The same megabyte of one file in three of five fragments: that one is lost, with --partial all but this much."""
    with copies(jail) as names:
        large = next(v for v in by_version(jail, names) if v["size"] > 16 << 20)
        index = {}
        for p in large["paths"]:
            if head(p)["segment"] == large["first"]:
                index[head(p)["index"]] = p
        stripe = 64 * ((1 << 20) // 192)
        for i in rng.sample(sorted(index), 3):
            flip(index[i], 136 + 5 * stripe + rng.randrange(stripe), 0)
        others = {n: d for n, d in data.items() if n != b"a/b/large"}
        lines, got = jail.run(6, names, ("s1", "s2"))
        expect_all(got, others, lines, "one file beyond repair")
        check(state_of(lines, "a/b/large")["state"] == "lost", "it is not said to be lost")
        lines, got = jail.run(6, names, ("s1",), "--partial")
        part = got.pop(b"a/b/large.part")
        expect_all(got, others, lines, "--partial")
        row = state_of(lines, "a/b/large")
        check(row["state"] == "partial" and 1 <= len(row["holes"]) <= 2, f"--partial: {row}")
        whole, at = data[b"a/b/large"], 0
        for start, size in ((h["from"], h["size"]) for h in row["holes"]):
            check(part[at:start] == whole[at:start] and part[start:start + size] == bytes(size), "--partial: wrong bytes")
            at = start + size
        check(part[at:] == whole[at:] and len(part) == len(whole) and row["lost"] <= 2 << 20, "--partial: wrong bytes")
    print(f"beyond repair: {row['lost']} bytes of {len(whole)} lost, the others came with --partial", flush=True)


def by_version(jail, names):
    out = {}
    for d in names:
        for p in fragments(jail.path(d)):
            h = head(p)
            v = out.setdefault(h["version"], {"paths": [], "size": 0, "segments": {}, "version": h["version"]})
            v["paths"].append(p)
            with open(p, "rb") as f:
                b = f.read(136)
            v["segments"][int.from_bytes(b[72:76], "big")] = (h["segment"], int.from_bytes(b[80:84], "big"))
    for v in out.values():
        v["size"] = sum(size for _, size in v["segments"].values())
        v["first"] = v["segments"][0][0]
    return out.values()


def older_and_unrecorded(jail, data, rng):
    """The newest version of a name is lost: the one before it comes, and is said to be that. A record is lost: the file
    comes without its name."""
    with copies(jail) as names:
        newest = next(v for v in by_version(jail, names) if 300000 < v["size"] < 400000)
        for p in newest["paths"][1:4]:
            os.unlink(p)
        lines, got = jail.run(6, names, ("s1", "s2"))
        row = state_of(lines, "twice")
        check(row["state"] == "older" and len(got[row["as"].encode()]) == 5000, f"an earlier version: {row}")
        lines, _ = jail.run(6, names, ("s1", "s2"), "--list")
        check(state_of(lines, "twice")["state"] == "lost", "--list does not see that too few fragments are there")
    with copies(jail) as names:
        logs = {}
        for d in names:
            for p in files(os.path.join(jail.path(d), "l")):
                logs.setdefault(hashlib.sha256(open(p, "rb").read()).digest(), []).append(p)
        one = next(v for v in logs.values() if os.path.getsize(v[0]) > 400 and sum(1 for _ in v) == 5 and b"QCLL" in open(v[0], "rb").read(4)
                   and is_commit_of(jail, names, v, len(data)))
        for p in one:
            os.unlink(p)
        lines, got = jail.run(4, names, ("s1", "s2"))
        nameless = [d for n, d in got.items() if n.startswith(b"qcloud-unnamed/") and d in data.values() and len(d) != 77]
        check(len(nameless) >= 1 and sorted(set(got.values())) == sorted(set(data.values())), f"a lost record: {sorted(got)}")
        check(lines[-2]["log_missing"] == 1 if lines[-1]["type"] == "error" else lines[-1]["log_missing"] == 1, "the gap is not said")
    with copies(jail) as names:                         # the record of those that were put together
        small = {n: d for n, d in data.items() if n.startswith(b"small ")}
        logs = {}
        for d in names:
            for p in files(os.path.join(jail.path(d), "l")):
                logs.setdefault(hashlib.sha256(open(p, "rb").read()).digest(), []).append(p)
        one = next(v for v in logs.values() if len(v) == 5 and is_commit_of(jail, names, v, len(data) + 1 - len(small)))
        for p in one:
            os.unlink(p)
        lines, got = jail.run(4, names, ("s1", "s2"))
        nameless = sorted(d for n, d in got.items() if n.startswith(b"qcloud-unnamed/") and d in small.values())
        check(nameless == sorted(small.values()), f"a lost record of many: {sorted(got)}")
    print("an earlier version where the newest is lost; files without a record, nameless, also out of a bundle", flush=True)


VAULT_RECORD = 24 + 48 + 16 + 5 + 4 + (4 + 124) + (4 + 4 + 16 + 172 + 16)     # FORMAT 9.3: bytes of the log object that holds it


def no_names(jail, data, rng):
    """Without the vault's record nobody knows the vault secret, and no name: the files come all the same, by their shares."""
    with copies(jail) as names:
        gone = [p for d in names for p in files(os.path.join(jail.path(d), "l")) if os.path.getsize(p) == VAULT_RECORD]
        check(len(gone) == 5, f"{len(gone)} copies of the vault's record")
        for p in gone:
            os.unlink(p)
        lines, got = jail.run(4, names, ("s1", "s2"))
        check(all(n.startswith(b"qcloud-unnamed/") for n in got) and sorted(got.values()) == sorted(data.values()), "without names")
        check(any(x["type"] == "warning" for x in lines), "it is not said that names are not known")
    print("without the vault's record: all, nameless", flush=True)


def is_commit_of(jail, names, paths, count):
    """Without it exactly one file has no name, and not the one whose name no disk takes: found by trying."""
    for p in paths:
        os.rename(p, p + "away")
    hidden = [p + "away" for p in paths]
    moved = [(h, jail.path(f"aside{i}")) for i, h in enumerate(hidden)]
    for a, b in moved:
        os.rename(a, b)
    p = subprocess.run(jail.words(jail.args(names, ("s1", "s2"), ("--list",), "out")), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    for a, b in moved:
        os.rename(b, a)
    for x in paths:
        os.rename(x + "away", x)
    listed = [json.loads(x) for x in p.stdout.splitlines()]
    left = rows(listed, "file")
    return p.returncode == 4 and len(left) == count - 1 and any(x["size"] == 77 for x in left)


def killed(jail, data, rng):
    shutil.rmtree(jail.path("out"), ignore_errors=True)
    kills = 0
    for i in range(6):
        p = subprocess.Popen(jail.words(jail.args(ALL[:3], ("s1", "s2"), (), "out")), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(0.02, 0.25))
        p.send_signal(signal.SIGKILL)
        kills += p.wait() == -signal.SIGKILL
    lines, got = jail.again(0, ALL[:3], ("s1", "s2"))
    expect_all(got, data, lines, "after kill -9")
    present = lines[-1]["files"]["present"]
    with open(jail.path("out/one"), "wb") as f:
        f.write(b"?")
    lines, got = jail.again(5, ALL[:3], ("s1", "s2"))
    check(state_of(lines, "one")["state"] == "conflict" and got[b"one"] == b"?", "a file of the user's was written over")
    print(f"killed {kills} times: gone on with, {present} files were there already", flush=True)


def limits(jail, data, rng):
    """A file that the output does not take is one file; an index that has no room is the end, and says so."""
    lines, got = jail.run(14, ALL[2:], ("s1", "s2"), largest_file=8 << 20)
    expect_all(got, {n: d for n, d in data.items() if len(d) < 8 << 20}, lines, "a limit of file sizes")
    check(state_of(lines, "a/b/large")["state"] == "lost", "the large file is not said to be lost")
    lines, _ = jail.run(1, ALL[2:], ("s1", "s2"), largest_file=1 << 15)
    check("index.db" in lines[-1]["what"], f"the message does not name the place: {lines}")
    print("a limit of file sizes costs what is larger, and nothing else", flush=True)


def passphrase(rng):
    with Box() as box:
        box.extra["QCLOUD_PASSPHRASE_COMMAND"] = f"echo '{PASSPHRASE}'"
        box.init("--memory", "64")
        box.expect(0, "put", box.write("in", b"under a passphrase"), "x")
        box.stop(15)
        jail = Jail(os.path.join(box.root, "jail"))
        move_to_jail(box, jail, b"")
        for text, code in ((PASSPHRASE, 0), ("a wrong one", 12)):
            r, w = os.pipe()
            os.write(w, f"{text}\n".encode())
            os.close(w)
            _, got = jail.run(code, ALL[1:4], ("s2",), pass_fds=(r,), env=(f"QCLOUD_PASSPHRASE_FD={r}",))
            os.close(r)
            check(got == ({b"x": b"under a passphrase"} if code == 0 else {}), f"passphrase: {got}")
        jail.run(12, ALL[:3], ("s1",), "--no-input")
    print("a passphrase opens, a wrong one does not", flush=True)


def test():
    rng = seeded("salvage")
    check(os.access(SALVAGE, os.X_OK), f"{SALVAGE} is not there")
    check_static()
    with Box() as box:
        data, kit = fill(box, rng)
        jail = Jail(os.path.join(box.root, "jail"))
        move_to_jail(box, jail, kit)
        print(f"alone: {jail.alone}", flush=True)
        for scenario in (every_three, one_share_and_kit, heap, damage, beyond_repair, older_and_unrecorded, no_names, killed, limits):
            scenario(jail, data, rng)
    passphrase(rng)
    check({"start", "file", "damaged", "missing", "result", "error", "warning"} <= seen, f"kinds of lines: {seen}")
    check(largest >> 10 < 128, f"the largest run had {largest >> 10} MiB")
    print(f"memory of the largest run: {largest >> 10} MiB", flush=True)


main(test)
