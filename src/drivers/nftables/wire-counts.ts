import { attributesIn } from "../../runtime/netlink-message.ts";

// The expression of an element that counts (linux/netfilter/nf_tables.h, nft_expr and nft_counter attributes).

const [expressionName, expressionData] = [1, 2];
const [counterBytes, counterPackets] = [1, 2];

/** What an element's counter says; undefined where the element has none. */
export function counterIn(
  expression: Buffer | undefined,
): { readonly packets: number; readonly bytes: number } | undefined {
  if (expression === undefined) return undefined;
  const parts = attributesIn(expression);
  const data = parts.get(expressionData);
  if (parts.get(expressionName)?.toString("latin1") !== "counter\0" || data === undefined) return undefined;
  const numbers = attributesIn(data);
  const [packets, bytes] = [numbers.get(counterPackets), numbers.get(counterBytes)];
  if (packets?.length !== 8 || bytes?.length !== 8) return undefined;
  return { packets: Number(packets.readBigUInt64BE()), bytes: Number(bytes.readBigUInt64BE()) };
}
