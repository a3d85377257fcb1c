#!/usr/bin/python3
"""A vault of `init --recovery kit`, through the real programs: who has which of share store 1, share store 2 and the kit opens it, and who has
not opens nothing, whether the command asks, the salvage tool or the second reader; without a gateway's and clouds' part nobody does. A lost
store, a lost machine, a refresh, a kit of another vault, and what is said at init, by status and by whoever is refused. The same of a vault
whose backup data is with a keeper, `init --backup-to`, which has B of what is there, and of nothing else, whatever is cut off or purged."""
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "system"))
from harness import BIN, Box, check, main, seeded  # noqa: E402

READER = os.path.join(TOP, "tests", "reader", "qcloud_reader.py")


def words_list():
    with open(os.path.join(TOP, "vault", "kit_words.c"), encoding="ascii") as f:
        return re.findall(r'"([a-z]{3,8})"', f.read().split("clang-format off */")[1])


def recovery_key(file):
    """FORMAT 15, by hand: 40 words of eleven bits; the key is the 32 bytes behind head and vault."""
    with open(file, encoding="utf-8") as f:
        words = [w for line in f if line[0] not in "#{" for w in line.split() if w.isalpha()]
    known = words_list()
    check(len(known) == 2048 and len(words) == 40, f"{len(words)} words")
    bits = "".join(format(known.index(w), "011b") for w in words)
    kit = int(bits, 2).to_bytes(55, "big")
    check(kit[0] == 0x14, f"the kit begins with {kit[0]:#x}")
    return kit[19:51].hex()


def run(*args):
    return subprocess.run(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)


def by_reader(box, stores, key, clouds, data, keeper=None):
    out = os.path.join(box.work, "read")
    shutil.rmtree(out, ignore_errors=True)
    args = [a for c in clouds for a in ("--cloud", c)] + [a for s in stores for a in ("--store", s)] + (["--recovery-key", key] if key else [])
    args += ["--keeper", keeper] if keeper else []
    p = run(sys.executable, "-B", READER, *args, "all", out)
    return p, p.returncode == 0 and all(open(os.path.join(out, n), "rb").read() == d for n, d in data.items())


def by_salvage(box, stores, kit, clouds, data, keeper=None):
    out = os.path.join(box.work, "salvaged")
    args = [a for s in stores for a in ("--share", s)] + (["--recovery-kit", kit] if kit else [])
    args += [a for c in clouds[:2] for a in ("--from", c)] + clouds[2:]
    kept = [os.path.join(d, f) for d, _, fs in os.walk(os.path.join(keeper, "b")) for f in fs] if keeper else []
    ends, whole = [], False
    for way in [("--backup-data", kept), ("--keeper", [keeper])] if keeper else [("", [])]:     # file by file, or the place itself
        shutil.rmtree(out, ignore_errors=True)
        p = run(os.path.join(BIN, "qcloud-salvage"), *[a for b in way[1] for a in (way[0], b)], "--no-input", "-o", out, *args)
        files = [os.path.join(d, f) for d, _, fs in os.walk(out) for f in fs] if os.path.isdir(out) else []
        whole = p.returncode == 0 and all(open(os.path.join(out, n), "rb").read() == d for n, d in data.items())
        check(whole or not any(open(f, "rb").read() in data.values() for f in files), f"salvage gave a file and failed: {files}")
        ends.append((p.returncode, whole))
    check(len(set(ends)) == 1, f"salvage with files of the keeper, and with its place: {ends}")
    return p, whole


def by_command(box, has, kit, data):
    for i, place in enumerate(box.stores):
        if not has[i]:
            os.rename(place, place + ".away")
    args = ["--recovery-kit", kit] if kit else []
    p = box.run(*args, "get", "a", "-")
    opened = p.returncode == 0 and p.stdout == data["a"]
    check(opened or p.stdout == b"", "get gave something and failed")
    for i, place in enumerate(box.stores):
        if not has[i]:
            os.rename(place + ".away", place)
    return p, opened


