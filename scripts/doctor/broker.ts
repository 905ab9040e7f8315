import type { MqttClient } from "mqtt";
import { addressOf, describe } from "../../cloud/receiver/broker.ts";
import {
  attemptConnection,
  type BrokerLogin,
  endConnection,
  speaksTls,
} from "./broker-connection.ts";
import { judgeProperties, judgeQos, tryRoundTrip } from "./broker-features.ts";
import { bad, type Check, type Finding, ok, warn } from "./check.ts";

/** Refusals of MQTT 3.1.1 (section 3.2.2.3) and MQTT 5 (section 3.2.2.2). */
const VERSION = [1, 132];
const CREDENTIALS = [4, 5, 134, 135, 140];

const CLOCK = "CERT_NOT_YET_VALID";
const TLS_ERRORS: Record<string, string> = {
  CERT_HAS_EXPIRED: "the broker's certificate has expired",
  [CLOCK]: "the broker's certificate is not valid yet: this clock, or the broker's, is wrong",
  ERR_TLS_CERT_ALTNAME_INVALID: "the broker's certificate is for another host name",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the broker's certificate is signed by itself",
  SELF_SIGNED_CERT_IN_CHAIN: "the broker's certificate is of an authority not known here",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the broker's certificate is of an authority not known here",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "the broker's certificate is of an authority not known here",
};
const TRUST_CA =
  "NODE_EXTRA_CA_CERTS=ca.pem coseflow serve ..., with the certificate of its authority";

const NO_TLS = ["EPROTO", "ERR_SSL_WRONG_VERSION_NUMBER", "ERR_SSL_PACKET_LENGTH_TOO_LONG"];
const UNREACHABLE: Record<string, string> = {
  ECONNREFUSED: "systemctl status mosquitto; and in mosquitto.conf a line: listener 1883",
  ENOTFOUND: "look for a mistake in the name; getent hosts <name>",
  EAI_AGAIN: "look at the network and its name server: resolvectl status",
  EHOSTUNREACH: "look at the network: ip route",
  ETIMEDOUT: "look for a firewall between here and the broker",
};

/** Everything that a broker can be in the way with. Nothing is left behind on it. */
export function brokerCheck(login: BrokerLogin, prefix: string): Check {
  const { url } = login;
  const address = addressOf(url);
  const { protocol, hostname, port } = new URL(url);
  const wantsTls = protocol === "mqtts:" || protocol === "wss:";

  function credentialsRefused(): Finding {
    const given = login.username ?? new URL(url).username;
    return bad(
      `${address}: refuses ${given ? `the user ${given} or its password` : "a client without a user name"}`,
      "the broker asks for credentials, or its access list does not know these",
      "--username NAME --password-file FILE; on Mosquitto: mosquitto_passwd, allow_anonymous",
    );
  }

  function noTls(): Finding {
    return bad(
      `${address}: does not speak TLS on this port`,
      "the port is one without TLS",
      `--broker ${address.replace(/^(mqtt|ws)s:/, "$1:")}, or the port with TLS (8883)`,
    );
  }

  function tlsProblem(code: string): Finding | undefined {
    if (NO_TLS.includes(code)) return noTls();
    const cause = TLS_ERRORS[code];
    if (cause === undefined) return undefined;
    const fix = code === CLOCK ? "sudo timedatectl set-ntp true" : TRUST_CA;
    return bad(`${address}: TLS fails (${code})`, cause, fix);
  }

  /** The broker closed without an answer: most often one side speaks TLS and the other does not. */
  async function closed(): Promise<Finding> {
    const number = Number(port || (wantsTls ? 8883 : 1883));
    const isTls = await speaksTls(hostname.replace(/^\[|\]$/g, ""), number);
    if (wantsTls && !isTls) return noTls();
    if (!wantsTls && isTls)
      return bad(
        `${address}: speaks TLS on this port`,
        "it closes connections without TLS",
        `--broker mqtts://${hostname}:${number}`,
      );
    return bad(
      `${address}: closes the connection without an answer`,
      "no MQTT broker listens there, or it turns this address away",
      `ss -ltnp 'sport = :${number}' on the broker's machine, and its log`,
    );
  }

  async function judgeError(error: (Error & { code?: string | number }) | undefined) {
    if (error === undefined) return closed();
    if (CREDENTIALS.includes(Number(error.code))) return credentialsRefused();
    const code = String(error.code);
    const tls = tlsProblem(code);
    if (tls !== undefined) return tls;
    if (code === "ECONNRESET") return closed();
    return bad(
      `${address}: ${describe({ kind: "network", error })}`,
      "nothing can be sent or received",
      UNREACHABLE[code] ?? "look into the broker's log",
    );
  }

  async function judge(client: MqttClient, version: 4 | 5): Promise<Finding[]> {
    const properties = client.serverProperties ?? {};
    const maximum = properties.maximumQoS ?? 2;
    const findings = [judgeQos(maximum)];
    if (version === 5) findings.push(...judgeProperties(properties));
    if (maximum === 0) return findings;
    const qos = maximum === 1 ? 1 : 2;
    findings.push(await tryRoundTrip(client, prefix, qos, undefined));
    if (version === 5 && properties.sharedSubscriptionAvailable !== false)
      findings.push(await tryRoundTrip(client, prefix, qos, "coseflow-doctor"));
    return findings;
  }

  async function judgeVersion(version: 4 | 5): Promise<Finding[] | "older"> {
    const attempt = await attemptConnection(login, version);
    if ("client" in attempt) {
      const { client } = attempt;
      try {
        return [ok(`${address}: reachable, MQTT ${version === 5 ? "5" : "3.1.1"}`)].concat(
          await judge(client, version),
        );
      } finally {
        await endConnection(client, version);
      }
    }
    if (version === 5 && VERSION.includes(Number(attempt.error?.code))) return "older";
    return [await judgeError(attempt.error)];
  }

  return {
    name: "broker",
    async run() {
      const newer = await judgeVersion(5);
      if (newer !== "older") return newer;
      const older = await judgeVersion(4);
      const without5 = warn(
        `${address}: refuses MQTT 5`,
        "over 3.1.1 a crash of serve can lose a message of QoS 2; the device sends it again later",
        "use a broker with MQTT 5, such as Mosquitto 1.6 or later",
      );
      return older === "older" ? [without5] : [without5, ...older];
    },
  };
}
