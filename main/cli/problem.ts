/** Exit codes (README, "Exit codes"). */
export const EXIT = { fine: 0, found: 1, usage: 2, environment: 3 } as const;

/** What an error says, without the stack that some messages carry. */
export function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n')[0] ?? text;
}

/** Something a user can mend: printed as one line on stderr, then the process ends with `exit`. */
export class Problem extends Error {
  readonly exit: 2 | 3;

  constructor(message: string, exit: 2 | 3 = EXIT.usage) {
    super(message.replaceAll('\n', ' '));
    this.exit = exit;
  }
}
