export interface Operation {
  instructions: number;
  stack: number;
  heap: number;
}

export interface Figures {
  source: string;
  flash: { core: number; mbedtls: number };
  ram: { static: number; module: number; curve: number };
  operations: { [name: string]: Operation };
}

export interface FiguresRecord {
  toolchain: string;
  mbedtls: { [version: string]: Figures };
}

export const BUDGETS: { flash: number; stack: number; heap: number; sessionMessage: number };
export function readMap(text: string): {
  [part in "core" | "mbedtls"]: { flash: number; ram: number };
};
export function summarize(source: string, map: string, lines: string): Figures;
export function judgeBudgets(version: string, figures: Figures): string[];
export function judgeRecord(
  recorded: FiguresRecord,
  version: string,
  toolchain: string,
  figures: Figures,
): string[];
export function withTables(document: string, record: FiguresRecord): string;
