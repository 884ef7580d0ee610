import { hypercalls, msrs, statuses } from '../abi/index.ts';
import { createHypervisor } from '../hypervisor/index.ts';
import type { Answer, DriverRun, HypercallAnswer, Outcome, Request } from '../machine/child.ts';
import { Machine } from '../machine/machine.ts';
import { CellPaths } from '../state/path.ts';
import type { FdEvent, InterceptEvent, IoctlEvent, LifecycleEvent, TraceEvent } from '../trace/event.ts';
import { formatHandle } from '../trace/handle.ts';
import { seqOf, timeNs } from '../trace/position.ts';
import { parseProfile } from '../trace/profile-read.ts';
import type { Json } from '../trace/text/json.ts';
import { createDrivers } from './index.ts';

type Without<E> = Omit<E, 'seq' | 't' | 'provenance'>;

/** An answer that the hypervisor gives once, to the call after `after` others of its name, instead of doing what is asked. */
interface Refusal {
  readonly call: string;
  readonly status: string;
  readonly reps: number;
  after: number;
}

/** A machine that is driven by hand: runs a stimulus to its end and says what happened, one line an event. */
export class Bench {
  readonly machine: Machine;
  readonly paths: CellPaths;
  #seq = 0;
  #refusals: Refusal[] = [];

  constructor(given: Json) {
    const read = parseProfile(given);
    if ('problem' in read) throw new Error(read.problem.message);
    const sides = { hypervisor: createHypervisor(), drivers: createDrivers() };
    this.machine = Machine.initial(read.profile, sides);
    this.paths = new CellPaths(this.machine.store.tables.objects);
  }

  /** Has the hypervisor refuse a call, as it may for reasons of its own; `#UD`: there is no hypercall page. */
  refuse(call: string, status: string, { after = 0, reps = 0 } = {}): this {
    this.#refusals.push({ call, status, reps, after });
    return this;
  }

