import { judge } from "./suite.ts";
import { bridgesTarget } from "./target-bridges.ts";
import { ifupdownGuestTarget, netplanTarget, networkdTarget } from "./target-guest.ts";
import { memoryTarget } from "./target-memory.ts";
import { nftablesTarget } from "./target-nftables.ts";

/** Everybody who is judged. A new driver adds its line. */
export const judges: readonly (() => Promise<void>)[] = [
  () => judge(memoryTarget),
  () => judge(nftablesTarget),
  () => judge(networkdTarget),
  () => judge(netplanTarget),
  () => judge(ifupdownGuestTarget),
  () => judge(bridgesTarget),
];
