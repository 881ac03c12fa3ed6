import type { JSX } from "preact";
import { Dialog } from "../../parts/dialog.tsx";
import { Said } from "../../parts/said.tsx";

import type { JournalEntry } from "../../store/views.ts";
import { fieldsOf, timeText } from "./entry-text.ts";

/** One entry of the journal, field by field, with the hash that it is chained by. */
export function Entry({ entry, onClose }: { readonly entry: JournalEntry; readonly onClose: () => void }): JSX.Element {
  const { sequence, at, who, what, hash } = entry;
  return (
    <Dialog title={`Entry ${sequence}`} onClose={onClose}>
      <dl class="fields">
        <Field name="When (UTC)" text={timeText(at)} />
        <Field name="Who" text={who} />
        <Field name="What" text={what} />
        {fieldsOf(entry).map(([key, text]) => (
          <Field key={key} name={key} text={text} />
        ))}
        <Field name="hash" text={hash} />
      </dl>
    </Dialog>
  );
}

function Field({ name, text }: { readonly name: string; readonly text: string }): JSX.Element {
  return (
    <div>
      <dt>
        <Said text={name} />
      </dt>
      <dd>
        <Said text={text} />
      </dd>
    </div>
  );
}
