#!/usr/bin/python3
"""Every line that --json writes is described by docs/schema/: each command is run as it should and after losses, and each line
validated, with no field that the schema does not name. At the end every kind of line of every schema was seen."""
import copy
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import jsonschema

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "system"))
from harness import Box, check, main  # noqa: E402

SCHEMAS = os.path.join(TOP, "docs", "schema")
ELSEWHERE = {("gateway-cloud-set.json", "item"),        # needs a cloud with keys: system/validate
             *(("shared.json", kind) for kind in ("stored", "got", "listed", "told", "explained", "removed", "verified")),    # cli/sites
             ("site-list.json", "item"), ("site-remove.json", "item"),
             ("bench.json", "stored"),   # cli/bench
             ("keys.json", "item"), ("gateway-keys.json", "item"),   # need a KME: cli/keyed, cli/levels
             *(("watch.json", kind) for kind in ("watching", "pass", "word")),  # cli/watch
             *(("salvage.json", kind) for kind in ("start", "progress", "warning", "file", "damaged", "missing", "result", "error"))}  # system/salvage


def closed(schema):
    """The schema as a writer must obey it: objects have the named fields only."""
    if isinstance(schema, list):
        return [closed(s) for s in schema]
    if not isinstance(schema, dict):
        return schema
    out = {k: closed(v) for k, v in schema.items()}
    if "properties" in out and isinstance(out["properties"], dict) and "additionalProperties" not in out:
        out["additionalProperties"] = False
    return out


class Schemas:
    def __init__(self):
        self.docs, self.seen, self.made = {}, set(), {}
        for name in sorted(os.listdir(SCHEMAS)):
            with open(os.path.join(SCHEMAS, name), encoding="utf-8") as f:
                self.docs[name] = json.load(f)
            check(self.docs[name].get("$id") == name, f"{name}: its $id is another")
            jsonschema.Draft202012Validator.check_schema(self.docs[name])
        self.strict = {name: closed(doc) for name, doc in copy.deepcopy(self.docs).items()}

    def validators(self, name):
        """Of a schema as it is, as a writer must obey it, and of each kind of line of the latter. Made once: a resolver knows what it has found."""
        if name not in self.made:
            loose, strict = (jsonschema.RefResolver(name, docs[name], store=docs) for docs in (self.docs, self.strict))
            self.made[name] = (jsonschema.Draft202012Validator(self.docs[name], resolver=loose), jsonschema.Draft202012Validator(self.strict[name], resolver=strict),
                               [(branch["$ref"].partition("#/$defs/"), jsonschema.Draft202012Validator(branch, resolver=strict)) for branch in self.strict[name]["anyOf"]])
        return self.made[name]

    def check(self, name, value):
        loose, strict, kinds = self.validators(name)
        for validator in (loose, strict):
            errors = list(validator.iter_errors(value))
            check(not errors, f"{name}: {json.dumps(value)[:600]}\n" + "\n".join(c.message for e in errors for c in (e.context or [e]))[:1500])
        for (where, _, kind), validator in kinds:
            if validator.is_valid(value):
                self.seen.add((where or name, kind))

    def unseen(self):
        for name, doc in self.docs.items():
            for branch in doc.get("anyOf", []):
                where, _, kind = branch["$ref"].partition("#/$defs/")
                if (where or name, kind) not in self.seen:
                    yield where or name, kind


def run(schemas, box, command, exit_, *args, env=None):
    """One command: every line is valid, the first is a start, the last the only result or error, with the status."""
    p = box.start("--json", *args, stdin=subprocess.PIPE, env=env)
    if "-" in args:
        for _ in range(3):      # slow enough for a line of progress
            p.stdin.write(bytes(17 << 20))
            p.stdin.flush()
            time.sleep(0.7)
    stdout, stderr = p.communicate(timeout=60)
    if command == "cat":        # whose standard output is the objects' bytes
        stdout, stderr = stderr, b""
    text = " ".join(map(os.fsdecode, args))
    check(p.returncode == exit_, f"{text}: exit {p.returncode}, expected {exit_}\n{stdout.decode()[-1500:]}{stderr.decode()}")
    check(not stderr, f"{text}: stderr is not empty: {stderr.decode()}")
    lines = [json.loads(line) for line in stdout.decode("utf-8").splitlines()]
    for line in lines:
        schemas.check(command + ".json", line)
    kinds = [line["type"] for line in lines]
    check(kinds[0] == "start" and kinds[-1] in ("result", "error") and kinds.count("result") + kinds.count("error") == 1, f"{text}: {kinds}")
    check(lines[-1]["exit"] == exit_, f"{text}: the last line says {lines[-1]['exit']}")
    return lines


