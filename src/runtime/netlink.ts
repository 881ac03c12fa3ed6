import { closeSync, openSync } from "node:fs";
import { endianness } from "node:os";
import { Failure } from "../base/failure.ts";
import { elsewhere, errorName, type Libc, libc } from "./libc.ts";
import { type Message, messagesIn } from "./netlink-message.ts";

/**
 * A netlink(7) socket to netfilter, through libc. The kernel works on a request while it is sent, so an answer is there
 * when the sending returns: no waiting, and some 30 µs for one element. Needs CAP_NET_ADMIN in its network namespace.
 */
export type Netlink = {
  /** Sends one datagram and gives all that the kernel answered. Throws a Failure where it can't be sent or answers are lost. */
  ask(datagram: Uint8Array): readonly Message[];
  /**
   * Sends a request for a dump and gives each of its messages, in turn. The kernel works in another thread, for a walk
   * through a large table takes long. One dump at a time, and no `ask` beside it. False when something changed during
   * the dump, so that it may be incomplete.
   */
  dump(datagram: Uint8Array, each: (message: Message) => void, signal?: AbortSignal): Promise<boolean>;
  /** What the kernel sent unasked since the last time, at most `most` datagrams; what it had no room for is not there. */
  receive(most: number): readonly Message[];
  close(): void;
};

export type NetlinkOptions = {
  /** `/proc/PID/ns/net` of another network namespace; otherwise the process's own. */
  readonly namespace?: string;
  /** Bytes that the kernel keeps for us. */
  readonly keeps?: number;
};

const [netlinkFamily, rawType, closeOnExec, netfilter] = [16, 3, 0x80000, 12];
const [socketLevel, netlinkLevel] = [1, 270];
const [sendBufferForce, receiveBufferForce, shortAcknowledgements] = [32, 33, 10];
const dontWait = 0x40;
const networkNamespace = 0x40000000;
const [interruptedCall, tryAgain, noBuffers] = [4, 11, 105];
/** The kernel fills up to 32 KiB of a dump into one datagram. */
const largestDatagram = 65_536;

/** Throws a Failure with E520 where the socket can't be had. */
export function openNetlink({ namespace, keeps = 32 * 1024 * 1024 }: NetlinkOptions = {}): Netlink {
  if (endianness() !== "LE") throw unusable("this machine is big-endian, and messages are written for others");
  const call = libc();
  const fd = namespace === undefined ? socketHere(call) : within(call, namespace, () => socketHere(call));
  for (const [level, name, value] of [
    [socketLevel, sendBufferForce, 128 * 1024 * 1024],
    [socketLevel, receiveBufferForce, keeps],
    // Errors without a copy of what caused them, or a large batch would be sent back in full.
    [netlinkLevel, shortAcknowledgements, 1],
  ] as const) {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    if (call.setsockopt(fd, level, name, bytes, 4) === 0) continue;
    const failure = unusable(`an option of the socket is refused: ${errorName(call.errno())}`);
    closeSync(fd);
    throw failure;
  }
  return netlinkOn(channelOn(call, fd));
}

function netlinkOn(channel: Channel): Netlink {
  return {
    ask(datagram) {
      channel.send(datagram);
      const found: Message[] = [];
      for (let got = must(channel.next()); got !== undefined; got = must(channel.next())) {
        found.push(...messagesIn(Buffer.from(got)));
      }
      return found;
    },
    async dump(datagram, each, signal) {
      await channel.sendElsewhere(datagram);
      for (let whole = true; ; ) {
        const got = must(await channel.nextElsewhere());
        if (got === undefined) throw unusable("a dump ended before its end");
        for (const message of messagesIn(got)) {
          if (message.torn) whole = false;
          if (message.is === "done" && message.errno === 0) return whole;
          each(message);
          if (message.is !== "data") return whole;
        }
        // What is left of the dump would be taken for the answer to what is asked next: it is read and let go.
        if (signal?.aborted === true) drain(channel);
        signal?.throwIfAborted();
      }
    },
    receive(most) {
      const messages: Message[] = [];
      for (let n = 0; n < most; n++) {
        const got = channel.next();
        if (got === undefined) break;
        if (got !== "lost") messages.push(...messagesIn(Buffer.from(got)));
      }
      return messages;
    },
    close: () => channel.close(),
  };
}

