import type { JSX, TargetedSubmitEvent } from "preact";
import { useState } from "preact/hooks";
import { CommandLine, shellWord } from "../../parts/command-line.tsx";
import { Dialog } from "../../parts/dialog.tsx";
import { announce } from "../../parts/live-region.tsx";
import { Troubles } from "../../parts/troubles.tsx";
import { post, troublesOf } from "../../store/ask.ts";
import { openings } from "../../store/openings.ts";
import type { Opening, Trouble } from "../../store/views.ts";

type Wish = {
  readonly to: string;
  readonly services: string;
  readonly from: string;
  readonly lasts: string;
  readonly reason: string;
};
type Props = { readonly to: string; readonly services: string; readonly onClose: () => void };

/** What the policy's limit says no to is refused by the controller, with its code. */
const lengths: readonly (readonly [text: string, seconds: number])[] = [
  ["15m", 900],
  ["1h", 3600],
  ["2h", 7200],
  ["8h", 28_800],
  ["1d", 86_400],
  ["7d", 604_800],
];

/** `sixgate open`: it ends by itself, and its reason stands in the journal. */
export function OpenDialog({ to, services, onClose }: Props): JSX.Element {
  const [wish, setWish] = useState<Wish>({ to, services, from: "any", lasts: "1h", reason: "" });
  const [troubles, setTroubles] = useState<readonly Trouble[]>([]);
  const [isBusy, setBusy] = useState(false);
  const submit = (event: TargetedSubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    setBusy(true);
    open(wish).then(
      (opened) => {
        for (const each of opened) openings.put(each);
        announce(`Opened ${wish.services} of ${wish.to} for ${wish.lasts}`);
        onClose();
      },
      (thrown: unknown) => {
        setTroubles(troublesOf(thrown));
        setBusy(false);
      },
    );
  };
  const field = (name: keyof Wish, title: string, hint: string): JSX.Element => (
    <label>
      <span>{title}</span>
      <input
        name={name}
        value={wish[name]}
        required
        spellcheck={false}
        autocomplete="off"
        placeholder={hint}
        onInput={(event) => setWish({ ...wish, [name]: event.currentTarget.value })}
      />
    </label>
  );
  return (
    <Dialog title="Open for some time" onClose={onClose}>
      <form onSubmit={submit}>
        {field("to", "Container or address", "vm1/web")}
        {field("services", "Ports", "443 53/udp 8000-8099")}
        {field("from", "From", "any, a group, a prefix")}
        <Lasts value={wish.lasts} onChange={(lasts) => setWish({ ...wish, lasts })} />
        {field("reason", "Because", "stands in the journal")}
        <Troubles of={troubles} />
        <CommandLine text={lineOf(wish)} />
        <footer>
          <button type="submit" class="main" disabled={isBusy}>
            {isBusy ? "Opening…" : "Open"}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

function Lasts({
  value,
  onChange,
}: {
  readonly value: string;
  readonly onChange: (lasts: string) => void;
}): JSX.Element {
  return (
    <label>
      <span>For</span>
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {lengths.map(([text]) => (
          <option key={text} value={text}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

async function open(wish: Wish): Promise<readonly Opening[]> {
  const { entries } = await post<{ readonly entries: readonly Opening[] }>("/api/v1/openings", {
    to: wish.to.trim(),
    services: wordsOf(wish.services),
    from: wordsOf(wish.from),
    seconds: lengths.find(([text]) => text === wish.lasts)?.[1],
    reason: wish.reason,
  });
  return entries;
}

function wordsOf(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter((word) => word !== "");
}

function lineOf({ to, services, from, lasts, reason }: Wish): string {
  const words = ["sixgate open", shellWord(to.trim() === "" ? "HOST/CONTAINER" : to.trim())];
  words.push(...(services.trim() === "" ? ["PORT"] : wordsOf(services).map(shellWord)));
  if (from.trim() !== "any") words.push("--from", shellWord(wordsOf(from).join(",")));
  words.push("--for", lasts, "--because", shellWord(reason === "" ? "REASON" : reason));
  return words.join(" ");
}
