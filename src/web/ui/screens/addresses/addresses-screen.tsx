import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { printable } from "../../../../base/printable.ts";
import type { NumbersView } from "../../../numbers/numbers-schema.ts";
import { Said } from "../../parts/said.tsx";
import { Troubles } from "../../parts/troubles.tsx";
import type { LiveKind } from "../../store/live.ts";
import { useReading } from "../use-reading.ts";
import { BlockTree } from "./block-tree.tsx";
import { SquareMap } from "./square-map.tsx";
import { WhoIs } from "./who-is.tsx";

const moving: ReadonlySet<LiveKind> = new Set(["opened", "closed", "agent"]);

/** The address plan: who has which block, how full it is, what is next. */
export function AddressesScreen(): JSX.Element {
  const { value: view, troubles } = useReading<NumbersView>("/api/v1/addresses", moving);
  const slot = useSignal(2);
  const open = useSignal<string | undefined>(undefined);
  const who = useSignal<string | undefined>(undefined);
  const show = (at: number): void => {
    slot.value = at;
    const host = view?.blocks.find((each) => each.slot === at)?.host;
    if (host !== undefined) open.value = host;
  };
  const used = useMemo(() => view?.blocks.reduce((sum, each) => sum + each.used, 0) ?? 0, [view]);
  return (
    <section class="addresses-screen" aria-label="Addresses">
      <WhoIs asked={who.value} />
      <Troubles of={troubles} />
      {view === undefined ? (
        <p class="reading" aria-busy={troubles.length === 0}>
          {troubles.length === 0 ? "Reading the plan…" : ""}
        </p>
      ) : (
        <>
          <Summary view={view} used={used} />
          <Conflicts view={view} />
          <div class="addresses-halves">
            <BlockTree
              view={view}
              onWho={(address) => (who.value = address)}
              open={open.value}
              onOpen={(host, at) => {
                open.value = host;
                if (at !== undefined) slot.value = at;
              }}
            />
            <SquareMap view={view} slot={slot.value} onSlot={(at) => (slot.value = at)} onOpen={show} />
          </div>
        </>
      )}
    </section>
  );
}

function Summary({ view, used }: { readonly view: NumbersView; readonly used: number }): JSX.Element {
  const { lengths, slots } = view;
  return (
    <dl class="facts">
      <div>
        <dt>Prefix</dt>
        <dd class="mono">{view.delegated}</dd>
      </div>
      <div>
        <dt>Blocks of /{lengths.host}</dt>
        <dd>
          {slots.used.toLocaleString("en")} of {slots.all.toLocaleString("en")}
        </dd>
      </div>
      <div>
        <dt>Addresses in use</dt>
        <dd>{used.toLocaleString("en")}</dd>
      </div>
      <div>
        <dt>Next host</dt>
        <dd class="mono">
          {view.next === undefined ? "not known here" : `${view.next.block}, slot ${view.next.slot}`}
        </dd>
      </div>
      {view.changes ? (
        <div>
          <dt>Delegated</dt>
          <dd>The provider may give another prefix: numbers are kept as offsets</dd>
        </div>
      ) : null}
    </dl>
  );
}

const faults = {
  twice: "two containers have it",
  taken: "it is the gateway's or the host's",
  outside: "it lies in another block",
} as const;

function Conflicts({ view }: { readonly view: NumbersView }): JSX.Element | null {
  if (view.conflictCount === 0) return null;
  return (
    <div class="notice bad" role="status">
      <b>
        {view.conflictCount} {view.conflictCount === 1 ? "conflict" : "conflicts"}
      </b>
      <ul>
        {view.conflicts.slice(0, 10).map(({ kind, host, container, address, other }) => (
          <li key={`${host} ${container} ${address}`}>
            {host}/<Said text={container} /> <code>{address}</code>: {faults[kind]}
            {other === undefined ? "" : ` (${printable(other)})`}
          </li>
        ))}
      </ul>
    </div>
  );
}
