// First half of test.js: what both halves need, and the arguments of each function, good and bad.

const crypto = require("devcrypto");
const storage = require("Storage");
const state = storage.readJSON("state", true) || { passed: 0, failed: 0 };
const USAGE = { DERIVE: 2, ENCRYPT: 4, DECRYPT: 8, SEQUENCE: 16, WRAP: 32, CARRIED: 64 };

function expect(name, got, wanted) {
  if (got === wanted) {
    state.passed++;
    return;
  }
  state.failed++;
  print(`FAILED ${name}: expected ${wanted}, got ${got}`);
}

/** What the call throws, as "code" or "code TypeError"; "nothing" when it returns. */
function thrown(name, args) {
  try {
    crypto[name].apply(crypto, args);
    return "nothing";
  } catch (error) {
    if (!(error instanceof Error || error instanceof TypeError)) return "no Error";
    if (error.message.indexOf(`${name}: `) !== 0) return error.message;
    return error.code + (error instanceof TypeError ? " TypeError" : "");
  }
}

function repeat(length) {
  var text = "";
  while (text.length < length) text += "\x5a";
  return text;
}

const big = storage.read("big");
const leaf = storage.read("leaf");
const anchor = storage.read("anchor");
const role = storage.read("role");
const USAGE_KEY_AGREEMENT = 8;
const device = crypto.openDeviceKey();
const point = crypto.exportPublicKey(device);
const nonce = repeat(12);
const cipher = crypto.generateKey(USAGE.ENCRYPT | USAGE.DECRYPT);
const carrier = crypto.generateKey(USAGE.WRAP | USAGE.CARRIED);

const counting = crypto.generateKey(USAGE.SEQUENCE | USAGE.CARRIED | USAGE.DERIVE);
const agreed = crypto.keyAgreementWrap(point, "context", carrier);
const opener = crypto.keyAgreementUnwrap(
  device,
  agreed.substr(0, 65),
  "context",
  agreed.substr(65),
  USAGE.DECRYPT,
);
const sealed = crypto.aeadEncrypt(cipher, nonce, "aad", "text");
const sealedKey = crypto.aeadEncryptKey(carrier, nonce, "aad", "prefix", counting);
const destroyed = crypto.generateKey(USAGE.ENCRYPT);
crypto.destroyKey(destroyed);

// One row for each function: its name, its arguments' kinds, good arguments. A kind is
// "any" (bytes), a number (exactly so many bytes), "max" and a number, "number",
// "p256" or "aes" (a handle, and the kind of key).
const rows = [
  ["generateRandom", ["number"], [8]],
  ["hashCompute", ["any"], ["abc"]],
  ["generateKey", ["number"], [USAGE.ENCRYPT]],
  ["exportPublicKey", ["p256"], [device]],
  ["signMessage", ["p256", "any"], [device, "message"]],
  ["verifyMessage", [65, "any", 64], [point, "message", repeat(64)]],
  ["keyAgreementWrap", [65, "any", "aes"], [point, "context", carrier]],
  [
    "keyAgreementUnwrap",
    ["p256", 65, "any", 24, "number"],
    [device, agreed.substr(0, 65), "context", agreed.substr(65), USAGE.DECRYPT],
  ],
  ["aeadEncrypt", ["aes", 12, "any", "any"], [cipher, nonce, "aad", "text"]],
  ["aeadDecrypt", ["aes", 12, "any", "any"], [cipher, nonce, "aad", sealed]],
  [
    "aeadEncryptKey",
    ["aes", 12, "any", "max 128", "aes"],
    [carrier, nonce, "aad", "prefix", counting],
  ],
  [
    "aeadDecryptKey",
    ["aes", 12, "any", "any", "number", "number"],
    [opener, nonce, "aad", sealedKey, 6, USAGE.DECRYPT],
  ],
  ["deriveKey", ["aes", "any", "number"], [counting, "info", USAGE.DECRYPT]],
  ["exportBaseIv", ["aes"], [counting]],
  ["reserveSequence", ["aes"], [counting]],
  ["aeadEncryptSequence", ["aes", "number", "any", "any"], [counting, 1, "aad", "text"]],
  ["destroyKey", ["aes"], [0]],
  ["generateKeyPair", ["number"], [USAGE.DERIVE]],
  ["openKey", ["id"], ["device"]],
  ["hasKey", ["id"], ["device"]],
  ["nextCounter", ["id"], ["device"]],
  ["moveCounter", ["id", "number"], ["device", 1]],
  ["eraseKey", ["id"], ["none"]],
  ["writeCsr", ["p256"], [device]],
  [
    "verifyCertificate",
    ["any", "any", "max 32", "number", "time", "time"],
    [leaf, anchor, role, USAGE_KEY_AGREEMENT, 0, 0],
  ],
  ["writeRecord", ["id", "max 4096"], ["one", "content"]],
  ["readRecord", ["id"], ["one"]],
  ["eraseRecord", ["id"], ["one"]],
  ["ringAppend", ["entry"], ["entry"]],
  ["ringPeek", ["number"], [0]],
  ["ringDrop", ["number"], [0]],
];

