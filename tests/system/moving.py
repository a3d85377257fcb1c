"""What the tests of clouds that come and go, and of codes that change, share: a load, kills at steps and at random, rebuilds from copies."""
import itertools
import json
import os
import shutil
import signal
import subprocess
import threading
import time

from harness import FULL, GATEWAY, check, files

SIZES = (0, 3000, 70_000, 900_000)


def state_of(box):
    return os.path.dirname(next(f for f in files(box.home) if f.endswith("catalogue.db")))


def gateway(box, code, *args, timeout=300, **env):
    p = subprocess.run([GATEWAY, *args, "--state", state_of(box)], env=box.env(**env), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, timeout=timeout)
    codes = code if isinstance(code, tuple) else (code,)
    check(p.returncode in codes, f"qcloud-gateway {' '.join(args)}: exit {p.returncode}, expected {code}\n{p.stdout.decode()}{p.stderr.decode()}")
    return p


def clouds(box):
    box.stop(signal.SIGTERM)
    return {c["name"]: c for c in json.loads(gateway(box, 0, "cloud", "ls", "--json").stdout)["clouds"]}


def margins(box):
    p = box.run("--json", "status")
    for line in p.stdout.splitlines():
        r = json.loads(line)
        if "gateway" in r.get("status", {}):
            return [m["margin"] for m in r["status"]["gateway"]["margins"] if m["versions"]]
    check(p.returncode in (5, 6, 11), f"no status: exit {p.returncode}\n{p.stdout.decode()}{p.stderr.decode()}")
    return []       # a gateway that was just killed


class Load:
    """Puts, gets and removals, and margins as status shows them, until it is told to end."""

    def __init__(self, box, rng, data):
        self.box, self.rng, self.data, self.end, self.ops, self.least, self.samples = box, rng, data, False, 0, 99, 0
        self.trouble = None
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.end = True
        self.thread.join()
        check(self.trouble is None, f"under load: {self.trouble}")

    def run(self):
        try:
            while not self.end:
                self.step()
        except Exception as e:      # for the main thread to tell
            self.trouble = e

    def step(self):
        name = f"l{self.rng.randrange(6)}"
        what = self.rng.randrange(4)
        self.ops += 1
        if what == 0 and name in self.data:
            self.retry("rm", name)
            del self.data[name]
        elif what == 1 and name in self.data:
            check(self.box.get(name, code=(0, 4, 5, 6)) in (self.data[name], None), f"{name} differs")
        elif what == 2:
            m = margins(self.box)
            self.samples += bool(m)
            self.least = min([self.least, *m])
        else:
            new = self.rng.randbytes(self.rng.choice(SIZES))
            self.retry("put", self.box.write("load", new), name)
            self.data[name] = new

    def retry(self, *args):
        """A gateway that is killed under a command is asked again until it has said what came of it."""
        for _ in range(60):
            if self.box.run(*args).returncode in (0, 4):
                return
            time.sleep(0.1)
        check(False, f"{args[0]} never came through")


def rebuilds(box, rng, versions_at_least, full=15):
    """From copies of any C-m of the clouds in use, as they are at this instant: of `full` sets of them with QC_FULL=1 (15 are all of 6)."""
    box.stop(signal.SIGKILL)
    rows = {c["name"]: c["url"][len("file://"):] for c in json.loads(gateway(box, 0, "cloud", "ls", "--json").stdout)["clouds"]
            if c["role"] in ("in use", "draining")}
    sets = list(itertools.combinations(sorted(rows), len(rows) - (box.n - box.k)))
    for chosen in rng.sample(sets, min(full if FULL else 2, len(sets))):
        with_copies = []
        top = os.path.join(box.root, "rebuild")
        for name in chosen:
            shutil.copytree(rows[name], os.path.join(top, name))
            with_copies += ["--cloud", f"{name}=file://{os.path.join(top, name)}"]
        p = subprocess.run([GATEWAY, "rebuild", "--state", os.path.join(top, "state"), "--json", *with_copies], env=box.env(),
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        check(p.returncode == 0, f"rebuild from {chosen} of {sorted(rows)}: exit {p.returncode}\n{p.stdout.decode()}{p.stderr.decode()}")
        r = json.loads(p.stdout.splitlines()[-1])
        check(r["versions"] >= versions_at_least and r["unreadable"] == 0, f"rebuild from {chosen}: {r}")
        shutil.rmtree(top)
    return len(sets)


def killed(box, args, step):
    """The command, with a gateway of its own that ends at a step. It may have been beyond it before."""
    box.stop(signal.SIGKILL)
    p = gateway(box, tuple(range(-15, 20)) + (137,), *args, QC_FAULT=f"{step}:kill:1")
    return p.returncode in (-9, 137)


def begun(box, steps, args, after, rng, versions):
    """Killed at each step, then to its end; a rebuild is right at each of these instants."""
    hit = []
    for step in steps:
        if killed(box, args, step):
            hit.append(step)
            rebuilds(box, rng, versions)
    for _ in range(30):         # a put of the load may have the gateway for itself just then
        p = gateway(box, (0, 5, 11), *args)
        if p.returncode == 0:
            break
        if after(box):
            break
        time.sleep(0.2)
    check(after(box), f"{args}: {p.stdout.decode()}{p.stderr.decode()}")
    return hit


def killed_under_load(box, rng, args, times):
    """Begun so often, slowly, and each time the gateway that does it is killed under the load."""
    kills = 0
    while kills < times:
        if box.run("status").returncode not in (0, 4):      # a gateway to ask, or the load has just started one
            continue
        p = subprocess.Popen([GATEWAY, *args, "--max-rate", "4M", "--state", state_of(box)], env=box.env(), stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(0.1, 1.2))
        box.stop(signal.SIGKILL)
        p.wait(timeout=120)
        kills += 1
    return kills
