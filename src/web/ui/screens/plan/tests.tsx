import type { JSX } from "preact";
import type { ReviewView } from "../../../planner/schema.ts";

/** The fleet's tests, asked of the rules that the file makes. Failures first, with the packet and what decided. */
export function Tests({ review }: { readonly review: ReviewView }): JSX.Element {
  const failed = review.tests.filter(({ passed }) => !passed);
  const passed = review.tests.filter((test) => test.passed);
  return (
    <section aria-labelledby="tests-title">
      <h2 id="tests-title">
        Tests{" "}
        {review.tests.length === 0 ? null : (
          <span class={failed.length === 0 ? "badge good" : "badge bad"}>
            {passed.length} of {review.tests.length} pass
          </span>
        )}
      </h2>
      {review.unasked === undefined ? null : <p class="notice">{review.unasked}</p>}
      {review.tests.length === 0 && review.unasked === undefined ? (
        <p class="faint">
          The fleet file has no <code>tests:</code>. They say what must be open and what closed, and every plan is held
          to them.
        </p>
      ) : null}
      <ul class="tests">
        {[...failed, ...passed].map(({ at, name, what, want, passed: ok, because }) => (
          <li key={`${at} ${what} ${want}`} class={ok ? "" : "test-fails"}>
            <span class={ok ? "badge good" : "badge bad"}>{ok ? "PASS" : "FAIL"}</span>{" "}
            <span>
              {name} <b>{what}</b> {want}
            </span>
            {because.length === 0 ? null : <pre tabIndex={0}>{because.join("\n")}</pre>}
          </li>
        ))}
      </ul>
    </section>
  );
}
