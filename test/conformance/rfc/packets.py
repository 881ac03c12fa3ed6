"""The attacker of the conformance tables: sends packets in namespaces and says what came of them.

One process with a packet socket in every place (the provider's cable to the gateway, each host's cable). A packet is
written in scapy's own notation in the tables and carries the number of its case as flow label, so whatever comes out
anywhere is known for what it is. What the gateway let in or let cross is counted by its kernel in a table of our own,
behind the filter: a counter misses nothing and can't be late.

Requests and answers are lines of JSON on standard input and output; see attacker.ts. Ends with its input.
"""

import ctypes
import json
import os
import select
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from notation import FIRST_LABEL, Notation, case_of_address, case_of_label  # noqa: E402

CLONE_NEWNET = 0x40000000
SO_RCVBUFFORCE = 33
SOL_PACKET = 263
PACKET_STATISTICS = 6
ETH_P_ALL = 3
PACKET_OUTGOING = 4
UPPER = {6: "TCP", 17: "UDP", 58: "ICMPv6", 132: "SCTP"}
HEADERS = {0, 43, 44, 51, 60, 135, 140}
FENCE = 0x3FFFF
# Seconds that something which has to come may take; only a fault takes so long.
PATIENCE = 12

libc = ctypes.CDLL(None, use_errno=True)


class Place:
    """One end of a cable: where packets are sent into the gateway and seen coming from it."""

    def __init__(self, name, pid, link, mac, gateway):
        self.name, self.mac, self.gateway = name, mac, gateway
        self.socket = socket_in(pid, link)

    def send(self, ethertype, data, mac=None, to=None):
        frame = octets(to or self.destination(ethertype, data)) + octets(mac or self.mac)
        self.socket.send(frame + struct.pack("!H", ethertype) + data)

    def destination(self, ethertype, data):
        """The gateway's own MAC address, or a group's for a multicast destination (RFC 2464 §7)."""
        if ethertype == 0x86DD and data[24] == 0xFF:
            return "33:33:" + ":".join(f"{each:02x}" for each in data[36:40])
        return self.gateway

    def count_lost(self):
        """Since the last call: the kernel forgets its count when it is read."""
        return struct.unpack("II", self.socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1]


def octets(mac):
    return bytes.fromhex(mac.replace(":", ""))


def socket_in(pid, link):
    """A raw packet socket on an interface of the process's network; this process stays in its own."""
    own = os.open("/proc/self/ns/net", os.O_RDONLY)
    other = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    try:
        setns(other)
        made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        made.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        made.bind((link, ETH_P_ALL))
        made.setblocking(False)
        return made
    finally:
        setns(own)
        os.close(own)
        os.close(other)