def subsets(box, kit, data):
    """The table of docs/kits.md, by three programs; clouds and gateway are there. Then without them."""
    key = recovery_key(kit)
    for has in itertools.product((False, True), repeat=3):
        stores = [s for s, h in zip(box.stores, has) if h]
        opens = sum(has) >= 2
        given = kit if has[2] else None
        p, opened = by_command(box, has, given, data)
        check(opened == opens, f"get with {has}: exit {p.returncode}\n{p.stderr.decode()}")
        if not opens and stores:
            check(p.returncode == 7 and b"recovery kit" in p.stderr, f"get with {has}: {p.stderr.decode()}")
        box.stop(15)
        if not stores:
            continue                            # both of the others want a store to begin with
        p, opened = by_salvage(box, stores, given, box.clouds, data)
        check(opened == opens, f"salvage with {has}: exit {p.returncode}\n{p.stdout.decode()}{p.stderr.decode()}")
        p, opened = by_reader(box, stores, key if given else None, box.clouds, data)
        check(opened == opens, f"reader with {has}: exit {p.returncode}\n{p.stderr.decode()}")
        print(f"store 1, store 2, kit: {has}: {'opens' if opens else 'opens nothing'}", flush=True)
    for clouds in ([], box.clouds[:1]):         # k is 2: one cloud is too few
        p, opened = by_salvage(box, box.stores, kit, clouds or [box.work], data)
        check(not opened, "salvage without clouds")
        p, opened = by_reader(box, box.stores, key, clouds, data)
        check(not opened, "the reader without clouds")


def said(box, made):
    text = made.stderr.decode()
    check("print the recovery kit now" in text and "sealed under the recovery kit" in text, f"init: {text}")
    status = box.expect((0, 4), "--json", "status").stdout.decode()
    shares = [j["status"]["shares"] for j in map(json.loads, status.splitlines()) if "shares" in j.get("status", {})][0]
    check([s["recovery_kit"] for s in shares] == [True, True], f"status: {shares}")
    check("recovery: backup data is sealed" in box.expect((0, 4), "status").stdout.decode(), "status")
    check("no tickets" in box.expect(2, "tickets", "draw", "3").stderr.decode(), "tickets")
    check("no kit" in box.expect(2, "kit", "print", "--share", "1").stderr.decode(), "kit print --share")
    box.expect(2, "kit", "print", "--share", "1", "--recovery")


def lost(box, kit, data):
    """Each store in turn; then the machine, with one of them."""
    for i in (1, 2):
        shutil.rmtree(box.stores[i - 1])
        check(b"recovery kit" in box.expect(7, "recover", "--share", str(i)).stderr, "recover without the kit")
        box.expect(0, "recover", "--share", str(i), "--from-kit", kit)
        check(box.get("b/2") == data["b/2"], "after recover")
    p = box.expect(0, "verify")
    check(b"0 degraded, 0 bad" in p.stderr, p.stderr.decode())
    box.stop()
    shutil.rmtree(box.home)
    shutil.rmtree(box.stores[1])
    box.expect(7, "init", "--join", box.stores[0], "--take-over", "--share2", box.stores[1])
    box.stop()
    shutil.rmtree(box.home)
    box.expect(2, "init", "--from-kit", kit, "--take-over")
    box.expect(0, "init", "--join", box.stores[0], "--take-over", "--share2", box.stores[1], "--from-kit", kit)
    check(box.expect(0, "--recovery-kit", kit, "get", "a", "-").stdout == data["a"], "after join")
    box.expect(0, "recover", "--share", "2", "--from-kit", kit)
    box.expect(0, "verify")


def refreshed(box, kit, data):
    """The kit stays what it was; a store of before and one of now have nothing of the key together."""
    shutil.copytree(box.stores[0], box.stores[0] + ".before")
    box.expect(0, "kit", "refresh")
    again = os.path.join(box.work, "again.txt")
    box.expect(0, "kit", "print", "--recovery", "--to", again)
    check(recovery_key(again) == recovery_key(kit), "the key is another one")
    box.expect(0, "put", box.write("in", data["a"]), "a")
    os.rename(box.stores[0], box.stores[0] + ".now")
    os.rename(box.stores[0] + ".before", box.stores[0])
    p = box.expect(7, "get", "a", "-")
    check(p.stdout == b"" and b"recovery kit" in p.stderr, f"store 1 of before, store 2 of now: {p.stderr.decode()}")
    shutil.rmtree(box.stores[0])
    os.rename(box.stores[0] + ".now", box.stores[0])
    box.expect(0, "verify")


