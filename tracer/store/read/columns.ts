import { HANDLE_KINDS } from '../../../engine/filter/names.ts';
import type { Column, Columns } from '../../../engine/filter/sql.ts';
import type { FieldValue } from '../../../engine/filter/value.ts';
import { dialectOf } from '../../../engine/trace/dialect.ts';
import { DIALECTS } from '../../../engine/trace/event.ts';
import { formatHandle } from '../../../engine/trace/handle.ts';
import type { Profile } from '../../../engine/trace/profile.ts';
import type { StoredActor } from '../row/decode.ts';
import type { ActorReader } from './actors.ts';

type Passes = (value: FieldValue | undefined) => boolean;

const RETURNS = 'kind IN (0, 5, 7) AND flags & 16';
const OWN_VP = '(SELECT a.vp FROM actor a WHERE a.id = event.actor) IS NOT NULL';

/** How the fields of the filter language stand in `event`: the same as engine/filter/event-access.ts reads. */
export function eventColumns(actors: ActorReader, profile: Profile): Columns {
  const byActor = (read: (actor: StoredActor) => FieldValue | undefined): Column => ({
    by: 'interned',
    sql: 'actor',
    select: (passes: Passes) => actors.actorsThat((actor) => passes(read(actor))),
  });
  const integer = (sql: string, when?: string): Column => ({
    by: 'integer',
    sql,
    ...(when === undefined ? {} : { when }),
  });
  const dialect = DIALECTS.indexOf(dialectOf(profile.kernel));
  return new Map<string, Column>([
    ['seq', integer('seq')],
    ['sub', { by: 'constant', value: 0 }],
    ['t', integer('t')],
    ['dur', integer('dur', 'flags & 256')],
    ['kind', integer('kind')],
    ['op', integer('CASE kind WHEN 1 THEN NULL WHEN 2 THEN (flags >> 2) & 1 ELSE code END')],
    ['code', integer('code', 'kind = 1')],
    ['msr', integer('code', 'kind = 2')],
    ['status', integer('(result & 4294967295)', 'kind = 1 AND flags & 16')],
    ['errno', integer('-result', `${RETURNS} AND result < 0`)],
    ['ret', integer('result', RETURNS)],
    ['fault', integer('((flags >> 7) & 1)', 'flags & 64')],
    ['cpu', byActor((actor) => actor.cpu)],
    ['pid', byActor((actor) => actor.pid)],
    ['tid', byActor((actor) => actor.tid)],
    ['component', byActor((actor) => actor.component)],
    [
      'vp',
      integer(
        `(CASE WHEN ${OWN_VP} THEN (SELECT a.vp_index FROM actor a WHERE a.id = event.actor)
          ELSE (SELECT h.vp FROM handle h WHERE h.id = event.handle) END)`,
      ),
    ],
    [
      'partition',
      {
        by: 'integer',
        unsigned64: true,
        sql: `(CASE WHEN ${OWN_VP} THEN (SELECT a.vp_partition FROM actor a WHERE a.id = event.actor)
          WHEN kind = 7 THEN CASE WHEN flags & 8 THEN value END
          ELSE (SELECT h.partition FROM handle h WHERE h.id = event.handle) END)`,
      },
    ],
    [
      'handle',
      {
        by: 'interned',
        sql: 'handle',
        select: (passes: Passes) => actors.handlesThat((handle) => passes(formatHandle(handle))),
      },
    ],
    [
      'handlekind',
      {
        by: 'interned',
        sql: 'handle',
        select: (passes: Passes) => actors.handlesThat((handle) => passes(HANDLE_KINDS.indexOf(handle.kind))),
      },
    ],
    [
      'dialect',
      integer(`(CASE flags >> 12 & 15 WHEN 0 THEN ${dialect} ELSE (flags >> 12 & 15) - 1 END)`, 'kind = 0'),
    ],
    ['provenance', integer('(flags & 3)')],
  ]);
}
