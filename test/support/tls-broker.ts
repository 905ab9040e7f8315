import { generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryDirectory } from "./built.ts";
import { ECDSA_WITH_SHA256, goodLeaf, makeCertificate } from "./certificates.ts";
import { freePort } from "./free-port.ts";
import { type Mosquitto, startMosquitto } from "./mosquitto.ts";

/** AlgorithmIdentifier of sha256WithRSAEncryption (RFC 8017 appendix A.2.4). */
const SHA256_WITH_RSA = Buffer.from("300d06092a864886f70d01010b0500", "hex");

export interface TlsMosquitto extends Mosquitto {
  /** The same broker, without TLS. */
  plainUrl: string;
}

/** Mosquitto that takes TLS on its port, with a certificate that nobody has a reason to trust. */
export async function startTlsMosquitto(kind: "rsa" | "ec"): Promise<TlsMosquitto> {
  const [directory, remove] = await temporaryDirectory("tls");
  const { privateKey, publicKey } =
    kind === "rsa"
      ? generateKeyPairSync("rsa", { modulusLength: 2048 })
      : generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = kind === "rsa" ? SHA256_WITH_RSA : ECDSA_WITH_SHA256;
  const certificate = makeCertificate({
    ...goodLeaf,
    innerAlgorithm: algorithm,
    outerAlgorithm: algorithm,
    publicKey: publicKey.export({ format: "der", type: "spki" }),
    extensions: [],
    signer: privateKey,
  });
  const [certFile, keyFile] = [join(directory, "cert.pem"), join(directory, "key.pem")];
  const base64 = certificate.toString("base64").match(/.{1,64}/g) ?? [];
  await writeFile(
    certFile,
    ["-----BEGIN CERTIFICATE-----", ...base64, "-----END CERTIFICATE-----", ""].join("\n"),
  );
  await writeFile(keyFile, privateKey.export({ format: "pem", type: "pkcs8" }));
  const plainPort = await freePort();
  const broker = await startMosquitto({
    config: `certfile ${certFile}\nkeyfile ${keyFile}\nlistener ${plainPort} 127.0.0.1`,
  });
  return {
    ...broker,
    url: broker.url.replace("mqtt:", "mqtts:"),
    plainUrl: `mqtt://${broker.host}:${plainPort}`,
    async close() {
      await broker.close();
      await remove();
    },
  };
}
