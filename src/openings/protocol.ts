import { didYouMean } from "../base/nearest.ts";
import { quote } from "../base/quote.ts";
import { type Read, wrong } from "../base/wrong.ts";
import type { Transport } from "../net/transport.ts";

const words: Readonly<Record<string, readonly Transport[]>> = {
  tcp: ["tcp"],
  udp: ["udp"],
  "tcp+udp": ["tcp", "udp"],
  sctp: ["sctp"],
};

/** `proto = "tcp" / "udp" / "tcp+udp" / "sctp"`. E905 for any other word. */
export function readProtocol(word: string): Read<readonly Transport[]> {
  const transports = Object.hasOwn(words, word) ? words[word] : undefined;
  if (transports !== undefined) return { value: transports };
  const known = Object.keys(words);
  return wrong("E905", `Not a protocol: ${quote(word)}${didYouMean(word, known)}`, `use ${known.join(", ")}`);
}
