#!/usr/bin/python3
"""What a source of randomness costs a put: the same file with the operating system's generator and with sources that keep up, in turns, in
an order that is drawn anew each round; each of them TURNS times in a row, of which the median counts. For the clock and for the client's
processor time (children included), of pairs within a round: the median ratio to `os` and the median of what is added, both with 95 % intervals
by bootstrap; how many of the pairs are above 1.02, and the sign test's probability of so few or fewer if the median were 1.02. It is `below 1.02` where the interval or that test (0.05) shows it,
`above` where the interval does; else, and of fewer than 20 pairs, `open`. `os again` says what the machine's noise makes of nothing: on a
quiet machine it is below.
The processor time that a source adds does not depend on the file: from which size on it is under 2 % is said at the end.

The clouds are directories where TMPDIR is: in memory (TMPDIR=/dev/shm) a put is the fastest that it can be, and what a source adds the most of
it. At most 1 GiB is stored at a time.
QC_UNSETTLED=1 leaves it to the put to write to the disk what was configured for it, to see what that costs.
Usage: TMPDIR=/dev/shm QC_BIN=build/release/bin bench/sources.py [SECONDS [SIZE..]] [SOURCE..]     (300 s; 4 KiB, 16 MiB, 64 MiB: a third of it
each). SOURCE: how the name of a source begins, as `command` or `device, hmac`; of all if there is none. 80 s are enough for one source, where
nothing else is at work: bench/sources.py 80 4096 'command, hmac'."""
import contextlib
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

DEVICE = "kind = device\npath = /dev/urandom\n"
# A program that gives as it is asked, 4 KiB at a time; cat would make 128 KiB before anybody has read a byte.
COMMAND = "kind = command\npath = /bin/dd if=/dev/urandom bs=4096\n"
# The same program, started once: it fills a FIFO of which it holds both ends, and waits while nobody reads.
FIFO = "kind = device\npath = {root}/fifo\n"
SOURCES = {"os": None, "os again": None, "device, hmac": DEVICE + "condition = hmac", "device, toeplitz": DEVICE + "condition = toeplitz",
           "command, hmac": COMMAND + "condition = hmac", "command, toeplitz": COMMAND + "condition = toeplitz",
           "FIFO, hmac": FIFO + "condition = hmac"}
MOST = 1.02
LEAST = 20              # pairs, for a verdict
TURNS = 3
SETTLED = "QC_UNSETTLED" not in os.environ
STORED = 600 << 20      # bytes of objects in one vault; 5/3 of it on its clouds


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
        ratios, added = [a[i] / b[i] for a, b in zip(times, base)], [1000 * (a[i] - b[i]) for a, b in zip(times, base)]
        (low, high), (least, most) = interval(ratios), interval(added)
        above, p = sign_test(ratios)
        verdict = "open" if len(ratios) < LEAST else "above 1.02" if low > MOST else "below 1.02" if high < MOST or p < 0.05 else "open"
        print(f"put of {size} bytes, {name}, {what}: {1000 * statistics.median(t[i] for t in times):.2f} ms, {statistics.median(added):+.2f} ms "
              f"({least:+.2f} to {most:+.2f}); ratio {statistics.median(ratios):.4f} ({low:.4f} to {high:.4f}); {above} of {len(ratios)} above "
              f"{MOST}: p {p:.2g}: {verdict}", flush=True)


def configure(box, source):
    """What the next put finds. Every one begins with nothing to be written before it but its own: a file that was written just now, or
    removed, goes to the disk with the first sync that comes, which would be the put's, and only where there is a source."""
    conf, other = os.path.join(box.home, "random.conf"), os.path.join(box.home, "no.conf")
    path, text = (other, "") if source is None else (conf, f"[source lab]\n{source.format(root=box.root)}\n")
    if source is None and os.path.exists(conf):
        os.unlink(conf)
    with open(path, "w", encoding="ascii") as f:
        f.write("[policy]\ndefault = required\n" + text)
        f.flush()
        if SETTLED:
            os.fsync(f.fileno())
    if SETTLED:
        home = os.open(box.home, os.O_RDONLY)
        os.fsync(home)
        os.close(home)


@contextlib.contextmanager
def fifo(box):
    path = os.path.join(box.root, "fifo")
    os.mkfifo(path, 0o600)
    both = os.open(path, os.O_RDWR)
    p = subprocess.Popen(["/bin/dd", "if=/dev/urandom", "bs=4096"], stdin=subprocess.DEVNULL, stdout=both, stderr=subprocess.DEVNULL)
    os.close(both)
    try:
        yield
    finally:
        p.kill()
        p.wait()


def puts(box, path, name):
    taken = [put(box, path, name) for _ in range(TURNS)]
    return tuple(statistics.median(t[i] for t in taken) for i in range(2))


def rounds(box, size, most, end, took):
    """At least one, at most so many, in this vault; one before them warms up."""
    path = box.write(f"file{size}", os.urandom(size))
    for i in range(most + 1):
        if i > 1 and time.monotonic() > end:
            return
        times = {}
        for name in random.sample(list(took), len(took)):
            configure(box, SOURCES[name])
            times[name] = puts(box, path, f"{size}")
        for name in took if i > 0 else ():
            took[name].append(times[name])


def measure(size, seconds, names):
    took = {name: [] for name in names}
    end, most = time.monotonic() + seconds, max(1, STORED // len(took) // TURNS // size - 1)
    while time.monotonic() < end or not took["os"]:
        with Box() as box, fifo(box):
            box.init()
            rounds(box, size, min(most, 200), end, took)
    for name, times in took.items():
        if name != "os":
            tell(size, name, times, took["os"])
    return {name: (statistics.median(a[1] - b[1] for a, b in zip(times, took["os"])), statistics.median(t[1] for t in took["os"]))
            for name, times in took.items()}


def main():
    numbers = [a for a in sys.argv[1:] if a[0].isdigit()]
    words = tuple(a for a in sys.argv[1:] if not a[0].isdigit())
    names = [name for name in SOURCES if name in ("os", "os again") or not words or name.startswith(words)]
    check(all(any(name.startswith(word) for name in SOURCES) for word in words), f"sources: {', '.join(SOURCES)}")
    seconds = float(numbers[0]) if numbers else 300
    sizes = sorted(int(a) for a in numbers[1:]) or [4096, 16 << 20, 64 << 20]
    print(f"load average {os.getloadavg()[0]:.1f}; {os.cpu_count()} processors", flush=True)
    found = [measure(size, seconds / len(sizes), names) for size in sizes]
    small, large = found[0], found[-1]
    per_byte = (large["os"][1] - small["os"][1]) / (sizes[-1] - sizes[0]) if len(sizes) > 1 else 0
    for name in names:
        added = small[name][0]      # measured where it is the most of the whole
        if name != "os" and per_byte > 0:
            size = max(0, (added / (MOST - 1) - small["os"][1]) / per_byte)
            print(f"{name}: {1000 * added:+.2f} ms of the processor; under 2 % of what a put takes of it from {size / (1 << 20):.1f} MiB on")


if __name__ == "__main__":
    main()
