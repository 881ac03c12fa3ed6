import { printable } from "../../../../base/printable.ts";
import type { Opening } from "../../store/views.ts";

type Of = Pick<Opening, "host" | "container" | "to">;

/** The names that Docker gives containers. A report may hold any other text. */
const plain = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;

/** What `sixgate open` takes: `vm1/web`, or the address where no container has it or its name is no such name. */
export function targetOf({ host, container, to }: Of): string {
  return container !== undefined && plain.test(container.name) ? `${host}/${container.name}` : to;
}

/** The same for people, with whatever the container is called. */
export function targetText({ host, container, to }: Of): string {
  return container === undefined ? to : `${host}/${printable(container.name)}`;
}
