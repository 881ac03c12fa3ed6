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
  return { ...fleet, gateway: { ...fleet.gateway, network: network ?? fleet.gateway.network }, hosts };
}