def whole(schemas, box, ask):
    path = box.write("a", os.urandom(20 << 20))
    out = os.path.join(box.work, "out")
    box.expect(0, "put", box.write("first", os.urandom(1 << 20)), "first")
    ask("gateway-scrub", 0, "gateway", "scrub", "--content", "--wait")     # while little is there: it reads 8 MiB a second
    ask("put", 0, "put", path, "dir/a")
    ask("put", 0, "put", path, b"b\xff")
    ask("put", 3, "put", os.path.join(box.work, "none"), "x")
    told = ask("put", 0, "put", "-", "slow", "--progress=clouds")
    fares = [line["clouds"] for line in told if line["type"] == "progress" and "clouds" in line]
    check(fares and all(c["state"] in ("ok", "writing") and c["durable"] > 0 and c["failed"] == 0 for c in fares[-1]) and len(fares[-1]) == len(box.clouds), f"how it fares: {told}")
    check(told[-1]["summary"]["sent"] > 3 * (17 << 20) and told[-1]["summary"]["requests"] > 6, f"what it used: {told[-1]}")
    os.makedirs(os.path.join(box.work, "small"))
    for i in range(9):
        box.write(f"small/{i}", os.urandom(100_000))
    told = ask("put", 0, "put", "-r", os.path.join(box.work, "small"), "small", "--progress=clouds", "--limit-rate", "350k")
    fares = [line for line in told if line["type"] == "progress"]
    check(fares and fares[0]["name"] == "9 small files" and fares[0]["total"] == 900_000, f"how a bundle fares: {told}")
    ask("get", 0, "get", "dir/a", out)
    ask("get", 3, "get", "none", out + "2")
    ask("get", 0, "get", "--range", "-1M", "dir/a", out + ".part of it")
    ask("cat", 0, "cat", "--range", "1M-", "dir/a", b"b\xff")
    ask("cat", 3, "cat", "dir/a", "none")
    ask("ls", 0, "ls")
    folders = {line["name"]: line["objects"] for line in ask("ls", 0, "ls", "--depth", "1") if "objects" in line}
    check(folders.get("dir/") == 1 and folders.get("small/", 0) > 1, f"ls --depth: {folders}")
    ask("stat", 0, "stat", "dir/a", b"b\xff")
    ask("stat", 3, "stat", "none")
    ask("explain", 0, "explain", "dir/a", b"b\xff")
    ask("explain", 3, "explain", "none")
    ask("reseal", 0, "reseal", b"b\xff")
    ask("reseal", 3, "reseal", "none")
    ask("versions", 0, "versions", b"b\xff")
    ask("ls", 0, "ls", "--versions", b"b\xff")
    ask("versions", 0, "versions", "--restore", "1", b"b\xff")
    ask("versions", 3, "versions", "--restore", "9", b"b\xff")
    ask("versions", 3, "versions", "none")
    ask("get", 0, "get", "--version", "1", b"b\xff", out + "-v1")
    ask("stat", 0, "stat", "--version", "1", b"b\xff")
    ask("stat", 3, "stat", "--version", "9", b"b\xff")
    ask("rng-list", 0, "rng", "list")
    ask("plan-keys", 0, "plan", "keys", "--rate", "80k", "--rekey-seconds", "0.01", "--encryptor", "12G", "--bytes", "80G", "--code", "3,5",
        "--traffic", "200G", "--stock", "8G")
    ask("plan-keys", 0, "plan", "keys", "--rate", "80k", "--rekey-seconds", "1")
    ask("plan-keys", 2, "plan", "keys")
    ask("profiles", 0, "profiles", "--size", "80G")
    ask("rng-test", 0, "rng", "test")
    ask("rng-test", 0, "rng", "test", "--sample", path)
    ask("rng-test", 3, "rng", "test", "none")
    conf = os.path.join(box.home, "random.conf")
    with open(conf, "w", encoding="ascii") as f:
        f.write("[source lab]\nkind = command\npath = /bin/cat /dev/urandom\n")
    ask("rng-enable", 0, "rng", "enable", "lab")
    ask("rng-enable", 3, "rng", "enable", "none")
    os.unlink(conf)
    ask("rng-bench", 0, "rng", "bench", "os", "--bytes", "4k")
    ask("verify", 0, "verify")
    os.mkdir(out + ".folder")
    with open(os.path.join(out + ".folder", "more"), "wb"):
        pass
    ask("verify", 4, "verify", "--against", out + ".folder", "--since", "2026-01-01", "--sample", "90", "dir/")
    ask("drill", 0, "drill")
    ask("drill", 6, "drill", *(a for c in box.clouds[:3] for a in ("--without-cloud", "c" + c[-1])))
    ask("drill", 3, "drill", "none")
    ask("status", 0, "status")
    ask("doctor", 4, "doctor")  # both stores lie on one device
    mine = ".qcloud-bench/0"        # the user's own, below the prefix
    little = box.write("little", b"mine")
    box.expect(0, "put", little, mine)
    kept = ".qcloud-bench/0123456789abcdef"     # as one that a bench put and was killed over, and somebody locked since
    box.expect(0, "put", "--retain-until", "2099-01-01", little, kept)
    names = os.path.join(box.home, "state", "bench.names")
    check(not os.path.exists(names), "names of a bench before there was one")
    versions = box.expect(0, "versions", mine).stdout
    before = {box.expect(0, "ls").stdout, box.expect(0, "trash", "ls").stdout, *map(str, os.listdir(box.stores[0]))}

    def left():
        return [os.path.join(store, x) for store in box.stores for x in os.listdir(store) if x.startswith(".tmp-")]

    def old_places():
        """As a bench of an earlier program had them."""
        for name, age in (("old", 7200), ("mine", 7200), ("new", 0)):
            place = os.path.join(box.stores[1], ".tmp-bench-" + name)
            os.mkdir(place, 0o700)
            for what in ("db", "db-journal") + (("else",) if name == "mine" else ()):
                with open(os.path.join(place, what), "w", encoding="ascii"):
                    pass
            os.utime(place, (time.time() - age,) * 2)

    def swept():
        check(sorted(map(os.path.basename, left())) == [".tmp-bench-mine", ".tmp-bench-new"], f"what stays: {left()}")
        for place in left():
            shutil.rmtree(place)

    old_places()
    ask("bench", 0, "bench", "--size", "4k,2M", "--out", out + ".bench")
    swept()
    with open(out + ".bench", encoding="utf-8") as f:
        check({"sealing", "put of 2.0 MiB", "get of 4.0 KiB"} <= {line["what"] for line in json.load(f)}, "what a bench wrote")
    check({box.expect(0, "ls").stdout, box.expect(0, "trash", "ls").stdout, *map(str, os.listdir(box.stores[0]))} == before, "a bench left something behind")
    check(box.expect(0, "versions", mine).stdout == versions and not os.path.exists(names), "a bench took what it had not put, or left names")

    for _ in range(5):      # it may have been over when it was killed
        p = box.start("bench", "local")
        while p.poll() is None and not left():
            time.sleep(0.01)
        p.kill()
        p.communicate(timeout=60)
        if left():
            break
    check(left() and all(map(os.path.isfile, left())), f"a bench that was killed left {left()}")
    old_places()
    box.run("doctor", "--fix")
    swept()
    ask("bench", 2, "bench", "--size", "0")
    p = box.start("bench", "gateway", "--size", "64M", "--limit-rate", "1M")
    end = time.monotonic() + 60
    while not box.journal():
        check(time.monotonic() < end and p.poll() is None, "nothing is put")
        time.sleep(0.02)
    with open(names, encoding="ascii") as f:
        given = f.read().split()
    p.send_signal(signal.SIGINT)
    err = p.communicate(timeout=60)[1]
    check(len(given) == 1 and p.returncode == 130 and not box.journal() and box.expect(0, "ls").stdout in before and not os.path.exists(names), f"Ctrl-C in a bench: exit {p.returncode}: {err}")
    box.expect(0, "put", little, given[0])    # as if it had been killed behind its put
    with open(names, "w", encoding="ascii") as f:
        f.write(f"{given[0]}\n{kept}\n")
    err = box.expect(0, "bench", "gateway", "--size", "4k").stderr.decode()
    with open(names, encoding="ascii") as f:
        check(f.read() == kept + "\n" and f"{kept}, which a bench put, stays" in err, f"what is locked: {err}")
    check(box.expect(0, "ls").stdout not in before and box.expect(0, "versions", mine).stdout == versions, "what a killed bench left, or somebody's own")
    box.expect(0, "put", little, kept)      # out of the trash, which is emptied below
    with open(names, "w", encoding="ascii") as f:
        f.write(mine + "\n")
    ask("bench", 8, "bench", "gateway", "--size", "4k")
    os.unlink(names)
    check(box.expect(0, "versions", mine).stdout == versions, "a bench took what it had not put")
    ask("gateway-status", 0, "gateway", "status")
    ask("gateway-cloud-ls", 0, "gateway", "cloud", "ls")
    ask("gateway-cloud-validate", 0, "gateway", "cloud", "validate", "c1")
    ask("gateway-cloud-validate", 3, "gateway", "cloud", "validate", "none")
    ask("gateway-cloud-test", 0, "gateway", "cloud", "test", "c1")
    ask("gateway-cloud-test", 3, "gateway", "cloud", "test", "none")
    ask("gateway-repair", 0, "gateway", "repair")
    ask("gateway-drill", 0, "gateway", "drill")
    ask("gateway-snapshot-ls", 0, "gateway", "snapshot", "ls")
    ask("gateway-snapshot-verify", 3, "gateway", "snapshot", "verify")
    ask("gateway-snapshot", 0, "gateway", "snapshot")
    ask("gateway-snapshot-create", 0, "gateway", "snapshot", "create")
    ask("gateway-snapshot-ls", 0, "gateway", "snapshot", "ls")
    ask("gateway-snapshot-verify", 0, "gateway", "snapshot", "verify")
    ask("gateway-snapshot-restore", 2, "gateway", "snapshot", "restore")
    ask("gateway-snapshot-restore", 0, "gateway", "snapshot", "restore", "-n")
    ask("gateway-drill", 3, "gateway", "drill", "--without-cloud", "none-such")
    ask("gateway-scrub", 3, "gateway", "scrub", "--cloud", "none")
    ask("gateway-scrub-pause", 0, "gateway", "scrub", "pause")
    ask("gateway-scrub-start", 4, "gateway", "scrub", "start", "--wait")      # it waits for nobody: a hand has stopped it
    check(b"paused since" in box.expect(0, "status").stdout, "status does not say that the scrub is paused")
    ask("gateway-scrub-resume", 3, "gateway", "scrub", "resume", "--cloud", "none")
    ask("gateway-scrub-resume", 0, "gateway", "scrub", "resume")
    ask("gateway-scrub-rate", 0, "gateway", "scrub", "rate", "off")
    ask("gateway-scrub-rate", 2, "gateway", "scrub", "rate", "5")
    ask("gateway-scrub-start", 0, "gateway", "scrub", "start", "--wait")
    ask("gateway-scrub-rate", 0, "gateway", "scrub", "rate", "default")
    ask("gateway-scrub-status", 0, "gateway", "scrub", "status")
    sixth = f"c6=file://{os.path.join(box.root, 'cloud6')}"
    ask("gateway-cloud-add", 0, "gateway", "cloud", "add", sixth)
    ask("gateway-cloud-add", 5, "gateway", "cloud", "add", sixth.replace("c6=", "c1="))
    ask("gateway-cloud-set", 0, "gateway", "cloud", "set", "c6", "--weight", "200")
    ask("gateway-cloud-domain", 0, "gateway", "cloud", "domain", "cloud")
    ask("gateway-plan-exit", 0, "gateway", "plan", "exit", "c6")
    ask("plan-exit", 0, "plan", "exit", "c6")
    ask("keys", 10, "keys")
    ask("gateway-keys", 10, "gateway", "keys")
    ask("plan-reprotect", 0, "plan", "reprotect", "2,6")
    ask("gateway-plan-reprotect", 0, "gateway", "plan", "reprotect", "2,6")
    ask("gateway-repair", 0, "gateway", "repair", "--reprotect", "2,6", "--dry-run", "--max-rate", "1M")
    ask("gateway-cloud-replace", 3, "gateway", "cloud", "replace", "none", "c7=file:///none", "--yes")
    ask("gateway-cloud-drain", 0, "gateway", "cloud", "drain", "c6", "--yes")
    ask("gateway-cloud-retire", 0, "gateway", "cloud", "retire", "c6")
    ask("selftest", 0, "selftest")
    if os.environ.get("QC_FAULTS") == "1":
        ask("selftest", 1, "selftest", env={"QC_FAULT": "selftest_answer:error:3"})
        ask("selftest", 13, "selftest", env={"QC_FAULT": "qrng_fill:error:1"})
    ask("gateway-selftest", 0, "gateway", "selftest")
    ask("gateway-job-ls", 0, "gateway", "job", "ls")
    ask("gateway-job-show", 0, "gateway", "job", "show", "scrub")
    ask("gateway-job-show", 3, "gateway", "job", "show", "none")
    ask("gateway-job-cancel", 0, "gateway", "job", "cancel", "scrub")
    ask("gateway-job-resume", 0, "gateway", "job", "resume", "scrub")
    ask("gateway-debt-retry", 0, "gateway", "debt", "retry")
    ask("gateway-link-ls", 0, "gateway", "link", "ls")
    ask("gateway-link-test", 0, "gateway", "link", "test")
    ask("gateway-link-test", 3, "gateway", "link", "test", "none")
    ask("gateway-log-level", 0, "gateway", "log", "level", "debug")
    ask("gateway-log-level", 0, "gateway", "log", "level")
    ask("gateway-audit", 3, "gateway", "audit")         # one's own gateway keeps none, but for what a rebuild was
    ask("gateway-rebuild", 0, "gateway", "rebuild")
    ask("gateway-audit", 0, "gateway", "audit", "--since", "2026-01-31")
    ask("gateway-audit", 2, "gateway", "audit", "--since", "yesterday")
    os.makedirs(os.path.join(box.work, "d"))
    os.rename(path, os.path.join(box.work, "d", "a"))
    path = os.path.join(box.work, "d", "a")
    os.symlink("a", os.path.join(box.work, "d", "link"))
    for name in (b"b\xff", b"c"):
        with open(os.path.join(os.fsencode(box.work), b"d", name), "wb") as f:
            f.write(bytes(3 << 20))
    ask("sync", 0, "sync", "-n", os.path.join(box.work, "d"), "s/")
    ask("sync", 0, "sync", os.path.join(box.work, "d"), "s/")
    ask("sync", 0, "sync", "s/", os.path.join(box.work, "e"))
    os.unlink(os.path.join(box.work, "d", "c"))
    os.rename(os.path.join(os.fsencode(box.work), b"d", b"b\xff"), os.path.join(os.fsencode(box.work), b"d", b"other \xff"))
    ask("sync", 0, "sync", "-n", os.path.join(box.work, "d"), "s/")
    ask("sync", 0, "sync", "--delete", os.path.join(box.work, "d"), "s/")
    ask("sync", 0, "sync", "--delete", "s/", os.path.join(box.work, "e"))
    ask("sync", 3, "sync", os.path.join(box.work, "none"), "s/")
    ask("mv", 0, "mv", "dir/a", "dir/c")
    ask("mv", 3, "mv", "dir/a", "dir/c")
    ask("mv", 0, "mv", "dir/c", "dir/a")
    box.expect(0, "put", box.write("in", b"x"), "erased")
    cert = os.path.join(box.work, "cert")
    ask("rm", 0, "rm", "--erase", "--yes", "--certificate", cert, "erased")
    ask("certificate-verify", 0, "certificate", "verify", cert)
    ask("certificate-verify", 3, "certificate", "verify", cert + "2")
    ask("certificate-ls", 0, "certificate", "ls")
    bad = os.path.join(box.home, "state", "certificates", "bad.cert")
    with open(bad, "wb") as f:
        f.write(b"no record")
    ask("certificate-ls", 8, "certificate", "ls")
    os.unlink(bad)
    ask("certificate-key", 0, "certificate", "key")
    ask("rm", 0, "rm", "-r", "-n", "dir")
    ask("rm", 0, "rm", "-r", "--yes", "dir")
    ask("rm", 3, "rm", "dir/a")
    ask("versions", 0, "versions", "dir/a")
    ask("trash-ls", 0, "trash", "ls")
    ask("trash-restore", 0, "trash", "restore", "dir/a")
    ask("trash-restore", 3, "trash", "restore", "dir/a")
    ask("prune", 0, "prune", "--keep-last", "1", "-n", "dir")
    ask("prune", 0, "prune", "--keep-last", "1", "--yes", "dir")
    ask("prune", 2, "prune", "dir")
    ask("lock", 0, "lock", "--until", "2098-01-01", "dir/a")
    ask("lock", 3, "lock", "--until", "2098-01-01", "none")
    ask("put", 0, "put", "--retain-until", "2098-01-01", path, "locked")
    ask("stat", 0, "stat", "locked")
    ask("trash-empty", 0, "trash", "empty", "--yes")
    ask("trash-empty", 2, "trash", "empty")
    ask("rm", 0, "rm", "dir/a")
    ask("config", 0, "config", "show")
    ask("config", 0, "config", "get", "vault.share1")
    ask("config", 3, "config", "get", "gateway.ca")
    ask("config", 0, "config", "set", "gateway.idle", "31")
    ask("config", 0, "config", "check")
    ask("version", 0, "version")
    return path


