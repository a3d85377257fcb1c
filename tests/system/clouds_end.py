#!/usr/bin/python3
"""The clouds of the tests end with whoever started them: at the end of the block, when the program is killed, and when it is killed
while they start. What they are able to do is what the tests that use them show."""
import os
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
from clouds import SCRIPT, Clouds  # noqa: E402
from harness import Failure, check  # noqa: E402

OWNER = """
import sys, time
sys.path.insert(0, {here!r})
from clouds import Clouds
c = Clouds(1)
print("ready", flush=True)
time.sleep(600)
"""


def processes(mark):
    """Ids of everything that names this folder, but not of ourselves."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                if os.fsencode(mark) in f.read() and int(pid) != os.getpid():
                    found.append(int(pid))
        except OSError:
            continue
    return found


def gone(folder, why):
    end = time.monotonic() + 120
    while os.listdir(folder) or processes(folder):
        check(time.monotonic() < end, f"{why}: {os.listdir(folder)} and {processes(folder)} are left")
        time.sleep(0.02)


def killed(folder, ready):
    p = subprocess.Popen([sys.executable, "-Bc", OWNER.format(here=os.path.dirname(os.path.abspath(__file__)))],
                         env={**os.environ, "QC_TMP": folder}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if ready:
        check(p.stdout.readline() == b"ready\n", "the clouds do not start")
    else:
        while not any(os.path.exists(os.path.join(folder, d, "pid", "mon.a")) for d in os.listdir(folder)):
            check(p.poll() is None, "the clouds do not start")
            time.sleep(0.005)
    check(len(processes(folder)) > 0, "nothing runs")
    p.send_signal(signal.SIGKILL)
    p.communicate()
    gone(folder, f"killed {'after' if ready else 'during'} the start")


def test():
    with tempfile.TemporaryDirectory(prefix="qcloud-test-") as folder:
        os.environ["QC_TMP"] = folder
        with Clouds(1) as clouds:
            check(list(clouds.list(1)) == [], "a new cloud is not empty")
            check(len(processes(folder)) >= 3, "monitor, OSD and gateway do not run")
        gone(folder, "after the block")
        killed(folder, ready=True)
        killed(folder, ready=False)
        p = subprocess.run([SCRIPT, "kill", folder, "1"], stderr=subprocess.PIPE, check=False)
        check(p.returncode == 1 and b"no clouds" in p.stderr, f"a folder without clouds: {p.stderr}")


try:
    test()
except Failure as e:
    print(f"FAILED: {e}", file=sys.stderr)
    sys.exit(1)
