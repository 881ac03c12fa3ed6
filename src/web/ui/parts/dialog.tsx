import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { Said } from "./said.tsx";

type Props = { readonly title: string; readonly onClose: () => void; readonly children: ComponentChildren };

/** The browser's own modal dialog: focus stays in it, Escape closes it, and goes back to where it was. */
export function Dialog({ title, onClose, children }: Props): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onClose}>
      <header>
        <h2 id={id}>
          <Said text={title} />
        </h2>
        <button type="button" class="quiet" aria-label="Close the dialog" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </header>
      {children}
    </dialog>
  );
}
