"""The guard in `tests/offline` holds: what the suite proves, it proves without a network."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest


def test_here() -> None:
    # 192.0.2.0/24 is reserved for documentation (RFC 5737): nobody answers there, guard or no guard.
    with pytest.raises(OSError, match=r"may not reach 192\.0\.2\.1"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    with pytest.raises(OSError, match=r"may not reach example\.org"):
        socket.getaddrinfo("example.org", 80)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram,
        pytest.raises(OSError, match="may not reach"),
    ):
        datagram.sendto(b"", ("192.0.2.1", 53))


def test_in_a_python_that_a_test_starts() -> None:
    program = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert "may not reach 192.0.2.1" in done.stderr


def test_loopback_is_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        pass
