import { FORM_PLAIN, FORM_SEALED, FORM_SIGNED } from "../../protocol/command-content.ts";
import { fail } from "../../protocol/errors.ts";

/** The most open form in which each action is taken; update and delete are always sealed. */
export interface ProvisioningPolicy {
  request?: "sealed" | "signed" | "plain";
  update?: "sealed";
  delete?: "sealed";
}

/** A preset, or what differs from the first. */
export type CommandPolicy = "high-security" | "standard" | ProvisioningPolicy;

/** What each policy is called where it is set, by its form. */
export const FORM_NAMES = ["", "sealed", "signed", "plain"];

/**
 * The most open form (FORM_*) of a request that this device takes. What is missing is
 * sealed; what is misspelt keeps the device from starting, since a guess might open it.
 */
export function requestFormOf(provisioning: unknown): number {
  if (provisioning === undefined || provisioning === "high-security") return FORM_SEALED;
  if (provisioning === "standard") return FORM_SIGNED;
  if (!provisioning || typeof provisioning !== "object")
    fail("argument", "provisioning, expected high-security, standard or an object, got another");
  const policy = provisioning as { [action: string]: unknown };
  let form = FORM_SEALED;
  Object.keys(policy).forEach(function (action) {
    const value = policy[action];
    const most = action === "request" ? FORM_PLAIN : FORM_SEALED;
    if (action !== "request" && action !== "update" && action !== "delete")
      fail("argument", "provisioning, expected request, update or delete, got " + action);
    const named = FORM_NAMES.indexOf(value as string);
    if (named < FORM_SEALED || named > most)
      fail(
        "argument",
        "provisioning." +
          action +
          ", expected " +
          FORM_NAMES.slice(FORM_SEALED, most + 1).join(" or ") +
          ", got " +
          value,
      );
    if (action === "request") form = named;
  });
  return form;
}
