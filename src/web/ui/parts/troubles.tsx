import type { JSX } from "preact";
import type { Trouble } from "../store/views.ts";
import { Prose, Said } from "./said.tsx";

/** Errors as the API gave them: code, what was found, what to do. Nothing when there are none. */
export function Troubles({ of }: { readonly of: readonly Trouble[] }): JSX.Element | null {
  if (of.length === 0) return null;
  return (
    <div class="troubles" role="alert">
      {of.map(({ code, at, text, fix }) => (
        <div class="trouble" key={`${code} ${at} ${text}`}>
          <p>
            {code !== "" && <code>{code}</code>} <Said text={text} />{" "}
            <span class="at">
              <Said text={at} />
            </span>
          </p>
          <p class="fix">
            <Prose text={fix} />
          </p>
        </div>
      ))}
    </div>
  );
}
