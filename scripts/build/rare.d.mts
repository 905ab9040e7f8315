export function gatherRare(code: string, rare?: string[]): string;
