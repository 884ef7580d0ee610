import type { Bridge } from '../../engine/app/shell.ts';

declare global {
  interface Window {
    /** Put there by the preload script; for the functions that tests run in the page. */
    readonly hvrewind: Bridge;
  }
}
