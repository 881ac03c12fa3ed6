# Runs inside the gateway's namespaces: loads rulesets, sends frames, says which came through.
# Standard input: one JSON document, {"quiet": seconds, "cases": [{"setup": text, "rules": [text, ...],
# "frames": [[device, hex], ...]}]}.
# Standard output: one JSON line per case, {"listing": text of nft's JSON, "refused": [[rule, why]], "seen": {id: [device, ...]}}.
# Frames go in at the far ends (x-NAME) of the gateway's links, and are seen at the far ends where they come out;
# those for the gateway itself are put into a set by a chain behind all others on the hook `input`.
import ctypes, json, os, re, select, socket, subprocess, sys

nft = ctypes.CDLL("libnftables.so.1")
nft.nft_ctx_new.restype = ctypes.c_void_p
for name in ("nft_ctx_get_output_buffer", "nft_ctx_get_error_buffer"):
    getattr(nft, name).restype = ctypes.c_char_p
    getattr(nft, name).argtypes = [ctypes.c_void_p]
for name in ("nft_ctx_buffer_output", "nft_ctx_buffer_error", "nft_ctx_free"):
    getattr(nft, name).argtypes = [ctypes.c_void_p]
nft.nft_run_cmd_from_buffer.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
nft.nft_ctx_output_set_flags.argtypes = [ctypes.c_void_p, ctypes.c_uint]


def context(flags):
    ctx = nft.nft_ctx_new(0)
    nft.nft_ctx_buffer_output(ctx)
    nft.nft_ctx_buffer_error(ctx)
    nft.nft_ctx_output_set_flags(ctx, flags)
    return ctx


def run(ctx, text):
    code = nft.nft_run_cmd_from_buffer(ctx, text.encode())
    return code, nft.nft_ctx_get_output_buffer(ctx).decode(), nft.nft_ctx_get_error_buffer(ctx).decode()


def apply(rules):
    """One by one, in a child: nft 1.0 crashes on some rules that it should refuse."""
    refused, at = [], 0
    while at < len(rules):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            ctx = context(0)
            for rule in rules[at:]:
                code, _, why = run(ctx, rule)
                os.write(writer, (json.dumps([code, why.split("\n")[0]]) + "\n").encode())
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as answers:
            for line in answers:
                code, why = json.loads(line)
                if code != 0:
                    refused.append([rules[at], why])
                at += 1
        os.waitpid(child, 0)
        if at < len(rules):
            refused.append([rules[at], "nft crashed"])
            at += 1
    return refused


def listed(*what):
    ran = subprocess.run(["nft", "--json", "--numeric", "list", *what], capture_output=True, text=True)
    return ran.stdout if ran.returncode == 0 else None


work = json.load(sys.stdin)
plain = context(0)
links = [name for _, name in socket.if_nameindex() if name.startswith("x-")]
taps = {}
for link in links:
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x86DD))
    tap.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    tap.bind((link, 0x86DD))
    tap.setblocking(False)
    taps[link] = tap

MARK = re.compile(rb"sixg(....)(....)$", re.S)


def drain(seen, sources, quiet):
    while True:
        ready, _, _ = select.select(list(taps.values()), [], [], quiet)
        if not ready:
            return
        for link, tap in taps.items():
            if tap not in ready:
                continue
            while True:
                try:
                    frame, address = tap.recvfrom(4096)
                except BlockingIOError:
                    break
                if address[2] == socket.PACKET_OUTGOING:
                    continue
                found = MARK.search(frame)
                if not found:
                    continue
                number = int.from_bytes(found.group(1), "big")
                # An error about a packet carries it too, but has another source.
                if frame[22:38] == sources[number]:
                    seen.setdefault(number, set()).add(link[2:])


def send(frames):
    for device, text in frames:
        taps["x-" + device].send(bytes.fromhex(text))


# The set holds what the gateway took for itself.
WITNESS = """
table ip6 zz {
 set taken { type ipv6_addr . ipv6_addr . inet_proto . inet_service . inet_service; size 65535; flags dynamic; }
 chain last {
  type filter hook input priority 2147483647
  add @taken { ip6 saddr . ip6 daddr . meta l4proto . th sport . th dport }
 }
}
"""

for case in work["cases"]:
    run(plain, "flush ruleset")
    subprocess.run(["conntrack", "-F"], capture_output=True, check=True)
    code, _, why = run(plain, WITNESS + case["setup"])
    if code != 0:
        sys.stdout.write(json.dumps({"failed": why}) + "\n")
        continue
    refused = apply(case["rules"])
    text = listed("ruleset")
    if text is None:
        sys.stdout.write(json.dumps({"unlisted": True}) + "\n")
        continue
    seen = {}
    send(case["frames"])
    drain(seen, [bytes.fromhex(text)[22:38] for _, text in case["frames"]], work["quiet"])
    taken = listed("set", "ip6", "zz", "taken")
    sys.stdout.write(json.dumps({
        "listing": text, "refused": refused, "taken": taken,
        "seen": {key: sorted(value) for key, value in seen.items()},
    }) + "\n")
run(plain, "flush ruleset")
