import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { played, type Scenario, SIDES, scenario } from '../drivers/scenario.testing.ts';
import { memorySource } from '../replay/source.ts';
import type { AppMethod, AppRequests } from './api.ts';
import { readCall } from './border.ts';
import { openSession } from './open.ts';

/** A client that runs a guest: it prints, asks a CPUID leaf, touches unmapped memory and an MSR, and halts. */
export function guestScenario(): Scenario {
  const file = join(import.meta.dirname, 'corpus/guest.hvtrace.ndjson');
  return scenario('guest', readFileSync(file, 'utf8'));
}

export type Ask = <M extends AppMethod>(method: M, input: AppRequests[M]['in']) => AppRequests[M]['out'];

/** The session of a scenario's first events, all of them by default. `recorded`: what is derived was recorded too. */
export function sessionOf(
  from: Scenario,
  options: { readonly recorded: boolean; readonly count?: number },
): Ask {
  const stimuli = from.stimuli.slice(0, options.count);
  const { profile } = from.header;
  const events = options.recorded ? played({ ...from, stimuli }, profile).events : stimuli;
  const source = memorySource(from.header, events);
  const session = openSession({ name: from.name, source, sides: SIDES });
  return (method, input) => {
    const call = readCall(method, input);
    assert.ok(!('problem' in call), 'problem' in call ? call.problem : '');
    assert.ok(call.method !== 'progress', 'a session does not know how far its own replay is');
    return session.answer(call) as never;
  };
}
