#!/usr/bin/python3
"""I1, I2 on real S3 clouds: every set of n-k of five Ceph gateways dead, with no share, share 1 or share 2 lost as well: byte-identical.
One cloud more: exit 6, and nothing is written. By default one of the three cases of shares and one object for each set, and a few of the
sets that are one too many; all with QC_FULL=1, and then by the driver for SigV2, too. And a keeper of backup data that is a bucket."""
import copy
import itertools
import sys

sys.dont_write_bytecode = True
from clouds import Clouds  # noqa: E402
from harness import FULL, Box, check, main, seeded  # noqa: E402
from s3_ask import ask  # noqa: E402
from s3_scrub import Servers, planted_is_found, served  # noqa: E402
from s3box import S3Box  # noqa: E402


class Matrix:
    def __init__(self, clouds, box, data):
        self.clouds, self.box, self.data = clouds, box, data
        self.dead = set()
        self.done = self.refused = 0

    def kill(self, gone):
        """Exactly these are dead: sets in the order of combinations differ in few."""
        self.box.stop()
        for n in sorted(self.dead - gone):
            self.clouds.fault("restart", n)
        for n in sorted(gone - self.dead):
            self.clouds.fault("kill", n)
        self.dead = set(gone)

    def readable(self, gone, share):
        self.kill(set(gone))
        lost = [] if share is None else [self.box.stores[share]]
        with self.box.lost(*lost):
            for name, d in self.data.items() if FULL else [list(self.data.items())[self.done % len(self.data)]]:
                self.box.same(name, d)
                self.done += 1

    def too_many(self, gone):
        self.kill(set(gone))
        for name in self.data if FULL else list(self.data)[:1]:
            check(self.box.get(name, 6) is None, f"without {gone}: something was written")
            self.refused += 1
        p = self.box.expect(6, "put", self.box.write("in", b"never"), "never")
        self.box.said(p, "E0602", *(f"c{n}: cannot be reached" for n in gone))


def kept(clouds, rng):
    """A keeper of backup data that is a bucket: without it nothing is stored, with it a share store may be lost."""
    place = copy.copy(clouds[1])
    place.bucket = "keeper"
    ask(place, "PUT", "")
    with Box(k=2, n=3) as box:
        words = [a for i, c in enumerate(box.clouds, 1) for a in ("--cloud", f"c{i}=file://{c}")]
        p = box.expect(2, "init", "--local", *words, "--k", "2", "--share1", box.stores[0], "--share2", box.stores[1], "--no-passphrase",
                       "--backup-to", clouds[1].url, "--backup-credentials", clouds[1].credentials)
        check(b"E0202" in p.stderr and b"is a cloud of a gateway" in p.stderr, p.stderr.decode())
        box.stop()
        box.init("--no-passphrase", "--backup-to", place.url, "--backup-credentials", place.credentials)
        data = {"a": rng.randbytes(70001), "b": b"1", "c": b""}
        box.put_tree(data)
        with box.lost(box.stores[0]):
            check(all(box.get(name) == d for name, d in data.items()), "with the keeper and one share store")
        clouds.fault("kill", 1)
        p = box.expect(5, "put", box.write("in", b"never"), "never")
        check(b"the keeper of backup data" in p.stderr and b"cannot be reached" in p.stderr, p.stderr.decode())
        clouds.fault("restart", 1)
        box.put_all({"d": b"again"})
        box.expect(0, "verify")


def matrix(rng, scheme):
    with Clouds(5) as clouds, S3Box(clouds, scheme=scheme) as box:
        box.init()
        data = {f"d/{size}": rng.randbytes(size) for size in ((0, 1, 4099, (1 << 20) + 1, (17 << 20) + 12345) if FULL else (4099, (5 << 20) + 1))}
        box.put_all(data)
        m = Matrix(clouds, box, data)
        for i, gone in enumerate(itertools.combinations(range(1, 6), 2)):
            for share in (None, 0, 1) if FULL else ((None, 0, 1)[i % 3],):
                m.readable(gone, share)
        many = list(itertools.combinations(range(1, 6), 3))
        for gone in many if FULL else rng.sample(many, 2):
            m.too_many(gone)
        m.kill(set())
        check(box.get("never", 3) is None, "what was refused is there")
        box.expect(0, "verify")
        if FULL:
            with served(box):
                planted_is_found(Servers(clouds), box, rng)
        box.stop()
        kept(clouds, rng)
        print(f"{scheme}, EC(3,5): {m.done} files back byte for byte, {m.refused} refused", flush=True)


def test():
    rng = seeded("s3_loss_matrix")
    matrix(rng, "s3+http")
    if FULL:
        matrix(rng, "s3v2+http")


main(test)
