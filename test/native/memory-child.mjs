// What a device does, in a process of its own whose memory the test searches. Prints
// what goes over the wire, as JSON; then waits for a line, closes the module, and waits again.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [addonPath, directory, cloudPublicKey] = process.argv.slice(2);
const crypto = createRequire(import.meta.url)(addonPath).open(directory);
const USAGE = { derive: 2, decrypt: 8, sequence: 16, wrap: 32, carried: 64 };

function hex(bytes) {
  return Buffer.from(bytes, "latin1").toString("hex");
}

const device = crypto.openDeviceKey();
const counter = crypto.nextDeviceCounter();
const cek = crypto.generateKey(USAGE.wrap | USAGE.carried);
const session = crypto.generateKey(USAGE.derive | USAGE.sequence | USAGE.carried);
const cloud = Buffer.from(cloudPublicKey, "hex").toString("latin1");
const agreed = crypto.keyAgreementWrap(cloud, "context", cek);
const nonce = crypto.generateRandom(12);
const sealed = crypto.aeadEncryptKey(cek, nonce, "aad", "prefix", session);
const signature = crypto.signMessage(device, sealed);
const receipt = crypto.deriveKey(session, "receipt", USAGE.decrypt);
for (let i = 0; i < 100; i++)
  crypto.aeadEncryptSequence(session, crypto.reserveSequence(session), "aad", "a reading");

const message = {
  publicKey: hex(crypto.exportPublicKey(device)),
  agreed: hex(agreed),
  nonce: hex(nonce),
  sealed: hex(sealed),
  signature: hex(signature),
  counter,
  receipt,
};
console.log(JSON.stringify(message));

createInterface({ input: process.stdin }).once("line", () => {
  crypto.close();
  console.log("closed");
  setInterval(() => {}, 1000);
});
