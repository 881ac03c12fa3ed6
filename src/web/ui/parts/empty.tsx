import type { ComponentChildren, JSX } from "preact";

/** In the place of a list that has nothing: why that is, and what would change it. */
export function Empty({
  title,
  children,
}: {
  readonly title: string;
  readonly children?: ComponentChildren;
}): JSX.Element {
  return (
    <div class="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}
