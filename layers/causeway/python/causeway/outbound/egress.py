"""The egress guard: decides which IP addresses may be called. A call connects to the address that was checked."""

import socket
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from causeway import settings
from causeway.outbound.deadlines import bounded
from causeway.outbound.failures import AddressBlocked, AddressInvalid, DnsFailed, DnsUnavailable
from causeway.outbound.happy_eyeballs import Endpoint

Address = IPv4Address | IPv6Address

# https://www.iana.org/assignments/iana-ipv4-special-registry, https://www.iana.org/assignments/multicast-addresses.
# Left out, as they are globally reachable: the blocks of AS112 and AMT (192.31.196.0/24, 192.52.193.0/24,
# 192.175.48.0/24).
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

# https://www.iana.org/assignments/iana-ipv6-special-registry. Every address outside 2000::/3 is refused: its entry here
# only names it in the log.
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
        # Teredo, benchmarking, ORCHID and protocols' anycast addresses: no platform is reached there.
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
# The upper half of an ISATAP interface identifier; its lower half is an IPv4 address: RFC 5214, section 6.1.
_ISATAP = (0x00005EFE, 0x02005EFE)
# Errors that say the resolver failed, not that the name does not exist: getaddrinfo(3).
_RESOLVER_FAILED = (socket.EAI_AGAIN, socket.EAI_FAIL, socket.EAI_MEMORY, socket.EAI_SYSTEM)


def blocked_kind(address: Address) -> str | None:
    """Return the kind of a blocked address, such as "private", or None if the address may be called.

    Refuse every IPv6 address that embeds an IPv4 address: a NAT64 gateway, a 6to4 relay or the kernel would forward the
    call to an address that this table has not checked.
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
    """Resolve a host once and return its addresses, all of them checked.

    Do not resolve the name again for the same call: the second answer could be another address (DNS rebinding). The
    resolver reads every spelling of an address (0x7f.1, 2130706433); its result is checked.

    Args:
        host: a name or an address, without brackets.
        port: the TCP port.
        seconds: how long the resolver may take.

    Raises:
        DnsFailed: the name does not exist.
        DnsUnavailable: the resolver failed or took too long.
        AddressBlocked: one of the addresses is blocked, and EGRESS_ALLOWED_HOSTS does not name the host.
    """
    found = _resolve(host, port, seconds)
    if not is_allowed_host(host, port):
        for _, target in found:
            reason = blocked_kind(ip_address(target[0]))
            if reason is not None:
                raise AddressBlocked(f"{host} resolves to {target[0]} ({reason})")
    return found


def check_host(host: str, port: int, *, tls: bool) -> None:
    """Check a host before its name is resolved.

    inet_aton reads every spelling of an IPv4 address that the resolver reads: inet_aton(3).

    Raises:
        AddressBlocked: the host is a blocked IP address.
        AddressInvalid: the call would have no TLS.
    """
    if is_allowed_host(host, port):
        return
    address = _literal(host)
    reason = None if address is None else blocked_kind(address)
    if reason is not None:
        raise AddressBlocked(f"{host} resolves to {address} ({reason})")
    if not tls:
        raise AddressInvalid("must begin with https://")


def _literal(host: str) -> Address | None:
    """Return the IP address that a host is written as, None if the host is a name."""
    with suppress(ValueError):
        return ip_address(host)
    with suppress(OSError, UnicodeError):
        return IPv4Address(socket.inet_aton(host))
    return None


def is_allowed_host(host: str, port: int) -> bool:
    """Return whether EGRESS_ALLOWED_HOSTS names the host: then private addresses and calls without TLS are allowed."""
    name = host.rstrip(".").lower()
    with_port = f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
    return not settings.egress_allowed_hosts().isdisjoint((name, with_port))


def _resolve(host: str, port: int, seconds: float) -> list[Endpoint]:
    """Return the addresses of a host. The resolver has no time limit: it runs in a thread that may be abandoned."""
    try:
        found = bounded(seconds, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except TimeoutError as error:
        raise DnsUnavailable(f"{host} did not resolve within {seconds:.1f} s") from error
    except (OSError, UnicodeError) as error:
        kind = DnsUnavailable if getattr(error, "errno", None) in _RESOLVER_FAILED else DnsFailed
        raise kind(f"{host} does not resolve: {error}") from error
    if not found:
        raise DnsFailed(f"{host} does not resolve: no address")
    return [(family, target) for family, _, _, _, target in found]
