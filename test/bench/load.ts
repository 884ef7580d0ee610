import { play } from '../../engine/replay/play.ts';
import type { TraceEvent } from '../../engine/trace/event.ts';
import type { TraceHeader } from '../../engine/trace/profile.ts';
import { ENGINE_VERSION } from '../../engine/version.ts';
import { SIDES } from '../../main/cli/sides.ts';
import { abiNames } from '../../tracer/store/abi-names.ts';
import { isProblem, recordingSink, TraceWriter } from '../../tracer/store/index.ts';
import { type Mix, MixedLoad } from './mixed.ts';

/** Makes a trace file as `run` does. */
export function createTrace(path: string, header: TraceHeader): TraceWriter {
  const names = abiNames(header.profile);
  const writer = TraceWriter.create(path, header, { force: true, names, engine: ENGINE_VERSION });
  if (isProblem(writer)) throw new Error(writer.text);
  return writer;
}

/** Plays a load of about `events` events into a trace file; returns how many there are. */
export function recordLoad(path: string, events: number, mix: Mix): number {
  const load = new MixedLoad(events, mix);
  const writer = createTrace(path, load.header);
  const sink = recordingSink(writer);
  const played = play(load.stimuli(), load.header.profile, SIDES, {
    ...sink,
    step(step, machine) {
      if (step.returned) load.returned(step.event);
      else load.recorded(step.event);
      sink.step(step, machine);
    },
  });
  writer.hash(played.hash);
  writer.close();
  return played.events;
}

/** The events of a load, in memory. */
export function playedLoad(
  events: number,
  mix: Mix,
): { readonly header: TraceHeader; readonly events: TraceEvent[] } {
  const load = new MixedLoad(events, mix);
  const all: TraceEvent[] = [];
  play(load.stimuli(), load.header.profile, SIDES, {
    step({ event, returned }) {
      if (returned) load.returned(event);
      else load.recorded(event);
      all[event.seq - 1] = event;
    },
    journal: () => {},
    checkpoint: () => {},
  });
  return { header: load.header, events: all };
}
