export interface Node {
  type: string;
  start: number;
  [key: string]: unknown;
}

export const FUNCTIONS: string[];
export function walk(
  node: unknown,
  visit: (node: Node, ancestors: Node[]) => void,
  ancestors?: Node[],
): void;
export function memberName(node: Node): string | undefined;
