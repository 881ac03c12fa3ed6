import type { JSX } from "preact";
import type { ApplyRun, MadePlan } from "../../../planner/schema.ts";
import { signOf } from "./lines.ts";

/** What would change, device by device, as the command line says it; texts as the device's own diff. */
export function Changes({
  plan,
  run,
}: {
  readonly plan: MadePlan | undefined;
  readonly run: ApplyRun | undefined;
}): JSX.Element {
  return (
    <section aria-labelledby="changes-title">
      <h2 id="changes-title">Changes</h2>
      {plan === undefined ? (
        <p class="faint">
          {run === undefined
            ? "No plan was made since the controller started. Making one reads the devices and changes nothing."
            : "The last plan was applied or given up: make another to see what is left."}
        </p>
      ) : (
        <>
          <p>
            {plan.devices.length === 0 ? (
              <b>No changes: every device that was read is as planned.</b>
            ) : (
              <b>
                {plan.add} to add, {plan.change} to change, {plan.remove} to remove
              </b>
            )}{" "}
            <span class="faint">made {new Date(plan.made).toLocaleTimeString()}</span>
          </p>
          {plan.notes.map((note) => (
            <p key={note} class="notice">
              {note}
            </p>
          ))}
          {plan.devices.map((device) => (
            <Device key={`${device.device} ${device.layer}`} device={device} />
          ))}
          {plan.stops.length === 0 ? null : (
            <div class="notice bad">
              <b>Can't be applied from here</b>
              <ul>
                {plan.stops.map(({ code, at, text, fix }) => (
                  <li key={`${code} ${at} ${text}`}>
                    {code} {at}: {text}. {fix}
                  </li>
                ))}
              </ul>
            </div>
          )}
        </>
      )}
    </section>
  );
}

function Device({ device }: { readonly device: MadePlan["devices"][number] }): JSX.Element {
  const rest = device.count - device.changes.length;
  return (
    <details class="device" open>
      <summary>
        <b>{device.device}</b> {device.layer} <span class="faint">{device.driver}</span>{" "}
        <span class="faint">
          {device.count} {device.count === 1 ? "change" : "changes"}
        </span>
      </summary>
      {device.notes.map((note) => (
        <p key={note} class="notice">
          {note}
        </p>
      ))}
      <div class="diff mono" tabIndex={0} role="region" aria-label={`Changes of ${device.device} ${device.layer}`}>
        {device.changes.flatMap(({ lines }, at) =>
          lines.map((line, n) => (
            // A change has no name of its own, and the list never moves.
            <div key={`${at} ${n}`} class={`diff-${signOf(line)}`}>
              {line}
            </div>
          )),
        )}
        {rest > 0 ? <div class="faint">and {rest} more</div> : null}
      </div>
    </details>
  );
}
