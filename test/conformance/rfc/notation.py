"""The words in which the tables write packets: scapy's, and a few short ones made of them."""

import logging
import os
import random
import re
import socket
import struct

os.environ.setdefault("HOME", "/nonexistent")
logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.config import conf  # noqa: E402

conf.ipv6_enabled = True
import scapy.layers.inet as inet  # noqa: E402
import scapy.layers.inet6 as inet6  # noqa: E402
import scapy.layers.sctp as sctp  # noqa: E402
from scapy.packet import Packet, Raw  # noqa: E402

# Case 1 has flow label 0x40001. Labels that the kernel makes by itself are switched off in the bench.
FIRST_LABEL = 0x40000
LAST_LABEL = 0x7FFFF
PEER = "2001:db8:fffe::"
OFFICE = "2001:db8:aaaa:fffe::"
MAC = re.compile("(?:[0-9a-f]{2}:){5}[0-9a-f]{2}")
PEER4 = 10 << 24 | 128 << 16


def case_of_label(label):
    return label - FIRST_LABEL if FIRST_LABEL < label <= LAST_LABEL else None


def address_of_case(base, number):
    packed = bytearray(socket.inet_pton(socket.AF_INET6, base))
    packed[12:] = struct.pack("!I", number)
    return socket.inet_ntop(socket.AF_INET6, bytes(packed))


def case_of_address(text):
    """By the addresses of which every case has one."""
    if ":" not in text:
        number = struct.unpack("!I", socket.inet_aton(text))[0] - PEER4
        return number if 0 < number < 1 << 23 else None
    packed = socket.inet_pton(socket.AF_INET6, text)
    for base in (PEER, OFFICE):
        if packed[:12] == socket.inet_pton(socket.AF_INET6, base)[:12]:
            return struct.unpack("!I", packed[12:])[0] or None
    return None


class Notation:
    def __init__(self, names):
        # `taken`: every address that somebody has, for scans that are to meet nobody.
        addresses = [each for each in names.values() if "." not in each and not MAC.fullmatch(each)]
        packed = {socket.inet_pton(socket.AF_INET6, each) for each in addresses}
        self.names = {**names, "taken": packed}

    def frames(self, number, text, values):
        """What a line of a table stands for: (EtherType, bytes) of each packet, in order."""
        known = {name: self.names.get(value, value) for name, value in values.items()}
        made = eval(text, {**WORDS, **self.names, **own(number), **known})  # noqa: S307, the tables are ours
        return [frame(each) for each in (made if isinstance(made, list) else [made])]


def frame(packet):
    if isinstance(packet, bytes):
        return (0x86DD, packet)
    return (0x0800 if isinstance(packet, inet.IP) else 0x86DD, bytes(packet))