def setns(namespace):
    if libc.setns(namespace, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def understand(data):
    """What an IPv6 packet is, in one short line, with its label, addresses and what it carries."""
    label = struct.unpack("!I", data[:4])[0] & 0xFFFFF
    source, destination = (socket.inet_ntop(socket.AF_INET6, data[at : at + 16]) for at in (8, 24))
    protocol, at, words = data[6], 40, []
    while protocol in HEADERS and at + 8 <= len(data):
        if protocol == 44:
            offset = struct.unpack("!H", data[at + 2 : at + 4])[0]
            words.append(f"fragment {offset >> 3 << 3}{'+' if offset & 1 else ''}")
            protocol, at = data[at], at + 8
            if offset >> 3:
                break
            continue
        size = (data[at + 1] + 2) * 4 if protocol == 51 else (data[at + 1] + 1) * 8
        words.append(f"header {protocol}")
        protocol, at = data[at], at + size
    words.append(upper(protocol, data[at:]))
    return {
        "label": label,
        "from": source,
        "to": destination,
        "what": " ".join(words),
        "quote": data[at + 8 :] if protocol == 58 and len(data) > at and data[at] < 128 else b"",
        "hops": data[7],
        "bytes": len(data),
        "text": "".join(chr(each) if 32 <= each < 127 else "." for each in data[at:]),
    }


def upper(protocol, data):
    name = UPPER.get(protocol, f"protocol {protocol}")
    if protocol == 6 and len(data) >= 14:
        return f"{name} {''.join(letter for bit, letter in enumerate('FSRPAU') if data[13] >> bit & 1)}"
    if protocol == 58 and len(data) >= 2:
        return f"{name} {data[0]}/{data[1]}"
    if protocol == 132 and len(data) >= 13:
        return f"{name} {data[12]}"
    return name


def understand4(data):
    """The same for IPv4, which has no label: a case is known by its peer's address."""
    source, destination = (socket.inet_ntop(socket.AF_INET, data[at : at + 4]) for at in (12, 16))
    at = (data[0] & 15) * 4
    return {
        "label": 0,
        "from": source,
        "to": destination,
        "what": f"IPv4 protocol {data[9]}",
        "quote": b"",
        "hops": data[8],
        "bytes": len(data),
        "text": "".join(chr(each) if 32 <= each < 127 else "." for each in data[at:]),
    }


def case_of(seen):
    """Which case a packet belongs to: by its own label, by the one it quotes, or by an address that one case has."""
    found = case_of_label(seen["label"])
    if found is None and len(seen["quote"]) >= 40:
        found = case_of_label(struct.unpack("!I", seen["quote"][:4])[0] & 0xFFFFF)
    for address in (seen["to"], seen["from"]):
        if found is None:
            found = case_of_address(address)
    return found


class Bench:
    def __init__(self, wish):
        self.places = {name: Place(name, **place) for name, place in wish["places"].items()}
        self.gateway = wish["gateway"]
        self.notation = Notation(wish["names"])
        self.fences = wish["fences"]

    def run(self, request):
        """All cases in lockstep: step one of each, then what came of it, then step two."""
        cases = request["cases"]
        results = {case["number"]: [] for case in cases}
        # What others sent since the last question is nobody's case, and may have been more than the sockets hold.
        self.drain({})
        for place in self.places.values():
            place.count_lost()
        pause = request.get("pause", 0.001)
        for depth in range(max((len(case["steps"]) for case in cases), default=0)):
            active = {case["number"]: case["steps"][depth] for case in cases if depth < len(case["steps"])}
            frames = {number: self.frames(number, step) for number, step in active.items()}
            self.witnessed()
            for number, step in active.items():
                place = self.places[step["from"]]
                for ethertype, data in frames[number]:
                    place.send(ethertype, data, self.mac(step, "mac"), self.mac(step, "to"))
                    if step.get("pause", pause):
                        time.sleep(step.get("pause", pause))
            seen = self.settle(active)
            crossed, accepted, reached = self.witnessed()
            for number, step in active.items():
                sent = sum(1 for ethertype, _ in frames[number] if ethertype == 0x86DD)
                elsewhere = self.mac(step, "to") not in (None, self.places[step["from"]].gateway)
                # Answers bear the label of their question: more is no fault.
                if not elsewhere and reached.get(number, 0) < sent:
                    raise RuntimeError(f"{reached.get(number, 0)} of {sent} packets reached the gateway: {step}")
            for number, step in active.items():
                results[number].append(
                    {
                        "seen": [told(each, step["from"]) for each in seen.get(number, [])],
                        "crossed": crossed.get(number, 0),
                        "accepted": accepted.get(number, 0),
                    }
                )
            if request.get("between"):
                time.sleep(request["between"])
        return {"results": results, "lost": sum(place.count_lost() for place in self.places.values())}

    def frames(self, number, step):
        try:
            return [
                frame for text in step["send"] for frame in self.notation.frames(number, text, step.get("with", {}))
            ]
        except Exception as error:
            raise ValueError(f"case {number}: {'; '.join(step['send'])}: {error!r}") from error

    def mac(self, step, key):
        """A MAC address as it is, or the name of one."""
        return self.notation.names.get(step.get(key), step.get(key))

    def settle(self, active):
        """Sends a packet that passes behind all others on each way, and reads until it came and nothing follows."""
        found, sent = {}, 0.0
        began = time.monotonic()
        awaited = {number for number, step in active.items() if step.get("awaited")}
        fences = {FENCE - number: fence for number, fence in enumerate(self.fences)}
        while time.monotonic() < began + PATIENCE:
            if time.monotonic() > sent + 1:
                sent = time.monotonic()
                for number, fence in fences.items():
                    if number not in found:
                        for ethertype, data in self.notation.frames(number, fence["send"], {}):
                            self.places[fence["from"]].send(ethertype, data)
            heard = self.drain(found, 0.15)
            if not heard and all(number in found for number in (*fences, *awaited)):
                return found
        if not all(number in found for number in fences):
            raise RuntimeError("packets that have to pass do not come through: the bench is broken")
        return found  # something that was awaited does not come

    def drain(self, found, wait=0.0):
        """Everything that lies in the sockets, by case; waits up to `wait` seconds for the first. True if any came."""
        heard = False
        sockets = {place.socket: place for place in self.places.values()}
        while True:
            ready, _, _ = select.select(list(sockets), [], [], 0 if heard else wait)
            if not ready:
                return heard
            for one in ready:
                try:
                    frame, address = one.recvfrom(65600)
                except BlockingIOError:
                    continue
                if address[2] == PACKET_OUTGOING:
                    continue
                if self.note(found, sockets[one].name, frame):
                    heard = True

    def note(self, found, place, frame):
        ethertype = struct.unpack("!H", frame[12:14])[0]
        data = frame[14:]
        if ethertype == 0x86DD and len(data) >= 40:
            seen = understand(data)
        elif ethertype == 0x0800 and len(data) >= 20:
            seen = understand4(data)
        else:
            return False
        number = case_of(seen)
        if number is None:
            return False
        seen["at"] = place
        found.setdefault(number, []).append(seen)
        return True

    def witnessed(self):
        """How many packets of each case crossed the filter, were let in, and came to the gateway, since the last call."""
        counts = {"crossed": {}, "accepted": {}, "reached": {}}
        flush = []
        for family in ("inet", "netdev"):
            listed = json.loads(self.nft(["-j", "list", "table", family, "witness"]))
            for item in (each["set"] for each in listed["nftables"] if "set" in each):
                name = item["name"]
                flush.append(f"flush set {family} witness {name}")
                count = counts[name.rstrip("4")]
                for each in item.get("elem", []):
                    value, packets = each["elem"]["val"], each["elem"]["counter"]["packets"]
                    number = value if name.endswith("4") else case_of_label(value)
                    if number is not None:
                        count[number] = count.get(number, 0) + packets
        self.nft(["-f", "-"], "\n".join(flush) + "\n")
        return counts["crossed"], counts["accepted"], counts["reached"]

    def nft(self, words, text=None):
        argv = ["nsenter", "-t", str(self.gateway), "-n", "--", "nft", *words]
        return subprocess.run(argv, input=text, capture_output=True, text=True, check=True).stdout


def told(seen, sender):
    """Anywhere else than where it was sent from it is the packet itself, or what became of it. Errors are answers."""
    keep = {key: seen[key] for key in ("at", "from", "to", "what", "hops", "bytes", "text")}
    quotes = seen["quote"] and case_of_label(seen["label"]) is None
    return {**keep, "kind": "answer" if quotes or seen["at"] == sender else "arrival"}


def main():
    bench = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if bench is None:
                bench = Bench(request)
                answer = {"ready": True}
            else:
                answer = bench.run(request)
        except Exception as error:
            answer = {"error": f"{error}"}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


main()
