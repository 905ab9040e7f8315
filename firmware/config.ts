/** The board file (boards/*.json) as the bundle carries it: public, the same for every board of a kind. */
export interface Board {
  name: string;
  /** Pins of the I2C bus, where the board has sensors on one. */
  i2c?: { sda: string; scl: string; bitrate: number };
  sensors: SensorConfig[];
  queue: {
    /** Sealed readings kept in memory until receipted; the oldest goes first when full. */
    readings: number;
  };
}

export interface SensorConfig {
  /** Name of a driver in firmware/sensors/. */
  driver: string;
  /** Seconds between two readings. */
  periodSeconds: number;
  /** MQTT quality of service of its readings: 0, or 1 to keep each until receipted. */
  qos: 0 | 1;
  /** I2C address, for drivers that need one. */
  address?: number;
}

/** What differs from device to device, written to flash as coseflow.json beside the bundle. */
export interface Settings {
  broker: { host: string; port: number; username?: string; password?: string };
  /** The cloud's public key: 130 hexadecimal digits of the uncompressed P-256 point. */
  cloudPublicKey: string;
  wifi?: { ssid: string; password: string };
}
