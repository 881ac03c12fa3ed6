import { printable } from "../../../../base/printable.ts";
import { Whose } from "../../parts/said.tsx";
import type { Column } from "../../parts/virtual-table.tsx";
import { naturalKey } from "../../store/natural.ts";

type Named = { readonly host: string; readonly container: { readonly name: string } };

/** `vm1/web`, whole in its title where the column cuts it. */
export const containerColumn: Column<Named> = {
  id: "container",
  title: "Container",
  key: ({ host, container }) => naturalKey(`${host}/${container.name}`),
  cell: ({ host, container }) => (
    <span title={`${host}/${printable(container.name)}`}>
      <Whose host={host} name={container.name} />
    </span>
  ),
};
