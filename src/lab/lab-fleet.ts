import type { Docker, Fleet } from "../fleet/fleet.ts";

/** In what a lab differs from the fleet file: what runs in it is what this machine has. */
export type LabTerms = {
  /** Without root systemd-networkd can't run (it drops to users that are not mapped): the same links by ifupdown2. */
  readonly rootless: boolean;
  /** The version of the engine that really runs; decides what its daemon.json may say. */
  readonly engine?: Docker["engine"];
};

/** The fleet as the lab has it. Addresses, policy and openings are the file's own. */
export function labFleet(fleet: Fleet, terms: LabTerms): Fleet {
  const network = terms.rootless ? "ifupdown" : undefined;
  const hosts = new Map(
    [...fleet.hosts].map(([name, host]) => [
      name,
      {
        ...host,
        network: network ?? host.network,
        docker: { ...host.docker, engine: terms.engine ?? host.docker.engine },
      },
    ]),
  );
  const known = withoutApis(fleet);
  return { ...known, gateway: { ...known.gateway, network: network ?? known.gateway.network }, hosts };
}

/** The lab's hypervisor is a machine with ifupdown2, and its provider is nobody's web service. */
export function withoutApis(fleet: Fleet): Fleet {
  const { api: _robot, ...provider } = fleet.provider;
  const hypervisors = [...fleet.hypervisors].map(
    ([name, { api: _api, exec: _exec, ...rest }]) => [name, rest] as const,
  );
  return { ...fleet, provider, hypervisors: new Map(hypervisors) };
}
