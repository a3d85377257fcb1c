"""I1, ADR 18: what is spoilt on two of five clouds is what one scrub finds, each with its cloud, key and kind, and nothing else; then it is mended
without a command, the margin is full again, and the next scrub finds nothing. Fragments and log objects are lost, flipped, cut, lengthened,
emptied, exchanged with each other and with another cloud's, rolled back to older bytes; foreign ones lie beside them. Then one cloud as a whole
is as it was before the last puts and removals. On real S3 servers (s3_loss_matrix, which has the clouds), and on directories, by itself."""
import collections
import contextlib
import json
import os
import subprocess
import sys
import time

sys.dont_write_bytecode = True
from debts import status  # noqa: E402
from harness import GATEWAY, Box, check, files, main, seeded  # noqa: E402
from s3_ask import ask  # noqa: E402

SPOILT = (2, 4)
BIG = (32 << 20) + 4097         # three segments


class Servers:
    """Objects of clouds, by their numbers: S3's."""

    def __init__(self, clouds):
        self.clouds = clouds

    def keys(self, n):
        return self.clouds.list(n)

    def read(self, n, key):
        return ask(self.clouds[n], "GET", key)

    def write(self, n, key, data):
        ask(self.clouds[n], "DELETE" if data is None else "PUT", key, data or b"")


class Directories:
    def __init__(self, box):
        self.box = box

    def path(self, n, key):
        return os.path.join(self.box.clouds[n - 1], key)

    def keys(self, n):
        top = self.box.clouds[n - 1]
        return {os.path.relpath(f, top): os.path.getsize(f) for f in files(top) if not os.path.basename(f).startswith(".")}

    def read(self, n, key):
        with open(self.path(n, key), "rb") as f:
            return f.read()

    def write(self, n, key, data):
        if data is None:
            os.unlink(self.path(n, key))
            return
        os.makedirs(os.path.dirname(self.path(n, key)), exist_ok=True)
        with open(self.path(n, key), "wb") as f:
            f.write(data)


def scrub(box):
    p = box.expect((0, 4), "--json", "gateway", "scrub", "--content", "--wait", timeout=600)
    return next(r["scrub"] for r in map(json.loads, p.stdout.splitlines()) if r["type"] == "item")


def findings(report):
    return {f["number"]: f for f in report["findings"]}


def compare(planted, report, before):
    """A name that is none of ours has, one time in eight, the form of one (FORMAT 9): then it is unknown, not foreign."""
    found = {(f["cloud"], f["key"]): f["kind"] for number, f in findings(report).items() if number not in before}
    found |= {where: "foreign" for where, kind in found.items() if kind == "unknown" and planted.get(where) == "foreign" and where[1].startswith("f/")}
    check(found == planted, f"planted and not found: {sorted(set(planted.items()) - set(found.items()))}; "
                            f"found and not planted: {sorted(set(found.items()) - set(planted.items()))}")


def whole(box, data):
    """By itself."""
    end = time.monotonic() + 300
    while True:
        report = scrub(box)
        if report["outcome"]["id"] == "ok":
            break
        check(time.monotonic() < end, f"not mended: {report['summary']}")
    margins = status(box)["margins"]
    check([m["margin"] for m in margins] == [2], f"margins: {margins}")
    for name, d in data.items():
        check(box.get(name, code=0) == d, f"{name} differs")


def flipped(rng, data):
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1:]


def spoil(store, rng, old):
    """{(cloud, key): kind}. A segment has one fragment on each cloud, so that two of it may go. old: what was there before the last puts."""
    planted, writes = {}, []

    def plant(n, key, kind, data):
        planted[f"c{n}", key] = kind
        writes.append((n, key, data))

    small, logs = {}, {}
    for n in SPOILT:
        sizes = store.keys(n)
        new = sorted(k for k in sizes if k not in old[n])
        big = [k for k in new if k.startswith("f/") and sizes[k] > 1 << 18]
        size = collections.Counter(sizes[k] for k in new if k.startswith("f/")).most_common(1)[0][0]    # of what is of one segment
        small[n] = rng.sample([k for k in new if k.startswith("f/") and sizes[k] == size], 9)
        logs[n] = rng.sample([k for k in new if k.startswith("l/")], 6)
        body = {k: store.read(n, k) for k in small[n] + logs[n] + big}
        past = {p: store.read(n, next(k for k in sorted(old[n]) if k.startswith(p) and (p == "l/" or sizes[k] == size))) for p in ("f/", "l/")}
        f, g = small[n], logs[n]
        plant(n, big[0], "damaged", flipped(rng, body[big[0]]))
        plant(n, big[1], "missing", None)
        plant(n, f[0], "damaged", flipped(rng, body[f[0]]))
        plant(n, f[1], "size", body[f[1]][:rng.randrange(len(body[f[1]]))])
        plant(n, f[2], "size", body[f[2]] + b"x")
        plant(n, f[3], "size", b"")
        plant(n, f[4], "stale", past["f/"])
        plant(n, f[5], "stale", body[f[6]])
        plant(n, f[6], "stale", body[f[5]])
        plant(n, f[7], "missing", None)
        plant(n, g[0], "damaged", flipped(rng, body[g[0]]))
        plant(n, g[1], "damaged", past["l/"])
        plant(n, g[2], "damaged", body[g[3]])
        plant(n, g[3], "damaged", body[g[2]])
        plant(n, g[4], "damaged", body[g[4]][:-1])
        plant(n, g[5], "missing", None)
        plant(n, "notes.txt", "foreign", b"nothing of ours")
        plant(n, "f/ab/" + "cd" * 16, "foreign", body[f[8]])
    for n, other in (SPOILT, SPOILT[::-1]):
        plant(n, small[n][8], "stale", store.read(other, small[other][8]))      # exchanged, with another cloud
        plant(n, small[other][7], "foreign", store.read(other, small[other][7]))   # its name means nothing here
    for write in writes:
        store.write(*write)
    return planted


