/** The structs of one source, as text that is read struct by struct when it is asked for. */
export interface StructTable {
  readonly source: string;
  readonly text: string;
}

/** Declares structs; the format stands in ../data/structs/README.md. */
export function structTable(source: string, text: string): StructTable {
  return { source, text };
}