def after_losses(box, ask, path):
    with box.lost(box.stores[1]):
        ask("get", 0, "get", b"b\xff", os.path.join(box.work, "out3"))
        ask("put", 7, "put", path, "y")
        ask("status", 4, "status")
        ask("verify", 4, "verify")
    with box.lost(box.stores[1]):
        ask("recover", 0, "recover", "--share", "2", "--to", os.path.join(box.root, "new2"))
    ask("recover", 5, "recover", "--share", "2", "--to", os.path.join(box.root, "new3"))
    with box.lost(box.clouds[0]):
        ask("put", 4, "put", path, "z")
        ask("gateway-debt-ls", 0, "gateway", "debt", "ls")
        ask("rm", 4, "rm", "z")
        ask("status", 4, "status")
        ask("gateway-repair", 4, "gateway", "repair")
        ask("gateway-cloud-test", 1, "gateway", "cloud", "test", "c1")
    ask("gateway-repair", 0, "gateway", "repair", "--deep")
    with box.lost(*box.clouds[:3]):
        ask("get", 6, "get", b"b\xff", os.path.join(box.work, "out4"))
        ask("verify", 6, "verify")
        ask("status", 6, "status")
    with box.lost(*box.stores, os.path.join(box.root, "new2")):
        ask("status", 7, "status")


