import { type Bytes, chars } from "../../protocol/bytes.ts";
import {
  CONNECT,
  encodePacket,
  encodeString,
  type Qos,
  SUBSCRIBE,
  SUBSCRIBE_ID,
  type Subscription,
} from "./packet.ts";

export interface Credentials {
  username?: string | undefined;
  /** Only together with a username (section 3.1.2.9). */
  password?: string | undefined;
}

/** The packets that a client sends once in a connection: made for it, and dropped. */
export function createHandshake() {
  /**
   * CONNECT (section 3.1), protocol level 4, without a will. `keepAlive`: seconds, 0 to 65,535
   * (section 3.1.2.10). `clean`: cleanSession.
   */
  function encodeConnect(
    clientId: string,
    keepAlive: number,
    credentials: Credentials,
    clean: boolean,
  ): Bytes {
    let flags = clean ? 2 : 0;
    let login = "";
    if (credentials.username !== undefined) {
      flags |= 128;
      login = encodeString(credentials.username);
      if (credentials.password !== undefined) {
        flags |= 64;
        login += encodeString(credentials.password);
      }
    }
    return encodePacket(
      CONNECT << 4,
      "\x00\x04MQTT\x04" +
        chars(flags) +
        chars(keepAlive >> 8, keepAlive & 255) +
        encodeString(clientId) +
        login,
    );
  }

  /** SUBSCRIBE (section 3.8) with one topic filter or more, at no more than `maxQos`. */
  function encodeSubscribe(subscriptions: Subscription[], maxQos: Qos): Bytes {
    let rest = chars(0, SUBSCRIBE_ID);
    for (let i = 0; i < subscriptions.length; i++) {
      const subscription = subscriptions[i] as Subscription;
      rest += encodeString(subscription.topicFilter) + chars(Math.min(subscription.qos, maxQos));
    }
    return encodePacket((SUBSCRIBE << 4) | 2, rest);
  }

  /** The name of a return code of CONNACK that is not 0 (table 3.1). */
  const nameRefusal = (returnCode: number) =>
    "version client-id unavailable credentials authorization".split(" ")[returnCode - 1];

  return { connect: encodeConnect, subscribe: encodeSubscribe, nameRefusal: nameRefusal };
}
