#!/usr/bin/python3
"""Shares are refreshed, killed at each step on the way: kits and stores of before are worth nothing with what the gateway gives then.
Recovery kits: sheets are drawn, rendered and scanned again; words are typed with one mistake, which is named by its kind; a vault
comes back on other machine roots: by the other share store and a kit, by a kit of both shares, and by typed words alone."""
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "system"))
from harness import Box, check, main, second_reader, seeded     # noqa: E402


FAULTS = os.environ.get("QC_FAULTS") == "1"
STEPS = ("refresh_begun", "refresh_vault", "refresh_used1", "refresh_share2", "refresh_backups", "refresh_dropped1", "refresh_ended1")


def tool(*words):
    p = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    check(p.returncode == 0, f"{words[0]}: {p.returncode} {p.stderr.decode()}")
    return p.stdout.decode()


def scan(picture):
    """What a camera would read: the code of the words, and the one that says where the vault is."""
    lines = tool("zbarimg", "--quiet", "--raw", picture).splitlines()
    check(len(lines) == 2, f"{picture}: {len(lines)} codes")
    words = [line for line in lines if not line.startswith("{")]
    check(len(words) == 1 and json.loads([line for line in lines if line.startswith("{")][0])["format"] == 1, f"{picture}: {lines}")
    return words[0], "\n".join(lines) + "\n"


def drawn(text):
    """Codes of blocks on a terminal, two modules to a character, as a picture."""
    rows = []
    for line in text.splitlines():
        rows += [[255 * (c in "\u2588" + half) for c in line for _ in range(4)] for half in "\u2580\u2584" for _ in range(4)]
    width = max(map(len, rows))
    return b"P5 %d %d 255\n" % (width, len(rows)) + b"".join(bytes(r + [255] * (width - len(r))) for r in rows)


def words_of(text):
    return [w for line in text.splitlines() if not line.startswith(("#", "{")) for w in line.split() if not w.isdigit()]


def printed(box, share, count):
    """The sheet, rendered and scanned: its codes have what the terminal is shown, and the words stand on it."""
    shown = box.expect(0, "kit", "print", "--share", share).stdout.decode()
    words = words_of(shown)
    check(len(words) == count, f"share {share}: {len(words)} words")
    check(shown == box.expect(0, "kit", "print", "--share", share, "--words").stdout.decode(), "--words are not what is shown anyway")
    picture = box.write(f"{share}.pgm", drawn(box.expect(0, "kit", "print", "--share", share, "--qr").stdout.decode()))
    check(scan(picture)[0].lower().split() == words, "--qr has other words")
    pdf, png = (os.path.join(box.work, f"{share}.{end}") for end in ("pdf", "png"))
    for path in (pdf, png):
        said = box.expect(0, "kit", "print", "--share", share, "--file", path, "--json").stdout.decode()
        both = set(words) & set(re.findall(r"[a-z]{3,8}", said))   # a kit may have words that JSON has, too: print, work
        check(len(both) < 8, f"words in {said}")
        check(stat.S_IMODE(os.stat(path).st_mode) == 0o600, f"{path}: not 0600")
        box.expect(5, "kit", "print", "--share", share, "--to", path)
    tool("pdftoppm", "-r", "200", "-png", "-singlefile", pdf, pdf)
    text = re.findall("[a-z]+", tool("pdftotext", "-layout", pdf, "-"))
    check(all(w in text for w in words) and "vault" in text, f"{pdf}: a word is not on it")
    for picture in (png, pdf + ".png"):
        scanned, both = scan(picture)
        check(scanned.lower().split() == words, f"{picture}: other words")
    return words, box.write(f"{share}.scanned", both.encode())