def kits(schemas):
    with Box(1, 2) as box:
        box.init("--mode", "derived")
        run(schemas, box, "kit-print", 0, "kit", "print", "--share", "1", "--to", os.path.join(box.work, "kit.txt"))
        run(schemas, box, "kit-print", 5, "kit", "print", "--share", "1", "--to", os.path.join(box.work, "kit.txt"))
        run(schemas, box, "kit-verify", 0, "kit", "verify", os.path.join(box.work, "kit.txt"))
        run(schemas, box, "tickets-draw", 0, "tickets", "draw", "3")
        run(schemas, box, "tickets-draw", 2, "tickets", "draw", "0")
        run(schemas, box, "tickets-cancel", 0, "tickets", "cancel")
        run(schemas, box, "kit-refresh", 0, "kit", "refresh")
        box.expect(0, "put", box.write("derived", b"x"), "derived")
        said = box.expect(0, "--json", "rm", "--erase", "--yes", "derived").stdout.decode()
        check(said.count("not erased: share ") == 2 and '"derived":2' in said, f"shares that come from a seed: {said}")
        with box.lost(box.stores[1]):
            run(schemas, box, "kit-refresh", 7, "kit", "refresh")
        run(schemas, box, "kit-verify", 2, "kit", "verify", box.write("no kit", b"abandon ability"))
        run(schemas, box, "kit-verify", 3, "kit", "verify", os.path.join(box.work, "none"))


