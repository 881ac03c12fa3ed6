import { Failure } from "../../base/failure.ts";
import { type Instant, instant } from "../../base/time.ts";
import { parseAddress } from "../../net/address.ts";
import { parsePortRange } from "../../net/port.ts";
import { parsePrefix } from "../../net/prefix.ts";
import { isTransport } from "../../net/transport.ts";
import type { Shell } from "../../runtime/shell.ts";
import { nftAt } from "./api.ts";
import { answerOf } from "./flows.ts";
import { type LaneWays, type SetChange, untilText } from "./lane-ways.ts";
import { keyText, type Member, type MemberKind } from "./members.ts";
import { table } from "./ruleset.ts";

/** Elements that one command carries. */
const batch = 500;

/** Through nft(8) and conntrack(8), for a gateway that is reached by a shell, or where netlink can't be had. */
export function programWays(shell: Shell): LaneWays {
  const nft = nftAt(shell);
  return {
    async write(changes, now, signal) {
      try {
        await nft.send(transactionText(changes, now), signal);
        return undefined;
      } catch (cause) {
        const isRefusal = cause instanceof Failure && cause.diagnostic.code === "E511";
        if (isRefusal && changes.some(({ kind }) => kind === "from" || kind === "livefrom")) return cause;
        throw cause;
      }
    },
    async read(set, kind, now, signal) {
      const found = await nft.timedElements(set, now, signal);
      return found.flatMap(({ key, ends }) => memberIn(kind, key, ends) ?? []);
    },
    async counted(set, kind, now, signal) {
      const found = await nft.timedElements(set, now, signal);
      return found.flatMap(({ key, ends, counter }) => {
        const member = counter === undefined ? undefined : memberIn(kind, key, ends);
        return counter === undefined || member === undefined ? [] : [{ member, ...counter }];
      });
    },
    mustHaveFlows: () => nft.requireConntrack(),
    async flows(to) {
      const [only] = to.size === 1 ? to : [];
      return (await nft.flows(only)).filter((each) => to.has(each.to));
    },
    async cut(flows) {
      await nft.hold(flows.flatMap((each) => answerOf(each) ?? []));
      await nft.cut(flows);
    },
    end: () => Promise.resolve(),
  };
}

/** As `changeBatch` has it, in nft's syntax. */
function transactionText(changes: readonly SetChange[], now: Instant): string {
  return changes
    .flatMap(({ set, kind, gone, there }) => {
      const isHash = kind === "open" || kind === "live";
      const touched = [...new Set((isHash ? [...gone, ...there] : gone).map(keyText))];
      return [
        ...(isHash ? commands("add", set, touched) : []),
        ...commands("delete", set, touched),
        ...commands(
          "add",
          set,
          there.map((each) => elementText(each, now)),
        ),
      ];
    })
    .join("");
}

function commands(verb: "add" | "delete", set: string, elements: readonly string[]): readonly string[] {
  const lines: string[] = [];
  for (let at = 0; at < elements.length; at += batch) {
    lines.push(`${verb} element ${table} ${set} { ${elements.slice(at, at + batch).join(", ")} }\n`);
  }
  return lines;
}

function elementText(member: Member, now: Instant): string {
  if (member.ends === undefined) return keyText(member);
  return `${keyText(member)} timeout ${Math.max(1, member.ends - now)}ms comment "${untilText(member.ends)}"`;
}

/** Reads a key as `keyText` writes it; undefined where no member can say it. */
function memberIn(kind: MemberKind, key: string, ends: Instant | undefined): Member | undefined {
  const [first = "", ...fields] = key.split(" . ");
  const to = parseAddress(first);
  if (to === undefined) return undefined;
  const rest = { to, ...(ends === undefined ? {} : { ends: instant(ends) }) };
  if (kind === "live") return { kind, ...rest };
  const source = fields.at(-1) ?? "";
  const from = parsePrefix(source) ?? parsePrefix(`${source}/128`);
  if (kind === "livefrom") return from === undefined ? undefined : { kind, from, ...rest };
  const [transport = "", range = ""] = fields;
  const ports = parsePortRange(range);
  if (!isTransport(transport) || ports === undefined) return undefined;
  if (kind === "open") return { kind, transport, port: ports.first, ...rest };
  return from === undefined ? undefined : { kind, transport, ports, from, ...rest };
}
