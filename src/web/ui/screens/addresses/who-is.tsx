import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { OwnerView } from "../../../numbers/numbers-schema.ts";
import { SearchBox } from "../../parts/search-box.tsx";
import { Troubles } from "../../parts/troubles.tsx";
import { get, troublesOf } from "../../store/ask.ts";
import type { Trouble } from "../../store/views.ts";
import { AskPort } from "../ask-port.tsx";

/** "Who is 2001:…?": from the prefix down to whoever has it. `asked` is put into the box and asked at once. */
export function WhoIs({ asked }: { readonly asked: string | undefined }): JSX.Element {
  const text = useSignal("");
  const found = useSignal<OwnerView | undefined>(undefined);
  const troubles = useSignal<readonly Trouble[]>([]);
  const ask = async (address: string): Promise<void> => {
    found.value = undefined;
    troubles.value = [];
    if (address === "") return;
    try {
      const answer = await get<OwnerView>(`/api/v1/who?${new URLSearchParams({ address }).toString()}`);
      if (text.value.trim() === address) found.value = answer;
    } catch (thrown) {
      troubles.value = troublesOf(thrown);
    }
  };
  useEffect(() => {
    if (asked === undefined) return;
    text.value = asked;
    void ask(asked);
  }, [asked]);
  return (
    <>
      <form
        class="tools who-is"
        role="search"
        aria-label="Who is"
        onSubmit={(event) => {
          event.preventDefault();
          void ask(text.value.trim());
        }}
      >
        <span aria-hidden="true">Who is</span>
        <SearchBox label="Who is 2001:…" value={text.value} onInput={(typed) => (text.value = typed)} />
        <button type="submit">Ask</button>
      </form>
      <div class="who-answer" aria-live="polite">
        <Troubles of={troubles.value} />
        {found.value === undefined ? null : <Owner owner={found.value} />}
      </div>
    </>
  );
}

function Owner({ owner }: { readonly owner: OwnerView }): JSX.Element {
  const count = owner.openings.length;
  return (
    <div class="card">
      <p>
        <b>{owner.text}</b> <span class="faint">{count === 0 ? "Nothing is open there." : `${count} open there.`}</span>
      </p>
      <ol class="who-steps">
        {owner.steps.map((step) => (
          <li key={`${step.what} ${step.prefix}`}>
            <code>{step.prefix}</code> <span class="faint">{step.name}</span>
          </li>
        ))}
        <li>
          <code>{owner.address}</code>
        </li>
      </ol>
      {owner.host === undefined ? null : <AskPort address={owner.address} />}
    </div>
  );
}
