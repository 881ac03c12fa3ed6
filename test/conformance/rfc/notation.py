"""The words in which the tables write packets: scapy's, and a few short ones made of them."""

import logging
import os
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
LINK_LOCAL = "fe80::5:0:0:0"


def case_of_label(label):
    return label - FIRST_LABEL if FIRST_LABEL < label <= LAST_LABEL else None


def address_of_case(base, number):
    packed = bytearray(socket.inet_pton(socket.AF_INET6, base))
    packed[12:] = struct.pack("!I", number)
    return socket.inet_ntop(socket.AF_INET6, bytes(packed))


def case_of_address(text):
    if ":" not in text:
        return None
    packed = socket.inet_pton(socket.AF_INET6, text)
    for base in (PEER, OFFICE, LINK_LOCAL):
        if packed[:12] == socket.inet_pton(socket.AF_INET6, base)[:12]:
            return struct.unpack("!I", packed[12:])[0] or None
    return None


class Notation:
    def __init__(self, names):
        self.names = names

    def frames(self, number, text, values):
        """What a line of a table stands for: (EtherType, bytes) of each packet, in order."""
        made = eval(text, {**words(), **self.names, **own(number), **values})  # noqa: S307, the tables are ours
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
        carried = whole[40:]
        last = more is False or (more is None and end >= len(carried))
        head = inet6.IPv6ExtHdrFragment(nh=whole[6], offset=start // 8, m=0 if last else 1, id=id)
        return ip(packet.src, packet.dst, hlim=whole[7], **fields) / head / Raw(carried[start:end])

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
        "ll": address_of_case(LINK_LOCAL, number),
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


def upper(protocol, data=b"conformance of a gateway"):
    """Any upper layer: protocol number and bytes. Goes behind `ip(…)` with `of`."""
    return (protocol, bytes(data))


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


def routing(kind, left, *addresses):
    """A routing header of any type, with addresses as types 0 and 2 have them."""
    return inet6.IPv6ExtHdrRouting(type=kind, segleft=left, addresses=list(addresses))


def within(packet, header, bytes_of_header):
    """The packet with one more header right behind the fixed one; the first byte, the next header, is put in."""
    whole = bytes(packet)
    inner = bytes([whole[6]]) + bytes(bytes_of_header)[1:]
    fixed = bytearray(whole[:40])
    fixed[4:6] = struct.pack("!H", len(whole) - 40 + len(inner))
    fixed[6] = header
    return bytes(fixed) + inner + whole[40:]


def ah(packet, spi=0x100):
    """The packet under an Authentication Header (RFC 4302 §2) with a 12-byte check value of zeros."""
    return within(packet, 51, struct.pack("!BBHII", 0, 4, 0, spi, 1) + bytes(12))


def esp(spi=0x100, sequence=1):
    return struct.pack("!II", spi, sequence) + b"not really encrypted"


def words():
    return WORDS


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
    "routing": routing,
    "within": within,
    "ah": ah,
    "esp": esp,
}
assert issubclass(inet6.IPv6, Packet)
