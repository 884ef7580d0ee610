import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHypervisor } from '../hypervisor/index.ts';
import type { Sides } from '../machine/machine.ts';
import { play } from '../replay/play.ts';
import { RULES } from '../rules/catalogue.ts';
import type { Finding } from '../rules/finding.ts';
import { createJudge } from '../rules/judge.ts';
import type { TraceEvent } from '../trace/event.ts';
import type { Profile, TraceHeader } from '../trace/profile.ts';
import { EventLineReader, parseHeader } from '../trace/text/index.ts';
import { createDrivers } from './index.ts';

const FOLDER = join(import.meta.dirname, '../../samples/scenarios');
const SUFFIX = '.hvtrace.ndjson';

export const SIDES: Sides = { hypervisor: createHypervisor(), drivers: createDrivers() };

export interface Scenario {
  readonly name: string;
  readonly header: TraceHeader;
  readonly stimuli: readonly TraceEvent[];
}

/** The scenarios under samples/, by name. */
export function sampleScenarios(): Scenario[] {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith(SUFFIX));
  return names
    .sort()
    .map((name) => scenario(name.slice(0, -SUFFIX.length), readFileSync(join(FOLDER, name), 'utf8')));
}

/** A scenario as text: the header, then one stimulus a line. */
export function scenario(name: string, text: string): Scenario {
  const [first = '', ...lines] = text.trim().split('\n');
  const read = parseHeader(first);
  if ('problem' in read) throw new Error(`${name}: ${JSON.stringify(read.problem)}`);
  const reader = new EventLineReader(read.header.profile);
  const stimuli = lines.map((line) => {
    const event = reader.next(line);
    if ('problem' in event) throw new Error(`${name}: ${JSON.stringify(event.problem)}`);
    return event.event;
  });
  return { name, header: read.header, stimuli };
}

export interface Played {
  readonly events: readonly TraceEvent[];
  readonly findings: readonly Finding[];
  readonly hash: string;
}

/** Plays a scenario under a profile: everything that happened as recorded events, and what the rules say. */
export function played({ stimuli }: Scenario, profile: Profile): Played {
  const judge = createJudge(RULES, profile);
  const events: TraceEvent[] = [];
  const { hash } = play(stimuli, profile, SIDES, {
    step(step, machine) {
      judge.step(step, machine.store);
      events[step.address.seq - 1] = step.event;
    },
    journal: () => {},
    checkpoint: () => {},
  });
  judge.end();
  return { events, findings: judge.findings(), hash };
}
