import { heldText } from '../../engine/trace/held-memory.ts';
import { tell } from './output.ts';

/** Warns of a file that is made to be sent, where it holds pages of guest memory. */
export function tellHeld(path: string, pages: number): void {
  const text = heldText(pages);
  if (text !== undefined)
    tell(`${path}: ${text}, with all that is private in it; look at it before you send it`);
}
