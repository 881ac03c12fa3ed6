import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Badge } from "./parts/badge.tsx";
import { CommandLine, shellWord } from "./parts/command-line.tsx";
import { Prose, Said } from "./parts/said.tsx";
import { SidePanel } from "./parts/side-panel.tsx";
import { Troubles } from "./parts/troubles.tsx";
import { get, troublesOf } from "./store/ask.ts";
import type { Trouble } from "./store/views.ts";
import { question, type WhyQuestion } from "./store/why.ts";

type Link = {
  readonly link: string;
  readonly state: "holds" | "missing" | "unknown";
  readonly text: string;
  readonly code?: string;
  readonly fix?: string;
};
type Path = {
  readonly to: string;
  readonly host: string;
  readonly container?: string;
  readonly verdict: "open" | "closed" | "unknown";
  readonly links: readonly Link[];
};
type Chain = { readonly to: string; readonly from: string; readonly paths: readonly Path[] };

/** Why a port is open or closed, link by link, read when it is asked. */
export function WhyPanel(): JSX.Element | null {
  const asked = question.value;
  if (asked === undefined) return null;
  const close = (): void => {
    question.value = undefined;
  };
  return (
    <SidePanel title="Why" onClose={close} key={JSON.stringify(asked)}>
      <Answer asked={asked} />
    </SidePanel>
  );
}

function Answer({ asked: { to, from = "internet" } }: { readonly asked: WhyQuestion }): JSX.Element {
  const [chain, setChain] = useState<Chain>();
  const [troubles, setTroubles] = useState<readonly Trouble[]>([]);
  useEffect(() => {
    const stop = new AbortController();
    get<Chain>(`/api/v1/why?${new URLSearchParams({ to, from }).toString()}`, stop.signal).then(
      setChain,
      (thrown: unknown) => stop.signal.aborted || setTroubles(troublesOf(thrown)),
    );
    return () => stop.abort();
  }, [to, from]);
  return (
    <>
      <p class="asked">
        <code>
          <Said text={to} />
        </code>{" "}
        from{" "}
        <code>
          <Said text={from} />
        </code>
      </p>
      <Troubles of={troubles} />
      {chain === undefined && troubles.length === 0 && <p aria-busy="true">Asking the gateway…</p>}
      {chain?.paths.map((path) => (
        <PathOf path={path} key={path.to} />
      ))}
      <CommandLine text={`sixgate why ${shellWord(to)}${from === "internet" ? "" : ` --from ${shellWord(from)}`}`} />
    </>
  );
}

const verdictTones = { open: "good", closed: "plain", unknown: "warn" } as const;
const marks = { holds: "✓", missing: "✕", unknown: "?" } as const;

function PathOf({ path }: { readonly path: Path }): JSX.Element {
  return (
    <section class="path">
      <h3>
        <Badge tone={verdictTones[path.verdict]}>{path.verdict}</Badge> <code>{path.to}</code>
      </h3>
      <ol class="chain">
        {path.links.map(({ link, state, text, code, fix }, at) => (
          // Several labels may ask for the same port: a link of one name may come twice.
          <li key={`${at} ${link}`} class={state}>
            <span class="mark" role="img" aria-label={state}>
              {marks[state]}
            </span>
            <div>
              <b>{link}</b> <Prose text={text} /> {code !== undefined && <code>{code}</code>}
              {fix !== undefined && (
                <p class="fix">
                  <Prose text={fix} />
                </p>
              )}
            </div>
          </li>
        ))}
      </ol>
    </section>
  );
}
