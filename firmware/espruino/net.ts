import type { Net } from "../ports.ts";

/**
 * Espruino's sockets. An Espruino without TLS has no module of that name: then this
 * throws as a refused connection does, and only the brokers that ask for TLS are lost.
 */
export const net: Net = {
  connect: (address, connected) =>
    (address.tls ? require("tls") : require("net")).connect(address, connected),
};
