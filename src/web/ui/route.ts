import { type Signal, signal } from "@preact/signals";

/** `#/openings?q=web`: the screen's id, and what it was told. */
export type Place = { readonly screen: string; readonly query: URLSearchParams };

export const place: Signal<Place> = signal(read());
addEventListener("hashchange", () => {
  place.value = read();
});

/** What a link to a screen has in its `href`. */
export function linkTo(screen: string, query: Readonly<Record<string, string>> = {}): string {
  const told = new URLSearchParams(query).toString();
  return `#/${screen}${told === "" ? "" : `?${told}`}`;
}

function read(): Place {
  const [, screen = "", told = ""] = /^#\/([a-z]*)(?:\?(.*))?$/.exec(location.hash) ?? [];
  return { screen, query: new URLSearchParams(told) };
}
