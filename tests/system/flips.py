#!/usr/bin/python3
"""I2: one flipped bit in any fragment, identity, log object or share store: the right bytes from what is left, or exit 8; never a
wrong byte. CI takes every seventh byte of one fragment, from another one on in each run, and a sample of the rest; QC_FULL=1 takes every
byte of all small fragments, and a fiftieth of the bytes of the share stores (QC_PART=1: every byte). Without the programs,
unit/gateway_segment changes every byte of a fragment, and unit/vault_store every byte of small files and one in 37 of large ones."""
import contextlib
import os
import shutil
import time

from harness import FULL, Box, check, files, flip, main, part_of, seeded


def flip_back(path, offset, bit):
    """What a read found bad the gateway rebuilds by itself, under another name: then the old file is gone."""
    with contextlib.suppress(FileNotFoundError):
        flip(path, offset, bit)


def flipped(box, name, want, path, offset, rng, codes):
    bit = rng.randrange(8)
    flip(path, offset, bit)
    try:
        got = box.get(name, codes)
    finally:
        flip_back(path, offset, bit)
    check(got is None or got == want, f"{path} byte {offset} bit {bit}: wrong bytes")
    return got is not None


def as_it_is_now(path, cloud, known):
    """A fragment's file, or the one that took its place."""
    end = time.monotonic() + 120
    while not os.path.exists(path):
        check(time.monotonic() < end, f"{path} is gone, and nothing took its place")
        fresh = [f for f in files(os.path.join(cloud, "f")) if f not in known and not os.path.basename(f).startswith(".")]
        if fresh:
            known.add(fresh[0])
            path = fresh[0]
    return path


def fragments(box, rng, data):
    tried = moved = 0
    frags = {c: sorted(files(os.path.join(c, "f"))) for c in box.clouds}
    known = {f for c in box.clouds for f in frags[c]}
    turn = rng.randrange(box.n)
    for i, c in enumerate(box.clouds):
        for path in frags[c]:
            path = as_it_is_now(path, c, known)
            size = os.path.getsize(path)
            small = size < 4096
            whole = small and (FULL or i == turn)
            for offset in range(0 if FULL else rng.randrange(7), size, 1 if FULL else 7) if whole else sorted(rng.sample(range(size), min(size, 12 if FULL else 6))):
                name, want = data["small" if small else "large"]
                was, path = path, as_it_is_now(path, c, known)
                moved += path != was
                with contextlib.suppress(FileNotFoundError):    # it may go between the look and the flip
                    check(flipped(box, name, want, path, offset, rng, 0), f"{path} byte {offset}: one bad fragment was not survived")
                    tried += 1
    print(f"{tried} flips in fragments: every file back byte for byte; {moved} times the gateway had rebuilt one by itself", flush=True)


def too_many(box, rng, data):
    """Three of five fragments bad: refused, with object and clouds named, and no output."""
    name, _ = data["small"]
    bad = []
    for c in box.clouds[:3]:
        for path in list(files(os.path.join(c, "f"))):
            bad.append((path, rng.randrange(136, os.path.getsize(path)), rng.randrange(8)))
            flip(*bad[-1])
    check(box.get(name, (6, 8)) is None, "three bad fragments of five gave an answer")
    err = box.run("get", name, os.path.join(box.work, "out")).stderr.decode()
    check(name in err and "c1" in err + box.run("get", name, "-").stderr.decode(), f"the message names no object or cloud:\n{err}")
    for b in bad:
        flip_back(*b)


def stores(box, rng, data):
    tried = answered = 0
    part = part_of(0.02)
    name, want = data["small"]
    for store in box.stores:
        saved = store + ".saved"
        shutil.copytree(store, saved)
        for path in sorted(files(saved)):
            rel, size = os.path.relpath(path, saved), os.path.getsize(path)
            some = max(min(size, 40), round(size * part)) if FULL else min(size, 20)
            for offset in sorted(rng.sample(range(size), some)):
                target = os.path.join(store, rel)
                flip(target, offset, rng.randrange(8))
                got = box.get(name, (0, 8))
                check(got is None or got == want, f"{target} byte {offset}: wrong bytes")
                tried, answered = tried + 1, answered + (got is not None)
                shutil.rmtree(store)
                shutil.copytree(saved, store)
        shutil.rmtree(saved)
    print(f"{tried} flips in share stores: {answered} answered rightly, {tried - answered} refused", flush=True)
    check(answered >= tried * 0.99, "a damaged share store must not stop a get")


def rebuilds(box, rng, data):
    """Identity and log objects matter in a rebuild: with one flip in one of them a new machine still gets everything."""
    box.stop()
    targets = [p for c in box.clouds for sub in ("i", "l", "r") for p in files(os.path.join(c, sub))]
    home = box.home
    box.expect(0, "verify")
    box.stop()
    for t in range(60 if FULL else 6):
        path = rng.choice(targets)
        offset, bit = rng.randrange(os.path.getsize(path)), rng.randrange(8)
        keep = path + ".keep"
        shutil.copy2(path, keep)
        flip(path, offset, bit)
        box.home = f"{home}-{t}"
        box.expect((0, 4), "init", "--join", box.stores[0], box.stores[1], "--take-over")
        for name, want in data.values():
            check(box.get(name) == want, f"rebuilt with {path} byte {offset} flipped: {name} differs")
        box.stop()
        shutil.rmtree(box.home)
        if os.path.exists(path):
            os.replace(keep, path)
    print(f"{t + 1} rebuilds with a flipped bit in an identity, root or log object", flush=True)


def test():
    rng = seeded("flips")
    with Box() as box:
        box.init()
        data = {"small": ("s/small", rng.randbytes(431)), "large": ("s/large", rng.randbytes((17 << 20) + 4321))}
        for name, d in data.values():
            box.expect(0, "put", box.write("in", d), name)
        fragments(box, rng, data)
        too_many(box, rng, data)
        stores(box, rng, data)
        rebuilds(box, rng, data)


main(test)
