import type { JSX, TargetedSubmitEvent } from "preact";
import { useState } from "preact/hooks";
import { CommandLine } from "./parts/command-line.tsx";
import { Troubles } from "./parts/troubles.tsx";
import { troublesOf } from "./store/ask.ts";
import { signIn } from "./store/session.ts";
import { session } from "./store/session-state.ts";
import type { Trouble } from "./store/views.ts";

/** The token is sent once and kept nowhere: from then on there is a cookie that scripts can't read. */
export function SignIn(): JSX.Element {
  const [troubles, setTroubles] = useState<readonly Trouble[]>([]);
  const [isBusy, setBusy] = useState(false);
  const submit = (event: TargetedSubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const token = new FormData(event.currentTarget).get("token");
    if (typeof token !== "string" || token.trim() === "") return;
    setBusy(true);
    signIn(token.trim()).catch((thrown: unknown) => {
      setTroubles(troublesOf(thrown));
      setBusy(false);
    });
  };
  const now = session.value;
  return (
    <main class="sign-in">
      <h1>sixgate</h1>
      {now.state === "out" && now.ended === true && <p role="status">The session has ended. Sign in again.</p>}
      {now.state === "out" && now.usedLink === true && (
        <p role="status">That link does not hold: it works once, and for five minutes.</p>
      )}
      <form onSubmit={submit}>
        <label for="token">Token</label>
        <input id="token" name="token" type="password" autocomplete="off" spellcheck={false} required />
        <button type="submit" class="main" disabled={isBusy}>
          Sign in
        </button>
      </form>
      <Troubles of={troubles} />
      <p class="hint">On the controller's machine this prints a link that signs in; for a lab, with --lab:</p>
      <CommandLine text="sixgate page" />
      <p class="hint">For somebody else an admin makes a token. It is sent once, and this browser keeps none:</p>
      <CommandLine text="sixgate token create NAME --role viewer" />
    </main>
  );
}
