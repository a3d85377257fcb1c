#!/usr/bin/python3
"""What a source of randomness costs a put: the same file with the operating system's generator and with a source that keeps up (a command
that reads /dev/urandom), in turns. Prints the medians, on the clock and of the client's processor time, and the median of the ratios of
neighbours, which is what noise of the machine moves least; `os again` says how much that is. Usage: QC_BIN=build/release/bin bench/sources.py [ROUNDS]"""
import os
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests", "system"))
from harness import Box, QCLOUD, check  # noqa: E402

SOURCES = {"os": None, "os again": None, "command, hmac": "condition = hmac", "command, toeplitz": "condition = toeplitz"}


def put(box, path, name):
    """Seconds on the clock and of the processor."""
    begin = time.monotonic()
    p = subprocess.Popen([QCLOUD, "-q", "put", path, name], env=box.env(), stdin=subprocess.DEVNULL)
    _, status, used = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    check(p.returncode == 0, f"put: exit {p.returncode}")
    return time.monotonic() - begin, used.ru_utime + used.ru_stime


def measure(box, size, rounds):
    path = box.write(f"file{size}", os.urandom(size))
    conf = os.path.join(box.home, "random.conf")
    took = {name: [] for name in SOURCES}
    for i in range(rounds + 1):
        for name, line in SOURCES.items():
            if line is None and os.path.exists(conf):
                os.unlink(conf)
            elif line is not None:
                box.write("../home/random.conf", f"[policy]\ndefault = required\n[source lab]\nkind = command\npath = /bin/cat /dev/urandom\n{line}\n".encode())
            t = put(box, path, f"{size}-{i}")
            if i > 0:       # the first round warms up
                took[name].append(t)
    for name, times in took.items():
        ratio = statistics.median(a[0] / b[0] for a, b in zip(times, took["os"]))
        cpu = statistics.median(a[1] - b[1] for a, b in zip(times, took["os"]))
        print(f"put of {size} bytes, {name}: {1000 * statistics.median(t[0] for t in times):.1f} ms, {ratio:.4f} of os; "
              f"cpu {1000 * cpu:+.2f} ms", flush=True)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    with Box() as box:
        box.init()
        for size in (4096, 64 << 20):
            measure(box, size, rounds)


if __name__ == "__main__":
    main()
