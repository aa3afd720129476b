"""Which names and addresses are this very machine."""

from __future__ import annotations

import ipaddress
import socket

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_loopback(host: str) -> bool:
    """Whether *host* is localhost, a name below it, or an address of the loopback: 127.0.0.0/8 or ::1."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    found = address(name)
    return found is not None and (getattr(found, "ipv4_mapped", None) or found).is_loopback


def is_this_machine(host: str) -> bool:
    """Whether a connection to *host* ends on this machine, where no proxy is used: loopback, 0.0.0.0 or ::."""
    found = address(host.strip("[]"))
    return is_loopback(host) or (found is not None and found.is_unspecified)


def address(host: str) -> Address | None:
    """Return *host* as an address, also in the short forms that systems take (127.1); None if it is a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    if not host or not host[0].isdigit() or not all(sign in "0123456789abcdefx." for sign in host):
        return None
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError:
        return None
