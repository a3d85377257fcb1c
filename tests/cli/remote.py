#!/usr/bin/python3
"""qcloud at a gateway for many users: made, used, joined, refused."""
import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "system"))
from harness import Failure, check, main  # noqa: E402
from users import User, api, said  # noqa: E402


def doors(server):
    """Every way in: (address, options of init)."""
    if server.tls:
        return [(f"https://localhost:{server.port}", ("--ca", server.cert)), (f"unix:{server.socket}", ())]
    return [(f"http://127.0.0.1:{server.port}", ())]


def use(server):
    """All that a user does, through each door."""
    for i, (url, options) in enumerate(doors(server)):
        with User(server, f"user{i}", url, *options) as u:
            u.init()
            data = os.urandom(300000)
            u.write("f", data)
            u.expect(0, "put", os.path.join(u.work, "f"), "a name")
            check(u.get("a name") == data, f"{url}: what was got is not what was put")
            with open(os.path.join(u.home, "policies.conf"), "w", encoding="utf-8") as policies:
                policies.write("[strong]\nlevel = otp\n[any]\nlevel = plain\n")
            text = said(u.expect(0 if url.startswith("unix:") else 13, "put", "--policy", "strong", os.path.join(u.work, "f"), "a name"))
            check(url.startswith("unix:") or ("E1303" in text and "policy 'strong' wants otp to the gateway at" in text and "put --policy NAME" in text), text)
            u.expect(0, "put", "--policy", "any", os.path.join(u.work, "f"), "a name")
            check(u.expect(0, "ls").stdout == b"a name\n", f"{url}: ls")
            u.expect(0, "verify")
            text = u.expect(0, "status").stdout.decode()
            check(f"gateway: {url}" in text and "budget: 1" in text and "quota:" in text, f"status: {text}")
            check(server.root not in re.sub(f"gateway: .*|{u.root}.*", "", text), f"status tells where the clouds are: {text}")
            status = [json.loads(x) for x in u.expect(0, "status", "--json").stdout.splitlines()]
            told = [x["status"] for x in status if x["type"] == "item"]
            check(status[-1]["exit"] == 0 and told[0]["gateway"]["limits"]["bytes"] is None, f"status: {status}")
            check("limits" in u.expect(0, "gateway", "status", "--json").stdout.decode(), "gateway status")
            with u.lost(u.stores[1]):
                check(u.get("a name") == data, f"{url}: without share 2")
                u.expect(0, "recover", "--share", "2")
            u.expect(0, "rm", "a name")
            u.expect(3, "get", "a name", os.path.join(u.work, "none"))
            conf = open(os.path.join(u.home, "qcloud.conf"), encoding="utf-8").read()
            check(f"gateway = {url}\n" in conf and f"token-file = {u.token}\n" in conf and ("\nca = " in conf) == ("--ca" in options), conf)
            check(not os.path.exists(os.path.join(u.home, "state", "gateway")) and not list(u.processes()), "a gateway of its own was made")


def refusals(server):
    url, options = doors(server)[0]
    with User(server, "careful", url, *options) as u:
        token, local = ("--token-file", u.token), ("--local", "--cloud", "file:///nowhere")
        for args in ((), ("--gateway", url), ("--gateway", url, *token, *local), local + token, local + ("--ca", server.cert),
                     ("--gateway", url, *token, "--k", "2"), ("--gateway", url, *token, "--cloud", "file:///x"), ("--gateway", url, *token, "--kit", "x"),
                     ("--gateway", url, *token, "argument"), ("--gateway", "unix:" + server.socket, *token, "--ca", server.cert),
                     ("--gateway", "http://192.0.2.1:80", *token), ("--gateway", "https://a:b@localhost", *token), ("--gateway", "unix:door", *token),
                     ("--gateway", url + "/path", *token), ("--gateway", "local", *token)):
            p = u.expect(2, "init", *args)
            check(b"E0202" in p.stderr, f"init {args}: {said(p)}")
        check("QCLOUD_TOKEN" in said(u.expect(2, "init", "--gateway", url, *token, env={"QCLOUD_TOKEN": "x"})), "a token in the environment")
        u.expect(2, "init", "--gateway", url, *options, env={"QCLOUD_TOKEN_FILE": u.token, "QCLOUD_TOKEN_COMMAND": "true"})
        if server.tls:
            p = u.expect(12, "init", "--gateway", url, *token)
            check("certificate" in said(p) and "--ca FILE" in said(p), f"a certificate that nobody vouches for: {said(p)}")
        check(not os.path.exists(os.path.join(u.home, "qcloud.conf")) and not any(map(os.path.exists, u.stores)), "a refused init left something")
        u.init()
        u.write("f", b"x" * 1000)
        tokens(u)
        for command in (("rebuild",), ("kit",), ("repair",), ("cloud", "ls"), ("cloud", "validate", "c1"), ("cloud", "set", "c1", "--credentials", "x")):
            p = u.expect(2, "gateway", *command)
            check(f"'gateway {command[0]}" in said(p) and "operator" in said(p), f"gateway {command}: {said(p)}")


