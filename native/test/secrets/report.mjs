import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/**
 * report.mjs PROGRAM: runs each operation of the program under valgrind and judges what
 * depends on a secret. Allowed are the decisions below, each the last step of its
 * function, and mbedTLS's arithmetic on curve points, which is not constant in time and
 * works on coordinates that it has multiplied by a random number before.
 */

/** Findings by operation and function: "right or not", which the caller is told anyway. */
const DECISIONS = {
  decrypt: { mbedtls_gcm_auth_decrypt: 1, dc_gcm_open: 1 },
  "decrypt-key": { mbedtls_gcm_auth_decrypt: 1, dc_gcm_open: 1, dc_aead_decrypt_key: 1 },
  "agreement-unwrap": { dc_key_unwrap: 1 },
  "next-counter": { dc_key_record_write: 1 },
  "open-key": { has_valid_form: 2, dc_ec_check_pair: 1 },
  "resume-session": { is_valid: 1 },
};

/** write_point writes coordinates that are public once they are calculated. */
const CURVE = /^(?:(?:mbedtls_)?(?:ecp|ecdsa|ecdh)_|write_point$)/;
/** What handles the bits of a scalar or of a key: never, not even below the arithmetic. */
const CONSTANT =
  /^(?:mbedtls_(?:ct|aes|sha256|hmac|md|aesni)_|ecp_(?:comb_recode|select_comb)|mpi_select)/;

const FRAME = /(?:at|by) 0x[0-9A-F]+: (\S+)/;

/** The call stacks of valgrind's findings, innermost function first. */
function readFindings(text) {
  const lines = text.split("\n").map((line) => line.replace(/^==\d+== ?/, ""));
  const findings = [];
  for (const line of lines) {
    const [, name] = FRAME.exec(line) ?? [];
    if (name === undefined) continue;
    // "isra", "part" and the like are the compiler's additions.
    const plain = name.split(".")[0] ?? "";
    if (/^ *at /.test(line)) findings.push([plain]);
    else findings.at(-1)?.push(plain);
  }
  return findings;
}

/** { arithmetic: how many, decisions: { function: count }, faults: sentences } */
function judge(operation, findings) {
  const decisions = {};
  let arithmetic = 0;
  const faults = [];
  for (const stack of findings) {
    const [innermost = ""] = stack;
    if (CONSTANT.test(innermost)) faults.push(`${operation}: ${stack.join(" < ")}`);
    else if (stack.some((name) => CURVE.test(name))) arithmetic++;
    else decisions[innermost] = (decisions[innermost] ?? 0) + 1;
  }
  const expected = DECISIONS[operation] ?? {};
  for (const name of new Set([...Object.keys(expected), ...Object.keys(decisions)])) {
    if (expected[name] === decisions[name]) continue;
    const got = decisions[name] ?? 0;
    faults.push(`${operation}: ${name}, expected ${expected[name] ?? 0} findings, got ${got}`);
  }
  return { arithmetic, decisions, faults };
}

/** Without AES instructions mbedTLS looks secrets up in tables; an ESP32 has its own hardware. */
function hasAesInstructions() {
  return / aes .*/.test(readFileSync("/proc/cpuinfo", "utf8"));
}

function main([program]) {
  if (!hasAesInstructions()) {
    console.log("secrets: skipped, this processor has no AES instructions");
    return 0;
  }
  const operations = execFileSync(program, { encoding: "utf8" }).trim().split("\n");
  const faults = operations.flatMap((operation) => {
    const options = ["-q", "--error-limit=no", "--num-callers=40", program, operation];
    const { status, stderr } = spawnSync("valgrind", options, { encoding: "utf8" });
    if (status !== 0) return [`${operation}: expected 0, got ${status}: ${stderr.slice(-500)}`];
    const { arithmetic, decisions, faults } = judge(operation, readFindings(stderr));
    const names = Object.keys(decisions).join(", ") || "none";
    console.log(`${operation}: decisions: ${names}; in the arithmetic of points: ${arithmetic}`);
    return faults;
  });
  for (const fault of faults) console.error(fault);
  return faults.length === 0 ? 0 : 1;
}

process.exitCode = main(process.argv.slice(2));