def mistakes(box, words, rng):
    def typed(some, code, *needles):
        text = "\n".join(f"{i}. {w}" for i, w in enumerate(some, 1)).encode()
        said = box.expect(code, "kit", "verify", "-", input=text).stderr.decode()
        for needle in needles:
            check(needle in said, f"'{needle}' is not in: {said}")
        return said

    typed(words, 0, "the words are whole: a kit of share 1", "it opens the vault that is set up here")
    typed([w[:4].upper() for w in words], 0, "a kit of share 1")
    i, j = sorted(rng.sample([k for k, w in enumerate(words) if words.count(w) == 1], 2))
    typed(words[:i] + ["abandn"] + words[i + 1:], 2, f"word {i + 1}, 'abandn', is in no kit", "did it read 'abandon'")
    other = "zoo" if words[i] != "zoo" else "abandon"
    typed(words[:i] + [other] + words[i + 1:], 2, f"word {i + 1} is in the list, and not the one that was printed")
    swapped = list(words)
    swapped[i], swapped[j] = words[j], words[i]
    typed(swapped, 2, f"words {i + 1} and {j + 1} stand in each other's place")
    typed(words[:i] + words[i + 1:], 2, "these are 39 words: a share's kit has 40, a vault's 64")
    typed(["zoo", "abandon"] + words[2:], 2, "the checksum does not hold")
    with Box(1, 2) as another:
        another.init("--mode", "derived")
        foreign = words_of(another.expect(0, "kit", "print", "--share", "1").stdout.decode())
    typed(foreign, 2, "the kit is of another vault")


def all_there(box, data, what):
    for name, d in data.items():
        check(box.get(name) == d, f"{what}: {name} differs")


def new_root(box):
    """Another machine: nothing of the old one but what is not in its home."""
    box.stop()
    shutil.rmtree(box.home)


def swap(box, stores):
    """These directories in the place of the share stores; None: nothing there."""
    for place, store in zip(box.stores, stores):
        shutil.rmtree(place, ignore_errors=True)
        if store:
            shutil.copytree(store, place)


def refreshed(box, data):
    """Other shares of all there is, small files in bundles too. A copy of a store, or a sheet, of before opens nothing from then on;
    nor does it with a store of now: that one opens alone, and the other counts as missing."""
    box.put_tree({f"small/{i}": f"file {i}".encode() for i in range(12)})
    data.update({f"small/{i}": f"file {i}".encode() for i in range(12)})
    sheet = box.write("before.txt", box.expect(0, "kit", "print", "--share", "both").stdout)
    before, now = ([f"{s}.{when}" for s in box.stores] for when in ("before", "now"))
    for store, copy in zip(box.stores, before):
        shutil.copytree(store, copy)
    for point in STEPS if FAULTS else ():
        p = box.run("kit", "refresh", env={"QC_FAULT": f"{point}:kill:1"})
        check(p.returncode == -signal.SIGKILL, f"{point}: exit {p.returncode} {p.stderr.decode()}")
        check(box.get("d/5000") == data["d/5000"] and box.get("small/3") == b"file 3", point)
        if point in (STEPS[0], STEPS[-1]):  # status says that it is not at its end, and what to run
            p = box.run("status")
            check(p.returncode == 4 and b"refresh: begun, and not at its end" in p.stdout and b"`qcloud kit refresh` goes on" in p.stdout, f"{point}: {p.stdout.decode()}")
    *_, said = map(json.loads, box.expect(0, "kit", "refresh", "--json").stdout.splitlines())
    check(said["summary"]["generation"] == 2 and said["summary"]["done"] and said["summary"]["left"] == 0, said)
    text = box.expect(0, "kit", "refresh").stderr.decode()     # and once more: killed or not, generation 3
    check("generation 3: of 17 versions" in text and "that says generation 2 or less" in text and box.stores[1] in text, text)
    check(b"refresh" not in box.run("status").stdout, "a refresh that came to its end is still told of")
    all_there(box, data, "after a refresh")
    box.expect(0, "verify")
    check(b"shares were replaced since it was printed" in box.expect(2, "kit", "verify", sheet).stderr, "an old sheet")
    for store, copy in zip(box.stores, now):
        shutil.copytree(store, copy)
    for stores in ((before[0], None), (None, before[1])):
        swap(box, stores)
        check(b"they were replaced (kit refresh)" in box.expect(7, "get", "d/5000", "-").stderr, "a store of before opened")
    for stores in ((before[0], now[1]), (now[0], before[1])):
        swap(box, stores)
        p = box.expect(0, "get", "d/5000", "-")
        check(p.stdout == data["d/5000"] and b"is a copy from before its shares were replaced" in p.stderr, p.stderr)
    swap(box, before)
    check(b"are copies from before" in box.expect(7, "put", box.write("x", b"x"), "x").stderr, "stored with shares of before")
    swap(box, now)
    all_there(box, data, "with the stores of now")


