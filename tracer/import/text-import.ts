import { statSync } from 'node:fs';
import { type BlindSpot, blindSpots, DepthCounter } from '../../engine/trace/blind-spots.ts';
import type { TraceHeader } from '../../engine/trace/profile.ts';
import { type GivenProfile, parseProfile } from '../../engine/trace/profile-read.ts';
import { Emitter, type EventSink } from '../sources/emitter.ts';
import type { Form, FormName, FormSurvey } from './form.ts';
import { FORMS } from './forms.ts';
import { ImportError, type ImportOptions } from './importer.ts';
import { type TextLines, textLines } from './merge.ts';
import { type Counts, Tally } from './tally.ts';

/** Lines by which a form is recognised. */
const HEAD_LINES = 400;
/** Lines that are read ahead at most; a call that tells the dialect comes among the first. */
const AHEAD_LINES = 2_000_000;

/** What became of a text. */
export interface ImportSummary extends Counts {
  /** Questions that the trace cannot answer. */
  readonly unanswered: readonly BlindSpot[];
}

/** Another program's text, recognised and read ahead: ready to become a trace. */
export interface TextImport {
  readonly form: FormName;
  /** The profile: what the text says of the machine, the kernel unknown, begun in the middle of its life. */
  readonly header: TraceHeader;
  /** Reads the text into a trace whose header is `header` (or that with the user's wishes); in constant memory. */
  run(sink: EventSink, header: TraceHeader): Promise<ImportSummary>;
  close(): Promise<void>;
}

export interface TextImportOptions extends ImportOptions {
  /** The form where it is not to be recognised. */
  readonly from?: FormName;
  /** What the user said of the profile. */
  readonly given?: GivenProfile;
}

/** The form that most of the first lines have; undefined where it is less than one in ten. */
export function recognise(lines: readonly string[]): Form | undefined {
  const written = lines.filter((line) => line.trim() !== '').slice(0, HEAD_LINES);
  let best: { readonly form: Form; readonly fitting: number } | undefined;
  for (const form of FORMS) {
    const fitting = written.filter((line) => form.fits(line)).length;
    if (fitting > (best?.fitting ?? 0)) best = { form, fitting };
  }
  return best !== undefined && best.fitting * 10 >= written.length ? best.form : undefined;
}

/**
 * Opens other programs' text. What must be known from the start is read ahead: all of a file (it is read twice), the first piece of
 * what can be read once only, such as a pipe. Throws {@link ImportError} for a form that nobody knows.
 */
export async function openText(
  paths: readonly string[],
  options: TextImportOptions = {},
): Promise<TextImport> {
  const again = paths.every((path) => statSync(path, { throwIfNoEntry: false })?.isFile() !== false);
  let lines = textLines(paths, options);
  try {
    const first = await lines.next();
    const head: TextLines = first.done === true ? EMPTY : first.value;
    const form = formOf(paths[0] ?? '', head.texts, options.from);
    const survey = form.survey(options.given ?? {});
    lookAt(survey, head, HEAD_LINES * 100);
    if (again) {
      await readAhead(survey, lines);
      await lines.return(undefined);
      lines = textLines(paths, options);
    }
    const source = again ? lines : afterHead(head, lines);
    return {
      form: form.name,
      header: headerOf(survey.profile()),
      run: (sink, header) => read(form, survey, source, sink, header, options),
      close: async () => void (await source.return(undefined)),
    };
  } catch (error) {
    await lines.return(undefined);
    throw error;
  }
}

const EMPTY: TextLines = { texts: [], tids: [], bytesRead: 0, bytesTotal: 0 };

function formOf(path: string, texts: readonly string[], from: FormName | undefined): Form {
  const named = FORMS.find(({ name }) => name === from);
  const form = named ?? recognise(texts.map(plain));
  if (form === undefined)
    throw new ImportError(
      path,
      'is of no known form; name it: --from strace, ftrace, trace-cmd, perf, dmesg or events',
    );
  return form;
}

/** A line as a serial console or an editor may have changed it. */
function plain(text: string): string {
  const end = text.endsWith('\r') ? text.slice(0, -1) : text;
  return end.startsWith('\ufeff') ? end.slice(1) : end;
}

function lookAt(survey: FormSurvey, { texts, tids }: TextLines, most: number): void {
  for (let i = 0; i < texts.length && i < most && !survey.done; i += 1)
    survey.line(plain(texts[i] as string), tids[i]);
}

async function readAhead(survey: FormSurvey, lines: AsyncGenerator<TextLines>): Promise<void> {
  let seen = 0;
  while (!survey.done && seen < AHEAD_LINES) {
    const next = await lines.next();
    if (next.done === true) return;
    lookAt(survey, next.value, Number.POSITIVE_INFINITY);
    seen += next.value.texts.length;
  }
}

async function* afterHead(head: TextLines, rest: AsyncGenerator<TextLines>): AsyncGenerator<TextLines> {
  try {
    yield head;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}

function headerOf(known: GivenProfile): TraceHeader {
  const given: GivenProfile = { kernel: 'unknown', initial: 'unknown', ...known };
  const read = parseProfile(given);
  if ('problem' in read) throw new Error(`not a profile: ${read.problem.message}`);
  return { profile: read.profile, given };
}

async function read(
  form: Form,
  survey: FormSurvey,
  source: AsyncGenerator<TextLines>,
  sink: EventSink,
  { profile }: TraceHeader,
  options: ImportOptions,
): Promise<ImportSummary> {
  const depth = new DepthCounter();
  const emitter = new Emitter(watched(sink, depth));
  const tally = new Tally(emitter);
  tally.note(`imported from ${form.name} text`, 0);
  const reader = survey.reader(emitter, tally, profile);
  let lines = 0;
  for await (const { texts, tids, bytesRead, bytesTotal } of source) {
    for (let i = 0; i < texts.length; i += 1) reader.line(plain(texts[i] as string), tids[i]);
    lines += texts.length;
    options.onProgress?.({ bytesRead, bytesTotal, events: emitter.events });
  }
  reader.finish();
  // The marks of the import itself add nothing to what the text tells.
  const unanswered = blindSpots(profile, depth.depth);
  for (const { question, why } of unanswered)
    emitter.note(`this trace does not tell ${question}: ${why}`, emitter.now);
  return { ...tally.finish(form.name, lines), unanswered };
}

/** The sink, with what goes through it counted. */
function watched(sink: EventSink, depth: DepthCounter): EventSink {
  return {
    append(event) {
      depth.add(event);
      sink.append(event);
    },
    begin(event) {
      depth.add(event);
      sink.begin(event);
    },
    complete(seq, answer) {
      if (answer.out?.data !== undefined) depth.answered();
      sink.complete(seq, answer);
    },
  };
}
