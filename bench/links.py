"""What links cost: frames under one-time pad beside their kernel and plain TCP, TLS keyed by QKD beside TLS by certificates, a new key a hundred times a second.
bench_otp_link and bench_qkd_tls measure, in turns, and say where medians lie with 95 %; two threads, each on a core of its own, loopback TCP, keys and pad in memory. They go
before all else that the machine does where that is allowed (SCHED_FIFO, root alone). About 6 minutes. Used by run.py."""
import json
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "tests", "cli"))
from pki import Authority               # noqa: E402


FIRST = ["chrt", "-f", "1"]


def before_all_else(quick):
    return FIRST if not quick and subprocess.run([*FIRST, "true"], stderr=subprocess.DEVNULL).returncode == 0 else []


def measure(out, run, quick):
    otp, tls = (["16", "1"], ["16", "1", "1"]) if quick else (["128", "63"], ["256", "64", "800"])
    first = before_all_else(quick)
    begun = {"when": time.strftime("%Y-%m-%d", time.gmtime()), "load": round(os.getloadavg()[0], 2), "otp": otp, "tls": tls, "first": bool(first)}
    out.add("links", **begun)
    built = os.path.dirname(run.KERNELS)
    with tempfile.TemporaryDirectory(prefix="qcloud-bench-") as folder:
        pki = Authority(folder)
        cert, key = pki.vouch("bench", "DNS:bench.link")
        for what, call in (("otp", ["bench_otp_link", *otp]), ("qkd-tls", ["bench_qkd_tls", pki.ca, cert, key, "bench.link", *tls])):
            text = subprocess.run([*first, os.path.join(built, call[0]), *call[1:]], check=True, stdout=subprocess.PIPE, timeout=1200).stdout
            for line in text.splitlines():
                out.add("link", level=what, **json.loads(line))
