/** Lines in columns, the first of them the heads. */
export function table(lines: string[][]): string {
  const [head = []] = lines;
  const widths = head.map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  const pad = (line: string[]) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0));
  return lines.map((line) => `${pad(line).join("  ").trimEnd()}\n`).join("");
}

/** Unix seconds for people. */
export function when(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
