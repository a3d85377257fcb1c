#!/usr/bin/python3
"""A share store on a removable disk that is found by its name: plugged in, not mounted, away, mounted elsewhere, another disk of that name;
who is asked for it at a terminal, and what a script is told. Runs in a mount namespace of its own, with a /dev of its own, in which this
test is udev. The disks are ext4 on loop devices where that is allowed, else tmpfs, which the programs cannot tell."""
import glob
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from terminal import Terminal  # noqa: E402
from harness import Box, check, main  # noqa: E402

NODES = ("null", "zero", "random", "urandom", "full", "tty", "loop-control")
ASK = "plug it in, mount it and press Enter (n: without it): "


def run(*args):
    return subprocess.run(args, check=True, stdout=subprocess.PIPE).stdout.decode().strip()


def own_dev(at):
    """A /dev that is nobody else's. What is bound into it cannot be removed, so nothing of the machine's can get lost."""
    os.mkdir(at)
    run("mount", "-t", "tmpfs", "tmpfs", at)
    for name in [*NODES, *(os.path.basename(d) for d in glob.glob("/dev/loop[0-9]*"))]:
        if os.path.exists("/dev/" + name):
            open(os.path.join(at, name), "w").close()
            run("mount", "--bind", "/dev/" + name, os.path.join(at, name))
    for name in ("pts", "shm"):
        os.mkdir(os.path.join(at, name))
    run("mount", "-t", "devpts", "-o", "newinstance,ptmxmode=0666,mode=0600", "pts", os.path.join(at, "pts"))
    if os.path.isdir("/dev/shm"):    # the test's own folder may lie there
        run("mount", "--bind", "/dev/shm", os.path.join(at, "shm"))
    os.symlink("pts/ptmx", os.path.join(at, "ptmx"))
    os.symlink("/proc/self/fd", os.path.join(at, "fd"))
    os.makedirs(os.path.join(at, "disk", "by-label"))
    run("mount", "--move", at, "/dev")
    os.rmdir(at)


