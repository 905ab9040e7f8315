/** Lines of a device's console, and a wait for one of them. */
export interface ConsoleLines {
  lines: string[];
  take(line: string): void;
  /** Resolves with the index behind the first line, of those from `from` on, that matches. */
  line(pattern: RegExp, from?: number): Promise<number>;
}

export function createConsoleLines(): ConsoleLines {
  const lines: string[] = [];
  const looks = new Set<() => void>();
  return {
    lines,
    take(line) {
      lines.push(line);
      for (const look of looks) look();
    },
    line: (pattern, from = 0) =>
      new Promise((resolve) => {
        const look = () => {
          const at = lines.findIndex((line, index) => index >= from && pattern.test(line));
          if (at < 0) return;
          looks.delete(look);
          resolve(at + 1);
        };
        looks.add(look);
        look();
      }),
  };
}
