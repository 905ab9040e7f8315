/** A chip on the bus, byte for byte. False or undefined: it does not acknowledge. */
export interface I2cModel {
  write(data: Uint8Array): boolean;
  read(quantity: number): Uint8Array | undefined;
}

/** The two wires of a board and the chips on them, by 7-bit address. */
export interface I2cBus {
  sda: string;
  scl: string;
  models: ReadonlyMap<number, I2cModel>;
}
