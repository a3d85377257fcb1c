#!/usr/bin/python3
"""cat, and get --range: parts at every kind of edge, in whatever words; what is beyond the end; several names. Then with fragments that are
damaged, and at a gateway that alters, cuts, repeats and exchanges what it answers: whatever comes to standard output is the beginning of what
was asked for, and exit 0 says that it is all of it."""
import json
import os
import re
import sys
import threading

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "system"))
sys.path.insert(0, os.path.join(TOP, "tests", "cli"))
from doors import Door  # noqa: E402
from harness import FULL, Failure, check, files, flip, main, seeded  # noqa: E402
from users import User, api, said  # noqa: E402

MIB = 1 << 20
SEGMENT = 16 * MIB
SIZE = 2 * SEGMENT + 5 * MIB + 77        # three segments, the last chunk is a small one


class Altering(Door):
    """Changes answers that hold an object's bytes, once it is told how: how(bytes)."""

    def __init__(self, port):
        super().__init__(port)
        self.how, self.count, self.lock = None, 0, threading.Lock()

    def altered(self, method, path, data, status):
        if self.how is None or method != "GET" or not re.match("/v1/vaults/[0-9a-f]+/objects/[0-9a-f]+/[0-9a-f]+$", path) or status not in (200, 206):
            return data
        with self.lock:
            self.count += 1
        return self.how(data)


def span(text, size):
    """What a range means, written otherwise than the program does: None where it is refused."""
    def number(s):
        return int(s[:-1]) << 10 * ("kMG".index(s[-1]) + 1) if s[-1] in "kMG" else int(s)
    first, last = text.split("-")
    if not first:
        return (size - number(last), size) if number(last) <= size else None
    a, b = number(first), number(last) + 1 if last else size
    return (a, b) if a <= b <= size else None


def one(user, name, data, text):
    want = span(text, len(data))
    p = user.run("cat", "--range", text, name)
    if want is None:
        check(p.returncode == 2 and p.stdout == b"" and f"has {len(data)} bytes".encode() in p.stderr, f"{name} {text}: exit {p.returncode}: {said(p)[-600:]}")
        advice = re.search(rb"next: qcloud (cat --range \S+ \S+)\n", p.stderr)
        check(advice is not None, f"{name} {text}: {said(p)[-600:]}")
        if len(data) < MIB:     # a part that there is: as far as it goes from where it was to begin, or all
            first = int(text.split("-")[0] or 0)
            check(user.expect(0, *advice[1].decode().split()).stdout == data[first if first < len(data) else 0:], f"{name} {text}: {advice[1]}")
        return
    check(p.returncode == 0 and p.stdout == data[want[0]:want[1]] and b": E" not in p.stderr, f"{name} {text}: exit {p.returncode}, {len(p.stdout)} bytes: {p.stderr[-600:]}")


def ranges(user, objects, rng):
    edges = [0, 1, MIB - 1, MIB, MIB + 1, SEGMENT - 1, SEGMENT, 2 * SEGMENT - MIB, SIZE - 78, SIZE - 77, SIZE - 1, SIZE]
    texts = [f"{a}-{b}" for a in edges for b in edges if a <= b < a + 2 * MIB] + ["0-", "1M-", "36M-", f"{SIZE}-", f"{SIZE + 1}-", "-1", "-78", "-1M", "-38M", "4k-8k"]
    for _ in range(400 if FULL else 10):
        a = rng.randrange(SIZE)
        texts.append(f"{a}-{min(SIZE - 1, a + rng.randrange(4 * MIB))}")
    for text in texts:
        one(user, "big", objects["big"], text)
    check(user.run("cat", "small").stderr == b"", "cat says something of a good end")
    for text in ("0-", "0-0", "-1", "1-", "5-9"):
        one(user, "empty", b"", text)
        one(user, "small", objects["small"], text)
    for text in ("", "-", "5", "2-1", "-0", "1-2-3", "1x-", "1-2,3-4"):
        p = user.run("cat", "--range=" + text, "big")
        check(p.returncode == 2 and p.stdout == b"", f"'{text}': exit {p.returncode}")
    for args in (("get", "-r", "--range", "0-1", "big", "d"), ("get", "--range", "0-1", "big", "small", user.work + "/")):
        check(user.run(*args).returncode == 2, f"{args}: believed")


def words(user, objects):
    """Several names, JSON, a file of a part."""
    every = objects["big"] + objects["empty"] + objects["small"]
    check(user.expect(0, "cat", "big", "empty", "small").stdout == every, "several names")
    p = user.expect(3, "cat", "small", "none", "big")
    check(p.stdout == objects["small"] and b"E0301" in p.stderr, "the first that fails is the last")
    p = user.expect(0, "cat", "--json", "--range", "1-3", "small", "big")
    check(p.stdout == objects["small"][1:4] + objects["big"][1:4], "with --json")
    lines = [json.loads(x) for x in p.stderr.splitlines()]
    check([(x["first"], x["bytes"]) for x in lines if x["type"] == "item"] == [(1, 3), (1, 3)] and lines[-1]["exit"] == 0, f"{lines}")
    # What it takes of the gateway: chunk 0 with the key's shares, the ends, and the chunk of the range.
    check([x["fetched"] for x in lines if x["type"] == "item"][1] < MIB + (128 << 10), f"{lines}")
    p = user.expect(0, "cat", "--json", "--range", "20M-20972543", "big")
    fetched = [json.loads(x)["fetched"] for x in p.stderr.splitlines() if b'"item"' in x]
    check(fetched and fetched[0] < 2 * MIB + (128 << 10), f"4096 bytes took {fetched}")
    out = os.path.join(user.work, "part")
    with open(out + ".part", "wb") as f:
        f.write(b"what an interrupted get of the whole has left")
    os.chmod(out + ".part", 0o600)
    user.expect(0, "get", "--range", "100-199", "big", out)
    with open(out + ".part", "rb") as f:
        check(f.read().startswith(b"what an interrupted"), "a part of it took what a get of the whole has left")
    os.unlink(out + ".part")
    check([x for x in os.listdir(user.work) if x.startswith("part")] == ["part"], "more than the part is left")
    check(open(out, "rb").read() == objects["big"][100:200], "a part into a file")
    user.expect(5, "get", "--range", "0-0", "big", out)
    check(user.expect(0, "get", "--range", "-5", "small", "-").stdout == objects["small"][-5:], "a part, and a dash")


