import type { JSX } from "preact";
import { CopyButton } from "./copy-button.tsx";
import { Said } from "./said.tsx";

/** What to type for the same thing, with a button that copies it. */
export function CommandLine({ text }: { readonly text: string }): JSX.Element {
  return (
    <div class="command">
      <code>
        <Said text={text} />
      </code>
      <CopyButton text={text} />
    </div>
  );
}

/** One word for a POSIX shell: what hosts and containers are called is nobody's code. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./[\]-]+$/.test(text) && !/[[\]]/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
