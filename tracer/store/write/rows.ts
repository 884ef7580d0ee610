import type { Statements } from '../sqlite.ts';
import { decodeTile, encodeTile } from '../tile/tile.ts';
import type { LateAnswer } from '../tile/tile-counter.ts';

/** Rows that one statement inserts. */
const MANY = 32;

/** Inserts rows of a table with so many columns. */
export function insertRows(
  statements: Statements,
  table: string,
  columns: number,
  rows: readonly (readonly unknown[])[],
): void {
  if (rows.length === 0) return;
  const row = `(${new Array(columns).fill('?').join(',')})`;
  let from = 0;
  if (rows.length >= MANY) {
    const statement = statements.of(`INSERT INTO ${table} VALUES ${new Array(MANY).fill(row).join(',')}`);
    for (; from + MANY <= rows.length; from += MANY) statement.run(...rows.slice(from, from + MANY).flat());
  }
  const statement = statements.of(`INSERT INTO ${table} VALUES ${row}`);
  for (; from < rows.length; from += 1) statement.run(...(rows[from] as readonly unknown[]));
}

/** Takes answers into tiles that stand in the file already. */
export function writeLate(statements: Statements, late: readonly LateAnswer[]): void {
  if (late.length === 0) return;
  const read = statements.of('SELECT data FROM tile WHERE level = ? AND lane = ? AND bucket = ?').pluck();
  const write = statements.of('UPDATE tile SET data = ? WHERE level = ? AND lane = ? AND bucket = ?');
  for (const { level, lane, bucket, kind, by } of late) {
    const data = read.get(level, lane, bucket);
    const counts = data instanceof Uint8Array ? decodeTile(level, bucket, data) : undefined;
    if (counts === undefined) throw new Error(`tile ${level}/${lane}/${bucket} is not as it was written`);
    const changed = counts.map((own) => (own.kind === kind ? { ...own, failed: own.failed + by } : own));
    write.run(encodeTile(level, bucket, changed), level, lane, bucket);
  }
}
