/** "Show me": cursor, list, range, lanes and cells arrange themselves around a finding. */
import { batch } from '@preact/signals';
import type { EventRow, FindingView } from '../../engine/app/api.ts';
import { type Refusal, replaying } from './go.ts';
import type { Model } from './model.ts';
import { eventAt, placeOn } from './place.ts';
import { setRange } from './range.ts';
import type { Axis, Range } from './view.ts';

/** Room left and right of the proof, in parts of its length. */
const MARGIN = 0.12;

export function showFinding(model: Model, finding: FindingView): void {
  const { view } = model;
  const places = proofOf(finding);
  const rows = places.flatMap((at) => model.proofRows.peek().get(eventAt(at)) ?? []);
  batch(() => {
    model.jumps.value++;
    view.finding.value = finding.id;
    view.at.value = finding.culprit.at;
    view.path.value = finding.cells[0] ?? view.path.value;
    view.panel.value = 'findings';
    // The proof must be in the list: no filter, and derived events where one of them is part of it.
    view.filter.value = '';
    if (places.some((at) => at.includes('.'))) view.derived.value = true;
    const range = rangeOf(rows, view.axis.value);
    if (range !== undefined) setRange(model, range);
  });
  model.notice.value = `${finding.rule}: ${finding.culprit.component} at ${finding.culprit.at}`;
}

/** Ends the showing: lanes, rows and cells go back to normal; the cursor stays. */
export function hideFinding(model: Model): void {
  batch(() => {
    model.view.finding.value = '';
    model.view.range.value = undefined;
  });
}

/** Shows the finding after (1) or before (-1) the one shown; the first when none is. */
export function showNextFinding(model: Model, direction: -1 | 1): Refusal {
  const findings = model.findings.value.peek()?.findings ?? [];
  if (model.findings.waiting.peek()) return replaying(model);
  if (findings.length === 0) return 'no findings';
  const now = findings.findIndex((finding) => finding.id === model.view.finding.peek());
  const next = now === -1 ? (direction === 1 ? 0 : findings.length - 1) : now + direction;
  const finding = findings[(next + findings.length) % findings.length];
  if (finding !== undefined) showFinding(model, finding);
  return undefined;
}

/** Every position that a finding names, culprit first. */
export function proofOf(finding: FindingView): string[] {
  return [...new Set([finding.culprit.at, finding.at, ...finding.evidence])];
}

function rangeOf(rows: readonly EventRow[], axis: Axis): Range | undefined {
  if (rows.length === 0) return undefined;
  const places = rows.map((row) => placeOn(axis, row));
  const [low, high] = [Math.min(...places), Math.max(...places)];
  const margin = Math.max((high - low) * MARGIN, axis === 'events' ? 3 : 1000);
  return { from: low - margin, to: high + margin };
}