def beginning(p, want, what):
    """The one promise of cat. True: it was all."""
    check(want.startswith(p.stdout), f"{what}: wrong bytes on standard output")
    check(p.returncode != 0 or p.stdout == want, f"{what}: exit 0 and {len(p.stdout)} of {len(want)} bytes")
    check(p.returncode in (0, 5, 6, 8), f"{what}: exit {p.returncode}: {said(p)[-600:]}")
    return p.returncode == 0


def damaged(server, user, objects):
    """One byte of each large fragment, on two clouds and on one; of three any two give everything."""
    data = objects["big"]
    large = [[(f, os.path.getsize(f) * 3 // 4) for f in files(os.path.join(c, "f")) if os.path.getsize(f) > 2 * MIB] for c in server.clouds[:2]]
    check(min(map(len, large)) >= 2, f"fragments: {large}")
    for place in large[0] + large[1]:
        flip(*place, 3)
    p = user.run("cat", "big")
    check(not beginning(p, data, "damaged") and len(p.stdout) >= MIB, f"two clouds are damaged: {len(p.stdout)} bytes of an object that nobody can give")
    p = user.run("cat", "--range", "4M-", "big")
    check(not beginning(p, data[4 * MIB:], "damaged, a range"), "two clouds are damaged, and the range touches it")
    one(user, "big", data, f"0-{4 * MIB}")     # and this one does not
    one(user, "big", data, f"-{MIB}")
    for place in large[1]:
        flip(*place, 3)
    one(user, "big", data, "11M-13M")
    check(user.expect(0, "cat", "big").stdout == data, "with one cloud's fragments damaged")


def lies(user, door, objects, rng):
    big = objects["big"]

    def at_random(data):
        i = rng.randrange(len(data))
        return data[:i] + bytes((data[i] ^ 1 << rng.randrange(8),)) + data[i + 1:]

    def long_alone(how):
        return lambda data: how(data) if len(data) >= MIB // 2 else data

    before = []

    def the_one_before(data):
        before.append(data)
        same = [b for b in before[:-1] if len(b) == len(data)]
        return same[-1] if same else data

    ways = {
        "a bit": at_random,
        "a bit of chunks": long_alone(at_random),
        "the last bit": lambda data: data[:-1] + bytes((data[-1] ^ 1,)),
        "zeros": lambda data: bytes(len(data)),
        "zeros at the end": lambda data: data[:len(data) // 2] + bytes(len(data) - len(data) // 2),
        "cut": lambda data: data[:len(data) // 2],
        "cut by one": lambda data: data[:-1],
        "one more": lambda data: data + b"x",
        "turned": long_alone(lambda data: data[1:] + data[:1]),
        "chunks exchanged": long_alone(lambda data: data[len(data) // MIB // 2 * MIB:] + data[:len(data) // MIB // 2 * MIB]),
        "an answer again": the_one_before,
    }
    asked = [(None, big), ("20M-21M", big[20 * MIB:21 * MIB + 1]), ("-100", big[-100:]), (f"{SEGMENT - 5}-{SEGMENT + 5}", big[SEGMENT - 5:SEGMENT + 6])]
    whole = 0
    for name, how in ways.items():
        for text, want in asked:
            before.clear()
            door.how, door.count = how, 0
            p = user.run("--timeout", "10", "cat", *(("--range", text) if text else ()), "big")
            door.how = None
            whole += beginning(p, want, f"{name}: {text}")
            check(door.count > 0, f"{name}: {text}: the lie was not heard")
    check(whole <= 4, f"{whole} of {len(ways) * len(asked)} came through a gateway that lies")      # an answer again: there may be none like it
    for text, want in asked:
        check(user.expect(0, "cat", *(("--range", text) if text else ()), "big").stdout == want, "after all lies")


def run():
    rng = seeded("cli/ranges")
    objects = {"big": rng.randbytes(SIZE), "empty": b"", "small": rng.randbytes(1234)}
    with api.ManyUsers(n=3, k=2) as server:
        try:
            with Altering(server.port) as door, User(server, "ann", door.url) as user:
                user.init()
                user.put_all(objects)
                ranges(user, objects, rng)
                words(user, objects)
                lies(user, door, objects, rng)
                damaged(server, user, objects)
            server.stop()
        except (Failure, api.Failure):
            print(server.tail(), file=sys.stderr)
            raise
    print("every part as it was put; nothing of a lie on standard output")


main(run)
