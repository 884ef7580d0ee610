/** Why a trace cannot be opened or made. `text` is one line: what, where, what to do. */
export interface TraceProblem {
  readonly kind: 'problem';
  readonly code:
    | 'missing'
    | 'unreadable'
    | 'unwritable'
    | 'not-a-trace'
    | 'newer'
    | 'torn'
    | 'foreign-schema'
    | 'corrupt'
    | 'exists'
    | 'busy';
  readonly text: string;
}

export function problem(code: TraceProblem['code'], text: string): TraceProblem {
  return { kind: 'problem', code, text: text.replaceAll(/\s*\n\s*/g, ' ') };
}

export function isProblem(value: object): value is TraceProblem {
  return (value as { kind?: unknown }).kind === 'problem';
}

/**
 * Thrown where a trace that was opened turns out not to hold what it must (hostile or torn rows), or can no
 * longer be written (full disk). The message is one line.
 */
export class TraceFileError extends Error {
  readonly problem: TraceProblem;

  constructor(found: TraceProblem) {
    super(found.text);
    this.name = 'TraceFileError';
    this.problem = found;
  }
}
