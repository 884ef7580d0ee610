import { hexOf, parseUnsigned } from '../text.ts';

/** A number that no row of a table names. Printed `0x…`. */
export interface Unknown {
  readonly unknown: number;
}

export interface NamedRow {
  readonly value: number;
  /** The canonical name, which writers use. */
  readonly name: string;
}

/**
 * A table of named numbers with lookups both ways. Rows are read on first use. Readers accept the canonical
 * name, that name under one of the other prefixes (Linux renamed HV_X64_MSR_ to HV_REGISTER_ to HV_MSR_), the
 * bare name, and the number. Where two rows have one number, the first is canonical.
 */
export class NameTable<Row extends NamedRow, Value extends number = number> {
  readonly #read: () => readonly Row[];
  readonly #prefixes: readonly string[];
  #rows: readonly Row[] | undefined;
  readonly #byValue = new Map<number, Row>();
  readonly #byName = new Map<string, Row>();

  constructor(prefixes: readonly string[], read: () => readonly Row[]) {
    this.#prefixes = prefixes;
    this.#read = read;
  }

  /** Every row, in the order of the table. */
  all(): readonly Row[] {
    if (this.#rows === undefined) {
      this.#rows = this.#read();
      for (const row of this.#rows) {
        if (!this.#byValue.has(row.value)) this.#byValue.set(row.value, row);
        for (const name of [row.name, this.#bare(row.name)]) {
          if (!this.#byName.has(name)) this.#byName.set(name, row);
        }
      }
    }
    return this.#rows;
  }

  find(value: number): Row | undefined {
    this.all();
    return this.#byValue.get(value);
  }

  get(value: number): Row | Unknown {
    return this.find(value) ?? { unknown: value };
  }

  /** The row of any accepted name. */
  named(name: string): Row | undefined {
    this.all();
    return this.#byName.get(name) ?? this.#byName.get(this.#bare(name));
  }

  /** The canonical name, or `0x…`. */
  name(value: number): string {
    return this.find(value)?.name ?? hexOf(value);
  }

  /** The number of an accepted name, or of decimal or hex digits below 2^32; undefined for anything else. */
  parse(text: string): Value | undefined {
    const row = this.named(text);
    if (row !== undefined) return row.value as Value;
    const number = parseUnsigned(text);
    return number !== undefined && number <= 0xffff_ffffn ? (Number(number) as Value) : undefined;
  }

  /** For names that stand in the program: an unknown one is a mistake of the programmer and throws. */
  number(name: string): Value {
    const row = this.named(name);
    if (row === undefined) throw new Error(`no ${this.#prefixes[0] ?? ''}… is called ${name}`);
    return row.value as Value;
  }

  #bare(name: string): string {
    for (const prefix of this.#prefixes) if (name.startsWith(prefix)) return name.slice(prefix.length);
    return name;
  }
}
