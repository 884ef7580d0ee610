/** What a test sees and sets; control.ts adds what it can do. */
export interface Dialog {
  readonly kind: 'showOpenDialog' | 'showSaveDialog';
  readonly options: object;
}

export const control = {
  /** Folder for the data of the user; set before the program is imported. */
  userData: '',
  /** False: another instance runs already. */
  firstInstance: true,
  /** What this instance told the first. */
  lockData: undefined as object | undefined,
  exitCode: undefined as number | undefined,
  sandboxForAll: false,
  /** How often a window was brought to the front. */
  focused: 0,
  switches: new Map<string, string>(),
  /** Recent documents as the system lists them. */
  systemRecent: [] as string[],
  /** Answers that dialogs will get, first come, first served. */
  answers: [] as { readonly kind: Dialog['kind']; readonly answer: object }[],
  /** Dialogs that were shown. */
  dialogs: [] as Dialog[],
  /** Addresses that `webRequest` cancelled. */
  cancelled: [] as string[],
  /** Addresses that a window was kept from going to. */
  stayed: [] as string[],
  /** Windows that were asked for and denied. */
  deniedWindows: [] as string[],
  /** Channels of messages that were sent before the page's isolated world was there. */
  dropped: [] as string[],
  /** Exceptions of pages and preload scripts. */
  pageErrors: [] as string[],
};
