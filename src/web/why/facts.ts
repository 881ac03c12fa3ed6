import type { Diagnostic } from "../../base/diagnostic.ts";
import { Failure } from "../../base/failure.ts";
import type { HostName } from "../../base/name.ts";
import type { Instant } from "../../base/time.ts";
import type {
  AgentView,
  Basis,
  Controller,
  OpeningView,
  RefusalView,
  SuggestionView,
} from "../../controller/controller.ts";
import type { Address } from "../../net/address.ts";
import type { ContainerReport } from "../../openings/container-report.ts";
import type { DecisionContext } from "../../openings/decide.ts";
import type { OpenService } from "../../openings/opening.ts";
import type { Spot } from "./question.ts";

/** What is known of a spot and its host at one moment. */
export type Facts = {
  readonly basis: Basis;
  readonly agent: AgentView | undefined;
  readonly containers: readonly ContainerReport[];
  readonly openings: readonly OpeningView[];
  readonly refusals: readonly RefusalView[];
  readonly suggestions: readonly SuggestionView[];
  /** What the gateway holds at the address, or why it can't be read: unknown is not nothing. */
  readonly inForce:
    | { readonly ok: true; readonly services: readonly OpenService[] }
    | { readonly ok: false; readonly why: Diagnostic };
  readonly gateway: { readonly reached: boolean; readonly drift: number };
  readonly context: DecisionContext;
  readonly now: Instant;
};

export async function factsOf(spot: Spot, controller: Controller, now: Instant): Promise<Facts> {
  const basis = controller.basis();
  return {
    basis,
    agent: controller.agents().find((each) => each.host === spot.host),
    containers: controller.containers(spot.host),
    openings: controller.openings(spot.host),
    refusals: controller.refusals(spot.host),
    suggestions: controller.suggestions(spot.host),
    inForce: await readInForce(spot.to, controller),
    gateway: controller.status().gateway,
    context: contextOf(basis, controller),
    now,
  };
}

/** Milliseconds that a question waits for the gateway. */
const patience = 10_000;

async function readInForce(to: Address, controller: Controller): Promise<Facts["inForce"]> {
  try {
    return { ok: true, services: await controller.inForce(to, AbortSignal.timeout(patience)) };
  } catch (cause) {
    if (cause instanceof Failure) return { ok: false, why: cause.diagnostic };
    if (!(cause instanceof Error) || cause.name !== "TimeoutError") throw cause;
    return {
      ok: false,
      why: new Failure("E503", "gateway", `Not read within ${patience / 1000} s`, "ask again").diagnostic,
    };
  }
}

function contextOf({ fleet, plan }: Basis, controller: Controller): DecisionContext {
  const grounds = plan.hosts.map(
    ({ host, block, gateway, address }) => [host, { block, own: [gateway, address] }] as const,
  );
  return {
    groups: fleet.groups,
    hosts: new Map(grounds),
    containers: (name, host) => addressesOf(name, host === undefined ? controller.hosts() : [host], controller),
  };
}

/** Looked up only when a rule names a container for its source. */
function addressesOf(name: string, hosts: readonly HostName[], controller: Controller): readonly Address[] {
  return hosts.flatMap((host) =>
    controller
      .containers(host)
      .filter((each) => each.name === name || each.project === name)
      .flatMap((each) => each.endpoints.map(({ address }) => address)),
  );
}