def roll_back(store, n, then):
    """The cloud as it was; what it lost by that. What it has again that was dead is no loss."""
    now = store.keys(n)
    for key in now.keys() - then.keys():
        store.write(n, key, None)
    for key in then.keys() - now.keys():
        store.write(n, key, then[key])
    return {(f"c{n}", key): "missing" for key in now.keys() - then.keys() if key.startswith(("f/", "l/"))}


def rolled_back(store, box, rng, data, live):
    """Before, two of its fragments had rotted, and were mended since, under other keys: the old ones are dead. live: how many it has."""
    n = SPOILT[0]
    end = time.monotonic() + 300
    while len([k for k in store.keys(n) if k.startswith("f/")]) != live:
        check(time.monotonic() < end, "what was replaced before is not swept")
        time.sleep(0.1)
    for key in rng.sample(sorted(k for k in store.keys(n) if k.startswith("f/")), 2):
        store.write(n, key, flipped(rng, store.read(n, key)))
    then = {key: store.read(n, key) for key in store.keys(n)}
    for i in range(4):
        data[f"later{i}"] = rng.randbytes(5000)
        box.expect(0, "put", box.write("in", data[f"later{i}"]), f"later{i}")
    whole(box, data)
    dead = lambda: [k for k in store.keys(n) if k in gone]      # noqa: E731
    end = time.monotonic() + 300
    while len(gone := then.keys() - store.keys(n).keys()) < 2:
        check(time.monotonic() < end, "what was replaced is not swept")
        time.sleep(0.1)
    before = findings(scrub(box))
    planted = roll_back(store, n, then)
    check(len(planted) >= 4 + 4 + 2, f"rolled back: {planted}")
    compare(planted, scrub(box), before)
    whole(box, data)
    end = time.monotonic() + 300
    while dead():
        check(time.monotonic() < end, f"not swept again: {dead()}")
        time.sleep(0.1)
    print(f"a cloud rolled back: {len(planted)} objects that it lost, found one by one, and mended; {len(gone)} that came back", flush=True)


def planted_is_found(store, box, rng):
    old, data = {}, {}
    for i in range(24):
        if i == 4:
            old = {n: set(store.keys(n)) for n in SPOILT}
        data[f"scrubbed{i}"] = rng.randbytes(BIG if i == 12 else 5000)
        box.expect(0, "put", box.write("in", data[f"scrubbed{i}"]), f"scrubbed{i}")
    live = len([k for k in store.keys(SPOILT[0]) if k.startswith("f/")])
    before = findings(scrub(box))
    planted = spoil(store, rng, old)
    compare(planted, scrub(box), before)
    for cloud, key in (where for where, kind in planted.items() if kind == "foreign"):
        store.write(int(cloud[1:]), key, None)
    whole(box, data)
    print(f"{len(planted)} planted on 2 clouds, found one by one, and mended", flush=True)
    rolled_back(store, box, rng, data, live)


@contextlib.contextmanager
def served(box):
    """A gateway that scrubs as fast as it goes."""
    box.stop()
    state = os.path.dirname(next(f for f in files(box.home) if f.endswith("catalogue.db")))
    conf = box.write("conf", f"[gateway]\nstate = {state}\n[audit]\nlog = no\n[scrub]\nrequests-per-second = 0\nbytes-per-second = 0\n".encode())
    r, w = os.pipe()
    with subprocess.Popen([GATEWAY, "serve", "--config", conf, "--ready-fd", str(w)], env=box.env(), pass_fds=(w,), stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as p:
        os.close(w)
        with os.fdopen(r, "rb") as f:
            check(f.read(1) != b"", "the gateway does not start")
        try:
            yield
        finally:
            p.terminate()


def test():
    rng = seeded("s3_scrub")
    with Box() as box:
        box.init()
        with served(box):
            planted_is_found(Directories(box), box, rng)


if __name__ == "__main__":
    main(test)
