/** What a replay comes to, to be compared with another. */

import type { Machine } from '../../engine/machine/machine.ts';
import { type ReplayReport, replay } from '../../engine/replay/replay.ts';
import type { EventSource } from '../../engine/replay/source.ts';
import { RULES } from '../../engine/rules/catalogue.ts';
import type { Finding } from '../../engine/rules/finding.ts';
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
  const { report, findings, known } = finalOf(source);
  const { diverged, unmodelled, hash } = report;
  const who = findings.map(({ rule, culprit, cpus, cells }) => [rule, culprit.component, cpus, cells]);
  const cells = [...known].map(([path, value]) => `${path}: ${value}`).sort();
  return { diverged, unmodelled, findings: JSON.stringify(who), hash, cells: cells.join('\n') };
}

/** A replay with its findings, and every cell that is known at its end by path. */
export function finalOf(source: EventSource): {
  readonly report: ReplayReport;
  readonly findings: readonly Finding[];
  readonly known: ReadonlyMap<string, string>;
} {
  const judge = createJudge(RULES, source.header.profile);
  let machine: Machine | undefined;
  const report = replay(source, SIDES, {
    observe: (step, on) => {
      machine = on;
      judge.step(step, on.store);
    },
  });
  judge.end();
  return {
    report,
    findings: judge.findings(),
    known: machine === undefined ? new Map() : knownCells(machine.store),
  };
}

/** Of all that exists; bytes instead of their numbers. */
function knownCells(store: CellStore): Map<string, string> {
  const paths = new CellPaths(store.tables.objects);
  const known = new Map<string, string>();
  for (const row of store.tables.objects) {
    if (store.low(row.id as number as CellId) !== 1) continue;
    row.kind.info.forEach(({ hint }, slot) => {
      const cell = (row.id + slot) as CellId;
      if (!store.known(cell)) return;
      const value =
        hint.as === 'bytes' ? [...store.blob(store.number(cell))].join(' ') : `${store.get(cell)}`;
      known.set(slot === 0 ? `${paths.path(cell)} exists` : paths.path(cell), value);
    });
  }
  return known;
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
