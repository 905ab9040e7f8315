/**
 * In which form a command leaves. A device's board file has the same words: there they say
 * what it takes, here what is sent. A device takes every form that is stricter than its own,
 * so that "high-security" reaches all of them.
 */
import { fail } from "../../protocol/errors.ts";
import type { CommandAction, CommandForm } from "../store/commands.ts";

export interface ProvisioningPolicy {
  /** What people know it by: a preset, or the file that it is from. */
  name: string;
  forms: Readonly<Record<CommandAction, CommandForm>>;
}

const ACTIONS: readonly CommandAction[] = ["request", "update", "delete"];
const FORMS: readonly CommandForm[] = ["sealed", "signed", "plain"];

const ALL_SEALED = { request: "sealed", update: "sealed", delete: "sealed" } as const;
const PRESETS: Readonly<Record<string, ProvisioningPolicy["forms"]>> = {
  "high-security": ALL_SEALED,
  standard: { ...ALL_SEALED, request: "signed" },
};

export const PRESET_NAMES = Object.keys(PRESETS);
export const DEFAULT_PRESET = "high-security";

/** Undefined when there is no preset of this name. */
export function presetPolicy(name: string): ProvisioningPolicy | undefined {
  const forms = Object.hasOwn(PRESETS, name) ? PRESETS[name] : undefined;
  return forms && { name, forms };
}

function checkForm(name: string, action: CommandAction, form: unknown): CommandForm {
  const found = FORMS.find((one) => one === form);
  if (found === undefined)
    fail(
      "argument",
      `policy ${name}, expected ${action} as one of ${FORMS.join(", ")}, got another`,
    );
  if (found !== "sealed" && action !== "request")
    fail("profile", `policy ${name}, expected ${action} sealed, got ${found}: no device takes it`);
  return found;
}

/** A preset's name, or the form of each action; an action that is not named is sealed. */
export function readPolicy(name: string, value: unknown): ProvisioningPolicy {
  if (typeof value === "string") {
    const preset = presetPolicy(value);
    if (preset) return { name, forms: preset.forms };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    fail("argument", `policy ${name}, expected ${PRESET_NAMES.join(", ")} or forms, got neither`);
  const given = value as Record<string, unknown>;
  const other = Object.keys(given).find((key) => !(ACTIONS as string[]).includes(key));
  if (other !== undefined)
    fail("argument", `policy ${name}, expected ${ACTIONS.join(", ")}, got ${other}`);
  const forms = { ...ALL_SEALED } as Record<CommandAction, CommandForm>;
  for (const action of ACTIONS)
    if (given[action] !== undefined) forms[action] = checkForm(name, action, given[action]);
  return { name, forms };
}

/** The form of an action. A plain one takes two who want it: the policy and the operator. */
export function formOf(
  { name, forms }: ProvisioningPolicy,
  action: CommandAction,
  isPlainAllowed: boolean,
): CommandForm {
  const form = forms[action];
  if (form === "plain" && !isPlainAllowed)
    fail(
      "profile",
      `${action}, expected --plain for what anybody can read and make (policy ${name}), got none: ` +
        `change "${action}" of the policy, or say so`,
    );
  if (form !== "plain" && isPlainAllowed)
    fail("profile", `${action}, expected no --plain where policy ${name} says ${form}, got it`);
  return form;
}
