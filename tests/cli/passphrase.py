#!/usr/bin/python3
"""Share stores under a passphrase, at a real terminal and without one: who is asked, what is shown, what a wrong or missing
passphrase does, and that a change that is broken off leaves stores that open."""
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from terminal import Terminal  # noqa: E402
from harness import QCLOUD, Box, check, main  # noqa: E402

SESAME = "open sesame \u2603 canary-7Kq2"
OTHER = "another canary-x41Lm"
FIRST, AGAIN = "Passphrase (Enter: none): ", "The same once more: "
ASK = "Passphrase of the share stores: "
FAULTS = os.environ.get("QC_FAULTS") == "1"


def kind(store):
    with open(os.path.join(store, "store.key"), "rb") as f:
        return f.read(6)[5]


def init_args(box):
    clouds = [a for i, c in enumerate(box.clouds, 1) for a in ("--cloud", f"c{i}=file://{c}")]
    return ["init", "--local", *clouds, "--k", "3", "--memory", "64", "--share1", box.stores[0], "--share2", box.stores[1]]


class Alone(Box):
    """Programs without a terminal, whatever the test has."""

    def alone(self, code, *args, env=None, stdin=subprocess.DEVNULL, fds=(), limit=60):
        p = subprocess.run([QCLOUD, *map(os.fspath, args)], env=self.env(**(env or {})), stdin=stdin, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, start_new_session=True, pass_fds=fds, timeout=limit)
        text = (p.stdout + p.stderr).decode(errors="replace")
        check(p.returncode == code, f"qcloud {' '.join(map(str, args))}: exit {p.returncode}, expected {code}\n{text}")
        return text

    def at(self, *args, redirect=None, **env):
        return Terminal(self.env(**env), *map(os.fspath, args), redirect=redirect)


def known(text=SESAME):
    return {"QCLOUD_PASSPHRASE_COMMAND": f"echo '{text}'; echo another line"}


def make(box):
    """init: a slip of the finger, then twice the same; nothing of it shows."""
    with box.at(*init_args(box)) as t:
        t.answer(FIRST, SESAME)
        t.answer(AGAIN, SESAME + "x")
        t.answer(FIRST, SESAME, count=2)
        t.answer(AGAIN, SESAME, count=2)
        text = t.end(0)
    check("The two differ." in text and "canary" not in text, f"init: {text}")
    check("no passphrase" not in text and "W0405" not in text, f"init: {text}")
    check([kind(s) for s in box.stores] == [1, 1], "the stores are not under a passphrase")


def asking(box):
    path = box.write("a", b"x" * 1000)
    box.alone(0, "put", path, "a", env=known())
    with box.at("ls") as t:
        t.answer(ASK, "wrong one")
        t.answer("That does not open share store 1", SESAME)
        text = t.end(0)
    check(text.count("assphrase") == 1 and "1000 B  a\r\n" in text, f"ls: {text}")
    with box.at("get", "a", "-", redirect={0: "/dev/null", 1: os.path.join(box.work, "got"), 2: os.path.join(box.work, "err")}) as t:
        t.answer(ASK, SESAME)               # input and output are elsewhere: the terminal is there all the same
        t.end(0)
    with open(os.path.join(box.work, "got"), "rb") as f:
        check(f.read() == b"x" * 1000, "get: other bytes")
    with box.at("ls") as t:
        for i in range(3):
            t.answer(ASK if i == 0 else "That does not open", "wrong" + "!" * i, count=max(1, i))
        check("E1203" in t.end(12), "three wrong ones")
    with box.at("ls") as t:
        t.answer(ASK, "")
        check("E1204" in t.end(12), "Enter leaves the stores locked")
    with box.at("ls") as t:
        t.answer(ASK, "a" * 1025)
        check("longer than 1024" in t.end(2), "a long one")
    with box.at("--no-input", "ls") as t:
        check("E1204" in t.end(12) and b"Passphrase of" not in t.said, "--no-input asks")


def breaking_off(box):
    for sign in (b"\x03", signal.SIGTERM, signal.SIGHUP):
        with box.at("ls") as t:
            t.expect(ASK)
            t.type("half a pass")
            if sign == b"\x03":
                t.type(b"\x1a\x1c")         # Ctrl-Z and Ctrl-\ do nothing here
                t.type(sign)
            else:
                os.kill(t.pid, sign)
            check("E13001" in t.end(130), f"{sign}: no message")
    with box.at("ls") as t:
        t.expect(ASK)
        t.type(b"\x04")                     # the end of the input is no empty passphrase
        t.end(130)
    with box.at("passphrase", QCLOUD_PASSPHRASE_COMMAND="exec sleep 1000") as t:
        while subprocess.run(["pgrep", "-P", str(t.pid), "sleep"], stdout=subprocess.DEVNULL).returncode:
            t._read(0.01)
        t.type(b"\x03")                     # reaches the command that was to give it, too
        t.end(130)


