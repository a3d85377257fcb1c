"""I1, ADR 18 on real S3 servers: what is flipped, cut, lengthened, exchanged, rolled back to older bytes or lost, fragments and log objects, is what
one scrub finds, each with its cloud, key and kind, and nothing else; then it is mended without a command, and the next scrub finds
nothing. Run by s3_loss_matrix, which has the clouds."""
import json
import time

from harness import check
from s3_ask import ask

SPOILT = (2, 4)


def scrub(box):
    p = box.expect((0, 4), "--json", "gateway", "scrub", "--content", "--wait", timeout=300)
    return next(r["scrub"] for r in map(json.loads, p.stdout.splitlines()) if r["type"] == "item")


def findings(report):
    return {f["number"]: f for f in report["findings"]}


def spoil(clouds, rng, old):
    """{(cloud, key): kind}. Fragments of one cloud: no two are of one segment, whose repair would mend both. old: what was there before the
    last puts."""
    n, other = SPOILT
    sizes = clouds.list(n)
    fragments = rng.sample(sorted(k for k in sizes if k.startswith("f/") and k not in old[n]), 5)
    logs = rng.sample(sorted(k for k in clouds.list(other) if k.startswith("l/") and k not in old[other]), 2)
    body = {k: ask(clouds[at], "GET", k) for at, keys in ((n, fragments), (other, logs)) for k in keys}
    past = next(k for k in sorted(old[n]) if k.startswith("f/") and sizes[k] == sizes[fragments[3]])
    at = rng.randrange(len(body[fragments[0]]))
    flipped = bytes([body[fragments[0]][at] ^ 1 << rng.randrange(8)])
    planted = {}
    for cloud, key, kind, data in (
            (n, fragments[0], "damaged", body[fragments[0]][:at] + flipped + body[fragments[0]][at + 1:]),
            (n, fragments[1], "size", body[fragments[1]][:rng.randrange(len(body[fragments[1]]))]),
            (n, fragments[2], "size", body[fragments[2]] + b"x"),
            (n, fragments[3], "stale", ask(clouds[n], "GET", past)),
            (n, fragments[4], "missing", None),
            (other, logs[0], "damaged", body[logs[0]][:-1] + bytes([body[logs[0]][-1] ^ 1])),
            (other, logs[1], "missing", None),
            (n, "notes.txt", "foreign", b"nothing of ours"),
            (other, "notes.txt", "foreign", b"nothing of ours")):
        ask(clouds[cloud], "DELETE" if data is None else "PUT", key, data or b"")
        planted[f"c{cloud}", key] = kind
    return planted


def planted_is_found(clouds, box, rng):
    old, data = {}, {}
    for i in range(16):
        if i == 8:
            old = {n: set(clouds.list(n)) for n in SPOILT}
        data[f"scrubbed{i}"] = rng.randbytes(5000)
        box.expect(0, "put", box.write("in", data[f"scrubbed{i}"]), f"scrubbed{i}")
    before = findings(scrub(box))
    planted = spoil(clouds, rng, old)
    report = scrub(box)
    found = {(f["cloud"], f["key"]): f["kind"] for number, f in findings(report).items() if number not in before}
    check(found == planted, f"planted and not found: {sorted(set(planted.items()) - set(found.items()))}; "
                            f"found and not planted: {sorted(set(found.items()) - set(planted.items()))}")
    for n in SPOILT:
        ask(clouds[n], "DELETE", "notes.txt")
    end = time.monotonic() + 300
    while True:
        report = scrub(box)
        if report["outcome"]["id"] == "ok":
            break
        check(time.monotonic() < end, f"not mended: {report['summary']}")
    for name, d in data.items():
        box.same(name, d)
    print(f"{len(planted)} planted on 2 clouds, found one by one, and mended", flush=True)
