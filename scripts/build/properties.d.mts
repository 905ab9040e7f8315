export const INTERNAL_PROPERTIES: string[];
export const INTERNAL_PATTERN: RegExp;