def passphrases(box, ask):
    new2 = os.path.join(box.root, "new2")
    known = {"QCLOUD_PASSPHRASE_COMMAND": "echo sesame"}
    ask("passphrase", 0, "passphrase", "--memory", "64", env=known)
    ask("status", 0, "status")
    ask("status", 0, "status", env=known)
    ask("ls", 12, "--no-input", "ls")
    ask("passphrase", 12, "passphrase", "--remove", env={"QCLOUD_PASSPHRASE_COMMAND": "echo sesam"})
    ask("passphrase", 0, "passphrase", "--share", "1", "--remove", env=known)
    ask("get", 0, "--no-input", "get", b"b\xff", os.path.join(box.work, "out5"))
    with box.lost(new2):
        ask("passphrase", 4, "passphrase", "--remove")
    ask("passphrase", 0, "passphrase", "--remove", env=known)


def watched(schemas, box):
    """A look is an item, whatever it sees: the gateway is away, comes back, and nobody has to begin anew. Ctrl-C is the end."""
    state = os.path.join(box.home, "state", "gateway")
    box.stop(signal.SIGTERM)
    os.rename(state, state + ".away")
    for command in ("gateway status", "status"):
        p = box.start("--json", *command.split(), "--watch", "--interval", "1")
        name = command.replace(" ", "-") + ".json"
        looks = []
        while len(looks) < 2 or looks[-1]["exit"] not in (0, 4):
            line = json.loads(p.stdout.readline())
            schemas.check(name, line)
            if line["type"] == "item":
                looks.append(line)
            if len(looks) == 1 and os.path.exists(state + ".away"):
                os.rename(state + ".away", state)
        p.send_signal(signal.SIGINT)
        rest = [json.loads(line) for line in p.stdout.read().splitlines()]
        for line in rest:
            schemas.check(name, line)
        check(p.wait(60) == 130 and rest[-1]["type"] == "error" and rest[-1]["exit"] == 130, f"{command} --watch: the end: {rest}")
        check(command == "status" or (looks[0]["rc"] != "ok" and looks[0]["what"] and "gateway" in looks[-1]), f"{command} --watch: {looks}")


