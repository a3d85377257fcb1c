#!/usr/bin/python3
"""The catalogue's server in another place is spoken to by TLS alone, and only if it is who it should be: by a certificate of the authority
that is named, for the host that is named; with a password out of a file, or a certificate of one's own. All else is refused before anything
is sent, with the reason; nothing but TLS is seen on the link."""
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

sys.dont_write_bytecode = True
from harness import GATEWAY, check, main  # noqa: E402
from postgres import Postgres  # noqa: E402
from two_gateways import pump  # noqa: E402

PORT, LINK_PORT = 26432, 26433
HERE, ELSEWHERE = "127.0.0.1", "127.0.0.2"      # the second is a remote host to the programs: not one of localhost's names
KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


def openssl(folder, *words):
    p = subprocess.run(["openssl", *words], cwd=folder, capture_output=True, text=True, check=False)
    check(p.returncode == 0, f"openssl {words[0]}: {p.stderr}")


def authority(folder, name):
    openssl(folder, "req", "-x509", *KEY, "-days", "30", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")


def certificate(folder, by, name, subject, alternative):
    with open(os.path.join(folder, "ext"), "w", encoding="ascii") as f:
        f.write(f"subjectAltName=IP:{alternative}\n")
    openssl(folder, "req", *KEY, "-subj", f"/CN={subject}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
    openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{by}.pem", "-CAkey", f"{by}.key", "-CAcreateserial", "-days", "30",
            "-extfile", "ext", "-out", f"{name}.pem")


class Listener:
    """A link on which somebody writes down what passes."""

    def __init__(self):
        self.heard = bytearray()
        self.socket = socket.create_server((ELSEWHERE, LINK_PORT))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                a, _ = self.socket.accept()
            except OSError:
                return
            b = socket.create_connection((ELSEWHERE, PORT))
            for x, y in ((a, b), (b, a)):
                threading.Thread(target=pump, args=(x, y, self.heard.extend), daemon=True).start()


class Place:
    """A gateway's state directory, which says where its catalogue is."""

    def __init__(self, root):
        self.root, self.count = root, 0
        self.clouds = []
        for i in range(3):
            self.clouds.append(os.path.join(root, f"cloud{i}"))

    def init(self, **conf):
        """The exit code of init, and what it said."""
        self.count += 1
        self.state = os.path.join(self.root, f"state{self.count}")
        os.mkdir(self.state, 0o700)
        for c in self.clouds:
            shutil.rmtree(c, ignore_errors=True)
            os.mkdir(c)
        with open(os.path.join(self.state, "catalogue.conf"), "w", encoding="ascii") as f:
            f.write("[postgresql]\n" + "".join(f"{k} = {v}\n" for k, v in conf.items()))
        return self.run("init", "--k", "2", *[w for i, c in enumerate(self.clouds) for w in ("--cloud", f"c{i}=file://{c}")])

    def run(self, *words):
        p = subprocess.run([GATEWAY, *words, "--state", self.state], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
                           check=False)
        return p.returncode, p.stdout + p.stderr


def start(folder):
    """A server that takes passwords and certificates, by TLS and (to be refused by who connects) without."""
    return Postgres(port=PORT, listen=f"{HERE},{ELSEWHERE}",
                    settings=("ssl = on", f"ssl_cert_file = '{folder}/server.pem'", f"ssl_key_file = '{folder}/server.key'",
                              f"ssl_ca_file = '{folder}/users.pem'", "password_encryption = 'scram-sha-256'"))


def hba(server, *lines):
    with open(os.path.join(server.data, "pg_hba.conf"), "w", encoding="ascii") as f:
        f.write("local all all trust\n" + "".join(line + "\n" for line in lines))
    server.psql("SELECT pg_reload_conf()")


def refusals(place, base, folder, passfile):
    other = os.path.join(folder, "other.pem")
    unsafe = os.path.join(folder, "unsafe.pass")
    shutil.copy(passfile, unsafe)
    os.chmod(unsafe, 0o644)
    for title, change, said in (
            ("another authority", {"sslrootcert": other}, "certificate verify failed"),
            ("no TLS", {"sslmode": "disable"}, "is not encrypted"),
            ("a mode that does not look", {"sslmode": "require"}, "verify-full"),
            ("another host's certificate", {"host": HERE, "sslmode": "verify-full"}, "does not match host name"),
            ("no password", {"passfile": os.path.join(folder, "none")}, "password"),
            ("a password that others may read", {"passfile": unsafe}, "password"),
    ):
        code, text = place.init(**(base | change))
        check(code not in (0, 4) and said in text, f"{title}: exit {code}: {text}")
        check("Geheimnis" not in text, f"{title}: the password is told")
    print("postgres_tls: 6 refused, each with its reason")


def scenario():
    folder = tempfile.mkdtemp(prefix="qcloud-test-", dir=os.environ.get("QC_TMP"))
    try:
        for name in ("servers", "users", "other"):
            authority(folder, name)
        certificate(folder, "servers", "server", "server", ELSEWHERE)
        certificate(folder, "users", "client", "qcloud", ELSEWHERE)
        os.chmod(folder, 0o755)
        os.chmod(os.path.join(folder, "client.key"), 0o600)
        if os.geteuid() == 0:
            shutil.chown(os.path.join(folder, "server.key"), "postgres")
        passfile = os.path.join(folder, "pass")
        with open(passfile, "w", encoding="ascii") as f:
            f.write("*:*:*:*:Geheimnis-17\n")
        os.chmod(passfile, 0o600)
        with start(folder) as server:
            talk(server, folder, passfile)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def talk(server, folder, passfile):
    place = Place(folder)
    server.psql("ALTER USER qcloud PASSWORD 'Geheimnis-17'")
    base = {"host": ELSEWHERE, "port": PORT, "user": "qcloud", "dbname": "qcloud", "sslrootcert": os.path.join(folder, "servers.pem"),
            "passfile": passfile, "schema": "by_password"}
    hba(server, "host all all 127.0.0.0/8 scram-sha-256")
    refusals(place, base, folder, passfile)
    check(server.psql("SELECT COUNT(*) FROM pg_namespace WHERE nspname='by_password'").strip() == "0", "a refused one has written")

    link = Listener()
    code, text = place.init(**(base | {"port": LINK_PORT}))
    check(code == 0, f"by password: exit {code}: {text}")
    code, text = place.run("tenant", "add", "mariechen", "--token-file", os.path.join(folder, "token"))
    check(code == 0, f"tenant add: exit {code}: {text}")
    check(server.psql("SELECT COUNT(*) FROM by_password.tenant WHERE name='mariechen'").strip() == "1", "the tenant is not there")
    for canary in (b"mariechen", b"by_password", b"Geheimnis", b"INSERT", b"qcloud"):
        check(canary not in link.heard, f"the link shows {canary}")
    check(len(link.heard) > 10000, "nothing passed by the link")
    plain = server.command("psql", "-h", ELSEWHERE, "-p", str(LINK_PORT), "-U", "qcloud", "-d", "qcloud", "-w", "-c", "SELECT 1")
    subprocess.run(plain, env=os.environ | {"PGSSLMODE": "disable"}, cwd="/", capture_output=True, check=False)
    check(b"qcloud" in link.heard, "the ear is deaf")
    link.socket.close()

    hba(server, "hostssl all all 127.0.0.0/8 cert")
    own = {"sslcert": os.path.join(folder, "client.pem"), "sslkey": os.path.join(folder, "client.key"), "schema": "by_certificate"}
    code, text = place.init(**(base | own))
    check(code == 0, f"by certificate: exit {code}: {text}")
    code, text = place.init(**(base | {"schema": "by_nothing"}))
    check(code not in (0, 4), "without a certificate it was let in")
    print(f"postgres_tls: by password and by certificate; {len(link.heard)} bytes on the link, none of them readable")


if __name__ == "__main__":
    main(scenario)
