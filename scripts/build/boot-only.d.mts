/** The script, and at its end the deletion of each function that only it calls. */
export function forgetBootOnly(code: string): string;
