import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { HostNumbersView, NumbersView } from "../../../numbers/numbers-schema.ts";
import { Said } from "../../parts/said.tsx";
import { Troubles } from "../../parts/troubles.tsx";
import type { LiveKind } from "../../store/live.ts";
import { useReading } from "../use-reading.ts";

/** Blocks that are listed at once: a fleet of thousands is looked through by the box above. */
const most = 100;
const moving: ReadonlySet<LiveKind> = new Set(["opened", "closed", "agent"]);

type TreeProps = {
  readonly onWho: (address: string) => void;
  readonly view: NumbersView;
  readonly open: string | undefined;
  readonly onOpen: (host: string | undefined, slot?: number) => void;
};

/** Prefix, blocks, networks, addresses, each with a bar of how much is used. */
export function BlockTree({ onWho, view, open, onOpen }: TreeProps): JSX.Element {
  const text = useSignal("");
  const count = useSignal(most);
  const wanted = text.value.trim().toLowerCase();
  const found = view.blocks.filter(
    ({ host, block, slot }) => host.includes(wanted) || block.includes(wanted) || String(slot) === wanted,
  );
  const shown = found.slice(0, count.value);
  // The one that is open is there, wherever it stands.
  const far =
    open === undefined || shown.some(({ host }) => host === open)
      ? undefined
      : view.blocks.find(({ host }) => host === open);
  return (
    <div class="tree">
      <div class="filters">
        <input
          type="search"
          placeholder="Host, block or slot"
          aria-label="Find a block by host, prefix or slot"
          value={text.value}
          onInput={({ currentTarget }) => {
            text.value = currentTarget.value;
            count.value = most;
          }}
        />
        <span class="faint">
          {found.length.toLocaleString("en")} {found.length === 1 ? "host" : "hosts"}
        </span>
      </div>
      <ul class="tree-blocks">
        {[...(far === undefined ? [] : [far]), ...shown].map((block) => (
          <Row key={block.host} block={block} open={open} onOpen={onOpen} onWho={onWho} />
        ))}
      </ul>
      {found.length > shown.length ? (
        <button type="button" onClick={() => (count.value += most)}>
          Show more
        </button>
      ) : null}
      {(view.kept ?? []).length === 0 ? null : (
        <p class="faint">
          Kept for hosts that left: {(view.kept ?? []).map(({ host, slot }) => `${host} (slot ${slot})`).join(", ")}
        </p>
      )}
    </div>
  );
}

type RowProps = Pick<TreeProps, "open" | "onOpen" | "onWho"> & { readonly block: NumbersView["blocks"][number] };

function Row({ block, open, onOpen, onWho }: RowProps): JSX.Element {
  return (
    <li>
      <button
        type="button"
        class="tree-row"
        aria-expanded={open === block.host}
        onClick={() => onOpen(open === block.host ? undefined : block.host, block.slot)}
      >
        <span class="tree-name">{block.host}</span>
        <span class="mono faint">{block.block}</span>
        <span class="faint">
          slot {block.slot}
          {block.pinned ? " · pinned" : ""}
        </span>
        <span>
          {block.used} {block.used === 1 ? "address" : "addresses"}
        </span>
      </button>
      {open === block.host ? <Block onWho={onWho} host={block.host} /> : null}
    </li>
  );
}

function Block({ onWho, host }: { readonly onWho: (address: string) => void; readonly host: string }): JSX.Element {
  const path = `/api/v1/addresses/${encodeURIComponent(host)}`;
  const { value, troubles } = useReading<HostNumbersView>(path, moving);
  if (value === undefined)
    return troubles.length > 0 ? (
      <Troubles of={troubles} />
    ) : (
      <p class="reading" aria-busy="true">
        Reading…
      </p>
    );
  return (
    <div class="tree-inside">
      <Bar label="Link and networks" used={value.room.used} all={value.room.all} />
      <table>
        <thead>
          <tr>
            <th scope="col">Network</th>
            <th scope="col">Prefix</th>
            <th scope="col">In use</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">link</th>
            <td class="mono">{value.link.prefix}</td>
            <td>
              <span class="mono">{value.link.gateway}</span> gateway, <span class="mono">{value.link.address}</span>{" "}
              host
            </td>
          </tr>
          {value.networks.map((network) => (
            <tr key={network.name}>
              <th scope="row">
                {network.name}
                {network.pinned ? <span class="faint"> pinned</span> : null}
              </th>
              <td class="mono">{network.prefix}</td>
              <td>
                <Used network={network} onWho={onWho} />
              </td>
            </tr>
          ))}
          {value.next === undefined ? null : (
            <tr class="faint">
              <th scope="row">next free</th>
              <td class="mono">{value.next.prefix}</td>
              <td>number {value.next.index}</td>
            </tr>
          )}
        </tbody>
      </table>
    </div>
  );
}

type Network = HostNumbersView["networks"][number];

function Used({
  network,
  onWho,
}: {
  readonly network: Network;
  readonly onWho: (address: string) => void;
}): JSX.Element {
  const all = useSignal(false);
  if (network.used.length === 0) return <span class="faint">none</span>;
  const shown = all.value ? network.used.slice(0, 2000) : network.used.slice(0, 8);
  return (
    <ul class="used">
      {shown.map(({ address, name, state, pinned }) => (
        <li key={address}>
          <button type="button" class="link mono" onClick={() => onWho(address)}>
            {address}
          </button>{" "}
          <Said text={name} />
          <span class="faint">
            {state === "reserved" ? " · kept, not running" : ""}
            {pinned && state === "reported" ? " · pinned" : ""}
          </span>
        </li>
      ))}
      {network.used.length > shown.length ? (
        <li>
          <button type="button" class="link" onClick={() => (all.value = true)}>
            {network.used.length - shown.length} more
          </button>
        </li>
      ) : null}
    </ul>
  );
}

/** `used` of the places that there are, not of a power of two. */
function Bar({
  label,
  used,
  all,
}: {
  readonly label: string;
  readonly used: number;
  readonly all: number;
}): JSX.Element {
  return (
    <p class="bar">
      <span>
        {label}: {used} of {all}
      </span>
      <meter min={0} max={all} value={used} aria-label={label}>
        {used} of {all}
      </meter>
    </p>
  );
}
