/** Questions about the event at the cursor: why, and what if. */
import { batch } from '@preact/signals';
import { questionOf } from '../blame/question.ts';
import { editsOf } from './edits.ts';
import type { Refusal } from './go.ts';
import type { Model } from './model.ts';
import { eventAt } from './place.ts';

/** Asks what led to a cell's value at the cursor, or to an answer. */
export function ask(model: Model, of: string): void {
  batch(() => {
    model.jumps.value++;
    model.view.why.value = of;
    model.view.panel.value = 'why';
  });
}

/** Asks about the answer of the event at the cursor. */
export function askWhy(model: Model): Refusal {
  const { row } = model.event.value.peek() ?? {};
  const of = row === undefined || row.at !== eventAt(model.view.at.peek()) ? undefined : questionOf(row);
  if (of === undefined) return 'the event has no answer';
  ask(model, of);
  return undefined;
}

/** Adds an edit, and shows what comes of it. */
export function addEdit(model: Model, edit: string): void {
  setEdits(model, [...editsOf(model.view.edits.peek()), edit]);
}

export function setEdits(model: Model, edits: readonly string[]): void {
  batch(() => {
    model.jumps.value++;
    model.picked.value = '';
    model.view.edits.value = edits.join('\n');
    model.view.panel.value = 'whatif';
  });
}

export function dropHere(model: Model): Refusal {
  const at = eventAt(model.view.at.peek());
  if (at === '0' || at === '') return 'no event stands here';
  addEdit(model, `drop ${at}`);
  return undefined;
}

/** The first time picks up the event at the cursor, the next time puts it beside the one that is there then. */
export function moveHere(model: Model, where: 'before' | 'after'): Refusal {
  const at = eventAt(model.view.at.peek());
  const picked = model.picked.peek();
  if (at === '0' || at === '') return 'no event stands here';
  if (picked === '') {
    model.picked.value = at;
    return `${at} is picked up: go to another event, m puts it after that, Shift+K before`;
  }
  if (picked === at) {
    model.picked.value = '';
    return `${at} stays where it is`;
  }
  addEdit(model, `move ${picked} ${where} ${at}`);
  return undefined;
}

export function takeBack(model: Model): Refusal {
  const edits = editsOf(model.view.edits.peek());
  if (edits.length === 0) return 'there is no edit';
  setEdits(model, edits.slice(0, -1));
  return undefined;
}
