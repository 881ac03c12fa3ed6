import { Failure } from "../../base/failure.ts";
import { errorName } from "../../runtime/libc.ts";
import { type NetlinkOptions, openNetlink } from "../../runtime/netlink.ts";
import type { Denied } from "../members-lane.ts";
import { deniedGroup } from "./host-chains.ts";
import { deniedIn, listenRequest } from "./wire-denied.ts";

/** Milliseconds between two looks; the kernel keeps what comes meanwhile. */
const every = 250;
/** Datagrams that are read at a time. The rule lets 100 packets a second through, so there are never many. */
const most = 256;
/** Bytes that the kernel keeps for us. */
const keeps = 1024 * 1024;

/** Listens to the log group of refused packets. Throws a Failure with E520 or E524 where that can't be had. */
export function watchDenied(
  device: string,
  listener: (denied: readonly Denied[]) => void,
  options: NetlinkOptions = {},
): () => void {
  const socket = openNetlink({ ...options, keeps });
  const refused = socket
    .ask(listenRequest(deniedGroup))
    .flatMap((each) => (each.is === "error" && each.errno !== 0 ? [each.errno] : []));
  if (refused.length > 0) {
    socket.close();
    const text = `Log group ${deniedGroup}: ${refused.map(errorName).join(", ")}`;
    throw new Failure("E524", device, text, "another program may listen to it, or the kernel lacks nfnetlink_log");
  }
  const timer = setInterval(() => {
    const messages = socket.receive(most);
    const found = messages.flatMap((each) => (each.is === "data" ? (deniedIn(each.kind, each.attributes) ?? []) : []));
    if (found.length > 0) listener(together(found));
  }, every);
  timer.unref();
  return () => {
    clearInterval(timer);
    socket.close();
  };
}

/** Alike ones as one, in the order in which the first of each came. */
export function together(all: readonly Denied[]): readonly Denied[] {
  const groups = Map.groupBy(all, ({ from, to, transport, port }) => `${from} ${to} ${transport} ${port ?? ""}`);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    return first === undefined ? [] : { ...first, count: group.reduce((sum, each) => sum + each.count, 0) };
  });
}
