/** One option of a command. Options without `value` are switches. */
export interface OptionSpec {
  readonly name: string;
  readonly short?: string;
  /** What stands for the value in the help: `FILE`, `POSITION`. */
  readonly value?: string;
  readonly repeat?: boolean;
  readonly help: string;
}

/** One row of the command table: help, completion and the reference page are made from it. */
export interface CommandSpec {
  readonly name: string;
  /** Operands as the help shows them: `FILE [FILTER]`. */
  readonly operands: string;
  readonly least: number;
  readonly most: number;
  readonly summary: string;
  /** A few sentences more, for `hvrewind COMMAND --help`. */
  readonly details?: string;
  readonly options: readonly OptionSpec[];
  /** The command itself is only loaded when it runs: start-up stays short. */
  readonly load: () => Promise<{ readonly run: Command }>;
}

/** What was given on the command line, checked against the command's row. */
export interface Arguments {
  readonly operands: readonly string[];
  /** After `--`: a program and its arguments. */
  readonly program: readonly string[];
  flag(name: string): boolean;
  value(name: string): string | undefined;
  values(name: string): readonly string[];
}

/** Runs a command and resolves to its exit code; a user's mistake is thrown as a Problem. */
export type Command = (args: Arguments) => Promise<number>;
