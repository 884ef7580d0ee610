import { VIEWS } from './views.ts';

/** `HVRT`: marks the file as ours in SQLite's header (offset 68). */
export const APPLICATION_ID = 0x48565254;

/** Version of the format, in SQLite's `user_version` (header offset 60). Rules: docs/format.md. */
export const FORMAT_VERSION = 1;

export interface SchemaObject {
  readonly type: 'table' | 'index' | 'view';
  readonly name: string;
  readonly sql: string;
}

/**
 * Columns of `event` in order. Where nothing was recorded stands 0, never NULL: SQLite stores 0 in no byte at
 * all (record format, serial type 8), and a bound NULL costs the writer more than a number.
 */
export const EVENT_COLUMNS = [
  'seq',
  't',
  'kind',
  'parent',
  'actor',
  'handle',
  'code',
  'value',
  'result',
  'dur',
  'flags',
  'arg',
  'input',
  'out_arg',
  'output',
  'more',
] as const;

const eventColumns = EVENT_COLUMNS.slice(1).map((name) => `  ${name} INTEGER DEFAULT 0`);

/** The whole schema, text for text: a reader refuses a file whose schema says anything else. */
export const SCHEMA: readonly SchemaObject[] = [
  table('meta', '  key TEXT PRIMARY KEY NOT NULL,\n  value TEXT NOT NULL', ' WITHOUT ROWID'),
  table('event', `  seq INTEGER PRIMARY KEY,\n${eventColumns.join(',\n')}`),
  table('blob', '  id INTEGER PRIMARY KEY,\n  size INTEGER NOT NULL,\n  bytes BLOB NOT NULL'),
  table(
    'actor',
    [
      '  id INTEGER PRIMARY KEY',
      '  component TEXT',
      '  cpu INTEGER',
      '  pid INTEGER',
      '  tid INTEGER',
      '  vp TEXT',
      '  vp_partition INTEGER',
      '  vp_index INTEGER',
      '  vtl INTEGER',
    ].join(',\n'),
  ),
  table(
    'handle',
    '  id INTEGER PRIMARY KEY,\n  kind TEXT NOT NULL,\n  name TEXT NOT NULL,\n  partition INTEGER,\n  vp INTEGER',
  ),
  table(
    'name',
    '  domain TEXT NOT NULL,\n  number INTEGER NOT NULL,\n  name TEXT NOT NULL,\n  PRIMARY KEY (domain, number)',
    ' WITHOUT ROWID',
  ),
  table(
    'checkpoint',
    [
      '  id INTEGER PRIMARY KEY',
      '  seq INTEGER NOT NULL',
      '  sub INTEGER NOT NULL',
      '  entries INTEGER NOT NULL',
      '  cells INTEGER NOT NULL',
      '  objects INTEGER NOT NULL',
      '  blobs INTEGER NOT NULL',
      '  components INTEGER NOT NULL',
      '  hash TEXT NOT NULL',
      '  state BLOB NOT NULL',
      '  growth BLOB NOT NULL',
    ].join(',\n'),
  ),
  table(
    'journal',
    [
      '  first INTEGER PRIMARY KEY',
      '  count INTEGER NOT NULL',
      '  from_seq INTEGER NOT NULL',
      '  to_seq INTEGER NOT NULL',
      '  data BLOB NOT NULL',
    ].join(',\n'),
  ),
  table(
    'tile',
    [
      '  level INTEGER NOT NULL',
      '  lane INTEGER NOT NULL',
      '  bucket INTEGER NOT NULL',
      '  data BLOB NOT NULL',
      '  PRIMARY KEY (level, lane, bucket)',
    ].join(',\n'),
    ' WITHOUT ROWID',
  ),
  table('note', '  id INTEGER PRIMARY KEY,\n  at TEXT NOT NULL,\n  text TEXT NOT NULL,\n  author TEXT'),
  table(
    'gap',
    [
      '  id INTEGER PRIMARY KEY',
      '  after INTEGER NOT NULL',
      '  t INTEGER NOT NULL',
      '  lost INTEGER',
      '  reason TEXT NOT NULL',
    ].join(',\n'),
  ),
  ...VIEWS.map(([name, select]) => ({
    type: 'view' as const,
    name,
    sql: `CREATE VIEW ${name} AS\n${select}`,
  })),
];

function table(name: string, columns: string, tail = ''): SchemaObject {
  return { type: 'table', name, sql: `CREATE TABLE ${name} (\n${columns}\n)${tail}` };
}
