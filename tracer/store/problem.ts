/** Why a trace cannot be opened or made. `text` is one line: what, where, what to do. */
export interface TraceProblem {
  readonly kind: 'problem';
  readonly code:
    | 'missing'
    | 'unreadable'
    | 'unwritable'
    | 'not-a-trace'
    | 'packed'
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

/** The one line for a failure to write, by the code that Node or SQLite gave it. Other errors are thrown on. */
export function writeProblem(path: string, error: unknown): TraceProblem {
  const { code } = error as { readonly code?: unknown };
  // SQLite says ENOSPC of a disk that is full, and any other refusal of the system as one of twenty I/O errors.
  switch (typeof code === 'string' && code.startsWith('SQLITE_IOERR') ? 'EIO' : code) {
    case 'SQLITE_FULL':
    case 'ENOSPC':
      return problem('unwritable', `${path}: the disk is full; make room, or write elsewhere with -o`);
    case 'EIO':
    case 'EDQUOT':
    case 'EFBIG':
      return problem(
        'unwritable',
        `${path}: the disk takes no more of it (an error, a quota, or the limit on file sizes, ulimit -f)`,
      );
    case 'SQLITE_READONLY':
    case 'SQLITE_CANTOPEN':
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return problem('unwritable', `${path}: not permitted to write there; choose another folder with -o`);
    case 'ENOENT':
    case 'ENOTDIR':
      return problem('unwritable', `${path}: its folder does not exist; create it or choose another with -o`);
    case 'EISDIR':
      return problem('exists', `${path}: is a folder; name a file with -o`);
    default:
      if (typeof code !== 'string') throw error;
      return problem('unwritable', `${path}: cannot be written (${(error as Error).message})`);
  }
}
