#!/usr/bin/python3
"""A cloud is tried before it is trusted: on a real Ceph, good, open to everybody, keeping old versions, with other keys, a wrong clock,
full, gone; with QC_FULL=1 also OpenStack Swift, which knows no If-None-Match. And a gateway over such clouds: whose keys open them is
known on this machine alone, survives a rebuild, and can be changed."""
import json
import os
import subprocess
import sys
import time

sys.dont_write_bytecode = True
from clouds import Clouds                                       # noqa: E402
from harness import FULL, GATEWAY, Box, check, files, main      # noqa: E402
from s3_ask import ask                                          # noqa: E402

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from schemas import Schemas                                     # noqa: E402

ALL = {"round-trip", "range", "replace", "missing", "new-twice", "new-race", "list-fresh", "list-pages", "deleted", "cleaned", "wrong-secret",
       "unsigned", "content-md5", "etag-md5", "list-v2", "clock", "versioning", "object-lock", "lifecycle"}
LIFECYCLE = b"""<LifecycleConfiguration><Rule><ID>q</ID><Filter><Prefix/></Filter><Status>Enabled</Status>
<Expiration><Days>365</Days></Expiration></Rule></LifecycleConfiguration>"""
VERSIONING = b"<VersioningConfiguration><Status>%s</Status></VersioningConfiguration>"


def try_(cloud, exit_, *words, credentials=None, url=None):
    """qcloud-gateway cloud validate; its report and what it said."""
    p = subprocess.run([GATEWAY, "cloud", "validate", "--url", url or cloud.url, "--credentials", credentials or cloud.credentials, "--json", *words],
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300, check=False)
    said = p.stderr.decode()
    check(p.returncode == exit_, f"exit {p.returncode}, expected {exit_}: {p.stdout.decode()} {said}")
    check(exit_ == 0 or said.count("\n") == 3 and f"E{exit_:02}" in said, f"not a message of three parts: {said}")
    for line in open(cloud.credentials, encoding="ascii"):
        check("=" not in line or line.split("=")[1].strip() not in said + p.stdout.decode(), "a key stands in the output")
    report = json.loads(p.stdout) if p.stdout else {"checks": []}
    return report, {c["check"]: (c["verdict"], c.get("why", "")) for c in report["checks"]}, said


def good(clouds):
    report, checks, _ = try_(clouds[1], 0)
    check(set(checks) == ALL and all(v == "good" for v, _ in checks.values()), f"{checks}")
    check(report["fit"] and report["facts"] == ["etag_md5", "content_md5", "if_none_match", "list_v2"] and report["left"] == 0, f"{report}")
    check(report["objects"] > 40 and abs(report["clock_s"]) < 5 and report["put_us"] > 0 and report["put_bytes_per_s"] > 0, f"{report}")


def settings(clouds):
    """What is set for the bucket as a whole."""
    cloud = clouds[1]
    ask(cloud, "PUT", "?lifecycle", LIFECYCLE)
    ask(cloud, "PUT", "?versioning", VERSIONING % b"Enabled")
    report, checks, _ = try_(cloud, 0)
    check(report["fit"] and checks["versioning"][0] == "warning" and checks["lifecycle"][0] == "warning", f"{checks}")
    check("old versions" in checks["versioning"][1] and "lifecycle rules" in checks["lifecycle"][1], f"{checks}")
    ask(cloud, "DELETE", "?lifecycle")
    ask(cloud, "PUT", "?versioning", VERSIONING % b"Suspended")
    ask(cloud, "PUT", "?acl", acl="public-read-write")
    report, checks, said = try_(cloud, 1)
    check(not report["fit"] and checks["unsigned"] == ("unfit", "a request that nobody signed was answered"), f"{checks}")
    check("E0169" in said and "is not fit for use: a request that nobody signed was answered" in said, said)
    ask(cloud, "PUT", "?acl", acl="private")
    try_(cloud, 0)


def faults(clouds, box):
    other = box.write("keys", b"[x]\naws_access_key_id = NOBODYHERE\naws_secret_access_key = 0123456789012345678901234567890123456789\n")
    os.chmod(other, 0o600)
    _, _, said = try_(clouds[1], 12, credentials=other)
    check("InvalidAccessKeyId" in said, said)
    access, secret = clouds[1].keys()
    box.write("keys", f"[x]\naws_access_key_id = {access}\naws_secret_access_key = {secret[::-1]}\n".encode())
    _, _, said = try_(clouds[1], 12, credentials=other)
    check("SignatureDoesNotMatch" in said and secret[::-1] not in said, said)
    os.chmod(other, 0o604)
    _, _, said = try_(clouds[1], 12, credentials=other)
    check("mode 0604 lets everybody touch the file (bits 004)" in said and "chmod 600" in said, said)

    # First what changes users: after a gateway was killed Ceph waits half a minute for its answer to such a change.
    clouds.fault("quota", 2, 4096)
    try_(clouds[2], 14)
    clouds.fault("quota", 2, -1)
    clouds.fault("suspend", 2)
    try_(clouds[2], 12)
    clouds.fault("enable", 2)
    clouds.fault("clock", 2, 3600)
    report, checks, _ = try_(clouds[2], 0)
    check(report["fit"] and abs(report["clock_s"] - 3600) < 60 and checks["clock"][0] == "warning", f"{report}")
    clouds.fault("restart", 2)
    clouds.fault("kill", 2)
    from_ = time.monotonic()
    try_(clouds[2], 5)
    check(time.monotonic() - from_ < 20, "a dead cloud took long")
    clouds.fault("restart", 2)
    for n in (1, 2):
        check(not clouds.list(n), f"cloud {n} is left with {clouds.list(n)}")
    url = clouds[2].url.replace(clouds[2].bucket, "no-such-bucket")
    try_(clouds[2], 3, url=url)