def tokens(u):
    """What is wrong with a token, by each of its ways; with the right one again, it goes on."""
    good = open(u.token, "rb").read()
    wrong = good[:-2] + (b"0" if good[-2:-1] != b"0" else b"1") + b"\n"

    def put(data, mode=0o600):
        if os.path.exists(u.token):
            os.unlink(u.token)
        if data is not None:
            with open(os.open(u.token, os.O_WRONLY | os.O_CREAT, mode), "wb") as f:
                f.write(data)

    for data, mode, words in ((None, 0, "No such file"), (good, 0o644, "mode"), (good, 0o640, "mode"), (b"", 0o600, "not a token"),
                              (good[:-3], 0o600, "not a token"), (good + b"x", 0o600, "not a token"), (wrong, 0o600, "nobody's"), (good, 0o600, None)):
        put(good)
        put(data, mode)
        for command in (("ls",), ("put", os.path.join(u.work, "f")), ("status",)):
            p = u.expect(12 if words else 0, *command)
            check(words is None or words in said(p), f"{command} with {mode:o} {data and data[-9:]}: {said(p)}")
            check(good.strip() not in p.stdout + p.stderr and wrong.strip() not in p.stdout + p.stderr, f"a token is told: {said(p)}")
    elsewhere = u.write("token", good)
    os.chmod(elsewhere, 0o600)
    os.rename(u.token, u.token + ".away")
    u.expect(0, "ls", env={"QCLOUD_TOKEN_FILE": elsewhere})
    u.expect(0, "ls", env={"QCLOUD_TOKEN_COMMAND": f"cat '{elsewhere}'"})
    for command in ("exit 3", "true", "echo hello", f"cat '{elsewhere}'; exit 1"):
        check("QCLOUD_TOKEN_COMMAND" in said(u.expect(12, "ls", env={"QCLOUD_TOKEN_COMMAND": command})), command)
    os.rename(u.token + ".away", u.token)
    u.server.run("tenant", "disable", u.name, "--config", u.server.config)
    for command in (("ls",), ("put", os.path.join(u.work, "f"))):
        p = u.expect(12, *command)
        check("disabled" in said(p) and "next: ask the operator of the gateway\n" in said(p), said(p))
    check("gateway: no access" in said(u.expect(12, "status")), "status of a disabled tenant")
    u.server.run("tenant", "enable", u.name, "--config", u.server.config)
    u.expect(0, "ls")
    other = u.server.add("other")
    with open(os.open(u.token + ".other", os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as f:
        f.write(other)
    p = u.expect(12, "ls", env={"QCLOUD_TOKEN_FILE": u.token + ".other"})
    check("has no such vault" in said(p), f"another tenant's token: {said(p)}")


def join(server):
    """A second machine: one share store and a token are enough; and nothing of the first one is shut out."""
    url, options = doors(server)[0]
    with User(server, "mover", url, *options) as old, User(server, "mover", url, *options) as new:
        old.init()
        old.write("f", b"moved" * 1000)
        old.expect(0, "put", os.path.join(old.work, "f"))
        share, token, door = old.stores[0], ("--token-file", old.token), ("--gateway", url)
        p = new.expect(2, "init", "--join", share, *token, *options)
        check("--gateway URL is missing" in said(p) and url in said(p), "the token goes to no address that a share store alone names")
        for args in (("--take-over", *token), (*token, "--kit", "x"), (*token, "--cloud", "c1=file:///x"), ()):
            new.expect(2, "init", "--join", share, *door, *args, *options)
        p = new.expect(12, "init", "--join", share, *door, "--token-file", os.path.join(server.root, "none"), *options)
        check("none" in said(p), said(p))
        check(not os.path.exists(os.path.join(new.home, "qcloud.conf")), "a refused join left a configuration")
        new.expect(0, "init", "--join", share, *door, *token, *options)
        check(new.get("f") == b"moved" * 1000 and old.get("f") == b"moved" * 1000, "both machines read")
        with User(server, "mover", url, *options) as third:       # by another door than the one that the store names
            third.expect(0, "init", "--join", share, *token, "--gateway", "unix:" + server.socket)
            check(third.get("f") == b"moved" * 1000, "by another door")
        with api.ManyUsers(n=2, k=1) as stranger:
            stranger.add("mover")
            with User(server, "mover", url) as fourth:
                p = fourth.expect(2, "init", "--join", share, "--gateway", "unix:" + stranger.socket, "--token-file", os.path.join(stranger.root, "mover.token"))
                check("another gateway" in said(p), said(p))


def kit(server):
    """Both share stores are lost: the kit, the gateway's address and the token are enough; no other gateway's."""
    url, options = doors(server)[0]
    with User(server, "paper", url, *options) as old, User(server, "paper", url, *options) as new:
        old.init("--mode", "derived")
        old.write("f", b"on paper" * 1000)
        old.expect(0, "put", os.path.join(old.work, "f"))
        sheet = os.path.join(old.work, "kit.txt")
        old.expect(0, "kit", "print", "--share", "both", "--to", sheet)
        again = ("init", "--from-kit", sheet, "--share1", new.stores[0], "--share2", new.stores[1])
        p = new.expect(2, *again, "--take-over")
        check("--gateway URL is missing" in said(p) and url in said(p), said(p))
        door = ("--gateway", url, "--token-file", old.token, *options)
        new.expect(2, *again, *door, "--take-over")
        other = os.path.join(server.root, "mover.token")
        p = new.expect(2, *again, "--gateway", url, "--token-file", other, *options)
        check("does not know it" in said(p) and not any(map(os.path.exists, new.stores)), f"another tenant's token: {said(p)}")
        new.expect(0, *again, *door)
        check(new.get("f") == b"on paper" * 1000 and old.get("f") == b"on paper" * 1000, "both machines read")
        new.expect(0, "put", os.path.join(old.work, "f"), "g")
        new.expect(0, "verify")


def away(server):
    """A gateway that does not run: exit 5, where it should be, and nothing is started. One that comes back in time is waited for."""
    url, options = doors(server)[0]
    with User(server, "waits", url, *options) as u:
        u.init()
        u.write("f", b"y" * 1000)
        u.expect(0, "put", os.path.join(u.work, "f"))
        server.stop()
        begun = time.monotonic()
        results = [None, None]

        def ask(i, *command):
            results[i] = u.run(*command)

        threads = [threading.Thread(target=ask, args=(0, "ls")), threading.Thread(target=ask, args=(1, "status"))]
        for t in threads:
            t.start()
        for t in threads:
            t.join(timeout=60)
        for p in results:
            check(p is not None and p.returncode == 5 and url in said(p) and "operator" in said(p), f"a gateway that is away: {p and said(p)}")
        check(b"share 1: ok" in results[1].stdout and time.monotonic() - begun < 30, "status without its gateway")
        check(not list(u.processes()), "a gateway was started")
        late = threading.Timer(2, server.start)
        late.start()
        check(u.get("f") == b"y" * 1000, "a gateway that comes back")
        late.join()


def killed(server):
    """The gateway is killed in the middle of a put, and its operator starts it anew: the put goes on and is whole."""
    url, options = doors(server)[0]
    with User(server, "steady", url, *options) as u:
        u.init()
        data = os.urandom(1 << 20) * 40
        p = u.start("put", "-", "big", stdin=subprocess.PIPE)
        p.stdin.write(data[:30 << 20])
        p.stdin.flush()
        server.process.kill()
        server.process.wait()
        server.start()
        p.stdin.write(data[30 << 20:])
        out = p.communicate(timeout=120)
        check(p.returncode == 0, f"put over a killed gateway: exit {p.returncode}: {out}")
        check(u.get("big") == data, "what was put over a killed gateway")


@contextlib.contextmanager
def served(**kw):
    """A gateway; its log is shown where a check fails."""
    with api.ManyUsers(**kw) as server:
        try:
            yield server
            server.stop()
        except (Failure, api.Failure):
            print(server.tail(), file=sys.stderr)
            raise


def most():
    for tls in (True, False):
        with served(tls=tls) as server:
            use(server)
            for part in (refusals, join, kit, killed) if tls else ():
                part(server)


def alone():
    """Beside the others: it waits for nobody, most of its time."""
    with served(tls=True) as server:
        away(server)


def run():
    check(os.access(api.GATEWAY, os.X_OK), "QC_BIN must name the folder of the programs")
    api.parallel([most, alone])
    print("made, used, joined, refused, away and back, killed in the middle: by socket, TCP and TLS")


main(run)
