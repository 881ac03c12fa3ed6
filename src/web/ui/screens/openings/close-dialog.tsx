import type { JSX, TargetedSubmitEvent } from "preact";
import { useState } from "preact/hooks";
import { CommandLine, shellWord } from "../../parts/command-line.tsx";
import { Dialog } from "../../parts/dialog.tsx";
import { announce } from "../../parts/live-region.tsx";
import { Troubles } from "../../parts/troubles.tsx";
import { post, troublesOf } from "../../store/ask.ts";
import { openings } from "../../store/openings.ts";
import { type Opening, serviceText, type Trouble } from "../../store/views.ts";
import { targetText } from "./target.ts";

type Props = { readonly opening: Opening; readonly onClose: () => void };

/** `sixgate close`: live connections are cut. */
export function CloseDialog({ opening, onClose }: Props): JSX.Element {
  const [reason, setReason] = useState("");
  const [troubles, setTroubles] = useState<readonly Trouble[]>([]);
  const [isBusy, setBusy] = useState(false);
  const { id } = opening;
  const what = `${serviceText(opening.service)} of ${targetText(opening)}`;
  const submit = (event: TargetedSubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    setBusy(true);
    post(`/api/v1/openings/${encodeURIComponent(id)}/close`, { reason }).then(
      () => {
        openings.remove(id);
        announce(`Closed ${what}`);
        onClose();
      },
      (thrown: unknown) => {
        setTroubles(troublesOf(thrown));
        setBusy(false);
      },
    );
  };
  return (
    <Dialog title={`Close ${what}`} onClose={onClose}>
      <form onSubmit={submit}>
        <p>Its live connections are cut.</p>
        <label>
          <span>Because</span>
          <input
            name="reason"
            value={reason}
            required
            autocomplete="off"
            placeholder="stands in the journal"
            onInput={(event) => setReason(event.currentTarget.value)}
          />
        </label>
        <Troubles of={troubles} />
        <CommandLine
          text={`sixgate close ${shellWord(id)} --because ${shellWord(reason === "" ? "REASON" : reason)}`}
        />
        <footer>
          <button type="submit" class="main" disabled={isBusy}>
            {isBusy ? "Closing…" : "Close it"}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
