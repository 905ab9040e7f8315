/** What a scan tells of one; several may have the same name. */
export interface AccessPoint {
  /** Empty for one that hides it. */
  ssid: string;
  rssi: number;
  /** "open", or how it is protected. */
  authMode: string;
}

/** What is used of Espruino's module "Wifi" for the ESP32. */
export interface Wifi {
  /**
   * Tries three times, then calls back with the reason; with null once there is an
   * address. Without an answer from DHCP, and after errors of its own, it never does.
   */
  connect(ssid: string, options: { password: string }, callback: (error: unknown) => void): void;
  disconnect(): void;
  /** Throws while one is under way; one that finds no time never calls back. */
  scan(callback: (points: AccessPoint[]) => void): void;
  /** Must have a callback, which on an ESP32 is told null for a failure: getIP knows better. */
  setIP(address: { ip: string; netmask: string; gw: string }, callback: () => void): void;
  /** 0.0.0.0 while there is none. */
  getIP(): { ip?: string };
  /** Not getDetails: that has the password in it, and no rssi. */
  getStatus(): { station: string; rssi?: number };
  on(event: "associated", listener: () => void): void;
  on(event: "disconnected", listener: (details: { msg: string }) => void): void;
}
