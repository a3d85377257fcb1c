#!/usr/bin/python3
"""A PostgreSQL server for tests: on a UNIX socket in a directory of its own, with data that are gone afterwards.

    with Postgres() as server:
        server.socket                   # the directory of its socket: `host` of a connection
        server.stop("immediate"); server.start()

It ends with this process, however that ends. Where tests run as root, which PostgreSQL refuses to, its own user runs it.

As a program: start a server, run programs one after the other with QC_TEST_PG in their environment, end it; those after
--full with QC_FULL=1 only. Usage: postgres.py PROGRAM... [--full PROGRAM...]
"""
import glob
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time


def find_bin():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda p: int(p.split("/")[4]))
    if not found:
        sys.exit("postgres.py: no PostgreSQL server is installed (Debian: postgresql)")
    return os.path.dirname(found[-1])


def find_user():
    """The user that runs it where we are root."""
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        sys.exit("postgres.py: the PostgreSQL server is installed, but its user 'postgres' is not there (Debian: postgresql-common makes it)")


class Postgres:
    def __init__(self, port=None, listen="127.0.0.1", settings=()):
        """port: also by TCP, at the address listen. settings: further lines of its postgresql.conf."""
        self.bin = find_bin()
        user = find_user() if os.geteuid() == 0 else None
        self.port = port
        self.server = None
        place = os.environ.get("TMPDIR") or ("/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        self.folder = tempfile.mkdtemp(prefix="qcloud-pg-", dir=place)
        self.data, self.socket = os.path.join(self.folder, "data"), os.path.join(self.folder, "s")
        os.mkdir(self.socket)
        self.who = []
        if user:
            self.who = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
            for path in (self.folder, self.socket):
                os.chown(path, user.pw_uid, user.pw_gid)
        try:
            self.run("initdb", "-D", self.data, "-U", "qcloud", "--no-sync", "-A", "trust", "-E", "UTF8", "--locale=C")
            with open(os.path.join(self.data, "postgresql.conf"), "a", encoding="ascii") as f:
                f.write(f"listen_addresses = '{listen if port else ''}'\nport = {port or 5432}\n"
                        f"unix_socket_directories = '{self.socket}'\nmax_connections = 60\nshared_buffers = 32MB\n"
                        "logging_collector = off\nautovacuum = off\n" + "".join(line + "\n" for line in settings))
            self.start()
            self.psql("CREATE DATABASE qcloud", "postgres")
        except BaseException:
            self.close()
            raise

    def command(self, program, *words):
        return ["setpriv", *self.who, "--pdeathsig", "INT", os.path.join(self.bin, program), *words]

    def run(self, program, *words):
        done = subprocess.run(self.command(program, *words), cwd="/", capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stdout}{done.stderr}")
        return done.stdout

    def psql(self, sql, database="qcloud"):
        return self.run("psql", "-h", self.socket, "-p", str(self.port or 5432), "-U", "qcloud", "-d", database, "-XAtqc", sql)

    def start(self):
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.server = subprocess.Popen(self.command("postgres", "-D", self.data), cwd="/", stdout=log, stderr=log,
                                           stdin=subprocess.DEVNULL)
        ready = self.command("pg_isready", "-q", "-U", "qcloud", "-d", "postgres", "-h", self.socket, "-p", str(self.port or 5432))
        until = time.monotonic() + 60
        while subprocess.run(ready, cwd="/", check=False).returncode != 0:
            if self.server.poll() is not None or time.monotonic() > until:
                raise RuntimeError("the server does not start: " + self.log())
            time.sleep(0.05)

    def stop(self, mode="fast"):
        """fast: in good order; immediate: as after a crash."""
        if self.server is not None and self.server.poll() is None:
            self.server.send_signal({"fast": 2, "immediate": 3}[mode])
            self.server.wait(60)
        self.server = None

    def log(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def close(self):
        try:
            self.stop("immediate")
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def main():
    programs = sys.argv[1:]
    if "--full" in programs:
        at = programs.index("--full")
        programs[at:] = programs[at + 1:] if os.environ.get("QC_FULL") == "1" else []
    with Postgres() as server:
        env = dict(os.environ, QC_TEST_PG=server.socket)
        for program in programs:
            began = time.monotonic()
            rc = subprocess.run([program], env=env, check=False).returncode
            print(f"{os.path.basename(program)}: {'ok' if rc == 0 else rc} after {time.monotonic() - began:.1f} s", flush=True)
            if rc != 0:
                print(server.log()[-2000:])
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
