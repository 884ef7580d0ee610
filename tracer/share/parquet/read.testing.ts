import { readFileSync } from 'node:fs';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';

export type ReadRow = Readonly<Record<string, unknown>>;

/** The rows of a Parquet file, by the reader of the package that wrote it. */
export function readTable(path: string): Promise<readonly ReadRow[]> {
  return parquetReadObjects({ file: bytesOf(path) });
}

/** How many rows each group of the file has, and who wrote it. */
export function describeTable(path: string): { readonly groups: readonly bigint[]; readonly by?: string } {
  const { row_groups, created_by } = parquetMetadata(bytesOf(path));
  return {
    groups: row_groups.map(({ num_rows }) => num_rows),
    ...(created_by === undefined ? {} : { by: created_by }),
  };
}

function bytesOf(path: string): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = new Uint8Array(readFileSync(path));
  return buffer.slice(byteOffset, byteOffset + byteLength);
}
