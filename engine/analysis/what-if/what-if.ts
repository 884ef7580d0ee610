import type { ReplayOptions } from '../../replay/replay.ts';
import type { EventSource } from '../../replay/source.ts';
import { type Finding, type FindingJson, findingToJson } from '../../rules/finding.ts';
import { type Address, parseAddress } from '../../trace/position.ts';
import { checkWithHistory } from '../check.ts';
import { type AnswerDifference, AnswerLog } from './answers.ts';
import { type Edit, type EditProblem, formatEdit } from './edit.ts';
import { endDifferences, type StateDifference } from './end-state.ts';
import type { Original } from './original.ts';
import { Overlay } from './overlay.ts';

/** What comes of a trace that was changed, beside what came of it. All positions are those of the trace as it was. */
export interface WhatIf {
  readonly edits: readonly string[];
  readonly findings: {
    readonly before: readonly FindingJson[];
    readonly after: readonly FindingJson[];
    /** By id. */
    readonly added: readonly FindingJson[];
    readonly removed: readonly FindingJson[];
  };
  readonly answers: readonly AnswerDifference[];
  /** At the end. */
  readonly state: readonly StateDifference[];
}

/** A changed trace, replayed and judged. */
export interface Replayed {
  readonly edits: readonly Edit[];
  readonly overlay: Overlay;
  readonly source: EventSource;
  readonly checked: ReturnType<typeof checkWithHistory>;
  readonly answers: AnswerLog;
  /** What was recorded and does not happen any more: labels, and numbers in the changed trace. */
  readonly gone: ReadonlyMap<string, number>;
}

/** Replays the trace with edits made to it, in their order. */
export function replayedWith(
  original: Original,
  edits: readonly Edit[],
  progress?: ReplayOptions['progress'],
): Replayed | EditProblem {
  const overlay = Overlay.of(original, edits);
  if ('problem' in overlay) return overlay;
  const gone = new Map<string, number>();
  const answers = new AnswerLog();
  const source = overlay.source((label, number) => gone.set(label, number));
  const checked = checkWithHistory(source, original.sides, progress, (step) => {
    const address = parseAddress(overlay.label(step.address));
    if (address !== undefined) answers.note(step, address);
  });
  return { edits, overlay, source, checked, answers, gone };
}

/** Replays the trace with edits made to it, and compares. */
export function whatIf(original: Original, edits: readonly Edit[]): WhatIf | EditProblem {
  const replayed = replayedWith(original, edits);
  return 'problem' in replayed ? replayed : outcomeOf(original, replayed);
}

/** What came of it beside what came of the trace as it was. */
export function outcomeOf(original: Original, replayed: Replayed): WhatIf {
  const { overlay, checked, answers, gone } = replayed;
  const before = original.findings.map(findingToJson);
  const after = checked.findings.map((finding) => labelled(finding, (address) => overlay.label(address)));
  const has = (list: readonly FindingJson[], { id }: FindingJson): boolean =>
    list.some((each) => each.id === id);
  return {
    edits: replayed.edits.map(formatEdit),
    findings: {
      before,
      after,
      added: after.filter((finding) => !has(before, finding)),
      removed: before.filter((finding) => !has(after, finding)),
    },
    answers: answers.differences(original.answers, gone),
    state: endDifferences(original.history, checked.history),
  };
}

/** What a changed trace is found to have, and no more: what a search asks of many. */
export function findingsIf(
  original: Original,
  edits: readonly Edit[],
  check: (source: EventSource) => readonly Finding[],
): readonly FindingJson[] | EditProblem {
  const overlay = Overlay.of(original, edits);
  if ('problem' in overlay) return overlay;
  return check(overlay.source(() => {})).map((finding) =>
    labelled(finding, (address) => overlay.label(address)),
  );
}

function labelled(finding: Finding, label: (address: Address) => string): FindingJson {
  return {
    ...findingToJson(finding),
    at: label(finding.at),
    culprit: { at: label(finding.culprit.at), component: finding.culprit.component },
    evidence: finding.evidence.map(label),
  };
}
