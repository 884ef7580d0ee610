/** One thing that was looked at; `ok` undefined: nothing to judge. */
export interface Look {
  readonly what: string;
  readonly ok?: boolean;
  readonly found: string;
  /** What to do where something is missing: the least that has to be granted. */
  readonly remedy?: string;
}