/** Calls with the good arguments, but `value` at `index`. */
function refuses(row, index, label, value, wanted) {
  var args = row[2].slice();
  args[index] = value;
  if (row[0] === "aeadEncryptSequence" && index !== 1) args[1] = crypto.reserveSequence(counting);
  expect(`${row[0]} argument ${index} ${label}`, thrown(row[0], args), wanted);
}

function refusesKinds(row, index, values, wanted) {
  for (let i = 0; i < values.length; i++) refuses(row, index, `kind ${i}`, values[i], wanted);
}

function testBytes(row, index, kind) {
  refusesKinds(
    row,
    index,
    [
      undefined,
      null,
      5,
      1.5,
      true,
      [1, 2],
      {},
      new Uint16Array(4),
      new Int8Array(4),
      new Float64Array(1),
      new DataView(new ArrayBuffer(4)),
      repeat,
      D1,
    ],
    "argument TypeError",
  );
  refuses(row, index, "64 KiB", big, "argument");
  if (typeof kind === "number") {
    refuses(row, index, "empty", "", "argument");
    refuses(row, index, "one short", repeat(kind - 1), "argument");
    refuses(row, index, "one long", repeat(kind + 1), "argument");
    refuses(row, index, "one short as Uint8Array", new Uint8Array(kind - 1), "argument");
    refuses(row, index, "one long as ArrayBuffer", new ArrayBuffer(kind + 1), "argument");
  } else if (kind.indexOf("max ") === 0)
    refuses(row, index, "one long", big.substr(0, parseInt(kind.substr(4), 10) + 1), "argument");
  else if (kind === "id")
    refusesKinds(row, index, ["", "Upper", "a-b", "a\0", "elevenchars"], "argument");
  else if (kind === "entry") refusesKinds(row, index, ["", big.substr(0, 1089)], "argument");
}

function testNumber(row, index, kind) {
  refusesKinds(
    row,
    index,
    [undefined, null, "1", "", [1], {}, true, D1, repeat],
    "argument TypeError",
  );
  refusesKinds(row, index, [-1, 1.5, NaN, Infinity, 9007199254740992], "argument");
  if (kind === "number") refusesKinds(row, index, [4294967296, -4294967295], "argument");
}

function testHandle(row, index, kind) {
  refusesKinds(
    row,
    index,
    [
      undefined,
      null,
      "1",
      {},
      [],
      0,
      -1,
      1.5,
      NaN,
      4294967296,
      255,
      destroyed,
      true,
      kind === "p256" ? cipher : device,
    ],
    "key",
  );
}

function testArguments() {
  rows.forEach((row) => {
    row[1].forEach((kind, index) => {
      if (kind === "number" || kind === "time") testNumber(row, index, kind);
      else if (kind === "p256" || kind === "aes") testHandle(row, index, kind);
      else testBytes(row, index, kind);
    });
    if (row[1].length > 0)
      expect(`${row[0]} without arguments`, thrown(row[0], []).indexOf("nothing"), -1);
  });
}

