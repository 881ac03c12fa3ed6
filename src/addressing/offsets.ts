import type { AddressPlan } from "./address-plan.ts";

/** A plan whose addresses are texts that nobody can take for addresses: `+::2:0:0:0:1`, to be added to the prefix. */
export type OffsetPlan = Offsets<AddressPlan>;

type Offsets<T> = T extends string ? string : T extends object ? { readonly [K in keyof T]: Offsets<T[K]> } : T;

/** The plan of a fleet whose prefix is not in force, for programs. `delegated` is the length alone: `/56`. */
export function offsetsOf(plan: AddressPlan): OffsetPlan {
  const { uplink } = plan;
  return {
    ...plan,
    delegated: plan.delegated.replace(/^::/, ""),
    infrastructure: offset(plan.infrastructure),
    uplink: { block: offset(uplink.block), link: offset(uplink.link), address: offset(uplink.address) },
    hosts: plan.hosts.map((each) => ({
      ...each,
      block: offset(each.block),
      link: offset(each.link),
      gateway: offset(each.gateway),
      address: offset(each.address),
      networks: each.networks.map(({ name, index, prefix, gateway }) => ({
        name,
        index,
        prefix: offset(prefix),
        gateway: offset(gateway),
      })),
    })),
  };
}

function offset(text: string): string {
  return `+${text}`;
}
