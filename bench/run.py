#!/usr/bin/python3
"""Measures the programs in QC_BIN; see bench/run.sh. Writes JSON lines, prints a summary."""
import argparse
import contextlib
import filecmp
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "tests", "system")]
import links                                    # noqa: E402
import model                                    # noqa: E402
import repair                                   # noqa: E402
import s3                                       # noqa: E402
import xor23                                     # noqa: E402
import slow                                     # noqa: E402
import unchanged                                # noqa: E402
from harness import BIN, Box, Failure, QCLOUD, check    # noqa: E402

MIB = 1 << 20
KERNELS = os.path.join(BIN, "..", "bench", "bench_kernels")
TICK = os.sysconf("SC_CLK_TCK")


class Results:
    def __init__(self, path):
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        self.path, self.lines, self.file = path, [], open(path, "w", encoding="utf-8")

    def add(self, kind, **what):
        line = {"kind": kind, **what}
        self.lines.append(line)
        print(json.dumps(line), file=self.file, flush=True)
        return line


# ------------------------------------------------------------ the machine
def first(path, key):
    with open(path, encoding="utf-8") as f:
        for line in f:
            if line.startswith(key):
                return line.split(":", 1)[1].strip()
    return ""


def file_system(path):
    best = ("", "")
    with open("/proc/mounts", encoding="utf-8") as f:
        for line in f:
            _, at, kind = line.split()[:3]
            if os.path.realpath(path).startswith(at) and len(at) >= len(best[0]):
                best = (at, kind)
    return best[1]


def machine(out, place):
    wanted = ("aes", "vaes", "pclmulqdq", "vpclmulqdq", "sha_ni", "avx2", "avx512f", "gfni", "asimd", "pmull", "sha2")
    flags = (first("/proc/cpuinfo", "flags") or first("/proc/cpuinfo", "Features")).split()
    cpus = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cpus[:2])           # both programs, and all that is measured beside them
    out.add("machine", cpu=first("/proc/cpuinfo", "model name") or platform.machine(), flags=[f for f in wanted if f in flags],
            cores=len(cpus), used=len(cpus[:2]), memory_gib=round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / (1 << 30)),
            kernel=platform.release().split("-")[0], file_system=file_system(place), load=round(os.getloadavg()[0], 2),
            when=time.strftime("%Y-%m-%d", time.gmtime()))


def kernels(out, *names, run=None, scale=100):
    text = subprocess.run([KERNELS, "--scale", str(scale), *names], check=True, stdout=subprocess.PIPE, timeout=600).stdout
    for line in text.splitlines():
        out.add("kernel", **({} if run is None else {"run": run}), **json.loads(line))


# ------------------------------------------------------------ processes
def peak_mib(pid):
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8") as f:
            for line in f:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


