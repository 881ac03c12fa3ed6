import type { JSX } from "preact";
import type { ReviewView } from "../../../planner/schema.ts";
import { Said } from "../../parts/said.tsx";
import { linesOf, worstOf } from "./lines.ts";

const words = { bad: "wrong", change: "warning", good: "tested" } as const;

/** Read-only: the file is the truth, and it is changed where it is kept. */
export function FleetFile({ review }: { readonly review: ReviewView }): JSX.Element {
  const apart = review.findings.filter(({ at }) => !/:\d+:\d+/.test(at));
  return (
    <section aria-labelledby="file-title">
      <h2 id="file-title">
        <span class="mono">{review.file}</span>
      </h2>
      {apart.map(({ code, at, text, fix }) => (
        <p key={`${code} ${at} ${text}`} class="notice">
          <b>{code}</b> {at}: {text}. {fix}
        </p>
      ))}
      <div class="file" tabIndex={0} role="region" aria-label="The fleet file, scrolls">
        <ol>
          {linesOf(review).map(({ number, text, marks }) => {
            const worst = worstOf(marks);
            return (
              <li key={number} class={worst === undefined ? "" : `file-${worst}`}>
                <code>{text === "" ? " " : <Said text={text.replace(/\r$/, "")} />}</code>
                {worst === undefined ? null : (
                  <ul class="file-marks" aria-label={words[worst]}>
                    {marks.slice(0, 12).map((mark) => (
                      <li key={mark.text} class={`mark-${mark.tone}`}>
                        {mark.text}
                      </li>
                    ))}
                  </ul>
                )}
              </li>
            );
          })}
        </ol>
      </div>
    </section>
  );
}
