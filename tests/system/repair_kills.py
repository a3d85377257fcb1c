#!/usr/bin/python3
"""I1: kill -9 of the gateway at random instants of a repair, of fragments, of records and of a wiped cloud that is filled again.
After each kill every byte is there; the repair that comes to its end leaves all whole, so that any two other clouds may go, and
nothing that the second reader cannot explain. 6 kills in CI (100 with QC_FULL=1); the seed is printed."""
import os
import shutil
import signal
import time

from harness import FULL, Box, check, files, flip, main, second_reader, seeded

KILLS = 100 if FULL else 6
SIZES = (0, 3000, 70_000, 900_000, (16 << 20) + 99)


def damage(box, rng, clouds):
    """On two clouds, each of them within its own: what is gone from both is as much as may be."""
    for c in clouds:
        for kind in ("f", "l", "r"):
            for f in list(files(os.path.join(box.clouds[c], kind))):
                harm, size = rng.randrange(4), os.path.getsize(f)
                if harm == 0:
                    os.unlink(f)
                elif harm == 1:
                    os.truncate(f, rng.randrange(size))
                elif harm == 2 and size:
                    flip(f, rng.randrange(size), rng.randrange(8))


def wipe(box, cloud):
    shutil.rmtree(box.clouds[cloud])
    os.mkdir(box.clouds[cloud])


def readable(box, data):
    for name, d in data.items():
        check(box.get(name, code=(0, 4)) == d, f"{name} differs")


def killed_repair(box, rng, args, longest):
    """One repair, and its gateway's end. Returns whether it was in time."""
    box.expect((0, 4, 6), "status")
    client = box.start("gateway", "repair", *args)
    time.sleep(rng.random() * longest)
    running = client.poll() is None
    box.stop(signal.SIGKILL)
    client.communicate(timeout=60)
    check(client.returncode in (0, 4, 5), f"gateway repair {args}: exit {client.returncode}")
    return running


def whole(box, rng, data, args):
    """It comes to its end, and then any two clouds may go."""
    t0 = time.monotonic()
    box.expect(0, "gateway", "repair", *args)
    took = time.monotonic() - t0
    p = box.expect(0, "gateway", "repair", "--deep")
    check(b"rebuilt" not in p.stdout and b"removed" not in p.stdout, f"something was left: {p.stdout.decode()}")
    with box.lost(*(box.clouds[i] for i in rng.sample(range(5), 2))):
        readable(box, data)
    return took


def test():
    rng = seeded("repair_kills")
    with Box() as box:
        box.init()
        data = {f"n{i}": rng.randbytes(size) for i, size in enumerate(SIZES)}
        box.put_all(data)
        kills = rounds = 0
        longest = 0.4
        while kills < KILLS:
            check(rounds < 20 * KILLS, f"only {kills} kills in {rounds} repairs")
            a, b = rng.sample(range(5), 2)
            adopt = rng.random() < 0.4
            damage(box, rng, (a,) if adopt else (a, b))
            if adopt:
                wipe(box, b)
            args = ["--deep", *(("--adopt", f"c{b + 1}") if adopt else ())]
            for _ in range(rng.choice((1, 1, 2, 3))):
                kills += killed_repair(box, rng, args, longest)
                rounds += 1
                readable(box, data)
            longest = max(0.1, 0.8 * longest + 0.2 * whole(box, rng, data, args))
        print(f"{kills} kills in {rounds} repairs; one takes {longest:.2f} s", flush=True)
        second_reader(box, data)


main(test)
