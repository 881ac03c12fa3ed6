import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { Health } from "./health.tsx";
import { Navigation } from "./navigation.tsx";
import { Live } from "./parts/live-region.tsx";
import { place } from "./route.ts";
import { screens } from "./screens.ts";
import { SignIn } from "./sign-in.tsx";
import { startLive, stopLive } from "./store/live.ts";
import { followOpenings } from "./store/openings.ts";
import { followReview } from "./store/review.ts";
import { session } from "./store/session-state.ts";
import { followStatus } from "./store/status.ts";
import { WhyPanel } from "./why-panel.tsx";

/** The whole page: the sign-in, or the frame around one screen. */
export function Page(): JSX.Element {
  switch (session.value.state) {
    case "asking":
      return <main class="asking" aria-busy="true" aria-label="Signing in" />;
    case "out":
      return <SignIn />;
    case "in":
      return <Frame />;
  }
}

function Frame(): JSX.Element {
  useEffect(() => {
    const forget = [followStatus(), followReview(), followOpenings()];
    startLive();
    return () => {
      stopLive();
      for (const each of forget) each();
    };
  }, []);
  const { screen: id } = place.value;
  const screen = screens.find((each) => each.id === id) ?? screens[0];
  useEffect(() => {
    document.title = `${screen?.title ?? ""} · sixgate`;
  }, [screen]);
  if (screen === undefined) throw new Error("A page without screens");
  return (
    <div class="frame">
      <Navigation current={screen.id} />
      <Health />
      <main class="screen" key={screen.id} id="screen" tabIndex={-1}>
        <h1 class="unseen">{screen.title}</h1>
        <screen.component />
      </main>
      <WhyPanel />
      <Live />
    </div>
  );
}
