#!/usr/bin/python3
"""I1, I2: every set of n-k clouds, with no share, share 1 or share 2 lost as well: byte-identical. One cloud more: exit 6.
Both shares: exit 7. Nothing is written to the output where it is refused. With a share lost two sizes are drawn; QC_FULL=1: all."""
import itertools
import os

from harness import FULL, Box, check, main, seeded


def objects(rng):
    for size in (0, 1, 4099, 1 << 20, (1 << 20) + 1, (17 << 20) + 12345):
        yield f"d/{size}", rng.randbytes(size)


def matrix(k, n, rng):
    done = refused = 0
    with Box(k, n) as box:
        box.init()
        data = dict(objects(rng))
        box.put_all(data)
        for gone in itertools.combinations(range(n), n - k):
            for share in (None, 0, 1):
                lost = [box.clouds[i] for i in gone] + ([box.stores[share]] if share is not None else [])
                with box.lost(*lost):
                    for name, d in data.items() if share is None or FULL else rng.sample(sorted(data.items()), 2):
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
    print(f"EC({k},{n}): {done} files back byte for byte, {refused} refused", flush=True)


def test():
    rng = seeded("loss_matrix")
    for k, n in ((3, 5), (2, 4), (4, 6)):
        matrix(k, n, rng)


main(test)
