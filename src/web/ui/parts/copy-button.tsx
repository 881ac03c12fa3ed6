import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { printable } from "../../../base/printable.ts";

/** Puts a text on the clipboard, as it is. */
export function CopyButton({
  text,
  class: name = "quiet",
}: {
  readonly text: string;
  readonly class?: string;
}): JSX.Element {
  const [copied, setCopied] = useState<string>();
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => setCopied(text),
      () => setCopied(undefined),
    );
  };
  return (
    <button type="button" class={name} onClick={copy} aria-label={`Copy ${printable(text)}`}>
      {copied === text ? "Copied" : "Copy"}
    </button>
  );
}
