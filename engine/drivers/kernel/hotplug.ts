import { knownOr } from '../../hypervisor/index.ts';
import type { DriverRun } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { CellId } from '../../state/store.ts';
import { onlineCpus } from './objects.ts';

/** What a driver does on a CPU that comes and goes (Linux: a CPU hotplug state). */
export interface HotplugState {
  /** The cell with its number. */
  cell(context: Context): CellId;
  startup(context: Context, cpu: number): DriverRun<number>;
  teardown(context: Context, cpu: number): DriverRun<number>;
}

/** Number of the state of the kernel itself, which comes before all that drivers ask for (CPUHP_AP_HYPERV_ONLINE). */
export const FIRST_STATE = 1;

function numberOf(context: Context, state: HotplugState): number {
  return context.store.number(state.cell(context));
}

/** The lowest number that no state of a driver has (Linux 7.2 kernel/cpu.c, cpuhp_reserve_state). */
export function freeNumber(context: Context, states: readonly HotplugState[]): number {
  const taken = new Set(states.map((state) => Number(knownOr(context, state.cell(context), 0n))));
  let number = FIRST_STATE + 1;
  while (taken.has(number)) number++;
  return number;
}

/**
 * Registers a state: its startup runs on every CPU that is online, in order. Where one fails, those before it
 * are torn down again and the state is gone (Linux 7.2 kernel/cpu.c, __cpuhp_setup_state_cpuslocked).
 */
export function* installState(
  context: Context,
  state: HotplugState,
  number: number,
  cpus: readonly number[] = onlineCpus(context),
): DriverRun<number> {
  context.store.set(state.cell(context), number);
  const done: number[] = [];
  for (const cpu of cpus) {
    const ret = yield* state.startup(context, cpu);
    if (ret !== 0) {
      for (const earlier of done) yield* state.teardown(context, earlier);
      context.store.set(state.cell(context), 0);
      return ret;
    }
    done.push(cpu);
  }
  return 0;
}

/** Removes a state: its teardown runs on every CPU that is online; results are ignored (the same file). */
export function* removeState(
  context: Context,
  state: HotplugState,
  cpus: readonly number[] = onlineCpus(context),
): DriverRun<void> {
  for (const cpu of cpus) yield* state.teardown(context, cpu);
  if (cpus.length === onlineCpus(context).length) context.store.set(state.cell(context), 0);
}

function registered(context: Context, states: readonly HotplugState[]): HotplugState[] {
  return states
    .filter((state) => numberOf(context, state) !== 0)
    .sort((a, b) => numberOf(context, a) - numberOf(context, b));
}

/** Brings a CPU up through all registered states; where one fails it goes down again. */
export function* bringUp(context: Context, states: readonly HotplugState[], cpu: number): DriverRun<number> {
  const done: HotplugState[] = [];
  for (const state of registered(context, states)) {
    const ret = yield* state.startup(context, cpu);
    if (ret !== 0) {
      for (const earlier of done.reverse()) yield* earlier.teardown(context, cpu);
      return ret;
    }
    done.push(state);
  }
  return 0;
}

/** Takes a CPU down, in reverse order; where one refuses, those already torn down start again. */
export function* takeDown(context: Context, states: readonly HotplugState[], cpu: number): DriverRun<number> {
  const done: HotplugState[] = [];
  for (const state of registered(context, states).reverse()) {
    const ret = yield* state.teardown(context, cpu);
    if (ret !== 0) {
      for (const later of done.reverse()) yield* later.startup(context, cpu);
      return ret;
    }
    done.push(state);
  }
  return 0;
}
