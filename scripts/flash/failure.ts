/** Where a flashing can end before its end. */
export type Step =
  | "files"
  | "port"
  | "loader"
  | "chip"
  | "erase"
  | "write"
  | "restart"
  | "console"
  | "bundle"
  | "settings"
  | "start";

/** Why a flashing ended, and what a person does about it. Never holds what came over the console. */
export class FlashFailure extends Error {
  readonly step: Step;
  /** Why. */
  readonly reason: string;
  /** What to do next. */
  readonly next: string;

  constructor(step: Step, reason: string, next: string) {
    super(`${step}: ${reason}; next: ${next}`);
    this.step = step;
    this.reason = reason;
    this.next = next;
  }
}
