import type { JSX } from "preact";
import type { TopologyView } from "../../../map/topology-schema.ts";
import type { Goes, Graph, GraphNode } from "../../../picture/graph.ts";
import { Said } from "../../parts/said.tsx";

type ListProps = {
  readonly graph: Graph;
  readonly denied: TopologyView["denied"];
  readonly onGo: (goes: Goes) => void;
};

/** The same as the picture, in words: for narrow screens and for screen readers. */
export function MapList({ graph, denied, onGo }: ListProps): JSX.Element {
  const below = Map.groupBy(graph.edges, ({ from }) => from);
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const kids = (id: string): readonly GraphNode[] => (below.get(id) ?? []).flatMap(({ to }) => nodes.get(to) ?? []);
  return (
    <div class="map-list">
      <Sources graph={graph} />
      <h2>Hosts</h2>
      <ul>
        {graph.nodes
          .filter(({ layer }) => layer === "host")
          .map((host) => (
            <li key={host.id}>
              <Name node={host} onGo={onGo} />
              {kids(host.id).length === 0 ? null : (
                <ul>
                  {kids(host.id).map((network) => (
                    <li key={network.id} class={`map-${network.tone}`}>
                      <Name node={network} onGo={onGo} />
                      <ul>
                        {kids(network.id).map((each) => (
                          <li key={each.id} class={`map-${each.tone}`}>
                            <Name node={each} onGo={onGo} />
                          </li>
                        ))}
                      </ul>
                    </li>
                  ))}
                </ul>
              )}
            </li>
          ))}
      </ul>
      {denied.length === 0 ? null : (
        <>
          <h2>Denied in the last five minutes</h2>
          <ul>
            {denied.slice(0, 50).map((flow) => (
              <li key={`${flow.from} ${flow.to} ${flow.transport} ${flow.port}`}>
                <span class="mono">{flow.example}</span> → <span class="mono">{flow.to}</span> {flow.transport}
                {flow.port === undefined ? "" : ` ${flow.port}`}, {flow.count}×
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

function Sources({ graph }: { readonly graph: Graph }): JSX.Element {
  return (
    <>
      <h2>From outside</h2>
      <ul>
        {graph.nodes
          .filter(({ layer }) => layer === "source")
          .map((source) => (
            <li key={source.id}>
              <b>
                <Said text={source.label} />
              </b>
              : {numbered(countOf(graph, source.id, "open") + countOf(graph, source.id, "proved"), "opening")},{" "}
              {numbered(countOf(graph, source.id, "denied"), "packet")} denied in five minutes
            </li>
          ))}
      </ul>
    </>
  );
}

function Name({ node, onGo }: { readonly node: GraphNode; readonly onGo: ListProps["onGo"] }): JSX.Element {
  const { goes } = node;
  return (
    <>
      {goes === undefined ? (
        <b>
          <Said text={node.label} />
        </b>
      ) : (
        <button type="button" class="link" onClick={() => onGo(goes)}>
          <Said text={node.label} />
        </button>
      )}{" "}
      <span class="mono">{node.detail}</span>
      {node.marks.map((mark) => (
        <span key={mark} class="map-remark">
          {mark}
        </span>
      ))}
    </>
  );
}

function countOf({ edges }: Graph, id: string, kind: "proved" | "open" | "denied"): number {
  return edges.filter((edge) => edge.from === id && edge.kind === kind).reduce((sum, { count }) => sum + count, 0);
}

function numbered(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
