/** What we use of the packages hyparquet-writer and (in tests) hyparquet, no wider than we use it: theirs takes and gives `any`. */

declare module 'hyparquet-writer' {
  export interface SchemaElement {
    readonly name: string;
    readonly type?: 'BOOLEAN' | 'INT32' | 'INT64' | 'BYTE_ARRAY';
    readonly converted_type?: 'UTF8' | 'JSON' | 'UINT_64' | 'LIST';
    readonly repetition_type?: 'REQUIRED' | 'OPTIONAL' | 'REPEATED';
    readonly num_children?: number;
  }

  /** Bytes that were appended; `index` of them stand in `buffer`. */
  export class ByteWriter {
    buffer: ArrayBuffer;
    index: number;
    finish(): void;
  }

  export interface ColumnData {
    readonly name: string;
    readonly data: readonly unknown[];
    readonly offsetIndex: boolean;
    readonly statistics: boolean;
  }

  export class ParquetWriter {
    constructor(options: {
      /** Its `flush`, where it has one, is called after each group of rows. */
      readonly writer: ByteWriter;
      readonly schema: readonly SchemaElement[];
      readonly createdBy: string;
    });
    write(rows: { readonly columnData: readonly ColumnData[]; readonly rowGroupSize: number }): void;
    finish(): void;
  }
}

declare module 'hyparquet' {
  export function parquetReadObjects(options: {
    readonly file: ArrayBuffer;
  }): Promise<Readonly<Record<string, unknown>>[]>;
  export function parquetMetadata(file: ArrayBuffer): {
    readonly row_groups: readonly { readonly num_rows: bigint }[];
    readonly created_by?: string;
  };
}
