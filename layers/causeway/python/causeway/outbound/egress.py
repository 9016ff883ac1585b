"""The egress guard: which addresses may be called, decided on the address that is then dialled."""

import socket
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from causeway import settings
from causeway.deadlines import bounded
from causeway.outbound.failures import AddressBlocked, AddressInvalid, DnsFailed, DnsUnavailable
from causeway.races import Endpoint

Address = IPv4Address | IPv6Address

# https://www.iana.org/assignments/iana-ipv4-special-registry, https://www.iana.org/assignments/multicast-addresses;
# the three blocks of AS112 and AMT (192.31.196.0/24, 192.52.193.0/24, 192.175.48.0/24) are globally reachable.
_IPV4 = [
    (ip_network(network), name)
    for network, name in (
        ("0.0.0.0/8", "unspecified"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared by carrier-grade NAT"),
        ("127.0.0.0/8", "loopback"),
        # Azure's platform address, outside every reserved block:
        # https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
        ("168.63.129.16/32", "cloud metadata"),
        ("169.254.0.0/16", "link-local, and cloud metadata"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "IETF protocol assignments"),
        ("192.0.2.0/24", "documentation"),
        ("192.88.99.0/24", "deprecated 6to4 relay"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved, and broadcast"),
    )
]

# https://www.iana.org/assignments/iana-ipv6-special-registry. Names for the log: those outside 2000::/3 are refused
# with or without one.
_IPV6 = [
    (ip_network(network), name)
    for network, name in (
        ("::/128", "unspecified"),
        ("::1/128", "loopback"),
        ("::/96", "IPv4-compatible"),
        ("::ffff:0:0/96", "IPv4-mapped"),
        ("::ffff:0:0:0/96", "IPv4-translated (RFC 2765)"),
        ("64:ff9b::/96", "IPv4 behind NAT64"),
        ("64:ff9b:1::/48", "IPv4 behind NAT64"),
        ("100::/64", "discard-only"),
        # Teredo, benchmarking, ORCHID and other protocols' anycast: no service of anybody's.
        ("2001::/23", "IETF protocol assignments, Teredo among them"),
        ("2001:db8::/32", "documentation"),
        ("2002::/16", "6to4"),
        ("3fff::/20", "documentation"),
        ("5f00::/16", "segment routing"),
        ("fc00::/7", "unique local, and cloud metadata"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "site-local"),
        ("ff00::/8", "multicast"),
    )
]
# The only block IANA assigns unicast addresses from: https://www.iana.org/assignments/ipv6-address-space
_GLOBAL_UNICAST = ip_network("2000::/3")
# The upper half of an ISATAP interface identifier, whose lower half is an IPv4 address: RFC 5214, section 6.1.
_ISATAP = (0x00005EFE, 0x02005EFE)
# What a resolver answers when it could not find out: getaddrinfo(3).
_PASSING = (socket.EAI_AGAIN, socket.EAI_FAIL, socket.EAI_MEMORY, socket.EAI_SYSTEM)


def why_blocked(address: Address) -> str | None:
    """Return what kind of address this is that must not be called, or None if it may be.

    An IPv6 address that embeds an IPv4 address is refused whichever it embeds: a NAT64 gateway, a 6to4 relay or the
    kernel would carry the call to a host that this table never sees.
    """
    for network, name in _IPV4 if isinstance(address, IPv4Address) else _IPV6:
        if address in network:
            return name
    if isinstance(address, IPv6Address):
        if address not in _GLOBAL_UNICAST:
            return "not global unicast"
        if int(address) >> 32 & 0xFFFFFFFF in _ISATAP:
            return "ISATAP"
    return None


def endpoints(host: str, port: int, seconds: float) -> list[Endpoint]:
    """Resolve a host, once, and return where it may be dialled; never resolve it again for the same call.

    Every spelling of an address (0x7f.1, 2130706433) is left to the resolver: what is judged is what it returns.

    Args:
        host: a name or an address, without brackets.
        port: the TCP port.
        seconds: how long the resolver may take.

    Raises:
        DnsFailed: there is no such name.
        DnsUnavailable: the resolver failed, or took too long.
        AddressBlocked: one of its addresses, whichever, is not to be called and EGRESS_ALLOWED_HOSTS does not name
            the host.
    """
    found = _resolve(host, port, seconds)
    if not may_be_private(host, port):
        for _, target in found:
            reason = why_blocked(ip_address(target[0]))
            if reason is not None:
                raise AddressBlocked(f"{host} resolves to {target[0]} ({reason})")
    return found


def demand_callable(host: str, port: int, *, tls: bool) -> None:
    """Refuse what is wrong with a host before its name is looked up.

    Every spelling of an IPv4 address is one that inet_aton reads as the resolver does: inet_aton(3).

    Raises:
        AddressBlocked: the host is an address that is not to be called.
        AddressInvalid: it would be called without TLS.
    """
    if may_be_private(host, port):
        return
    address = _literal(host)
    reason = None if address is None else why_blocked(address)
    if reason is not None:
        raise AddressBlocked(f"{host} resolves to {address} ({reason})")
    if not tls:
        raise AddressInvalid("must begin with https://")


def _literal(host: str) -> Address | None:
    """Return the address that a host's name is, None where it is a name."""
    with suppress(ValueError):
        return ip_address(host)
    with suppress(OSError, UnicodeError):
        return IPv4Address(socket.inet_aton(host))
    return None


def may_be_private(host: str, port: int) -> bool:
    """Return whether the settings name a host: it may be called at a private address, and without TLS."""
    name = host.rstrip(".").lower()
    with_port = f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
    return not settings.egress_allowed_hosts().isdisjoint((name, with_port))


def _resolve(host: str, port: int, seconds: float) -> list[Endpoint]:
    """Return the addresses of a host; the resolver knows no time limit, and is left behind when it takes too long."""
    try:
        found = bounded(seconds, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except TimeoutError as error:
        raise DnsUnavailable(f"{host} did not resolve within {seconds:.1f} s") from error
    except (OSError, UnicodeError) as error:
        kind = DnsUnavailable if getattr(error, "errno", None) in _PASSING else DnsFailed
        raise kind(f"{host} does not resolve: {error}") from error
    if not found:
        raise DnsFailed(f"{host} does not resolve: no address")
    return [(family, target) for family, _, _, _, target in found]
