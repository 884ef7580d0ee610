import { type FdKind, IOCTL_TYPE } from '../../../engine/abi/index.ts';
import type { IoctlEvent } from '../../../engine/trace/event.ts';
import type { Handle } from '../../../engine/trace/handle.ts';
import { descriptorOf, requestOf } from './arguments.ts';
import type { CallContext } from './context.ts';
import { handleKindOf } from './handles.ts';
import type { CallResult } from './line.ts';
import type { Process } from './processes.ts';

type Answer = Pick<IoctlEvent, 'out'> & { readonly ret?: number };

/** An ioctl of type 0xB8, in the parts that an event is made of. */
export interface IoctlCall {
  readonly body: Pick<IoctlEvent, 'kind' | 'handle' | 'op'> &
    Partial<Pick<IoctlEvent, 'fd' | 'dialect' | 'note'>>;
  readonly answer: Answer;
  /** Puts the descriptor that the call returned into the process's table. */
  readonly opened: ((process: Process) => void) | undefined;
}

/**
 * Reads an ioctl; `result` is undefined at its entry. `other`: not of type 0xB8; `named`: strace printed a name, which does not tell
 * the number (it looks requests up by type and nr alone, and other drivers use 0xB8 too).
 */
export function ioctlCall(
  context: CallContext,
  process: Process,
  args: readonly string[],
  result: CallResult | undefined,
): IoctlCall | 'other' | 'named' {
  const descriptor = descriptorOf(args[0]);
  const op = requestOf(args[1] ?? '');
  if (descriptor === undefined) return 'other';
  if (op === undefined) return context.handles.find(process, descriptor) === undefined ? 'other' : 'named';
  if (((op >>> 8) & 0xff) !== IOCTL_TYPE) return 'other';

  const { handle } = context.handles.findFor(process, descriptor, op);
  const kind = fdKindOf(handle);
  const row = kind === undefined ? undefined : context.guess.rowOf(kind, op);
  const { dialect } = row ?? context.guess.verdict;
  const { fd } = descriptor;
  const interrupted = result?.rest.startsWith('ERESTART') === true;
  const ret = result?.ret === undefined ? undefined : Number(BigInt.asIntN(32, result.ret));
  const opens = ret !== undefined && ret >= 0 ? handleKindOf(row?.opens) : undefined;
  const made = opens === undefined || ret === undefined ? undefined : context.handles.make(opens, ret);
  return {
    body: {
      kind: 'ioctl',
      handle,
      ...(fd < 0 ? {} : { fd }),
      op,
      ...(dialect === context.usual ? {} : { dialect }),
      ...(interrupted ? { note: result.rest } : {}),
    },
    answer: {
      ...(ret === undefined ? {} : { ret }),
      ...(made === undefined ? {} : { out: { handle: made } }),
    },
    opened:
      made === undefined || ret === undefined
        ? undefined
        : ({ files }) => files.set(ret, { handle: made, closeOnExec: true }),
  };
}

function fdKindOf({ kind }: Handle): FdKind | undefined {
  return kind === 'eventfd' || kind === 'foreign' ? undefined : kind;
}