def without_terminal(box):
    """No source: nothing hangs. What opens is used, what does not is said."""
    check("E1204" in box.alone(12, "get", "a", "-"), "both locked")
    status = box.alone(0, "status")
    check(status.count("locked") == 2 and "budget: 1 (data 2, keys 1)" in status, status)
    check("ok" in box.alone(0, "status", env=known()), "status with the passphrase")
    check("E1203" in box.alone(12, "status", env=known("no")), "status with a wrong one")
    check("E1203" in box.alone(12, "get", "a", "-", env=known("open sesam")), "wrong")
    box.alone(0, "passphrase", "--share", "1", "--remove", env=known())
    check([kind(s) for s in box.stores] == [0, 1], "share 1 has a passphrase still")
    text = box.alone(0, "get", "a", "-")
    check("W0416" in text and "xxx" in text, text)
    box.alone(4, "--strict", "get", "a", "-")
    check("E1204" in box.alone(12, "put", os.path.join(box.work, "a"), "b"), "put with a locked store")
    box.alone(3, "stat", "b", env=known())
    check("E1203" in box.alone(12, "get", "a", "-", env=known("no")), "a wrong passphrase went on with the other store")
    box.alone(0, "passphrase", "--memory", "64", env=known())       # set where it lacks
    check([kind(s) for s in box.stores] == [1, 1], "share 1 has no passphrase")


def sources(box):
    def fd(data):
        r, w = os.pipe()
        os.write(w, data)
        os.close(w)
        return r

    a = fd(SESAME.encode() + b"\nand more")
    box.alone(0, "ls", env={"QCLOUD_PASSPHRASE_FD": str(a)}, fds=(a,))
    check(os.read(a, 100) == b"and more", "more than a line was read")
    b = fd(SESAME.encode())
    box.alone(0, "ls", env={"QCLOUD_PASSPHRASE_FD": str(b)}, fds=(b,))
    c = fd(SESAME.encode()[:5] + b"\0\n")
    box.alone(2, "ls", env={"QCLOUD_PASSPHRASE_FD": str(c)}, fds=(c,))
    for value, code in (("77", 2), ("1", 2), ("x", 2), ("-1", 2), ("99999999999", 2)):
        check("E02" in box.alone(code, "ls", env={"QCLOUD_PASSPHRASE_FD": value}), value)
    for r in (a, b, c):
        os.close(r)
    for command, code in (("exit 3", 12), ("true", 12), ("echo", 12), ("kill -9 $$", 12), ("yes | tr -d '\\n'", 2), ("echo x; kill -9 $$", 12)):
        box.alone(code, "ls", env={"QCLOUD_PASSPHRASE_COMMAND": command})
    box.alone(2, "ls", env={"QCLOUD_PASSPHRASE_COMMAND": "echo x", "QCLOUD_PASSPHRASE_FD": "0"})
    for name in ("QCLOUD_PASSPHRASE", "QCLOUD_NEW_PASSPHRASE"):
        text = box.alone(2, "ls", env={name: SESAME})
        check(name in text and "canary" not in text, text)
    box.alone(2, "passphrase", "--memory", "63", env=known())
    box.alone(2, "passphrase", "--memory", "4097", env=known())
    box.alone(2, "passphrase", "--remove", "--memory", "64", env=known())
    box.alone(12, "passphrase", env={})


