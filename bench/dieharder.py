#!/usr/bin/python3
"""dieharder's tests on what a conditioner makes of a bad source, not mixed with anything (bench_extract). `all` are those of its -a, with the
same parameters, which read 230 GB one after the other; here several of it read the same stream at a time, and none rewinds.
The rule: FAILED fails. WEAK, which good bits are once in a hundred tests, is tried again with another sample, twice at most; three times WEAK
fails. All of it does that to good bits once in some 3,000 runs.
`--raw` asks for the source itself to fail the monobit test first. `some` are one of each family and take minutes; `few` take seconds."""
import argparse
import fcntl
import os
import subprocess
import sys
import threading
import time

DIEHARDER = "/usr/bin/dieharder"
WIDE = 1 << 20      # of a pipe
LAGS = range(33)

# Of -a: number of the test, and its -n where it has one. Nearly all of the bytes are the lagged sums'.
OTHERS = ([(n, None) for n in range(18)] + [(100, None), (101, None), (102, None)] + [(200, n) for n in range(1, 13)]
          + [(201, n) for n in range(2, 6)] + [(202, n) for n in range(2, 6)]
          + [(204, None), (205, None), (206, None), (207, None), (208, 0), (209, 12)])
TESTS = {
    "all": OTHERS + [(203, n) for n in reversed(LAGS)],
    "some": [(0, None), (2, None), (3, None), (4, None), (8, None), (9, None), (10, None), (13, None), (15, None), (16, None),
             (100, None), (101, None), (102, None), (200, 2), (200, 8), (201, 2), (202, 3), (203, 0), (203, 3), (205, None), (209, 12)],
    "few": [(100, None), (101, None)],
}
LINES = {"all": 114}


class Feed:
    """The stream, as many times as there are readers: the slowest one sets the pace."""

    def __init__(self, extract, kind, seed, readers):
        env = dict(os.environ, QC_SEED=str(seed))
        source, sink = os.pipe()
        set_width(source)
        self.ends = [os.pipe() for _ in range(readers)]
        for r, _ in self.ends:
            set_width(r)
        self.maker = subprocess.Popen([extract, kind, str(10 ** 13)], stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.DEVNULL, env=env)
        outs = [w for _, w in self.ends]
        self.tee = subprocess.Popen(["tee", "-p"] + [f"/dev/fd/{w}" for w in outs], stdin=source, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                    pass_fds=outs)
        for fd in [source, sink] + outs:
            os.close(fd)

    def close(self):
        for p in (self.tee, self.maker):
            p.terminate()
            p.wait()


def set_width(fd):
    try:
        fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, WIDE)
    except OSError:
        pass        # an account without the right has narrow ones: it only takes longer


def run_one(test, stdin):
    """Its lines: (name, ntup, tsamples, psamples, p, assessment)."""
    number, n = test
    # The columns of the usual table. With the header's, it would read on for a second to say how fast that goes.
    shown = [w for c in ("test_name", "ntuple", "tsamples", "psamples", "pvalues", "assessment") for w in ("-D", c)]
    words = [DIEHARDER, "-g", "200", "-d", str(number), *shown] + (["-n", str(n)] if n is not None else [])
    done = subprocess.run(words, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    rows = [[c.strip() for c in line.split("|")] for line in done.stdout.decode().splitlines() if not line.startswith("#")]
    rows = [r for r in rows if len(r) == 6 and r[5] in ("PASSED", "WEAK", "FAILED")]
    if done.returncode != 0 or not rows:
        raise SystemExit(f"dieharder -d {number} -n {n}: exit {done.returncode}: {done.stdout.decode()[-500:]}")
    return rows


def run_part(args, tests, seed, readers, found, failures):
    """Readers take tests from one list, the longest first; each has a pipe of its own and reads on where it was."""
    todo, lock = sorted(tests, key=lambda t: t[1] or 0), threading.Lock()
    feed = Feed(args.extract, args.kind, seed, readers)

    def reader(fd):
        try:
            while not failures:
                with lock:
                    if not todo:
                        return
                    test = todo.pop()
                found[test] = run_one(test, fd)
                for r in found[test]:
                    print(f"{r[0]:>22}|{r[1]:>4}|{r[2]:>10}|{r[3]:>8}|{r[4]}|{r[5]:>8}", flush=True)
        except BaseException as e:      # told by the main thread
            failures.append(e)
        finally:
            os.close(fd)                # tee goes on without it

    threads = [threading.Thread(target=reader, args=(r,)) for r, _ in feed.ends]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    feed.close()


def run_all(args, tests, seed):
    """{test: its lines}. The lagged sums, which all read as fast as they can, share a stream; the others have two, lest one that computes
    for long holds them up."""
    found, failures = {}, []
    lagged, others = [t for t in tests if t[0] == 203], [t for t in tests if t[0] != 203]
    parts = [(lagged, min(args.streams, len(lagged))), (others[::2], 1), (others[1::2], 1)]
    threads = [threading.Thread(target=run_part, args=(args, part, seed + 1000 * i, readers, found, failures))
               for i, (part, readers) in enumerate(parts) if part]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if failures:
        raise failures[0]
    return found


def counts_of(found):
    verdicts = [r[5] for rows in found.values() for r in rows]
    return {v: verdicts.count(v) for v in ("PASSED", "WEAK", "FAILED")}


def conditioned(args, tests):
    """By the rule: did they pass?"""
    for attempt in range(3):
        found = run_all(args, tests, args.seed + attempt)
        n = counts_of(found)
        if attempt == 0 and sum(n.values()) != LINES.get(args.tests, sum(n.values())):
            raise SystemExit(f"{sum(n.values())} results, expected {LINES[args.tests]}")
        print(f"# sample {attempt + 1} (seed {args.seed + attempt}): {n['PASSED']} passed, {n['WEAK']} weak, {n['FAILED']} failed")
        tests = [t for t in tests if any(r[5] == "WEAK" for r in found[t])]
        if n["FAILED"] > 0:
            return False
        if not tests:
            return True
    return False


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("extract", help="the program bench_extract")
    a.add_argument("--kind", choices=("toeplitz", "hmac"), default="toeplitz")
    a.add_argument("--tests", choices=sorted(TESTS), default="few")
    a.add_argument("--seed", type=int, default=int(os.environ.get("QC_SEED", time.time_ns() % 10 ** 9)))
    a.add_argument("--streams", type=int, default=5, help="of the lagged sums")
    a.add_argument("--raw", action="store_true", help="the source itself has to fail them")
    args = a.parse_args()
    print(f"# dieharder, tests: {args.tests}; conditioner: {args.kind}; seed {args.seed}; {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}")
    begin = time.monotonic()
    if args.raw:
        bad = argparse.Namespace(**{**vars(args), "kind": "raw"})
        n = counts_of(run_all(bad, [(100, None)], args.seed))
        print(f"# the source itself: {n['PASSED']} passed, {n['WEAK']} weak, {n['FAILED']} failed")
        if n["FAILED"] == 0:
            raise SystemExit("tests that the source passes say nothing of its conditioner")
    good = conditioned(args, TESTS[args.tests])
    print(f"# {'passed' if good else 'NOT passed'}, {time.monotonic() - begin:.0f} s", flush=True)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
