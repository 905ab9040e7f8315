/** The broker as a device's settings name it. */
export interface BrokerSettings {
  host: string;
  port: number;
  username?: string;
  password?: string;
  tls?: boolean;
}

/** The parts of a broker's URL that go into a device's settings; throws for what a device cannot use. */
export function brokerSettings(url: string): BrokerSettings {
  if (!URL.canParse(url)) throw new Error(`broker, expected mqtt://host:port, got ${url}`);
  const { protocol, host, hostname, port, username, password } = new URL(url);
  const isTls = protocol === "mqtts:";
  if (protocol !== "mqtt:" && !isTls)
    throw new Error(`broker, expected mqtt:// or mqtts://, got ${protocol}//${host}`);
  return {
    host: hostname.replace(/^\[|\]$/g, ""),
    port: Number(port || (isTls ? 8883 : 1883)),
    ...(username ? { username: decodeURIComponent(username) } : {}),
    ...(isTls ? { tls: true } : {}),
    ...(password ? { password: decodeURIComponent(password) } : {}),
  };
}
