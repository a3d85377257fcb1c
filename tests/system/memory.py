#!/usr/bin/python3
"""I6: client <= 64 MiB and gateway <= 256 MiB resident, measured as the kernel's high-water mark, for one large object from a pipe
and back into nothing (10 GiB with QC_FULL=1, else 1 GiB), and for eight transfers at once that share a gateway. The share stores are under a passphrase: its 256 MiB belong to a child of
the client, which is measured, too, and must be gone when the transfer begins. Sanitizer builds are not measured (they multiply
memory). It writes beneath TMPDIR, or QC_TMP, where up to 5/3 of the large object lie at once: 17 GiB with QC_FULL=1."""
import hashlib
import os
import subprocess
import threading
import time

from harness import Box, FULL, QCLOUD, check, main

MIB = 1 << 20
SIZE = (10 << 30) if FULL else (1 << 30)
ROOM = SIZE * 9 // 5            # any three of five clouds are enough, and something for what lies beside


def peak(pid):
    with open(f"/proc/{pid}/status") as f:
        for line in f:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(c) for c in f.read().split()]


def watch(p, result):
    while p.poll() is None:
        try:
            result["client"] = max(result.get("client", 0), peak(p.pid))
            for child in children(p.pid):
                result["child"] = max(result.get("child", 0), peak(child))
        except OSError:
            if p.poll() is not None:
                break
        time.sleep(0.002 if "child" not in result else 0.02)


def pattern():
    block = bytes(range(256)) * 4096
    for i in range(SIZE // MIB):
        yield i.to_bytes(8, "big") + block[8:]


def put(box, result):
    p = box_start(box, ["put", "-", "large"], stdin=subprocess.PIPE)
    t = threading.Thread(target=watch, args=(p, result))
    t.start()
    h = hashlib.sha256()
    for i, b in enumerate(pattern()):
        h.update(b)
        p.stdin.write(b)
        if i == 100:    # the pipe holds less: by now the object is being sent
            check(not children(p.pid), "the child that opened the share stores is still there")
    p.stdin.close()
    err = p.stderr.read()
    check(p.wait() == 0, f"put: {err.decode()}")
    t.join()
    return h.hexdigest()


def get(box, result):
    p = box_start(box, ["get", "large", "-"])
    t = threading.Thread(target=watch, args=(p, result))
    t.start()
    h = hashlib.sha256()
    while True:
        b = p.stdout.read(MIB)
        if not b:
            break
        h.update(b)
    err = p.stderr.read()
    check(p.wait() == 0, f"get: {err.decode()}")
    t.join()
    return h.hexdigest()


def box_start(box, args, stdin=subprocess.DEVNULL):
    return subprocess.Popen([QCLOUD, "-q", *args], env=box.env(), stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def at_once(box, what, commands):
    box.stop()                                  # a gateway of their own
    running = []
    for args in commands:
        p, seen = box_start(box, args), {}
        t = threading.Thread(target=watch, args=(p, seen))
        t.start()
        running.append((p, t, seen))
    for p, t, _ in running:
        while p.stdout.read(MIB):
            pass
        err = p.stderr.read()
        check(p.wait() == 0, f"{what}: {err.decode()}")
        t.join()
    client, gateway = max(seen["client"] for _, _, seen in running), max(peak(pid) for pid in box.processes())
    print(f"{what} of {SIZE >> 24} MiB: client {client / MIB:.1f} MiB, gateway {gateway / MIB:.1f} MiB resident at most", flush=True)
    check(client <= 64 * MIB, f"{what}: a client is above 64 MiB")
    check(gateway <= 256 * MIB, f"{what}: the gateway is above 256 MiB")


def eight(box):
    source = os.path.join(box.work, "source")
    with open(source, "wb") as f:
        f.truncate(SIZE // 16)
    puts = [("put", source, f"object-{i}") for i in range(8)]
    gets = [("get", f"object-{i}", os.path.join(box.work, f"back-{i}")) for i in range(8)]
    at_once(box, "8 puts", puts)
    at_once(box, "8 gets", gets)
    for _, _, back in gets:
        os.unlink(back)
    at_once(box, "4 puts and 4 gets", puts[:4] + [("get", f"object-{i}", os.path.join(box.work, f"again-{i}")) for i in range(4, 8)])


def test():
    with Box() as box:
        s = os.statvfs(box.root)
        free = s.f_bavail * s.f_frsize
        check(free >= ROOM, f"too little room: {free / (1 << 30):.1f} GiB are free in {os.path.dirname(box.root)}, and "
                            f"{ROOM / (1 << 30):.1f} GiB are needed; QC_TMP names another folder")
        box.init()
        eight(box)
    with Box() as box:
        box.extra["QCLOUD_PASSPHRASE_COMMAND"] = "echo a passphrase"
        box.init()
        up, down = {}, {}
        t0 = time.monotonic()
        a = put(box, up)
        t1 = time.monotonic()
        b = get(box, down)
        t2 = time.monotonic()
        check(a == b, "the bytes differ")
        gateway = max(peak(pid) for pid in box.processes())
        print(f"{SIZE >> 20} MiB: put {t1 - t0:.1f} s, client {up['client'] / MIB:.1f} MiB; get {t2 - t1:.1f} s, "
              f"client {down['client'] / MIB:.1f} MiB; gateway {gateway / MIB:.1f} MiB resident at most", flush=True)
        check(max(up["client"], down["client"]) <= 64 * MIB, "the client is above 64 MiB")
        child = max(up.get("child", 0), down.get("child", 0))
        print(f"the child that opens the share stores: {child / MIB:.1f} MiB resident at most", flush=True)
        check(256 * MIB <= child <= 320 * MIB, "the child was not seen at work, or is larger than its work")
        check(gateway <= 256 * MIB, "the gateway is above 256 MiB")


main(test)
