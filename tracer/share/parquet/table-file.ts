import { closeSync, openSync, writeSync } from 'node:fs';
import { ByteWriter, ParquetWriter, type SchemaElement } from 'hyparquet-writer';

/** Types of columns: Parquet's logical types by the names that SQL engines show; `json` is a value, `strings` and `int32s` are lists. */
export type ColumnType = 'string' | 'json' | 'int32' | 'int64' | 'uint64' | 'boolean' | 'strings' | 'int32s';

export type Cell =
  | string
  | number
  | bigint
  | boolean
  | readonly string[]
  | readonly number[]
  | object
  | undefined;

export interface Column<Row> {
  readonly name: string;
  readonly type: ColumnType;
  /** What stands in it; undefined is null. */
  readonly of: (row: Row) => Cell;
}

/**
 * Rows that are kept before they are written as a group: at some 400 bytes an event 8 MiB. Larger groups compress little better, and
 * engines read several files or groups at a time.
 */
const GROUP_ROWS = 20_000;

const TEXT = { type: 'BYTE_ARRAY', converted_type: 'UTF8' } as const;

/** What the values of a column, or those in its lists, are (Parquet format, LogicalTypes: converted types that all readers know). */
const ELEMENTS: Readonly<Record<ColumnType, Pick<SchemaElement, 'type' | 'converted_type'>>> = {
  string: TEXT,
  strings: TEXT,
  json: { type: 'BYTE_ARRAY', converted_type: 'JSON' },
  int32: { type: 'INT32' },
  int32s: { type: 'INT32' },
  int64: { type: 'INT64' },
  uint64: { type: 'INT64', converted_type: 'UINT_64' },
  boolean: { type: 'BOOLEAN' },
};

/** One Parquet file, written row by row: memory does not grow with its length. */
export class TableFile<Row> {
  readonly #columns: readonly Column<Row>[];
  readonly #fd: number;
  readonly #writer: ParquetWriter;
  #cells: Cell[][];
  #rows = 0;

  /** Creates the file, or replaces it. System errors are thrown as they come. */
  constructor(path: string, columns: readonly Column<Row>[], createdBy: string) {
    this.#columns = columns;
    this.#cells = columns.map(() => []);
    this.#fd = openSync(path, 'w');
    const schema: SchemaElement[] = [
      { name: 'schema', num_children: columns.length },
      ...columns.flatMap(elementsOf),
    ];
    this.#writer = new ParquetWriter({ writer: new FileBytes(this.#fd), schema, createdBy });
  }

  add(row: Row): void {
    for (const [i, column] of this.#columns.entries()) {
      this.#cells[i]?.push(ofType(column.type, column.of(row)));
    }
    if (++this.#rows === GROUP_ROWS) this.#writeGroup();
  }

  /** Writes what is left and the footer, without which no reader takes the file. */
  finish(): void {
    this.#writeGroup();
    this.#writer.finish();
  }

  close(): void {
    closeSync(this.#fd);
  }

  #writeGroup(): void {
    if (this.#rows === 0) return;
    const columnData = this.#columns.map(({ name, type }, i) => ({
      name,
      data: this.#cells[i] ?? [],
      offsetIndex: false,
      // The least and the greatest JSON text tell nobody anything.
      statistics: type !== 'json',
    }));
    this.#writer.write({ columnData, rowGroupSize: this.#rows });
    this.#cells = this.#columns.map(() => []);
    this.#rows = 0;
  }
}

/** The writer wants 64-bit values as bigint. */
function ofType(type: ColumnType, cell: Cell): Cell {
  return typeof cell === 'number' && (type === 'int64' || type === 'uint64') ? BigInt(cell) : cell;
}

/** A column in the schema; a list has three levels (Parquet format, LogicalTypes, Lists). */
function elementsOf<Row>({ name, type }: Column<Row>): SchemaElement[] {
  const element = ELEMENTS[type];
  if (type !== 'strings' && type !== 'int32s') return [{ name, repetition_type: 'OPTIONAL', ...element }];
  return [
    { name, repetition_type: 'OPTIONAL', converted_type: 'LIST', num_children: 1 },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', repetition_type: 'REQUIRED', ...element },
  ];
}

/** What was encoded goes to the file after each group of rows. */
class FileBytes extends ByteWriter {
  readonly #fd: number;

  constructor(fd: number) {
    super();
    this.#fd = fd;
  }

  flush(): void {
    const bytes = new Uint8Array(this.buffer, 0, this.index);
    for (let written = 0; written < bytes.length; ) written += writeSync(this.#fd, bytes, written);
    this.index = 0;
  }

  override finish(): void {
    this.flush();
  }
}
