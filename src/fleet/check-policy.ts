import type { HostName } from "../base/name.ts";
import { didYouMean } from "../base/nearest.ts";
import { quote } from "../base/quote.ts";
import { address4Of } from "../net/ipv4.ts";
import { PrefixSet } from "../net/prefix-set.ts";
import type { AllowRule, OpeningPolicy } from "../openings/policy.ts";
import { coverService, firstOverlap, formatService } from "../openings/services.ts";
import type { Findings } from "./findings.ts";
import type { Fleet } from "./fleet.ts";
import type { FleetFile } from "./schema.ts";

/** What may be opened, against hosts, openings and itself; and the controller that it needs. */
export function checkPolicy(fleet: Fleet, file: FleetFile, findings: Findings): void {
  checkRuleHosts(fleet, file, findings);
  checkRuleNames(file, findings);
  checkNever(fleet, findings);
  checkEffect(fleet.policy.openings, file, findings);
  checkController(fleet, findings);
}

function checkRuleHosts(fleet: Fleet, file: FleetFile, findings: Findings): void {
  const known = [...fleet.hosts.keys()];
  for (const [i, { hosts }] of file.policy.allow.entries()) {
    for (const name of hosts) {
      if (name === "*" || fleet.hosts.has(name as HostName)) continue;
      const text = `Unknown host ${quote(name)}${didYouMean(name, known)}`;
      findings.error("E224", ["policy", "allow", i, "hosts"], text, 'name keys of hosts, or "*" for all');
    }
  }
}

function checkRuleNames(file: FleetFile, findings: Findings): void {
  const taken = new Set<string>();
  for (const [i, { name }] of file.policy.allow.entries()) {
    if (name === undefined) continue;
    if (taken.has(name))
      findings.error(
        "E231",
        ["policy", "allow", i, "name"],
        `${quote(name)} is another rule already`,
        "choose another name: openings say by it what granted them",
      );
    taken.add(name);
  }
}

/** What the file opens by itself is held to `never` like everything else. */
function checkNever(fleet: Fleet, findings: Findings): void {
  const { never } = fleet.policy.openings;
  for (const { services, at } of fleet.openings) {
    for (const service of services) {
      const overlap = firstOverlap(never, service);
      if (overlap === undefined) continue;
      const text = `Opens ${formatService(service)}, which policy.never forbids (${formatService(overlap)})`;
      findings.errorAt("E242", at, text, "take it out of the opening, or out of policy.never");
    }
  }
}

function checkEffect(policy: OpeningPolicy, file: FleetFile, findings: Findings): void {
  // Where a rule was left out, places and rules don't match any more; there is an error anyway.
  if (policy.allow.length !== file.policy.allow.length) return;
  for (const [i, rule] of policy.allow.entries()) {
    const path = ["policy", "allow", i];
    for (const service of rule.services.filter((each) => coverService(policy.never, each)))
      findings.warning(
        "W211",
        [...path, "ports"],
        `${formatService(service)} is never opened: policy.never forbids it`,
        "take it out of the rule, or out of policy.never",
      );
    const earlier = policy.allow.slice(0, i).find((each) => grantsAll(each, rule));
    if (earlier !== undefined)
      findings.warning(
        "W211",
        path,
        `Rule ${earlier.id} before it grants all of this`,
        "take it away, or put it first",
      );
  }
}

/** Whether whatever `rule` could grant, `earlier` grants before it is asked. */
function grantsAll(earlier: AllowRule, rule: AllowRule): boolean {
  const { hosts } = earlier;
  const onHosts = hosts === "all" || (rule.hosts !== "all" && rule.hosts.every((each) => hosts.includes(each)));
  const lasts = earlier.longest === undefined || (rule.longest !== undefined && earlier.longest >= rule.longest);
  const from = PrefixSet.of(earlier.from);
  return (
    onHosts &&
    lasts &&
    rule.by.every((each) => earlier.by.includes(each)) &&
    rule.services.every((each) => coverService(earlier.services, each)) &&
    rule.from.every((each) => from.contains(each))
  );
}

function checkController(fleet: Fleet, findings: Findings): void {
  const { controller, gateway, policy } = fleet;
  if (controller === undefined) {
    if (policy.openings.allow.length > 0)
      findings.warning(
        "W212",
        ["policy", "allow"],
        "Nothing acts on these rules: the fleet has no controller",
        "add controller: {}, or write what is to be open under openings",
      );
    return;
  }
  const path = ["controller", "agent-port"];
  if (controller.agentPort === controller.apiPort)
    findings.error("E243", path, `${controller.agentPort} is the API's port too`, "give each a port of its own");
  for (const [key, port] of [
    ["agent-port", controller.agentPort],
    ["api-port", controller.apiPort],
  ] as const)
    if (port === 22)
      findings.error(
        "E243",
        ["controller", key],
        "22 is the gateway's own port for SSH",
        "use another, for example 6464",
      );
  checkControllerAddress(fleet, findings);
  if (gateway.management === undefined) return;
  for (const { name, management } of fleet.hosts.values())
    if (management?.ipv4 === undefined)
      findings.warning(
        "W213",
        ["hosts", name],
        `The controller listens on the management network, where ${name} has no address: its agent can't reach it`,
        `add hosts.${name}.management with an ipv4 address`,
      );
}

/** On the gateway it has the gateway's; beside it one of its own, which is no host's: a host must not decide what is open. */
function checkControllerAddress({ controller, gateway, hosts }: Fleet, findings: Findings): void {
  const path = ["controller", "address"];
  const address = controller?.address;
  if (gateway.kind === "nftables") {
    if (address !== undefined)
      findings.error("E595", path, "The controller of a Linux gateway runs on the gateway itself", "take address away");
    return;
  }
  if (address === undefined) {
    findings.error(
      "E596",
      ["controller"],
      `Beside a gateway of kind ${gateway.kind}, the controller's own address is not known: no agent could reach it`,
      "add address: with the IPv4 address of the machine that it runs on, on the management network",
    );
    return;
  }
  const taken = [
    ...(gateway.management?.ipv4 === undefined ? [] : [{ whose: "the gateway", ipv4: gateway.management.ipv4 }]),
    ...[...hosts.values()].flatMap(({ name, management }) =>
      management?.ipv4 === undefined ? [] : [{ whose: `host ${name}`, ipv4: management.ipv4 }],
    ),
  ].find(({ ipv4 }) => address4Of(ipv4) === address);
  if (taken !== undefined)
    findings.error("E597", path, `${address} is ${taken.whose}`, "run the controller on a machine of its own");
}
