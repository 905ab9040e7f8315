import { afterEach } from "vitest";
import {
  createSimulatedBoard,
  type SimulatedBoard,
  type SimulatedBoardOptions,
} from "../../simulator/board.ts";

const boards: SimulatedBoard[] = [];

/** Every board a test booted loses its power at the end of it. */
afterEach(() => {
  for (const board of boards.splice(0)) board.powerOff();
});

export interface Bench {
  board: SimulatedBoard;
  /** Every line of the console so far. */
  lines: string[];
  /** Resolves with the first line, printed or to come, that starts like this. */
  line(start: string): Promise<string>;
}

type BootOptions = Partial<SimulatedBoardOptions> & {
  /** What is wired to the board before its power is switched on. */
  beforeBoot?: (board: SimulatedBoard) => void;
};

/** Boots a board with this bundle and listens to its console. */
export function bootBoard(bundle: string, options: BootOptions = {}): Bench {
  const lines: string[] = [];
  const waiting: { start: string; found: (line: string) => void }[] = [];
  const board = createSimulatedBoard({
    board: { name: "test" },
    storage: new Map(),
    devcrypto: undefined,
    ...options,
    bundle,
    console(line) {
      lines.push(line);
      options.console?.(line);
      for (const wait of waiting) if (line.startsWith(wait.start)) wait.found(line);
    },
  });
  boards.push(board);
  options.beforeBoot?.(board);
  board.boot();

  function line(start: string): Promise<string> {
    const known = lines.find((printed) => printed.startsWith(start));
    if (known !== undefined) return Promise.resolve(known);
    return new Promise((found) => waiting.push({ start, found }));
  }
  return { board, lines, line };
}

/** What a bundle printed while it booted. */
export function printed(bundle: string, options: BootOptions = {}): string[] {
  return bootBoard(bundle, options).lines;
}
