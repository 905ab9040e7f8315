import { execFileSync } from "node:child_process";
import { afterAll, expect, it } from "vitest";
import { addonPath, describeAddon, makeStorePath, openAddon } from "./addon.ts";

/** The names of DeviceCrypto; a new one is added here on purpose, or not at all. */
const FUNCTIONS = [
  "aeadDecrypt",
  "aeadDecryptKey",
  "aeadEncrypt",
  "aeadEncryptKey",
  "aeadEncryptSequence",
  "close",
  "deriveKey",
  "destroyKey",
  "eraseAll",
  "eraseKey",
  "eraseRecord",
  "exportBaseIv",
  "exportPublicKey",
  "generateKey",
  "generateKeyPair",
  "generateRandom",
  "hasKey",
  "hashCompute",
  "keepSession",
  "keyAgreementUnwrap",
  "keyAgreementWrap",
  "moveCounter",
  "nextCounter",
  "nextDeviceCounter",
  "openDeviceKey",
  "openKey",
  "readRecord",
  "reserveSequence",
  "resetReason",
  "resumeSession",
  "ringAppend",
  "ringCount",
  "ringDrop",
  "ringPeek",
  "signMessage",
  "verifyCertificate",
  "verifyMessage",
  "writeCsr",
  "writeRecord",
];

describeAddon("native symbols", () => {
  const store = makeStorePath();
  afterAll(() => store.remove());

  it("has exactly the functions of DeviceCrypto, and none that exports a secret", () => {
    const crypto = openAddon(store.path);
    expect(Object.keys(crypto).sort()).toEqual(FUNCTIONS);
    const exporters = FUNCTIONS.filter((name) => /export|import|secret|private|raw/i.test(name));
    expect(exporters).toEqual(["exportBaseIv", "exportPublicKey"]);
    crypto.close();
  });

  it("exports Node-API's entry points only, and keeps mbedTLS inside", () => {
    const defined = execFileSync("nm", ["-D", "--defined-only", addonPath], { encoding: "utf8" });
    const names = defined
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => line.split(" ").at(-1));
    expect(names.sort()).toEqual(["napi_register_module_v1", "node_api_module_get_api_version_v1"]);
  });
});
