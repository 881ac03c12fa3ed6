import { type Signal, signal } from "@preact/signals";
import type { Role } from "./views.ts";

/** `asking`: not known yet. `ended`: there was a session, and it is over. */
export type Session =
  | { readonly state: "asking" }
  | { readonly state: "out"; readonly ended?: boolean; readonly usedLink?: boolean }
  | { readonly state: "in"; readonly name: string; readonly role: Role };

export const session: Signal<Session> = signal<Session>({ state: "asking" });

const order: readonly Role[] = ["viewer", "operator", "admin"];

/** Whether whoever is signed in may do what is for that role: what may not be done is not offered. */
export function may(role: Role): boolean {
  const now = session.value;
  return now.state === "in" && order.indexOf(now.role) >= order.indexOf(role);
}
