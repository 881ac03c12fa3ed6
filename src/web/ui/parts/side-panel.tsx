import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

type Props = { readonly title: string; readonly onClose: () => void; readonly children: ComponentChildren };

/** Beside the screen, which stays usable. Focus goes into it when it opens and back when it closes; Escape closes it. */
export function SidePanel({ title, onClose, children }: Props): JSX.Element {
  const panel = useRef<HTMLElement>(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement;
    panel.current?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <aside
      ref={panel}
      class="side-panel"
      tabIndex={-1}
      aria-labelledby={id}
      onKeyDown={(event) => event.key === "Escape" && onClose()}
    >
      <header>
        <h2 id={id}>{title}</h2>
        <button type="button" class="quiet" aria-label="Close the panel" onClick={onClose}>
          Close
        </button>
      </header>
      {children}
    </aside>
  );
}
