"""Put and get of a file by the real programs, in each profile: ec over five clouds, the others at three sites with a gateway and a cloud
each, all of them directories of one disk. Seconds by the clock, and the processor's, of the command and of all gateways."""
import filecmp
import os
import resource
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "..", "tests", "system"))
TICK = os.sysconf("SC_CLK_TCK")
NAMES = ("profile", "mb", "put_s", "get_s", "put_cpu_s", "get_cpu_s", "stored")
PROFILES = ("ec", "xor23", "shamir", "mirror")


def gateways_cpu(box):
    """Seconds by process. One that has nothing to do leaves; what it has used is then no part of what comes."""
    used = {}
    for pid in box.processes():
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
                words = f.read().rsplit(")", 1)[1].split()
            used[pid] = (int(words[11]) + int(words[12])) / TICK
        except OSError:
            pass    # it has ended
    return used


def timed(box, *args):
    def mine():
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime
    theirs, ours, at = gateways_cpu(box), mine(), time.monotonic()
    box.expect(0, *args, timeout=3600)
    spent = time.monotonic() - at
    return spent, mine() - ours + sum(cpu - theirs.get(pid, 0) for pid, cpu in gateways_cpu(box).items())


def bytes_on_clouds(box):
    """What is not yet whole has a name that begins with a dot."""
    return sum(os.lstat(os.path.join(at, f)).st_size for cloud in (*box.clouds, *(f"{box.root}/site-{s}" for s in "ABC"))
               for at, _, files in os.walk(cloud) for f in files if not f.startswith("."))


def once(box, profile, mb, path):
    """A row of one round."""
    out = os.path.join(box.work, "out")
    name = f"{profile}-{mb}"
    before = bytes_on_clouds(box)
    put = timed(box, "put", "--profile", profile, path, name)
    stored = bytes_on_clouds(box) - before
    get = timed(box, "get", "--force", "--profile", profile, name, out)
    if not filecmp.cmp(path, out, shallow=False):
        sys.exit(f"{profile}, {mb} MB: the bytes are others")
    os.unlink(out)
    return put, get, stored


def rows(sizes, rounds):
    from harness import Box     # it wants QC_BIN, which the caller has set
    with Box() as box:
        box.init("--no-passphrase")
        for s in "ABC":
            box.expect(0, "--site", s, "init", "--local", "--no-passphrase", "--cloud", f"file://{box.root}/site-{s}",
                       "--share1", f"{box.root}/share1-{s}", "--share2", f"{box.root}/share2-{s}")
        for mb in sizes:
            path = box.write("in", os.urandom(1 << 20) * (mb * 1000000 // (1 << 20) + 1))
            os.truncate(path, mb * 1000000)
            got = {p: [once(box, p, mb, path) for _ in range(rounds)] for p in PROFILES}
            for p, tries in got.items():
                yield [p, mb, *(f"{min(t[side][kind] for t in tries):.4f}" for kind in (0, 1) for side in (0, 1)), min(t[2] for t in tries)]
