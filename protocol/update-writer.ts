import type { Bytes } from "./bytes.ts";
import { ARRAY, cborBytes, cborHead, cborInt, cborText, MAP } from "./cbor.ts";
import {
  KEY_BROKERS,
  KEY_CLOUD_CERTIFICATE,
  KEY_DEVICE_COUNTER,
  KEY_ISSUED_NOT_BEFORE,
  KEY_REGISTRAR_CERTIFICATE,
  KEY_ROLL,
  KEY_SENSORS,
  KEY_WIFI,
  type Update,
} from "./update-parameters.ts";

/** The map of an update, for the cloud to put into a message; what is in it is not checked. */
export function writeUpdate(update: Update): Bytes {
  let count = 0;
  let entries = "";

  function put(key: number, value: string): void {
    count++;
    entries += cborInt(key) + value;
  }

  function list<T>(items: T[], write: (item: T) => string): string {
    return cborHead(ARRAY, items.length) + items.map(write).join("");
  }

  if (update.sensors !== undefined)
    put(
      KEY_SENSORS,
      list(
        update.sensors,
        (each) =>
          "\x84" +
          cborInt(each.sensor) +
          cborInt(each.periodSeconds) +
          cborInt(each.qos) +
          cborInt(each.drop === "newest" ? 1 : 0),
      ),
    );
  if (update.wifi !== undefined)
    put(
      KEY_WIFI,
      list(update.wifi, function (each) {
        const network = cborText(each.ssid) + cborText(each.password);
        const address = each.address;
        if (address === undefined) return "\x82" + network;
        return (
          "\x85" +
          network +
          cborText(address.ip) +
          cborText(address.netmask) +
          cborText(address.gateway)
        );
      }),
    );
  if (update.brokers !== undefined)
    put(
      KEY_BROKERS,
      list(
        update.brokers,
        (each) =>
          "\x86" +
          cborText(each.host) +
          cborInt(each.port) +
          cborText(each.username ?? "") +
          cborText(each.password ?? "") +
          (each.tls ? "\xf5" : "\xf4") +
          cborInt(each.maxQos),
      ),
    );
  if (update.cloudCertificate !== undefined)
    put(KEY_CLOUD_CERTIFICATE, cborBytes(update.cloudCertificate));
  if (update.registrarCertificate !== undefined)
    put(KEY_REGISTRAR_CERTIFICATE, cborBytes(update.registrarCertificate));
  if (update.issuedNotBefore !== undefined) {
    const floor = update.issuedNotBefore;
    put(
      KEY_ISSUED_NOT_BEFORE,
      "\x83" + cborInt(floor.cloud) + cborInt(floor.registrar) + cborInt(floor.provisioner),
    );
  }
  if (update.deviceCounter !== undefined) put(KEY_DEVICE_COUNTER, cborInt(update.deviceCounter));
  if (update.roll !== undefined) put(KEY_ROLL, "\xf5");
  return (cborHead(MAP, count) + entries) as Bytes;
}
