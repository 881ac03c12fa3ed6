import type { JSX } from "preact";
import type { Counters } from "../../../routes/traffic.ts";
import { lengthText, now } from "../../store/clock.ts";
import { SeenRows, useSeen } from "../../store/seen-rows.ts";

const traffic: SeenRows<Counters> = new SeenRows<Counters>("/api/v1/traffic");
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** Packets that began a flow through an opening. Not known is not 0. */
export function Packets({ id }: { readonly id: string }): JSX.Element {
  const counters = useSeen(traffic, id);
  if (counters?.packets === undefined)
    return (
      <span class="faint" title={counters?.why ?? "Not read yet"}>
        {counters?.why === undefined ? "…" : "unknown"}
      </span>
    );
  const { packets, bytes = 0, at } = counters;
  const read = at === undefined ? "" : `, read ${lengthText(Math.max(0, now.value - at))} ago`;
  return (
    <span
      class={packets === 0 ? "faint" : ""}
      title={`${packets.toLocaleString("en")} packets that began a flow, ${bytes.toLocaleString("en")} bytes${read}`}
    >
      {compact.format(packets)}
    </span>
  );
}
