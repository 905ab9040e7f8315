export interface Reference {
  name: string;
  /** Undefined where the name is a global's. */
  variable?: object;
}

export function analyse(program: unknown): { references: Reference[] };