def unfit(clouds, box):
    """Not one object of a vault is written where everybody may read and write."""
    cloud = clouds[2]
    ask(cloud, "PUT", "?acl", acl="public-read-write")
    p = box.expect(1, "init", "--local", "--cloud", f"open={cloud.url}", "--cloud-credentials", f"open={cloud.credentials}", "--cloud",
                   f"disk=file://{box.clouds[0]}", "--share1", box.stores[0], "--share2", box.stores[1])
    said = p.stderr.decode()
    check("E0104 cannot set up the vault: cloud 'open' is not fit for use: a request that nobody signed was answered" in said, said)
    check("No vault was made" in said and "cloud validate" in said and not os.path.exists(os.path.join(box.home, "qcloud.conf")), said)
    check(not clouds.list(2) and not [f for f in files(box.clouds[0]) if ".qcloud" not in f], "something is left")
    ask(cloud, "PUT", "?acl", acl="private")


def names(box):
    """What clouds.conf says."""
    with open(os.path.join(box.home, "state", "gateway", "clouds.conf"), encoding="ascii") as f:
        return f.read()


def gateway(clouds, box):
    """Keys stay where they are; only their file's name is kept, here alone."""
    mine = [box.write(f"k{n}", open(clouds[n].credentials, "rb").read()) for n in (1, 2)]
    for k in mine:
        os.chmod(k, 0o600)
    places = [a for n in (1, 2) for a in ("--cloud", f"p{n}={clouds[n].url}")] + ["--cloud", f"disk=file://{box.clouds[0]}"]
    keys = ["--cloud-credentials", f"p1={os.path.relpath(mine[0], box.work)}", "--cloud-credentials", f"p2={mine[1]}"]
    stores = ["--share1", box.stores[0], "--share2", box.stores[1]]

    def qcloud(code, *args, cwd=box.work):
        env = box.env()
        p = subprocess.run([os.path.join(os.environ["QC_BIN"], "qcloud"), *args], env=env, cwd=cwd, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300, check=False)
        check(p.returncode == code, f"{args}: exit {p.returncode}: {p.stderr.decode()}")
        return p.stdout.decode() + p.stderr.decode()

    said = qcloud(2, "init", "--local", *places, *stores)
    check("p1: s3+http:// needs keys" in said and "--cloud-credentials NAME=FILE" in said, said)
    qcloud(2, "init", "--local", *places, *stores, *keys, "--cloud-credentials", f"disk={mine[0]}")
    qcloud(2, "init", "--local", *places, *stores, *keys, "--cloud-credentials", f"else={mine[0]}")
    qcloud(0, "init", "--local", *places, *stores, *keys)
    check(f"[p1]\ncredentials = {mine[0]}\nurl = {clouds[1].url}\nvalidated = 20" in names(box), names(box))
    data = os.urandom(3 << 20)
    qcloud(0, "put", box.write("a", data), "a")

    new = box.write("new", open(mine[0], "rb").read())
    os.chmod(new, 0o600)
    schemas = Schemas()
    lines = [json.loads(line) for line in qcloud(0, "--json", "gateway", "cloud", "set", "p1", "--credentials", "new").splitlines()]
    for line in lines:
        schemas.check("gateway-cloud-set.json", line)
    os.unlink(mine[0])
    check(f"credentials = {new}" in names(box), names(box))
    qcloud(12, "gateway", "cloud", "set", "p1", "--credentials", mine[1])       # another cloud's keys: refused, and nothing changed
    check(f"credentials = {new}" in names(box), names(box))
    check(qcloud(0, "gateway", "cloud", "ls").count("shown: etag_md5") == 2, "ls")
    qcloud(0, "get", "-f", "a", "b")

    # Keys that change in their file: refused, then read anew, by one and the same gateway.
    box.stop()
    right = open(new, "rb").read()
    with open(new, "wb") as f:
        f.write(right.replace(b"secret_access_key = ", b"secret_access_key = x"))
    said = qcloud(6, "put", "a", "c")
    check("p1: the secret key is wrong" in said and "SignatureDoesNotMatch" in said, said)
    gateways = list(box.processes())
    with open(new, "wb") as f:
        f.write(right)
    qcloud(0, "put", "a", "c")
    check(gateways == list(box.processes()) and len(gateways) == 1, f"another gateway: {gateways}")

    before = names(box)
    qcloud(0, "gateway", "rebuild")
    check(names(box) == before, "a rebuild changed clouds.conf")
    qcloud(0, "get", "-f", "a", "b")
    box.stop()
    os.rename(box.home, box.home + ".old")
    said = qcloud(2, "init", "--join", *box.stores, "--take-over")
    check("needs keys" in said, said)
    qcloud(0, "init", "--join", *box.stores, "--take-over", "--cloud-credentials", f"p1={new}", "--cloud-credentials", f"p2={mine[1]}")
    qcloud(0, "get", "-f", "a", "b")
    with open(os.path.join(box.work, "b"), "rb") as f:
        check(f.read() == data, "other bytes came back")
    check(names(box).count("validated") == 3, names(box))
    box.stop()


def swift():
    with Clouds(1, "swift") as clouds:
        report, checks, _ = try_(clouds[1], 0)
        bad = {c for c, (v, _) in checks.items() if v != "good"}
        check(set(checks) == ALL and bad == {"new-race"} and report["facts"] == ["etag_md5", "content_md5", "list_v2"], f"{report}")


def test():
    with Clouds(2) as clouds, Box() as box:
        good(clouds)
        unfit(clouds, box)
        faults(clouds, box)
        gateway(clouds, box)
        settings(clouds)        # from here on the bucket keeps what is deleted
    if FULL:
        swift()


main(test)
