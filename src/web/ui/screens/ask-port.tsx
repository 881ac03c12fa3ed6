import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { askWhy } from "../store/why.ts";

/** "Why is this port open, or closed?" for an address: the question needs a port, or `ping`. */
export function AskPort({ address }: { readonly address: string }): JSX.Element {
  const port = useSignal("443");
  return (
    <form
      class="ask-port"
      onSubmit={(event) => {
        event.preventDefault();
        const service = port.value.trim();
        if (service !== "") askWhy({ to: `[${address}]:${service}` });
      }}
    >
      <label>
        <span>Port</span>
        <input
          value={port.value}
          spellcheck={false}
          autocomplete="off"
          placeholder="443, 53/udp, ping"
          onInput={({ currentTarget }) => {
            port.value = currentTarget.value;
          }}
        />
      </label>
      <button type="submit">Why</button>
    </form>
  );
}
