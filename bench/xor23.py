"""Three sites of xor23 behind links at otp: store and restore with pads in memory, on two cores, and a store whose shares and pads are on one disk, beside what the disk can do of the same.
bench_xor23 and bench_xor23_disk measure, and say what is in and what is out. Used by run.py."""
import json
import os
import shutil
import subprocess
import tempfile
import time


def measure(out, run, place, quick):
    mib, rounds = ("4", "1") if quick else ("256", "9")
    begun = {"when": time.strftime("%Y-%m-%d", time.gmtime()), "load": round(os.getloadavg()[0], 2), "mib": int(mib), "rounds": int(rounds)}
    out.add("sites", **begun)
    built = os.path.dirname(run.KERNELS)
    folder = tempfile.mkdtemp(prefix="qcloud-bench-", dir=place)
    try:
        for call in (["bench_xor23", mib, rounds], ["bench_xor23_disk", mib, rounds, folder]):
            text = subprocess.run([os.path.join(built, call[0]), *call[1:]], check=True, stdout=subprocess.PIPE, timeout=1800).stdout
            for x in map(json.loads, text.splitlines()):
                if x["name"] in ("store", "restore", "disk") and "round" not in x:
                    out.add("site", **x)
    finally:
        shutil.rmtree(folder)
