import type { Controller } from "../../controller/controller.ts";
import { contains, type Prefix, prefixOf } from "../../net/prefix.ts";
import { formatPrefix } from "../../openings/source.ts";
import { turned } from "../answer.ts";
import { sourcesOf } from "../ask-from.ts";
import { containersNamed, type Spot } from "./question.ts";

/** Where one looks from: everybody, a group, a prefix, a host, or a container. */
export type Vantage = {
  /** As it was written. */
  readonly name: string;
  readonly from: readonly Prefix[];
  /** How a label names it, where it can. */
  readonly source: string | undefined;
};

/** `internet`, `any`, `office`, `@office`, a prefix, an address, `vm2`, `vm2/api`. Rejects with 400 for anything else. */
export function readVantage(text: string, controller: Controller, at = "query.from"): Vantage {
  const { fleet, plan } = controller.basis();
  if (text === "internet" || text === "any")
    return { name: text, from: sourcesOf(["any"], fleet, at), source: undefined };
  if (fleet.groups.has(text)) return { name: text, from: sourcesOf([text], fleet, at), source: `@${text}` };
  const [hostText = "", name] = text.split("/");
  const host = plan.hosts.find((each) => each.host === hostText);
  if (host === undefined) {
    const from = sourcesOf([text], fleet, at);
    return { name: text, from, source: text.startsWith("@") ? text : from.map(formatPrefix).join(",") };
  }
  if (name === undefined) return { name: text, from: [host.block], source: host.block };
  const from = containersNamed(host.host, name, controller).flatMap((each) =>
    each.endpoints.map(({ address }) => prefixOf(address, 128)),
  );
  if (from.length > 0) return { name: text, from, source: `%${text}` };
  throw turned(
    400,
    "E955",
    at,
    `${host.host} has no container ${JSON.stringify(name)} with an address`,
    "name a container that runs, a host, or an address",
  );
}

/** How a flow from there gets to the spot, as far as that changes what is asked of it. */
export function wayOf(
  vantage: Vantage,
  spot: Spot,
  controller: Controller,
): "outside" | "between-hosts" | "inside-host" {
  const { plan } = controller.basis();
  if (!vantage.from.every((each) => contains(plan.delegated, each))) return "outside";
  const block = plan.hosts.find((each) => each.host === spot.host)?.block;
  return block !== undefined && vantage.from.every((each) => contains(block, each)) ? "inside-host" : "between-hosts";
}
