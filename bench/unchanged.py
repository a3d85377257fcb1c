"""A second run over 10,000 files of 4 KiB of which none has changed: qcloud sync beside restic backup and rclone sync, each with its own store on the same
disk, and with what it keeps of the run before (state, cache). In turn, so that whatever else the machine does meets all alike. Used by run.py."""
import os
import statistics

RUNS = 5


def tree(top, count):
    for i in range(count):
        if i % 100 == 0:
            folder = os.path.join(top, f"{i // 100:03}")
            os.makedirs(folder)
        with open(os.path.join(folder, f"{i:05}"), "wb") as f:
            f.write(os.urandom(4096))


def measure(out, run, place, quick):
    count = 20 if quick else 10000
    with run.Box(root=place) as box:
        box.init()
        top = os.path.join(box.work, "tree")
        tree(top, count)
        env, _ = run.others(box.root, top)
        cpu = []

        def ours():
            pid = run.gateway_of(box)
            before = run.cpu_s(pid)
            c = run.Command(box, "sync", top, "tree/").wait()
            cpu.append(c.cpu + run.cpu_s(pid) - before)
            return c.seconds
        rows = {"qcloud sync": ours,
                "restic backup": lambda: run.clock([["restic", "backup", "-q", top]], env),
                "rclone sync, crypt": lambda: run.clock([["rclone", "sync", top, "crypt:tree"]], env)}
        first = {name: again() for name, again in rows.items()}
        seconds = {name: [] for name in rows}
        for _ in range(1 if quick else RUNS):
            for name, again in rows.items():
                seconds[name].append(again())
        for name, taken in seconds.items():
            extra = {"cpu_s": round(statistics.median(cpu[1:]), 3)} if name == "qcloud sync" else {}
            out.add("unchanged", tool=name, files=count, first_s=round(first[name], 2), seconds=round(statistics.median(taken), 3),
                    most=round(max(taken), 3), **extra)
