/** "warn": it works without, or works less well. "fail": something that is asked for cannot work. */
export type Result = "ok" | "warn" | "fail";

export interface Finding {
  result: Result;
  /** What was found. */
  text: string;
  /** What that breaks, or where it comes from. */
  cause?: string;
  /** A command to type, or a step to take. */
  fix?: string;
}

/** One thing that breaks for people. Everything it looks at was given to it. */
export interface Check {
  name: string;
  run(): Promise<Finding[]>;
}

export function ok(text: string): Finding {
  return { result: "ok", text };
}

export function warn(text: string, cause: string, fix: string): Finding {
  return { result: "warn", text, cause, fix };
}

export function bad(text: string, cause: string, fix: string): Finding {
  return { result: "fail", text, cause, fix };
}
