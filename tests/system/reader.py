#!/usr/bin/python3
"""The second reader opens what the programs stored: from raw fragments and share stores, without the gateway; with all parts, with
two clouds gone, with either share store gone. The share stores are under a passphrase."""
import os
import shutil
import subprocess
import sys

from harness import Box, check, main, seeded, small_files

READER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "reader", "qcloud_reader.py")


PASSPHRASE = "a passphrase \u2603"


def read(box, clouds, stores, out, code=0, passphrase=PASSPHRASE):
    args = [a for c in clouds for a in ("--cloud", c)] + [a for s in stores for a in ("--store", s)]
    args += ["--passphrase-file", box.write("passphrases", f"another one\n{passphrase}\n".encode())]
    p = subprocess.run([sys.executable, "-B", READER, *args, "all", out], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    check(p.returncode == code, f"reader: exit {p.returncode}, expected {code}\n{p.stderr.decode()}")
    return p


def test():
    rng = seeded("reader")
    with Box() as box:
        box.extra["QCLOUD_PASSPHRASE_COMMAND"] = f"echo '{PASSPHRASE}'"
        box.init("--memory", "64")
        data = {f"a/{size}/ü\n x": rng.randbytes(size) for size in (0, 1, 4095, 1 << 20, (1 << 20) + 1, (16 << 20) + 9, 35 << 20)}
        box.put_all(data)
        box.expect(0, "config", "set", "vault.pad", "yes")          # from here on with zeros behind them
        padded = {f"padded/{size}": rng.randbytes(size) for size in (1000, (1 << 20) - 3, (1 << 20) + 1)}
        box.put_all(padded)
        data |= padded
        small = small_files(rng)
        box.put_tree(small)
        data |= small
        for i, name in enumerate(("padded/1000", next(iter(small)), "a/4095/ü\n x")):   # under other names now
            box.expect(0, "mv", name, f"moved/{i}")
            data[f"moved/{i}"] = data.pop(name)
        box.expect(0, "rm", "a/1/ü\n x")
        box.stop(15)
        del data["a/1/ü\n x"]
        cases = [(range(5), (0, 1))] + [(rng.sample(range(5), 3), s) for s in ((0, 1), (0,), (1,))]
        for i, (clouds, stores) in enumerate(cases):
            out = os.path.join(box.work, f"out{i}")
            read(box, [box.clouds[c] for c in clouds], [box.stores[s] for s in stores], out)
            for name, d in data.items():
                with open(os.path.join(out, name), "rb") as f:
                    check(f.read() == d, f"clouds {clouds}, stores {stores}: {name} differs")
            check(not os.path.exists(os.path.join(out, "a/1")), "a removed object came back")
            check(not os.path.exists(os.path.join(out, "a/4095")), "a moved object is under its old name, too")
            print(f"clouds {sorted(clouds)}, stores {stores}: {len(data)} objects", flush=True)
        shutil.rmtree(box.home)
        box.expect((0, 4), "init", "--join", *box.stores, "--take-over")
        data["after a rebuild"] = rng.randbytes(777)
        box.expect(0, "put", box.write("in", data["after a rebuild"]), "after a rebuild")
        box.stop(15)
        out = os.path.join(box.work, "rebuilt")
        read(box, box.clouds, box.stores, out)
        for name, d in data.items():
            with open(os.path.join(out, name), "rb") as f:
                check(f.read() == d, f"after a rebuild: {name} differs")
        print(f"after a rebuild, with its cut: {len(data)} objects", flush=True)
        # Repaired: one cloud was wiped; of two others something is gone or rotten, and lies under new keys now.
        shutil.rmtree(box.clouds[4])
        os.mkdir(box.clouds[4])
        # Of two segments: a third loss of one would be beyond repair.
        for c, nth, harm in ((0, 2, os.unlink), (1, 1, lambda f: os.truncate(f, 99))):
            files = sorted((os.path.join(d, f) for d, _, fs in os.walk(os.path.join(box.clouds[c], "f")) for f in fs), key=os.path.getsize)
            harm(files[len(files) // nth - 1])
        box.expect(0, "gateway", "repair", "--adopt", "c5")
        box.stop(15)
        for i, clouds in enumerate(((0, 1, 4), (0, 3, 4), (1, 2, 4))):
            out = os.path.join(box.work, f"repaired{i}")
            p = read(box, [box.clouds[c] for c in clouds], box.stores, out)
            check("fragment" not in p.stderr.decode(), f"after a repair: {p.stderr.decode()}")
            for name, d in data.items():
                with open(os.path.join(out, name), "rb") as f:
                    check(f.read() == d, f"after a repair, clouds {clouds}: {name} differs")
        print("after a repair: from any three, the new one among them", flush=True)
        read(box, box.clouds[:2], box.stores, os.path.join(box.work, "none"), code=7)
        read(box, box.clouds, box.stores, os.path.join(box.work, "none"), code=12, passphrase="a wrong one")


main(test)