function testKindsOfBytes() {
  var wanted = crypto.hashCompute("\x00abc\xff");
  expect(
    "SHA-256 of abc",
    btoa(crypto.hashCompute("abc")),
    "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
  );
  var view = new Uint8Array([9, 0, 97, 98, 99, 255, 9]);
  expect("subarray", crypto.hashCompute(view.subarray(1, 6)), wanted);
  expect("buffer", crypto.hashCompute(new Uint8Array([0, 97, 98, 99, 255]).buffer), wanted);
  var parts = "\x00a";
  parts += "bc";
  parts += "\xff";
  expect("string in parts", crypto.hashCompute(parts), wanted);
  var long = repeat(4160);
  expect("longest", crypto.hashCompute(long), crypto.hashCompute(E.toUint8Array(long)));
  expect("longest from flash", crypto.hashCompute(big.substr(0, 4160)).length, 32);
  expect("one over the longest", thrown("hashCompute", [`${long}x`]), "argument");
  expect("random", crypto.generateRandom(12).length, 12);
  expect("no random", crypto.generateRandom(0), "");
  const random = crypto.generateRandom(12);
  expect("random differs", crypto.generateRandom(12) === random, false);
  expect("too much random", thrown("generateRandom", [4161]), "argument");
}

/** Hash of the view, and of the same bytes of `text`, which has all of the buffer's. */
function takesView(label, buffer, text, offset, length) {
  expect(
    `${label}, ${length} at ${offset}`,
    btoa(crypto.hashCompute(new Uint8Array(buffer, offset, length))),
    btoa(crypto.hashCompute(text.substr(offset, length))),
  );
}

function refusesView(label, buffer, offset, length) {
  const view = new Uint8Array(buffer, offset, length);
  const what = `${label}, past the end, ${length} at ${offset}`;
  expect(what, thrown("hashCompute", [view]), "argument TypeError");
  expect(what, thrown("writeRecord", ["view", view]), "argument TypeError");
}

/** Espruino lets a view lie anywhere; what is past its buffer belongs to somebody else. */
function testViews(label, buffer, text) {
  const size = buffer.byteLength;
  expect(`${label}, size`, size, text.length);
  takesView(label, buffer, text, 1, size - 1 > 4160 ? 4160 : size - 1);
  takesView(label, buffer, text, size - 1, 1);
  if (size < 65536) {
    takesView(label, buffer, text, size, 0);
    refusesView(label, buffer, size, 1);
    refusesView(label, buffer, 0, size + 1);
    refusesView(label, buffer, size + 1, 0);
    refusesView(label, buffer, 8, 4000);
  }
  refusesView(label, buffer, size - 1, 2);
  refusesView(label, buffer, size - 8, 4096);
  refusesView(label, buffer, 65500, 4096);
  refusesView(label, buffer, 65535, 16777215);
}

function filled(size) {
  const buffer = new ArrayBuffer(size);
  new Uint8Array(buffer).fill(0x5a);
  return buffer;
}

function testBuffers() {
  testViews("buffer in one variable", filled(8), repeat(8));
  testViews("buffer in parts", filled(20), repeat(20));
  testViews("flat buffer", filled(64), repeat(64));
  testViews("file in flash", storage.readArrayBuffer("role"), role);
  testViews("large file in flash", storage.readArrayBuffer("big"), big);
  takesView("large file in flash", storage.readArrayBuffer("big"), big, 65500, 36);
  refusesView("no buffer", new ArrayBuffer(0), 0, 1);
  expect("no buffer", crypto.hashCompute(new ArrayBuffer(0)), crypto.hashCompute(""));
  expect("nothing written", crypto.readRecord("view"), undefined);
}

// After the boot, when the text above no longer counts as running. Not on the second start.
E.on("init", () => {
  if (state.point !== undefined) return;
  testArguments();
  print("arguments done");
  testKindsOfBytes();
  testBuffers();
});