def strangers(box):
    with Box(k=2, n=3) as other:
        other.init("--no-passphrase", "--recovery", "kit")
        kit = os.path.join(other.work, "kit.txt")
        other.expect(0, "kit", "print", "--recovery", "--to", kit)
        check(b"of another vault" in box.expect(2, "--recovery-kit", kit, "ls").stderr, "a kit of another vault")
        check(b"another vault" in box.expect(2, "kit", "verify", kit).stderr, "kit verify")
    with Box(k=2, n=3) as plain:
        clouds = ("--cloud", f"c=file://{plain.clouds[0]}")
        p = plain.expect(2, "init", "--local", *clouds, "--mode", "derived", "--recovery", "kit")
        check(b"do not go together" in p.stderr, f"derived and sealed: {p.stderr.decode()}")
        plain.expect(2, "init", "--local", *clouds, "--recovery", "paper")
        plain.init("--no-passphrase")
        plain.expect(2, "kit", "print", "--recovery")
        plain.expect(2, "--recovery-kit", os.path.join(box.work, "kit.txt"), "ls")


def at_keeper(place):
    """Backup data at the keeper, the vault's own among it; nothing else, and no name."""
    found = [os.path.join(d, f) for d, _, fs in os.walk(place) for f in fs if not f.startswith(".")]
    check(all(re.fullmatch("[0-9a-f]{64}", os.path.basename(f)) and os.path.getsize(f) == 172 for f in found), f"at the keeper: {found}")
    return len(found)


def kept_subsets(box, keeper, data):
    """Two of store 1, store 2, keeper; the gateway and all clouds are there."""
    for has in itertools.product((False, True), repeat=3):
        if not has[2]:
            os.rename(keeper, keeper + ".away")
        p, opened = by_command(box, has, None, data)
        if not has[2]:
            os.rename(keeper + ".away", keeper)
        check(opened == (sum(has) >= 2), f"get with {has}: exit {p.returncode}\n{p.stderr.decode()}")
        check(opened or p.returncode == (5 if any(has[:2]) else 7), f"get with {has}: exit {p.returncode}\n{p.stderr.decode()}")
        box.stop(15)
        stores = [s for s, h in zip(box.stores, has) if h]
        for by in (by_salvage, by_reader) if stores else ():
            p, also = by(box, stores, None, box.clouds, data, keeper if has[2] else None)
            check(also == opened and (also or p.returncode == 7), f"{by.__name__} with {has}: exit {p.returncode}\n{p.stderr.decode()}")
        print(f"store 1, store 2, keeper: {has}: {'opens' if opened else 'opens nothing'}", flush=True)


def kept_refused(box, keeper):
    clouds = [a for i, c in enumerate(box.clouds, 1) for a in ("--cloud", f"c{i}=file://{c}")]
    for given, says in ((("--mode", "derived"), b"--mode derived do not go together"), (("--recovery", "kit"), b"--recovery kit do not go together")):
        p = box.expect(2, "init", "--local", *clouds, "--share2", box.stores[1], "--backup-to", keeper, *given)
        check(says in p.stderr and b"leave " in p.stderr, p.stderr.decode())
    for place, says in ((box.clouds[0], b"is a cloud of the vault"), (box.stores[1], b"are one place"),
                        (os.path.join(box.home, "state", "gateway", "k"), b"gateway's state are one place"), (os.path.join(box.home, "state"), b"gateway's state are one place")):
        p = box.expect(2, "init", "--local", *clouds, "--share2", box.stores[1], "--backup-to", "file://" + place)
        check(says in p.stderr, p.stderr.decode())
    p = box.expect(2, "init", "--local", *clouds, "--backup-to", "s3+https://s3.example.net/keep?region=r")
    check(b"--backup-credentials FILE" in p.stderr, p.stderr.decode())
    box.expect(2, "init", "--local", *clouds, "--backup-credentials", "aws:keep")
    os.mkdir(os.path.join(box.work, "full"))
    box.write("full/x", b"of somebody else's")         # found out when the gateway is there, which does not stay: init comes next
    p = box.expect(2, "init", "--local", *clouds, "--share1", box.stores[0], "--share2", box.stores[1], "--no-passphrase", "--backup-to", f"file://{box.work}/full")
    check(b"holds other things" in p.stderr, p.stderr.decode())


