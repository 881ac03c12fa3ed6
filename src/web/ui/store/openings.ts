import { ListReader } from "./list-reader.ts";
import { onEvent, onReadAgain } from "./live.ts";
import { type Opening, type Refusal, type Suggestion, serviceText, sourcesText } from "./views.ts";

/** Everything that is open or held. */
export const openings: ListReader<Opening> = new ListReader<Opening>("/api/v1/openings", (opening) => {
  const { id, host, container, to, service, from, askedBy, reason = "", grantedBy } = opening;
  const name = container?.name ?? "";
  const ports = serviceText(service);
  const sources = from.length === 1 && from[0] === "::/0" ? "anywhere" : sourcesText(from);
  return {
    id,
    key: `${host}\0${name}\0${to}\0${ports}`,
    text: `${host}/${name} ${to} ${ports} ${sources} ${askedBy.kind} ${askedBy.name} ${reason} ${grantedBy}`.toLowerCase(),
    entry: opening,
  };
});

export const refusals: ListReader<Refusal> = new ListReader<Refusal>("/api/v1/refusals", (refusal) => {
  const { host, container, to = "", at, text, code, why } = refusal;
  return {
    id: [host, container.id, to, at, text, code].join("\0"),
    key: `${host}\0${container.name}\0${at}`,
    text: `${host}/${container.name} ${to} ${text} ${code} ${why}`.toLowerCase(),
    entry: refusal,
  };
});

export const suggestions: ListReader<Suggestion> = new ListReader<Suggestion>("/api/v1/suggestions", (suggestion) => {
  const { host, container, address, transport, ports, declared } = suggestion;
  const service = serviceText({ kind: "ports", transport, ports });
  return {
    id: [host, container.id, address, service, declared].join("\0"),
    key: `${host}\0${container.name}\0${service}`,
    text: `${host}/${container.name} ${address} ${service} ${declared}`.toLowerCase(),
    entry: suggestion,
  };
});

/** Refusals and suggestions that are over have no event of their own: what happened to their container tells. */
let due: ReturnType<typeof setTimeout> | undefined;
function readOthersSoon(): void {
  due ??= setTimeout(() => {
    due = undefined;
    void refusals.read();
    void suggestions.read();
  }, 2000);
}

/** Reads the lists and keeps them, as long as the page is open. */
export function followOpenings(): () => void {
  const forget = [
    onReadAgain(() => void Promise.all([openings.read(), refusals.read(), suggestions.read()])),
    onEvent((event) => {
      if (event.kind === "opened") openings.put(event["opening"] as Opening);
      if (event.kind === "closed") openings.remove((event["opening"] as Opening).id);
      if (event.kind === "refused") refusals.put(event["refusal"] as Refusal);
      if (event.kind === "opened" || event.kind === "closed" || event.kind === "agent") readOthersSoon();
    }),
  ];
  return () => {
    for (const each of forget) each();
  };
}