def changing(box):
    with box.at("passphrase", "--memory", "64") as t:
        t.answer(ASK, SESAME)
        t.answer("New passphrase: ", OTHER)
        t.answer(AGAIN, OTHER)
        text = t.end(0)
    check(text.count("its passphrase is changed") == 2 and "canary" not in text, text)
    box.alone(12, "ls", env=known())
    box.alone(0, "ls", env=known(OTHER))
    with box.at("passphrase", QCLOUD_PASSPHRASE_COMMAND=known(OTHER)["QCLOUD_PASSPHRASE_COMMAND"]) as t:
        t.answer("New passphrase: ", "")
        check("--remove" in t.end(2), "an empty one")
    box.alone(0, "ls", env=known(OTHER))
    new = {"QCLOUD_NEW_PASSPHRASE_COMMAND": f"echo '{SESAME}'"}
    if FAULTS:
        box.alone(-signal.SIGKILL, "passphrase", "--memory", "64", env={**known(OTHER), **new, "QC_FAULT": "client_relocked:kill:1"})
    else:
        box.alone(0, "passphrase", "--memory", "64", "--share", "1", env={**known(OTHER), **new})
    check("share store 2" in box.alone(12, "ls", env=known()), "store 2 is not named")
    check("share store 1" in box.alone(12, "ls", env=known(OTHER)), "store 1 is not named")
    with box.at("ls") as t:
        t.answer(ASK, SESAME)
        t.answer(f"Passphrase of share store 2 ({box.stores[1]}), which has another one", OTHER)
        t.end(0)
    with box.at("get", "a", "-") as t:
        t.answer(ASK, SESAME)
        t.answer("which has another one", "")
        check("W0416" in t.end(0), "left locked")
    with box.at("passphrase", "--memory", "64") as t:
        t.answer(ASK, SESAME)
        t.answer("which has another one", OTHER)
        t.answer("New passphrase: ", SESAME)
        t.answer(AGAIN, SESAME)
        t.end(0)
    box.alone(0, "ls", env=known())
    if FAULTS:
        text = box.alone(4, "passphrase", "--remove", env={**known(), "QC_FAULT": "client_relocked:error:1"})
        check("E0407" in text and "share store 1 has its new state" in text, text)
        box.alone(0, "passphrase", "--memory", "64", env=known())


def losing(box):
    """A store that is not there keeps its passphrase; a lost one is rebuilt under that of the other."""
    with box.lost(box.stores[1]):
        text = box.alone(4, "passphrase", "--memory", "64", env={**known(), "QCLOUD_NEW_PASSPHRASE_COMMAND": f"echo '{OTHER}'"})
        check("W0402" in text and "E0407" in text, text)
        check("under the passphrase of the other" in box.alone(0, "recover", "--share", "2", "--to", os.path.join(box.root, "new2"),
                                                               env=known(OTHER)), "recover")
        check(kind(os.path.join(box.root, "new2")) == 1, "the new store is in clear")
    box.alone(0, "ls", env=known(OTHER))
    box.alone(0, "recover", "--share", "2", env=known(OTHER))        # whole already
    os.rename(box.home, box.home + ".old")
    box.stop(signal.SIGTERM)
    box.alone(12, "init", "--join", box.stores[0], "--take-over")
    with box.at("init", "--join", box.stores[0], os.path.join(box.root, "new2"), "--take-over") as t:
        t.answer(f"Passphrase of the share store in {box.stores[0]}: ", OTHER)
        t.end(0)
    check("a\n" in box.alone(0, "ls", env=known(OTHER)), "ls after the join")
    box.stop(signal.SIGTERM)
    check("E1204" in box.alone(12, "gateway", "rebuild"), "rebuild without the passphrase")
    box.alone(0, "gateway", "rebuild", env=known(OTHER))


def no_trace(box):
    """I5: no file below the box has the passphrase, and the gateway's /proc entries have not."""
    for folder, _, names in os.walk(box.root):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    check(b"canary" not in f.read(), f"{path} has the passphrase")


def unasked():
    """init where nobody is to be asked."""
    with Alone() as box:
        check("no passphrase" in box.alone(0, *init_args(box)), "init without a terminal does not say that there is none")
        check([kind(s) for s in box.stores] == [0, 0], "a passphrase out of nowhere")
    with Alone() as box:
        args = init_args(box)
        at = args.index("--memory")     # which goes with a passphrase
        del args[at:at + 2]
        with box.at(*args, "--no-passphrase") as t:
            text = t.end(0)
        check("Passphrase" not in text and "have no passphrase" not in text, text)
        box.alone(2, "init", "--join", box.stores[0], "--no-passphrase")
    with Alone() as box:
        with box.at(*init_args(box), redirect={0: "/dev/null"}) as t:    # a script, started from a terminal
            check("have no passphrase" in t.end(0), "init in a script")
    with Alone() as box:
        with box.at(*init_args(box)) as t:
            t.answer(FIRST, "")
            check("have no passphrase" in t.end(0), "Enter: none")
    with Alone() as box:
        box.alone(0, *init_args(box), env=known())
        check([kind(s) for s in box.stores] == [1, 1], "the passphrase of the environment")
        box.alone(0, "ls", env=known())


def test():
    with Alone() as box:
        make(box)
        asking(box)
        breaking_off(box)
        without_terminal(box)
        sources(box)
        changing(box)
        losing(box)
        no_trace(box)
    unasked()


main(test)