def test():
    schemas = Schemas()
    with Box() as box:
        def ask(command, exit_, *args, env=None):
            return run(schemas, box, command, exit_, *args, env=env)

        clouds = [a for i, c in enumerate(box.clouds, 1) for a in ("--cloud", f"c{i}=file://{c}")]
        ask("init", 0, "init", "--local", *clouds, "--k", "3", "--share1", box.stores[0], "--share2", box.stores[1])
        ask("init", 2, "init", "--local")
        path = whole(schemas, box, ask)
        after_losses(box, ask, path)
        passphrases(box, ask)
        watched(schemas, box)
        box.stop(signal.SIGTERM)
        os.rename(box.home, box.home + ".old")
        ask("join", 0, "init", "--join", box.stores[0], os.path.join(box.root, "new2"), "--take-over")
    kits(schemas)
    unseen = sorted(set(schemas.unseen()) - ELSEWHERE)
    check(not unseen, f"never seen: {unseen}")
    print(f"{len(schemas.docs)} schemas, {len(schemas.seen)} kinds of lines seen")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--lines"]:    # of another test: a file of lines COMMAND<tab>JSON
        told = Schemas()
        with open(sys.argv[2], encoding="utf-8") as lines:
            for text in lines:
                told.check(text.split("\t")[0] + ".json", json.loads(text.split("\t", 1)[1]))
        print(*(kind for _, kind in sorted(told.seen)))
        raise SystemExit(0)
    main(test)
