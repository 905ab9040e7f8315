import { openPty } from "../pty/pty.ts";
import { createFakeBoard, type FakeBoard, type FakeBoardOptions } from "./fake-board.ts";

export interface PtyBoard {
  path: string;
  board: FakeBoard;
  /** Prints as the chip does, whoever listens. */
  print(text: string): void;
  unplug(): Promise<void>;
}

/** A fake board at the far end of a terminal, which the serialport package opens as any port. */
export async function plugInBoard(
  options: Omit<FakeBoardOptions, "send" | "unplug" | "isRateless"> = {},
): Promise<PtyBoard> {
  const pty = await openPty();
  const stdin = pty.child.stdin;
  stdin?.on("error", () => {});
  const board = createFakeBoard({
    ...options,
    isRateless: true,
    send: (bytes) => void stdin?.write(bytes),
    unplug: () => void pty.unplug(),
  });
  pty.child.stdout?.on("data", (bytes: Buffer) => board.receive(bytes));
  const print = (text: string) => void stdin?.write(Buffer.from(text, "utf8"));
  return { path: pty.path, board, print, unplug: pty.unplug };
}
