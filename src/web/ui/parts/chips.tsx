import type { JSX } from "preact";

type Props<T extends string> = {
  readonly label: string;
  readonly all: readonly T[];
  readonly chosen: ReadonlySet<T>;
  readonly onChange: (chosen: ReadonlySet<T>) => void;
};

/** Kinds to show or leave out. */
export function Chips<T extends string>({ label, all, chosen, onChange }: Props<T>): JSX.Element {
  return (
    <fieldset class="chips" aria-label={label}>
      <span class="chips-name" aria-hidden="true">
        {label}
      </span>
      {all.map((each) => (
        <button
          type="button"
          key={each}
          aria-pressed={chosen.has(each)}
          onClick={() => onChange(chosen.symmetricDifference(new Set([each])))}
        >
          {each}
        </button>
      ))}
    </fieldset>
  );
}