def kept_away(box, keeper, n):
    """Nothing is stored, nothing is left, and what is there is read; it is said what is wrong."""
    one = box.write("one", b"one")
    os.rename(keeper, keeper + ".away")
    for args in (("put", one, "one"), ("put", "-r", os.path.join(box.work, "few"), "few")):
        p = box.expect(5, *args)
        check(b"the keeper of backup data" in p.stderr and b"make the keeper reachable" in p.stderr, p.stderr.decode())
    check(not box.journal(), f"journal: {box.journal()}")
    box.expect(0, "get", "a", "-")
    box.expect(5, "verify")
    status = keeper_status(box, 4)
    check(status["keeper"]["state"] == "away" and status["key_margin"] == 0 and not status["green"], f"status: {status}")
    p = box.expect((1, 4, 5), "doctor")
    check(b"nothing can be stored: the keeper of backup data" in p.stdout, p.stdout.decode())
    os.rename(keeper + ".away", keeper)
    check(at_keeper(keeper) == n, "something was left at the keeper")


def kept_cut_off(box, keeper, n):
    """Killed when the keeper has B and the gateway was not asked: the next command takes it from there."""
    for args in (("put", os.path.join(box.work, "one"), "one"), ("put", "-r", os.path.join(box.work, "few"), "few")):
        p = box.run(*args, env={"QC_FAULT": "client_kept:kill:1"})
        check(p.returncode == -9 and at_keeper(keeper) > n, f"exit {p.returncode}, {at_keeper(keeper)} at the keeper")
        box.expect(0, "put", os.path.join(box.work, "one"), "one")
        n += 1
        check(at_keeper(keeper) == n and not box.journal(), f"{at_keeper(keeper)} at the keeper, not {n}")
    return n


def kept_moves(box, keeper, data):
    """Another keeper: no place that is the vault's already, and it is said till when the old one is kept."""
    third = keeper + ".third"
    os.symlink(box.clouds[0], os.path.join(box.root, "link"))
    conf = open(os.path.join(box.home, "qcloud.conf"), encoding="utf-8").read()
    for place, says in ((box.clouds[0], b"is a cloud of the vault"), (os.path.join(box.root, "link"), b"is a cloud of the vault"),
                        (os.path.join(box.stores[0], "inside"), b"are one place"), (box.root, b"is a cloud of the vault"),
                        (os.path.join(box.home, "state", "gateway", "k"), b"gateway's state are one place")):
        p = box.expect(2, "kit", "refresh", "--backup-to", "file://" + place)
        check(says in p.stderr, f"{place}: {p.stderr.decode()}")
    check(open(os.path.join(box.home, "qcloud.conf"), encoding="utf-8").read() == conf, "refused, and the configuration names it")
    check(at_keeper(keeper) == len(data) + 2 and not os.path.exists(os.path.join(box.stores[0], "inside")), "refused, and something was made")
    put = box.start("put", os.path.join(box.work, "one"), "under way", env={"QC_FAULT": "client_kept:pause_ms:60000"})
    for _ in range(600):
        if at_keeper(keeper) > len(data) + 2:
            break
        time.sleep(0.02)
    p = box.expect(0, "kit", "refresh", "--backup-to", "file://" + third)
    put.kill()
    put.communicate()
    text = p.stderr.decode()
    check(text.startswith("qcloud: what is not refreshed yet has its backup data at file://" + keeper), text)
    check("kit refresh finds nothing under way, then remove it" in text and "opens nothing with the new shares: remove it" not in text, text)
    check(at_keeper(third) == len(data) + 2, "the third keeper has not all")
    p = box.run("kit", "refresh", "--backup-to", "file://" + keeper, env={"QC_FAULT": "refresh_first:kill:1"})
    check(p.returncode == -9 and f"has its backup data at file://{third} alone".encode() in p.stderr, f"exit {p.returncode}: {p.stderr.decode()}")
    status = keeper_status(box)             # the killed run's message is gone, and what it said is not
    check(status["keeper"]["state"] == "stale" and status["keeper"]["before"] == [f"file://{third}"] and status["key_margin"] == 0, f"{status}")
    for said in (box.expect(4, "status"), box.expect((1, 4), "doctor")):
        check(f"not refreshed yet has its backup data at file://{third} alone".encode() in said.stdout and b"kit refresh" in said.stdout, said.stdout.decode())
    p = box.expect(0, "kit", "refresh")
    check(f"what is left at file://{third} opens nothing with the new shares: remove it".encode() in p.stderr, p.stderr.decode())
    check(keeper_status(box)["keeper"]["before"] == [], "it is at its end, and remembered still")
    shutil.rmtree(third)