def shares_of(box):
    lines = [json.loads(line) for line in box.expect((0, 4), "status", "--json").stdout.decode().splitlines()]
    shares, = [line["status"]["shares"] for line in lines if "status" in line]
    return [(s["state"], s["derived"]) for s in shares]


def test():
    rng = seeded("kit")
    with Box(2, 3) as box:
        box.init("--mode", "derived")
        data = {f"d/{size}": rng.randbytes(size) for size in (0, 5000, (1 << 20) + 1)}
        box.put_all({"d/5000": b"an earlier version"})
        box.put_all(data)
        refreshed(box, data)
        one, scanned1 = printed(box, "1", 40)
        two, scanned2 = printed(box, "2", 40)
        _, scanned = printed(box, "both", 64)
        mistakes(box, one, rng)
        for bad in (("--share", "3"), (), ("--share", "1", "--to", os.path.join(box.work, "k.doc")), ("--share", "1", "--json"),
                    ("--share", "1", "--qr", "--words"), ("--share", "1", "--qr", "--file", os.path.join(box.work, "k.png"))):
            box.expect(2, "kit", "print", *bad)
        for bad in ((), ("--words", "--qr"), ("--file", scanned2), ("--file", scanned2, "--share", "2", "--take-over")):
            box.expect(2, "kit", "restore", *bad)

        shutil.rmtree(box.stores[1])                            # one store lost on the same machine
        check(b"share 1, and share 2 is to be recovered" in box.expect(2, "recover", "--share", "2", "--from-kit", scanned1).stderr, "no word")
        box.expect(0, "kit", "restore", "--share", "2", "--file", scanned2)
        check(shares_of(box) == [("ok", True)] * 2, "the seed did not come back")
        box.expect(0, "verify")

        new_root(box)                                           # the machine lost, with share 1
        shutil.rmtree(box.stores[0])
        box.expect((0, 4), "init", "--join", box.stores[1], "--take-over", "--share1", box.stores[0], "--from-kit", scanned1)
        check(shares_of(box) == [("ok", True)] * 2, "the seed did not come back")
        all_there(box, data, "by share 2 and the kit of share 1")
        box.expect(0, "verify")
        check(b"v2" in box.expect(0, "versions", "d/5000").stdout, "the other store knows the versions")

        new_root(box)                                           # both stores lost: both codes of one sheet
        for store in box.stores:
            shutil.rmtree(store)
        places = ("--share1", box.stores[0], "--share2", box.stores[1])
        box.expect(2, "init", "--from-kit", scanned, *places)   # without --take-over
        check(b"--share is for a vault that is set up here" in box.expect(2, "kit", "restore", "--file", scanned, "--share", "2").stderr, "none is")
        with open(scanned, "rb") as codes:
            box.expect((0, 4), "kit", "restore", "--qr", "--take-over", *places, input=codes.read())
        check(shares_of(box) == [("ok", True)] * 2, "the seeds did not come back")
        all_there(box, data, "by the kit of both shares")
        data["after"] = rng.randbytes(777)
        box.put_all({"after": data["after"]})
        box.expect(0, "verify")
        second_reader(box, {k: v for k, v in data.items()})

        new_root(box)                                           # typed words of one share, and the clouds by hand
        for store in box.stores:
            shutil.rmtree(store)
        clouds = [a for i, c in enumerate(box.clouds, 1) for a in ("--cloud", f"c{i}=file://{c}")]
        typed = " ".join(two).encode()
        box.expect(2, "init", "--from-kit", "-", "--take-over", *places, input=typed)   # where?
        box.expect(4, "init", "--from-kit", "-", "--take-over", *places, *clouds, input=typed)
        all_there(box, data, "by the words of share 2")
        box.expect(0, "recover", "--share", "1")
        check(shares_of(box) == [("ok", False), ("ok", True)], "store 1 has no seed any more")
        box.expect(0, "verify")
        check(b"there is no kit of it" in box.expect(2, "kit", "print", "--share", "1").stderr, "a kit without a seed")
    print(f"{len(data)} objects back by four ways", flush=True)


main(test)
