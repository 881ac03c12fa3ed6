import { didYouMean } from "../base/nearest.ts";
import { quote } from "../base/quote.ts";
import { type Read, wrong } from "../base/wrong.ts";
import type { ContainerReport, Endpoint } from "./container-report.ts";

/** An address, and the id of the container that has it. */
export type HeldEndpoint = { readonly holder: string; readonly endpoint: Endpoint };

/**
 * Where a container's rules land: at its addresses, or at those of the container whose networks it shares. `networks`
 * narrows to those that are named, each in full or as Compose's file has it, without the project before it. Empty only
 * for a container that starts and has no address yet. E909 where there is none, E908 for a network it is not on.
 */
export function findEndpoints(
  report: ContainerReport,
  directory: ReadonlyMap<string, ContainerReport>,
  networks: readonly string[] | undefined,
): Read<readonly HeldEndpoint[]> {
  const held = holderOf(report, directory);
  if (!("value" in held)) return held;
  const holder = held.value;
  if (holder.endpoints.length === 0) return holder.state === "starting" ? { value: [] } : noAddress();
  const chosen = networks === undefined ? { value: holder.endpoints } : chooseNetworks(holder, networks);
  if (!("value" in chosen)) return chosen;
  return { value: chosen.value.map((endpoint) => ({ holder: holder.id, endpoint })) };
}

function noAddress(): Read<never> {
  return wrong("E909", "Container has no public IPv6 address", "connect it to a network of the fleet file");
}

/** Follows `container:x`, which may name an id or a container. A circle ends as not found. */
function holderOf(report: ContainerReport, directory: ReadonlyMap<string, ContainerReport>): Read<ContainerReport> {
  let at = report;
  for (let steps = 0; steps < 8; steps++) {
    if (at.mode === "bridge") return { value: at };
    if (at.mode === "host")
      return wrong(
        "E909",
        "Container shares the host's own network (network_mode: host), so it has no address of its own",
        "give it a network, or open the host's address in the fleet file",
      );
    if (at.mode === "none") return noAddress();
    const next = at.sharesWith ?? "";
    const found = directory.get(next) ?? [...directory.values()].find((each) => each.name === next);
    if (found === undefined)
      return wrong("E909", `Container ${quote(next)}, whose network it shares, is not there`, "start that one first");
    at = found;
  }
  return wrong("E909", "Containers share their networks in a circle", "give one of them a network of its own");
}

function chooseNetworks(holder: ContainerReport, wanted: readonly string[]): Read<readonly Endpoint[]> {
  const chosen = new Set<Endpoint>();
  for (const name of wanted) {
    const own = holder.endpoints.filter((each) => each.network === name);
    const full = holder.project === undefined ? name : `${holder.project}_${name}`;
    const found = own.length > 0 ? own : holder.endpoints.filter((each) => each.network === full);
    // One that starts is connected to its networks one after the other.
    if (found.length === 0 && holder.state !== "starting") return notOn(holder, name);
    for (const each of found) chosen.add(each);
  }
  return { value: holder.endpoints.filter((each) => chosen.has(each)) };
}

function notOn(holder: ContainerReport, name: string): Read<never> {
  const known = holder.endpoints.map((each) => each.network);
  const text = `Container is not on a network ${quote(name)} with an IPv6 address${didYouMean(name, known)}`;
  return wrong("E908", text, `it has one on ${known.slice(0, 8).map(quote).join(", ")}`);
}
