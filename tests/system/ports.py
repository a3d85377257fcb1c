"""Ports of loopback for servers of tests."""
import random
import socket

FIRST, LAST = 10000, 20000    # below those of which the kernel gives one to whoever connects, and below those of tests/clouds
given = set()


def free_ports(n):
    """So many that nobody has now, and nobody gets by chance before a server listens there; each once in a process."""
    ports = []
    while len(ports) < n:
        port = random.SystemRandom().randrange(FIRST, LAST)
        if port in given:
            continue
        given.add(port)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        ports.append(port)
    return ports
