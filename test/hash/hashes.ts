/** Plays what is given and says what the journals hash to. Pure: runs in Node of any version and in a page. */
import { createDrivers } from '../../engine/drivers/index.ts';
import { createHypervisor } from '../../engine/hypervisor/index.ts';
import { play } from '../../engine/replay/play.ts';
import type { Step } from '../../engine/replay/step.ts';
import type { TraceEvent } from '../../engine/trace/event.ts';
import type { Profile } from '../../engine/trace/profile.ts';
import { EventLineReader, parseHeader } from '../../engine/trace/text/index.ts';
import { MixedLoad } from '../bench/mixed.ts';

/** Hashes by what was played. */
export type Hashes = Readonly<Record<string, string>>;

const SIDES = { hypervisor: createHypervisor(), drivers: createDrivers() };
const MIXED_EVENTS = 20_000;
const SEEDS = [1, 2] as const;

/** The hashes of scenarios (event text by name) and of generated loads. */
export function hashes(scenarios: Readonly<Record<string, string>>): Hashes {
  const found: Record<string, string> = {};
  for (const [name, text] of Object.entries(scenarios)) found[name] = hashOfScenario(text);
  for (const seed of SEEDS) found[`mixed load ${seed}`] = hashOfLoad(seed);
  return found;
}

function hashOfScenario(text: string): string {
  const [first = '', ...lines] = text.trimEnd().split('\n');
  const read = parseHeader(first);
  if (!('header' in read)) throw new Error(read.problem.message);
  const reader = new EventLineReader(read.header.profile);
  const events = lines.map((line) => {
    const next = reader.next(line);
    if (!('event' in next)) throw new Error(next.problem.message);
    return next.event;
  });
  return hashOf(events, read.header.profile, () => {});
}

function hashOfLoad(seed: number): string {
  const load = new MixedLoad(MIXED_EVENTS, undefined, seed);
  return hashOf(load.stimuli(), load.header.profile, ({ event, returned }) =>
    returned ? load.returned(event) : load.recorded(event),
  );
}

function hashOf(stimuli: Iterable<TraceEvent>, profile: Profile, step: (step: Step) => void): string {
  return play(stimuli, profile, SIDES, { step, journal: () => {}, checkpoint: () => {} }).hash;
}
