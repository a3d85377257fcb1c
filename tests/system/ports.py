"""Ports of loopback for servers of tests."""
import random
import socket

FIRST, LAST = 10000, 20000    # below those of which the kernel gives one to whoever connects, and below those of tests/clouds
given = {}


def claim(port):
    """A name that one process can have at a time, until it ends, or None: between the look at a port and the server that listens there
    other tests look, too."""
    mark = socket.socket(socket.AF_UNIX)
    try:
        mark.bind(f"\0qcloud-test-port-{port}")
    except OSError:
        mark.close()
        return None
    return mark


def free_ports(n):
    """So many that nobody has now, and no other test gets before a server listens there; each once in a process."""
    ports = []
    while len(ports) < n:
        port = random.SystemRandom().randrange(FIRST, LAST)
        mark = None if port in given else claim(port)
        if mark is None:
            continue
        given[port] = mark
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        ports.append(port)
    return ports
