/** Names of the messages between program and page; there are no others. */
export const CHANNELS = {
  /** Requests about the trace (engine/app/api.ts). */
  app: 'app',
  /** Requests to the window (engine/app/shell.ts). */
  shell: 'shell',
  /** A file was dropped onto the page: sent by the preload script, out of the page's reach. */
  drop: 'drop',
  /** Pushed to the page: how far long work is. */
  progress: 'progress',
  /** Pushed to the page: one line for the user. */
  line: 'line',
} as const;
