#!/usr/bin/python3
"""What the S3 driver makes of each way in which a cloud fails: the right code, words that name the cause, in time; no wrong byte, nothing
overwritten, and good again once the cloud is. On real Ceph gateways (s3.md 1.3); keys of all bytes on OpenStack Swift, too, with
QC_FULL=1. What the programs make of it above is in other tests."""
import os
import subprocess
import sys
import time

sys.dont_write_bytecode = True
from clouds import Clouds  # noqa: E402
from harness import FULL, check  # noqa: E402

PROBE = os.path.join(os.environ["QC_BIN"], "..", "tests", "s3_probe")
BIG = 24 << 20


class Answer:
    def __init__(self, line):
        self.rc, ms, number, self.text = line.rstrip("\n").split("\t", 3)
        self.ms, self.number = int(ms), int(number)


class Probe:
    """An open cloud. ask() waits for the answer; begin() and end() do not."""

    def __init__(self, url, credentials):
        self.p = subprocess.Popen([PROBE, url, credentials], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.opened = self.end("open")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.p.stdin.close()
        self.p.wait(60)

    def begin(self, *words):
        print(*words, file=self.p.stdin, flush=True)

    def end(self, what):
        line = self.p.stdout.readline()
        check(line, f"{what}: the probe has died")
        return Answer(line)

    def ask(self, *words, rc="ok", text="", within=10000, number=None):
        self.begin(*words)
        a = self.end(words)
        check(a.rc == rc and text in a.text and a.ms < within and number in (None, a.number),
              f"{words}: {a.rc} after {a.ms} ms, {a.number}, '{a.text}'; expected {rc}, '{text}', {number}")
        return a


def dead(clouds, n, p):
    p.ask("put", "a", 5000, 1, "replace", 0)
    clouds.fault("kill", n)
    for words in (("put", "b", 10, 1, "new", 0), ("get", "a", 5000, 1, 0), ("head", "a", 0), ("delete", "b", 0), ("alive", 0)):
        p.ask(*words, rc="temporary", text="cannot be reached", within=2000)
    p.ask("open", 0, rc="temporary", text="cloud probed: cannot be reached")
    clouds.fault("restart", n)
    p.ask("open", 0)
    p.ask("get", "a", 5000, 1, 0, number=1)


def put_cut_off(clouds, n, p):
    """The cloud dies while it takes an object: unknown, and the same again is right."""
    p.begin("put", "big", BIG, 5, "replace", 0)
    time.sleep(0.05)
    clouds.fault("kill", n)
    a = p.end("put")
    check(a.rc in ("ok", "temporary"), f"put while the cloud dies: {a.rc} {a.text}")
    clouds.fault("restart", n)
    p.ask("open", 0)
    p.ask("put", "big", BIG, 5, "replace", 0)
    p.ask("get", "big", BIG, 5, 0, number=1)


def get_cut_off(clouds, n, p):
    p.begin("get", "big", BIG, 5, 0)
    time.sleep(0.05)
    clouds.fault("kill", n)
    a = p.end("get")
    check(a.rc == "temporary" or a.number == 1, f"get while the cloud dies: {a.rc} {a.text}")
    clouds.fault("restart", n)
    p.ask("open", 0)
    p.ask("get", "big", BIG, 5, 0, number=1)


def hangs(clouds, n, p):
    p.ask("put", "held", 1000, 1, "replace", 0)
    clouds.fault("pause", n)
    for words in (("get", "held", 1000, 1, 700), ("alive", 700), ("put", "late", 1000, 7, "new", 700),
                  ("put", "held", 1000, 2, "new", 700)):
        p.ask(*words, rc="timeout", within=2000)
    clouds.fault("resume", n)
    # The late requests are done now, or never: either way nothing is overwritten, and the same again is right.
    time.sleep(0.5)
    p.ask("get", "held", 1000, 1, 0, number=1)
    p.ask("put", "late", 1000, 7, "new", 0)
    p.ask("get", "late", 1000, 7, 0, number=1)
    p.ask("put", "late", 1000, 8, "new", 0, rc="conflict")


def overload(clouds, n, p):
    clouds.fault("busy", n, 2)
    p.ask("open", 0)
    p.ask("many", 8, 2 << 20, 0, within=60000)
    clouds.fault("restart", n)
    p.ask("open", 0)


def behind_its_back(clouds, n, p):
    p.ask("put", "held", 1000, 1, "replace", 0)
    p.ask("put", "late", 10000, 1, "replace", 0)
    p.ask("put", "rot", 100000, 3, "replace", 0)
    p.ask("put", "gone", 1000, 3, "replace", 0)
    p.ask("put", "tail", BIG, 3, "replace", 0)
    p.ask("put", "cut", BIG, 3, "replace", 0)
    clouds.fault("corrupt", n, "rot")
    clouds.fault("delete", n, "gone")
    clouds.fault("delete", n, "tail", "tail")
    clouds.fault("truncate", n, "cut", 10)
    p.ask("get", "rot", 100000, 3, 0, rc="io", text="not what their MD5 says")
    p.ask("get", "gone", 1000, 3, 0, rc="not-found", text="no such object")
    p.ask("head", "gone", 0, rc="not-found")
    p.ask("list", "gone", 0, number=1)  # and so a list proves nothing
    for key in ("tail", "cut"):
        p.ask("head", key, 0, number=BIG)  # nor does a size
        p.begin("get", key, BIG, 3, 1500)  # it begins and hangs; or says 404, where the loss is seen before the first byte
        a = p.end(key)
        check(a.rc in ("timeout", "not-found") and a.number == 0 and a.ms < 15000, f"{key}: {a.rc} {a.text}")
    p.ask("put", "rot", 100000, 3, "replace", 0)
    p.ask("get", "rot", 100000, 3, 0, number=1)


def full(clouds, n, p):
    clouds.fault("quota", n, 4096)
    end = time.monotonic() + 120  # a gateway looks at quotas now and then
    p.begin("put", "more", 10000, 1, "replace", 0)
    while (a := p.end("put")).rc == "ok" and time.monotonic() < end:
        time.sleep(0.2)
        p.begin("put", "more", 10000, 1, "replace", 0)
    check(a.rc == "full" and "the quota is used up" in a.text, f"quota: {a.rc} {a.text}")
    p.ask("put", "large", BIG, 1, "replace", 0, rc="full", text="QuotaExceeded")
    p.ask("get", "held", 1000, 1, 0, number=1)
    p.ask("delete", "late", 0)
    clouds.fault("quota", n, 0)


def account(clouds, n, p):
    clouds.fault("suspend", n)
    for words in (("get", "held", 1000, 1, 0), ("put", "x", 10, 1, "new", 0), ("alive", 0)):
        p.ask(*words, rc="auth", text="the account is suspended (403 UserSuspended, request tx")
    clouds.fault("enable", n)
    p.ask("get", "held", 1000, 1, 0, number=1)


def clock(clouds, n, p):
    clouds.fault("clock", n, 1800)
    p.ask("open", 0)  # corrected, with a warning
    p.ask("get", "held", 1000, 1, 0, number=1)
    a = p.ask("validate", 0, number=0)
    check("clock: its clock and this machine's are 1" in a.text, f"validate: {a.text}")
    clouds.fault("clock", n, 300000)
    p.ask("open", 0, rc="auth", text="clocks of this machine and of the cloud are too far apart: by 30000")
    clouds.fault("restart", n)
    p.ask("open", 0)


def lost(clouds, n, p):
    clouds.fault("wipe", n)
    p.ask("get", "held", 1000, 1, 0, rc="not-found", text="no such object")
    p.ask("alive", 0)
    p.ask("put", "held", 1000, 1, "new", 0)
    clouds.fault("drop", n)
    for words in (("get", "held", 1000, 1, 0), ("head", "held", 0), ("put", "x", 10, 1, "new", 0), ("delete", "x", 0), ("alive", 0)):
        p.ask(*words, rc="temporary", text="the bucket is not there (404 NoSuchBucket")
    p.ask("open", 0, rc="not-found", text="cloud probed: the bucket is not there")


def doors(clouds):
    """Whoever has the wrong keys, region or certificate does not get in, and is told which."""
    one, two = clouds[1], clouds[2]
    wrong = os.path.join(clouds.folder, "wrong-keys")
    access, secret = one.keys()
    with open(os.open(wrong, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as f:
        f.write(f"[default]\naws_access_key_id = {access}\naws_secret_access_key = {secret[::-1]}\n")
    for url, credentials, rc, text in (
            (one.url, wrong, "auth", "the secret key is wrong"),
            (one.url, two.credentials, "auth", "the access key is not known there"),
            (one.tls_url, one.credentials, "auth", "TLS: the cloud does not prove who it is"),
            (f"{one.tls_url}&ca=/nonexistent.pem", one.credentials, "auth", "file of trusted certificates"),
            (f"{one.tls_url}&ca={clouds.ca}".replace("127.0.0.1", "localhost"), one.credentials, "ok", ""),
            ("s3+https://no-such-host.invalid/bucket", one.credentials, "temporary", ""),
            (one.url_of("s3+https", one.port), one.credentials, "temporary", "cannot be reached")):
        with Probe(url, credentials) as p:
            check(p.opened.rc == rc and text in p.opened.text, f"{url}: {p.opened.rc} '{p.opened.text}'; expected {rc} '{text}'")
            check(secret not in p.opened.text and secret[::-1] not in p.opened.text, "a secret in a message")


def on_ceph():
    # What an administrator's command does to a cloud waits half a minute for its gateway if that was killed before: so
    # the two kinds of faults have a cloud each.
    parts = ((1, dead), (1, put_cut_off), (1, get_cut_off), (1, hangs), (1, overload), (1, clock),
             (2, behind_its_back), (2, full), (2, account), (2, lost))
    with Clouds(2, tls=True) as clouds, Probe(clouds[1].url, clouds[1].credentials) as one, \
            Probe(clouds[2].url, clouds[2].credentials) as two:
        check(one.opened.rc == two.opened.rc == "ok", f"open: {one.opened.text} {two.opened.text}")
        doors(clouds)
        one.ask("odd", 0, number=16)
        for n, part in parts:
            begun = time.monotonic()
            part(clouds, n, one if n == 1 else two)
            print(f"{part.__name__}: {time.monotonic() - begun:.1f} s", flush=True)


def on_swift():
    with Clouds(1, "swift") as clouds, Probe(clouds[1].url, clouds[1].credentials) as p:
        check(p.opened.rc == "ok", f"open: {p.opened.text}")
        p.ask("odd", 0, number=16)
        with Probe(clouds[1].url.replace("region=", "region=x"), clouds[1].credentials) as q:
            check(q.opened.rc == "usage" and "the cloud says region=" in q.opened.text, f"region: {q.opened.rc} {q.opened.text}")


on_ceph()
if FULL:
    on_swift()
