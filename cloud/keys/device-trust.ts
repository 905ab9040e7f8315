import { toHex } from "../../protocol/bytes.ts";
import { readRoot, validCertificates } from "./credentials.ts";

/** What a device is given at flashing to believe the cloud: DER in hexadecimal digits, all of it public. */
export interface DeviceTrust {
  anchor: string;
  cloudCertificate: string;
}

/** Of a key directory: its root, and the newest certificate of the cloud. */
export function readDeviceTrust(
  directory: string,
  now = Math.floor(Date.now() / 1000),
): DeviceTrust {
  const [newest] = validCertificates(directory, "cloud", now);
  return {
    anchor: toHex(readRoot(directory).der),
    cloudCertificate: toHex(newest.certificate.der),
  };
}
