import { Failure } from "../base/failure.ts";
import type { Fleet } from "../fleet/fleet.ts";
import { parseFleet } from "../fleet/parse-fleet.ts";
import { labFleet } from "./lab-fleet.ts";
import type { Node } from "./node.ts";
import { isRootless } from "./rootless.ts";
import { type LabState, livingNodes, readState } from "./state.ts";
import type { Nodes } from "./wiring.ts";

/** A lab that runs, found again. */
export type OpenLab = { readonly state: LabState; readonly nodes: Nodes; readonly fleet: Fleet };

/** The running lab of that name; rejects with E707 when there is none or a part of it died. */
export async function openLab(name: string): Promise<OpenLab> {
  const state = await readState(name);
  const fix = "`sixgate lab up --detach` starts one";
  if (state === undefined) throw new Failure("E707", `lab ${name}`, "No lab of this name runs", fix);
  const living: readonly Node[] = await livingNodes(state);
  if (living.length < state.nodes.length || state.upSince === undefined) {
    const gone = state.nodes
      .filter((record) => !living.some((node) => node.name === record.name))
      .map((record) => record.name);
    throw new Failure(
      "E707",
      `lab ${name}`,
      gone.length > 0 ? `Its nodes ended: ${gone.join(", ")}` : "It is still coming up",
      "`sixgate lab down`, then `sixgate lab up --detach`",
    );
  }
  const fleet = parseFleet(
    state.fleetText,
    state.fleetFile,
    state.prefix === undefined ? undefined : { text: state.prefix, at: `lab ${name}` },
  );
  if (!fleet.ok)
    throw new Failure(
      "E701",
      state.fleetFile,
      "The fleet file of the lab can't be read any more",
      "`sixgate lab down` ends it",
    );
  return {
    state,
    nodes: new Map(living.map((node) => [node.name, node])),
    fleet: labFleet(fleet.value, {
      rootless: isRootless(),
      ...(state.engine === undefined ? {} : { engine: state.engine }),
    }),
  };
}