def cpu_s(pid):
    with open(f"/proc/{pid}/stat", "rb") as f:
        fields = f.read().rsplit(b")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


class Command:
    """One run of qcloud: seconds, processor seconds, peak memory."""

    def __init__(self, box, *args, ok=(0,)):
        self.args, self.ok, self.peak = args, ok, 0.0
        self.start = time.monotonic()
        self.p = subprocess.Popen([QCLOUD, "-q", *map(os.fspath, args)], env=box.env(), stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.watcher = threading.Thread(target=self.watch)
        self.watcher.start()

    def watch(self):                            # a high-water mark: only the last milliseconds can be missed
        while self.p.returncode is None:
            mib = peak_mib(self.p.pid)
            if mib == 0.0:
                return
            self.peak = max(self.peak, mib)
            time.sleep(0.02)

    def wait(self):
        text = self.p.stderr.read().decode(errors="replace")
        _, status, usage = os.wait4(self.p.pid, 0)
        self.seconds = time.monotonic() - self.start
        self.p.returncode = os.waitstatus_to_exitcode(status)
        self.p.stderr.close()
        self.watcher.join()
        self.cpu = usage.ru_utime + usage.ru_stime
        check(self.p.returncode in self.ok, f"qcloud {' '.join(map(str, self.args))}: exit {self.p.returncode}\n{text[-2000:]}")
        return self


def gateway_of(box):
    """The gateway's process, started if it is not there."""
    Command(box, "ls").wait()
    pids = list(box.processes())
    check(len(pids) == 1, f"{len(pids)} gateways")
    return pids[0]


def timed(out, box, run, name, size, *args, ok=(0,)):
    pid = gateway_of(box)
    before = cpu_s(pid)
    c = Command(box, *args, ok=ok).wait()
    gib = size / (1 << 30)
    out.add("path", run=run, name=name, mib=size // MIB, seconds=round(c.seconds, 4), gb_per_s=round(size / c.seconds / 1e9, 4),
            client_cpu_s_per_gib=round(c.cpu / gib, 3), gateway_cpu_s_per_gib=round((cpu_s(pid) - before) / gib, 3))


def random_file(path, size):
    with open(path, "wb") as f:
        for at in range(0, size, MIB):
            f.write(os.urandom(min(MIB, size - at)))
        os.fsync(f.fileno())


def sparse_file(path, size):
    with open(path, "wb") as f:
        f.truncate(size)
    return path


# ------------------------------------------------------------ what is measured
def bytes_read(pid):
    """By a process, of whatever it is."""
    with open(f"/proc/{pid}/io", encoding="ascii") as f:
        return int(f.readline().split()[1])


def part_of_it(out, box, size, count):
    """4 KiB out of the object, at places drawn by lot: what the client asks of the gateway, what the gateway reads of the clouds."""
    pid = gateway_of(box)
    whole = [Command(box, "get", "object", "-").wait().seconds for _ in range(3)]
    rows, fetched, before = [], [], bytes_read(pid)
    for _ in range(count):
        first = random.randrange(size - 4096)
        began = time.monotonic()
        p = subprocess.run([QCLOUD, "cat", "--json", "--range", f"{first}-{first + 4095}", "object"], env=box.env(), stdin=subprocess.DEVNULL,
                           capture_output=True, timeout=120, check=True)
        rows.append(time.monotonic() - began)
        check(len(p.stdout) == 4096, f"{len(p.stdout)} bytes of 4096")
        fetched += [x["fetched"] for x in map(json.loads, p.stderr.splitlines()) if x["type"] == "item"]
    out.add("range", bytes=4096, mib=size // MIB, ranges=count, fetched=round(statistics.mean(fetched)), gateway_read=round((bytes_read(pid) - before) / count),
            ms=round(1000 * statistics.median(rows), 1), whole_ms=round(1000 * statistics.median(whole), 1))


def whole_path(out, place, size, runs):
    with Box(root=place) as box:
        box.init()
        source, back = os.path.join(box.work, "source"), os.path.join(box.work, "back")
        random_file(source, size)
        half = max(1, round(100 * size * model.SPREAD / 2 / (1 << 30)))     # of 1 GiB, in percent
        scale = max(1, 100 * size // (1 << 30))
        for run in range(runs):
            kernels(out, f"disk:{box.work}", run=run, scale=half)
            timed(out, box, run, "put", size, "put", source, "object")
            kernels(out, f"disk:{box.work}", run=run, scale=half)
            kernels(out, f"disk_direct:{box.work}", run=run, scale=half)
            Command(box, "get", "object", "-").wait()                       # the cache is warm from here on
            kernels(out, "gcm_open", "tcp", "unix", f"cache:{source}", run=run, scale=scale)
            for lost in (False, True, True, False) * 2:                     # what drifts meets both alike
                if lost:
                    os.rename(box.stores[1], box.stores[1] + ".away")
                timed(out, box, run, "get_share_lost" if lost else "get", size, "get", "object", "-", ok=(0, 4) if lost else (0,))
                if lost:
                    os.rename(box.stores[1] + ".away", box.stores[1])
            timed(out, box, run, "get_file", size, "get", "object", back)
            check(filecmp.cmp(source, back, shallow=False), "what came back is not what was stored")
            os.unlink(back)
        part_of_it(out, box, size, 5 * runs)


def peak(out, box, what, commands):
    """Commands at once on a new gateway."""
    box.stop()
    pid = gateway_of(box)
    running = [Command(box, *c) for c in commands]
    for c in running:
        c.wait()
    out.add("peak", what=what, client=round(max(c.peak for c in running), 1), gateway=round(peak_mib(pid), 1))


def eight_at_once(out, place, size):
    with Box(root=place) as box:
        box.init()
        source = sparse_file(os.path.join(box.work, "source"), size)
        puts = [("put", source, f"object-{i}") for i in range(8)]
        gets = [("get", f"object-{i}", "-") for i in range(8)]
        text = f"of {size // MIB} MiB"
        peak(out, box, f"8 puts {text}", puts)
        peak(out, box, f"8 gets {text}", gets)
        peak(out, box, f"4 puts and 4 gets {text}", puts[:4] + gets[4:])


def large(out, place, size):
    with Box(root=place) as box:
        box.init()
        source = sparse_file(os.path.join(box.work, "source"), size)
        peak(out, box, f"put of {size >> 30} GiB", [("put", source, "large")])
        peak(out, box, f"get of {size >> 30} GiB", [("get", "large", "-")])


def on_clouds(box):
    """Objects on all clouds: each was a PUT at least."""
    return sum(len(names) for c in box.clouds for _, _, names in os.walk(c))


def small(out, place, count, runs=1, beside=False):
    """beside: restic and rclone with the same tree, in turn. All is removed at the end alone: where many files were removed lately, a file
    system may take a millisecond for each new one."""
    with contextlib.ExitStack() as boxes:
        for run in range(runs):
            box = boxes.enter_context(Box(root=place))
            box.init()
            tree = os.path.join(box.work, "tree")
            os.mkdir(tree)
            for i in range(count):
                with open(os.path.join(tree, f"{i:05}"), "wb") as f:
                    f.write(os.urandom(4096))
            subprocess.run(["sync", "-f", tree], check=True)
            small_ours(out, box, tree, count)
            if beside:
                small_others(out, os.path.join(box.root, f"run-{run}"), tree, count)
            box.stop()


def small_others(out, place, tree, count):
    env, tools = others(place, tree)
    top = os.path.join(place, "others")
    sync = ["sync", "-f", top]
    trees = {
        "restic, one directory": ([["restic", "backup", "-q", "--no-cache", tree], sync],
                                  [["restic", "restore", "-q", "--no-cache", "latest", "--target", os.path.join(top, "back")], sync]),
        "rclone crypt, one directory": ([["rclone", "copy", "-q", tree, "crypt:tree"], sync],
                                        [["rclone", "copy", "-q", "crypt:tree", os.path.join(top, "again")], sync]),
    }
    for tool, (store, fetch) in trees.items():
        check(tool in tools, f"{tool} is not one of the others")
        for name, commands in (("put", store), ("get", fetch)):
            out.add("small_other", tool=tool, name=name, files=count, bytes=4096, ms_per_file=round(1000 * clock(commands, env) / count, 3))


def small_ours(out, box, tree, count):
    for name, args in (("put", ("put", "-r", tree, "tree")), ("get", ("get", "-r", "tree", os.path.join(box.work, "back")))):
        pid = gateway_of(box)
        before = cpu_s(pid)
        c = Command(box, *args).wait()
        out.add("small", name=name, files=count, bytes=4096, ms_per_file=round(1000 * c.seconds / count, 3), objects=on_clouds(box),
                client_cpu_ms=round(1000 * c.cpu / count, 3), gateway_cpu_ms=round(1000 * (cpu_s(pid) - before) / count, 3))


# ------------------------------------------------------------ what a user would take instead
def others(place, source):
    """tool -> (environment, store, fetch), each a list of commands; stores are durable (sync) when they end."""
    top = os.path.join(place, "others")
    env = {**os.environ, "HOME": top, "RESTIC_PASSWORD": "bench", "RESTIC_REPOSITORY": os.path.join(top, "restic"),
           "RCLONE_CONFIG_PLAIN_TYPE": "local", "RCLONE_CONFIG_CRYPT_TYPE": "crypt", "RCLONE_CONFIG_CRYPT_REMOTE": os.path.join(top, "rclone"),
           "RCLONE_CONFIG_CRYPT_PASSWORD": subprocess.run(["rclone", "obscure", "bench"], stdout=subprocess.PIPE, check=True, text=True).stdout.strip()}
    sync = ["sync", "-f", top]
    os.makedirs(top)
    subprocess.run(["restic", "init", "-q"], env=env, check=True, stdout=subprocess.DEVNULL)
    return env, {
        "rclone crypt, one directory": ([["rclone", "copyto", source, "crypt:object", "--ignore-times"], sync], [["rclone", "cat", "crypt:object"]]),
        "restic, one directory": ([["restic", "backup", "-q", "--force", "--no-cache", source], sync],
                                  [["restic", "dump", "-q", "--no-cache", "latest", source]]),
        "cp, one directory": ([["cp", source, os.path.join(top, "copy")], sync], [["cat", os.path.join(top, "copy")]]),
    }


def clock(commands, env):
    start = time.monotonic()
    for c in commands:
        subprocess.run(c, env=env, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.monotonic() - start


def compare(out, place, size, runs):
    with Box(root=place) as box:
        box.init()
        for run in range(runs):                 # a new file each time: restic would know the old one
            source = os.path.join(box.work, f"source-{run}")
            random_file(source, size)
            env, tools = others(os.path.join(box.root, f"run-{run}"), source)
            rows = {"qcloud, five directories": (lambda: Command(box, "put", source, "object").wait().seconds,
                                                 lambda: Command(box, "get", "object", "-").wait().seconds)}
            for tool, (store, fetch) in tools.items():
                rows[tool] = (lambda store=store: clock(store, env), lambda fetch=fetch: clock(fetch, env))
            for tool, (store, fetch) in rows.items():
                stored, fetched = store(), fetch()
                out.add("other", run=run, tool=tool, put_gb_per_s=round(size / stored / 1e9, 4), get_gb_per_s=round(size / fetched / 1e9, 4))


# ------------------------------------------------------------ all of it
def summary(out, enforced):
    print(f"results: {out.path}")
    for name, (ratio, rate, top, each) in model.ratios(out.lines).items():
        print(f"{name:15} {rate:6.3f} GB/s of {top:6.3f}: ratio {ratio:.2f}  (runs: {' '.join(f'{x:.2f}' for x in each)})")
    for name in ("put", "get"):
        rows = [x for x in out.lines if x["kind"] == "path" and x["name"] == name]
        if rows:
            print(f"{name:15} processor seconds per GiB: client {statistics.median(x['client_cpu_s_per_gib'] for x in rows):.2f}, "
                  f"gateway {statistics.median(x['gateway_cpu_s_per_gib'] for x in rows):.2f}")
    for x in out.lines:
        if x["kind"] == "peak":
            print(f"peak            {x['what']}: client {x['client']} MiB, gateway {x['gateway']} MiB")
        elif x["kind"] == "small":
            print(f"small           {x['name']} of {x['files']} files of {x['bytes']} bytes: {x['ms_per_file']} ms each")
        elif x["kind"] == "small_other":
            print(f"small           {x['name']} of {x['files']} files of {x['bytes']} bytes by {x['tool']}: {x['ms_per_file']} ms each")
        elif x["kind"] == "unchanged":
            print(f"unchanged       {x['tool']}: {x['files']} files again in {x['seconds']} s ({x['most']} at most), the first time {x['first_s']} s")
        elif x["kind"] == "other":
            print(f"other           {x['tool']}: put {x['put_gb_per_s']}, get {x['get_gb_per_s']} GB/s")
        elif x["kind"] == "slow_get":
            print(f"slow cloud      {x['gets']} gets of 1 MiB, {x['what']}: median {x['p50_ms']} ms, 95 % in {x['p95_ms']}, 99 % in {x['p99_ms']}")
        elif x["kind"] == "slow_ratio":
            print(f"slow cloud      beside all well: median {x['p50']}, 99 % {x['p99']}")
        elif x["kind"] == "slow_put":
            print(f"slow cloud      put --wait {x['wait']}: {x['median_s']} s")
        elif x["kind"] == "range":
            print(f"range           {x['bytes']} bytes of {x['mib']} MiB: {x['fetched']} fetched, {x['gateway_read']} read by the gateway, {x['ms']} ms; all of it {x['whole_ms']} ms")
        elif x["kind"] == "repair":
            print(f"repair          {x['clouds']}, {x['segments']} segments, {x['mib']} MiB, {x['name']}: {x['seconds']} s, {x['mb_per_s']} MB/s")
        elif x["kind"] == "repair_ratio":
            print(f"repair          {x['clouds']}, {x['segments']} segments, {x['name']}: {x['to_read']} times as long as to read k clouds")
        elif x["kind"] == "link" and "gbit_per_s" in x:
            print(f"link            {x['level']}, {x['name']}: {x['gbit_per_s']} Gb/s by the clock, {x['gbit_per_cpu_s']} by processor time")
        elif x["kind"] == "link":
            print(f"link            {x['level']}, {x['name']}: {x['of']} ({x['low']} to {x['high']}, of {x['times']}) by processor time: {model.link_verdict(x)}; {x['by_clock']} "
                  f"({x['clock_low']} to {x['clock_high']}) by the clock: {model.link_verdict(x, 'clock_')}; {x['again']} measured anew, {x['disturbed']} disturbed"
                  + (f"; {x['keys_per_s']} keys a second" if "keys_per_s" in x else ""))
        elif x["kind"] == "site":
            print(f"three sites     {x['name']}: {x['gbit_per_s']} Gb/s by the clock, {x['two_cores']} by the processor time of two cores" +
                  (f"; the disk's model {x['model']}, ratio {x['ratio']}" if "model" in x else f"; in the paper {x['paper']}"))
        elif x["kind"] == "cloud_cpu":
            print(f"clouds          {x['clouds']}, {x['name']}: processor ms per MB: client {x['client_cpu_ms_per_mb']}, gateway "
                  f"{x['gateway_cpu_ms_per_mb']}, servers {x['servers_cpu_ms_per_mb']}: gateway is {x['gateway_to_servers']} of them")
    met = True
    for what, value, floor, ok in model.verdicts(out.lines):
        met = met and ok
        if enforced:
            print(f"{'ok  ' if ok else 'MISS'} {what}: {value:.2f}, floor or limit {floor}")
    return met or not enforced


def main():
    top = os.path.dirname(HERE)
    p = argparse.ArgumentParser(usage="bench/run.sh [--quick] [--memory] [--small COUNT] [--trees COUNT] [--compare] [--clouds] [--slow] [--repair] [--links] [--xor23] [--unchanged] [--runs N] [--place DIR] [--out FILE]")
    p.add_argument("--quick", action="store_true")
    p.add_argument("--memory", action="store_true")
    p.add_argument("--small", type=int, default=None)
    p.add_argument("--trees", type=int, default=None)
    p.add_argument("--compare", action="store_true")
    p.add_argument("--clouds", action="store_true")
    p.add_argument("--slow", action="store_true")
    p.add_argument("--repair", action="store_true")
    p.add_argument("--links", action="store_true")
    p.add_argument("--xor23", action="store_true")
    p.add_argument("--unchanged", action="store_true")
    p.add_argument("--runs", type=int, default=None)
    p.add_argument("--place", default=os.path.join(top, "build"))
    p.add_argument("--out", default=os.path.join(top, "build", "bench", "results.jsonl"))
    o = p.parse_args()
    place = os.path.abspath(o.place)
    out = Results(o.out)
    size = (32 if o.quick else 1024) * MIB
    machine(out, place)
    if o.slow:
        slow.measure(out, sys.modules[__name__], 40 if o.quick else 500)
        return 0 if summary(out, not o.quick) else 1
    if o.repair:
        repair.measure(out, sys.modules[__name__], place, o.quick, o.clouds, o.runs or (1 if o.quick else 3))
        return 0 if summary(out, not o.quick) else 1
    if o.links:
        links.measure(out, sys.modules[__name__], o.quick)
        return 0 if summary(out, not o.quick) else 1
    if o.xor23:
        xor23.measure(out, sys.modules[__name__], place, o.quick)
        return 0 if summary(out, not o.quick) else 1
    if o.trees is not None:
        small(out, place, o.trees, o.runs or (1 if o.quick else 3), beside=True)
        return 0 if summary(out, not o.quick) else 1
    if o.unchanged:
        unchanged.measure(out, sys.modules[__name__], place, o.quick)
        return 0 if summary(out, not o.quick) else 1
    kernels(out, scale=1 if o.quick else 100)
    whole_path(out, place, size, o.runs or (1 if o.quick else 5))
    eight_at_once(out, place, (4 if o.quick else 512) * MIB)
    small(out, place, o.small if o.small is not None else 3 if o.quick else 500)
    if o.memory:
        large(out, place, 10 << 30)
    if o.compare:
        compare(out, place, size, 1 if o.quick else 3)
    if o.clouds:
        s3.measure(out, sys.modules[__name__], size // 4, 1 if o.quick else 5)
        slow.measure(out, sys.modules[__name__], 40 if o.quick else 500)
    return 0 if summary(out, not o.quick) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Failure, OSError, subprocess.SubprocessError) as e:
        print(f"bench: {e}", file=sys.stderr)
        sys.exit(2)