def keeper_status(box, code=(0, 4)):
    out = box.expect(code, "--json", "status").stdout
    return [j["status"] for j in map(json.loads, out.splitlines()) if "shares" in j.get("status", {})][0]


def kept_set(box, keeper):
    """Whoever writes another place into the configuration, by a command or by hand: nothing goes to one that is the vault's already."""
    file = os.path.join(box.home, "qcloud.conf")
    with open(file, encoding="utf-8") as f:
        conf = f.read()
    inside = os.path.join(box.stores[1], "inside")
    for place, says in ((box.clouds[0], b"is a cloud of the vault"), (os.path.join(box.root, "link"), b"is a cloud of the vault"),
                        (os.path.join(box.clouds[1], "f"), b"is a cloud of the vault"), (inside, b"are one place")):
        p = box.expect(2, "config", "set", "vault.backup-to", "file://" + place)
        with open(file, encoding="utf-8") as f:
            check(says in p.stderr and f.read() == conf, f"{place}: {p.stderr.decode()}")
    for place, says in ((inside, b"are one place"), (box.clouds[0], b"is a cloud of the vault")):
        if place == inside:
            shutil.copytree(keeper, place)
        else:
            shutil.copytree(os.path.join(keeper, "b"), os.path.join(place, "b"))
        with open(file, "w", encoding="utf-8") as f:
            f.write(conf.replace(f"file://{keeper}", f"file://{place}"))
        for args in (("put", os.path.join(box.work, "one"), "one"), ("put", "-r", os.path.join(box.work, "few"), "few"), ("kit", "refresh")):
            p = box.expect(2, *args)
            check(says in p.stderr and not box.journal(), f"{args} {place}: {p.stderr.decode()}")
        check(keeper_status(box)["keeper"]["state"] == "shared", "status")
        box.expect(0, "get", "a", "-")
        shutil.rmtree(place if place == inside else os.path.join(place, "b"))
    with open(file, "w", encoding="utf-8") as f:
        f.write(conf)
    box.expect(0, "config", "set", "vault.backup-to", f"file://{keeper}")


def kept_changed(box, keeper, other):
    """Another takes its place while a bundle is under way, which is not stored then: its backup data would be with the old one alone."""
    n = at_keeper(keeper)
    p = box.start("put", "-r", os.path.join(box.work, "few"), "few", env={"QC_FAULT": "client_sent:pause_ms:3000"})
    while p.poll() is None and not box.journal():
        time.sleep(0.05)
    time.sleep(0.5)
    box.expect(0, "kit", "refresh", "--backup-to", "file://" + other)
    said = p.communicate()[1]
    check(p.returncode == 10 and b"is the keeper of backup data no longer" in said, f"exit {p.returncode}: {said.decode()}")
    check(at_keeper(keeper) == n and not box.journal(), f"{at_keeper(keeper)} at the old keeper, not {n}")
    # Who names the old one is told so by status as by put, not that all is well.
    box.expect(0, "config", "set", "vault.backup-to", "file://" + keeper)
    said = next(j["status"] for j in map(json.loads, box.expect(4, "status", "--json").stdout.splitlines()) if "status" in j)
    told = [r["what"] for r in said["reasons"] if "keeper" in r["what"]]
    check(said["keeper"]["state"] == "stale" and len(told) == 1 and "no longer, or a copy of before" in told[0], f"{said['keeper']} {told}")
    said = box.expect(10, "put", os.path.join(box.work, "few", "0"), "f").stderr
    check(b"is the keeper of backup data no longer" in said, said.decode())
    box.expect(0, "config", "set", "vault.backup-to", "file://" + other)


