import { betweenMarks, withBetween } from "./marks.ts";

/** A screen of the page that the manual shows, in docs/pictures, light and dark. */
export type Screen = {
  readonly name: "map" | "openings" | "why" | "addresses" | "plan" | "activity";
  /** What is on the picture, for those who don't see it. */
  readonly words: string;
};

export const schemes = ["light", "dark"] as const;
export type Scheme = (typeof schemes)[number];

export const screens: readonly Screen[] = [
  {
    name: "map",
    words:
      "The page's map of a running lab: from the Internet and the office through the gateway to two hosts and their containers, some open, one refused, the rest closed",
  },
  { name: "openings", words: "What is open, who asked for it, which rule of the policy granted it, and until when" },
  {
    name: "why",
    words: "Why a port is open, link by link: address, request, decision, the gateway's element, host, proof",
  },
  { name: "addresses", words: "The address plan: each host's block, its networks, and the 4,096 blocks of the prefix" },
  { name: "plan", words: "The fleet file, what would change on the devices, and the fleet's own tests" },
  { name: "activity", words: "The journal: who did what, and when" },
];

/** One size for all: that of a small laptop's screen. */
export const viewport = { width: 1440, height: 900 };

export const folder = "docs/pictures";

export function fileOf(name: Screen["name"], scheme: Scheme): string {
  return `${name}-${scheme}.png`;
}

/** A page of the manual with the picture of each screen for which it has marks. `at`: the way from it to the folder. */
export function withPictures(page: string, at: string): string {
  return screens.reduce((text, screen) => {
    const mark = `picture ${screen.name}`;
    return betweenMarks(text, mark) === undefined ? text : withBetween(text, mark, pictureMarkup(screen, at));
  }, page);
}

/** Light or dark as the reader has it, where the page that shows the text can do that. */
function pictureMarkup({ name, words }: Screen, at: string): string {
  return `<picture>
  <source media="(prefers-color-scheme: dark)" srcset="${at}/${fileOf(name, "dark")}">
  <img alt="${words}" src="${at}/${fileOf(name, "light")}">
</picture>`;
}
