import type { EngineDesired } from "./desired.ts";
import type { HostPair } from "./host-pair.ts";

export function deriveEngine({ host, plan }: HostPair): EngineDesired {
  return {
    layer: "engine",
    device: host.name as string as EngineDesired["device"],
    driver: "docker",
    engine: host.docker.engine,
    profile: host.docker.profile,
    block: plan.block,
    uplink: host.public.device,
    networks: plan.networks.map(({ name, prefix, gateway }) => ({
      name,
      prefix,
      gateway,
      internal: host.docker.networks.get(name)?.internal ?? false,
    })),
  };
}
