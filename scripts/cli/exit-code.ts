/** What a shell is told. */
export const EXIT = { ok: 0, failure: 1, usage: 2 } as const;
