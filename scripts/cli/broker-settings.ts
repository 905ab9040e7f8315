/** The broker as a device's settings name it. */
export interface BrokerSettings {
  host: string;
  port: number;
  username?: string;
  password?: string;
}

/** The parts of a broker's URL that go into a device's settings; throws for what a device cannot use. */
export function brokerSettings(url: string): BrokerSettings {
  if (!URL.canParse(url)) throw new Error(`broker, expected mqtt://host:port, got ${url}`);
  const { protocol, hostname, port, username, password } = new URL(url);
  if (protocol !== "mqtt:")
    throw new Error(`broker, expected mqtt:// (a device speaks plain TCP), got ${protocol}//`);
  return {
    host: hostname.replace(/^\[|\]$/g, ""),
    port: Number(port || 1883),
    ...(username ? { username: decodeURIComponent(username) } : {}),
    ...(password ? { password: decodeURIComponent(password) } : {}),
  };
}
