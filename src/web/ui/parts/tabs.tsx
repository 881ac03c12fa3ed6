import type { JSX } from "preact";

export type Tab = { readonly id: string; readonly title: string; readonly count?: number; readonly href: string };

/** Lists of one screen. They are links: a tab has an address of its own, to send to somebody. */
export function Tabs({
  label,
  tabs,
  current,
}: {
  readonly label: string;
  readonly tabs: readonly Tab[];
  readonly current: string;
}): JSX.Element {
  return (
    <nav class="tabs" aria-label={label}>
      {tabs.map(({ id, title, count, href }) => (
        <a key={id} href={href} aria-current={id === current ? "true" : undefined}>
          {title} {count !== undefined && <span class="count">{count.toLocaleString("en")}</span>}
        </a>
      ))}
    </nav>
  );
}
