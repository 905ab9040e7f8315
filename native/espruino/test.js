// The test of require("devcrypto") on Espruino itself, run from flash: test-arguments.js and
// this file as one program (.bootcde), each function with good and with bad arguments. Prints
// "FAILED ..." for each surprise and ends with "devcrypto test: <passed> passed, <failed>
// failed". It starts itself again once, to see what is left of the keys. Wanted in Storage
// beside it: "big", 64 KiB of anything; "leaf" and "anchor", certificates in DER; "role", the
// contents of the leaf's object identifier.

const offCurve = point.substr(0, 64) + String.fromCharCode(point.charCodeAt(64) ^ 1);

function flip(text, at) {
  return text.substr(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.substr(at + 1);
}

function testCryptography() {
  var signature = crypto.signMessage(device, "message");
  expect("signature", crypto.verifyMessage(point, "message", signature), true);
  expect("other message", crypto.verifyMessage(point, "massage", signature), false);
  expect("other signature", crypto.verifyMessage(point, "message", flip(signature, 63)), false);
  expect("point off the curve", thrown("verifyMessage", [offCurve, "m", signature]), "argument");
  expect("wrap, off the curve", thrown("keyAgreementWrap", [offCurve, "", carrier]), "argument");
  expect(
    "unwrap, off the curve",
    thrown("keyAgreementUnwrap", [device, offCurve, "context", agreed.substr(65), USAGE.DECRYPT]),
    "argument",
  );
  expect(
    "wrap cut",
    thrown("keyAgreementUnwrap", [
      device,
      agreed.substr(0, 65),
      "context",
      flip(agreed.substr(65), 3),
      USAGE.DECRYPT,
    ]),
    "decrypt",
  );
  expect("opened", crypto.aeadDecrypt(cipher, nonce, "aad", sealed), "text");
  expect(
    "empty text",
    crypto.aeadDecrypt(cipher, nonce, "", crypto.aeadEncrypt(cipher, nonce, "", "")),
    "",
  );
  for (let at = 0; at < sealed.length; at++)
    expect(
      `flipped ${at}`,
      thrown("aeadDecrypt", [cipher, nonce, "aad", flip(sealed, at)]),
      "decrypt",
    );
  expect("other aad", thrown("aeadDecrypt", [cipher, nonce, "aae", sealed]), "decrypt");
  expect("no tag", thrown("aeadDecrypt", [cipher, nonce, "aad", "short"]), "decrypt");
}

function testCarriedKeys() {
  var opened = crypto.aeadDecryptKey(opener, nonce, "aad", sealedKey, 6, USAGE.DECRYPT);
  expect("prefix", opened.prefix, "prefix");
  expect("fields", Object.keys(opened).join(), "prefix,key");
  var number = crypto.reserveSequence(counting);
  var text = crypto.aeadEncryptSequence(counting, number, "aad", "reading");
  var iv = crypto.exportBaseIv(counting);
  var last =
    iv.substr(0, 10) +
    String.fromCharCode(iv.charCodeAt(10) ^ (number >> 8)) +
    String.fromCharCode(iv.charCodeAt(11) ^ (number & 255));
  expect("reading", crypto.aeadDecrypt(opened.key, last, "aad", text), "reading");
  expect("number twice", thrown("aeadEncryptSequence", [counting, number, "", ""]), "sequence");
  crypto.destroyKey(opened.key);
  expect("destroyed twice", thrown("destroyKey", [opened.key]), "key");
  expect(
    "prefix too short",
    thrown("aeadDecryptKey", [opener, nonce, "aad", sealedKey, 5, USAGE.DECRYPT]),
    "form",
  );
  expect(
    "prefix out of bounds",
    thrown("aeadDecryptKey", [opener, nonce, "aad", sealedKey, 129, USAGE.DECRYPT]),
    "argument",
  );
  expect(
    "key tampered",
    thrown("aeadDecryptKey", [opener, nonce, "aad", flip(sealedKey, 20), 6, USAGE.DECRYPT]),
    "decrypt",
  );
  expect("key in itself", thrown("aeadEncryptKey", [carrier, nonce, "", "", carrier]), "key");
  var derived = crypto.deriveKey(counting, "info", USAGE.ENCRYPT);
  expect("derived", crypto.aeadEncrypt(derived, nonce, "", "x").length, 17);
  crypto.destroyKey(derived);
}

function testUsages() {
  expect("encrypt with an opener", thrown("aeadEncrypt", [opener, nonce, "", ""]), "key");
  expect("decrypt with a counter", thrown("aeadDecrypt", [counting, nonce, "", sealed]), "key");
  expect("decrypt with a carrier", thrown("aeadDecrypt", [carrier, nonce, "", sealed]), "key");
  expect("carry in a cipher", thrown("aeadEncryptKey", [cipher, nonce, "", "", counting]), "key");
  expect("carry a cipher", thrown("aeadEncryptKey", [carrier, nonce, "", "", cipher]), "key");
  expect("wrap a cipher", thrown("keyAgreementWrap", [point, "", cipher]), "key");
  expect("derive from a cipher", thrown("deriveKey", [cipher, "", USAGE.ENCRYPT]), "key");
  expect("count with a cipher", thrown("reserveSequence", [cipher]), "key");
  expect("Base IV of a cipher", thrown("exportBaseIv", [cipher]), "key");
  expect("sign with a cipher", thrown("signMessage", [cipher, ""]), "key");
  expect("destroy the device key", thrown("destroyKey", [device]), "key");
  expect("no usage", thrown("generateKey", [0]), "argument");
  expect("usage of the device key", thrown("generateKey", [1]), "argument");
  expect("unknown usage", thrown("generateKey", [4096]), "argument");
  expect("counted and free", thrown("generateKey", [USAGE.SEQUENCE | USAGE.ENCRYPT]), "argument");
}

function testStoredKeys() {
  expect("no other key yet", crypto.hasKey("second"), false);
  const second = crypto.openKey("second");
  expect("another key", crypto.exportPublicKey(second) === point, false);
  expect("the same again", crypto.openKey(E.toUint8Array("second")), second);
  expect("the device's", crypto.openKey("device"), device);
  expect("its own counter", crypto.nextCounter("second"), 1);
  crypto.moveCounter("second", 70000);
  crypto.moveCounter("second", 5);
  expect("moved forward only", crypto.nextCounter("second"), 70001);
  expect("there", crypto.hasKey("second"), true);
  const csr = crypto.writeCsr(second);
  expect("request", csr.charCodeAt(0), 0x30);
  expect("request's key", csr.indexOf(crypto.exportPublicKey(second)) > 0, true);
  crypto.eraseKey("second");
  expect("erased", crypto.hasKey("second"), false);
  expect("wiped", thrown("exportPublicKey", [second]), "key");
  expect("no counter", thrown("nextCounter", ["second"]), "key");
  const pair = crypto.generateKeyPair(USAGE.DERIVE);
  expect("pair does not sign", thrown("signMessage", [pair, ""]), "key");
  crypto.destroyKey(pair);
}

/** The cause that the certificate is refused for. */
function refusal(index, value) {
  const args = [leaf, anchor, role, USAGE_KEY_AGREEMENT, 0, 0];
  args[index] = value;
  try {
    crypto.verifyCertificate.apply(crypto, args);
    return "none";
  } catch (error) {
    return `${error.code} ${error.cause}`;
  }
}

function testCertificates() {
  const verified = crypto.verifyCertificate(leaf, anchor, role, USAGE_KEY_AGREEMENT, 0, 0);
  expect("certificate's fields", Object.keys(verified).join(), "publicKey,notBefore,notAfter");
  expect("certificate's key", leaf.indexOf(verified.publicKey) > 0, true);
  expect("certificate's dates", verified.notBefore < verified.notAfter, true);
  expect("good certificate", refusal(0, leaf), "none");
  expect("no certificate", refusal(0, leaf.substr(1)), "certificate encoding");
  expect("no anchor", refusal(1, "anchor"), "certificate anchor");
  expect("anchor is no leaf", refusal(0, anchor), "certificate self-issued");
  expect("other role", refusal(2, flip(role, role.length - 1)), "certificate role");
  expect("other key usage", refusal(3, 0x80), "certificate key-usage");
  expect("too old", refusal(4, verified.notBefore + 1), "certificate too-old");
  expect("expired", refusal(5, verified.notAfter + 1), "certificate expired");
  expect("signature", refusal(0, flip(leaf, leaf.length - 1)), "certificate signature");
}

function testRecords() {
  expect("no record", crypto.readRecord("two"), undefined);
  crypto.writeRecord("two", "first");
  crypto.writeRecord("two", new Uint8Array([1, 2, 0]));
  expect("record", crypto.readRecord("two"), "\x01\x02\0");
  crypto.writeRecord("two", "");
  expect("empty record", crypto.readRecord("two"), "");
  crypto.writeRecord("two", big.substr(0, 4096));
  expect("longest record", crypto.readRecord("two") === big.substr(0, 4096), true);
  crypto.eraseRecord("two");
  expect("erased record", crypto.readRecord("two"), undefined);
}

function testRing() {
  crypto.ringDrop(4294967295);
  expect("nothing lost", crypto.ringAppend("one"), 0);
  crypto.ringAppend(new Uint8Array([0, 255]));
  crypto.ringAppend(big.substr(0, 1088));
  expect("entries", crypto.ringCount(), 3);
  expect("oldest", crypto.ringPeek(0), "one");
  expect("second", crypto.ringPeek(1), "\0\xff");
  expect("longest", crypto.ringPeek(2) === big.substr(0, 1088), true);
  expect("past the last", crypto.ringPeek(3), undefined);
  crypto.ringDrop(1);
  expect("dropped", crypto.ringPeek(0), "\0\xff");
}

/** A computer does not sleep deeply; the port to the chip does. */
function testSleep() {
  expect("keep", thrown("keepSession", [counting]), "unsupported");
  expect("keep nothing", thrown("keepSession", []), "unsupported");
  expect("resume", thrown("resumeSession", []), "unsupported");
  expect("reset reason", crypto.resetReason(), 0);
  expect("goes on", crypto.reserveSequence(counting) > 0, true);
}

function testEraseAll() {
  crypto.eraseAll();
  expect("device key wiped", thrown("exportPublicKey", [device]), "key");
  expect("volatile keys wiped", thrown("aeadEncrypt", [cipher, nonce, "", ""]), "key");
  expect("record erased", crypto.readRecord("kept"), undefined);
  expect("ring erased", crypto.ringCount(), 0);
  expect("device key erased", crypto.hasKey("device"), false);
  expect("new device key", crypto.exportPublicKey(crypto.openDeviceKey()) === point, false);
}

function fillSlots() {
  var keys = [];
  try {
    for (;;) keys.push(crypto.generateKey(USAGE.ENCRYPT));
  } catch (error) {
    expect("slots full", error.code, "key");
  }
  return keys;
}

function testLimits() {
  var keys = fillSlots();
  expect("slots", keys.length, 16 - 5);
  keys.forEach((key) => {
    crypto.destroyKey(key);
  });
  expect("stale", thrown("aeadEncrypt", [keys[0], nonce, "", ""]), "key");

  // No memory for the result: an error, no number used, no key made.
  var number = crypto.reserveSequence(counting);
  var hoard = [];
  var text = repeat(4000);
  var free = process.memory().free;
  while (process.memory().free > 150) hoard.push(new Uint8Array(128));
  expect("no memory", thrown("aeadEncryptSequence", [counting, number, "", text]), "memory");
  expect("no memory for random", thrown("generateRandom", [4000]), "memory");
  hoard = undefined;
  expect(
    "number still unused",
    crypto.aeadEncryptSequence(counting, number, "", text).length,
    4016,
  );
  expect("memory back", process.memory().free > free - 20, true);

  testScattered();
  testStack();
}

/** Room enough, and none of it in one piece: what comes and goes in bytes is the same. */
function testScattered() {
  var text = repeat(1100);
  var key = crypto.generateKey(USAGE.ENCRYPT + USAGE.DECRYPT);
  var sealed = crypto.aeadEncrypt(key, nonce, "", text);
  var digest = crypto.hashCompute(sealed);
  var kept = [];
  var dropped = [];
  while (process.memory().free > 60) {
    kept.push(1);
    dropped.push(1);
  }
  expect("no room in pieces", thrown("aeadEncrypt", [key, nonce, "", text]), "memory");
  dropped = undefined;
  var free = process.memory().free;
  expect("room", free > 1000, true);
  var again = crypto.aeadEncrypt(key, nonce, "", text);
  expect("in pieces", E.getAddressOf(again, true), 0);
  expect("hash of pieces", crypto.hashCompute(again) === digest, true);
  expect("sealed in pieces", again === sealed, true);
  expect("opened in pieces", crypto.aeadDecrypt(key, nonce, "", again) === text, true);
  again = undefined;
  expect("pieces back", process.memory().free > free - 20, true);
  kept = undefined;
  crypto.destroyKey(key);
}

/** Deeper and deeper: less stack is asked for a hash than for what reaches the store. */
function testStack() {
  var depth = 0;
  var stored = 0;
  var code = "";
  function dive() {
    depth++;
    if (thrown("hasKey", ["device"]) === "nothing") stored = depth;
    code = thrown("hashCompute", [""]);
    if (code === "nothing" && depth < 60) dive();
  }
  dive();
  // On Linux the stack is that of a computer, unless the build was given another limit.
  expect("no stack", code, depth === 60 ? "nothing" : "memory");
  expect("some stack", depth > 2, true);
  expect("no stack for the store", stored < depth - 1, depth < 60);
}

function testCounter() {
  var first = crypto.nextDeviceCounter();
  expect("counter", crypto.nextDeviceCounter(), first + 1);
  expect("device key again", crypto.openDeviceKey(), device);
  return first + 1;
}

function testLeaks() {
  var before = 0;
  var after = 0;
  for (let i = 0; i < 50; i++) {
    after = process.memory().usage;
    if (i === 1) before = after; // with the loop's own variables
    thrown("hashCompute", [5]);
    thrown("aeadDecrypt", [cipher, nonce, "aad", "short"]);
    crypto.generateRandom(0);
    crypto.aeadDecrypt(cipher, nonce, "aad", sealed);
    crypto.destroyKey(crypto.aeadDecryptKey(opener, nonce, "aad", sealedKey, 6, 8).key);
  }
  expect("memory kept", after, before);
}

function finish() {
  storage.erase("state");
  print(`devcrypto test: ${state.passed} passed, ${state.failed} failed`);
}

function start() {
  if (state.point !== undefined) {
    // The second start: the device key is the same, everything else is gone.
    expect("same device key", btoa(point), state.point);
    expect("counter goes on", crypto.nextDeviceCounter(), state.counter + 1);
    expect(
      "handle of the first start",
      thrown("aeadEncrypt", [state.cipher, nonce, "", ""]),
      "key",
    );
    expect("slots of the second start", fillSlots().length, 16 - 5);
    expect("record of the first start", crypto.readRecord("kept"), "kept\0");
    expect("ring of the first start", crypto.ringPeek(0), "\0\xff");
    testEraseAll();
    finish();
    return;
  }
  testCryptography();
  testCarriedKeys();
  testUsages();
  testStoredKeys();
  testCertificates();
  testRecords();
  testRing();
  testSleep();
  testLimits();
  testLeaks();
  crypto.writeRecord("kept", "kept\0");
  state.point = btoa(point);
  state.cipher = cipher;
  state.counter = testCounter();
  storage.writeJSON("state", state);
  print("starting again");
  load();
}

// After the boot, and after the other half.
E.on("init", start);
