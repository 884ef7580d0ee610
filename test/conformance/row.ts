import type { Step } from '../../engine/replay/step.ts';
import type { TraceEvent } from '../../engine/trace/event.ts';
import type { Profile, TraceHeader } from '../../engine/trace/profile.ts';
import { EventLineReader, formatEvent, textContext } from '../../engine/trace/text/index.ts';
import type { JsonObject } from '../../engine/trace/text/json.ts';
import { flow } from './flow.ts';
import { cellOf, headerOf, playLines, type Run } from './play.ts';
import { stepLine } from './steps.ts';
import { type Page, type Row, readPage } from './table.ts';
import { answerOf, lineOf, returnOf } from './words.ts';

/** States that rows begin in: givens.md. */
const GIVENS: ReadonlyMap<string, Row['cells']> = new Map(
  readPage('givens.md').rows.map(({ cells }) => [cells.given ?? '', cells]),
);

interface Given {
  readonly profile: JsonObject;
  readonly steps: readonly string[];
}

function listOf(text: string | undefined): readonly string[] {
  return text === undefined || text === '' || text === '-' ? [] : text.split('; ');
}

/** `active`, `active (role: l1vh)`, `active; W SIMP 0x1001`: a state of givens.md, other choices, further steps. */
function given(text: string): Given {
  const [first = '', ...further] = listOf(text);
  const [, name = '', changes = ''] = /^([\w-]+)(?: \((.*)\))?$/.exec(first) ?? [];
  const cells = GIVENS.get(name);
  if (cells === undefined) throw new Error(`givens.md has no ${first}`);
  const base =
    cells.from === '-' || cells.from === undefined ? { profile: {}, steps: [] } : given(cells.from);
  return {
    profile: {
      ...base.profile,
      ...flow(cells.profile === '-' ? '' : (cells.profile ?? '')),
      ...flow(changes),
    },
    steps: [...base.steps, ...listOf(cells.steps), ...further],
  };
}

/** What a line of event text says of an output, in the canonical form. */
function outputOf(event: TraceEvent, profile: Profile): JsonObject {
  const { output, out } = JSON.parse(formatEvent(event, textContext(profile))) as JsonObject;
  return (output ?? out ?? {}) as JsonObject;
}

/** The members of an output that a row names and that are otherwise. */
function wrongOutput(step: Step, asked: string, { profile }: TraceHeader, text: string): string | undefined {
  const line = JSON.parse(asked) as JsonObject;
  const key = line.kind === 'ioctl' ? 'out' : 'output';
  const read = new EventLineReader(profile).next(JSON.stringify({ ...line, [key]: flow(text) }));
  if ('problem' in read) throw new Error(read.problem.message);
  const actual = outputOf(step.event, profile);
  const isWrong = Object.entries(outputOf(read.event, profile)).some(
    ([name, value]) => JSON.stringify(actual[name]) !== JSON.stringify(value),
  );
  return isWrong ? `output ${JSON.stringify(actual)}` : undefined;
}

export function answerText({ event, rule }: Step): string {
  if (event.kind === 'ioctl' && (event.ret === undefined || event.ret === null)) return 'waits';
  if (rule === 'unmodelled' || rule === undefined) return '?';
  switch (event.kind) {
    case 'hypercall':
      return answerOf(event);
    case 'msr':
      return event.fault === true ? '#GP' : `0x${(event.value ?? 0n).toString(16)}`;
    case 'ioctl':
      return event.out?.handle === undefined ? returnOf(event.ret) : 'fd';
    case 'fd':
      return (event.what === 'open' || event.what === 'dup') && (event.ret ?? 0) >= 0
        ? 'fd'
        : returnOf(event.ret);
    default:
      return 'done';
  }
}

function wrongCells(run: Run, text: string): string[] {
  return listOf(text).flatMap((item) => {
    const [path = '', value] = item.split(' = ');
    const found = cellOf(run, path.replace(/^no /, ''));
    if (path.startsWith('no ')) return found === undefined ? [] : [`${path} exists`];
    if (found === undefined) return [`${path} does not exist`];
    return found === BigInt(value ?? '') ? [] : [`${path} = 0x${found.toString(16)}`];
  });
}

/** `NAME {key: value}` as its parts: what is before the brace, and the members. */
function partsOf(text: string): { readonly what: string; readonly fields: JsonObject } {
  const [, what = '', fields = ''] = /^([^{]*?) ?(\{.*\})?$/.exec(text) ?? [];
  return { what, fields: fields === undefined || fields === '' ? {} : flow(fields) };
}

/** Whether a child is what a row says of it, which need not name all of its fields. */
function isChild(step: Step, expected: string): boolean {
  const { what, fields } = partsOf(expected);
  const found = partsOf(lineOf(step, expected.includes('{')));
  return (
    found.what === what &&
    Object.entries(fields).every(
      ([key, value]) => JSON.stringify(found.fields[key]) === JSON.stringify(value),
    )
  );
}

function wrongChildren(children: readonly Step[], text: string): string[] {
  const expected = listOf(text);
  const same =
    children.length === expected.length && children.every((step, i) => isChild(step, expected[i] ?? ''));
  if (same) return [];
  return [
    `children ${children.map((step, i) => lineOf(step, expected[i]?.includes('{') ?? false)).join('; ')}`,
  ];
}

/** Plays one row of a page and says what is not as it is written there: nothing, if all is. */
export function wrongOf(page: Page, { line, cells }: Row): string[] {
  const { profile, steps } = given(cells.given ?? 'root');
  const header = headerOf(JSON.stringify({ profile }));
  const asked = stepLine(
    cells.step ?? `${page.name.replace('HVCALL_', '')} ${cells.input === '-' ? '' : cells.input}`,
    header.profile,
    steps.length,
  );
  const before = steps.map((step, i) => stepLine(step, header.profile, i));
  const run = playLines(header, [...before, asked]);
  const entered = run.steps.findLastIndex((step) => step.parent === undefined && !step.returned);
  const root = run.steps[entered];
  if (root === undefined) throw new Error('nothing was asked');
  const isRoot = (step: Step) => step.parent === undefined && step.address.seq === root.address.seq;
  const last = run.steps.findLast(isRoot) ?? root;
  const children = run.steps.slice(entered + 1).filter((step) => !isRoot(step) && !step.returned);
  const [answer = '', output] = (cells.answer ?? '').split(' → ');
  const found = answerText(last);
  const wrong = [
    ...(found === answer ? [] : [`answer ${found}`]),
    ...(output === undefined ? [] : [wrongOutput(last, asked, header, output) ?? []].flat()),
    ...(cells.children === undefined ? [] : wrongChildren(children, cells.children)),
    ...(cells.rule === undefined || cells.rule === '' || cells.rule === last.rule
      ? []
      : [`rule ${last.rule}`]),
    ...wrongCells(run, cells.leaves ?? ''),
    ...run.divergences.map((divergence) => `replayed: ${divergence}`),
  ];
  return wrong.map((what) => `${page.path}:${line}: ${what}`);
}
