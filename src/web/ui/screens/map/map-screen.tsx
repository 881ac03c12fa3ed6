import { useComputed, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { TopologyView } from "../../../map/topology-schema.ts";
import { everything, type Filter } from "../../../picture/filter.ts";
import { type Focus, type Goes, graphOf } from "../../../picture/graph.ts";
import { Empty } from "../../parts/empty.tsx";
import { SearchBox } from "../../parts/search-box.tsx";
import { Troubles } from "../../parts/troubles.tsx";
import type { LiveKind } from "../../store/live.ts";
import { useReading } from "../use-reading.ts";
import { DotCard } from "./dot-card.tsx";
import { MapFrame } from "./frame.tsx";
import { MapList } from "./list.tsx";

const moving: ReadonlySet<LiveKind> = new Set(["opened", "closed", "refused", "agent", "gateway"]);

/** Sources, gateway, bridges, hosts, networks, containers: what is open between them, and what was denied. */
export function MapScreen(): JSX.Element {
  const focus = useSignal<Focus>({ kind: "fleet" });
  const filter = useSignal<Filter>(everything);
  const address = useSignal<string | undefined>(undefined);
  const asList = useSignal(globalThis.matchMedia("(max-width: 700px)").matches);
  const host = useComputed(() => (focus.value.kind === "host" ? focus.value.host : undefined));
  const path = `/api/v1/topology${host.value === undefined ? "" : `?host=${encodeURIComponent(host.value)}`}`;
  // Denied packets go by time, of which no event tells.
  const { value: view, troubles } = useReading<TopologyView>(path, moving, 15_000);
  const graph = useMemo(
    () => (view === undefined ? undefined : graphOf(view, focus.value, filter.value)),
    [view, focus.value, filter.value],
  );
  const go = (goes: Goes): void => {
    if (goes.kind === "address") address.value = goes.address;
    else focus.value = goes;
  };
  return (
    <section class="map-screen" aria-label="Map">
      <div class="tools">
        <Trail focus={focus.value} onGo={go} />
        <Filters view={view} filter={filter.value} onChange={(next) => (filter.value = next)} />
        <ShownAs asList={asList.value} onChange={(next) => (asList.value = next)} />
      </div>
      <Troubles of={troubles} />
      {view === undefined || address.value === undefined ? null : (
        <DotCard view={view} address={address.value} onClose={() => (address.value = undefined)} />
      )}
      {view === undefined || graph === undefined ? (
        <p class="reading" aria-busy={troubles.length === 0}>
          {troubles.length === 0 ? "Reading the fleet…" : ""}
        </p>
      ) : graph.nodes.every(({ layer }) => layer !== "host") ? (
        <Empty title={view.hosts.length === 0 ? "The fleet has no hosts yet" : "No host fits the filter"} />
      ) : asList.value ? (
        <MapList graph={graph} denied={view.denied} onGo={go} />
      ) : (
        <>
          <MapFrame graph={graph} onGo={go} />
          <Legend />
        </>
      )}
    </section>
  );
}

function ShownAs({
  asList,
  onChange,
}: {
  readonly asList: boolean;
  readonly onChange: (asList: boolean) => void;
}): JSX.Element {
  return (
    <fieldset class="chips" aria-label="Shown as">
      <button type="button" aria-pressed={!asList} onClick={() => onChange(false)}>
        Picture
      </button>
      <button type="button" aria-pressed={asList} onClick={() => onChange(true)}>
        List
      </button>
    </fieldset>
  );
}

function Trail({ focus, onGo }: { readonly focus: Focus; readonly onGo: (focus: Focus) => void }): JSX.Element | null {
  if (focus.kind === "fleet") return null;
  return (
    <nav aria-label="Part of the fleet" class="map-trail">
      <button type="button" class="link" onClick={() => onGo({ kind: "fleet" })}>
        Whole fleet
      </button>
      <span aria-hidden="true">›</span>
      <span>{focus.kind === "host" ? focus.host : `slots ${focus.first} to ${focus.last}`}</span>
    </nav>
  );
}

function Filters({
  view,
  filter,
  onChange,
}: {
  readonly view: TopologyView | undefined;
  readonly filter: Filter;
  readonly onChange: (filter: Filter) => void;
}): JSX.Element {
  return (
    <div class="filters" role="search" aria-label="Filter the map">
      <SearchBox
        label="Host, container, address"
        value={filter.text}
        onInput={(text) => onChange({ ...filter, text })}
      />
      <input
        class="short"
        type="search"
        placeholder="Port"
        aria-label="Port, as 443 or 443/tcp"
        value={filter.service}
        onInput={({ currentTarget }) => onChange({ ...filter, service: currentTarget.value.trim() })}
      />
      <select
        aria-label="Source"
        value={filter.source}
        onChange={({ currentTarget }) => onChange({ ...filter, source: currentTarget.value })}
      >
        <option value="">Every source</option>
        {(view?.sources ?? []).map(({ name }) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
      <select
        aria-label="Which hosts"
        value={filter.only}
        onChange={({ currentTarget }) => onChange({ ...filter, only: currentTarget.value as Filter["only"] })}
      >
        <option value="all">All hosts</option>
        <option value="open">Only with openings</option>
        <option value="denied">Only denied</option>
        <option value="drift">Only out of step</option>
      </select>
    </div>
  );
}

function Legend(): JSX.Element {
  return (
    <ul class="map-legend" aria-label="Legend">
      <li class="map-proved">open, and proved with packets in the last 15 minutes</li>
      <li class="map-open">open, not proved of late</li>
      <li class="map-held">held or refused</li>
      <li class="map-denied">denied in the last five minutes</li>
      <li class="map-inside">wired, nothing open</li>
    </ul>
  );
}
