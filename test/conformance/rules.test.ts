/** `show --why` and `state --who` name a rule for whatever happened and whoever wrote, in each sample and scenario. */
import assert from 'node:assert/strict';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import { StateExplorer } from '../../engine/app/cells.ts';
import { EventReader } from '../../engine/app/lists.ts';
import { StepArchive } from '../../engine/replay/derived.ts';
import { replayWithHistory } from '../../engine/replay/replay.ts';
import { memorySource } from '../../engine/replay/source.ts';
import type { TraceEvent } from '../../engine/trace/event.ts';
import { at, parseAddress } from '../../engine/trace/position.ts';
import { SIDES } from '../../main/cli/sides.ts';
import { flow } from './flow.ts';
import { headerOf, playLines } from './play.ts';
import { readSection } from './section.ts';
import { stepLine } from './steps.ts';

interface Text {
  readonly name: string;
  readonly header: string;
  readonly lines: readonly string[];
}

function sampleText(path: string): Text {
  const [header = '', ...lines] = readFileSync(path, 'utf8').trim().split('\n');
  return { name: basename(path), header, lines };
}

function sectionText(name: string): Text {
  const { profile, steps } = readSection(name);
  const header = JSON.stringify({ profile: flow(profile) });
  const lines = steps.map((step, i) => stepLine(step, headerOf(header).profile, i));
  return { name, header, lines };
}

/** Nobody answers what a trace says of itself, and a call that never returned has no answer. */
function hasNoAnswer(event: TraceEvent): boolean {
  if (event.kind === 'mark' || event.kind === 'page') return event.parent === undefined;
  return event.kind === 'ioctl' && typeof event.ret !== 'number';
}

/** A guest's memory that the trace shows, which no section has. */
function memoryText(): Text {
  const header = JSON.stringify({ profile: { role: 'root', kernel: 'upstream-7.2' } });
  const steps = [
    'CREATE_PARTITION flags: 0',
    'DEPOSIT_MEMORY partition_id: 2, gpa_page_list: [{from: 0x1000, count: 400}]',
    'INITIALIZE_PARTITION partition_id: 2',
    'CREATE_VP partition_id: 2, vp_index: 0',
  ];
  const lines = steps.map((step, i) => stepLine(step, headerOf(header).profile, i));
  const page = { t: '9us', kind: 'page', what: 'snapshot', page: 'ram', vp: '2.0', gpa: '0x1000' };
  return { name: 'memory', header, lines: [...lines, JSON.stringify({ ...page, bytes: { 0: '01020304' } })] };
}

const ROOT = join(import.meta.dirname, '../..');
const TEXTS = [
  ...globSync(join(ROOT, 'samples/scenarios/*.ndjson')).sort().map(sampleText),
  ...readdirSync(join(import.meta.dirname, 'sections'))
    .sort()
    .map(sectionText),
  memoryText(),
];

describe('a rule for each answer and writer', () => {
  for (const { name, header, lines } of TEXTS) {
    it(name, () => {
      const run = playLines(headerOf(header), lines);
      const events: TraceEvent[] = [];
      for (const { address, event } of run.steps) events[address.seq - 1] = event;
      const source = memorySource(run.header, events);
      const { history } = replayWithHistory(source, SIDES, {});
      const reader = new EventReader(source, new StepArchive(source, SIDES, history));
      const without = events
        .filter((event) => !hasNoAnswer(event) && (reader.ruleOf(at(event.seq)) ?? '') === '')
        .map(({ seq, kind }) => `${seq}: ${kind}`);
      assert.deepEqual(without, []);
      const cells = new StateExplorer(history).cells(at(events.length), '') ?? [];
      let written = 0;
      for (const { path, writer } of cells) {
        if (writer === undefined) continue;
        const address = parseAddress(writer.at);
        written++;
        assert.notEqual(writer.component, '', path);
        assert.notEqual((address === undefined ? undefined : reader.ruleOf(address)) ?? '', '', path);
      }
      assert.ok(written > 0);
    });
  }
});
