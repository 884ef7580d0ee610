/** What a replay comes to, to be compared with another. */

import type { Machine } from '../../engine/machine/machine.ts';
import { replay } from '../../engine/replay/replay.ts';
import type { EventSource } from '../../engine/replay/source.ts';
import { RULES } from '../../engine/rules/catalogue.ts';
import { createJudge } from '../../engine/rules/judge.ts';
import { CellPaths } from '../../engine/state/path.ts';
import type { CellId, CellStore } from '../../engine/state/store.ts';
import { SIDES } from '../../main/cli/sides.ts';

export interface Outcome {
  readonly diverged: number;
  /** Answers that no rule covers. */
  readonly unmodelled: number;
  /** Rules and who broke them, with no positions. */
  readonly findings: string;
  readonly hash: string;
  /** Everything that exists at the end, with its values. */
  readonly cells: string;
}

export function outcomeOf(source: EventSource): Outcome {
  const judge = createJudge(RULES, source.header.profile);
  let machine: Machine | undefined;
  const { diverged, unmodelled, hash } = replay(source, SIDES, {
    observe: (step, on) => {
      machine = on;
      judge.step(step, on.store);
    },
  });
  judge.end();
  const findings = judge
    .findings()
    .map(({ rule, culprit, cpus, cells }) => [rule, culprit.component, cpus, cells]);
  return {
    diverged,
    unmodelled,
    findings: JSON.stringify(findings),
    hash,
    cells: machine === undefined ? '' : cellsOf(machine.store),
  };
}

/** In no order of creation, and with bytes instead of their numbers. */
function cellsOf(store: CellStore): string {
  const paths = new CellPaths(store.tables.objects);
  const lines = store.tables.objects.flatMap((row) => {
    if (store.low(row.id as number as CellId) !== 1) return [];
    const values = row.kind.info.map(({ hint }, slot) => {
      const cell = (row.id + slot) as CellId;
      if (!store.known(cell)) return '?';
      return hint.as === 'bytes' ? [...store.blob(store.number(cell))].join(' ') : store.get(cell);
    });
    return [`${paths.objectPath(row)}: ${values.join(', ')}`];
  });
  return lines.sort().join('\n');
}

/** How the second shows that it is not the first; undefined where nothing does. */
export function difference(
  one: Outcome,
  other: Outcome,
): 'divergence' | 'unmodelled' | 'finding' | 'end state' | 'journal' | undefined {
  if (other.diverged > one.diverged) return 'divergence';
  if (other.unmodelled > one.unmodelled) return 'unmodelled';
  if (other.findings !== one.findings) return 'finding';
  if (other.cells !== one.cells) return 'end state';
  return other.hash === one.hash ? undefined : 'journal';
}
