import type { Person } from "../../controller/controller.ts";
import type { MadePlan, MatrixView, ReviewView } from "./schema.ts";

/** What an apply tells of itself, device by device. Numbers count the steps that `begins` named. */
export type ApplyProgress = {
  begins(steps: readonly { readonly device: string; readonly layer: string; readonly changes: number }[]): void;
  /** The device takes the changes, and undoes them by itself at `deadline`, milliseconds since 1970. */
  applies(step: number, deadline: number): void;
  /** The device is as planned. Resolves when it may be confirmed; rejects when it has to go back. */
  agrees(step: number): Promise<void>;
  confirmed(step: number): void;
};

export type ApplyWish = {
  readonly by: Person;
  /** Of the plan that was seen. Another one is not applied: E986. */
  readonly hash: string;
  /** Until a device goes back by itself, in seconds. */
  readonly within: number;
};

/**
 * Plans and tests of the fleet file, which are made a floor above the API. Whoever starts the controller gives it, and
 * with it the right to apply or not: decision 0013.
 */
export type Planner = {
  readonly mayApply: boolean;
  /** `sixgate apply -f fleet.yaml`. */
  readonly command: string;
  /** The fleet file as it is now, and its tests. Reads no device. */
  review(): Promise<ReviewView>;
  /** What gets through, by source and host: by the gateway's rules where they can be read. */
  matrix(): Promise<MatrixView>;
  /** Reads every device that can be reached. Changes nothing. */
  plan(): Promise<MadePlan>;
  /** Rejects with what went wrong; then the device in hand goes back, and those before it stay as planned. */
  apply(wish: ApplyWish, progress: ApplyProgress): Promise<void>;
};