def own(number):
    """What every case has for itself, so that no flow of one is taken for another's."""
    label = FIRST_LABEL + number

    def ip(source, destination, **fields):
        return inet6.IPv6(**{"src": source, "dst": destination, "fl": label, "hlim": 64, **fields})

    def ip4(source, destination, **fields):
        return inet.IP(**{"src": source, "dst": destination, "id": number & 0xFFFF, "ttl": 64, **fields})

    def piece(packet, start, end, more=None, id=number, **fields):
        """A fragment with the bytes from `start` to `end` of what the packet carries."""
        whole = bytes(packet)
        source, destination = (socket.inet_ntop(socket.AF_INET6, whole[at : at + 16]) for at in (8, 24))
        carried = whole[40:]
        last = more is False or (more is None and end >= len(carried))
        head = inet6.IPv6ExtHdrFragment(nh=whole[6], offset=start // 8, m=0 if last else 1, id=id)
        return ip(source, destination, hlim=whole[7], **fields) / head / Raw(carried[start:end])

    def split(packet, *cuts, id=number):
        """The packet in fragments, cut at these bytes."""
        edges = [0, *cuts, len(bytes(packet)) - 40]
        return [piece(packet, start, end, id=id) for start, end in zip(edges, edges[1:])]

    return {
        "n": number,
        "sp": 10000 + number % 50000,
        "peer": address_of_case(PEER, number),
        "stranger": address_of_case(PEER.replace("fffe::", "fffe:1::"), number),
        "office": address_of_case(OFFICE, number),
        "peer4": socket.inet_ntoa(struct.pack("!I", PEER4 + number)),
        "ip": ip,
        "ip4": ip4,
        "piece": piece,
        "split": split,
    }


def icmp(kind, code=0, body=b"\0\0\0\0"):
    """Any ICMPv6 message; `body` is what follows the checksum."""
    return inet6.ICMPv6Unknown(type=kind, code=code, msgbody=bytes(body))


def error(kind, code, quoted, value=0):
    """An ICMPv6 error about a packet; `value` is the MTU or the pointer."""
    return icmp(kind, code, struct.pack("!I", value) + bytes(quoted)[:1200])


def echo(id, reply=False, data=b"conformance"):
    return (inet6.ICMPv6EchoReply if reply else inet6.ICMPv6EchoRequest)(id=id & 0xFFFF, seq=1, data=data)


def reply(id):
    return echo(id, reply=True)


def of(head, protocol, data=b"conformance of a gateway"):
    """The packet with any next header and these bytes behind it."""
    head.nh = protocol
    return head / Raw(bytes(data))


def option(kind, data=b""):
    return inet6.HBHOptUnknown(otype=kind, optlen=len(data), optdata=data)


def hbh(*options):
    return inet6.IPv6ExtHdrHopByHop(options=list(options) or [inet6.PadN(optdata=b"\0\0\0\0")])


def dest(*options):
    return inet6.IPv6ExtHdrDestOpt(options=list(options) or [inet6.PadN(optdata=b"\0\0\0\0")])


def within(packet, header, bytes_of_header):
    """The packet with one more header right behind the fixed one; the first byte, the next header, is put in."""
    whole = bytes(packet)
    inner = bytes([whole[6]]) + bytes(bytes_of_header)[1:]
    fixed = bytearray(whole[:40])
    fixed[4:6] = struct.pack("!H", len(whole) - 40 + len(inner))
    fixed[6] = header
    return bytes(fixed) + inner + whole[40:]


def routed(packet, kind, left, *addresses):
    """The packet with a routing header of any type; its checksum stays right for the address it is sent to."""
    body = b"".join(socket.inet_pton(socket.AF_INET6, each) for each in addresses)
    return within(packet, 43, struct.pack("!BBBBI", 0, len(body) // 8, kind, left, 0) + body)


def behind(packet, size=16):
    """The packet with a destination header of that size in front, to be cut right behind it."""
    return within(packet, 60, bytes([0, size // 8 - 1, 1, size - 4]) + bytes(size - 4))


def ah(packet, spi=0x100):
    """The packet under an Authentication Header (RFC 4302 §2) with a 12-byte check value of zeros."""
    return within(packet, 51, struct.pack("!BBHII", 0, 4, 0, spi, 1) + bytes(12))


def esp(spi=0x100, sequence=1):
    return struct.pack("!II", spi, sequence) + b"not really encrypted"


def sweep(packet):
    """The packet to every port from 1 on."""
    whole = bytes(packet)
    check = 56 if whole[6] == 6 else 46
    return [patched(whole, 42, struct.pack("!H", port), check) for port in range(1, 65536)]


def scatter(packet, prefix, length, count, field="destination"):
    """The packet to (or from) so many addresses of the prefix: low ones first, then at random, the same every time."""
    whole = bytes(packet)
    at = 24 if field == "destination" else 8
    check = {6: 56, 17: 46, 58: 42}[whole[6]]
    base = int.from_bytes(socket.inet_pton(socket.AF_INET6, prefix), "big")
    chance = random.Random(6583)
    hosts = [*range(1, count // 4), *(chance.getrandbits(128 - length) for _ in range(count - count // 4 + 1))]
    return [patched(whole, at, (base | host).to_bytes(16, "big"), check) for host in hosts]


def many(packet, count, at=44):
    """The packet so often, with four bytes of it counted up; by default a fragment's identification."""
    whole = bytes(packet)
    return [whole[:at] + struct.pack("!I", number) + whole[at + 4 :] for number in range(count)]


def patched(whole, at, new, check):
    """Some bytes replaced, and the checksum with them (RFC 1624)."""
    total = ~struct.unpack_from("!H", whole, check)[0] & 0xFFFF
    for old in range(at, at + len(new), 2):
        total += ~struct.unpack_from("!H", whole, old)[0] & 0xFFFF
    total += sum(struct.unpack(f"!{len(new) // 2}H", new))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    made = bytearray(whole)
    made[at : at + len(new)] = new
    struct.pack_into("!H", made, check, ~total & 0xFFFF or 0xFFFF)
    return bytes(made)


WORDS = {
    **{name: getattr(inet6, name) for name in dir(inet6) if isinstance(getattr(inet6, name), type)},
    **{name: getattr(sctp, name) for name in dir(sctp) if name.startswith("SCTP")},
    "address": lambda text: socket.inet_pton(socket.AF_INET6, text),
    "TCP": inet.TCP,
    "UDP": inet.UDP,
    "IP": inet.IP,
    "Raw": Raw,
    "pack": struct.pack,
    "icmp": icmp,
    "error": error,
    "echo": echo,
    "reply": reply,
    "of": of,
    "option": option,
    "hbh": hbh,
    "dest": dest,
    "routed": routed,
    "behind": behind,
    "within": within,
    "ah": ah,
    "sweep": sweep,
    "scatter": scatter,
    "many": many,
    "esp": esp,
}
assert issubclass(inet6.IPv6, Packet)
