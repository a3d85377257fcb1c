#!/usr/bin/python3
"""I1: the gateway's whole state directory lost together with one share store and two clouds. A new machine with the other share
store gets every object back, goes on writing, and the old gateway, should it come back, says that another took over."""
import os
import shutil

from harness import Box, check, main, seeded, small_files


def one(rng, survivor, gone):
    with Box() as box:
        box.init()
        data = {f"dir{i % 3}/file {i}": rng.randbytes(rng.choice((0, 1, 5000, 70001, (16 << 20) + 77))) for i in range(9)}
        box.put_all(data)
        small = small_files(rng)
        box.put_tree(small)
        data |= small
        data["dir0/file 0"] = rng.randbytes(3333)
        box.expect(0, "put", box.write("in", data["dir0/file 0"]), "dir0/file 0")
        box.expect(0, "rm", "dir1/file 1")
        del data["dir1/file 1"]
        box.stop()
        old_home = box.home + ".old"
        os.rename(box.home, old_home)
        for i in gone:
            shutil.rmtree(box.clouds[i])
        shutil.rmtree(box.stores[1 - survivor])
        box.expect((0, 4), "init", "--join", box.stores[survivor], "--take-over")
        for name, d in data.items():
            check(box.get(name) == d, f"store {survivor + 1} left, clouds {gone} lost: {name} differs")
        check(box.get("dir1/file 1", 3) is None, "a removed object came back")
        box.expect((0, 4), "recover", "--share", str(2 - survivor), "--to", box.stores[1 - survivor] + ".new")
        p = box.run("put", box.write("in", b"after"), "after")
        check(p.returncode in (4, 6), f"put with two clouds gone: exit {p.returncode} (write quorum is 4 of 5)")
        box.stop()
        os.rename(box.home, box.home + ".new")
        os.rename(old_home, box.home)
        p = box.run("put", box.write("in", b"zombie"), "zombie")
        check(p.returncode in (6, 7, 11), f"the old machine still writes: exit {p.returncode}\n{p.stderr.decode()}")
    print(f"only store {survivor + 1} and clouds other than {gone}: {len(data)} objects back", flush=True)


def test():
    rng = seeded("machine_lost")
    for survivor in (0, 1):
        one(rng, survivor, rng.sample(range(5), 2))


main(test)
