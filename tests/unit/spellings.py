"""The spellings of addresses that no call may reach: as people write them, and as resolvers and IDNA read them."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

# Loopback, clouds' metadata, private, shared, special and group addresses.
FORBIDDEN = (
    "127.0.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "168.63.129.16",
    "100.100.100.200",
    "192.0.0.192",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104
    "198.18.0.1",
    "203.0.113.1",
    "224.0.0.1",
    "255.255.255.255",
)
# Addresses without an IPv4 address in them, and names that this machine resolves to loopback.
_OTHERS = (
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000:0000:0000:0000:0000:0000:0000:0001]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[FD00:EC2::254]",
    "[fe80::1]",
    "[fe80::1%25lo]",
    "[fe80::1%lo]",
    "[fec0::1]",
    "[ff02::1]",
    "[2001:db8::1]",
    "[100::1]",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "ｌｏｃａｌｈｏｓｔ",  # noqa: RUF001
)
# Digits that IDNA reads as the plain ones: full-width and double-struck.
_FULL_WIDTH = {ord(str(digit)): 0xFF10 + digit for digit in range(10)}
_DOUBLE_STRUCK = {ord(str(digit)): 0x1D7D8 + digit for digit in range(10)}


def hosts() -> list[str]:
    """Return all spellings as the host of a URL, IPv6 in brackets, each once."""
    return list(dict.fromkeys((*(host for address in FORBIDDEN for host in spelled(address)), *_OTHERS)))


def spelled(address: str) -> list[str]:
    """Return the spellings of an IPv4 address as the host of a URL, IPv6 in brackets, each once."""
    return list(dict.fromkeys(_spellings(IPv4Address(address))))


def _spellings(address: IPv4Address) -> Iterator[str]:
    text, number = str(address), int(address)
    a, b, c, d = address.packed
    yield text
    yield f"{text}."
    yield str(number)
    yield f"{number:#x}"
    yield f"{number:#X}"
    yield f"0{number:o}"
    yield f"000000{number:o}"
    yield ".".join(f"{part:#x}" for part in address.packed)
    yield ".".join(f"0{part:o}" for part in address.packed)
    # A part that begins with 0 is octal, so 010.0.0.1 would be 8.0.0.1, a public address.
    yield ".".join(f"0000{part:o}" for part in address.packed)
    yield f"{a:#x}.{b}.0{c:o}.{d}"
    yield f"{a}.{b}.{c << 8 | d}"
    yield f"{a}.{b << 16 | c << 8 | d}"
    yield f"{a:#x}.{b << 16 | c << 8 | d:#x}"
    yield text.translate(_FULL_WIDTH)
    yield text.translate(_DOUBLE_STRUCK)
    for dot in "。．｡":  # noqa: RUF001
        yield text.replace(".", dot)
    yield "".join(f"%{ord(one):02X}" for one in text)
    yield f"user@{text}"
    yield f"example.com@{text}"
    yield f"{text}\\.example.com"
    yield from (f"[{embedded}]" for embedded in _embedded(address))


def _embedded(address: IPv4Address) -> Iterator[str]:
    """The IPv6 addresses that a kernel, a gateway or a relay turns into the IPv4 address."""
    number = int(address)
    yield f"::ffff:{address}"
    yield f"::FFFF:{number >> 16:x}:{number & 0xFFFF:x}"
    yield str(IPv6Address(0xFFFF << 32 | number).exploded)
    yield f"::{number >> 16:x}:{number & 0xFFFF:x}"
    yield f"::ffff:0:{address}"
    yield f"64:ff9b::{address}"
    yield f"64:ff9b:1::{address}"
    yield f"2002:{number >> 16:x}:{number & 0xFFFF:x}::1"
    # Teredo: the client's address has its bits inverted.
    yield f"2001:0:4136:e378:8000:63bf:{(number >> 16) ^ 0xFFFF:x}:{(number & 0xFFFF) ^ 0xFFFF:x}"
    yield f"fe80::5efe:{address}"
    yield f"2607:f8b0::200:5efe:{address}"