def kept(rng):
    with Box(k=2, n=3) as box:
        keeper, other = (os.path.join(box.root, k) for k in ("keeper", "other"))
        data = {"a": rng.randbytes(70000), "b/1": rng.randbytes(10), "b/2": rng.randbytes(3 << 20), "b/3": b""}
        kept_refused(box, "file://" + keeper)
        p = box.init("--no-passphrase", "--backup-to", "file://" + keeper)
        check(b"the keeper at file://" in p.stderr and b"nor with the keeper" in p.stderr, p.stderr.decode())
        box.put_tree(data)
        n = at_keeper(keeper)
        check(n == len(data) + 2, f"{n} at the keeper")     # the folder b, and the vault itself
        os.mkdir(os.path.join(box.work, "few"))
        for i in range(3):
            box.write(f"few/{i}", b"%d" % i)
        kept_subsets(box, keeper, data)
        kept_away(box, keeper, n)
        n = kept_cut_off(box, keeper, n)
        check(b"no tickets" in box.expect(2, "tickets", "draw", "3").stderr, "tickets")
        check(b"with the keeper" in box.expect(0, "explain", "a").stdout, "explain")
        box.expect(0, "mv", "a", "aa")
        box.expect(0, "mv", "aa", "a")
        box.expect(0, "rm", "one")
        box.expect(0, "trash", "empty", "--yes")
        check(at_keeper(keeper) == len(data) + 2, "what was purged is at the keeper still")
        box.expect(0, "put", os.path.join(box.work, "few", "1"), "two")
        erase = ("rm", "--erase", "--yes", "--certificate", os.path.join(box.work, "two.cert"), "two")
        os.rename(keeper, keeper + ".away")     # nothing is certified while the keeper has it
        box.expect(5, *erase)
        os.rename(keeper + ".away", keeper)
        check(not os.path.exists(erase[-2]) and at_keeper(keeper) == len(data) + 3, "erased without the keeper")
        box.expect(0, *erase)
        check(b"keeper     has removed" in box.expect(0, "certificate", "verify", erase[-2]).stdout, "the certificate says nothing of the keeper")
        check(at_keeper(keeper) == len(data) + 2, "what was erased is at the keeper still")
        kept_changed(box, keeper, keeper + ".between")
        box.expect(0, "kit", "refresh", "--backup-to", "file://" + keeper)
        kept_moves(box, keeper, data)
        kept_set(box, keeper)
        shutil.rmtree(keeper)                   # lost: another one takes its place
        p = box.expect(0, "kit", "refresh", "--backup-to", "file://" + other)
        check(f"the keeper is file://{other} now".encode() in p.stderr and at_keeper(other) == len(data) + 2, p.stderr.decode())
        box.expect(0, "verify")
        kept_lost(box, other, data)


def kept_lost(box, keeper, data):
    """A store, then the machine: the store that is left says where the keeper is."""
    shutil.rmtree(box.stores[1])
    box.expect(0, "recover", "--share", "2")
    box.expect(0, "verify")
    box.stop()
    shutil.rmtree(box.home)
    shutil.rmtree(box.stores[0])
    box.expect((0, 4), "init", "--join", box.stores[1], "--take-over", "--share1", box.stores[0])
    check(box.get("b/2") == data["b/2"], "after join")
    box.expect(0, "recover", "--share", "1")
    box.expect(0, "put", box.write("in", b"new"), "new")
    kept_subsets(box, keeper, data)


def test():
    rng = seeded("recovery")
    with Box(k=2, n=3) as box:
        made = box.init("--no-passphrase", "--recovery", "kit")
        data = {"a": rng.randbytes(70000), "b/1": rng.randbytes(10), "b/2": rng.randbytes(3 << 20), "b/3": b""}
        box.put_tree(data)
        kit = os.path.join(box.work, "kit.txt")
        box.expect(0, "kit", "print", "--recovery", "--to", kit)
        box.expect(0, "kit", "print", "--recovery", "--to", os.path.join(box.work, "kit.pdf"))
        box.expect(0, "kit", "verify", kit)
        said(box, made)
        subsets(box, kit, data)
        lost(box, kit, data)
        refreshed(box, kit, data)
        subsets(box, kit, data)
        strangers(box)
    kept(rng)


main(test)
