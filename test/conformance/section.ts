import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Step } from '../../engine/replay/step.ts';
import { flow } from './flow.ts';
import { headerOf, playLines } from './play.ts';
import { answerText } from './row.ts';
import { stepLine } from './steps.ts';
import { lineOf } from './words.ts';

/** A scenario with everything that is to follow from each step. */
export interface Section {
  readonly title: string;
  readonly source: string;
  readonly profile: string;
  readonly steps: readonly string[];
  /** The steps, each with what follows from it below it, indented by depth, and its answer behind `=`. */
  readonly expected: readonly string[];
}

/** Reads `sections/NAME`: `# title`, `Source: …`, `Profile: …`, an empty line, then the steps. */
export function readSection(name: string): Section {
  const text = readFileSync(join(import.meta.dirname, 'sections', name), 'utf8');
  const [, title = '', source = '', profile = '', body = ''] =
    /^# (.+)\nSource: ([\s\S]+?)\nProfile: (.+)\n\n([\s\S]*)$/.exec(text) ?? [];
  const expected = body.split('\n').filter((line) => line.trim() !== '');
  return { title, source, profile, steps: expected.filter((line) => !line.startsWith(' ')), expected };
}

/** Plays a section's steps: what follows from each, as the section writes it, and where a replay differs. */
export function playSection({ profile, steps }: Pick<Section, 'profile' | 'steps'>): {
  readonly found: readonly string[];
  readonly divergences: readonly string[];
} {
  const header = headerOf(JSON.stringify({ profile: flow(profile) }));
  const run = playLines(
    header,
    steps.map((step, i) => stepLine(step, header.profile, i)),
  );
  const depths = new Map<number, number>();
  const roots: Step[] = [];
  const found: string[] = [];
  for (const step of run.steps) {
    const { seq } = step.address;
    const isNew = !depths.has(seq);
    if (step.parent !== undefined) {
      if (!isNew) continue;
      const depth = (depths.get(step.parent.seq) ?? 0) + 1;
      depths.set(seq, depth);
      found.push('    '.repeat(depth) + lineOf(step, true));
      continue;
    }
    if (isNew) {
      depths.set(seq, 0);
      found.push(steps[roots.length] ?? '');
      roots.push(step);
    }
    if (step.returned) found.push(`    = ${answerText(step)}`);
  }
  return { found, divergences: run.divergences };
}

const FOLDER = join(import.meta.dirname, 'sections');

/** Writes down what happens now: the difference is to be read against the source before it is kept. */
function update(): void {
  for (const name of readdirSync(FOLDER)) {
    const section = readSection(name);
    const head = `# ${section.title}\nSource: ${section.source}\nProfile: ${section.profile}\n`;
    writeFileSync(join(FOLDER, name), `${head}\n${playSection(section).found.join('\n')}\n`);
  }
}

if (import.meta.main) update();
