import type { Opening } from "../../store/views.ts";

/** `vm1/web`, or the address where no container has it: what `sixgate open` takes. */
export function targetOf({ host, container, to }: Pick<Opening, "host" | "container" | "to">): string {
  return container === undefined ? to : `${host}/${container.name}`;
}
