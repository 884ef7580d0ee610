import { messageTypes } from '../../abi/lookup/messages.ts';
import type { IoctlEvent } from '../../trace/event.ts';
import { failed } from '../../trace/failed.ts';
import type { ExitRow } from '../api-exits.ts';
import { resultOf } from '../names.ts';
import type { Exit, ExitIndex } from './exit-index.ts';
import { placeText, valueText } from './target.ts';

/** The row of an exit at `place` of its list. `run` is its call, with the answer. */
export function exitRow(exit: Exit, run: IoctlEvent, index: ExitIndex, place: number): ExitRow {
  const { target, endNs } = exit;
  const data = run.out?.data;
  const result = resultOf(run) ?? (endNs === undefined ? 'open' : undefined);
  const answeredNs = answerTime(exit, index);
  const words = {
    type: target === undefined ? undefined : messageTypes.name(target.type),
    access: target?.access,
    place: target === undefined ? undefined : placeText(target),
    value: data === undefined ? undefined : valueText(data),
  };
  return {
    index: place,
    at: String(exit.seq),
    vp: exit.vp,
    startNs: exit.startNs,
    ...(endNs === undefined ? {} : { endNs }),
    ...known(words),
    ...(result === undefined ? {} : { result }),
    failed: failed(run),
    ...(answeredNs === undefined ? {} : { answeredNs }),
    calls: exit.calls,
  };
}

/** From an exit to the VP's next entry, in ns; undefined where there is none. */
export function answerTime({ endNs, next }: Exit, index: ExitIndex): number | undefined {
  if (endNs === undefined || next === undefined) return undefined;
  return Math.max(0, index.exit(next).startNs - endNs);
}

function known<T extends Readonly<Record<string, string | undefined>>>(
  words: T,
): { [K in keyof T]?: string } {
  return Object.fromEntries(Object.entries(words).filter(([, text]) => text !== undefined)) as {
    [K in keyof T]?: string;
  };
}
