import type { Sides } from '../../machine/machine.ts';
import { UNMODELLED } from '../../machine/unmodelled.ts';
import { StepArchive } from '../../replay/derived.ts';
import type { History } from '../../replay/history.ts';
import type { ReplayOptions, ReplayReport } from '../../replay/replay.ts';
import type { EventSource } from '../../replay/source.ts';
import type { Step } from '../../replay/step.ts';
import type { Finding } from '../../rules/finding.ts';
import { parseAddress } from '../../trace/position.ts';
import { checkWithHistory } from '../check.ts';
import { AnswerLog } from './answers.ts';

/** The trace as it is, replayed and judged: what changed ones are compared with. */
export interface Original {
  readonly source: EventSource;
  readonly sides: Sides;
  readonly report: ReplayReport;
  readonly history: History;
  readonly findings: readonly Finding[];
  readonly archive: StepArchive;
  readonly answers: AnswerLog;
  /** 1 for each event whose recorded answer the engine comes to by itself, 2 for its return: such need not be kept. */
  readonly explained: Uint8Array;
  /** Events that are not what the engine worked out. */
  readonly unexplained: ReadonlySet<number>;
}

/** Replays the trace as it is. */
export function originalOf(
  source: EventSource,
  sides: Sides,
  progress?: ReplayOptions['progress'],
): Original {
  const explained = new Uint8Array(source.count + 1);
  const answers = new AnswerLog();
  let bound = 0;
  const checked = checkWithHistory(source, sides, progress, (step, machine) => {
    const now = Object.values(machine.bound).reduce((sum, n) => sum + n, 0);
    if (isExplained(step) && now === bound) {
      const { seq } = step.address;
      explained[seq] = (explained[seq] as number) | (step.returned ? 2 : 1);
    }
    bound = now;
    answers.note(step, step.address);
  });
  const unexplained = new Set<number>();
  for (const { at } of checked.report.divergences) {
    const seq = parseAddress(at)?.seq ?? 0;
    unexplained.add(seq);
    explained[seq] = 0;
  }
  return {
    source,
    sides,
    ...checked,
    archive: new StepArchive(source, sides, checked.history),
    answers,
    explained,
    unexplained,
  };
}

/** The engine answers it, by a rule that covers it. */
function isExplained({ address, derived, returned, rule }: Step): boolean {
  return !derived && (returned || address.sub === 0) && rule !== undefined && rule !== UNMODELLED;
}
