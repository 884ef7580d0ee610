import { basename } from 'node:path';
import { type OpenTrace, openEvents } from '../cli/trace-events.ts';

/** The trace that the open one is compared with. */
export class OtherFile {
  trace: { readonly name: string; readonly open: OpenTrace } | undefined;

  /** Opens another in its place; that stays where the new one cannot be read. */
  open(path: string): { readonly name: string } {
    const open = openEvents(path);
    this.close();
    const name = basename(path);
    this.trace = { name, open };
    return { name };
  }

  close(): void {
    this.trace?.open.close();
  }
}
