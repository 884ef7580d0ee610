import { encodeControl, type HypercallCode, hypercalls } from '../../abi/index.ts';
import type { BindReason } from '../../machine/bindable.ts';
import type { Answer, DriverRun, HypercallAnswer, HypercallRequest, ShownCall } from '../../machine/child.ts';
import type { Actor } from './access.ts';

export interface HypercallOptions {
  readonly fast?: boolean;
  readonly nested?: boolean;
  /** Elements of a rep call. */
  readonly reps?: number;
  /** What a recorded call returned, as far as it is known. */
  readonly output?: Uint8Array;
  /** What a record that shows the call from outside says of its answer. */
  readonly recorded?: ShownCall;
  readonly bind?: BindReason;
  /** Bytes of the input that `bind` is about. */
  readonly bound?: readonly [from: number, to: number];
  /** Other forms of the input that a record may have, each with its elements. */
  readonly forms?: readonly { readonly reps: number; readonly input: Uint8Array }[];
}

export function hypercallCode(name: string): HypercallCode {
  return hypercalls.number(name);
}

/**
 * A hypercall; a rep call goes on from where it stopped until all elements are done or one fails (Linux 7.2
 * include/asm-generic/mshyperv.h, hv_do_rep_hypercall). One that makes no progress ends too: the kernel would
 * never leave the loop, and nothing more can be told of it.
 */
export function* hypercall(
  actor: Actor,
  code: HypercallCode,
  input: Uint8Array,
  options: HypercallOptions = {},
): DriverRun<HypercallAnswer> {
  const { reps = 0 } = options;
  for (let start = 0; ; ) {
    // As in issue: each generator inside another costs at every event that passes through it.
    const answer = hypercallAnswer(yield requestOf(actor, code, input, options, start));
    const { status, reps: done } = answer.result;
    if (answer.fault === true || status !== 0 || done >= reps || done <= start) return answer;
    start = done;
  }
}

/** One hypercall as it stands, from element `start` on. */
export function* issue(
  actor: Actor,
  code: HypercallCode,
  input: Uint8Array,
  options: HypercallOptions = {},
  start = 0,
): DriverRun<HypercallAnswer> {
  return hypercallAnswer(yield requestOf(actor, code, input, options, start));
}

function requestOf(
  { component, cpu }: Actor,
  code: HypercallCode,
  input: Uint8Array,
  options: HypercallOptions,
  start: number,
): HypercallRequest {
  const { reps = 0, fast = false, nested = false } = options;
  const control = encodeControl({ code, fast, nested, repCount: reps, repStart: start });
  const { output, recorded, bind, bound, forms } = options;
  const request: HypercallRequest = { kind: 'hypercall', component, cpu, control, input };
  // Most calls have none of these, and a copy by spreading costs more than all the rest.
  if (output === undefined && recorded === undefined && bind === undefined) return request;
  return {
    ...request,
    ...(output === undefined ? {} : { output }),
    ...(recorded === undefined ? {} : { recorded }),
    ...(bind === undefined ? {} : { bind }),
    ...(bound === undefined ? {} : { bound }),
    ...(forms === undefined
      ? {}
      : {
          forms: forms.map((form) => ({
            control: encodeControl({ code, repCount: form.reps }),
            input: form.input,
          })),
        }),
  };
}

function hypercallAnswer(answer: Answer): HypercallAnswer {
  if (answer.kind !== 'hypercall') throw new Error('a hypercall was answered as something else');
  return answer;
}
