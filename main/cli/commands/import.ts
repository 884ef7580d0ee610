import { closeSync, openSync, readSync } from 'node:fs';
import type { Start } from '../../../engine/replay/start.ts';
import { readStart } from '../../../engine/replay/start-text.ts';
import type { JsonObject } from '../../../engine/trace/text/json.ts';
import { eventTextImporter } from '../../../tracer/import/event-text.ts';
import { FORM_NAMES, type FormName } from '../../../tracer/import/form.ts';
import type { ImportOptions } from '../../../tracer/import/importer.ts';
import { type ImportSummary, openText } from '../../../tracer/import/text-import.ts';
import { Started } from '../../../tracer/store/index.ts';
import type { Arguments } from '../command.ts';
import { importing } from '../importing.ts';
import { printJson, tell } from '../output.ts';
import { EXIT, Problem } from '../problem.ts';
import { givenProfile, withProfile } from '../profile-option.ts';
import { progressLine } from '../progress.ts';
import { record } from '../recording.ts';
import { kindOf } from '../trace.ts';
import { outputPath } from '../trace-output.ts';

type From = FormName | 'events';
const FROM: readonly From[] = [...FORM_NAMES, 'events'];

/** `hvrewind import`: event text as it is, or other programs' text, into a trace. */
export async function run(args: Arguments): Promise<number> {
  const [first = ''] = args.operands;
  const path = outputPath('import', args, '.hvtrace', first);
  const from = fromOf(args.value('from')) ?? (isEventText(first) ? 'events' : undefined);
  const stop = new AbortController();
  const interrupted = (): void => stop.abort(new Problem('import: interrupted; nothing was written'));
  process.once('SIGINT', interrupted);
  try {
    if (from === 'events') await importEvents(args, path, stop.signal);
    else await importText(args, path, from, stop.signal);
  } finally {
    process.removeListener('SIGINT', interrupted);
  }
  return EXIT.fine;
}

function fromOf(text: string | undefined): From | undefined {
  const found = FROM.find((name) => name === text);
  if (text !== undefined && found === undefined)
    throw new Problem(`import: --from ${JSON.stringify(text)}: expected ${FROM.join(', ')}`);
  return found;
}

/** Event text begins with its profile, and its name says so. What cannot be opened is left to the importer, which says why. */
function isEventText(path: string): boolean {
  if (path.endsWith('.ndjson')) return true;
  const head = Buffer.alloc(64);
  try {
    const file = openSync(path, 'r');
    try {
      return /^\s*\{/.test(head.toString('utf8', 0, readSync(file, head, 0, head.length, 0)));
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
  }
}

function watched(signal: AbortSignal): { readonly options: ImportOptions; done(): void } {
  const progress = progressLine('import');
  return {
    options: {
      signal,
      onProgress: ({ events, bytesRead, bytesTotal }) =>
        void progress.report(events, bytesTotal === 0 ? 0 : events * (bytesTotal / Math.max(bytesRead, 1))),
    },
    done: () => progress.done(),
  };
}

async function importEvents(args: Arguments, path: string, signal: AbortSignal): Promise<void> {
  if (args.operands.length > 1) throw new Problem('import: event text comes in one file');
  const { options, done } = watched(signal);
  const events = await importing('import', async () => {
    const source = await eventTextImporter.open(args.operands[0] ?? '', options);
    const header = withProfile(source.header, args.value('profile'));
    const how = { force: args.flag('force'), how: 'import event text' };
    try {
      return await record('import', path, header, how, async (writer) => {
        const whole = new Started(writer, startOf(source.start));
        for await (const batch of source.events) for (const event of batch) whole.append(event);
        if (!whole.isWhole) throw new Problem(NO_START);
        return writer.events;
      });
    } finally {
      done();
      await source.close();
    }
  });
  if (args.flag('json')) await printJson({ file: path, events });
  else tell(`${path}: ${events} events`);
}

const NO_START =
  'import: the state with which it starts ("start" on line 1) is not one that this engine can read';

function startOf(json: JsonObject | undefined): Start | undefined {
  if (json === undefined) return undefined;
  const start = readStart(json, kindOf);
  if (start === undefined) throw new Problem(NO_START);
  return start;
}

async function importText(
  args: Arguments,
  path: string,
  from: FormName | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { options, done } = watched(signal);
  const given = givenProfile(args.value('profile'));
  const summary = await importing('import', async () => {
    const source = await openText(args.operands, {
      ...options,
      given,
      ...(from === undefined ? {} : { from }),
    });
    const header = withProfile(source.header, args.value('profile'));
    const how = { force: args.flag('force'), how: `import ${source.form}` };
    try {
      return await record('import', path, header, how, (writer) => source.run(writer, header));
    } finally {
      done();
      await source.close();
    }
  });
  if (args.flag('json')) await printJson({ file: path, ...summary });
  else
    tell(
      [
        `${path}: ${summary.events} events from ${summary.lines} lines of ${summary.form}`,
        ...told(summary),
      ].join('\n'),
    );
}

function told({ notes, unreadable, other, unanswered }: ImportSummary): string[] {
  const listed = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .slice(0, 8)
      .map(([what, lines]) => `${what} ${lines}`)
      .join(', ');
  const lines = [...notes.slice(1)];
  if (Object.keys(unreadable).length > 0)
    lines.push(`could not be read, kept as marks: ${listed(unreadable)}`);
  if (Object.keys(other).length > 0) lines.push(`nothing of the hypervisor: ${listed(other)}`);
  for (const { question, why } of unanswered) lines.push(`does not tell ${question}: ${why}`);
  return lines.map((line) => `  ${line}`);
}
