#!/usr/bin/python3
"""I1, I2, in both modes of shares: every set of n-k clouds, with no share, share 1 or share 2 lost as well: byte-identical. One cloud more: exit 6.
Both shares: exit 7. Nothing is written to the output where it is refused. With both shares all are fetched at once, with one lost two are drawn; QC_FULL=1:
each by itself, everywhere.
The same again after a refresh of the shares, with what tickets stored before it and since. What generations of shares open together is unit/vault_mixtures."""
import itertools
import os
import shutil

from harness import FULL, Box, check, main, second_reader, seeded


def objects(rng):
    for size in (0, 1, 4099, 1 << 20, (1 << 20) + 1, (17 << 20) + 12345):
        yield f"d/{size}", rng.randbytes(size)


def matrix(k, n, rng, mode):
    done = refused = 0
    with Box(k, n) as box:
        box.init("--mode", mode)
        data = dict(objects(rng))
        box.put_all(data)
        for gone in itertools.combinations(range(n), n - k):
            for share in (None, 0, 1):
                lost = [box.clouds[i] for i in gone] + ([box.stores[share]] if share is not None else [])
                with box.lost(*lost):
                    if share is None:
                        got = box.get_all((0, 4))
                        check(got == data, f"EC({k},{n}) without {gone}: {sorted(got)}, {[name for name in data if got.get(name) != data[name]]} differ")
                        done += len(got)
                    for name, d in data.items() if FULL else rng.sample(sorted(data.items()), 2) if share is not None else ():
                        check(box.get(name) == d, f"EC({k},{n}) without {gone}, share {share}: {name} differs")
                        done += 1
        for gone in itertools.combinations(range(n), n - k + 1):
            with box.lost(*(box.clouds[i] for i in gone)):
                for name in list(data)[1::3]:
                    check(box.get(name, 6) is None, f"EC({k},{n}) without {gone}: something was written")
                    refused += 1
        with box.lost(*box.stores):
            for name in data:
                check(box.get(name, 7) is None, "both shares lost: something was written")
                refused += 1
            p = box.run("put", os.path.join(box.work, "in"), "new")
            check(p.returncode == 7, f"put with both shares lost: exit {p.returncode}")
        for store in box.stores:
            with box.lost(store):
                box.expect(7, "put", os.path.join(box.work, "in"), "new")
        check(box.get("new", 3) is None, "what was refused is there")
        box.expect(0, "verify")
        tickets(box, data)
        if k == 2 or FULL:
            done += refreshed(box, k, n, rng, data)
        if mode == "derived":
            seeds_lost(box, data)
    print(f"EC({k},{n}) {mode}: {done} files back byte for byte, {refused} refused", flush=True)


def tickets(box, data):
    """Share store 2 is elsewhere: as many puts go on as there are tickets, what they stored outlives either store, and both are whole."""
    box.expect(0, "tickets", "draw", "2")
    box.stop()
    old = box.stores[0] + ".old"
    shutil.copytree(box.stores[0], old)
    with box.lost(box.stores[1]):
        for name in ("ticket", "d/1"):
            data[name] = b"stored without the stick: " + name.encode()
            box.put_all({name: data[name]})
        box.expect(7, "put", os.path.join(box.work, "in"), "too much")
        check(box.get("ticket") == data["ticket"], "a ticket's object differs")
    with box.lost(*box.stores):     # an old copy of store 1 has used tickets again: a version is never stored twice
        shutil.copytree(old, box.stores[0])
        check(b"used by another put" in box.expect(5, "put", os.path.join(box.work, "in"), "twice").stderr, "a used ticket is taken again")
    for store in (*box.stores, None):
        with box.lost(*([store] if store else [])):
            for name, d in data.items():
                check(box.get(name) == d, f"tickets, {store} lost: {name} differs")
    data["back"] = b"the stick is back"
    box.put_all({"back": data["back"]})
    box.expect(0, "verify")


def refreshed(box, k, n, rng, data):
    """Other shares of all there is: each set of losses again, of one object that was drawn and, with a share lost, of one by each side's ticket.
    A store of before opens nothing by itself."""
    before = [store + ".before" for store in box.stores]
    box.stop()
    for store, copy in zip(box.stores, before):
        shutil.copytree(store, copy)
    box.expect(0, "kit", "refresh")
    box.expect(0, "tickets", "draw", "1")
    data["ticket/2"] = b"stored without the stick, by shares of now"
    with box.lost(box.stores[1]):
        box.put_all({"ticket/2": data["ticket/2"]})
    box.expect(0, "verify")
    done = 0
    for gone in itertools.combinations(range(n), n - k):
        for share in (None, 0, 1):
            names = data if FULL else {rng.choice(sorted(data))} | ({rng.choice(("ticket", "d/1")), "ticket/2"} if share is not None else set())
            with box.lost(*(box.clouds[i] for i in gone), *([box.stores[share]] if share is not None else [])):
                for name in sorted(names):
                    check(box.get(name) == data[name], f"refreshed, EC({k},{n}) without {gone}, share {share}: {name} differs")
                    done += 1
    for i, copy in enumerate(before):
        with box.lost(*box.stores):
            shutil.copytree(copy, box.stores[i])
            check(b"they were replaced (kit refresh)" in box.expect(7, "get", "ticket", "-").stderr, f"store {i + 1} of before opened")
    return done


def seeds_lost(box, data):
    """A store whose seed is lost comes back as one that keeps its shares; old and new objects open by either, and by a second reader."""
    for i, store in enumerate(box.stores, 1):
        shutil.rmtree(store)
        box.expect(0, "recover", "--share", str(i))
        data[f"after/{i}"] = b"%d" % i * 99
        box.put_all({f"after/{i}": data[f"after/{i}"]})
        for other in box.stores:
            with box.lost(other):
                for name, d in data.items():
                    check(box.get(name) == d, f"share {i} recovered, {other} lost: {name} differs")
        box.expect(0, "verify")
        if i == 1:
            second_reader(box, data)


def test():
    rng = seeded("loss_matrix")
    for k, n, mode in ((3, 5, "stored"), (2, 4, "stored"), (4, 6, "stored"), (2, 4, "derived")) + (((3, 5, "derived"),) if FULL else ()):
        matrix(k, n, rng, mode)


main(test)
