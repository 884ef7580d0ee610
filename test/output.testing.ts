import { spawn } from 'node:child_process';

/** What a program left; no exit code: it was killed. */
export interface Output {
  readonly exit: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a program in a folder, with nothing to read, to its end; as this user, or as the one with that number. */
export function outputOf(
  [program = '', ...words]: readonly string[],
  cwd: string,
  uid?: number,
): Promise<Output> {
  return new Promise((done, fail) => {
    const child = spawn(program, words, {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd,
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    child.on('error', fail);
    child.on('close', (exit) => done({ exit, out, err }));
  });
}
