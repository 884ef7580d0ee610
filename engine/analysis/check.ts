import type { Sides } from '../machine/machine.ts';
import type { History } from '../replay/history.ts';
import { type ReplayOptions, type ReplayReport, replay, replayWithHistory } from '../replay/replay.ts';
import type { EventSource } from '../replay/source.ts';
import { RULES } from '../rules/catalogue.ts';
import type { Finding } from '../rules/finding.ts';
import { createJudge } from '../rules/judge.ts';

/** A trace that was replayed once and judged by every rule. */
export interface Checked {
  readonly report: ReplayReport;
  readonly findings: readonly Finding[];
}

/** Replays a trace and judges it; memory does not grow with its length. */
export function check(source: EventSource, sides: Sides, progress?: ReplayOptions['progress']): Checked {
  const judge = createJudge(RULES, source.header.profile);
  const report = replay(source, sides, {
    observe: (step, machine) => judge.step(step, machine.store),
    ...(progress === undefined ? {} : { progress }),
  });
  judge.end();
  return { report, findings: judge.findings() };
}

/** The same, keeping the history for seeking; `observe` sees every step as well. */
export function checkWithHistory(
  source: EventSource,
  sides: Sides,
  progress?: ReplayOptions['progress'],
  observe: NonNullable<ReplayOptions['observe']> = () => {},
): Checked & { readonly history: History } {
  const judge = createJudge(RULES, source.header.profile);
  const { report, history } = replayWithHistory(source, sides, {
    observe: (step, machine) => {
      judge.step(step, machine.store);
      observe(step, machine);
    },
    ...(progress === undefined ? {} : { progress }),
  });
  judge.end();
  return { report, history, findings: judge.findings() };
}
