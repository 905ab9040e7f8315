import type { DeviceCrypto } from "../protocol/cose/crypto.ts";
import type { Realm } from "./realm.ts";

/** Every function of the interface, so that one added there cannot be forgotten here. */
const deviceCryptoNames: Record<keyof DeviceCrypto, true> = {
  generateRandom: true,
  hashCompute: true,
  generateKey: true,
  destroyKey: true,
  exportPublicKey: true,
  signMessage: true,
  verifyMessage: true,
  keyAgreementWrap: true,
  keyAgreementUnwrap: true,
  aeadEncrypt: true,
  aeadDecrypt: true,
  aeadEncryptKey: true,
  aeadDecryptKey: true,
  deriveKey: true,
  openDeviceKey: true,
  nextDeviceCounter: true,
  exportBaseIv: true,
  reserveSequence: true,
  aeadEncryptSequence: true,
  keepSession: true,
  resumeSession: true,
  resetReason: true,
  generateKeyPair: true,
  openKey: true,
  hasKey: true,
  nextCounter: true,
  moveCounter: true,
  eraseKey: true,
  writeCsr: true,
  verifyCertificate: true,
  writeRecord: true,
  readRecord: true,
  eraseRecord: true,
  eraseAll: true,
  ringAppend: true,
  ringPeek: true,
  ringDrop: true,
  ringCount: true,
};

type HostMethod = (...values: unknown[]) => unknown;

/** require("devcrypto"): the module's functions, their objects remade inside the context. */
export function createDeviceCryptoModule(realm: Realm, devcrypto: DeviceCrypto): object {
  const members: Record<string, HostMethod> = {};
  for (const name of Object.keys(deviceCryptoNames) as (keyof DeviceCrypto)[]) {
    const method = devcrypto[name] as HostMethod;
    members[name] = (...values) => {
      const value = Reflect.apply(method, devcrypto, values);
      return typeof value === "object" && value !== null ? realm.object({ ...value }) : value;
    };
  }
  return realm.object(members);
}

/** The text of a file; throws where there is none. */
export type ReadFile = (path: string) => string;

/** require("fs") of a Linux build. */
export function createFs(realm: Realm, readFile: ReadFile): object {
  return realm.object({
    readFileSync(path: unknown) {
      try {
        return readFile(String(path));
      } catch {
        throw new Error("Could not open file : UNKNOWN");
      }
    },
  });
}

/** `require`: the built-in modules of this board, and an error for every other name. */
export function defineRequire(realm: Realm, modules: ReadonlyMap<string, object>): void {
  const require = (name: unknown) => {
    const module = modules.get(String(name));
    if (module === undefined) throw new Error(`Module "${String(name)}" not found`);
    return module;
  };
  realm.define("require", realm.door(require));
}
