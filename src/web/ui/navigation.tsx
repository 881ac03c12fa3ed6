import type { JSX } from "preact";
import { printable } from "../../base/printable.ts";
import { Said } from "./parts/said.tsx";
import { linkTo } from "./route.ts";
import { screens } from "./screens.ts";
import { signOut } from "./store/session.ts";
import { session } from "./store/session-state.ts";
import { status } from "./store/status.ts";

export function Navigation({ current }: { readonly current: string }): JSX.Element {
  const who = session.value;
  return (
    <header class="top">
      <a class="brand" href={linkTo(screens[0]?.id ?? "")}>
        <b>sixgate</b> <span class="fleet">{status.value?.fleet ?? ""}</span>
      </a>
      <nav class="screens" aria-label="Screens">
        {screens.map(({ id, title }) => (
          <a key={id} href={linkTo(id)} aria-current={id === current ? "page" : undefined}>
            {title}
          </a>
        ))}
      </nav>
      <div class="person">
        {who.state === "in" && (
          <span class="who" title={`Signed in as ${printable(who.name)}, ${who.role}`}>
            <Said text={who.name} /> <span class="role">{who.role}</span>
          </span>
        )}
        <button type="button" class="quiet" onClick={() => void signOut()}>
          Sign out
        </button>
      </div>
    </header>
  );
}
