"""What must hold of a vault after its disks failed or lost power; driven through the programs only."""
import json
import os
import shutil

from harness import Failure, check

CLOUDS = 5


class Checks:
    def __init__(self, box, rng):
        self.box, self.rng = box, rng
        self.rebuild = False        # lose the gateway's disk, too

    def tree(self, want, why):
        """Everything that is there, read back: each object has one of the contents wanted (None: it is not there). Returns what is
        there: from then on it must stay so."""
        out = os.path.join(self.box.work, "tree")
        shutil.rmtree(out, ignore_errors=True)
        nothing = all(None in contents for contents in want.values())
        p = self.box.expect((0, 3) if nothing else 0, "get", "-r", "", out)
        have = {}
        for d, _, names in os.walk(out):
            for name in names:
                with open(os.path.join(d, name), "rb") as f:
                    have[os.path.relpath(f.name, out)] = f.read()
        check(set(have) <= set(want), f"{why}: nobody stored {sorted(set(have) - set(want))}")
        for name, contents in want.items():
            got = have.get(name)
            check(got in contents, f"{why}: {name} is {'gone' if got is None else f'{len(got)} other bytes'}; expected "
                                   f"{sorted('absent' if c is None else f'{len(c)} bytes' for c in contents)}\n{p.stderr.decode()}")
        return {name: {have.get(name)} for name in want}

    def put(self, want, code=0):
        data = self.rng.randbytes(100)
        self.box.expect(code, "put", self.box.write("in", data), "fresh")
        want["fresh"] = {data}

    def status(self, codes=0):
        for line in self.box.expect(codes, "--json", "status").stdout.splitlines():
            if json.loads(line).get("status"):
                return json.loads(line)["status"]
        raise Failure("no status")

    def settled(self, margins=(2,), codes=0):
        """After a put, which settles what came before: nothing is pending anywhere, and nobody lacks anything."""
        s = self.status(codes)
        check(s["unfinished"] == 0, "unfinished puts are left")
        check(all(x["state"] == "ok" and x["pending"] == 0 for x in s["shares"]), f"share stores: {s['shares']}")
        check(len({x["records"] for x in s["shares"]}) == 1, f"share stores differ: {s['shares']}")
        check({m["margin"] for m in s["gateway"]["margins"]} <= set(margins), f"margins: {s['gateway']['margins']}")

    def lost(self, want, store=None, clouds=None):
        """Two clouds (or these) and a share store are lost; the gateway's disk too, where rebuild says so."""
        clouds = self.rng.sample(range(CLOUDS), 2) if clouds is None else clouds
        store = self.rng.randrange(2) if store is None else store
        home = (self.box.home,) if self.rebuild else ()
        why = f"without clouds {[c + 1 for c in clouds]}, share {store + 1}{', the gateway' if home else ''}"
        with self.box.lost(*(self.box.clouds[i] for i in clouds), self.box.stores[store], *home):
            if home:
                self.box.expect((0, 4), "init", "--join", self.box.stores[1 - store], "--take-over")
            self.tree(want, why)
