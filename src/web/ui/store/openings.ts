import { printable } from "../../../base/printable.ts";
import { ListReader } from "./list-reader.ts";
import { type LiveEvent, onEvent, onLive, onReadAgain } from "./live.ts";
import { naturalKey } from "./natural.ts";
import { status } from "./status.ts";
import { type Agent, type Opening, type Refusal, type Suggestion, serviceText, sourcesText } from "./views.ts";

/** One looks for what one sees: names as they are shown, in small letters. */
function searched(text: string): string {
  return printable(text).toLowerCase();
}

/** Everything that is open or held. */
export const openings: ListReader<Opening> = new ListReader<Opening>("/api/v1/openings", (opening) => {
  const { id, host, container, to, service, from, askedBy, reason = askedBy.text, grantedBy, state } = opening;
  const name = container?.name ?? "";
  const ports = serviceText(service);
  const sources = from.length === 1 && from[0] === "::/0" ? "anywhere" : sourcesText(from);
  return {
    id,
    key: `${naturalKey(host)}\0${naturalKey(name)}\0${to}\0${ports}`,
    text: searched(
      `${host}/${name} ${to} ${ports} ${sources} ${state} ${askedBy.kind} ${askedBy.name} ${reason} ${grantedBy}`,
    ),
    entry: opening,
  };
});

export const refusals: ListReader<Refusal> = new ListReader<Refusal>("/api/v1/refusals", (refusal) => {
  const { host, container, to = "", at, text, code, why, fix } = refusal;
  return {
    id: [host, container.id, to, at, text, code].join("\0"),
    key: `${naturalKey(host)}\0${naturalKey(container.name)}\0${at}`,
    text: searched(`${host}/${container.name} ${to} ${text} ${code} ${why} ${fix}`),
    entry: refusal,
  };
});

export const suggestions: ListReader<Suggestion> = new ListReader<Suggestion>("/api/v1/suggestions", (suggestion) => {
  const { host, container, address, transport, ports, declared } = suggestion;
  const service = serviceText({ kind: "ports", transport, ports });
  return {
    id: [host, container.id, address, service, declared].join("\0"),
    key: `${naturalKey(host)}\0${naturalKey(container.name)}\0${service}`,
    text: searched(`${host}/${container.name} ${address} ${service} ${declared}`),
    entry: suggestion,
  };
});

type Anew = Pick<ListReader<Refusal>, "reading" | "read" | "readHost" | "again">;

/** Hosts that are asked one by one; where more have changed, the lists are read whole. */
const mostHosts = 8;
const changed = new Set<string>();
let due: ReturnType<typeof setTimeout> | undefined;

/** Refusals and suggestions that are over have no event of their own: what happened on their host tells. */
function readOthersSoon(host: string): void {
  changed.add(host);
  due ??= setTimeout(() => {
    due = undefined;
    const hosts = [...changed];
    changed.clear();
    for (const list of [refusals, suggestions]) void readAnew(list, hosts);
  }, 2000);
}

async function readAnew(list: Anew, hosts: readonly string[]): Promise<void> {
  const { state } = list.reading.peek();
  // Who reads whole is let finish: where something changes all the time nobody would ever see all of it.
  if (state === "reading") for (const host of hosts) readOthersSoon(host);
  else if (state === "failed") await list.read();
  else if (hosts.length > mostHosts) await list.again();
  else for (const host of hosts) await list.readHost(host);
}

/** Milliseconds between two readings of refusals because their number is another than the controller's. */
const settling = 5000;

/** No event tells that a container that was refused is gone when nothing of it was open. Their number does. */
function watchRefusals(): () => void {
  let tried = { at: 0, numbers: "" };
  return status.subscribe((now) => {
    const have = refusals.list.rows.peek().length;
    const numbers = `${now?.refusals} ${have}`;
    if (now === undefined || now.refusals === have || tried.numbers === numbers) return;
    if (Date.now() - tried.at < settling) return;
    tried = { at: Date.now(), numbers };
    void refusals.again();
  });
}

/** A list that was not read while the controller was away is read when it is back, though no event was missed. */
function readFailed(): void {
  for (const list of [openings, refusals, suggestions]) if (list.reading.peek().state === "failed") void list.read();
}

/** Reads the lists and keeps them, as long as the page is open. */
export function followOpenings(): () => void {
  const forget = [
    onLive(readFailed),
    watchRefusals(),
    onReadAgain(() => void Promise.all([openings.read(), refusals.read(), suggestions.read()])),
    onEvent((event) => {
      if (event.kind === "opened") openings.put(event["opening"] as Opening);
      if (event.kind === "closed") openings.remove((event["opening"] as Opening).id);
      if (event.kind === "refused") refusals.put(event["refusal"] as Refusal);
      const host = hostOf(event);
      if (host !== undefined) readOthersSoon(host);
    }),
  ];
  return () => {
    for (const each of forget) each();
  };
}

function hostOf(event: LiveEvent): string | undefined {
  switch (event.kind) {
    case "opened":
    case "closed":
      return (event["opening"] as Opening).host;
    case "agent":
      return (event["agent"] as Agent).host;
    case "refused":
    case "alarm":
    case "gateway":
    case "plan":
      return undefined;
  }
}
