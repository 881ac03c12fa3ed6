import { type Signal, signal } from "@preact/signals";
import type { Opening } from "../../store/views.ts";

/** The dialog that is open. */
export type Asking =
  | { readonly kind: "open"; readonly to: string; readonly services: string }
  | { readonly kind: "close"; readonly opening: Opening };

export const asking: Signal<Asking | undefined> = signal<Asking | undefined>(undefined);