  #refusal(call: string): HypercallAnswer | undefined {
    const named = this.#refusals.filter((each) => each.call === call);
    const due = named.find(({ after }) => after === 0);
    for (const each of named) each.after--;
    if (due === undefined) return undefined;
    this.#refusals = this.#refusals.filter((each) => each !== due);
    const isFault = due.status === '#UD';
    const result = { status: isFault ? 0 : statuses.number(due.status), reps: due.reps };
    return { kind: 'hypercall', result, fault: isFault, rule: 'test' };
  }

  /** The value of one cell by its path. */
  cell(path: string): bigint {
    const [cell] = this.paths.find(path) ?? [];
    if (cell === undefined) throw new Error(`no cell ${path}`);
    return this.machine.store.get(cell);
  }

  /** Whether the object or group that a path leads to exists now. */
  exists(path: string): boolean {
    const { store } = this.machine;
    const [cell] = this.paths.find(path) ?? [];
    return cell !== undefined && store.low(this.paths.objectOf(cell).id as number as typeof cell) === 1;
  }

  lifecycle(
    what: LifecycleEvent['what'],
    given: Partial<Without<LifecycleEvent>> = {},
  ): { readonly lines: string[]; readonly outcome: Outcome | undefined } {
    return this.#stimulus({ kind: 'lifecycle', what, ...given });
  }

  ioctl(given: Omit<Without<IoctlEvent>, 'kind'>) {
    return this.#stimulus({ kind: 'ioctl', ...given });
  }

  fd(given: Omit<Without<FdEvent>, 'kind'>) {
    return this.#stimulus({ kind: 'fd', ...given });
  }

  /** One access of a component, answered by the hypervisor. */
  msr(dir: 'read' | 'write', name: string | number, value?: bigint, component = 'test', cpu = 0) {
    const msr = typeof name === 'number' ? name : msrs.number(name);
    const access = { kind: 'msr', dir, msr, cpu, component } as const;
    const answer = this.machine.msr(value === undefined ? access : { ...access, value });
    for (const emitted of answer.emitted ?? [])
      if (emitted.kind === 'message') this.machine.note(this.#event(emitted));
    return answer;
  }

  /** A VP stops; what the hypervisor and then the driver make of it. */
  intercept(given: Omit<Without<InterceptEvent>, 'kind'>): string[] {
    this.#seq++;
    const event: InterceptEvent = this.#event({ kind: 'intercept', ...given });
    const lines: string[] = [];
    this.#emitted(this.machine.intercept(event).emitted, lines);
    const handler = this.machine.handler(event);
    if (handler !== undefined) this.#entered(handler.enter(this.machine, event), lines);
    return lines;
  }

  /** Lets a call that waits go on: what it does, and what it comes to. Undefined while it is not ready. */
  wake(given: Omit<Without<IoctlEvent>, 'kind'>, signal = false) {
    const event: IoctlEvent = this.#event({ kind: 'ioctl', ...given });
    const handler = this.machine.handler(event);
    if (handler?.wake === undefined) throw new Error('a call that never waits');
    if (!signal && handler.ready?.(this.machine, event) !== true && given.ret === undefined) return undefined;
    const lines: string[] = [];
    return { outcome: this.#run(handler.wake(this.machine, event, signal), lines), lines };
  }

  #event<E extends object>(given: E): E & Pick<TraceEvent, 'seq' | 't' | 'provenance'> {
    return { ...given, seq: seqOf(this.#seq), t: timeNs(0), provenance: 'derived' };
  }

  #stimulus(given: Without<LifecycleEvent> | Without<IoctlEvent> | Without<FdEvent>) {
    this.#seq++;
    const event = this.#event(given) as LifecycleEvent | IoctlEvent | FdEvent;
    const handler = this.machine.handler(event);
    if (handler === undefined) return { lines: ['not modelled'], outcome: undefined };
    const lines: string[] = [];
    const outcome = this.#entered(handler.enter(this.machine, event), lines);
    if (handler.leave !== undefined) {
      const completed = {
        ...event,
        ret: given.kind === 'lifecycle' ? undefined : (given.ret ?? outcome.ret),
      };
      const left = handler.leave(this.machine, completed as typeof event);
      if (left !== undefined) this.#run(left, lines);
    }
    return { lines, outcome };
  }

  #entered(run: DriverRun<Outcome> | Outcome, lines: string[]): Outcome {
    return 'rule' in run ? run : this.#run(run, lines);
  }

  #run<Result>(run: DriverRun<Result>, lines: string[]): Result {
    let step = run.next({ kind: 'none' });
    while (!step.done) step = run.next(this.#answer(step.value, lines));
    return step.value;
  }

  #answer(request: Request, lines: string[]): Answer {
    if (request.kind === 'msr') {
      const answer = this.machine.msr(request);
      lines.push(accessLine(request, answer.fault ? '#GP' : hex(answer.value)));
      this.#emitted(answer.emitted, lines);
      return answer;
    }
    if (request.kind === 'hypercall') {
      const name = hypercalls.name(Number(request.control & 0xffffn)).replace('HVCALL_', '');
      const answer = this.#refusal(name) ?? this.machine.hypercall(request);
      const { status, reps } = answer.result;
      const text = answer.fault === true ? '#UD' : statuses.name(status).replace('HV_STATUS_', '');
      lines.push(`${request.cpu} ${request.component} HC ${name} ${text}${reps > 0 ? ` ${reps}` : ''}`);
      this.#emitted(answer.emitted, lines);
      return answer;
    }
    this.#emitted([request], lines);
    return { kind: 'none' };
  }

  #emitted(emitted: readonly Request[] | undefined, lines: string[]): void {
    for (const note of emitted ?? []) {
      if (note.kind === 'intercept') {
        lines.push(`stop of ${note.vp.partition}.${note.vp.vp}`);
        this.#emitted(this.machine.intercept(this.#event(note)).emitted, lines);
      } else if (note.kind === 'message') {
        this.machine.note(this.#event(note));
        lines.push(`${note.cpu} ${note.component} message ${note.what} sint ${note.sint}`);
      } else if (note.kind === 'lifecycle') {
        lines.push(
          `${note.component} ${note.what} ${note.phase}${note.ret === undefined ? '' : ` ${note.ret}`}`,
        );
      } else if (note.kind === 'fd') {
        const file = note.handle === undefined ? '' : ` ${formatHandle(note.handle)}`;
        lines.push(`${note.cpu} ${note.component} fd ${note.what}${file}`);
      } else if (note.kind === 'mark') {
        lines.push(`${note.cpu} ${note.component} mark: ${note.text}`);
      }
    }
  }
}

function accessLine(request: Request & { kind: 'msr' }, result: string): string {
  const name = msrs.name(request.msr).replace('HV_X64_MSR_', '');
  const value = request.dir === 'write' ? ` ${hex(request.value ?? 0n)}` : '';
  const fault = result === '#GP' ? ' #GP' : request.dir === 'read' ? ` ${result}` : '';
  return `${request.cpu} ${request.component} ${request.dir === 'read' ? 'R' : 'W'} ${name}${value}${fault}`;
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}
