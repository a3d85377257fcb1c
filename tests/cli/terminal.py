"""A program at a terminal of its own: what it says, what it is answered, whether what is typed shows, and in which state it leaves
the terminal. The terminal is the program's controlling one, so Ctrl-C and /dev/tty are real."""
import fcntl
import os
import pty
import select
import signal
import sys
import termios
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(TOP, "tests", "system"))
from harness import QCLOUD, Failure, check  # noqa: E402

LIMIT = 60      # seconds for anything that is waited for


class Terminal:
    """redirect: {descriptor: file to read or write instead of the terminal}."""

    def __init__(self, env, *args, redirect=None):
        self.said, self.status = b"", None
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
            for fd in (0, 1, 2):
                os.dup2(self.slave, fd)
            for fd, path in (redirect or {}).items():
                file = os.open(path, os.O_RDONLY if fd == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                os.dup2(file, fd)
            os.closerange(3, 256)
            os.execve(QCLOUD, [QCLOUD, *args], env)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.master)
        os.close(self.slave)

    def _read(self, patience):
        if select.select([self.master], [], [], patience)[0]:
            self.said += os.read(self.master, 65536)

    def expect(self, text, count=1):
        """Until the program has said text so many times, and the typing is hidden."""
        end = time.monotonic() + LIMIT
        while self.said.count(text.encode()) < count or self.shows():
            check(time.monotonic() < end, f"'{text}' did not come: {self.said.decode(errors='replace')}")
            self._read(0.01)

    def shows(self):
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def type(self, text):
        os.write(self.master, text.encode() if isinstance(text, str) else text)

    def answer(self, prompt, text, count=1):
        self.expect(prompt, count)
        self.type(text + "\n")

    def end(self, code):
        """Its exit status must be code; the terminal is as it was."""
        end = time.monotonic() + LIMIT
        while self.status is None:
            check(time.monotonic() < end, f"it does not end: {self.said.decode(errors='replace')}")
            self._read(0.01)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = status
        self._read(0)
        text = self.said.decode(errors="replace")
        got = os.waitstatus_to_exitcode(self.status)
        if got != code:
            raise Failure(f"exit {got}, expected {code}: {text}")
        check(termios.tcgetattr(self.slave) == self.before, f"the terminal is not as it was: {text}")
        return text
