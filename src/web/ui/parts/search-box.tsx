import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";

type Props = { readonly label: string; readonly value: string; readonly onInput: (text: string) => void };

/** `/` goes to it from anywhere but another field, Escape empties it. */
export function SearchBox({ label, value, onInput }: Props): JSX.Element {
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const hear = (event: KeyboardEvent): void => {
      const { target } = event;
      const isTyping = target instanceof Element && target.closest("input, textarea, select, dialog") !== null;
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping) return;
      event.preventDefault();
      box.current?.focus();
    };
    addEventListener("keydown", hear);
    return () => removeEventListener("keydown", hear);
  }, []);
  return (
    <input
      ref={box}
      class="search"
      type="search"
      aria-label={label}
      placeholder={`${label}  /`}
      value={value}
      spellcheck={false}
      autocomplete="off"
      onInput={(event) => onInput(event.currentTarget.value)}
      onKeyDown={(event) => event.key === "Escape" && onInput("")}
    />
  );
}
