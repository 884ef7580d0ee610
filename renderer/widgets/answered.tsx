import type { ComponentChildren } from 'preact';
import type { AppMethod, AppRequests } from '../../engine/app/api.ts';
import { type FilterError, formatFilterError } from '../../engine/filter/error.ts';
import type { Slot } from '../data/slot.ts';
import { useModel } from '../model/model.ts';
import { replayText } from './replay-text.ts';

interface AnsweredProps<M extends AppMethod> {
  readonly slot: Slot<M>;
  /** Draws the last answer, be it that of an older cursor. */
  children(answer: AppRequests[M]['out']): ComponentChildren;
}

/** What a slot holds; in its place why nothing came, or that it is still to come. */
export function Answered<M extends AppMethod>({ slot, children }: AnsweredProps<M>) {
  const problem = slot.problem.value;
  const answer = slot.value.value;
  if (problem !== undefined) return <Problem problem={problem} />;
  if (slot.waiting.value) return <Replaying />;
  if (answer === undefined) return <p class="empty">…</p>;
  return children(answer);
}

/** What stands where only the replay will tell. */
export function Replaying({ what }: { readonly what?: string }) {
  return (
    <p class="empty replaying">
      {what === undefined ? '' : `${what}: `}
      {replayText(useModel().progress.value)}
    </p>
  );
}

/** Why there is nothing to show, in one line. */
export function Problem({ problem }: { readonly problem: FilterError | string }) {
  return (
    <p class="empty" role="alert">
      {typeof problem === 'string' ? problem : formatFilterError(problem)}
    </p>
  );
}
