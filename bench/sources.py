#!/usr/bin/python3
"""What a source of randomness costs a put: the same file with the operating system's generator and with sources that keep up, in turns, in
an order that is drawn anew each round. For the clock and for the client's processor time (children included), of pairs within a round: the
median ratio to `os`, with a 95 % interval by bootstrap; how many of the pairs are above 1.02, and the sign test's probability of so few or
fewer if the median were 1.02: below 0.05 it is shown that it is less. `os again` says what the machine's noise makes of nothing. The
processor time that a source adds does not depend on the file: from which size on it is under 2 % is said at the end.
Usage: QC_BIN=build/release/bin bench/sources.py [ROUNDS [SIZE..]]"""
import math
import os
import random
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests", "system"))
from harness import Box, QCLOUD, check  # noqa: E402

DEVICE, COMMAND = "kind = device\npath = /dev/urandom\n", "kind = command\npath = /bin/cat /dev/urandom\n"
SOURCES = {"os": None, "os again": None, "device, hmac": DEVICE + "condition = hmac", "device, toeplitz": DEVICE + "condition = toeplitz",
           "command, hmac": COMMAND + "condition = hmac"}
MOST = 1.02


def put(box, path, name):
    """Seconds on the clock and of the processor."""
    begin = time.monotonic()
    p = subprocess.Popen([QCLOUD, "-q", "put", path, name], env=box.env(), stdin=subprocess.DEVNULL)
    _, status, used = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    check(p.returncode == 0, f"put: exit {p.returncode}")
    return time.monotonic() - begin, used.ru_utime + used.ru_stime


def interval(values, times=2000):
    medians = sorted(statistics.median(random.choices(values, k=len(values))) for _ in range(times))
    return medians[int(0.025 * times)], medians[int(0.975 * times)]


def sign_test(ratios):
    """So few above MOST, or fewer, by chance, if the median were MOST."""
    above, n = sum(r > MOST for r in ratios), len(ratios)
    return above, sum(math.comb(n, i) for i in range(above + 1)) / 2 ** n


def tell(size, name, times, base):
    for what, i in (("clock", 0), ("cpu", 1)):
        ratios = [a[i] / b[i] for a, b in zip(times, base)]
        low, high = interval(ratios)
        above, p = sign_test(ratios)
        print(f"put of {size} bytes, {name}, {what}: {1000 * statistics.median(t[i] for t in times):.2f} ms, "
              f"{1000 * statistics.median(a[i] - b[i] for a, b in zip(times, base)):+.2f} ms; ratio {statistics.median(ratios):.4f} "
              f"({low:.4f} to {high:.4f}); {above} of {len(ratios)} above {MOST}: p {p:.2g}", flush=True)


def measure(box, size, rounds):
    path = box.write(f"file{size}", os.urandom(size))
    conf = os.path.join(box.home, "random.conf")
    took = {name: [] for name in SOURCES}
    for i in range(rounds + 1):
        for name in random.sample(list(SOURCES), len(SOURCES)):
            if SOURCES[name] is None and os.path.exists(conf):
                os.unlink(conf)
            elif SOURCES[name] is not None:
                box.write("../home/random.conf", f"[policy]\ndefault = required\n[source lab]\n{SOURCES[name]}\n".encode())
            t = put(box, path, f"{size}")
            if i > 0:       # the first round warms up
                took[name].append(t)
    for name, times in took.items():
        tell(size, name, times, took["os"])
    return {name: (statistics.median(a[1] - b[1] for a, b in zip(times, took["os"])), statistics.median(t[1] for t in took["os"]))
            for name, times in took.items()}


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    sizes = sorted(int(a) for a in sys.argv[2:]) or [4096, 64 << 20]
    with Box() as box:
        box.init()
        found = [measure(box, size, rounds) for size in sizes]
    small, large = found[0], found[-1]
    per_byte = (large["os"][1] - small["os"][1]) / (sizes[-1] - sizes[0]) if len(sizes) > 1 else 0
    for name in SOURCES:
        added = small[name][0]      # measured where it is the most of the whole
        if name != "os" and per_byte > 0:
            size = max(0, (added / (MOST - 1) - small["os"][1]) / per_byte)
            print(f"{name}: {1000 * added:+.2f} ms of the processor; under 2 % of what a put takes of it from {size / (1 << 20):.1f} MiB on")


if __name__ == "__main__":
    main()
