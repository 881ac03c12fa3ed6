import type { JSX } from "preact";
import type { TopologyView } from "../../../map/topology-schema.ts";
import { Badge } from "../../parts/badge.tsx";
import { Prose, Said } from "../../parts/said.tsx";
import { askWhy } from "../../store/why.ts";
import { AskPort } from "../ask-port.tsx";

const states = {
  reported: "runs",
  reserved: "kept by the fleet file, not running",
  unseen: "open, but its host does not report it",
} as const;

/** What checks with packets of the last 15 minutes say. */
const proofs = {
  proved: { tone: "good", text: "proved" },
  failing: { tone: "bad", text: "not reached" },
  unproved: { tone: "plain", text: "not proved" },
} as const;

type CardProps = { readonly view: TopologyView; readonly address: string; readonly onClose: () => void };

/** One address of the map: what is open, what was refused, and the way to the reasons. */
export function DotCard({ view, address, onClose }: CardProps): JSX.Element | null {
  const host = view.hosts.find(({ dots }) => dots?.some((dot) => dot.address === address));
  const dot = host?.dots?.find((each) => each.address === address);
  if (host === undefined || dot === undefined) return null;
  const denied = view.denied.filter(({ to }) => to === address);
  return (
    <aside class="card dot-card" aria-label="Container">
      <header>
        <h2>
          {host.name}/{dot.name === "" ? "unknown" : <Said text={dot.name} />}
        </h2>
        <button type="button" class="quiet" onClick={onClose}>
          Close
        </button>
      </header>
      <p>
        <code>{address}</code> <span class="faint">{states[dot.state]}</span>
      </p>
      <ul>
        {dot.openings.map(({ id, service, state, by, from, proof }) => (
          <li key={id}>
            <Badge tone={state === "open" ? "good" : "warn"}>{state}</Badge>{" "}
            {state === "open" && <Badge tone={proofs[proof].tone}>{proofs[proof].text}</Badge>} <b>{service}</b> from{" "}
            {from.join(", ")} <span class="faint">asked by {by}</span>
            <button type="button" class="small" onClick={() => askWhy({ to: `[${address}]:${service}` })}>
              Why
            </button>
          </li>
        ))}
        {dot.refusals.map(({ text, code, why, fix }) => (
          <li key={`${text} ${code}`}>
            <Badge tone="bad">refused</Badge>{" "}
            <b>
              <Said text={text} />
            </b>{" "}
            <code>{code}</code> <Prose text={why} />{" "}
            <span class="faint">
              <Prose text={fix} />
            </span>
          </li>
        ))}
        {denied.slice(0, 8).map((flow) => (
          <li key={`${flow.from} ${flow.transport} ${flow.port}`}>
            <Badge tone="bad">denied</Badge> {flow.count}× {flow.transport} {flow.port} from <code>{flow.example}</code>
          </li>
        ))}
      </ul>
      <AskPort address={address} />
    </aside>
  );
}
