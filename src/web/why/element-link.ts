import { PrefixSet } from "../../net/prefix-set.ts";
import type { OpenService, Service } from "../../openings/opening.ts";
import { coverService, formatService } from "../../openings/services.ts";
import { letsIn, listed, openingsAt } from "./ask-links.ts";
import type { Facts } from "./facts.ts";
import { holds, type Link, missing, unknown } from "./link.ts";
import type { Spot } from "./question.ts";
import type { Vantage, wayOf } from "./vantage.ts";

/** Whether the gateway itself lets it in: read from it now, not remembered. */
export function elementLink(
  service: Service,
  vantage: Vantage,
  way: ReturnType<typeof wayOf>,
  spot: Spot,
  facts: Facts,
): Link {
  if (way === "inside-host")
    return unknown(
      "element",
      "Traffic inside one host never passes the gateway",
      `look at Docker's own filter on ${spot.host}`,
    );
  if (way === "between-hosts" && facts.basis.fleet.policy.betweenHosts === "open")
    return holds("element", "Hosts reach each other: policy.between-hosts is open");
  if (!facts.inForce.ok) {
    const { text, fix, code } = facts.inForce.why;
    return unknown("element", `The gateway can't be read: ${text}`, fix, code);
  }
  const here = facts.inForce.services.filter((each) => coverService([each.service], service));
  const open = PrefixSet.of(here.flatMap((each) => each.from));
  if (letsIn(open, vantage))
    return holds(
      "element",
      `The gateway lets ${formatService(service)} in from ${listed(open)}${endText(here, facts)}`,
    );
  const expected = openingsAt(service, spot, facts);
  const wanted = letsIn(PrefixSet.of(expected.flatMap((each) => each.from)), vantage);
  if (wanted && expected.some((each) => each.askedBy.kind === "fleet")) return staticLink(facts);
  const some = here.length === 0 ? `does not let ${formatService(service)} in` : `lets it in from ${listed(open)} only`;
  return wanted
    ? missing(
        "element",
        `The gateway ${some}, though it should`,
        "the controller puts back what it missed; `sixgate status` shows drift",
      )
    : missing("element", `The gateway ${some}`, "see the links above");
}

/** Openings of the fleet file lie in sets that belong to `apply`, not to the controller. */
function staticLink({ gateway }: Facts): Link {
  return gateway.reached && gateway.drift === 0
    ? holds("element", "In the sets that `sixgate apply` keeps; nothing drifted")
    : unknown(
        "element",
        "In the sets that `sixgate apply` keeps, and those were not read",
        "`sixgate diff gateway` compares them",
      );
}

function endText(here: readonly OpenService[], { now }: Facts): string {
  const ends = here.flatMap((each) => (each.ends === undefined ? [] : [each.ends]));
  if (ends.length < here.length || ends.length === 0) return "";
  return `, for ${Math.max(0, Math.round((Math.max(...ends) - now) / 1000))} s more`;
}