class Disk:
    """One that can be plugged in, under a label."""

    def __init__(self, folder, name):
        self.image, self.point, self.loop = os.path.join(folder, name), None, None
        with open(self.image, "wb") as f:
            f.truncate(8 << 20)
        mkfs = shutil.which("mkfs.ext4", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        if mkfs and os.environ.get("QC_DISKS") == "loop":
            run(mkfs, "-q", "-L", "BACKUP", self.image)
            self.loop = run("losetup", "--find", "--show", self.image)
        self.device = self.loop or self.image

    def plug(self, label="BACKUP"):
        link = f"/dev/disk/by-label/{label}"
        if os.path.lexists(link):
            os.unlink(link)
        os.symlink(self.device, link)

    @staticmethod
    def pull(label="BACKUP"):
        os.unlink(f"/dev/disk/by-label/{label}")

    def mount(self, at):
        """A tmpfs is empty when it is mounted again: it moves instead."""
        os.makedirs(at, exist_ok=True)
        if self.loop:
            run("mount", self.loop, at)
        elif self.point:
            run("mount", "--move", self.point, at)
        else:
            run("mount", "-t", "tmpfs", "-o", "size=8m", self.image, at)
        self.point = at

    def unmount(self, aside):
        """aside: where no program looks: the root of what is mounted there is another one's."""
        if self.loop:
            run("umount", self.point)
        else:
            os.makedirs(aside, exist_ok=True)
            run("mount", "--move", self.point, aside)
            run("mount", "-t", "tmpfs", "tmpfs", aside)      # covered: it is not to be seen
            self.point = None
            self.aside = aside

    def again(self, at):
        if not self.loop:
            run("umount", self.aside)
            self.point = self.aside
        self.mount(at)

    def close(self):
        if self.loop:
            subprocess.run(["umount", "--lazy", self.point or "none"], check=False, stderr=subprocess.DEVNULL)
            run("losetup", "--detach", self.loop)


def away(box, words):
    """What each command says and does without it; --no-input at a terminal is a script."""
    file = box.write("in", b"more")
    p = box.expect(7, "put", file, "b")
    check(words in p.stderr.decode() and "E0702" in p.stderr.decode(), f"put: {p.stderr.decode()}")
    p = box.expect(0, "get", "-f", "a", "-")
    check(p.stdout == b"first" and words in p.stderr.decode(), f"get: {p.stderr.decode()}")
    p = box.expect(4, "status")
    check(words in p.stdout.decode() and "share 2: missing" in p.stdout.decode(), f"status: {p.stdout.decode()}")
    p = box.run("doctor")
    check(words in p.stdout.decode(), f"doctor: {p.stdout.decode()}")
    with Terminal(box.env(), "--no-input", "put", file, "b") as t:
        text = t.end(7)
        check("press Enter" not in text, f"asked in spite of --no-input: {text}")


def asked(box, disk, places):
    file = box.write("in", b"asked for")
    with Terminal(box.env(), "put", file, "c") as t:
        t.expect(ASK)
        disk.again(places[0])
        t.type("\n")
        text = t.end(0)
        check("the disk BACKUP is plugged in" in text and text.count("press Enter") == 1, text)
    disk.unmount(places[1])
    with Terminal(box.env(), "put", file, "d") as t:
        t.answer(ASK, "")                   # as if it were in: it is not
        t.answer(ASK, "n", count=2)
        t.end(7)
    with Terminal(box.env(), "put", file, "d") as t:
        t.expect(ASK)
        t.type("\x03")
        t.end(130)
    with Terminal(box.env(), "ls") as t:    # one store is enough: nobody is asked
        check("press Enter" not in t.end(0), "ls asks for the disk")


def tickets(box, disk, places):
    disk.again(places[0])
    box.expect(0, "tickets", "draw", "1")
    disk.unmount(places[1])
    file = box.write("in", b"by a ticket")
    with Terminal(box.env(), "put", file, "e") as t:
        check("press Enter" not in t.end(0), "a ticket stands for the disk")
    with Terminal(box.env(), "put", file, "f") as t:
        t.answer(ASK, "n")
        t.end(7)


def strangers(box, disk, other, places):
    """Another disk of the same name, mounted where ours would be: empty; with the store of another vault; with another store of ours."""
    file, point = box.write("in", b"not there"), places[2]
    other.mount(point)
    other.plug()
    box.expect(7, "put", file, "g")
    check(os.listdir(point) in ([], ["lost+found"]), f"something was written to a strange disk: {os.listdir(point)}")
    with Box() as theirs:
        theirs.stores[1] = os.path.join(point, "qcloud", "share2")
        theirs.init("--no-passphrase")
        p = box.expect(7, "put", file, "g")
        check(b"another disk of the same name" in p.stderr, f"{p.stderr.decode()}")
        check(box.expect(0, "get", "-f", "a", "-").stdout == b"first", "get beside a strange disk")
        theirs.expect(0, "passphrase", "--share", "2", "--memory", "64", env={"QCLOUD_NEW_PASSPHRASE_COMMAND": "echo sesame"})
        p = box.expect(7, "put", file, "g")         # and nobody is asked for its passphrase
        check(b"another disk of the same name" in p.stderr, f"{p.stderr.decode()}")
        check(theirs.expect(0, "ls").stdout == b"", "the other vault")
    disk.again(places[0])
    disk.plug()
    box.expect(0, "put", file, "g")
    box.expect(0, "verify")


def joined(box, places):
    """A second machine, by the disk alone; and its place can be said anew."""
    box.stop()
    first, box.home = box.home, box.home + "2"
    box.expect(0, "init", "--join", "label:BACKUP:qcloud/share2", "--take-over", "--share1", box.stores[0] + "new")
    check(box.expect(0, "config", "get", "vault.share2").stdout == b"label:BACKUP:qcloud/share2\n", "join keeps no name")
    check(box.expect(0, "get", "-f", "a", "-").stdout == b"first", "get on the second machine")
    box.expect(0, "recover", "--share", "1", "--to", "label:BACKUP:qcloud/first")
    check(os.path.isdir(os.path.join(places[0], "qcloud", "first")), "recover --to a disk")
    check(box.expect(0, "config", "get", "vault.share1").stdout == b"label:BACKUP:qcloud/first\n", "recover keeps no name")
    box.expect(2, "config", "set", "vault.share1", "label:BACKUP:../x")
    box.stop()
    box.home = first


def within():
    with Box() as box:
        places = [os.path.join(box.root, p) for p in ("media/a stick", "aside", "media/other")]
        own_dev(os.path.join(box.root, "dev"))
        disk, other = Disk(box.root, "one.img"), Disk(box.root, "two.img")
        try:
            where = ("--share2", "label:BACKUP:qcloud/share2", "--no-passphrase")
            clouds = [a for i, c in enumerate(box.clouds, 1) for a in ("--cloud", f"c{i}=file://{c}")]
            made = ["init", "--local", *clouds, "--k", "3", "--share1", box.stores[0], *where]
            p = box.expect(7, *made)
            check(b"the disk BACKUP is not plugged in" in p.stderr, f"init: {p.stderr.decode()}")
            disk.plug()
            box.expect(7, *made)
            disk.mount(places[0])
            box.expect(0, *made)
            box.expect(0, "put", box.write("in", b"first"), "a")
            p = box.expect((0, 4), "status")
            check(f"{places[0]}/qcloud/share2 (label:BACKUP:qcloud/share2)" in p.stdout.decode(), f"status: {p.stdout.decode()}")
            disk.unmount(places[1])
            away(box, "the disk BACKUP is plugged in")
            disk.pull()
            away(box, "the disk BACKUP is not plugged in")
            disk.plug()
            asked(box, disk, places)
            tickets(box, disk, places)
            disk.pull()
            strangers(box, disk, other, places)
            joined(box, places)
        finally:
            box.stop()
            for d in (disk, other):
                d.close()
    print(f"disks: {'ext4 on loop devices' if disk.loop else 'tmpfs'}: found by name wherever it is, asked for where somebody sits, never mistaken")


def loops():
    """Is a file system on a loop device allowed here? It is tried."""
    image = os.path.join("/tmp", f"qcloud-disks-{os.getpid()}")
    with open(image, "wb") as f:
        f.truncate(1 << 20)
    p = subprocess.run(["sh", "-c", "PATH=$PATH:/usr/sbin:/sbin; mkfs.ext4 -q \"$0\" && d=$(losetup --find --show \"$0\") && mkdir \"$0.d\" &&"
                        " { mount \"$d\" \"$0.d\"; r=$?; umount \"$0.d\"; losetup --detach \"$d\"; rmdir \"$0.d\"; exit $r; }", image],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    os.unlink(image)
    return p.returncode == 0


def scenario():
    if os.environ.get("QC_DISKS"):
        return within()
    if os.geteuid() == 0:
        env = {**os.environ, "QC_DISKS": "loop" if loops() else "tmpfs"}
        ways = [["unshare", "--mount"], ["unshare", "--map-root-user", "--mount"]]
    else:
        env, ways = {**os.environ, "QC_DISKS": "tmpfs"}, [["unshare", "--map-root-user", "--mount"]]
    for way in ways:
        if subprocess.run([*way, "mount", "-t", "tmpfs", "x", "/mnt"], stderr=subprocess.DEVNULL, check=False).returncode == 0:
            check(subprocess.run([*way, sys.executable, "-B", __file__], env=env, check=False).returncode == 0, "see above")
            return None
    print("disks: LEFT OUT, this machine gives nobody a mount namespace; unit/home_disks looks at how disks are found")
    return None


main(scenario)
