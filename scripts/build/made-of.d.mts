export function sha256(content: string | Uint8Array): string;
export function madeOf(of: { boardFile: string; dist: string }): string;
export function hashSources(dist: string): string;
