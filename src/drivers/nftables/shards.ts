import type { HostName } from "../../base/name.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import { type Address } from "../../net/address.ts";
import { parseWords, sharePrefix } from "../../net/packed.ts";
import { baseOf, lengthOf } from "../../net/prefix.ts";

const words: Uint32Array = new Uint32Array(4);

/**
 * Which of 256 groups of sets an address belongs to: the last two hex digits of its block's number. The article's vm1,
 * `…:20::/76`, is in `02`. A fleet of up to 255 hosts has a host in each; the kernel looks sets up one by one through
 * the table's list, so thousands of them would slow down every change and every reading.
 */
export function shardOf(to: Address, hostLength: number): string {
  parseWords(to, words, 0);
  return shardName(words, hostLength);
}

function shardName(of: Uint32Array, hostLength: number): string {
  return (blockNumber(of, 0, hostLength) & 0xff).toString(16).padStart(2, "0");
}

/** Every shard that has a host, sorted. */
export function shardsOf({ hosts, hostLength }: GatewayDesired): readonly string[] {
  return [...new Set(hosts.map(({ block }) => shardOf(baseOf(block), hostLength)))].sort();
}

/** The low 32 bits of the number that the first `length` bits make, 0 to 128. */
export function blockNumber(of: Uint32Array, at: number, length: number): number {
  const [word, bits] = [length >>> 5, length & 31];
  const before = word === 0 ? 0 : (of[at + word - 1] as number);
  if (bits === 0) return before;
  return ((before << bits) | ((of[at + word] as number) >>> (32 - bits))) >>> 0;
}

/** Finds the host that has an address in its block; undefined where none has. */
export function hostFinder({
  delegated,
  hostLength,
  hosts,
}: GatewayDesired): (of: Uint32Array, at: number) => HostName | undefined {
  const ours = new Uint32Array(4);
  parseWords(baseOf(delegated), ours, 0);
  const bits = lengthOf(delegated);
  // Inside the prefix, 32 bits tell blocks apart, unless it were more than 32 bits longer than a block.
  const byNumber = new Map<number, { readonly host: HostName; readonly base: Uint32Array }>();
  for (const { host, block } of hosts) {
    const base = new Uint32Array(4);
    parseWords(baseOf(block), base, 0);
    byNumber.set(blockNumber(base, 0, hostLength), { host, base });
  }
  return (of, at) => {
    if (!sharePrefix(of, at, ours, 0, bits)) return undefined;
    const found = byNumber.get(blockNumber(of, at, hostLength));
    return found !== undefined && sharePrefix(of, at, found.base, 0, hostLength) ? found.host : undefined;
  };
}

/** The host and the shard of an address; undefined where no host has it in its block. */
export function placeFinder(
  desired: GatewayDesired,
): (of: Address) => { readonly host: HostName; readonly shard: string } | undefined {
  const find = hostFinder(desired);
  const mine = new Uint32Array(4);
  return (of) => {
    parseWords(of, mine, 0);
    const host = find(mine, 0);
    return host === undefined ? undefined : { host, shard: shardName(mine, desired.hostLength) };
  };
}
