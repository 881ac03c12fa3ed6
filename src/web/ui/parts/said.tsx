import type { JSX } from "preact";
import { printable } from "../../../base/printable.ts";

/**
 * Text that a host, a container or a person chose, written as the command line writes it: what could reorder it or hide
 * in it is shown as `\u{202e}`. Isolated, so that letters that run from right to left reorder nothing beside them.
 */
export function Said({ text }: { readonly text: string }): JSX.Element {
  return <bdi>{printable(text)}</bdi>;
}

/** A sentence of ours with commands in backticks: `sixgate doctor`. */
export function Prose({ text }: { readonly text: string }): JSX.Element {
  return (
    <bdi>
      {printable(text)
        .split(/`([^`]+)`/)
        // Every second part stood between backticks; the parts of a text never move.
        .map((part, at) => (at % 2 === 0 ? part : <code key={`${at}`}>{part}</code>))}
    </bdi>
  );
}

type WhoseProps = { readonly host: string; readonly name: string | undefined };

/** `vm1/web`: whose a row is. */
export function Whose({ host, name }: WhoseProps): JSX.Element {
  return (
    <>
      <span class="host">{host}/</span>
      {name === undefined ? "—" : <Said text={name} />}
    </>
  );
}