/** A datagram, as a view that is valid until the next; undefined when there is none now; or that one was lost. */
type Got = Buffer | "lost" | undefined;

type Channel = {
  send(datagram: Uint8Array): void;
  sendElsewhere(datagram: Uint8Array): Promise<void>;
  next(): Got;
  nextElsewhere(): Promise<Got>;
  close(): void;
};

function channelOn(call: Libc, fd: number): Channel {
  const buffer = Buffer.alloc(largestDatagram);
  let open = true;
  function mustBeOpen(): void {
    if (!open) throw unusable("the socket is closed");
  }
  function send(datagram: Uint8Array): void {
    mustBeOpen();
    while (call.send(fd, datagram, datagram.length, 0) < 0) {
      const errno = call.errno();
      if (errno !== interruptedCall) throw unusable(`a request can't be sent: ${errorName(errno)}`);
    }
  }
  function next(): Got {
    mustBeOpen();
    for (;;) {
      const length = call.recv(fd, buffer, buffer.length, dontWait);
      if (length >= 0) return buffer.subarray(0, length);
      const errno = call.errno();
      if (errno === tryAgain) return undefined;
      if (errno === noBuffers) return "lost";
      if (errno !== interruptedCall) throw unusable(`an answer can't be read: ${errorName(errno)}`);
    }
  }
  return {
    send,
    next,
    // What failed in another thread is done once more in this one, where there is an errno.
    async sendElsewhere(datagram) {
      mustBeOpen();
      if ((await elsewhere(call.send, fd, datagram, 0)) < 0) send(datagram);
    },
    async nextElsewhere() {
      mustBeOpen();
      const length = await elsewhere(call.recv, fd, buffer, dontWait);
      return length < 0 ? next() : buffer.subarray(0, length);
    },
    close() {
      if (open) closeSync(fd);
      open = false;
    },
  };
}

function must(got: Got): Buffer | undefined {
  if (got === "lost") throw unusable("answers were lost: the kernel had no room for them");
  return got;
}

function drain(channel: Channel): void {
  for (let got = channel.next(); got !== undefined; got = channel.next()) {
    if (got !== "lost" && messagesIn(got).some((each) => each.is !== "data")) return;
  }
}

function socketHere(call: Libc): number {
  const fd = call.socket(netlinkFamily, rawType | closeOnExec, netfilter);
  if (fd < 0) throw unusable(`no socket: ${errorName(call.errno())}`);
  return fd;
}

/**
 * A socket stays in the namespace in which it was made, so this thread goes there for that moment only. Nothing else
 * runs on it meanwhile: there is no `await` in between.
 */
function within(call: Libc, namespace: string, make: () => number): number {
  const home = openSync("/proc/thread-self/ns/net", "r");
  try {
    const there = openNamespace(namespace);
    try {
      if (call.setns(there, networkNamespace) !== 0)
        throw unusable(`namespace ${namespace}: ${errorName(call.errno())}`);
      try {
        return make();
      } finally {
        // Going on in somebody else's network would be worse than ending here.
        if (call.setns(home, networkNamespace) !== 0) process.abort();
      }
    } finally {
      closeSync(there);
    }
  } finally {
    closeSync(home);
  }
}

function openNamespace(path: string): number {
  try {
    return openSync(path, "r");
  } catch (cause) {
    throw unusable(`namespace ${path}: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

function unusable(text: string): Failure {
  return new Failure("E520", "netlink", text, "run where nftables is, as root or with CAP_NET_ADMIN");
}
