import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { MatrixView } from "../../../planner/schema.ts";
import { CommandLine } from "../../parts/command-line.tsx";
import { SearchBox } from "../../parts/search-box.tsx";
import { Troubles } from "../../parts/troubles.tsx";
import type { LiveKind } from "../../store/live.ts";
import { askWhy } from "../../store/why.ts";
import { useReading } from "../use-reading.ts";

const moving: ReadonlySet<LiveKind> = new Set();
/** Hosts that are shown at once. */
const most = 50;
const signs = { open: "●", partly: "◐", closed: "○", unsure: "?", inside: "–" } as const;

/** Who gets where: source by host. A cell says what gets through, and leads to the reasons. */
export function Matrix(): JSX.Element {
  const { value, troubles, again } = useReading<MatrixView>("/api/v1/matrix", moving);
  const count = useSignal(most);
  const text = useSignal("");
  const rows = value?.rows.filter(({ host }) => host.includes(text.value.trim())) ?? [];
  return (
    <section aria-labelledby="matrix-title">
      <div class="tools">
        <h2 id="matrix-title">Who gets where</h2>
        <SearchBox label="Find a host" value={text.value} onInput={(typed) => (text.value = typed)} />
        <button type="button" onClick={again}>
          Prove again
        </button>
        <CommandLine text="sixgate verify" />
      </div>
      <Troubles of={troubles} />
      {value === undefined ? (
        <p class="reading" aria-busy={troubles.length === 0}>
          {troubles.length === 0 ? "Proving…" : ""}
        </p>
      ) : (
        <>
          <p class="faint">
            {value.rules === "loaded"
              ? "Proved from the rules that are loaded on the gateway."
              : `Proved from the fleet file alone, without what labels and people opened. ${value.why ?? ""}`}
          </p>
          <Rows sources={value.sources} rows={rows.slice(0, count.value)} />
          {rows.length > count.value ? (
            <button type="button" onClick={() => (count.value += most)}>
              Show more
            </button>
          ) : null}
          <p class="faint">
            ● everything · ◐ some ports or addresses · ○ closed · ? not understood · – passes no gateway
          </p>
        </>
      )}
    </section>
  );
}

function Rows({ sources, rows }: Pick<MatrixView, "sources" | "rows">): JSX.Element {
  return (
    <div class="scrolls" tabIndex={0} role="region" aria-label="Who gets where, scrolls">
      <table class="matrix">
        <thead>
          <tr>
            <th scope="col">To, from</th>
            {sources.map((source) => (
              <th key={source} scope="col">
                {source}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ host, cells }) => (
            <tr key={host}>
              <th scope="row">{host}</th>
              {cells.map((cell, at) => (
                <Cell key={sources[at]} cell={cell} host={host} source={sources[at] ?? ""} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

type CellProps = {
  readonly cell: MatrixView["rows"][number]["cells"][number];
  readonly host: string;
  readonly source: string;
};

function Cell({ cell: { state, flows, addresses, example }, host, source }: CellProps): JSX.Element {
  const what = flows.join("; ");
  if (example === undefined || source === "management")
    return (
      <td class={`cell-${state}`} title={what}>
        <span aria-hidden="true">{signs[state]}</span>{" "}
        <span class="cell-flows">{state === "open" ? "everything" : what}</span>
        <span class="unseen">{state}</span>
      </td>
    );
  return (
    <td class={`cell-${state}`}>
      <button
        type="button"
        title={`${what}${addresses > 0 ? ` at ${addresses} addresses` : ""}`}
        onClick={() => askWhy({ to: example, from: source })}
      >
        <span aria-hidden="true">{signs[state]}</span>{" "}
        <span class="cell-flows">{state === "open" ? "everything" : what}</span>
        <span class="unseen">
          {" "}
          {state} from {source} to {host}
        </span>
      </button>
    </td>
  );
}
