#!/usr/bin/python3
"""I1, ADR 19: clouds come and go. Under a load of puts, gets and removals a sixth cloud is added, the first one drained and retired; the
gateway is killed at each step and at random, and goes on. No margin that status shows is ever below that of the start; at every kill the
catalogue could be rebuilt from any C-m clouds; what is refused says what is missing; and a retired cloud has nothing of ours. 4 clouds of a
rebuild are drawn in CI, all sets with QC_FULL=1; the seed is printed."""
import os
import shutil
import signal
import subprocess
import time

from harness import FULL, Box, check, files, main, second_reader, seeded, small_files
from moving import SIZES, Load, begun, clouds, gateway, killed_under_load, margins, rebuilds

BIG = (16 << 20) + 99
ADD = ("move_row", "move_filled", "shares_drawn", "shares_put", "shares_spread", "member_logged", "shares_settle", "shares_settled")
DRAIN = ("drain_begun", "repair_trial_done", "repair_put_done", "repair_read_back", "repair_settle", "repair_settled", "sweep_deleted")
RETIRE = ("retire_counted", "shares_put", "shares_spread", "member_logged", "shares_settle", "retire_identity", "retire_cleaned")


def test():
    rng = seeded("moves")
    with Box() as box:
        box.init()
        data = {f"n{i}": rng.randbytes(size) for i, size in enumerate((*SIZES, BIG))}
        box.put_all(data)
        small = small_files(rng)
        box.put_tree(small)
        data |= small
        sixth = os.path.join(box.root, "cloud6")
        box.stop(signal.SIGTERM)
        p = gateway(box, 6, "cloud", "drain", "c1", "--yes")
        check(b"add 1 first" in p.stderr, p.stderr.decode())
        gateway(box, 5, "cloud", "retire", "c1")
        gateway(box, 5, "cloud", "add", f"c6=file://{box.clouds[0]}")

        hit = begun(box, ADD, ("cloud", "add", f"c6=file://{sixth}"), lambda b: clouds(b)["c6"]["role"] == "in use", rng, len(data))
        check(set(hit) == set(ADD), f"add was killed at {hit} only")
        box.clouds.append(sixth)
        rebuilds(box, rng, len(data))

        hit = begun(box, DRAIN, ("cloud", "drain", "c1", "--yes"), lambda b: clouds(b)["c1"]["fragments"] == 0, rng, len(data))
        check(set(hit) == set(DRAIN), f"drain was killed at {hit} only")
        check(margins(box) == [2], f"margins after the drain: {margins(box)}")
        hit = begun(box, RETIRE, ("cloud", "retire", "c1"), lambda b: "c1" not in clouds(b), rng, len(data))
        check(set(hit) == set(RETIRE), f"retire was killed at {hit} only")
        left = [f for f in files(box.clouds[0]) if "/." not in f[len(box.root):]]
        check(not left, f"left on the retired cloud: {left}")
        shutil.rmtree(box.clouds.pop(0))
        for name, d in data.items():
            check(box.get(name) == d, f"{name} differs")
        rebuilds(box, rng, len(data))
        print(f"add, drain, retire: killed at {len(ADD) + len(DRAIN) + len(RETIRE)} steps, rebuilt from sets of clouds at each", flush=True)

        with Load(box, rng, data) as load:
            time.sleep(1)
            seventh = os.path.join(box.root, "cloud7")
            args = ("cloud", "replace", "c2", f"c7=file://{seventh}", "--yes")
            kills = killed_under_load(box, rng, args, 40 if FULL else 4)
            for _ in range(50):
                p = box.run("status")
                p = gateway(box, tuple(range(20)), *args)
                if p.returncode == 0:
                    break
                time.sleep(0.2)
            check(p.returncode == 0, p.stderr.decode())
            load.least = min([load.least, *margins(box)])
        box.clouds.append(seventh)
        check(load.least == 2, f"a margin of {load.least} was shown")
        print(f"replaced under {load.ops} operations, the gateway killed {kills} times meanwhile; the least margin in {load.samples} samples was {load.least}", flush=True)
        check(clouds(box)["c2"]["fragments"] == 0, "something is left on c2")
        gateway(box, 0, "cloud", "retire", "c2")
        shutil.rmtree(box.clouds.pop(0))
        for name, d in data.items():
            check(box.get(name) == d, f"{name} differs")
        box.expect(0, "gateway", "repair", "--deep")
        for name, d in data.items():
            check(box.get(name) == d, f"{name} differs after a repair")


main(test)
