export function inlineConstants(code: string): string;
